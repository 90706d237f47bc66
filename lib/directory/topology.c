#include "lib/directory/topology_read.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/times.h"

#include <string.h>

enum { DOMAIN_FLAG = 2 }; /* systemFlags of a crossRef: MS-ADTS 2.2.10 */

static const char *const only_dn[] = {"1.1", NULL};

/* ---- naming contexts ---- */

static enum im_err list_domain(struct im_domains_reading *r, const char *nc, struct im_error *e) {
    const char **more = im_pool_array(r->pool, r->count + 2, sizeof *more);
    const char *copy = im_pool_strdup(r->pool, nc);
    if (!more || !copy)
        return im_error_nomem(e);
    if (r->count)
        memcpy(more, r->names, r->count * sizeof *more);
    more[r->count++] = copy;
    r->names = more;
    return IM_OK;
}

struct context {
    struct im_domains_reading *reading;
    const char *name;
};

static enum im_err note_context(void *user, const struct im_entry *entry, struct im_error *e) {
    const struct context *context = user;
    (void)entry;
    return list_domain(context->reading, context->name, e);
}

/* A naming context may be empty, or closed to us: a search there would say "no such object". */
static enum im_err ask_contexts(struct im_asks *asks, struct im_domains_reading *r, struct im_error *e) {
    const struct im_attr *attr = im_entry_attr(im_directory_rootdse(asks->directory)->entry, "namingContexts");
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && attr && i < attr->count; i++) {
        struct context *context = im_pool_alloc(r->pool, sizeof *context);
        if (!context)
            return im_error_nomem(e);
        *context = (struct context){r, attr->values[i].bv_val};
        struct im_ask ask = {
            .search = {.base = context->name, .scope = IM_SEARCH_BASE, .attributes = only_dn},
            .may_be_missing = true,
            .take = note_context,
            .user = context,
        };
        err = im_asks_add(asks, &ask, e);
    }
    return err;
}

/* In pool; NULL out: not a DN. */
static enum im_err normalize(const char *dn, struct im_pool *pool, const char **out, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    bool is_dn = im_dn_normalize(dn, &text);
    bool failed = text.failed;
    *out = is_dn && !failed ? im_pool_strdup(pool, im_buf_str(&text)) : NULL;
    im_buf_free(&text);
    return failed || (is_dn && !*out) ? im_error_nomem(e) : IM_OK;
}

static bool is_below(const char *dn, const char *base) {
    size_t len = strlen(dn);
    size_t base_len = strlen(base);
    return len >= base_len && strcmp(dn + len - base_len, base) == 0 && (len == base_len || dn[len - base_len - 1] == ',');
}

/* The innermost domain that the DN is in: a child's name lies below its parent's. */
static enum im_err match_domain(struct im_domains_reading *r, const char *nc, const char *netbios, struct im_error *e) {
    const char *normal;
    enum im_err err = normalize(nc, r->pool, &normal, e);
    if (err != IM_OK || !normal || !netbios || !is_below(r->dn, normal) || strlen(normal) <= r->length)
        return err;
    r->length = strlen(normal);
    r->netbios = im_pool_strdup(r->pool, netbios);
    return r->netbios ? IM_OK : im_error_nomem(e);
}

static enum im_err take_cross_ref(void *user, const struct im_entry *entry, struct im_error *e) {
    struct im_domains_reading *r = user;
    const char *flags = im_entry_string(entry, "systemFlags");
    const char *nc = im_entry_string(entry, "nCName");
    int64_t number;
    if (!nc || !flags || !im_int_from_text(flags, INT32_MIN, UINT32_MAX, &number) || !(number & DOMAIN_FLAG))
        return IM_OK;
    enum im_err err = list_domain(r, nc, e);
    return err == IM_OK && r->dn ? match_domain(r, nc, im_entry_string(entry, "nETBIOSName"), e) : err;
}

static enum im_err ask_cross_refs(struct im_asks *asks, struct im_domains_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"nCName", "systemFlags", "nETBIOSName", NULL};
    struct im_ask ask = {
        .search = {.base = im_pool_printf(r->pool, "CN=Partitions,%s", im_directory_rootdse(asks->directory)->config_nc),
                   .scope = IM_SEARCH_ONE,
                   .filter = "(objectClass=crossRef)",
                   .attributes = attributes,
                   .no_paging = true},
        .take = take_cross_ref,
        .user = r,
    };
    return ask.search.base ? im_asks_add(asks, &ask, e) : im_error_nomem(e);
}

static bool has_cross_refs(const struct im_directory *d) {
    return im_directory_rootdse(d)->is_ad && im_directory_rootdse(d)->config_nc;
}

enum im_err im_domains_ask(struct im_asks *asks, const char *dn, struct im_domains_reading *r, struct im_error *e) {
    enum im_err err = dn ? normalize(dn, r->pool, &r->dn, e) : IM_OK;
    if (err != IM_OK)
        return err;
    return has_cross_refs(asks->directory) ? ask_cross_refs(asks, r, e) : ask_contexts(asks, r, e);
}

enum im_err im_domains_end(const struct im_asks *asks, const struct im_domains_reading *r, const char *const **out,
                           struct im_error *e) {
    if (!r->count) {
        return im_error_set_at(e, IM_E_INVISIBLE, im_directory_uri(asks->directory), 0, 0,
                               "no naming context with data is visible to %s", im_directory_identity(asks->directory));
    }
    *out = r->names;
    return IM_OK;
}

enum im_err im_topology_netbios(struct im_directory *d, const char *dn, struct im_pool *pool, const char **out,
                                struct im_error *e) {
    struct im_asks asks = {.directory = d, .pool = pool};
    struct im_domains_reading r = {.pool = pool};
    enum im_err err = has_cross_refs(d) ? im_domains_ask(&asks, dn, &r, e) : IM_OK;
    if (err == IM_OK)
        err = im_asks_run(&asks, e);
    im_asks_free(&asks);
    if (err == IM_OK)
        *out = r.netbios;
    return err;
}
