/* Facts about the organisation: who is homed where, and the names of domains. */
#ifndef IMDIR_DIRECTORY_TOPOLOGY_H
#define IMDIR_DIRECTORY_TOPOLOGY_H

#include "lib/directory/directory.h"
#include "lib/model/profile.h"
#include "lib/model/server.h"

/* Sets users of each server that hosts users, and of a router that homes some all the same, by one scan. bases: where accounts
 * are (NULL-terminated). */
enum im_err im_topology_count_users(struct im_directory *d, const struct im_profile *profile, const char *const *bases,
                                    struct im_servers *servers, struct im_error *e);
/* DNS or NetBIOS name of the domain that `dn` is in, to check DOMAIN\name; NULL: unknown. */
enum im_err im_topology_netbios(struct im_directory *d, const char *dn, struct im_pool *pool, const char **out,
                                struct im_error *e);

#endif
