/* Reading a directory's schema, and extending it. */
#ifndef IMDIR_DIRECTORY_SCHEMA_H
#define IMDIR_DIRECTORY_SCHEMA_H

#include "lib/directory/directory.h"
#include "lib/model/profile.h"

#include <stdatomic.h>

/* AD: from the schema partition (all classes; attributes of the profile and those that decoding and resolving use). Elsewhere:
 * the subschema subentry with DIT content rules. Pieces in pool. IM_E_SCHEMA: not readable. */
enum im_err im_schema_read(struct im_directory *d, const struct im_profile *profile, struct im_pool *pool, struct im_schema *out,
                           struct im_error *e);

/* Called for each step: "adding attribute msExchIMAddress", "waiting for ...". */
typedef void im_schema_progress_fn(void *user, const char *step);

struct im_schema_extension {
    const struct im_profile *profile;
    long timeout_s;                  /* how long to wait for a step to become active */
    const atomic_int *stop;          /* looked at between steps and while waiting; NULL: never */
    im_schema_progress_fn *progress; /* or NULL */
    void *user;
    bool dry_run; /* only looks whether this server and account can be worked with; rights to write stay untested */
    bool wrote;   /* set: something was or may have been written */
};

/* Adds what is missing, in the order that the server needs, and waits until each step is active. Stops before the first write on
 * a conflict (IM_E_SCHEMA) and on a server that is not the schema master (IM_E_SCHEMA, names the master and the command to run).
 */
enum im_err im_schema_extend(struct im_directory *d, struct im_schema_extension *extension, struct im_error *e);

/* Host name of the schema master (fSMORoleOwner); NULL in *host where this server is it. AD only. */
enum im_err im_schema_master(struct im_directory *d, struct im_pool *pool, const char **host, struct im_error *e);

#endif
