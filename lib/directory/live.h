/* Connecting to a real server. */
#ifndef IMDIR_DIRECTORY_LIVE_H
#define IMDIR_DIRECTORY_LIVE_H

#include "lib/base/secret.h"
#include "lib/directory/directory.h"
#include "lib/model/config.h"

#include <stdatomic.h>

/* Messages for standard error. level 1 = -v, 2 = -vv (one line an operation, never a secret), 0 = warnings. */
typedef void im_log_fn(void *user, int level, const char *text);

struct im_live_options {
    const struct im_config *config;
    const struct im_secret *password; /* simple bind and SASL mechanisms that need one; NULL: none */
    const atomic_int *stop;           /* set by a signal handler: waiting ends with IM_E_INTERRUPTED. NULL: never */
    im_log_fn *log;
    void *log_user;
    int verbosity;    /* messages above this level are not made at all */
    bool will_change; /* refuse a global catalog port (3268, 3269) */
};

/* Tries the configured URIs (or the servers that DNS names) in order; the first that answers is pinned. Connecting has a deadline
 * of its own that covers TLS. Binds and reads the root DSE. Errors say for each server what went wrong: IM_E_USAGE (no server
 * named, cleartext password refused), IM_E_CONNECT, IM_E_TLS, IM_E_AUTH. Authentication failure at one server ends the search for
 * another. */
enum im_err im_live_open(const struct im_live_options *options, struct im_directory **out, struct im_error *e);
/* The same with several connections to the server that answers, as one directory (several.h). */
enum im_err im_live_open_several(const struct im_live_options *options, size_t connections, struct im_directory **out,
                                 struct im_error *e);
/* The same host, security and identity as `d`, on the global catalog port. */
enum im_err im_live_open_gc(const struct im_live_options *options, const struct im_directory *d, struct im_directory **out,
                            struct im_error *e);

#endif
