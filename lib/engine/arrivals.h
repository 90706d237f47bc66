/* What a run has written, and whether the other servers have it by now. */
#ifndef IMDIR_ENGINE_ARRIVALS_H
#define IMDIR_ENGINE_ARRIVALS_H

#include "lib/directory/replicas.h"
#include "lib/model/profile.h"
#include "lib/model/result.h"

struct im_written;

struct im_written *im_written_new(const struct im_profile *profile); /* NULL when out of memory */
void im_written_free(struct im_written **written);
/* Remembers what a changed account has now; other outcomes are passed over. */
enum im_err im_written_add(struct im_written *w, const struct im_result *result, struct im_error *e);
size_t im_written_count(const struct im_written *w);
const char *const *im_written_refs(const struct im_written *w); /* <GUID=...> or DN of each */

/* Everything is borrowed. */
struct im_awaited {
    const struct im_live_options *options; /* of the connection that wrote */
    const struct im_replicas *replicas;
    const struct im_written *written;
    long seconds;
    /* im_replica_open, or what stands in for it in a test */
    enum im_err (*open)(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                        struct im_error *e);
};

/* Asks every replica again and again, side by side, until it has what was written or the seconds are over; (*out)[i] goes with
 * replicas->items[i]. A replica that cannot be reached at first is not tried again; one that is lost on the way, or busy, is.
 * Neither is an error, but a state. Pieces in pool. IM_E_INTERRUPTED: a stop request; *out tells what is known by then. */
enum im_err im_arrivals_await(const struct im_awaited *a, struct im_pool *pool, struct im_arrival **out, struct im_error *e);

#endif
