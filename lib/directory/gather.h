/* What a command has to know about a directory before it can ask about people: gathered in one round trip after the root DSE. */
#ifndef IMDIR_DIRECTORY_GATHER_H
#define IMDIR_DIRECTORY_GATHER_H

#include "lib/directory/directory.h"
#include "lib/directory/lookup.h"
#include "lib/model/profile.h"
#include "lib/model/schema.h"
#include "lib/model/server.h"

struct im_gather {
    struct im_directory *directory;
    const struct im_config *config;
    const struct im_profile *profile;
    bool needs_servers;
    bool keeps_gone; /* servers of the configuration that have no object in the directory are no error, but is_gone */
    /* Searches of the caller that travel with these, with a pool of their own; or NULL. What a busy server refused is left
     * waiting. */
    struct im_lookups *also;
};

struct im_gathered {
    struct im_schema schema;
    const char *const *domains; /* of the forest, elsewhere naming contexts that hold data; NULL-terminated */
    const char *netbios;        /* of the domain that accounts are in, on Active Directory; NULL: not known */
    struct im_servers servers;  /* the directory's and the configuration's, which exist; to be freed with im_vec_free */
};

/* Pieces in pool. Errors are those of im_schema_read; IM_E_INVISIBLE: no naming context with data can be seen; IM_E_CONFIG: a
 * server that the configuration names is not there. */
enum im_err im_gather(const struct im_gather *g, struct im_pool *pool, struct im_gathered *out, struct im_error *e);

#endif
