#include "lib/engine/ledger.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"

#include <string.h>

/* Items of the index of accounts: a is the number of the job, or with DONE what became of it: the outcome and the number of its
 * reason; b is the request. Of addresses: a is the number of the job, b says that it is given up. */
enum { OUTCOME_BITS = 8, RELEASED = 1 };
static const uint32_t done = UINT32_C(1) << 31;

enum im_err im_ledger_begin(struct im_ledger *l, struct im_error *e) {
    im_hash_seed(l->seed);
    l->accounts = im_index_new();
    l->addresses = im_index_new();
    return l->accounts && l->addresses ? IM_OK : im_error_nomem(e);
}

void im_ledger_end(struct im_ledger *l) {
    im_index_free(&l->accounts);
    im_index_free(&l->addresses);
}

uint64_t im_ledger_key(const struct im_ledger *l, const void *bytes, size_t len) {
    uint64_t key = im_hash(bytes, len, l->seed);
    return key ? key : 1;
}

/* ---- accounts ---- */

enum im_err im_ledger_meet(struct im_ledger *l, uint64_t key, uint32_t request, uint32_t job, bool *is_known,
                           struct im_error *e) {
    bool is_new;
    struct im_index_item *item = im_index_put(l->accounts, key, &is_new);
    if (!item)
        return im_error_nomem(e);
    *is_known = !is_new;
    if (is_new) {
        item->a = job;
        item->b = request;
    }
    return IM_OK;
}

void im_ledger_tell(const struct im_ledger *l, uint64_t key, struct im_known_account *out) {
    const struct im_index_item *item = im_index_find(l->accounts, key);
    uint32_t reason = (item->a & ~done) >> OUTCOME_BITS;
    *out = (struct im_known_account){.request = item->b};
    if (item->a & done) {
        out->outcome = (enum im_outcome)(item->a & ((1U << OUTCOME_BITS) - 1));
        out->reason = reason ? l->reasons[reason - 1] : NULL;
    } else {
        out->job = item->a;
    }
}

/* From 1; 0: none, or too many to remember. */
static uint32_t number_reason(struct im_ledger *l, const char *reason) {
    for (uint32_t i = 0; reason && i < IM_LEDGER_REASONS; i++) {
        if (!l->reasons[i])
            l->reasons[i] = reason;
        if (l->reasons[i] == reason)
            return i + 1;
    }
    return 0;
}

void im_ledger_leave(struct im_ledger *l, uint64_t key, enum im_outcome outcome, const char *reason) {
    struct im_index_item *item = im_index_find(l->accounts, key);
    if (item)
        item->a = done | (uint32_t)outcome | number_reason(l, reason) << OUTCOME_BITS;
}

/* ---- addresses ---- */

uint64_t im_ledger_address(const struct im_ledger *l, const char *address) {
    struct im_buf folded = IM_BUF_INIT;
    im_text_fold(address, strlen(address), &folded);
    uint64_t key = folded.failed ? 0 : im_ledger_key(l, im_buf_str(&folded), folded.len);
    im_buf_free(&folded);
    return key;
}

enum im_err im_ledger_claim(struct im_ledger *l, uint64_t address, uint32_t job, bool releases, struct im_claim *earlier,
                            struct im_error *e) {
    bool is_new;
    struct im_index_item *item = im_index_put(l->addresses, address, &is_new);
    if (!item)
        return im_error_nomem(e);
    *earlier = (struct im_claim){0};
    if (is_new) {
        item->a = job;
        item->b = releases ? RELEASED : 0;
    } else if (item->a != job) {
        *earlier = (struct im_claim){.exists = true, .is_released = item->b & RELEASED, .job = item->a};
    }
    return IM_OK;
}

void im_ledger_unclaim(struct im_ledger *l, uint64_t address, uint32_t job) {
    const struct im_index_item *item = address ? im_index_find(l->addresses, address) : NULL;
    if (item && item->a == job)
        im_index_remove(l->addresses, address);
}

void im_ledger_forget(struct im_ledger *l, uint64_t address, uint32_t job) {
    const struct im_index_item *item = address ? im_index_find(l->addresses, address) : NULL;
    if (item && item->a == job && !(item->b & RELEASED))
        im_index_remove(l->addresses, address);
}
