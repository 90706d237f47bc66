#include "lib/model/home_remarks.h"

#include <string.h>

struct remarking {
    const struct im_facts *facts;
    struct im_pool *pool;
    const char **items;
    size_t count;
    bool failed;
};

static void add(struct remarking *r, const char *text) {
    if (text) {
        r->items[r->count++] = text;
    } else {
        r->failed = true;
    }
}

const char *im_target_remark(enum im_target target) {
    static const char *const remarks[] = {
        [IM_TARGET_UNKNOWN] = NULL,
        [IM_TARGET_HOST] = NULL,
        [IM_TARGET_NO_HOST] = "it is a router and hosts no users",
        [IM_TARGET_NO_SERVER] = "its object is no IM server",
        [IM_TARGET_DELETED] = "its object is deleted",
        [IM_TARGET_MISSING] = "it has no object in the directory",
    };
    return remarks[target];
}

static void remark_home(struct remarking *r) {
    const struct im_server *home = r->facts->want->home;
    enum im_target target = r->facts->target;
    if (!r->facts->account->home)
        return;
    if (home)
        target = home->is_gone ? IM_TARGET_MISSING : home->hosts_users ? IM_TARGET_HOST : IM_TARGET_NO_HOST;
    const char *remark = im_target_remark(target);
    if (remark) {
        add(r, im_pool_printf(r->pool, "the home: %s", remark));
    } else if (!home) {
        add(r, "the home is a server that is not known");
    } else if (!home->host) {
        add(r, "the home server has no host name");
    }
}

static bool agrees(const struct remarking *r, const struct im_profile_attr *attr, const char *has, const char *wanted) {
    const struct im_want *w = r->facts->want;
    if (attr->role == IM_ROLE_HOME || !wanted || im_role_equal(attr->role, has, wanted))
        return true;
    /* A home that is addressed directly may have one URL for both. */
    return attr->role == IM_ROLE_PHYSICAL_URL && w->home_host && strcasecmp(w->home_host, w->im_domain) == 0 &&
           im_role_equal(attr->role, has, w->logical_url);
}

static void remark_attr(struct remarking *r, size_t index) {
    const struct im_profile_attr *attr = &r->facts->context->profile->attrs[index];
    const struct im_attr *has = r->facts->account->attrs[index];
    const char *wanted = r->facts->want->values ? r->facts->want->values[index] : NULL;
    if (attr->role == IM_ROLE_OPAQUE || attr->role == IM_ROLE_VALUE)
        return;
    if (!has) {
        add(r, im_pool_printf(r->pool, "%s is missing", attr->name));
    } else if (has->count > 1) {
        add(r, im_pool_printf(r->pool, "%s has %zu values", attr->name, has->count));
    } else if (!agrees(r, attr, has->values[0].bv_val, wanted)) {
        add(r, im_pool_printf(r->pool, "%s is %s, and %s would agree", attr->name, has->values[0].bv_val, wanted));
    }
}

enum im_err im_home_remarks(const struct im_facts *facts, struct im_pool *pool, const char *const **remarks, size_t *count,
                            struct im_error *e) {
    size_t attrs = facts->context->profile->attr_count;
    struct remarking r = {.facts = facts, .pool = pool, .items = im_pool_array(pool, attrs + 2, sizeof(const char *))};
    if (!r.items)
        return im_error_nomem(e);
    if (!facts->account->im_count) {
        add(&r, "not enabled for IM");
    } else {
        remark_home(&r);
    }
    for (size_t i = 0; facts->account->im_count && i < attrs; i++)
        remark_attr(&r, i);
    if (r.failed)
        return im_error_nomem(e);
    *remarks = r.items;
    *count = r.count;
    return IM_OK;
}
