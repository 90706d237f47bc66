#include "lib/base/text.h"
#include "lib/model/want.h"

#include <string.h>

/* Nearly always spelled as the server's own DN: parsing hundreds of thousands of DNs would cost more than all rules. */
static const struct im_server *find_spelled(const struct im_servers *servers, const char *dn) {
    for (size_t i = 0; i < servers->count; i++) {
        if (servers->items[i].dn && strcmp(servers->items[i].dn, dn) == 0)
            return &servers->items[i];
    }
    for (size_t i = 0; i < servers->count; i++) {
        if (servers->items[i].dn && im_text_equal(servers->items[i].dn, dn))
            return &servers->items[i];
    }
    return NULL;
}

static enum im_err find_home(const struct im_account *account, const struct im_servers *servers, const struct im_server **out,
                             struct im_error *e) {
    const char *dn = account->home;
    bool failed = false;
    *out = dn ? find_spelled(servers, dn) : NULL;
    for (size_t i = 0; dn && !*out && i < servers->count; i++) {
        if (servers->items[i].dn && im_home_equal(servers->items[i].dn, dn, &failed))
            *out = &servers->items[i];
    }
    return failed ? im_error_nomem(e) : IM_OK;
}

static enum im_err split_address(struct im_want *w, struct im_pool *pool, struct im_error *e) {
    const char *at = w->address ? strrchr(w->address, '@') : NULL;
    if (!w->address)
        return IM_OK;
    if (!at || at == w->address || !at[1]) {
        w->cannot_build = im_pool_printf(pool, "the address \"%s\" has not the form name@domain", w->address);
        return w->cannot_build ? IM_OK : im_error_nomem(e);
    }
    w->im_alias = im_pool_strndup(pool, w->address, (size_t)(at - w->address));
    w->im_domain = at + 1;
    return w->im_alias ? IM_OK : im_error_nomem(e);
}

static enum im_err copy_values(const struct im_account_context *context, const struct im_account *a, struct im_pool *pool,
                               struct im_want *w, struct im_error *e) {
    const struct im_profile *p = context->profile;
    const char **values = im_pool_array(pool, p->attr_count, sizeof *values);
    if (!values)
        return im_error_nomem(e);
    for (size_t i = 0; i < p->attr_count; i++) {
        const struct im_profile_attr *attr = &p->attrs[i];
        if (attr->enabled && a->attrs[i])
            values[i] = attr->role == IM_ROLE_HOME ? a->home : a->attrs[i]->values[0].bv_val;
    }
    w->values = values;
    return IM_OK;
}

enum im_err im_want_present(const struct im_account_context *context, const struct im_account *account,
                            const struct im_servers *servers, struct im_pool *pool, struct im_want *out, struct im_error *e) {
    struct im_want want = {
        .enabled = account->im_count > 0,
        .home_dn = account->home,
        .address = account->address,
        .logical_url = account->logical_url,
        .physical_url = account->physical_url,
    };
    enum im_err err = find_home(account, servers, &want.home, e);
    if (err == IM_OK)
        err = split_address(&want, pool, e);
    if (err == IM_OK)
        err = copy_values(context, account, pool, &want, e);
    if (err != IM_OK)
        return err;
    want.home_host = want.home ? want.home->host : NULL;
    *out = want;
    return IM_OK;
}
