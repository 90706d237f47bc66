/* The life of a live directory: opened, opened again where its connection was lost, closed. */
#include "lib/directory/bind.h"
#include "lib/directory/live_impl.h"
#include "lib/directory/live_uri.h"

#include <stdlib.h>
#include <string.h>

static int64_t now_ms(void *impl) {
    (void)impl;
    return im_clock_ms();
}

static int fd(void *impl) {
    const struct im_live *live = impl;
    return live->c.fd;
}

static void forget_all(struct im_live *live) {
    im_live_drop_event(live);
    ldap_memfree(live->diagnostic);
    live->diagnostic = NULL;
    im_live_table_clear(&live->operations);
}

static void live_free(void *impl) {
    struct im_live *live = impl;
    forget_all(live);
    im_live_table_free(&live->operations);
    im_disconnect(&live->c);
    im_pool_free(&live->entry_pool);
    im_pool_free(&live->scratch);
    im_pool_free(&live->pool);
    free(live);
}

static enum im_err reopen(void *impl, struct im_error *e);

static const struct im_directory_ops ops = {
    .start_search = im_live_start_search,
    .start_modify = im_live_start_modify,
    .start_add = im_live_start_add,
    .wait = im_live_wait,
    .now_ms = now_ms,
    .fd = fd,
    .reopen = reopen,
    .abandon = im_live_abandon,
    .free = live_free,
};

/* Connected and bound; the root DSE is still to be read. */
static enum im_err new_live(const struct im_live_options *options, const char *uri, struct im_live **out, struct im_error *e) {
    struct im_live *live = calloc(1, sizeof *live);
    if (!live)
        return im_error_nomem(e);
    live->options = *options;
    live->c.fd = -1;
    live->pool = im_pool_new();
    live->entry_pool = im_pool_new();
    live->scratch = im_pool_new();
    live->operations.pool = live->pool;
    const char *kept_uri = live->pool ? im_pool_strdup(live->pool, uri) : NULL;
    bool has_pools = kept_uri && live->entry_pool && live->scratch;
    enum im_err err = has_pools ? im_connect(&live->options, kept_uri, &live->c, e) : im_error_nomem(e);
    if (err == IM_OK) {
        im_live_trace(live, "connected to %s%s", uri, live->c.has_tls ? " with TLS" : "");
        err = im_bind(&live->c, &live->options, live->pool, &live->identity, e);
    }
    if (err == IM_OK && !(live->c.gathering = im_gathering_begin(live->c.socket)))
        err = im_error_nomem(e);
    if (err != IM_OK) {
        live_free(live);
        return err;
    }
    im_live_trace(live, "bound as %s", live->identity);
    *out = live;
    return IM_OK;
}

static enum im_err read_rootdse(struct im_directory *d, struct im_live *live, struct im_error *e) {
    struct im_entry *entry = NULL;
    struct im_search search = {.base = "", .scope = IM_SEARCH_BASE, .attributes = im_rootdse_attributes};
    enum im_err err = im_directory_read(d, &search, live->pool, &entry, e);
    if (err == IM_OK && !entry)
        err = im_error_set_at(e, IM_E_PROTOCOL, live->c.uri, 0, 0, "the server shows no root DSE to %s", live->identity);
    return err == IM_OK ? im_rootdse_decode(entry, live->pool, &live->rootdse, e) : err;
}

/* A second connection, as the first one was opened. */
static enum im_err open_live(const struct im_live_options *options, const char *uri, struct im_live **live,
                             struct im_directory **out, struct im_error *e) {
    enum im_err err = new_live(options, uri, live, e);
    if (err != IM_OK)
        return err;
    struct im_directory *d = im_directory_new_take(&ops, *live, &(*live)->rootdse, (*live)->c.uri, (*live)->identity);
    if (!d)
        return im_error_nomem(e);
    err = read_rootdse(d, *live, e);
    if (err == IM_OK) {
        *out = d;
    } else {
        im_directory_free(&d);
    }
    return err;
}

static enum im_err check_same(const struct im_live *before, const struct im_live *now, struct im_error *e) {
    if (strcmp(before->identity, now->identity) != 0) {
        return im_error_set_at(e, IM_E_AUTH, before->c.uri, 0, 0, "the new connection is bound as %s, the first one was as %s",
                               now->identity, before->identity);
    }
    if (im_rootdse_is_same_server(&before->rootdse, &now->rootdse))
        return IM_OK;
    return im_error_set_at(e, IM_E_PROTOCOL, before->c.uri, 0, 0,
                           "another server answers than before: its name or its naming contexts are not the same");
}

static enum im_err reopen(void *impl, struct im_error *e) {
    struct im_live *live = impl;
    struct im_live *other = NULL;
    struct im_directory *d = NULL;
    const char *uri = live->c.uri;
    forget_all(live);
    im_give_up(&live->c);
    live->is_lost = true;
    enum im_err err = open_live(&live->options, uri, &other, &d, e);
    if (err == IM_OK)
        err = check_same(live, other, e);
    if (err == IM_OK) {
        live->c = other->c;
        live->c.uri = uri;
        live->is_lost = false;
        other->c = (struct im_connection){.fd = -1};
    }
    im_directory_free(&d);
    return err;
}

enum im_err im_live_open_uri(const struct im_live_options *options, const char *uri, struct im_directory **out,
                             struct im_error *e) {
    struct im_live *live = NULL;
    return open_live(options, uri, &live, out, e);
}
