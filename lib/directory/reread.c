/* One account once more, and whether there are accounts at all. */
#include "lib/directory/lookup.h"
#include "lib/directory/resolve.h"

#include "lib/data/dn.h"

#include <string.h>

struct rereading {
    struct im_pool *pool;
    const struct im_entry *entry;
};

static enum im_err keep_first(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct rereading *r = user;
    (void)lookup;
    if (r->entry)
        return im_error_set_at(e, IM_E_PROTOCOL, entry->dn, 0, 0, "two entries have the same unique identifier");
    r->entry = im_entry_copy(entry, r->pool);
    return r->entry ? IM_OK : im_error_nomem(e);
}

enum im_err im_resolve_again(const struct im_resolver *r, const struct im_account *account, struct im_pool *pool,
                             const struct im_entry **out, struct im_error *e) {
    struct rereading reading = {.pool = pool};
    struct im_buf filter = IM_BUF_INIT;
    struct im_lookup lookup = {
        .search = {.base = account->ref, .scope = IM_SEARCH_BASE, .extended_dn = r->context->is_ad},
        .may_be_missing = true,
    };
    lookup.search.attributes = im_account_attributes(r->context, pool);
    const char *uuid = im_entry_string(account->entry, "entryUUID");
    if (uuid && !r->context->is_ad) {
        im_filter_text(&filter, r->context->schema, "entryUUID", uuid);
        lookup.search.base = r->base;
        lookup.search.scope = IM_SEARCH_SUB;
        lookup.search.filter = im_buf_str(&filter);
        lookup.may_be_missing = false;
    }
    enum im_err err = lookup.search.attributes && !filter.failed ? IM_OK : im_error_nomem(e);
    if (err == IM_OK)
        err = im_lookup_all(r->directory, &lookup, 1, keep_first, &reading, e);
    if (err == IM_OK)
        *out = reading.entry;
    im_buf_free(&filter);
    return err;
}

static enum im_err stop_at_first(void *user, const struct im_entry *entry, struct im_error *e) {
    bool *found = user;
    (void)entry, (void)e;
    *found = true;
    return IM_E_INTERRUPTED; /* one is enough */
}

enum im_err im_resolve_any(const struct im_resolver *r, struct im_error *e) {
    const struct im_profile *profile = r->context->profile;
    bool found = false;
    struct im_buf filter = IM_BUF_INIT;
    im_buf_adds(&filter, "(|");
    for (size_t i = 0; i < profile->account_name_count; i++)
        im_buf_addf(&filter, "(%s=*)", profile->account_names[i]);
    im_buf_addc(&filter, ')');
    struct im_error inner = {.code = IM_OK};
    struct im_search search = {.base = r->base, .scope = IM_SEARCH_SUB, .attributes = (const char *const[]){"1.1", NULL}};
    search.filter = im_buf_str(&filter);
    enum im_err err =
        filter.failed ? im_error_nomem(&inner) : im_directory_search(r->directory, &search, stop_at_first, &found, &inner);
    im_buf_free(&filter);
    if (found)
        return IM_OK;
    if (err != IM_OK && err != IM_E_NOT_FOUND) {
        if (e && e->code == IM_OK)
            *e = inner;
        return err;
    }
    return im_error_set_at(e, IM_E_INVISIBLE, im_directory_uri(r->directory), 0, 0,
                           "no account at all is visible below \"%s\" to %s: check the base and the rights of the account",
                           r->base, im_directory_identity(r->directory));
}
