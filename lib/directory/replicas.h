/* Finding and asking the other servers that hold the same accounts. */
#ifndef IMDIR_DIRECTORY_REPLICAS_H
#define IMDIR_DIRECTORY_REPLICAS_H

#include "lib/directory/live.h"
#include "lib/model/replica_facts.h"

/* Those of `directory.replicas`; where there are none, on Active Directory the domain controllers that hold the naming context of
 * `base` (MS-ADTS 6.1.1.2.2.1.2.1: nTDSDSA objects below CN=Sites), read-only ones too. The server that d is bound to is left
 * out. URIs have the scheme and port of d's. Pieces in pool; free with im_vec_free. */
enum im_err im_replicas_list(struct im_directory *d, const struct im_config *config, const char *base, struct im_pool *pool,
                             struct im_replicas *out, struct im_error *e);
/* With the security and identity of `options`, whose configuration must outlive the directory; nothing is logged. */
enum im_err im_replica_open(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                            struct im_error *e);

#endif
