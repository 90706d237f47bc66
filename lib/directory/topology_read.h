/* Facts about the organisation, as searches that are asked and ended. Internal to this room. */
#ifndef IMDIR_DIRECTORY_TOPOLOGY_READ_H
#define IMDIR_DIRECTORY_TOPOLOGY_READ_H

#include "lib/directory/ask.h"
#include "lib/directory/topology.h"

/* Domain naming contexts of the forest (crossRef objects); elsewhere all naming contexts that hold data. */
struct im_domains_reading {
    struct im_pool *pool;
    /* kept by the functions below */
    const char *dn;     /* whose domain is looked for as well, normalised; or NULL */
    const char **names; /* NULL-terminated */
    size_t count;
    const char *netbios; /* of the domain that dn is in; NULL: not known */
    size_t length;       /* of that domain's name */
};

/* dn: whose domain's NetBIOS name is wanted, on Active Directory; or NULL. */
enum im_err im_domains_ask(struct im_asks *asks, const char *dn, struct im_domains_reading *r, struct im_error *e);
enum im_err im_domains_end(const struct im_asks *asks, const struct im_domains_reading *r, const char *const **out,
                           struct im_error *e);

/* Server objects by class: in the configuration partition (AD), else in all naming contexts. name = CN of the server object that
 * holds the virtual server (the parent of CN=Protocols), else the object's own CN. They are in `servers` when the searches are
 * done; objects that cannot be read are not "none". */
struct im_servers_reading {
    const struct im_profile *profile;
    struct im_pool *pool;
    struct im_servers *servers;
    /* kept by the function below */
    const char *filter;
    const char *attributes[3];
};

enum im_err im_servers_ask(struct im_asks *asks, struct im_servers_reading *r, struct im_error *e);

/* Do the server objects that the configuration names exist? A home server without a DN, or whose DN does not exist, is an error
 * that names the record. */
struct im_configured_reading {
    bool keeps_gone; /* what is not there is no error: its server->is_gone is set */
    /* kept by the functions below */
    const struct im_config *config;
    bool *exists; /* one for each record */
};

enum im_err im_configured_ask(struct im_asks *asks, const struct im_config *config, struct im_configured_reading *r,
                              struct im_error *e);
/* Joins the records to `servers`, which the directory showed. IM_E_CONFIG: one of them is not there. */
enum im_err im_configured_end(const struct im_asks *asks, const struct im_configured_reading *r, struct im_servers *servers,
                              struct im_error *e);

#endif
