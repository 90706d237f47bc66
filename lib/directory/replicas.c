#include "lib/directory/replicas.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/hostname.h"
#include "lib/directory/live_uri.h"
#include "lib/model/organisation.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_INBOUND = 2, NO_OUTBOUND = 4 }; /* options of nTDSDSA (MS-ADTS 6.1.1.2.2.1.2.1.1) */

/* ---- listing ---- */

struct listing {
    struct im_directory *d;
    const char *context; /* the naming context that has the accounts */
    const char *config_nc;
    struct im_pool *pool;
    struct im_replicas *out;
    const char *scheme; /* of the server that we are bound to */
    int port;           /* 0: the scheme's own */
    LDAPURLDesc *url;
};

static enum im_err add(struct listing *l, struct im_replica replica, struct im_error *e) {
    struct im_replica *place = im_vec_push(l->out);
    if (!place || !replica.name || !replica.uri)
        return im_error_nomem(e);
    *place = replica;
    return IM_OK;
}

static enum im_err list_configured(struct listing *l, const struct im_config *config, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < config->replicas.count; i++) {
        const char *uri = im_pool_strdup(l->pool, config->replicas.items[i]);
        if (im_text_equal(uri, im_directory_uri(l->d)))
            continue;
        err = add(l, (struct im_replica){.name = uri, .uri = uri, .kind = IM_REPLICA_CONFIGURED}, e);
    }
    return err;
}

/* *out NULL: no DN. */
static enum im_err normalize(const char *dn, struct im_pool *pool, const char **out, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    bool is_dn = dn && im_dn_normalize(dn, &text);
    *out = is_dn ? im_pool_strdup(pool, im_buf_str(&text)) : NULL;
    bool is_lost = text.failed || (is_dn && !*out);
    im_buf_free(&text);
    return is_lost ? im_error_nomem(e) : IM_OK;
}

/* Of several that the base lies below, the innermost: the domain of a child lies below that of its parent. */
static enum im_err find_context(struct listing *l, const struct im_rootdse *root, const char *base, struct im_error *e) {
    const struct im_attr *contexts = im_entry_attr(root->entry, "namingContexts");
    const char *place;
    enum im_err err = normalize(base, l->pool, &place, e);
    for (size_t i = 0; err == IM_OK && place && contexts && i < contexts->count; i++) {
        const char *context;
        err = normalize(contexts->values[i].bv_val, l->pool, &context, e);
        if (err == IM_OK && context && im_key_is_under(place, context) && (!l->context || im_key_is_under(context, l->context)))
            l->context = context;
    }
    return err;
}

static enum im_err holds_context(const struct listing *l, const struct im_entry *dsa, bool *holds, struct im_error *e) {
    static const char *const names[] = {"msDS-hasMasterNCs", "hasMasterNCs", "msDS-hasFullReplicaNCs"};
    *holds = false;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        const struct im_attr *contexts = im_entry_attr(dsa, names[n]);
        for (size_t i = 0; contexts && i < contexts->count; i++) {
            const char *context;
            enum im_err err = normalize(contexts->values[i].bv_val, l->pool, &context, e);
            if (err != IM_OK)
                return err;
            *holds = *holds || im_text_equal(context, l->context);
        }
    }
    return IM_OK;
}

/* A name from the directory goes into a URI: nothing in it may mean more there. */
static bool is_host_name(const char *name) {
    char ascii[IM_HOSTNAME_SIZE];
    return im_hostname_ascii(name, ascii);
}

static enum im_err is_ours(const struct listing *l, const struct im_entry *dsa, bool *is, struct im_error *e) {
    const char *own;
    const char *other = NULL;
    enum im_err err = normalize(im_directory_rootdse(l->d)->ds_service_name, l->pool, &own, e);
    if (err == IM_OK)
        err = normalize(dsa->dn, l->pool, &other, e);
    *is = err == IM_OK && own && im_text_equal(own, other);
    return err;
}

/* The DNS name stands at the server object above. */
static enum im_err find_host(struct listing *l, const struct im_entry *dsa, const char **host, struct im_error *e) {
    struct im_buf parent = IM_BUF_INIT;
    struct im_entry *server = NULL;
    const struct im_search search = {.base = im_dn_parent(dsa->dn, &parent) ? im_buf_str(&parent) : dsa->dn,
                                     .scope = IM_SEARCH_BASE,
                                     .attributes = (const char *const[]){"dNSHostName", NULL},
                                     .no_paging = true};
    enum im_err err = parent.failed ? im_error_nomem(e) : im_directory_read(l->d, &search, l->pool, &server, e);
    im_buf_free(&parent);
    *host = server ? im_entry_string(server, "dNSHostName") : NULL;
    return err;
}

static enum im_err add_dsa(struct listing *l, const struct im_entry *dsa, struct im_error *e) {
    const char *host = NULL;
    bool is_read_only = im_entry_has_value(dsa, "objectClass", "nTDSDSARO");
    const char *text = im_entry_string(dsa, "options");
    unsigned long options = text ? strtoul(text, NULL, 10) : 0;
    bool holds, is_own = false;
    enum im_err err = holds_context(l, dsa, &holds, e);
    if (err == IM_OK && holds)
        err = is_ours(l, dsa, &is_own, e);
    if (err != IM_OK || !holds || is_own)
        return err;
    err = find_host(l, dsa, &host, e);
    if (err != IM_OK || !host) /* removed by half: no server */
        return err;
    if (!is_host_name(host)) {
        return im_error_set_at(e, IM_E_PROTOCOL, dsa->dn, 0, 0, "the domain controller has \"%s\" as dNSHostName, which is none",
                               host);
    }
    const char *dn = im_pool_strdup(l->pool, dsa->dn);
    if (!dn)
        return im_error_nomem(e);
    return add(l,
               (struct im_replica){.name = host,
                                   .uri = l->port ? im_pool_printf(l->pool, "%s://%s:%d", l->scheme, host, l->port)
                                                  : im_pool_printf(l->pool, "%s://%s", l->scheme, host),
                                   .dsa = dn,
                                   .kind = is_read_only ? IM_REPLICA_READ_ONLY : IM_REPLICA_WRITABLE,
                                   .no_inbound = (options & NO_INBOUND) != 0,
                                   .no_outbound = (options & NO_OUTBOUND) != 0},
               e);
}

struct found {
    struct im_pool *pool;
    struct im_entry **items;
    size_t count, cap;
};

static enum im_err keep(void *user, const struct im_entry *entry, struct im_error *e) {
    struct found *found = user;
    struct im_entry **place = im_vec_push(found);
    if (!place || !(*place = im_entry_copy(entry, found->pool)))
        return im_error_nomem(e);
    return IM_OK;
}

static enum im_err list_controllers(struct listing *l, struct im_error *e) {
    static const char *const attributes[] = {
        "objectClass", "options", "msDS-hasMasterNCs", "hasMasterNCs", "msDS-hasFullReplicaNCs", NULL};
    struct found found = {.pool = l->pool};
    const struct im_search search = {.base = im_pool_printf(l->pool, "CN=Sites,%s", l->config_nc),
                                     .scope = IM_SEARCH_SUB,
                                     .filter = "(objectClass=nTDSDSA)",
                                     .attributes = attributes};
    enum im_err err = search.base ? im_directory_search(l->d, &search, keep, &found, e) : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < found.count; i++)
        err = add_dsa(l, found.items[i], e);
    im_vec_free(&found);
    return err;
}

/* Through a socket of the machine other machines are not reached: they are asked by the protocol's own port, with StartTLS where
 * that is demanded. */
static void read_scheme(struct listing *l) {
    bool is_url = ldap_url_parse(im_directory_uri(l->d), &l->url) == LDAP_URL_SUCCESS;
    bool is_local = !is_url || strcmp(l->url->lud_scheme, "ldapi") == 0;
    l->scheme = is_local ? "ldap" : l->url->lud_scheme;
    int own = strcmp(l->scheme, "ldaps") == 0 ? LDAPS_PORT : LDAP_PORT;
    l->port = is_local || l->url->lud_port == own ? 0 : l->url->lud_port;
}

enum im_err im_replicas_list(struct im_directory *d, const struct im_config *config, const char *base, struct im_pool *pool,
                             struct im_replicas *out, struct im_error *e) {
    const struct im_rootdse *root = im_directory_rootdse(d);
    struct listing l = {.d = d, .config_nc = root->config_nc, .pool = pool, .out = out};
    *out = (struct im_replicas){.count = 0};
    if (config->replicas.count)
        return list_configured(&l, config, e);
    if (!root->is_ad || !root->config_nc)
        return IM_OK;
    enum im_err err = find_context(&l, root, base, e);
    if (err != IM_OK || !l.context)
        return err;
    read_scheme(&l);
    err = list_controllers(&l, e);
    ldap_free_urldesc(l.url);
    if (err != IM_OK)
        im_error_context(e, "listing the domain controllers");
    return err;
}

enum im_err im_replica_open(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                            struct im_error *e) {
    struct im_live_options own = *options;
    own.log = NULL;
    own.verbosity = -1;
    own.will_change = false;
    return im_live_open_uri(&own, replica->uri, out, e);
}
