/* The state of a run, shared by its stations. Internal to the engine. */
#ifndef IMDIR_ENGINE_JOB_H
#define IMDIR_ENGINE_JOB_H

#include "lib/engine/run.h"

#define IM_RULE_ALIAS "account-alias-unsafe"
#define IM_RULE_DUPLICATE "account-address-duplicate"
#define IM_RULE_RIGHTS "account-not-writable"

/* How often a change is planned again when somebody else was quicker. */
enum { IM_PLAN_AGAIN = 3 };

/* One account of a run, however often it was named. */
struct im_job {
    struct im_account account;
    struct im_want want;
    struct im_holders holders;
    struct im_plan plan;
    struct im_result result;      /* without input and source */
    struct im_server *counted_at; /* the home that this account is to be a user of */
    bool is_settled;              /* the result is final */
    bool is_in_flight;
    bool leaves_class;         /* the first of two steps is done: taken back where the second is not */
    size_t step;               /* what is sent next */
    unsigned attempts;         /* plans that met somebody else's change */
    struct im_change rollback; /* goes with leaves_class */
};

/* One input: an account, or why there is none. */
struct im_line {
    struct im_job *job; /* NULL: result is all there is */
    struct im_result result;
    bool is_first; /* of those that name this account */
};

struct im_walk {
    const struct im_run *run;
    const struct im_input *inputs;
    size_t count;
    struct im_pool *pool;
    struct im_servers servers; /* a copy: users are counted up as homes are given */
    struct im_request request; /* a copy: its home is one of the copied servers */
    bool has_assertion;
    struct im_line *lines;
    struct im_job *jobs;
    size_t job_count;
    size_t reported; /* lines */
    struct im_summary *summary;
    bool wrote;
};

/* Decodes, builds what is wanted, looks for holders, judges and plans. What cannot be changed is settled. `rivals`: accounts of
 * the list that want the same address block each other. */
enum im_err im_prepare(struct im_walk *walk, struct im_job *const *jobs, size_t count, bool rivals, struct im_error *e);
/* Writes what is planned. Reports as it goes. */
enum im_err im_execute(struct im_walk *walk, struct im_error *e);
/* Reports the lines, in order, up to the first that is not settled. */
enum im_err im_report_ready(struct im_walk *walk, struct im_error *e);

bool im_walk_is_stopped(const struct im_walk *walk);
/* Settles the job. message may be NULL. */
void im_job_settle(struct im_job *job, enum im_outcome outcome, const char *message);

#endif
