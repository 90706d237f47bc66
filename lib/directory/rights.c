#include "lib/directory/rights.h"

struct trying {
    struct im_account_reader *reader;
    struct im_pool *pool;
    struct im_rights *out;
};

static enum im_err take(void *user, const struct im_entry *entry, struct im_error *e) {
    struct trying *t = user;
    struct im_rights *out = t->out;
    struct im_account account;
    enum im_err err = im_account_decode(t->reader, entry, t->pool, &account, e);
    if (err != IM_OK)
        return err;
    out->sampled++;
    out->states += account.disabled != IM_UNKNOWN;
    out->values += account.im_count > 0;
    out->writable += !account.not_writable;
    if (account.not_writable && !out->example)
        out->example = im_pool_strdup(t->pool, account.name ? account.name : account.dn);
    return out->sampled < IM_RIGHTS_SAMPLE ? IM_OK : IM_E_INTERRUPTED; /* enough */
}

enum im_err im_rights_try(const struct im_resolver *r, struct im_pool *pool, struct im_rights *out, struct im_error *e) {
    struct trying t = {.reader = im_account_reader_new(r->context, pool), .pool = pool, .out = out};
    struct im_error inner = {.code = IM_OK};
    *out = (struct im_rights){.tells = r->context->asked_rights};
    const struct im_search search = {.base = r->base,
                                     .scope = IM_SEARCH_SUB,
                                     .few = IM_RIGHTS_SAMPLE,
                                     .filter = im_filter_any_account(r->context->profile, pool),
                                     .attributes = im_account_attributes(r->context, NULL, pool)};
    bool is_ready = t.reader && search.filter && search.attributes;
    enum im_err err = is_ready ? im_directory_search(r->directory, &search, take, &t, &inner) : im_error_nomem(&inner);
    if (err == IM_OK || err == IM_E_NOT_FOUND || err == IM_E_TRUNCATED || out->sampled == IM_RIGHTS_SAMPLE)
        return IM_OK;
    if (e && e->code == IM_OK)
        *e = inner;
    return err;
}
