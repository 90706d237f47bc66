#include "lib/directory/early.h"

#include "lib/base/vec.h"

#include <string.h>

struct im_early_answer {
    const struct im_entry **items;
    size_t count, cap;
};

static enum im_err keep(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    const struct im_early *early = user;
    struct im_early_answer *answer = &early->answers[lookup - early->lookups->items];
    const struct im_entry **slot = im_vec_push(answer);
    if (!slot)
        return im_error_nomem(e);
    *slot = entry; /* in the pool of the lookups */
    return IM_OK;
}

enum im_err im_early_begin(struct im_early *early, struct im_lookups *lookups, struct im_error *e) {
    *early = (struct im_early){.lookups = lookups};
    early->answers = calloc(lookups->count + 1, sizeof *early->answers);
    if (!early->answers)
        return im_error_nomem(e);
    lookups->fn = keep;
    lookups->user = early;
    return IM_OK;
}

void im_early_free(struct im_early *early) {
    for (size_t i = 0; early->answers && i < early->lookups->count; i++)
        im_vec_free(&early->answers[i]);
    free(early->answers);
    *early = (struct im_early){.lookups = NULL};
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const char *const *a, const char *const *b) {
    if (!a || !b)
        return a == b;
    while (*a && *b && strcmp(*a, *b) == 0)
        a++, b++;
    return !*a && !*b;
}

static bool same_search(const struct im_lookup *a, const struct im_lookup *b) {
    const struct im_search *x = &a->search;
    const struct im_search *y = &b->search;
    return same_text(x->base, y->base) && x->scope == y->scope && same_text(x->filter, y->filter) &&
           same_list(x->attributes, y->attributes) && x->extended_dn == y->extended_dn && x->show_deleted == y->show_deleted &&
           a->may_be_missing == b->may_be_missing;
}

static const struct im_early_answer *find(const struct im_early *early, const struct im_lookup *lookup) {
    for (size_t i = 0; i < early->lookups->count; i++) {
        if (same_search(&early->lookups->items[i], lookup))
            return &early->answers[i];
    }
    return NULL;
}

enum im_err im_early_take(struct im_early *early, struct im_lookups *later, struct im_error *e) {
    enum im_err err = IM_OK;
    if (!early->lookups || !im_lookups_are_done(early->lookups))
        return IM_OK;
    for (size_t i = 0; err == IM_OK && i < later->count; i++) {
        struct im_lookup *lookup = &later->items[i];
        const struct im_early_answer *answer = lookup->state == IM_LOOKUP_WAITS ? find(early, lookup) : NULL;
        if (!answer)
            continue;
        for (size_t n = 0; err == IM_OK && n < answer->count; n++)
            err = later->fn(later->user, lookup, answer->items[n], e);
        lookup->state = IM_LOOKUP_DONE;
        later->done++;
    }
    im_early_free(early);
    return err;
}
