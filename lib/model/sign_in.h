/* One person's sign-in, step by step, from what the directory, name servers and web servers said. Pure. */
#ifndef IMDIR_MODEL_SIGN_IN_H
#define IMDIR_MODEL_SIGN_IN_H

#include "lib/base/buf.h"
#include "lib/model/account.h"
#include "lib/model/survey.h"

enum im_step_kind {
    IM_STEP_SRV,      /* where the domain of the mail address leads; left out where it is the IM domain */
    IM_STEP_ADDRESS,  /* the address of the host that the client goes to */
    IM_STEP_ROUTER,   /* what answers for the logical URL */
    IM_STEP_REDIRECT, /* where that sends the client; left out where it does not */
    IM_STEP_HOME,     /* what answers for the physical URL; left out where it is the logical one */
    IM_STEP_COUNT,
};
enum im_step_state { IM_STEP_OK, IM_STEP_PROBLEM, IM_STEP_UNKNOWN };

/* All texts are for people, without newline; those from outside are escaped where they are shown. */
struct im_step {
    enum im_step_kind kind;
    enum im_step_state state;
    const char *subject;  /* what was looked up: a record, a host, a URL */
    const char *found;    /* what came back, or why nothing is known */
    const char *expected; /* what the directory says instead; NULL: the same, or nothing */
};

struct im_sign_in {
    struct im_step steps[IM_STEP_COUNT];
    size_t count;
};

/* Without dns or http in the survey their steps are unknown. Texts in pool, or borrowed from the facts. */
enum im_err im_sign_in(const struct im_survey *survey, const struct im_account *account, struct im_pool *pool,
                       struct im_sign_in *out, struct im_error *e);

const char *im_step_name(enum im_step_kind kind);         /* "redirect" */
const char *im_step_state_name(enum im_step_state state); /* "ok" */
/* "redirect http://...: http://..., ok", escaped for a terminal. */
void im_step_text(const struct im_step *step, struct im_buf *out);

#endif
