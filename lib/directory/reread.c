/* One account once more, and whether there are accounts at all. */
#include "lib/directory/lookup.h"
#include "lib/directory/resolve.h"

#include "lib/data/dn.h"

#include <string.h>

static enum im_err keep(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    const struct im_entry **slot = lookup->data;
    (void)user;
    if (*slot)
        return im_error_set_at(e, IM_E_PROTOCOL, entry->dn, 0, 0, "two entries have the same unique identifier");
    *slot = entry;
    return IM_OK;
}

static enum im_err make_lookup(const struct im_resolver *r, const struct im_account *account, struct im_pool *pool,
                               struct im_lookup *out, struct im_error *e) {
    const char *uuid = im_entry_string(account->entry, "entryUUID");
    out->search.base = account->ref;
    out->search.scope = IM_SEARCH_BASE;
    out->search.extended_dn = r->context->is_ad;
    out->may_be_missing = true;
    if (!uuid || r->context->is_ad)
        return IM_OK;
    struct im_buf filter = IM_BUF_INIT;
    im_filter_text(&filter, r->context->schema, "entryUUID", uuid);
    out->search.base = r->base;
    out->search.scope = IM_SEARCH_SUB;
    out->search.filter = filter.failed ? NULL : im_pool_strdup(pool, im_buf_str(&filter));
    out->search.no_paging = true;
    out->may_be_missing = false;
    im_buf_free(&filter);
    return out->search.filter ? IM_OK : im_error_nomem(e);
}

enum im_err im_reread_begin(const struct im_resolver *r, const struct im_account *const *accounts, size_t count,
                            struct im_pool *pool, const struct im_entry **entries, struct im_lookups *lookups,
                            struct im_error *e) {
    const char *const *attributes = im_account_attributes(r->context, NULL, pool);
    struct im_lookup *items = im_pool_array(pool, count, sizeof *items);
    enum im_err err = attributes && items ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        entries[i] = NULL;
        items[i].search.attributes = attributes;
        items[i].data = (void *)&entries[i];
        err = make_lookup(r, accounts[i], pool, &items[i], e);
    }
    *lookups = (struct im_lookups){.directory = r->directory, .items = items, .count = count, .fn = keep, .pool = pool};
    return err;
}

static enum im_err stop_at_first(void *user, const struct im_entry *entry, struct im_error *e) {
    bool *found = user;
    (void)entry, (void)e;
    *found = true;
    return IM_E_INTERRUPTED; /* one is enough */
}

enum im_err im_resolve_any(const struct im_resolver *r, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    struct im_error inner = {.code = IM_OK};
    bool found = false;
    const char *const one[] = {r->base, NULL};
    const char *const *bases = r->base ? one : r->domains;
    struct im_search search = {.scope = IM_SEARCH_SUB, .attributes = (const char *const[]){"1.1", NULL}};
    search.filter = pool ? im_filter_any_account(r->context->profile, pool) : NULL;
    enum im_err err = search.filter ? IM_OK : im_error_nomem(&inner);
    for (; (err == IM_OK || err == IM_E_NOT_FOUND) && !found && *bases; bases++) {
        im_error_clear(&inner);
        search.base = *bases;
        err = im_directory_search(r->directory, &search, stop_at_first, &found, &inner);
    }
    im_pool_free(&pool);
    if (found)
        return IM_OK;
    if (err != IM_OK && err != IM_E_NOT_FOUND) {
        if (e && e->code == IM_OK)
            *e = inner;
        return err;
    }
    return im_error_set_at(e, IM_E_INVISIBLE, im_directory_uri(r->directory), 0, 0,
                           "no account at all is visible below \"%s\" to %s: check the base and the rights of the account",
                           r->base ? r->base : "", im_directory_identity(r->directory));
}
