/* Wants that leave most of an account as it is: another home, or the suspended state. */
#include "lib/model/want_build.h"

#include "lib/base/text.h"

#include <string.h>

/* What is kept: the rest is made of it. */
static enum im_err keep_names(struct im_building *b) {
    struct im_want *w = b->want;
    const char *at = b->account->address ? strrchr(b->account->address, '@') : NULL;
    w->enabled = w->is_partial = w->keeps_names = true;
    w->address = b->account->address;
    w->logical_url = b->account->logical_url;
    if (!at || at == w->address || !at[1])
        return IM_OK;
    w->im_alias = im_pool_strndup(b->pool, w->address, (size_t)(at - w->address));
    w->im_domain = b->domain = at + 1;
    return w->im_alias ? IM_OK : im_error_nomem(b->e);
}

static enum im_err no_names(struct im_building *b) {
    const char *reason = im_pool_printf(b->pool, "the address \"%s\" has not the form name@domain", b->account->address);
    return reason ? im_building_cannot(b, reason) : im_error_nomem(b->e);
}

static enum im_err begin_values(struct im_building *b, const char ***values) {
    *values = im_pool_array(b->pool, b->context->profile->attr_count, sizeof **values);
    b->want->values = *values;
    return *values ? IM_OK : im_error_nomem(b->e);
}

/* ---- a move ---- */

static enum im_placing choose_target(struct im_building *b) {
    const struct im_request *r = b->request;
    const struct im_server *present = im_building_live_home(b);
    if (!r->home && !r->is_target && !r->home_auto)
        return IM_PLACED; /* nowhere: it stays */
    if (!r->home)
        return im_spread_place(b->servers, r->is_target, present, b->want->im_domain, &b->want->home);
    bool is_full = r->home != present && !im_spread_has_room(r->home);
    if (!is_full)
        b->want->home = r->home;
    return is_full ? IM_PLACE_FULL : IM_PLACED;
}

/* The identity of a person never depends on the home, whatever a template says. */
static bool goes_along(const struct im_profile_attr *attr) {
    bool may = attr->role == IM_ROLE_HOME || attr->role == IM_ROLE_PHYSICAL_URL || attr->role == IM_ROLE_VALUE;
    return may && attr->enabled && (im_template_uses(attr->enabled, "home-dn") || im_template_uses(attr->enabled, "home-host"));
}

enum im_err im_building_move(struct im_building *b) {
    const struct im_profile *p = b->context->profile;
    struct im_want *w = b->want;
    const char **values;
    enum im_err err = keep_names(b);
    if (err == IM_OK)
        err = begin_values(b, &values);
    if (err != IM_OK || !w->address)
        return err;
    if (!w->im_alias)
        return no_names(b);
    w->placing = choose_target(b);
    if (b->failed)
        return im_error_nomem(b->e);
    if (!w->home)
        return IM_OK;
    w->home_dn = w->home->dn;
    w->home_host = w->home->host;
    for (size_t i = 0; err == IM_OK && i < p->attr_count; i++) {
        if (!goes_along(&p->attrs[i]))
            continue;
        err = im_building_expand(b, p->attrs[i].enabled, im_building_context(&p->attrs[i]), &values[i]);
        if (p->attrs[i].role == IM_ROLE_PHYSICAL_URL)
            w->physical_url = values[i];
    }
    return err;
}

/* ---- suspending ---- */

/* Who is not enabled has nothing that could be suspended. */
enum im_err im_building_suspend(struct im_building *b) {
    const struct im_profile *p = b->context->profile;
    struct im_want *w = b->want;
    const char **values;
    enum im_err err = keep_names(b);
    if (err == IM_OK)
        err = begin_values(b, &values);
    w->home = im_building_live_home(b);
    w->home_dn = b->account->home;
    w->home_host = w->home ? w->home->host : NULL;
    w->physical_url = b->account->physical_url;
    for (size_t i = 0; err == IM_OK && b->account->im_count && i < p->attr_count; i++) {
        if (p->attrs[i].suspended)
            err = im_building_expand(b, p->attrs[i].suspended, im_building_context(&p->attrs[i]), &values[i]);
    }
    return b->failed ? im_error_nomem(b->e) : err;
}

/* ---- what would agree ---- */

enum im_err im_want_agreeing(const struct im_account_context *context, const struct im_account *account,
                             const struct im_servers *servers, struct im_pool *pool, struct im_want *out, struct im_error *e) {
    const struct im_profile *p = context->profile;
    struct im_want want = {.values = NULL};
    struct im_building b = {.context = context, .account = account, .servers = servers, .pool = pool, .want = &want, .e = e};
    const char **values;
    enum im_err err = keep_names(&b);
    if (err == IM_OK)
        err = begin_values(&b, &values);
    if (err != IM_OK)
        return err;
    want.home = im_servers_at(servers, account->home, &b.failed);
    if (b.failed)
        return im_error_nomem(e);
    want.home_dn = want.home ? want.home->dn : NULL;
    want.home_host = want.home ? want.home->host : NULL;
    for (size_t i = 0; err == IM_OK && want.im_alias && want.home_host && i < p->attr_count; i++) {
        bool names = p->attrs[i].role != IM_ROLE_OPAQUE && p->attrs[i].role != IM_ROLE_VALUE && p->attrs[i].enabled;
        if (names)
            err = im_building_expand(&b, p->attrs[i].enabled, im_building_context(&p->attrs[i]), &values[i]);
    }
    im_building_end(&b);
    if (err == IM_OK)
        *out = want;
    return err;
}
