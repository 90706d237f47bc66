/* What a run remembers of the accounts that it has seen, and of the addresses that it gave away: 16 bytes for each. Jobs are
 * known by their numbers, from 1 (im_walk_job). Internal to the engine. */
#ifndef IMDIR_ENGINE_LEDGER_H
#define IMDIR_ENGINE_LEDGER_H

#include "lib/base/index.h"
#include "lib/model/result.h"

enum { IM_LEDGER_REASONS = 64 };

struct im_ledger {
    struct im_index *accounts, *addresses;
    uint64_t seed[2];
    const char *reasons[IM_LEDGER_REASONS]; /* ids of rules that outcomes refer to */
};

enum im_err im_ledger_begin(struct im_ledger *l, struct im_error *e);
void im_ledger_end(struct im_ledger *l);

/* ---- accounts ---- */

uint64_t im_ledger_key(const struct im_ledger *l, const void *bytes, size_t len); /* never 0 */

struct im_known_account {
    uint32_t job; /* 0: it is done with, and this became of it: */
    enum im_outcome outcome;
    const char *reason;
    uint32_t request; /* hash of what was asked for */
};

/* *is_known: it was met before, and *out tells of it. Else it is remembered. */
enum im_err im_ledger_meet(struct im_ledger *l, uint64_t key, uint32_t request, uint32_t job, bool *is_known, struct im_error *e);
void im_ledger_tell(const struct im_ledger *l, uint64_t key, struct im_known_account *out);
/* The job is freed: what became of it is kept. */
void im_ledger_leave(struct im_ledger *l, uint64_t key, enum im_outcome outcome, const char *reason);

/* ---- addresses ---- */

struct im_claim {
    bool exists;
    bool is_released; /* the other one gives it up, perhaps after somebody else looked */
    uint32_t job;     /* that made it; it may be freed */
};

/* Folded; 0: out of memory. */
uint64_t im_ledger_address(const struct im_ledger *l, const char *address);
/* The job wants the address, or gives it up; *earlier: another one was first. */
enum im_err im_ledger_claim(struct im_ledger *l, uint64_t address, uint32_t job, bool releases, struct im_claim *earlier,
                            struct im_error *e);
void im_ledger_unclaim(struct im_ledger *l, uint64_t address, uint32_t job); /* it does not get it after all */
/* The job is freed, and who has the address can be seen in the directory. That one was given up stays known: a search that was
 * made before could still have seen it. */
void im_ledger_forget(struct im_ledger *l, uint64_t address, uint32_t job);

#endif
