#include "lib/directory/connect.h"
#include "lib/directory/live_uri.h"
#include "lib/directory/several.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/probe/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct uris {
    const char **items;
    size_t count, cap;
};

static enum im_err add_uri(struct uris *uris, const char *uri, struct im_error *e) {
    const char **slot = uri ? im_vec_push(uris) : NULL;
    if (!slot)
        return im_error_nomem(e);
    *slot = uri;
    return IM_OK;
}

/* A name that DNS gave goes into a URI: nothing in it may mean more there. */
static bool is_host_name(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return *name && name[strspn(name, allowed)] == '\0';
}

static enum im_err uris_from_dns(const struct im_config *config, struct im_pool *pool, struct uris *uris, struct im_error *e) {
    static const char *const prefixes[] = {"_ldap._tcp.dc._msdcs.", "_ldap._tcp."};
    struct im_srvs found = {0};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0] && found.count == 0; i++) {
        const char *name = im_pool_printf(pool, "%s%s", prefixes[i], config->dns_domain);
        enum im_err err = name ? im_dns_srv(config, name, (unsigned)im_clock_ms(), pool, &found, e) : im_error_nomem(e);
        if (err != IM_OK)
            return err;
    }
    if (found.count == 0) {
        return im_error_set(e, IM_E_CONNECT, "DNS has no SRV record _ldap._tcp.%s: check the name, or name a server with --uri",
                            config->dns_domain);
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct im_srv *srv = &found.items[i];
        if (!is_host_name(srv->target)) {
            return im_error_set(e, IM_E_CONNECT, "the SRV records of %s name \"%s\", which is no host name", config->dns_domain,
                                srv->target);
        }
        enum im_err err = add_uri(uris, im_pool_printf(pool, "ldap://%s:%u", srv->target, (unsigned)srv->port), e);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

/* Is `host` the host part of the URI? */
static bool names_host(const char *uri, const char *host) {
    LDAPURLDesc *url = NULL;
    if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
        return false;
    bool is_same = url->lud_host && im_text_equal(url->lud_host, host);
    ldap_free_urldesc(url);
    return is_same;
}

/* --server keeps the one; where it is not among the candidates it is the only one. */
static enum im_err pin(const struct im_config *config, struct im_pool *pool, struct uris *uris, struct im_error *e) {
    if (!config->server)
        return IM_OK;
    for (size_t i = 0; i < uris->count; i++) {
        if (names_host(uris->items[i], config->server)) {
            uris->items[0] = uris->items[i];
            uris->count = 1;
            return IM_OK;
        }
    }
    if (config->uris.count) {
        return im_error_set(e, IM_E_USAGE, "--server %s is none of the servers that --uri or directory.uri names",
                            config->server);
    }
    uris->count = 0;
    return add_uri(uris, im_pool_printf(pool, "ldap://%s", config->server), e);
}

static enum im_err collect(const struct im_config *config, struct im_pool *pool, struct uris *uris, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < config->uris.count; i++)
        err = add_uri(uris, config->uris.items[i], e);
    if (err == IM_OK && !config->uris.count && config->dns_domain && !config->server)
        err = uris_from_dns(config, pool, uris, e);
    if (err == IM_OK)
        err = pin(config, pool, uris, e);
    if (err == IM_OK && uris->count == 0) {
        err = im_error_set(e, IM_E_USAGE,
                           "no server is named: use --uri URI or --dns-domain NAME, or directory.uri in the configuration");
    }
    return err;
}

/* Another server cannot help where the operator was wrong or the password is. */
static bool ends_search(enum im_err err) {
    return err == IM_E_USAGE || err == IM_E_AUTH || err == IM_E_INTERRUPTED || err == IM_E_NOMEM || err == IM_E_INTERNAL;
}

enum im_err im_live_open(const struct im_live_options *options, struct im_directory **out, struct im_error *e) {
    struct uris uris = {0};
    struct im_buf failures = IM_BUF_INIT;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? collect(options->config, pool, &uris, e) : im_error_nomem(e);
    if (err != IM_OK)
        goto out;
    struct im_error first = {.code = IM_OK};
    for (size_t i = 0; i < uris.count; i++) {
        struct im_error last = {.code = IM_OK};
        err = im_live_open_uri(options, uris.items[i], out, &last);
        if (err == IM_OK || ends_search(err)) {
            if (e && err != IM_OK && e->code == IM_OK)
                *e = last;
            goto out;
        }
        char text[sizeof last.text + sizeof last.where];
        (void)im_error_format(&last, text, sizeof text);
        im_buf_addf(&failures, "%s%s", failures.len ? "; " : "", text);
        if (first.code == IM_OK)
            first = last;
    }
    err = first.code;
    if (uris.count > 1) {
        im_error_set(e, err, "none of the %zu servers could be used: %s", uris.count, im_buf_str(&failures));
    } else if (e && e->code == IM_OK) {
        *e = first;
    }
out:
    im_buf_free(&failures);
    im_vec_free(&uris);
    im_pool_free(&pool);
    return err;
}

enum im_err im_live_open_several(const struct im_live_options *options, size_t connections, struct im_directory **out,
                                 struct im_error *e) {
    struct im_directory **parts = calloc(connections ? connections : 1, sizeof(struct im_directory *));
    enum im_err err = parts ? im_live_open(options, &parts[0], e) : im_error_nomem(e);
    size_t count = err == IM_OK;
    while (err == IM_OK && count < connections) {
        err = im_live_open_uri(options, im_directory_uri(parts[0]), &parts[count], e);
        count += err == IM_OK;
    }
    if (err == IM_OK) {
        err = im_several_join(parts, count, out, e);
    } else {
        while (count)
            im_directory_free(&parts[--count]);
    }
    free(parts);
    return err;
}

enum im_err im_live_open_gc(const struct im_live_options *options, const struct im_directory *d, struct im_directory **out,
                            struct im_error *e) {
    LDAPURLDesc *url = NULL;
    char uri[512];
    if (ldap_url_parse(im_directory_uri(d), &url) != LDAP_URL_SUCCESS || !url->lud_host ||
        strcmp(url->lud_scheme, "ldapi") == 0) {
        ldap_free_urldesc(url);
        return im_error_set(e, IM_E_USAGE, "the global catalog cannot be reached through %s", im_directory_uri(d));
    }
    bool is_ipv6 = strchr(url->lud_host, ':') != NULL;
    (void)snprintf(uri, sizeof uri, "%s://%s%s%s:%d", url->lud_scheme, is_ipv6 ? "[" : "", url->lud_host, is_ipv6 ? "]" : "",
                   strcmp(url->lud_scheme, "ldaps") == 0 ? 3269 : 3268);
    ldap_free_urldesc(url);
    struct im_live_options reading = *options;
    reading.will_change = false;
    return im_live_open_uri(&reading, uri, out, e);
}
