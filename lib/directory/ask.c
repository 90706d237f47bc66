#include "lib/directory/ask.h"

#include "lib/base/vec.h"

enum im_err im_asks_add(struct im_asks *a, const struct im_ask *ask, struct im_error *e) {
    struct im_ask *slot = im_vec_push(&a->list);
    if (!slot)
        return im_error_nomem(e);
    *slot = *ask;
    slot->search.no_paging = ask->search.no_paging && !a->is_paged;
    return IM_OK;
}

void im_asks_free(struct im_asks *a) {
    im_vec_free(&a->list);
}

static enum im_err hand_over(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    const struct im_ask *ask = lookup->data;
    (void)user;
    return ask->take(ask->user, entry, e);
}

static enum im_err send(struct im_lookups *l, struct im_error *e) {
    size_t sent;
    return l->is_busy ? IM_OK : im_lookups_send(l, im_directory_window(l->directory, IM_LOOKUP_WINDOW) - l->in_flight, &sent, e);
}

static enum im_err drive(struct im_lookups *ours, struct im_lookups *also, struct im_error *e) {
    enum im_err err = IM_OK;
    while (err == IM_OK) {
        struct im_event event;
        err = send(ours, e);
        if (err == IM_OK && also)
            err = send(also, e);
        if (err == IM_OK && !ours->in_flight && !(also && also->in_flight))
            return IM_OK;
        if (err == IM_OK)
            err = im_directory_next(ours->directory, &event, e);
        if (err == IM_OK) {
            struct im_token *token = event.token;
            err = token->take(token, &event, e);
        }
    }
    im_lookups_abandon(ours);
    if (also) {
        im_lookups_abandon(also);
        also->done = 0; /* one that failed is done as well, and nobody may take it for an answer */
    }
    return err;
}

enum im_err im_asks_run(struct im_asks *a, struct im_error *e) {
    struct im_lookups lookups = {
        .directory = a->directory,
        .items = im_pool_array(a->pool, a->list.count, sizeof *lookups.items),
        .count = a->list.count,
        .fn = hand_over,
    };
    if (!lookups.items)
        return im_error_nomem(e);
    for (size_t i = 0; i < lookups.count; i++) {
        struct im_ask *ask = &a->list.items[i];
        lookups.items[i] = (struct im_lookup){.search = ask->search, .may_be_missing = ask->may_be_missing, .data = ask};
    }
    return drive(&lookups, a->also, e);
}
