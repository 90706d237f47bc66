/* Finding and asking the other servers that hold the same accounts. */
#ifndef IMDIR_DIRECTORY_REPLICAS_H
#define IMDIR_DIRECTORY_REPLICAS_H

#include "lib/directory/live.h"
#include "lib/model/replica_facts.h"

/* Those of `directory.replicas`; where there are none, on Active Directory the domain controllers that hold the naming context of
 * `base` (MS-ADTS 6.1.1.2.2.1.2.1: nTDSDSA objects below CN=Sites). The server that d is bound to is left out. URIs have the
 * scheme and port of d's. Pieces in pool; free with im_vec_free. */
enum im_err im_replicas_list(struct im_directory *d, const struct im_config *config, const char *base, struct im_pool *pool,
                             struct im_replicas *out, struct im_error *e);
/* With the security and identity of `options`, which are not logged from here. */
enum im_err im_replica_open(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                            struct im_error *e);

/* Asks a domain controller to fetch objects from another one now (MS-ADTS 3.1.1.3.3.18): `source` is the DN of that one's NTDS
 * Settings, refs are <GUID=...>. *is_supported is false where the server knows no such request (Samba). Objects that could not be
 * fetched are an error that names the first. */
enum im_err im_replica_fetch(struct im_directory *replica, const char *source, const char *const *refs, size_t count,
                             bool *is_supported, struct im_error *e);

#endif
