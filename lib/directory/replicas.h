/* Finding and asking the other servers that hold the same accounts. */
#ifndef IMDIR_DIRECTORY_REPLICAS_H
#define IMDIR_DIRECTORY_REPLICAS_H

#include "lib/directory/live.h"
#include "lib/model/replica_facts.h"

#include <stdatomic.h>

/* Those of `directory.replicas`; where there are none, on Active Directory the domain controllers that hold the naming context of
 * `base` (MS-ADTS 6.1.1.2.2.1.2.1: nTDSDSA objects below CN=Sites), read-only ones too. The server that d is bound to is left
 * out. URIs have the scheme and port of d's. Pieces in pool; free with im_vec_free. */
enum im_err im_replicas_list(struct im_directory *d, const struct im_config *config, const char *base, struct im_pool *pool,
                             struct im_replicas *out, struct im_error *e);
/* With the security and identity of `options`, whose configuration must outlive the directory; nothing is logged. */
enum im_err im_replica_open(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                            struct im_error *e);

/* What a domain controller is asked to fetch from another one, and what became of it. */
struct im_fetching {
    const char *source;      /* DN of the NTDS Settings of the one that has it */
    const char *const *refs; /* <GUID=...> of each object */
    size_t count;
    const atomic_int *stop; /* as in im_live_options */
    /* filled by the function below */
    size_t fetched, failed;
    bool is_unsupported; /* it knows no such request (Samba); nothing was fetched */
};

/* Asks for them now (MS-ADTS 3.1.1.3.3.18: answered when the object is there). Objects that could not be fetched are an error,
 * which names the first; the others are fetched all the same, unless it is the right that is missing. A busy server is asked
 * again after a while, until it has been busy for some seconds. */
enum im_err im_replica_fetch(struct im_directory *replica, struct im_fetching *f, struct im_error *e);

#endif
