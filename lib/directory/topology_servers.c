/* Home servers and routers: found in the directory, checked, and their users counted. */
#include "lib/directory/topology_read.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/directory/homes.h"

#include <string.h>

static const char *const only_dn[] = {"1.1", NULL};

/* ---- server objects ---- */

static enum im_err take_server(void *user, const struct im_entry *entry, struct im_error *e) {
    struct im_servers_reading *f = user;
    const char *host = f->profile->servers.name_attribute ? im_entry_string(entry, f->profile->servers.name_attribute) : NULL;
    const char *hosts_users = f->profile->servers.hosts_users_attribute;
    struct im_server *server = im_vec_push(f->servers);
    if (!server)
        return im_error_nomem(e);
    *server = (struct im_server){
        .name = im_server_name_of_dn(entry->dn, f->pool),
        .host = im_pool_strdup(f->pool, host),
        .dn = im_pool_strdup(f->pool, entry->dn),
        .hosts_users = hosts_users && im_entry_has_value(entry, hosts_users, "TRUE"),
        .users = -1,
        .where = "directory",
    };
    return server->name && server->dn && (server->host || !host) ? IM_OK : im_error_nomem(e);
}

static enum im_err ask_below(struct im_asks *asks, const char *base, bool may_be_missing, struct im_servers_reading *r,
                             struct im_error *e) {
    struct im_ask ask = {
        .search = {.base = base, .scope = IM_SEARCH_SUB, .filter = r->filter, .attributes = r->attributes, .no_paging = true},
        .may_be_missing = may_be_missing,
        .take = take_server,
        .user = r,
    };
    return im_asks_add(asks, &ask, e);
}

enum im_err im_servers_ask(struct im_asks *asks, struct im_servers_reading *r, struct im_error *e) {
    const struct im_rootdse *root = im_directory_rootdse(asks->directory);
    const struct im_attr *contexts = im_entry_attr(root->entry, "namingContexts");
    const char *class = r->profile->servers.object_class;
    enum im_err err = IM_OK;
    if (!class)
        return IM_OK;
    r->filter = im_pool_printf(r->pool, "(objectClass=%s)", class);
    if (!r->filter)
        return im_error_nomem(e);
    r->attributes[0] = r->profile->servers.name_attribute ? r->profile->servers.name_attribute : only_dn[0];
    r->attributes[1] = r->profile->servers.hosts_users_attribute;
    if (root->is_ad && root->config_nc)
        return ask_below(asks, root->config_nc, false, r, e);
    for (size_t i = 0; err == IM_OK && contexts && i < contexts->count; i++)
        err = ask_below(asks, contexts->values[i].bv_val, true, r, e); /* it may be empty */
    return err;
}

/* ---- users of each server ---- */

enum im_err im_topology_count_users(struct im_directory *d, const struct im_profile *profile, const char *const *bases,
                                    struct im_servers *servers, struct im_error *e) {
    struct im_homes homes;
    enum im_err err = im_homes_begin(&homes, e);
    if (err != IM_OK)
        return err;
    err = im_homes_scan(d, profile, bases, false, &homes, e);
    if (err == IM_OK)
        err = im_homes_settle(&homes, servers, e);
    im_homes_free(&homes);
    return err;
}

/* ---- configured servers ---- */

static enum im_err note_exists(void *user, const struct im_entry *entry, struct im_error *e) {
    bool *exists = user;
    (void)entry, (void)e;
    *exists = true;
    return IM_OK;
}

static bool is_configured(const struct im_server *server) {
    return server->where && strcmp(server->where, "directory") != 0;
}

static enum im_err judge_server(const struct im_directory *d, const struct im_server *server, bool exists, struct im_error *e) {
    if (!is_configured(server))
        return IM_OK;
    if (!server->dn && server->hosts_users) {
        return im_error_set_at(e, IM_E_CONFIG, server->where, 0, 0,
                               "the home server \"%s\" has no \"dn\", and the directory has no server object with its host name",
                               server->name);
    }
    if (server->dn && !exists) {
        return im_error_set_at(e, IM_E_CONFIG, server->where, 0, 0,
                               "the object of the server \"%s\", \"%s\", does not exist or is not visible to %s", server->name,
                               server->dn, im_directory_identity(d));
    }
    return IM_OK;
}

static enum im_err ask_exists(struct im_asks *asks, const char *dn, bool *exists, struct im_error *e) {
    struct im_ask ask = {
        .search = {.base = dn, .scope = IM_SEARCH_BASE, .attributes = only_dn},
        .may_be_missing = true,
        .take = note_exists,
        .user = exists,
    };
    return im_asks_add(asks, &ask, e);
}

enum im_err im_configured_ask(struct im_asks *asks, const struct im_config *config, struct im_configured_reading *r,
                              struct im_error *e) {
    r->config = config;
    r->exists = im_pool_array(asks->pool, config->servers.count, sizeof *r->exists);
    enum im_err err = r->exists ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < config->servers.count; i++) {
        if (config->servers.items[i].dn)
            err = ask_exists(asks, config->servers.items[i].dn, &r->exists[i], e);
    }
    return err;
}

/* What the directory showed exists; what only the configuration names does so where it was seen. */
static bool was_seen(const struct im_configured_reading *r, const struct im_server *server) {
    for (size_t i = 0; i < r->config->servers.count; i++) {
        if (r->config->servers.items[i].dn == server->dn)
            return r->exists[i];
    }
    return false;
}

enum im_err im_configured_end(const struct im_asks *asks, const struct im_configured_reading *r, struct im_servers *servers,
                              struct im_error *e) {
    size_t found = servers->count;
    enum im_err err = im_servers_merge_config(servers, r->config, asks->pool, e);
    for (size_t i = 0; err == IM_OK && i < servers->count; i++) {
        struct im_server *server = &servers->items[i];
        bool exists = i < found || was_seen(r, server);
        if (r->keeps_gone) {
            server->is_gone = server->dn ? !exists : server->hosts_users;
        } else {
            err = judge_server(asks->directory, server, exists, e);
        }
    }
    return err;
}
