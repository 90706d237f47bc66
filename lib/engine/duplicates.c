#include "lib/engine/duplicates.h"

#include "lib/base/hash.h"
#include "lib/base/hashes.h"
#include "lib/base/index.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = 2, SHOWN = 10 }; /* address and logical URL; others that a finding names */

/* Who has one of the shared values. */
struct member {
    const char *account, *dn, *guid, *value;
    size_t group, next; /* next member of the group + 1; 0: the last */
    int kind;
    bool is_judged;
};

struct im_duplicates {
    const char *attributes[KINDS];
    uint64_t seed[2];
    struct im_buf folded;
    struct im_hashes *seen;  /* everything that was met */
    struct im_index *shared; /* what was met again: a = first member + 1, b = number of members */
    struct im_pool *pool;
    struct {
        struct member *items; /* those of one account follow one another */
        size_t count, cap;
    } members;
};

struct im_duplicates *im_duplicates_new(const struct im_profile *profile) {
    static const enum im_role roles[KINDS] = {IM_ROLE_ADDRESS, IM_ROLE_LOGICAL_URL};
    struct im_duplicates *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    for (size_t i = 0; i < KINDS; i++) {
        const struct im_profile_attr *attr = im_profile_role(profile, roles[i]);
        d->attributes[i] = attr ? attr->name : NULL;
    }
    im_hash_seed(d->seed);
    d->seen = im_hashes_new();
    d->shared = im_index_new();
    d->pool = im_pool_new();
    if (!d->seen || !d->shared || !d->pool)
        im_duplicates_free(&d);
    return d;
}

void im_duplicates_free(struct im_duplicates **duplicates) {
    struct im_duplicates *d = duplicates ? *duplicates : NULL;
    if (!d)
        return;
    im_buf_free(&d->folded);
    im_hashes_free(&d->seen);
    im_index_free(&d->shared);
    im_vec_free(&d->members);
    im_pool_free(&d->pool);
    free(d);
    *duplicates = NULL;
}

/* ---- values ---- */

static const char *value_of(const struct im_account *a, int kind) {
    return kind == 0 ? a->address : a->logical_url;
}

/* 0: there is no such value. */
static enum im_err hash_of(struct im_duplicates *d, const struct im_account *a, int kind, uint64_t *hash, struct im_error *e) {
    const char *value = value_of(a, kind);
    size_t len = value ? strlen(value) : 0;
    *hash = 0;
    while (kind == 1 && len && value[len - 1] == '/')
        len--;
    if (!len)
        return IM_OK;
    im_buf_clear(&d->folded);
    im_buf_addc(&d->folded, (char)('0' + kind));
    im_text_fold(value, len, &d->folded);
    if (d->folded.failed)
        return im_error_nomem(e);
    *hash = im_hash(d->folded.data, d->folded.len, d->seed);
    *hash = *hash ? *hash : 1;
    return IM_OK;
}

/* ---- first pass ---- */

enum im_err im_duplicates_meet(struct im_duplicates *d, const struct im_account *account, struct im_error *e) {
    for (int kind = 0; kind < KINDS; kind++) {
        uint64_t hash;
        bool is_new = true;
        enum im_err err = hash_of(d, account, kind, &hash, e);
        if (err != IM_OK)
            return err;
        if (hash && !im_hashes_add(d->seen, hash, &is_new))
            return im_error_nomem(e);
        if (!is_new && !im_index_put(d->shared, hash, &is_new))
            return im_error_nomem(e);
    }
    return IM_OK;
}

bool im_duplicates_any(const struct im_duplicates *d) {
    return im_index_count(d->shared) > 0;
}

/* ---- second pass ---- */

static enum im_err add_member(struct im_duplicates *d, const struct im_account *a, int kind, struct im_index_item *group,
                              bool is_judged, struct im_error *e) {
    struct member *m = im_vec_push(&d->members);
    if (!m)
        return im_error_nomem(e);
    *m = (struct member){.account = im_pool_strdup(d->pool, a->name),
                         .dn = im_pool_strdup(d->pool, a->dn),
                         .guid = im_pool_strdup(d->pool, a->guid),
                         .value = im_pool_strdup(d->pool, value_of(a, kind)),
                         .group = (size_t)group->hash,
                         .next = (size_t)group->a,
                         .kind = kind,
                         .is_judged = is_judged};
    group->a = (uint32_t)d->members.count;
    group->b++;
    return m->dn && m->value && (m->account || !a->name) && (m->guid || !a->guid) ? IM_OK : im_error_nomem(e);
}

enum im_err im_duplicates_collect(struct im_duplicates *d, const struct im_account *account, bool is_judged, struct im_error *e) {
    for (int kind = 0; kind < KINDS; kind++) {
        uint64_t hash;
        enum im_err err = hash_of(d, account, kind, &hash, e);
        struct im_index_item *group = err == IM_OK && hash ? im_index_find(d->shared, hash) : NULL;
        if (group)
            err = add_member(d, account, kind, group, is_judged, e);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

static size_t list_others(const struct im_duplicates *d, const struct member *m, struct im_holder *others, size_t count) {
    const struct im_index_item *group = im_index_find(d->shared, m->group);
    for (size_t i = group ? (size_t)group->a : 0; i && count < SHOWN;) {
        const struct member *other = &d->members.items[i - 1];
        i = other->next;
        if (strcmp(other->dn, m->dn) == 0)
            continue;
        others[count++] = (struct im_holder){.dn = other->dn, .attribute = d->attributes[m->kind], .value = other->value};
    }
    return count;
}

enum im_err im_duplicates_each(const struct im_duplicates *d, im_duplicate_fn *fn, void *user, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < d->members.count;) {
        const struct member *m = &d->members.items[i];
        struct im_holder others[SHOWN];
        size_t count = 0;
        for (; i < d->members.count && strcmp(d->members.items[i].dn, m->dn) == 0; i++)
            count = list_others(d, &d->members.items[i], others, count);
        const struct im_account who = {.name = m->account, .dn = m->dn, .guid = m->guid, .im_count = 1};
        if (count && m->is_judged)
            err = fn(user, &who, others, count, e);
    }
    return err;
}
