/* Facts about the organisation: home servers, domains, password policy. */
#ifndef IMDIR_DIRECTORY_TOPOLOGY_H
#define IMDIR_DIRECTORY_TOPOLOGY_H

#include "lib/directory/directory.h"
#include "lib/model/profile.h"
#include "lib/model/server.h"

#include <stdint.h>

/* Server objects by class: in the configuration partition (AD), else in all naming contexts. name = CN of the server object that
 * holds the virtual server (the parent of CN=Protocols), else the object's own CN. Objects that cannot be read are not "none". */
enum im_err im_topology_servers(struct im_directory *d, const struct im_profile *profile, const struct im_schema *schema,
                                struct im_pool *pool, struct im_servers *out, struct im_error *e);
/* Sets users of each server that hosts users, and of a router that homes some all the same, by one scan. bases: where accounts
 * are (NULL-terminated). */
enum im_err im_topology_count_users(struct im_directory *d, const struct im_profile *profile, const char *const *bases,
                                    struct im_servers *servers, struct im_error *e);
/* Configured records without a DN, or whose DN does not exist, are errors that name the record; on AD the target must exist. */
enum im_err im_topology_check_servers(struct im_directory *d, const struct im_servers *servers, struct im_error *e);
/* maxPwdAge of the domain in seconds; 0 = none or not an AD. */
enum im_err im_topology_max_password_age(struct im_directory *d, int64_t *seconds, struct im_error *e);
/* Domain naming contexts of the forest (crossRef objects); elsewhere all naming contexts that hold data. NULL-terminated, in
 * pool. */
enum im_err im_topology_domains(struct im_directory *d, struct im_pool *pool, const char *const **out, struct im_error *e);
/* DNS or NetBIOS name of the domain that `dn` is in, to check DOMAIN\name; NULL: unknown. */
enum im_err im_topology_netbios(struct im_directory *d, const char *dn, struct im_pool *pool, const char **out,
                                struct im_error *e);

#endif
