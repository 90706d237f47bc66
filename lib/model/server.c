#include "lib/model/server.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/model/spread.h"
#include "lib/model/want.h"

#include <string.h>

#define PROTOCOLS "Protocols"

const char *im_server_name_of_dn(const char *dn, struct im_pool *pool) {
    struct im_buf at = IM_BUF_INIT;
    struct im_buf above = IM_BUF_INIT;
    struct im_buf value = IM_BUF_INIT;
    bool is_next = false;
    bool is_found = false;
    im_buf_adds(&at, dn);
    while (!is_found && !at.failed && !value.failed && im_dn_parent(im_buf_str(&at), &above)) {
        struct im_buf swap = at;
        at = above;
        above = swap;
        im_buf_clear(&above);
        im_buf_clear(&value);
        is_found = im_dn_first_value(im_buf_str(&at), &value) && is_next;
        is_next = im_text_equal(im_buf_str(&value), PROTOCOLS);
    }
    if (!is_found && !value.failed) {
        im_buf_clear(&value);
        is_found = im_dn_first_value(dn, &value);
    }
    bool failed = at.failed || above.failed || value.failed;
    const char *name = is_found && !failed ? im_pool_strdup(pool, im_buf_str(&value)) : NULL;
    im_buf_free(&at);
    im_buf_free(&above);
    im_buf_free(&value);
    return name;
}

static struct im_server *find_same(struct im_servers *servers, const struct im_config_server *record, bool *failed) {
    for (size_t i = 0; i < servers->count; i++) {
        struct im_server *s = &servers->items[i];
        if (record->dn ? s->dn && im_home_equal(s->dn, record->dn, failed)
                       : s->host && record->host && im_text_equal(s->host, record->host))
            return s;
    }
    return NULL;
}

enum im_err im_servers_merge_config(struct im_servers *servers, const struct im_config *config, struct im_pool *pool,
                                    struct im_error *e) {
    (void)pool; /* records live as long as the configuration */
    for (size_t i = 0; i < config->servers.count; i++) {
        const struct im_config_server *record = &config->servers.items[i];
        bool failed = false;
        struct im_server *server = find_same(servers, record, &failed);
        if (!server) {
            server = failed ? NULL : im_vec_push(servers);
            if (!server)
                return im_error_nomem(e);
            server->dn = record->dn;
            server->users = -1;
            server->hosts_users = record->hosts_users; /* decides only where the directory does not describe the server */
        }
        server->name = record->name ? record->name : record->host;
        server->host = record->host ? record->host : server->host;
        server->domains = record->domains;
        server->capacity = record->capacity;
        server->where = record->where;
    }
    return IM_OK;
}

static void list_names(const struct im_servers *servers, bool only_homes, struct im_buf *out) {
    for (size_t i = 0; i < servers->count; i++) {
        if (!only_homes || servers->items[i].hosts_users)
            im_buf_addf(out, "%s%s", out->len ? ", " : "", servers->items[i].name);
    }
    if (!out->len)
        im_buf_adds(out, "none is known or may be seen; name them under \"servers:\" in the configuration");
}

bool im_server_is_named(const struct im_server *server, const char *spec) {
    return im_text_equal(server->name, spec) || (server->host && im_text_equal(server->host, spec)) ||
           (server->dn && strchr(spec, '=') && im_dn_equal(server->dn, spec));
}

enum im_err im_servers_find(const struct im_servers *servers, const char *spec, const struct im_server **out,
                            struct im_error *e) {
    const struct im_server *found = NULL;
    size_t hits = 0;
    struct im_buf list = IM_BUF_INIT;
    for (size_t i = 0; i < servers->count; i++) {
        if (!im_server_is_named(&servers->items[i], spec))
            continue;
        found = &servers->items[i];
        hits++;
        im_buf_addf(&list, "%s%s", list.len ? ", " : "", found->dn ? found->dn : found->name);
    }
    enum im_err err = IM_OK;
    if (hits > 1) {
        err = im_error_set(e, IM_E_USAGE, "the server \"%s\" is ambiguous: name one by its DN: %s", spec, im_buf_str(&list));
    } else if (!found) {
        im_buf_clear(&list);
        list_names(servers, true, &list);
        err = im_error_set(e, IM_E_USAGE, "there is no server \"%s\"; home servers: %s", spec, im_buf_str(&list));
    } else {
        *out = found;
    }
    im_buf_free(&list);
    return err;
}

/* Nearly always it is spelled as the server's own DN. */
static const struct im_server *find_spelled(const struct im_servers *servers, const char *dn) {
    for (size_t i = 0; dn && i < servers->count; i++) {
        const char *own = servers->items[i].dn;
        if (own && (strcmp(own, dn) == 0 || im_text_equal(own, dn)))
            return &servers->items[i];
    }
    return NULL;
}

const struct im_server *im_servers_at(const struct im_servers *servers, const char *dn, bool *failed) {
    const struct im_server *found = find_spelled(servers, dn);
    struct im_buf wanted = IM_BUF_INIT;
    struct im_buf own = IM_BUF_INIT;
    bool is_dn = !found && dn && im_dn_normalize(dn, &wanted);
    for (size_t i = 0; is_dn && !found && !own.failed && i < servers->count; i++) {
        im_buf_clear(&own);
        if (servers->items[i].dn && im_dn_normalize(servers->items[i].dn, &own) &&
            strcmp(im_buf_str(&own), im_buf_str(&wanted)) == 0)
            found = &servers->items[i];
    }
    *failed = *failed || wanted.failed || own.failed;
    im_buf_free(&wanted);
    im_buf_free(&own);
    return found;
}

const struct im_server *im_servers_by_dn(const struct im_servers *servers, const char *dn) {
    bool failed = false;
    return im_servers_at(servers, dn, &failed);
}

static bool lists_domain(const struct im_server *server, const char *domain) {
    for (size_t i = 0; i < server->domains.count; i++) {
        if (im_text_equal(server->domains.items[i], domain))
            return true;
    }
    return false;
}

bool im_servers_know_domain(const struct im_servers *servers, const char *domain) {
    for (size_t i = 0; i < servers->count; i++) {
        if (im_text_equal(servers->items[i].host, domain) || lists_domain(&servers->items[i], domain))
            return true;
    }
    return false;
}

bool im_server_serves(const struct im_server *server, const char *domain) {
    return server->domains.count == 0 || lists_domain(server, domain);
}

enum im_err im_servers_default_home(const struct im_servers *servers, const char *configured, const char *domain,
                                    const struct im_server **out, struct im_error *e) {
    if (configured && im_text_equal(configured, "auto")) {
        const struct im_server *least = im_spread_least_loaded(servers, NULL, domain);
        if (!least) {
            return im_error_set(e, IM_E_USAGE, "no home server has room%s%s", domain ? " for the IM domain " : "",
                                domain ? domain : "");
        }
        *out = least;
        return IM_OK;
    }
    if (configured)
        return im_servers_find(servers, configured, out, e);
    const struct im_server *only = NULL;
    size_t homes = 0;
    for (size_t i = 0; i < servers->count; i++) {
        if (servers->items[i].hosts_users) {
            only = &servers->items[i];
            homes++;
        }
    }
    if (homes == 1) {
        *out = only;
        return IM_OK;
    }
    struct im_buf list = IM_BUF_INIT;
    list_names(servers, true, &list);
    im_error_set(e, IM_E_USAGE, "which home server? Choose one with --home (or --home auto): %s", im_buf_str(&list));
    im_buf_free(&list);
    return IM_E_USAGE;
}

/* The only router's name; *routers counts them. */
static const char *router_name(const struct im_servers *servers, size_t *routers) {
    const char *name = NULL;
    *routers = 0;
    for (size_t i = 0; i < servers->count; i++) {
        const struct im_server *s = &servers->items[i];
        if (s->hosts_users || !s->host || (name && im_text_equal(name, s->host)))
            continue; /* several routers may share one name */
        name = s->host;
        ++*routers;
    }
    return name;
}

/* Adds a domain that none of the servers before has named. */
static void list_domain(const struct im_servers *servers, size_t index, const char *domain, struct im_buf *list) {
    for (size_t i = 0; i < index; i++) {
        const struct im_server *s = &servers->items[i];
        if (lists_domain(s, domain) || (!s->hosts_users && im_text_equal(s->host, domain)))
            return;
    }
    im_buf_addf(list, "%s%s", list->len ? ", " : "", domain);
}

static enum im_err domain_choice(const struct im_servers *servers, const char *wrong, struct im_error *e) {
    struct im_buf list = IM_BUF_INIT;
    for (size_t i = 0; i < servers->count; i++) {
        const struct im_server *s = &servers->items[i];
        if (s->host && !s->hosts_users && !lists_domain(s, s->host))
            list_domain(servers, i, s->host, &list);
        for (size_t d = 0; d < s->domains.count; d++)
            list_domain(servers, i, s->domains.items[d], &list);
    }
    for (size_t i = 0; !list.len && i < servers->count; i++) {
        if (servers->items[i].host)
            list_domain(servers, i, servers->items[i].host, &list);
    }
    if (!list.len)
        list_names(servers, false, &list);
    if (wrong) {
        im_error_set(e, IM_E_USAGE, "no server serves the IM domain \"%s\"; known: %s", wrong, im_buf_str(&list));
    } else {
        im_error_set(e, IM_E_USAGE, "which IM domain? Choose one with --domain: %s", im_buf_str(&list));
    }
    im_buf_free(&list);
    return IM_E_USAGE;
}

enum im_err im_servers_default_domain(const struct im_servers *servers, const char *configured, const struct im_server *home,
                                      const char **out, struct im_error *e) {
    if (configured && !im_servers_know_domain(servers, configured))
        return domain_choice(servers, configured, e);
    size_t routers = 0;
    const char *router = router_name(servers, &routers);
    const char *domain = configured;
    if (!domain && home && home->domains.count == 1)
        domain = home->domains.items[0];
    const char *name = routers == 1 ? router : routers == 0 && home ? home->host : NULL;
    if (!domain && name && (!home || im_server_serves(home, name))) /* never a domain that the home is configured not to serve */
        domain = name;
    if (!domain)
        return domain_choice(servers, NULL, e);
    *out = domain;
    return IM_OK;
}
