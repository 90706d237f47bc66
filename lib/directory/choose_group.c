/* Members of a group, of the groups in it, and so on. */
#include "lib/directory/choose_impl.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"

#include <string.h>

enum { BATCH = 500, MOST_REMARKS = 3 };

enum way { BY_DN, BY_GUID, BY_UID };

/* Why somebody is left out. */
enum reason { MISSING, ELSEWHERE, OUTSIDE, FOREIGN, MACHINE, NO_ACCOUNT, SEVERAL, DYNAMIC, REASONS };

static const char *const reasons[REASONS] = {
    [MISSING] = "does not exist or is not visible",
    [ELSEWHERE] = "is kept by another server or domain",
    [OUTSIDE] = "lies outside of the base",
    [FOREIGN] = "is a foreign security principal, not an account",
    [MACHINE] = "is a computer",
    [NO_ACCOUNT] = "has no account name",
    [SEVERAL] = "is the name of several accounts",
    [DYNAMIC] = "is a group whose members the directory does not list",
};

struct member {
    const char *name;          /* DN, or uid */
    const unsigned char *guid; /* BY_GUID */
    const char *group;         /* DN of the group that lists it */
    enum way way;
    bool is_here, is_several;
    const struct im_entry *entry; /* what was found; lives for a batch */
};

struct walk {
    struct im_choosing *c;
    struct im_pool *batch;
    struct im_set *groups; /* that were visited: groups may contain each other */
    struct {
        struct member *items;
        size_t count, cap;
    } members;             /* of all groups, in the order of visits */
    struct im_buf primary; /* "(primaryGroupID=...)" for each group */
    size_t counts[REASONS];
};

/* The members that one search is about. */
struct span {
    size_t first, end;
};

static void leave_out(struct walk *w, const struct member *m, enum reason reason) {
    const struct im_condition *condition = w->c->condition;
    struct im_buf text = IM_BUF_INIT;
    if (++w->counts[reason] > MOST_REMARKS || !condition->remark)
        return;
    im_buf_addf(&text, "left out of the group \"%s\": \"%s\" %s", m->group, m->name, reasons[reason]);
    condition->remark(condition->user, 0, im_buf_str(&text));
    im_buf_free(&text);
}

static void sum_up(const struct walk *w) {
    const struct im_condition *condition = w->c->condition;
    for (size_t i = 0; condition->remark && i < REASONS; i++) {
        struct im_buf text = IM_BUF_INIT;
        if (w->counts[i] <= MOST_REMARKS)
            continue;
        im_buf_addf(&text, "left out of the group: %zu more of which each %s", w->counts[i] - MOST_REMARKS, reasons[i]);
        condition->remark(condition->user, 0, im_buf_str(&text));
        im_buf_free(&text);
    }
}

/* ---- what a group lists ---- */

static const unsigned char *guid_of(struct im_pool *pool, const struct im_buf *guid) {
    unsigned char bytes[IM_GUID_BYTES_SIZE];
    char text[IM_GUID_TEXT_SIZE];
    static const char mark[] = "<GUID=";
    size_t len = sizeof mark - 1 + IM_GUID_TEXT_SIZE; /* with ">" in the place of the NUL */
    if (guid->len != len || strncasecmp(guid->data, mark, sizeof mark - 1) != 0)
        return NULL;
    memcpy(text, guid->data + sizeof mark - 1, IM_GUID_TEXT_SIZE - 1);
    text[IM_GUID_TEXT_SIZE - 1] = '\0';
    if (!im_guid_from_text(text, bytes))
        return NULL;
    unsigned char *copy = im_pool_alloc(pool, sizeof bytes);
    return copy ? memcpy(copy, bytes, sizeof bytes) : NULL;
}

/* A value of uniqueMember may end in #'0101'B (RFC 4517 section 3.3.21). */
static size_t without_bits(const struct berval *value) {
    const char *hash =
        value->bv_len > 3 && value->bv_val[value->bv_len - 1] == 'B' ? memrchr(value->bv_val, '#', value->bv_len) : NULL;
    return hash && hash[1] == '\'' ? (size_t)(hash - value->bv_val) : value->bv_len;
}

static enum im_err list_dn(struct walk *w, const char *group, const struct berval *value, struct im_error *e) {
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    im_dn_split_extended(value->bv_val, without_bits(value), &guid, &dn);
    struct member *m = guid.failed || dn.failed ? NULL : im_vec_push(&w->members);
    if (m) {
        m->name = im_pool_strndup(w->c->pool, im_buf_str(&dn), dn.len);
        m->group = group;
        m->guid = w->c->r->context->is_ad && guid.len ? guid_of(w->c->pool, &guid) : NULL;
        m->way = m->guid ? BY_GUID : BY_DN;
    }
    im_buf_free(&guid);
    im_buf_free(&dn);
    return m && m->name ? IM_OK : im_error_nomem(e);
}

static enum im_err list_uid(struct walk *w, const char *group, const struct berval *value, struct im_error *e) {
    struct member *m = im_vec_push(&w->members);
    if (!m)
        return im_error_nomem(e);
    *m = (struct member){.way = BY_UID, .group = group, .name = im_pool_strndup(w->c->pool, value->bv_val, value->bv_len)};
    return m->name ? IM_OK : im_error_nomem(e);
}

static enum im_err list_values(struct walk *w, const struct im_entry *entry, const char *attribute, const char *group,
                               struct im_error *e) {
    const struct im_attr *attr = im_entry_attr(entry, attribute);
    bool are_names = strcmp(attribute, "memberUid") == 0;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && attr && i < attr->count; i++) {
        if (attr->values[i].bv_len) /* a group that must have a member has an empty one until it gets the first */
            err = are_names ? list_uid(w, group, &attr->values[i], e) : list_dn(w, group, &attr->values[i], e);
    }
    return err;
}

/* Active Directory does not list those in "member" whose primary group it is: Domain Users looks empty. */
static void note_primary(struct walk *w, const struct im_entry *entry) {
    const struct berval *sid = im_entry_value(entry, "objectSid");
    char text[IM_SID_TEXT_SIZE];
    if (!w->c->r->context->is_ad || !sid || !im_sid_to_text(sid, text) || strncmp(text, "S-1-5-21-", 9) != 0)
        return;
    im_buf_addf(&w->primary, "(primaryGroupID=%s)", strrchr(text, '-') + 1);
}

static enum im_err visit(struct walk *w, const struct im_entry *entry, bool *is_listed, struct im_error *e) {
    static const char *const lists[] = {"member", "uniqueMember", "memberUid"};
    size_t before = w->members.count;
    bool is_new = false;
    enum im_err err = im_choosing_meet(w->c, w->groups, entry, &is_new, e);
    if (err != IM_OK || !is_new)
        return err;
    const char *group = im_pool_strdup(w->c->pool, entry->dn);
    err = group ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < sizeof lists / sizeof lists[0]; i++)
        err = list_values(w, entry, lists[i], group, e);
    note_primary(w, entry);
    *is_listed = w->members.count > before || !im_entry_has_value(entry, "objectClass", "groupOfURLs");
    return err;
}

/* ---- looking members up ---- */

static bool is_same_name(const struct im_attr *attr, const char *name, enum im_err *err, struct im_error *e) {
    struct berval wanted = {.bv_len = strlen(name)};
    bool is_same = false;
    memcpy(&wanted.bv_val, &name, sizeof wanted.bv_val);
    for (size_t i = 0; *err == IM_OK && !is_same && attr && i < attr->count; i++)
        *err = im_value_folds_to(&attr->values[i], &wanted, &is_same, e);
    return is_same;
}

static bool is_meant(const struct member *m, const struct im_entry *entry, enum im_err *err, struct im_error *e) {
    const struct berval *guid = im_entry_value(entry, "objectGUID");
    switch (m->way) {
    case BY_DN:
        return true;
    case BY_GUID:
        return guid && guid->bv_len == IM_GUID_BYTES_SIZE && memcmp(guid->bv_val, m->guid, IM_GUID_BYTES_SIZE) == 0;
    case BY_UID:
        return is_same_name(im_entry_attr(entry, "uid"), m->name, err, e);
    }
    return false;
}

static enum im_err take_member(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct walk *w = user;
    const struct span *span = lookup->data;
    const struct im_entry *copy = NULL;
    enum im_err err = IM_OK;
    for (size_t i = span->first; err == IM_OK && i < span->end; i++) {
        struct member *m = &w->members.items[i];
        if (!is_meant(m, entry, &err, e) || err != IM_OK)
            continue;
        if (!copy && !(copy = im_entry_copy(entry, w->batch)))
            return im_error_nomem(e);
        m->is_several = m->entry != NULL;
        m->entry = copy;
    }
    return err;
}

static const char *span_filter(struct walk *w, const struct span *span) {
    const struct im_schema *schema = w->c->r->context->schema;
    enum way way = w->members.items[span->first].way;
    struct im_buf filter = IM_BUF_INIT;
    im_buf_adds(&filter, "(|");
    for (size_t i = span->first; i < span->end; i++) {
        const struct member *m = &w->members.items[i];
        if (way == BY_GUID) {
            struct berval guid = {.bv_len = IM_GUID_BYTES_SIZE};
            memcpy(&guid.bv_val, &m->guid, sizeof guid.bv_val);
            im_filter_term(&filter, schema, "objectGUID", &guid, true);
        } else {
            im_filter_text(&filter, schema, "uid", m->name);
        }
    }
    im_buf_addc(&filter, ')');
    const char *text = filter.failed ? NULL : im_pool_strdup(w->batch, im_buf_str(&filter));
    im_buf_free(&filter);
    return text;
}

/* Could this server hold it? Elsewhere a search would end in a referral. */
static enum im_err find_here(const struct walk *w, struct member *m, struct im_error *e) {
    const struct im_attr *contexts = im_entry_attr(im_directory_rootdse(w->c->r->directory)->entry, "namingContexts");
    enum im_err err = IM_OK;
    m->is_here = !contexts || !im_dn_is_valid(m->name);
    for (size_t i = 0; err == IM_OK && contexts && !m->is_here && i < contexts->count; i++)
        err = im_choosing_is_under(m->name, contexts->values[i].bv_val, &m->is_here, e);
    return err;
}

static enum im_err make_lookup(struct walk *w, size_t first, size_t end, struct im_lookup *out, struct im_error *e) {
    const struct im_resolver *r = w->c->r;
    const struct member *m = &w->members.items[first];
    const char *domain = im_directory_rootdse(r->directory)->default_nc;
    struct span *span = im_pool_alloc(w->batch, sizeof *span);
    if (!span)
        return im_error_nomem(e);
    *span = (struct span){.first = first, .end = end};
    *out = (struct im_lookup){.data = span, .may_be_missing = m->way == BY_DN};
    out->search = (struct im_search){
        .base = m->way == BY_DN               ? m->name
                : m->way == BY_GUID && domain ? domain
                                              : r->base,
        .scope = m->way == BY_DN ? IM_SEARCH_BASE : IM_SEARCH_SUB,
        .attributes = w->c->attributes,
        .extended_dn = r->context->is_ad,
        .no_paging = true, /* few are meant by each, and they run side by side */
    };
    if (m->way != BY_DN)
        out->search.filter = span_filter(w, span);
    return m->way == BY_DN || out->search.filter ? IM_OK : im_error_nomem(e);
}

/* How many from here on one search can be about. */
static size_t span_length(const struct walk *w, size_t first, size_t end) {
    enum way way = w->members.items[first].way;
    size_t most = way == BY_DN ? 1 : IM_LOOKUP_TERMS;
    size_t length = 0;
    while (length < most && first + length < end && w->members.items[first + length].way == way)
        length++;
    return length;
}

static enum im_err look_up(struct walk *w, size_t first, size_t end, struct im_error *e) {
    struct im_lookup *lookups = im_pool_array(w->batch, end - first, sizeof *lookups);
    size_t count = 0;
    enum im_err err = lookups ? IM_OK : im_error_nomem(e);
    for (size_t i = first, length; err == IM_OK && i < end; i += length) {
        struct member *m = &w->members.items[i];
        length = span_length(w, i, end);
        m->is_here = true;
        if (m->way == BY_DN)
            err = find_here(w, m, e);
        if (err == IM_OK && m->is_here)
            err = make_lookup(w, i, i + length, &lookups[count++], e);
    }
    return err == IM_OK ? im_lookup_all(w->c->r->directory, lookups, count, take_member, w, e) : err;
}

/* ---- what becomes of them ---- */

static enum im_err settle_account(struct walk *w, const struct member *m, struct im_error *e) {
    bool is_under = false;
    enum im_err err = im_choosing_is_under(m->entry->dn, w->c->r->base, &is_under, e);
    if (err == IM_OK && is_under)
        return im_choosing_add(w->c, m->entry, e);
    if (err == IM_OK)
        leave_out(w, m, OUTSIDE);
    return err;
}

static enum im_err settle_found(struct walk *w, size_t i, struct im_error *e) {
    const struct member m = w->members.items[i]; /* the list may move */
    bool is_listed = true;
    switch (im_choosing_nature(w->c, m.entry)) {
    case IM_NATURE_GROUP: {
        enum im_err err = visit(w, m.entry, &is_listed, e);
        if (!is_listed)
            leave_out(w, &m, DYNAMIC);
        return err;
    }
    case IM_NATURE_ACCOUNT:
        return settle_account(w, &m, e);
    case IM_NATURE_MACHINE:
        leave_out(w, &m, MACHINE);
        return IM_OK;
    case IM_NATURE_OTHER:
        break;
    }
    leave_out(w, &m, im_entry_has_value(m.entry, "objectClass", "foreignSecurityPrincipal") ? FOREIGN : NO_ACCOUNT);
    return IM_OK;
}

static enum im_err settle(struct walk *w, size_t i, struct im_error *e) {
    struct member *m = &w->members.items[i];
    if (m->entry && !m->is_several)
        return settle_found(w, i, e);
    leave_out(w, m, m->is_several ? SEVERAL : m->way == BY_DN && !m->is_here ? ELSEWHERE : MISSING);
    return IM_OK;
}

static enum im_err walk_members(struct walk *w, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t first = 0; err == IM_OK && first < w->members.count;) {
        size_t end = w->members.count - first > BATCH ? first + BATCH : w->members.count;
        err = look_up(w, first, end, e);
        for (; err == IM_OK && first < end; first++)
            err = settle(w, first, e);
        im_pool_reset(w->batch);
    }
    return err;
}

/* ---- the group that was named ---- */

static enum im_err no_group(const struct walk *w, const struct im_entry *entry, struct im_error *e) {
    const char *dn = w->c->condition->group;
    if (!entry) {
        return im_error_set_at(e, IM_E_INPUT, im_directory_uri(w->c->r->directory), 0, 0,
                               "the group \"%s\" does not exist, or %s may not see it", dn,
                               im_directory_identity(w->c->r->directory));
    }
    const struct im_attr *classes = im_entry_attr(entry, "objectClass");
    return im_error_set_at(
        e, IM_E_INPUT, im_directory_uri(w->c->r->directory), 0, 0,
        "\"%s\" is no group but of the class %s; for accounts below an entry, give it with --base and add --all", dn,
        classes ? classes->values[classes->count - 1].bv_val : "unknown");
}

static enum im_err keep_group(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct walk *w = user;
    const struct im_entry **group = lookup->data;
    *group = im_entry_copy(entry, w->batch);
    return *group ? IM_OK : im_error_nomem(e);
}

static enum im_err read_group(struct walk *w, struct im_error *e) {
    const struct im_entry *group = NULL;
    bool is_listed = true;
    struct im_lookup lookup = {.data = &group, .may_be_missing = true};
    lookup.search = (struct im_search){.base = w->c->condition->group,
                                       .scope = IM_SEARCH_BASE,
                                       .attributes = w->c->attributes,
                                       .extended_dn = w->c->r->context->is_ad};
    enum im_err err = im_lookup_all(w->c->r->directory, &lookup, 1, keep_group, w, e);
    if (err != IM_OK)
        return err;
    if (!group || im_choosing_nature(w->c, group) != IM_NATURE_GROUP)
        return no_group(w, group, e);
    err = visit(w, group, &is_listed, e);
    if (err == IM_OK && !is_listed) {
        return im_error_set_at(e, IM_E_INPUT, im_directory_uri(w->c->r->directory), 0, 0, "\"%s\" %s: choose them with --filter",
                               group->dn, reasons[DYNAMIC]);
    }
    return err;
}

static enum im_err search_primary(struct walk *w, struct im_error *e) {
    if (w->primary.failed)
        return im_error_nomem(e);
    if (!w->primary.len)
        return IM_OK;
    const char *either = im_pool_printf(w->c->pool, "(|%s)", im_buf_str(&w->primary));
    return either ? im_choosing_search(w->c, im_choosing_filter(w->c, either), e) : im_error_nomem(e);
}

enum im_err im_choose_members(struct im_choosing *c, struct im_error *e) {
    struct walk w = {.c = c, .batch = im_pool_new(), .groups = im_set_new()};
    enum im_err err = w.batch && w.groups ? read_group(&w, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = walk_members(&w, e);
    if (err == IM_OK)
        err = search_primary(&w, e);
    sum_up(&w);
    im_vec_free(&w.members);
    im_buf_free(&w.primary);
    im_set_free(&w.groups);
    im_pool_free(&w.batch);
    return err;
}
