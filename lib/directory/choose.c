#include "lib/directory/choose_impl.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/directory/homes.h"

#include <string.h>

/* ---- what an entry is ---- */

static bool is_group(const struct im_entry *entry) {
    static const char *const classes[] = {"group",          "groupOfNames", "groupOfUniqueNames", "groupOfMembers",
                                          "groupOfEntries", "posixGroup",   "groupOfURLs"};
    static const char *const lists[] = {"member", "uniqueMember", "memberUid"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (im_entry_has_value(entry, "objectClass", classes[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (im_entry_attr(entry, lists[i]))
            return true;
    }
    return false;
}

/* Names of computers and of trusts between domains end in "$", on Active Directory and where Samba keeps its accounts. */
static bool is_machine_name(const char *name) {
    size_t len = strlen(name);
    return len > 0 && name[len - 1] == '$';
}

enum im_nature im_choosing_nature(const struct im_choosing *c, const struct im_entry *entry) {
    const struct im_profile *profile = c->r->context->profile;
    const char *name = NULL;
    for (size_t i = 0; !name && i < profile->account_name_count; i++)
        name = im_entry_string(entry, profile->account_names[i]);
    if (is_group(entry))
        return IM_NATURE_GROUP;
    if (im_entry_has_value(entry, "objectClass", "computer") || (name && is_machine_name(name)))
        return IM_NATURE_MACHINE;
    return name ? IM_NATURE_ACCOUNT : IM_NATURE_OTHER;
}

/* ---- the list ---- */

static enum im_err meet_dn(struct im_set *set, const char *dn, bool *is_new, struct im_error *e) {
    struct im_buf normal = IM_BUF_INIT;
    if (!im_dn_normalize(dn, &normal) && !normal.failed) {
        im_buf_clear(&normal);
        im_buf_adds(&normal, dn);
    }
    enum im_err err = normal.failed ? im_error_nomem(e) : im_set_add(set, im_buf_str(&normal), normal.len, NULL, is_new, e);
    im_buf_free(&normal);
    return err;
}

enum im_err im_choosing_meet(const struct im_choosing *c, struct im_set *set, const struct im_entry *entry, bool *is_new,
                             struct im_error *e) {
    const struct berval *id = im_entry_value(entry, c->r->context->is_ad ? "objectGUID" : "entryUUID");
    return id ? im_set_add(set, id->bv_val, id->bv_len, NULL, is_new, e) : meet_dn(set, entry->dn, is_new, e);
}

enum im_err im_choosing_is_under(const char *dn, const char *base, bool *out, struct im_error *e) {
    struct im_buf one = IM_BUF_INIT;
    struct im_buf two = IM_BUF_INIT;
    bool are_dns = im_dn_normalize(dn, &one) && im_dn_normalize(base, &two);
    enum im_err err = one.failed || two.failed ? im_error_nomem(e) : IM_OK;
    size_t rest = one.len - two.len;
    bool ends_so = are_dns && one.len >= two.len && strcmp(im_buf_str(&one) + rest, im_buf_str(&two)) == 0;
    if (err == IM_OK)
        *out = ends_so && (!rest || !two.len || one.data[rest - 1] == ',');
    im_buf_free(&one);
    im_buf_free(&two);
    return err;
}

enum im_err im_choosing_add(struct im_choosing *c, const struct im_entry *entry, struct im_error *e) {
    bool is_new = true;
    enum im_err err = c->seen ? im_choosing_meet(c, c->seen, entry, &is_new, e) : IM_OK;
    return err == IM_OK && is_new ? im_chosen_add(c->chosen, entry, e) : err;
}

/* ---- searches ---- */

/* Naming a class that the directory does not know would make the whole condition undefined: nobody would match. */
static void exclude(const struct im_choosing *c, const char *class, struct im_buf *filter) {
    const struct im_schema *schema = c->r->context->schema;
    if (c->r->context->is_ad || (schema && im_schema_class(schema, class)))
        im_buf_addf(filter, "(!(objectClass=%s))", class);
}

const char *im_choosing_filter(const struct im_choosing *c, const char *condition) {
    const char *is_account = im_filter_any_account(c->r->context->profile, c->pool);
    struct im_buf filter = IM_BUF_INIT;
    if (!is_account)
        return NULL;
    im_buf_addf(&filter, "(&%s", condition);
    if (c->r->context->is_ad)
        im_buf_adds(&filter, "(objectClass=user)");
    im_buf_adds(&filter, is_account);
    exclude(c, "computer", &filter);
    if (!c->r->context->is_ad)
        exclude(c, "group", &filter);
    im_buf_addc(&filter, ')');
    const char *text = filter.failed ? NULL : im_pool_strdup(c->pool, im_buf_str(&filter));
    im_buf_free(&filter);
    return text;
}

static enum im_err take_found(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct im_choosing *c = user;
    (void)lookup;
    return im_choosing_nature(c, entry) == IM_NATURE_ACCOUNT ? im_choosing_add(c, entry, e) : IM_OK;
}

enum im_err im_choosing_search(struct im_choosing *c, const char *filter, struct im_error *e) {
    struct im_lookup lookup = {.search = {.base = c->r->base, .scope = IM_SEARCH_SUB, .filter = filter}};
    lookup.search.attributes = c->attributes;
    return filter ? im_lookup_all(c->r->directory, &lookup, 1, take_found, c, e) : im_error_nomem(e);
}

/* ---- by home ---- */

static enum im_err take_homed(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct im_choosing *c = user;
    bool is_homed = false;
    (void)lookup;
    enum im_err err = im_home_matches(c->condition->home, c->r->context->profile, entry, &is_homed, e);
    return err == IM_OK && is_homed ? im_choosing_add(c, entry, e) : err;
}

/* All who have a home are looked at: of a server that was renamed or deleted Active Directory finds nobody by name. */
static enum im_err choose_homed(struct im_choosing *c, struct im_error *e) {
    const struct im_profile *profile = c->r->context->profile;
    const struct im_profile_attr *home = im_profile_role(profile, IM_ROLE_HOME);
    const struct im_profile_attr *url = im_profile_role(profile, IM_ROLE_PHYSICAL_URL);
    const char *attributes[] = {"objectGUID", "entryUUID", home ? home->name : NULL, url ? url->name : NULL, NULL};
    struct im_lookup lookup = {.search = {.base = c->r->base, .scope = IM_SEARCH_SUB, .attributes = attributes}};
    lookup.search.extended_dn = c->r->context->is_ad;
    lookup.search.filter = im_homes_filter(profile, true, c->pool);
    if (!home)
        return IM_OK;
    return lookup.search.filter ? im_lookup_all(c->r->directory, &lookup, 1, take_homed, c, e) : im_error_nomem(e);
}

/* ---- attributes that do not exist ---- */

static enum im_err unknown_attribute(const struct im_choosing *c, const char *name, const char *nearest, struct im_error *e) {
    return im_error_set(e, IM_E_USAGE, "the filter names \"%s\", and %s knows no attribute of that name%s%s%s", name,
                        im_directory_uri(c->r->directory), nearest ? ": did you mean \"" : "", nearest ? nearest : "",
                        nearest ? "\"?" : "");
}

static enum im_err check_by_schema(const struct im_choosing *c, const struct im_schema *schema, struct im_error *e) {
    const struct im_filter *filter = c->condition->filter;
    for (size_t i = 0; i < filter->attribute_count; i++) {
        if (im_schema_attr(schema, filter->attributes[i]))
            continue;
        const char **names = im_pool_array(c->pool, schema->attr_count, sizeof *names);
        if (!names)
            return im_error_nomem(e);
        for (size_t n = 0; n < schema->attr_count; n++)
            names[n] = schema->attrs[n].name;
        return unknown_attribute(c, filter->attributes[i], im_text_nearest(filter->attributes[i], names, schema->attr_count), e);
    }
    return IM_OK;
}

struct known_names {
    const struct im_filter *filter;
    bool *are_known;
    bool is_readable;
};

static enum im_err note_definition(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct known_names *k = user;
    (void)lookup, (void)e;
    k->is_readable = true;
    for (size_t i = 0; i < k->filter->attribute_count; i++) {
        const char *name = k->filter->attributes[i];
        if (im_text_equal(im_entry_string(entry, "lDAPDisplayName"), name) ||
            im_text_equal(im_entry_string(entry, "attributeID"), name))
            k->are_known[i] = true;
    }
    return IM_OK;
}

/* Active Directory's schema is not read as a whole: it is asked for these names, and for one that is surely there. */
static enum im_err check_by_search(const struct im_choosing *c, const char *schema_nc, struct im_error *e) {
    const struct im_filter *filter = c->condition->filter;
    struct known_names k = {.filter = filter, .are_known = im_pool_array(c->pool, filter->attribute_count, sizeof(bool))};
    struct im_lookup lookup = {.may_be_missing = true};
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "(|(lDAPDisplayName=objectClass)");
    for (size_t i = 0; i < filter->attribute_count; i++) {
        bool is_number = strspn(filter->attributes[i], "0123456789.") == strlen(filter->attributes[i]);
        im_filter_text(&text, NULL, is_number ? "attributeID" : "lDAPDisplayName", filter->attributes[i]);
    }
    im_buf_addc(&text, ')');
    lookup.search = (struct im_search){.base = schema_nc, .scope = IM_SEARCH_ONE, .filter = im_buf_str(&text)};
    lookup.search.attributes = (const char *const[]){"lDAPDisplayName", "attributeID", NULL};
    enum im_err err = !k.are_known || text.failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK)
        err = im_lookup_all(c->r->directory, &lookup, 1, note_definition, &k, e);
    im_buf_free(&text);
    for (size_t i = 0; err == IM_OK && k.is_readable && i < filter->attribute_count; i++) {
        if (!k.are_known[i])
            err = unknown_attribute(c, filter->attributes[i], NULL, e);
    }
    return err;
}

/* A server takes a condition on an attribute that it does not know for undefined, and a misspelled filter selects nobody. */
static enum im_err check_attributes(const struct im_choosing *c, struct im_error *e) {
    const struct im_schema *schema = c->r->context->schema;
    const char *schema_nc = im_directory_rootdse(c->r->directory)->schema_nc;
    if (c->r->context->is_ad)
        return schema_nc ? check_by_search(c, schema_nc, e) : IM_OK;
    return schema ? check_by_schema(c, schema, e) : IM_OK;
}

/* ---- all together ---- */

/* What natures, members and identities are read from. */
static const char **wanted_attributes(const struct im_profile *profile, struct im_pool *pool) {
    static const char *const fixed[] = {"objectClass",  "objectGUID", "objectSid", "entryUUID", "member",
                                        "uniqueMember", "memberUid",  "uid",       NULL};
    size_t count = sizeof fixed / sizeof fixed[0] - 1;
    const char **names = im_pool_array(pool, count + profile->account_name_count + 1, sizeof *names);
    if (!names)
        return NULL;
    memcpy(names, fixed, sizeof fixed);
    for (size_t i = 0; i < profile->account_name_count; i++) {
        if (!im_text_equal(profile->account_names[i], "uid"))
            names[count++] = profile->account_names[i];
    }
    return names;
}

static enum im_err prepare(struct im_choosing *c, struct im_error *e) {
    c->pool = im_pool_new();
    c->chosen = im_chosen_new(c->r->context->is_ad);
    c->attributes = c->pool ? wanted_attributes(c->r->context->profile, c->pool) : NULL;
    c->seen = c->condition->group ? im_set_new() : NULL;
    return c->attributes && c->chosen && (c->seen || !c->condition->group) ? IM_OK : im_error_nomem(e);
}

static enum im_err choose(struct im_choosing *c, struct im_error *e) {
    const struct im_condition *condition = c->condition;
    enum im_err err = condition->filter ? check_attributes(c, e) : IM_OK;
    if (err == IM_OK && condition->filter && !condition->all)
        err = im_choosing_search(c, im_choosing_filter(c, condition->filter->text), e);
    if (err == IM_OK && condition->group)
        err = im_choose_members(c, e);
    if (err == IM_OK && condition->all)
        err = im_choosing_search(c, im_choosing_filter(c, ""), e);
    if (err == IM_OK && condition->home)
        err = choose_homed(c, e);
    if (err == IM_OK && !im_chosen_count(c->chosen))
        err = im_resolve_any(c->r, e);
    return err;
}

enum im_err im_choose(const struct im_resolver *r, const struct im_condition *condition, struct im_chosen **out,
                      struct im_error *e) {
    struct im_choosing c = {.r = r, .condition = condition};
    enum im_err err = prepare(&c, e);
    if (err == IM_OK)
        err = choose(&c, e);
    if (err == IM_OK) {
        *out = c.chosen;
        c.chosen = NULL;
    }
    im_chosen_free(&c.chosen);
    im_set_free(&c.seen);
    im_pool_free(&c.pool);
    return err;
}
