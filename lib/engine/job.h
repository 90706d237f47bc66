/* The state of a run, shared by its stations. Internal to the engine. */
#ifndef IMDIR_ENGINE_JOB_H
#define IMDIR_ENGINE_JOB_H

#include "lib/base/vec.h"
#include "lib/engine/ledger.h"
#include "lib/engine/run.h"
#include "lib/engine/tempo.h"

#define IM_RULE_ALIAS "account-alias-unsafe"
#define IM_RULE_DUPLICATE "account-address-duplicate"
#define IM_RULE_RIGHTS "account-not-writable"
#define IM_RULE_HOME "account-home-not-host"
#define IM_RULE_NOT_ENABLED "account-not-enabled"
#define IM_RULE_PARTIAL "account-attrs-partial"
#define IM_REASON_FULL "full"
#define IM_REASON_CONTRADICTS "contradicting-line"
#define IM_REASON_BAD_ROW "bad-row"

enum {
    IM_PLAN_AGAIN = 3,    /* how often a change is planned again when somebody else was quicker */
    IM_SLICE_LINES = 320, /* inputs that are read and planned together */
    IM_SLICES = 8,        /* that are under way at a time */
    /* Where reading means to go through a whole file: few slices, so that there are few passes. */
    IM_SLICE_LINES_OFFLINE = 4096,
    IM_SLICES_OFFLINE = 2,
};

enum im_job_state {
    IM_JOB_READY, /* to be planned, or planned and to be sent */
    IM_JOB_IN_FLIGHT,
    IM_JOB_MET,     /* the change met somebody else's, or its answer was lost: it is read and planned again */
    IM_JOB_SETTLED, /* the result is final */
};

/* One account of a run. */
struct im_job {
    struct im_token token; /* the change in flight. First */
    struct im_slice *slice;
    const struct im_input *input;
    struct im_account account;
    struct im_want want;
    struct im_holders holders;
    struct im_plan plan, sent;    /* of this round; the one before */
    struct im_result result;      /* without input and source */
    struct im_server *counted_at; /* the home that this account is to be a user of */
    struct im_server *left;       /* the one that it is to be no user of any more */
    enum im_job_state state;
    bool is_unknown;    /* sent, and the connection ended before the answer */
    bool leaves_class;  /* the first of two steps is done: taken back where the second is not */
    bool takes_back;    /* the rollback is in flight or to be sent; the result is there already */
    size_t place, step; /* in the round; what is sent next */
    unsigned attempts;  /* plans that met somebody else's change */
    unsigned busy;      /* answers in a row that the server has no time */
    struct im_change rollback;
    size_t journal_id;     /* of the plan that is under way; 0 = none */
    uint32_t number;       /* in the run; those of a slice follow one another */
    uint64_t key;          /* in the ledger */
    uint64_t wants, gives; /* keys of the address that it is to have, and of the one that it gives up; 0 = none */
};

/* One input: an account, or why there is none. */
struct im_line {
    const struct im_input *input;
    struct im_job *job; /* NULL: result is all there is */
    struct im_result result;
    uint64_t repeats; /* key of the account that an earlier line named; 0: none did */
};

enum im_stage {
    IM_STAGE_READING, /* entries are searched */
    IM_STAGE_HOLDING, /* others that hold the addresses are searched */
    IM_STAGE_WRITING, /* planned; changes are sent */
};

/* Some inputs, which go through the stages together. */
struct im_slice {
    struct im_walk *walk;
    struct im_pool *pool;
    struct im_input *inputs;
    struct im_line *lines;
    size_t count, reported;
    struct im_job *jobs;
    size_t job_count;
    enum im_stage stage;
    bool is_planned; /* the first round is */
    bool is_done;
    struct im_job **round; /* jobs of this round: all, then those whose change met another one */
    size_t round_count;
    struct im_lookups lookups;          /* of the stages that read */
    struct im_resolving *resolving;     /* first round */
    const struct im_entry **reread;     /* later rounds */
    const struct im_account **accounts; /* of the search of holders */
    const struct im_want **wants;
    struct im_holders *holders;
    size_t next, in_flight; /* of round, in the writing stage */
};

struct im_walk {
    const struct im_run *run;
    struct im_pool *pool;    /* of the whole run: small */
    struct im_pool *scratch; /* of the line of the journal that is being made */
    struct im_account_reader *reader;
    struct im_servers servers; /* a copy: users are counted up as homes are given */
    struct im_request request; /* a copy: its home is one of the copied servers */
    bool has_assertion;
    struct im_ledger ledger;
    struct im_tempo tempo;
    struct im_slice *slices[IM_SLICES]; /* in the order of the inputs */
    size_t slice_count;
    size_t slice_lines, slice_most; /* IM_SLICE_LINES and IM_SLICES, or those of an export */
    bool is_at_end;                 /* of the inputs */
    size_t seen;                    /* entries that identities named */
    uint32_t job_count;             /* so far */
    struct im_summary *summary;
    size_t changes_in_flight, searches_in_flight;
    size_t tried, failed; /* accounts that were settled; those of them that failed or met a conflict */
    unsigned losses;      /* of the connection, in a row without an account done */
    size_t tried_at_loss;
    bool has_begun;  /* the first slice is read: accounts can be seen at all */
    bool is_unclear; /* a preflight said that homes or domains are not clear */
    bool wrote;
    enum im_err err; /* the first error that ends the run; changes in flight are still waited for */
    struct im_error *e;
};

struct im_job *im_walk_job(const struct im_walk *walk, uint32_t number); /* NULL: it is freed; 0 is none */
void im_walk_fail(struct im_walk *walk, enum im_err err);                /* IM_OK is passed over */
struct im_result im_bad_row(const struct im_input *input);               /* input->bad says why */
/* Settles the job. message may be NULL. */
void im_job_settle(struct im_job *job, enum im_outcome outcome, const char *message);

/* ---- slice.c ---- */

enum im_err im_slice_begin(struct im_walk *walk, struct im_slice **out); /* *out NULL: there are no more inputs */
/* Goes on as far as it can without an answer. */
enum im_err im_slice_advance(struct im_slice *slice);
bool im_slice_is_done(struct im_slice *slice); /* all is settled, nothing in flight */
void im_slice_free(struct im_slice **slice);

/* ---- identify.c ---- */

/* From what the identities name to jobs. */
enum im_err im_identify(struct im_slice *slice, const struct im_match *matches);

/* ---- prepare.c, judge.c, move.c, recorded.c ---- */

/* Decodes the jobs of the round and builds what is wanted. */
enum im_err im_prepare_wants(struct im_slice *slice);
/* Plans and judges them; what cannot be changed, or need not be, is settled. */
enum im_err im_prepare_plans(struct im_slice *slice);
/* Settles the job where a rule blocks it. */
enum im_err im_judge(struct im_job *job);
/* Settles a move of an account that cannot be moved, or has nowhere to go; im_move_judge: once the rules have been asked. */
enum im_err im_move_begin(struct im_job *job);
enum im_err im_move_judge(struct im_job *job);
/* The want and the plan of a job that applies or undoes a record. */
enum im_err im_recorded_want(struct im_job *job);
enum im_err im_recorded_plan(struct im_job *job);

/* ---- write.c ---- */

/* Sends what there is room for. */
enum im_err im_write_some(struct im_slice *slice, int64_t now_ms, int64_t *wait_ms);
/* The round is planned: what is to be written goes to the journal first. */
enum im_err im_write_begin(struct im_slice *slice);
/* Settles, and takes back a class that was added for values that do not follow. */
void im_write_settle(struct im_job *job, enum im_outcome outcome, const char *message);
/* Settles by the answer that is remembered. */
void im_write_refused(struct im_job *job);
void im_write_forget(struct im_job *job); /* the answer */
/* The run is to end: what met somebody else's change is not planned again. */
void im_write_stop(struct im_slice *slice, const char *why);
/* The connection is a new one: nobody knows whether what was in flight was done. */
void im_write_lost(struct im_slice *slice);
/* What is in flight and can no more be answered. */
void im_write_give_up(struct im_slice *slice);

#endif
