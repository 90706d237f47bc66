/* A line of input: who is meant, and what is asked for this one. Pure. */
#ifndef IMDIR_MODEL_INPUT_H
#define IMDIR_MODEL_INPUT_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/model/identity.h"
#include "lib/model/record.h"

#include <stdbool.h>

/* A row of a table as it was read, so that it can be written again. */
struct im_row {
    const char *const *cells; /* text, never NULL */
    size_t count;
};

struct im_input {
    const char *text;   /* as named by the operator; NULL: chosen by a condition */
    const char *source; /* "joiners.csv:12", or NULL for an argument */
    struct im_identity identity;
    const char *home, *domain, *address; /* asked for this account: as --home, --domain, --address; NULL: nothing */
    const struct im_row *row;            /* the line of a CSV file, else NULL */
    const struct im_record *record;      /* what is to be applied or undone, else NULL */
    const char *bad;                     /* why this row cannot be used (--skip-bad-rows), in words; else NULL */
};

/* The inputs of a run, one after another. They are never all in memory. */
struct im_inputs {
    void *user;
    /* Hands out the next one, its pieces in `pool`; *is_end where there is none. */
    enum im_err (*next)(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e);
    /* Back to the first: a run may go through them more than once. */
    enum im_err (*rewind)(void *user, struct im_error *e);
};

#endif
