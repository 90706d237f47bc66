/* Domain controllers are asked to fetch objects from another one, side by side (MS-ADTS 3.1.1.3.3.18). */
#ifndef IMDIR_DIRECTORY_FETCHING_H
#define IMDIR_DIRECTORY_FETCHING_H

#include "lib/directory/replicas.h"

/* What all of them are to fetch. Everything is borrowed. */
struct im_to_fetch {
    const struct im_live_options *options; /* of the connection that wrote */
    const char *source;                    /* DN of the NTDS Settings of the one that has them */
    const char *const *refs;               /* <GUID=...> of each object */
    size_t count;
    /* im_replica_open, or what stands in for it in a test */
    enum im_err (*open)(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                        struct im_error *e);
};

/* One domain controller, and what became of it. */
struct im_fetching {
    const struct im_replica *replica;
    /* filled by the function below */
    bool has_ended;         /* false: it was stopped before */
    size_t fetched, failed; /* objects; others were not asked for */
    bool is_unsupported;    /* it knows no such request (Samba); nothing was fetched */
    enum im_family family;  /* that it says it belongs to */
    struct im_error why;    /* IM_OK: nothing failed. Else why it could not be asked, or the first object that failed */
};

/* Asks each for all objects now; it answers when the object is there. One is connected to while those before it are at work
 * already. Objects that are refused do not keep it from the others, unless it is the right that is missing. A busy one is asked
 * again after a while, until it has been busy for some seconds. What one of them cannot is no error of the call, but in its
 * `why`. IM_E_INTERRUPTED: a stop request, which is heard also while answers are awaited; those that have ended are told of. */
enum im_err im_replicas_fetch(const struct im_to_fetch *what, struct im_fetching *each, size_t count, struct im_error *e);

#endif
