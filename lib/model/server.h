/* Home servers and routers, from the directory and from the configuration. Pure. */
#ifndef IMDIR_MODEL_SERVER_H
#define IMDIR_MODEL_SERVER_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/model/config.h"

#include <stdbool.h>
#include <stddef.h>

struct im_server {
    const char *name; /* in the configuration, else the CN of the server object that holds the virtual server, else the host */
    const char *host; /* DNS name; NULL where the object has none */
    const char *dn;   /* what the home attribute points at; NULL: none known */
    struct im_strings domains; /* configured limit; none = serves any */
    bool hosts_users;          /* home server; else router */
    bool is_gone;              /* only the configuration knows it: its object is not in the directory, or may not be seen */
    long capacity;             /* users; 0 = not given */
    long users;                /* homed there; -1 = not counted */
    const char *where;         /* "imdir.yaml:12:5" or "directory" */
};

struct im_servers {
    struct im_server *items;
    size_t count, cap;
};

/* Joins the configuration's records to those found in the directory (same DN, else same host: one server; the configuration adds
 * name, domains, capacity). Adds to `servers`, pieces in pool. */
enum im_err im_servers_merge_config(struct im_servers *servers, const struct im_config *config, struct im_pool *pool,
                                    struct im_error *e);

/* What a server is called whose object has this DN: the CN of what lies above CN=Protocols, else of the object itself. In pool;
 * NULL: not a DN, or out of memory. */
const char *im_server_name_of_dn(const char *dn, struct im_pool *pool);

/* By configured name, CN of the server object, FQDN or DN, letter case ignored. IM_E_USAGE: none (lists the names) or several. */
enum im_err im_servers_find(const struct im_servers *servers, const char *spec, const struct im_server **out, struct im_error *e);
bool im_server_is_named(const struct im_server *server, const char *spec);                  /* in one of these ways */
const struct im_server *im_servers_by_dn(const struct im_servers *servers, const char *dn); /* NULL: none */
/* The same; *failed is set where there was no memory to find out. */
const struct im_server *im_servers_at(const struct im_servers *servers, const char *dn, bool *failed);

/* An IM domain is the name of a router, of a home that is addressed directly, or one that the configuration lists. */
bool im_servers_know_domain(const struct im_servers *servers, const char *domain);
bool im_server_serves(const struct im_server *server, const char *domain); /* no configured limit, or within it */

/* `enable.home` where set ("auto" = least loaded), else the only server that hosts users; else IM_E_USAGE that lists them. */
enum im_err im_servers_default_home(const struct im_servers *servers, const char *configured, const char *domain,
                                    const struct im_server **out, struct im_error *e);
/* `enable.domain` where set and known; else the home's only configured domain; else the only router's name; else, without
 * routers, the home's own name; else IM_E_USAGE that lists them. A router's or the home's name counts only where the home's
 * configured domains do not exclude it. */
enum im_err im_servers_default_domain(const struct im_servers *servers, const char *configured, const struct im_server *home,
                                      const char **out, struct im_error *e);

#endif
