/* Who may change the schema, and what a global catalog holds of it. Active Directory only. */
#include "lib/directory/organisation_read.h"

#include "lib/data/dn.h"

#include <string.h>

#define ONLY_AD "only Active Directory has "

static enum im_err ask_role(struct im_organisation_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"fSMORoleOwner", NULL};
    struct im_search search = {.base = im_directory_rootdse(r->g->directory)->schema_nc,
                               .scope = IM_SEARCH_BASE,
                               .attributes = attributes,
                               .no_paging = true};
    return im_inquiries_add(&r->first, &search, &r->role, e);
}

static enum im_err ask_gc(struct im_organisation_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"lDAPDisplayName", "isMemberOfPartialAttributeSet", NULL};
    const struct im_profile *profile = r->g->profile;
    struct im_buf filter = IM_BUF_INIT;
    im_buf_adds(&filter, "(|");
    for (size_t i = 0; i < profile->attr_count; i++)
        im_filter_text(&filter, NULL, "lDAPDisplayName", profile->attrs[i].name);
    im_buf_adds(&filter, ")");
    struct im_search search = {.base = im_directory_rootdse(r->g->directory)->schema_nc,
                               .scope = IM_SEARCH_ONE,
                               .filter = filter.failed ? NULL : im_pool_strdup(r->pool, im_buf_str(&filter)),
                               .attributes = attributes,
                               .no_paging = true};
    im_buf_free(&filter);
    return search.filter ? im_inquiries_add(&r->first, &search, &r->gc, e) : im_error_nomem(e);
}

enum im_err im_schema_facts_ask_first(struct im_organisation_reading *r, struct im_error *e) {
    if (!r->is_ad || !im_directory_rootdse(r->g->directory)->schema_nc) {
        r->out->schema_role.why_not = ONLY_AD "a schema master";
        r->out->gc.why_not = ONLY_AD "a global catalog";
        return IM_OK;
    }
    enum im_err err = ask_role(r, e);
    return err == IM_OK ? ask_gc(r, e) : err;
}

/* The parent of the directory service is the server object, which has the host name (MS-ADTS 6.1.5.1). */
static enum im_err ask_role_host(struct im_organisation_reading *r, const char *owner, struct im_error *e) {
    static const char *const attributes[] = {"dNSHostName", NULL};
    struct im_buf parent = IM_BUF_INIT;
    bool has_parent = im_dn_parent(owner, &parent);
    const char *base = has_parent ? im_pool_strdup(r->pool, im_buf_str(&parent)) : NULL;
    bool failed = parent.failed || (has_parent && !base);
    struct im_search search = {.base = base, .scope = IM_SEARCH_BASE, .attributes = attributes, .no_paging = true};
    im_buf_free(&parent);
    if (failed)
        return im_error_nomem(e);
    return base ? im_inquiries_add(&r->second, &search, &r->role_host, e) : IM_OK;
}

static enum im_err judge_role(struct im_organisation_reading *r, struct im_error *e) {
    struct im_schema_role *out = &r->out->schema_role;
    const char *here = im_directory_rootdse(r->g->directory)->ds_service_name;
    const char *owner_key;
    const char *here_key;
    if (!out->owner || !here) {
        out->why_not =
            im_pool_printf(r->pool, "%s cannot be read by %s", out->owner ? "dsServiceName" : "fSMORoleOwner", r->out->identity);
        return out->why_not ? IM_OK : im_error_nomem(e);
    }
    enum im_err err = im_organisation_key(r->pool, out->owner, &owner_key, e);
    if (err == IM_OK)
        err = im_organisation_key(r->pool, here, &here_key, e);
    if (err != IM_OK)
        return err;
    out->is_known = true;
    out->is_here = strcmp(owner_key, here_key) == 0;
    return out->is_here ? IM_OK : ask_role_host(r, out->owner, e);
}

enum im_err im_schema_facts_ask_then(struct im_organisation_reading *r, struct im_error *e) {
    struct im_schema_role *out = &r->out->schema_role;
    if (!r->role)
        return IM_OK;
    out->why_not = r->role->why_not;
    if (out->why_not)
        return IM_OK;
    out->owner = r->role->found.count ? im_entry_string(r->role->found.items[0], "fSMORoleOwner") : NULL;
    return judge_role(r, e);
}

static enum im_err conclude_gc(struct im_organisation_reading *r, struct im_error *e) {
    struct im_gc_set *out = &r->out->gc;
    struct im_gc_attr *list = im_pool_array(r->pool, r->gc->found.count, sizeof *list);
    if (!list)
        return im_error_nomem(e);
    for (size_t i = 0; i < r->gc->found.count; i++) {
        const struct im_entry *entry = r->gc->found.items[i];
        list[i] = (struct im_gc_attr){
            .name = im_entry_string(entry, "lDAPDisplayName"),
            .dn = entry->dn,
            .is_in_gc = im_entry_has_value(entry, "isMemberOfPartialAttributeSet", "TRUE"),
        };
        if (!list[i].name)
            list[i].name = entry->dn;
    }
    out->items = list;
    out->count = r->gc->found.count;
    out->why_not = r->gc->why_not;
    out->is_known = !out->why_not;
    return IM_OK;
}

enum im_err im_schema_facts_conclude(struct im_organisation_reading *r, struct im_error *e) {
    if (r->role_host && r->role_host->found.count)
        r->out->schema_role.host = im_entry_string(r->role_host->found.items[0], "dNSHostName");
    return r->gc ? conclude_gc(r, e) : IM_OK;
}
