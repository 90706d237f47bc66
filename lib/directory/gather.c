#include "lib/directory/gather.h"

#include "lib/base/vec.h"
#include "lib/directory/schema_read.h"
#include "lib/directory/topology_read.h"

struct gathering {
    const struct im_gather *g;
    struct im_asks asks;
    struct im_schema_reading schema;
    struct im_domains_reading domains;
    struct im_servers_reading servers;
    struct im_configured_reading configured;
};

static enum im_err ask(struct gathering *x, struct im_error *e) {
    const struct im_gather *g = x->g;
    const char *base = g->config->base ? g->config->base : im_directory_rootdse(g->directory)->default_nc;
    enum im_err err = im_schema_ask(&x->asks, g->profile, &x->schema, e);
    if (err == IM_OK)
        err = im_domains_ask(&x->asks, base, &x->domains, e);
    if (err == IM_OK && g->needs_servers)
        err = im_servers_ask(&x->asks, &x->servers, e);
    if (err == IM_OK && g->needs_servers)
        err = im_configured_ask(&x->asks, g->config, &x->configured, e);
    return err;
}

static enum im_err end(struct gathering *x, struct im_gathered *out, struct im_error *e) {
    enum im_err err = im_schema_end(&x->asks, &x->schema, &out->schema, e);
    if (err == IM_OK)
        err = im_domains_end(&x->asks, &x->domains, &out->domains, e);
    if (err == IM_OK && x->g->needs_servers)
        err = im_configured_end(&x->asks, &x->configured, &out->servers, e);
    out->netbios = x->domains.netbios;
    return err;
}

static enum im_err gather(const struct im_gather *g, bool is_paged, struct im_pool *pool, struct im_gathered *out,
                          struct im_error *e) {
    struct gathering x = {
        .g = g,
        .asks = {.directory = g->directory, .pool = pool, .also = is_paged ? NULL : g->also, .is_paged = is_paged},
        .schema = {.pool = pool},
        .domains = {.pool = pool},
        .servers = {.profile = g->profile, .pool = pool, .servers = &out->servers},
        .configured = {.keeps_gone = g->keeps_gone},
    };
    out->servers.count = 0;
    enum im_err err = ask(&x, e);
    if (err == IM_OK)
        err = im_asks_run(&x.asks, e);
    if (err == IM_OK)
        err = end(&x, out, e);
    im_schema_reading_free(&x.schema);
    im_asks_free(&x.asks);
    return err;
}

enum im_err im_gather(const struct im_gather *g, struct im_pool *pool, struct im_gathered *out, struct im_error *e) {
    struct im_gathered found = {.servers = {.count = 0}};
    struct im_error inner = {.code = IM_OK};
    enum im_err err = gather(g, false, pool, &found, &inner);
    if (err == IM_E_TRUNCATED) { /* more than such directories usually have: page by page then */
        im_error_clear(&inner);
        err = gather(g, true, pool, &found, &inner);
    }
    if (err == IM_OK) {
        *out = found;
        return IM_OK;
    }
    im_vec_free(&found.servers);
    if (e && e->code == IM_OK)
        *e = inner;
    return err;
}
