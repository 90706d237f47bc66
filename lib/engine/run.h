/* The walk of a changing command: resolve, decode, want, judge, plan, execute, report. */
#ifndef IMDIR_ENGINE_RUN_H
#define IMDIR_ENGINE_RUN_H

#include "lib/directory/resolve.h"
#include "lib/model/result.h"

/* One line of input. */
struct im_input {
    const char *text;   /* as named by the operator */
    const char *source; /* "people.txt:3", or NULL for an argument */
    struct im_identity identity;
};

typedef enum im_err im_result_fn(void *user, const struct im_result *result, struct im_error *e);
/* A change that was made, in the order in which the answers came (or would be made, in a dry run). */
typedef enum im_err im_change_fn(void *user, const struct im_change *change, struct im_error *e);

struct im_run {
    struct im_resolver resolver;
    const struct im_request *request;
    const struct im_servers *servers;
    bool dry_run;
    im_result_fn *on_result; /* called once for each input, in the order of the inputs */
    im_change_fn *on_change; /* or NULL */
    void *user;
    const volatile sig_atomic_t *stop; /* or NULL */
};

/* Plans all accounts before the first is written, so that an unclear home or domain stops the run with nothing written. Every
 * input is reported exactly once, also when the run ends early: the rest is not-attempted. The same account named twice is
 * changed once; the second line takes the first one's outcome, `changed` becoming `unchanged`. Returns IM_OK where all inputs
 * were gone through (whatever became of them); *wrote says whether anything was or may have been written when an error is
 * returned. */
enum im_err im_run_accounts(const struct im_run *run, const struct im_input *inputs, size_t count, struct im_summary *summary,
                            bool *wrote, struct im_error *e);

#endif
