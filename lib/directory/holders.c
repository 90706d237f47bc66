/* Who else has an IM address or a logical URL. */
#include "lib/directory/lookup.h"
#include "lib/directory/resolve.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"

#include <string.h>
#include <strings.h>

/* The roles that must be unique. */
static const enum im_role unique_roles[] = {IM_ROLE_ADDRESS, IM_ROLE_LOGICAL_URL};
enum { ROLES = sizeof unique_roles / sizeof unique_roles[0] };

struct batch {
    size_t first, end; /* accounts */
};

/* An attribute that is searched, and how. */
struct sought {
    const char *attribute; /* NULL: the profile has none of this role */
    const char *rule;      /* that a filter must name; or NULL */
    bool ignores_case;
    bool is_unique; /* Active Directory lets a domain have each value once */
};

struct searching {
    const struct im_resolver *r;
    const struct im_account *const *accounts;
    const struct im_want *const *wants;
    struct im_pool *pool;
    struct im_holders *holders;
    const char *attributes[ROLES + 3];
    struct im_lookup_list lookups;
    struct sought roles[ROLES], *names; /* of unique_roles; of the profile's account names */
};

static const char *wanted(const struct im_want *want, enum im_role role) {
    if (!want->enabled || want->keeps_names)
        return NULL;
    return role == IM_ROLE_ADDRESS ? want->address : want->logical_url;
}

/* ---- searches ---- */

/* Unknown to the schema or of Active Directory: the syntax decides there, and IA5 strings are matched exactly. */
static bool ignores_case(const struct im_schema *schema, const char *attribute) {
    const struct im_schema_attr *attr = schema && !schema->is_ad ? im_schema_attr(schema, attribute) : NULL;
    return attr && attr->equality && strncasecmp(attr->equality, "caseIgnore", strlen("caseIgnore")) == 0;
}

static struct sought sought(const struct searching *s, const char *attribute) {
    const struct im_account_context *context = s->r->context;
    bool is_one_domain = s->r->domains[0] && !s->r->domains[1];
    if (!attribute)
        return (struct sought){.attribute = NULL};
    return (struct sought){.attribute = attribute,
                           .rule = im_filter_rule(context->schema, attribute),
                           .ignores_case = ignores_case(context->schema, attribute),
                           .is_unique = context->is_ad && is_one_domain && im_text_equal(attribute, "sAMAccountName")};
}

static enum im_err find_sought(struct searching *s, struct im_error *e) {
    const struct im_profile *profile = s->r->context->profile;
    size_t count = 0;
    s->names = im_pool_array(s->pool, profile->account_name_count, sizeof *s->names);
    if (!s->names)
        return im_error_nomem(e);
    for (size_t n = 0; n < profile->account_name_count; n++)
        s->names[n] = sought(s, profile->account_names[n]);
    for (size_t n = 0; n < ROLES; n++) {
        const struct im_profile_attr *attr = im_profile_role(profile, unique_roles[n]);
        s->roles[n] = sought(s, attr ? attr->name : NULL);
        if (attr)
            s->attributes[count++] = attr->name;
    }
    s->attributes[count++] = "objectGUID";
    s->attributes[count] = "entryUUID";
    return IM_OK;
}

static void add_term(const struct sought *sought, const char *value, struct im_buf *filter, size_t *terms) {
    struct berval bytes = {.bv_len = strlen(value)};
    memcpy(&bytes.bv_val, &value, sizeof value);
    im_filter_by_rule(filter, sought->attribute, sought->rule, &bytes, false);
    ++*terms;
}

/* Where the account itself has a name that is unique, nobody else does. */
static bool has_alone(const struct searching *s, size_t i, const struct sought *name) {
    return name->is_unique && im_text_equal(im_entry_string(s->accounts[i]->entry, name->attribute), s->wants[i]->im_alias);
}

static enum im_err add_terms(struct searching *s, size_t i, struct im_buf *filter, size_t *terms, struct im_error *e) {
    bool is_exact = false;
    for (size_t n = 0; n < ROLES; n++) {
        const struct sought *role = &s->roles[n];
        const char *value = wanted(s->wants[i], unique_roles[n]);
        if (!value || !role->attribute)
            continue;
        add_term(role, value, filter, terms);
        if (role->ignores_case)
            continue;
        const char *lower = im_filter_lower(value, s->pool);
        if (!lower)
            return im_error_nomem(e);
        is_exact = true;
        if (strcmp(lower, value) != 0)
            add_term(role, lower, filter, terms);
    }
    /* Who has the alias as a name most likely holds the address in another spelling, where the server tells them apart. */
    for (size_t n = 0; is_exact && s->wants[i]->im_alias && n < s->r->context->profile->account_name_count; n++) {
        if (!has_alone(s, i, &s->names[n]))
            add_term(&s->names[n], s->wants[i]->im_alias, filter, terms);
    }
    return IM_OK;
}

static enum im_err add_lookups(struct searching *s, struct im_buf *filter, size_t first, size_t end, struct im_error *e) {
    im_buf_addc(filter, ')');
    struct batch *batch = im_pool_alloc(s->pool, sizeof *batch);
    const char *text = filter->failed ? NULL : im_pool_strdup(s->pool, im_buf_str(filter));
    im_buf_clear(filter);
    if (!batch || !text)
        return im_error_nomem(e);
    *batch = (struct batch){.first = first, .end = end};
    for (const char *const *domain = s->r->domains; *domain; domain++) {
        struct im_lookup *lookup = im_vec_push(&s->lookups);
        if (!lookup)
            return im_error_nomem(e);
        *lookup = (struct im_lookup){
            .search = {.base = *domain, .scope = IM_SEARCH_SUB, .filter = text, .attributes = s->attributes, .no_paging = true},
            .data = batch};
    }
    return IM_OK;
}

static enum im_err make_lookups(struct searching *s, size_t count, struct im_error *e) {
    struct im_buf filter = IM_BUF_INIT;
    size_t terms = 0;
    size_t first = 0;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        if (!terms) {
            im_buf_adds(&filter, "(|");
            first = i;
        }
        err = add_terms(s, i, &filter, &terms, e);
        bool is_full = terms + 2 * (size_t)ROLES + s->r->context->profile->account_name_count > IM_LOOKUP_TERMS;
        if (err == IM_OK && terms && (is_full || i + 1 == count)) {
            err = add_lookups(s, &filter, first, i + 1, e);
            terms = 0;
        } else if (!terms) {
            err = err == IM_OK && filter.failed ? im_error_nomem(e) : err;
            im_buf_clear(&filter);
        }
    }
    im_buf_free(&filter);
    return err;
}

/* ---- what came back ---- */

static bool is_account(const struct im_entry *entry, const struct im_account *account, bool *failed) {
    const struct berval *guid = im_entry_value(entry, "objectGUID");
    const struct berval *own = im_entry_value(account->entry, "objectGUID");
    const char *uuid = im_entry_string(entry, "entryUUID");
    const char *own_uuid = im_entry_string(account->entry, "entryUUID");
    if (guid && own)
        return im_value_equal(guid, own);
    if (uuid && own_uuid)
        return im_text_equal(uuid, own_uuid);
    return im_home_equal(entry->dn, account->dn, failed);
}

/* The searches of several domains, or of a domain and the one below, may give the same entry. */
static bool is_listed(const struct im_holders *list, const char *dn) {
    for (size_t i = 0; i < list->count; i++) {
        if (im_dn_equal(list->items[i].dn, dn))
            return true;
    }
    return false;
}

static enum im_err add_holder(struct searching *s, size_t i, const struct im_entry *entry, const char *attribute,
                              const struct berval *value, struct im_error *e) {
    struct im_holders *list = &s->holders[i];
    if (is_listed(list, entry->dn))
        return IM_OK;
    struct im_holder *more = im_pool_array(s->pool, list->count + 1, sizeof *more);
    if (!more)
        return im_error_nomem(e);
    if (list->count)
        memcpy(more, list->items, list->count * sizeof *more);
    struct im_holder *holder = &more[list->count];
    *holder = (struct im_holder){.dn = im_pool_strdup(s->pool, entry->dn),
                                 .attribute = attribute,
                                 .value = im_pool_strndup(s->pool, value->bv_val, value->bv_len)};
    if (!holder->dn || !holder->value)
        return im_error_nomem(e);
    list->items = more;
    list->count++;
    return IM_OK;
}

/* The value that is the wanted one; stays NULL where there is none. */
static enum im_err held(const struct im_attr *attr, const char *value, const struct berval **out, struct im_error *e) {
    struct berval want = {.bv_len = strlen(value)};
    enum im_err err = IM_OK;
    memcpy(&want.bv_val, &value, sizeof want.bv_val);
    for (size_t v = 0; err == IM_OK && !*out && v < attr->count; v++) {
        bool is_same;
        err = im_value_folds_to(&attr->values[v], &want, &is_same, e);
        if (err == IM_OK && is_same)
            *out = &attr->values[v];
    }
    return err;
}

/* Does the entry hold what an account of the batch wants? */
static enum im_err compare(struct searching *s, const struct batch *batch, const struct im_entry *entry, size_t n,
                           struct im_error *e) {
    const char *attribute = s->roles[n].attribute;
    const struct im_attr *attr = attribute ? im_entry_attr(entry, attribute) : NULL;
    enum im_err err = IM_OK;
    for (size_t i = batch->first; err == IM_OK && attr && i < batch->end; i++) {
        const char *value = wanted(s->wants[i], unique_roles[n]);
        const struct berval *other = NULL;
        bool failed = false;
        err = value ? held(attr, value, &other, e) : IM_OK;
        bool is_other = err == IM_OK && other && !is_account(entry, s->accounts[i], &failed);
        if (is_other)
            err = failed ? im_error_nomem(e) : add_holder(s, i, entry, attribute, other, e);
    }
    return err;
}

static enum im_err take_candidate(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t n = 0; err == IM_OK && n < ROLES; n++)
        err = compare(user, lookup->data, entry, n, e);
    return err;
}

enum im_err im_holders_begin(const struct im_resolver *r, const struct im_account *const *accounts,
                             const struct im_want *const *wants, size_t count, struct im_pool *pool, struct im_holders *holders,
                             struct im_lookups *lookups, struct im_error *e) {
    struct searching *s = im_pool_alloc(pool, sizeof *s);
    if (!s)
        return im_error_nomem(e);
    *s = (struct searching){.r = r, .accounts = accounts, .wants = wants, .pool = pool, .holders = holders};
    memset(holders, 0, count * sizeof *holders);
    enum im_err err = find_sought(s, e);
    if (err == IM_OK)
        err = make_lookups(s, count, e);
    size_t lookup_count = s->lookups.count;
    struct im_lookup *items = im_lookup_list_take(&s->lookups, pool);
    if (err == IM_OK && !items)
        err = im_error_nomem(e);
    *lookups = (struct im_lookups){.directory = r->gc ? r->gc : r->directory,
                                   .items = items,
                                   .count = err == IM_OK ? lookup_count : 0,
                                   .fn = take_candidate,
                                   .user = s,
                                   .pool = pool};
    return err;
}
