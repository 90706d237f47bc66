/* The walk of a changing command: resolve, decode, want, judge, plan, execute, report. */
#ifndef IMDIR_ENGINE_RUN_H
#define IMDIR_ENGINE_RUN_H

#include "lib/directory/early.h"
#include "lib/directory/resolve.h"
#include "lib/engine/journal.h"
#include "lib/model/input.h"
#include "lib/model/result.h"

#include <stdatomic.h>

/* In the order of the inputs, once for each. */
typedef enum im_err im_result_fn(void *user, const struct im_input *input, const struct im_result *result, struct im_error *e);
/* A change that was made, in the order in which the answers came (or would be made, in a dry run). */
typedef enum im_err im_change_fn(void *user, const struct im_change *change, struct im_error *e);
/* Called often: lines that are reported, and those of them that failed or met a conflict. */
typedef void im_progress_fn(void *user, size_t done, size_t failed);
/* What the operator should know of the run itself: level as im_log_fn. */
typedef void im_note_fn(void *user, int level, const char *text);

/* How fast, and until when. */
struct im_pace {
    size_t window;      /* changes in flight; 0: follows the round trip, up to IM_WINDOW_MAX for each connection */
    size_t connections; /* 0 = 1 */
    double rate;        /* changes a second; 0: as fast as it goes */
    /* Ends the run when so many accounts failed or met a conflict. 0: never; see im_pace_failures. */
    size_t max_failures;
    double max_failures_percent; /* of those tried, once FAILURES_FROM were; the larger of both counts */
};
/* slapd closes a connection on which 1,000 operations wait (conn_max_pending_auth). */
enum { IM_WINDOW_MAX = 512 };

struct im_run {
    struct im_resolver resolver;
    const struct im_request *request;
    const struct im_servers *servers;
    const struct im_inputs *inputs;
    struct im_early *early; /* searches for the first of them that are answered already; or NULL */
    struct im_pace pace;
    struct im_journal *journal; /* or NULL. In a dry run: the plan file */
    bool dry_run;
    im_result_fn *on_result;
    im_change_fn *on_change;     /* or NULL */
    im_progress_fn *on_progress; /* or NULL */
    im_note_fn *on_note;         /* or NULL */
    /* IM_PREFLIGHT and IM_LOOK: what is to be known of accounts is looked up, while nothing else is in flight; then each is
     * judged, what is found is its result's. */
    enum im_err (*on_look)(void *user, const struct im_account *const *accounts, size_t count, struct im_error *e);
    enum im_err (*on_judge)(void *user, struct im_facts *facts, struct im_pool *pool, struct im_finding **findings, size_t *count,
                            struct im_error *e);
    void *user;
    const atomic_int *stop; /* or NULL */
};

/* Goes through the inputs from where they stand, as if one account were done after the other: an address that two of them want
 * goes to the first. Reading, judging and writing of different accounts overlap; memory does not grow with their number, but for
 * an index of accounts and addresses. Every input is reported exactly once, also when the run ends early: the rest is
 * not-attempted. The same account named twice is changed once; the second line takes the first one's outcome, `changed` becoming
 * `unchanged`; where it asks for something else it is refused. A lost connection is opened again, and what was in flight is read
 * again.
 *
 * Returns IM_OK where all inputs were gone through (whatever became of them). *wrote says whether anything was or may have been
 * written when an error is returned. A run whose homes or domains are unclear, or whose changes are to be counted first, is
 * rehearsed by a dry run that reports nothing. */
enum im_err im_run_accounts(const struct im_run *run, struct im_summary *summary, bool *wrote, struct im_error *e);

/* Reports each input that is left as not-attempted, because of `why`. */
void im_run_leave(const struct im_run *run, enum im_err why, struct im_summary *summary);

#endif
