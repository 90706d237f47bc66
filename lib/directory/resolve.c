#include "lib/directory/resolve.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"
#include "lib/directory/lookup.h"
#include "lib/directory/topology.h"

#include <string.h>

#define SMTP "smtp:"
#define PROXIES "proxyAddresses"

/* One thing that would make an entry the wanted one: a value of an attribute. */
struct probe {
    const char *attribute;
    struct berval value;
    uint64_t mark; /* of the value; see mark_of */
    bool is_octets;
    bool is_history; /* counts only where nothing else matches */
};

struct probes {
    struct probe *items;
    size_t count, max;
};

/* What one search looks for: a DN, or the identities of a batch. */
struct batch {
    size_t *identities;
    size_t count;
};

struct im_resolving {
    const struct im_resolver *r;
    const struct im_identity *identities;
    size_t count;
    struct probes *probes; /* one list for each identity */
    struct im_pool *pool;
    struct im_match *matches;
    struct im_match *history; /* those that matched sIDHistory only */
    const char *const *attributes;
    struct im_lookup_list lookups;
    bool is_by_mail; /* somebody is looked for by a mail address */
};

/* ---- what is looked for ---- */

/* One of 64 bits, the same for all texts that fold to the same; all bits where the text is not ASCII, which may fold to anything.
 * Each entry is compared with the fifty names of its search, and this is how most comparisons are spared. */
static uint64_t mark_of(const struct berval *value, bool is_octets) {
    const char *bytes = value->bv_val;
    size_t len = value->bv_len;
    if (!len || (!is_octets && !im_text_is_ascii(bytes, len)))
        return UINT64_MAX;
    unsigned without_case = is_octets ? 0 : 'a' ^ 'A';
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = 5 * sum + ((unsigned char)bytes[i] | without_case);
    return UINT64_C(1) << ((sum ^ sum >> 6 ^ sum >> 12) % 64);
}

static void add_probe(struct probes *list, const char *attribute, const void *bytes, size_t len, bool is_octets) {
    if (!bytes || list->count >= list->max)
        return;
    struct probe *probe = &list->items[list->count++];
    *probe = (struct probe){.attribute = attribute, .is_octets = is_octets, .value.bv_len = len};
    memcpy(&probe->value.bv_val, &bytes, sizeof probe->value.bv_val);
    probe->mark = mark_of(&probe->value, is_octets);
}

static void add_text(struct probes *list, const char *attribute, const char *text) {
    if (text)
        add_probe(list, attribute, text, strlen(text), false);
}

/* Exact-matching attributes are asked as written and in lower case. */
static enum im_err add_im_address(struct im_resolving *s, struct probes *list, const char *text, struct im_error *e) {
    const struct im_profile_attr *attr = im_profile_role(s->r->context->profile, IM_ROLE_ADDRESS);
    const char *lower = im_filter_lower(text, s->pool);
    if (!lower)
        return im_error_nomem(e);
    if (!attr)
        return IM_OK;
    add_text(list, attr->name, text);
    if (strcmp(lower, text) != 0)
        add_text(list, attr->name, lower);
    return IM_OK;
}

static enum im_err add_mail(struct im_resolving *s, struct probes *list, const char *text, struct im_error *e) {
    const char *proxy = im_pool_printf(s->pool, SMTP "%s", text);
    if (!proxy)
        return im_error_nomem(e);
    add_text(list, "mail", text);
    add_text(list, PROXIES, proxy);
    s->is_by_mail = true;
    return IM_OK;
}

static enum im_err add_sid(struct im_resolving *s, struct probes *list, const char *text, struct im_error *e) {
    unsigned char bytes[IM_SID_BYTES_SIZE];
    size_t len;
    if (!im_sid_from_text(text, bytes, &len))
        return im_error_set(e, IM_E_INPUT, "\"%s\" is not a SID", text);
    struct berval value = {.bv_len = len, .bv_val = (char *)bytes};
    struct berval copy;
    if (im_pool_value(s->pool, &value, &copy) != 0)
        return im_error_nomem(e);
    add_probe(list, "objectSid", copy.bv_val, len, true);
    add_probe(list, "sIDHistory", copy.bv_val, len, true);
    list->items[list->count - 1].is_history = true;
    return IM_OK;
}

static enum im_err add_guid(struct im_resolving *s, struct probes *list, const char *text, struct im_error *e) {
    unsigned char bytes[IM_GUID_BYTES_SIZE];
    char plain[IM_GUID_TEXT_SIZE];
    if (!im_guid_from_text(text, bytes))
        return im_error_set(e, IM_E_INPUT, "\"%s\" is not a GUID", text);
    struct berval value = {.bv_len = sizeof bytes, .bv_val = (char *)bytes};
    struct berval copy;
    if (im_pool_value(s->pool, &value, &copy) != 0 || !im_guid_to_text(&value, plain))
        return im_error_nomem(e);
    const char *uuid = im_pool_strdup(s->pool, plain);
    add_probe(list, "objectGUID", copy.bv_val, copy.bv_len, true);
    if (!s->r->context->is_ad)
        add_text(list, "entryUUID", uuid);
    return uuid ? IM_OK : im_error_nomem(e);
}

/* "corp.example" of "OU=x,DC=corp,DC=example"; NULL where the DN has no domain components. */
static enum im_err dns_of(const char *dn, struct im_pool *pool, const char **out, struct im_error *e) {
    struct im_buf name = IM_BUF_INIT;
    struct im_buf value = IM_BUF_INIT;
    struct im_buf at = IM_BUF_INIT;
    struct im_buf parent = IM_BUF_INIT;
    bool has_parent = true;
    im_buf_adds(&at, dn);
    while (has_parent && !at.failed && !value.failed) {
        im_buf_clear(&value);
        im_buf_clear(&parent);
        if (strncasecmp(im_buf_str(&at), "dc=", 3) == 0 && im_dn_first_value(im_buf_str(&at), &value))
            im_buf_addf(&name, "%s%s", name.len ? "." : "", im_buf_str(&value));
        has_parent = im_dn_parent(im_buf_str(&at), &parent) || parent.failed;
        struct im_buf swap = at;
        at = parent;
        parent = swap;
    }
    bool failed = name.failed || value.failed || at.failed;
    *out = name.len && !failed ? im_pool_strdup(pool, name.data) : NULL;
    failed = failed || (name.len && !*out);
    im_buf_free(&name);
    im_buf_free(&value);
    im_buf_free(&at);
    im_buf_free(&parent);
    return failed ? im_error_nomem(e) : IM_OK;
}

enum im_err im_resolver_learn_domain(struct im_resolver *r, struct im_pool *pool, struct im_error *e) {
    enum im_err err = dns_of(r->base, pool, &r->dns, e);
    return err == IM_OK && !r->netbios ? im_topology_netbios(r->directory, r->base, pool, &r->netbios, e) : err;
}

static enum im_err add_domain_name(struct im_resolving *s, size_t i, struct im_error *e) {
    const struct im_identity *id = &s->identities[i];
    const char *netbios = s->r->netbios;
    if (im_text_equal(id->domain, netbios) || im_text_equal(id->domain, s->r->dns)) {
        add_text(&s->probes[i], "sAMAccountName", id->text);
        return IM_OK;
    }
    s->matches[i].remark =
        netbios ? im_pool_printf(s->pool, "accounts are searched in the domain %s, not in %s", netbios, id->domain)
                : im_pool_printf(s->pool, "this directory does not say that it is the domain %s: name the account without it",
                                 id->domain);
    return s->matches[i].remark ? IM_OK : im_error_nomem(e);
}

static enum im_err make_probes(struct im_resolving *s, size_t i, struct im_error *e) {
    const struct im_profile *profile = s->r->context->profile;
    const struct im_identity *id = &s->identities[i];
    struct probes *list = &s->probes[i];
    enum { FIXED = 6 };
    enum im_err err = IM_OK;
    list->max = id->kind == IM_ID_NAME ? profile->account_name_count : (size_t)FIXED;
    list->items = im_pool_array(s->pool, list->max, sizeof *list->items);
    if (!list->items)
        return im_error_nomem(e);
    switch (id->kind) {
    case IM_ID_DN:
        return IM_OK;
    case IM_ID_SID:
        return add_sid(s, list, id->text, e);
    case IM_ID_GUID:
        return add_guid(s, list, id->text, e);
    case IM_ID_DOMAIN_NAME:
        return add_domain_name(s, i, e);
    case IM_ID_ADDRESS:
        add_text(list, "userPrincipalName", id->text);
        err = add_mail(s, list, id->text, e);
        return err == IM_OK ? add_im_address(s, list, id->text, e) : err;
    case IM_ID_UPN:
        add_text(list, "userPrincipalName", id->text);
        return IM_OK;
    case IM_ID_MAIL:
        return add_mail(s, list, id->text, e);
    case IM_ID_IM:
        return add_im_address(s, list, id->text, e);
    case IM_ID_NAME:
        for (size_t n = 0; n < profile->account_name_count; n++)
            add_text(list, profile->account_names[n], id->text);
        return IM_OK;
    }
    return im_error_set(e, IM_E_INTERNAL, "an identity of an unknown kind");
}

/* ---- searches ---- */

static struct im_lookup *new_lookup(struct im_resolving *s, const char *base, enum im_search_scope scope, size_t room) {
    struct batch *batch = im_pool_alloc(s->pool, sizeof *batch);
    struct im_lookup *lookup = im_vec_push(&s->lookups);
    if (!lookup || !batch || !(batch->identities = im_pool_array(s->pool, room, sizeof *batch->identities)))
        return NULL;
    *lookup = (struct im_lookup){
        .search = {.base = base,
                   .scope = scope,
                   .attributes = s->attributes,
                   .extended_dn = s->r->context->is_ad,
                   .no_paging = true}, /* few are named by a batch, and batches run side by side */
        .data = batch,
    };
    return lookup;
}

static enum im_err look_up_dn(struct im_resolving *s, size_t i, struct im_error *e) {
    struct im_lookup *lookup = new_lookup(s, s->identities[i].text, IM_SEARCH_BASE, 1);
    if (!lookup)
        return im_error_nomem(e);
    struct batch *batch = lookup->data;
    lookup->may_be_missing = true;
    batch->identities[batch->count++] = i;
    return IM_OK;
}

/* open: the number of the lookup, plus 1: they move while the list grows. 0: none is. */
static enum im_err close_batch(struct im_resolving *s, size_t *open, struct im_buf *filter, struct im_error *e) {
    if (!*open)
        return IM_OK;
    im_buf_addc(filter, ')');
    char *text = filter->failed ? NULL : im_pool_strdup(s->pool, im_buf_str(filter));
    s->lookups.items[*open - 1].search.filter = text;
    *open = 0;
    im_buf_clear(filter);
    return text ? IM_OK : im_error_nomem(e);
}

static void add_terms(const struct im_resolving *s, const struct probes *list, struct im_buf *filter) {
    for (size_t p = 0; p < list->count; p++) {
        const struct probe *probe = &list->items[p];
        im_filter_term(filter, s->r->context->schema, probe->attribute, &probe->value, probe->is_octets);
    }
}

static enum im_err make_lookups(struct im_resolving *s, size_t count, struct im_error *e) {
    struct im_buf filter = IM_BUF_INIT;
    size_t open = 0;
    size_t terms = 0;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        const struct probes *list = &s->probes[i];
        if (s->identities[i].kind == IM_ID_DN)
            err = look_up_dn(s, i, e);
        if (!list->count || err != IM_OK)
            continue;
        if (terms + list->count > IM_LOOKUP_TERMS)
            err = close_batch(s, &open, &filter, e);
        if (err == IM_OK && !open) {
            err = new_lookup(s, s->r->base, IM_SEARCH_SUB, IM_LOOKUP_TERMS) ? IM_OK : im_error_nomem(e);
            open = s->lookups.count;
            im_buf_adds(&filter, "(|");
            terms = 0;
        }
        if (err != IM_OK)
            break;
        add_terms(s, list, &filter);
        terms += list->count;
        struct batch *batch = s->lookups.items[open - 1].data;
        batch->identities[batch->count++] = i;
    }
    if (err == IM_OK)
        err = close_batch(s, &open, &filter, e);
    im_buf_free(&filter);
    return err;
}

/* ---- what came back ---- */

/* An attribute of the entry, and the marks of its values. */
struct seen {
    const char *name;
    const struct im_attr *attr; /* NULL: the entry has none of this name */
    uint64_t marks;
};

enum { REMEMBERED = 8 };

/* An entry, and which of its attributes were looked for already: each identity of a batch asks for the same. Names are compared
 * as pointers: they come from the same few places. */
struct looking {
    const struct im_entry *entry;
    struct seen items[REMEMBERED], other;
    size_t count;
};

static const struct seen *attr_of(struct looking *l, const struct probe *probe) {
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].name == probe->attribute)
            return &l->items[i];
    }
    struct seen *seen = l->count < REMEMBERED ? &l->items[l->count++] : &l->other;
    *seen = (struct seen){.name = probe->attribute, .attr = im_entry_attr(l->entry, probe->attribute)};
    for (size_t i = 0; seen->attr && i < seen->attr->count; i++)
        seen->marks |= mark_of(&seen->attr->values[i], probe->is_octets);
    return seen;
}

static enum im_err probe_matches(const struct probe *probe, struct looking *entry, bool *does, struct im_error *e) {
    const struct seen *seen = attr_of(entry, probe);
    enum im_err err = IM_OK;
    *does = false;
    if (!(seen->marks & probe->mark))
        return IM_OK;
    for (size_t i = 0; err == IM_OK && !*does && i < seen->attr->count; i++) {
        if (probe->is_octets) {
            *does = im_value_equal(&seen->attr->values[i], &probe->value);
        } else {
            err = im_value_folds_to(&seen->attr->values[i], &probe->value, does, e);
        }
    }
    return err;
}

static enum im_err add_match(struct im_match *match, const struct im_entry *entry, struct im_pool *pool, struct im_error *e) {
    bool is_full = (match->count & (match->count - 1)) == 0; /* room doubles at 0, 1, 2, 4, ... */
    if (is_full) {
        const struct im_entry **more = im_pool_array(pool, match->count ? 2 * match->count : 1, sizeof(struct im_entry *));
        if (!more)
            return im_error_nomem(e);
        if (match->count)
            memcpy(more, match->entries, match->count * sizeof(struct im_entry *));
        match->entries = more;
    }
    match->entries[match->count++] = entry;
    return IM_OK;
}

enum strength { NO_MATCH, BY_HISTORY, MATCH };

static enum im_err match_strength(const struct im_resolving *s, size_t i, struct looking *entry, enum strength *out,
                                  struct im_error *e) {
    const struct probes *list = &s->probes[i];
    enum im_err err = IM_OK;
    *out = s->identities[i].kind == IM_ID_DN ? MATCH : NO_MATCH;
    for (size_t p = 0; err == IM_OK && p < list->count && *out != MATCH; p++) {
        bool matches;
        err = probe_matches(&list->items[p], entry, &matches, e);
        if (err == IM_OK && matches)
            *out = list->items[p].is_history ? BY_HISTORY : MATCH;
    }
    return err;
}

static enum im_err take_entry(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct im_resolving *s = user;
    const struct batch *batch = lookup->data;
    struct looking looking = {.entry = entry};
    enum im_err err = IM_OK;
    for (size_t n = 0; err == IM_OK && n < batch->count; n++) {
        size_t i = batch->identities[n];
        enum strength strength;
        err = match_strength(s, i, &looking, &strength, e);
        if (err == IM_OK && strength != NO_MATCH)
            err = add_match(strength == BY_HISTORY ? &s->history[i] : &s->matches[i], entry, s->pool, e);
    }
    return err;
}

enum im_err im_resolve_begin(const struct im_resolver *r, const struct im_identity *identities, size_t count,
                             struct im_pool *pool, struct im_lookups *lookups, struct im_resolving **out, struct im_error *e) {
    struct im_resolving *s = im_pool_alloc(pool, sizeof *s);
    if (!s)
        return im_error_nomem(e);
    *s = (struct im_resolving){.r = r, .identities = identities, .count = count, .pool = pool};
    s->probes = im_pool_array(pool, count, sizeof *s->probes);
    s->matches = im_pool_array(pool, count, sizeof *s->matches);
    s->history = im_pool_array(pool, count, sizeof *s->history);
    enum im_err err = s->probes && s->matches && s->history ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = make_probes(s, i, e);
    /* An account may have many addresses: they are read where they are compared. */
    s->attributes = im_account_attributes(r->context, s->is_by_mail ? PROXIES : NULL, pool);
    if (err == IM_OK && !s->attributes)
        err = im_error_nomem(e);
    if (err == IM_OK)
        err = make_lookups(s, count, e);
    size_t lookup_count = s->lookups.count;
    struct im_lookup *items = im_lookup_list_take(&s->lookups, pool);
    if (err == IM_OK && !items)
        err = im_error_nomem(e);
    if (err != IM_OK)
        return err;
    *lookups = (struct im_lookups){
        .directory = r->directory, .items = items, .count = lookup_count, .fn = take_entry, .user = s, .pool = pool};
    *out = s;
    return IM_OK;
}

const struct im_match *im_resolve_end(struct im_resolving *s) {
    for (size_t i = 0; i < s->count; i++) {
        if (s->matches[i].count || !s->history[i].count)
            continue;
        s->matches[i] = s->history[i];
        s->matches[i].by_sid_history = true;
    }
    return s->matches;
}
