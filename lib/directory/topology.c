#include "lib/directory/topology.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/times.h"
#include "lib/directory/lookup.h"

#include <stdlib.h>
#include <string.h>

#define PROTOCOLS "Protocols"

enum { DOMAIN_FLAG = 2, TICKS_PER_SECOND = 10000000 }; /* systemFlags of a crossRef: MS-ADTS 2.2.10 */

static const char *const only_dn[] = {"1.1", NULL};

/* ---- naming contexts ---- */

struct names {
    const char **items;
    size_t count;
};

static enum im_err note_base(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct names *names = user;
    (void)entry, (void)e;
    names->items[names->count++] = lookup->search.base;
    return IM_OK;
}

/* A naming context may be empty, or closed to us: a search there would say "no such object". */
static enum im_err existing_contexts(struct im_directory *d, struct im_pool *pool, struct names *out, struct im_error *e) {
    const struct im_attr *attr = im_entry_attr(im_directory_rootdse(d)->entry, "namingContexts");
    size_t count = attr ? attr->count : 0;
    struct im_lookup *lookups = im_pool_array(pool, count, sizeof *lookups);
    out->items = im_pool_array(pool, count + 1, sizeof *out->items);
    if (!lookups || !out->items)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        lookups[i] = (struct im_lookup){
            .search = {.base = attr->values[i].bv_val, .scope = IM_SEARCH_BASE, .attributes = only_dn}, .may_be_missing = true};
    }
    return im_lookup_all(d, lookups, count, note_base, out, e);
}

struct cross_refs {
    struct im_pool *pool;
    const char *dn; /* whose domain is looked for, normalised; NULL: all are listed */
    struct names names;
    const char *netbios;
    size_t length; /* of the domain that was found, normalised */
};

static enum im_err list_domain(struct cross_refs *refs, const char *nc, struct im_error *e) {
    const char **more = im_pool_array(refs->pool, refs->names.count + 2, sizeof *more);
    const char *copy = im_pool_strdup(refs->pool, nc);
    if (!more || !copy)
        return im_error_nomem(e);
    if (refs->names.count)
        memcpy(more, refs->names.items, refs->names.count * sizeof *more);
    more[refs->names.count++] = copy;
    refs->names.items = more;
    return IM_OK;
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
static enum im_err match_domain(struct cross_refs *refs, const char *nc, const char *netbios, struct im_error *e) {
    const char *normal;
    enum im_err err = normalize(nc, refs->pool, &normal, e);
    if (err != IM_OK || !normal || !netbios || !is_below(refs->dn, normal) || strlen(normal) <= refs->length)
        return err;
    refs->length = strlen(normal);
    refs->netbios = im_pool_strdup(refs->pool, netbios);
    return refs->netbios ? IM_OK : im_error_nomem(e);
}

static enum im_err take_cross_ref(void *user, const struct im_entry *entry, struct im_error *e) {
    struct cross_refs *refs = user;
    const char *flags = im_entry_string(entry, "systemFlags");
    const char *nc = im_entry_string(entry, "nCName");
    int64_t number;
    if (!nc || !flags || !im_int_from_text(flags, INT32_MIN, UINT32_MAX, &number) || !(number & DOMAIN_FLAG))
        return IM_OK;
    return refs->dn ? match_domain(refs, nc, im_entry_string(entry, "nETBIOSName"), e) : list_domain(refs, nc, e);
}

static enum im_err read_cross_refs(struct im_directory *d, struct cross_refs *refs, struct im_error *e) {
    struct im_search search = {
        .scope = IM_SEARCH_ONE,
        .filter = "(objectClass=crossRef)",
        .attributes = (const char *const[]){"nCName", "systemFlags", "nETBIOSName", NULL},
    };
    search.base = im_pool_printf(refs->pool, "CN=Partitions,%s", im_directory_rootdse(d)->config_nc);
    return search.base ? im_directory_search(d, &search, take_cross_ref, refs, e) : im_error_nomem(e);
}

enum im_err im_topology_domains(struct im_directory *d, struct im_pool *pool, const char *const **out, struct im_error *e) {
    struct cross_refs refs = {.pool = pool};
    enum im_err err;
    if (im_directory_rootdse(d)->is_ad && im_directory_rootdse(d)->config_nc) {
        err = read_cross_refs(d, &refs, e);
    } else {
        err = existing_contexts(d, pool, &refs.names, e);
    }
    if (err == IM_OK && !refs.names.count) {
        err = im_error_set_at(e, IM_E_INVISIBLE, im_directory_uri(d), 0, 0, "no naming context with data is visible to %s",
                              im_directory_identity(d));
    }
    if (err == IM_OK)
        *out = refs.names.items;
    return err;
}

enum im_err im_topology_netbios(struct im_directory *d, const char *dn, struct im_pool *pool, const char **out,
                                struct im_error *e) {
    struct cross_refs refs = {.pool = pool};
    enum im_err err = normalize(dn, pool, &refs.dn, e);
    if (err == IM_OK && refs.dn && im_directory_rootdse(d)->is_ad && im_directory_rootdse(d)->config_nc)
        err = read_cross_refs(d, &refs, e);
    if (err == IM_OK)
        *out = refs.netbios;
    return err;
}

/* ---- password policy ---- */

enum im_err im_topology_max_password_age(struct im_directory *d, int64_t *seconds, struct im_error *e) {
    const struct im_rootdse *root = im_directory_rootdse(d);
    struct im_search search = {
        .base = root->default_nc, .scope = IM_SEARCH_BASE, .attributes = (const char *const[]){"maxPwdAge", NULL}};
    struct im_pool *pool = im_pool_new();
    struct im_entry *entry = NULL;
    enum im_err err = pool ? IM_OK : im_error_nomem(e);
    if (err == IM_OK && root->is_ad && root->default_nc)
        err = im_directory_read(d, &search, pool, &entry, e);
    const char *text = entry ? im_entry_string(entry, "maxPwdAge") : NULL;
    int64_t ticks = 0; /* negative; the least number means "never" */
    if (err == IM_OK)
        *seconds = text && im_int_from_text(text, -INT64_MAX, 0, &ticks) ? -ticks / TICKS_PER_SECOND : 0;
    im_pool_free(&pool);
    return err;
}

/* ---- server objects ---- */

struct found_servers {
    const struct im_profile *profile;
    struct im_pool *pool;
    struct im_servers *servers;
};

/* The value of the first RDN of what lies above CN=Protocols, else of the object itself. In pool. */
static const char *server_name(const char *dn, struct im_pool *pool) {
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

static enum im_err take_server(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct found_servers *f = user;
    const char *host = f->profile->servers.name_attribute ? im_entry_string(entry, f->profile->servers.name_attribute) : NULL;
    const char *hosts_users = f->profile->servers.hosts_users_attribute;
    struct im_server *server = im_vec_push(f->servers);
    (void)lookup;
    if (!server)
        return im_error_nomem(e);
    *server = (struct im_server){
        .name = server_name(entry->dn, f->pool),
        .host = im_pool_strdup(f->pool, host),
        .dn = im_pool_strdup(f->pool, entry->dn),
        .hosts_users = hosts_users && im_entry_has_value(entry, hosts_users, "TRUE"),
        .users = -1,
        .where = "directory",
    };
    return server->name && server->dn && (server->host || !host) ? IM_OK : im_error_nomem(e);
}

enum im_err im_topology_servers(struct im_directory *d, const struct im_profile *profile, const struct im_schema *schema,
                                struct im_pool *pool, struct im_servers *out, struct im_error *e) {
    struct found_servers found = {.profile = profile, .pool = pool, .servers = out};
    const struct im_rootdse *root = im_directory_rootdse(d);
    const char *only[] = {root->config_nc};
    struct names bases = {.items = only, .count = root->is_ad && root->config_nc ? 1 : 0};
    const char *class = profile->servers.object_class;
    if (!class || (schema && !im_schema_class(schema, class)))
        return IM_OK; /* there cannot be any */
    enum im_err err = bases.count ? IM_OK : existing_contexts(d, pool, &bases, e);
    const char *filter = im_pool_printf(pool, "(objectClass=%s)", class);
    const char **attributes = im_pool_array(pool, 3, sizeof *attributes);
    struct im_lookup *lookups = err == IM_OK ? im_pool_array(pool, bases.count, sizeof *lookups) : NULL;
    if (err != IM_OK || !filter || !attributes || !lookups)
        return err != IM_OK ? err : im_error_nomem(e);
    attributes[0] = profile->servers.name_attribute ? profile->servers.name_attribute : "1.1";
    attributes[1] = profile->servers.hosts_users_attribute;
    for (size_t i = 0; i < bases.count; i++) {
        lookups[i].search =
            (struct im_search){.base = bases.items[i], .scope = IM_SEARCH_SUB, .filter = filter, .attributes = attributes};
    }
    return im_lookup_all(d, lookups, bases.count, take_server, &found, e);
}

/* ---- users of each server ---- */

static enum im_err count_user(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct im_server *server = lookup->data;
    (void)user, (void)entry, (void)e;
    server->users++;
    return IM_OK;
}

static const char *users_filter(const struct im_profile *profile, const char *dn, struct im_pool *pool) {
    const struct im_profile_attr *home = im_profile_role(profile, IM_ROLE_HOME);
    struct im_buf filter = IM_BUF_INIT;
    if (home)
        im_filter_text(&filter, NULL, home->name, dn);
    const char *text = filter.len && !filter.failed ? im_pool_strdup(pool, im_buf_str(&filter)) : NULL;
    im_buf_free(&filter);
    return text;
}

enum im_err im_topology_count_users(struct im_directory *d, const struct im_profile *profile, const char *const *bases,
                                    struct im_servers *servers, struct im_error *e) {
    size_t base_count = 0;
    size_t count = 0;
    enum im_err err = IM_OK;
    while (bases[base_count])
        base_count++;
    struct im_pool *pool = im_pool_new();
    struct im_lookup *lookups = pool ? im_pool_array(pool, base_count * servers->count, sizeof *lookups) : NULL;
    if (!lookups)
        err = im_error_nomem(e);
    for (size_t s = 0; err == IM_OK && s < servers->count; s++) {
        struct im_server *server = &servers->items[s];
        if (!server->hosts_users || !server->dn)
            continue;
        server->users = 0;
        const char *filter = users_filter(profile, server->dn, pool);
        if (!filter)
            err = im_error_nomem(e);
        for (size_t b = 0; err == IM_OK && b < base_count; b++) {
            lookups[count++] = (struct im_lookup){
                .search = {.base = bases[b], .scope = IM_SEARCH_SUB, .filter = filter, .attributes = only_dn}, .data = server};
        }
    }
    if (err == IM_OK)
        err = im_lookup_all(d, lookups, count, count_user, NULL, e);
    im_pool_free(&pool);
    return err;
}

/* ---- configured servers ---- */

static enum im_err note_exists(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    (void)user, (void)entry, (void)e;
    bool *exists = lookup->data;
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

enum im_err im_topology_check_servers(struct im_directory *d, const struct im_servers *servers, struct im_error *e) {
    struct im_lookup *lookups = calloc(servers->count + 1, sizeof *lookups);
    bool *exists = calloc(servers->count + 1, sizeof *exists);
    size_t count = 0;
    enum im_err err = lookups && exists ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < servers->count; i++) {
        if (is_configured(&servers->items[i]) && servers->items[i].dn) {
            lookups[count++] = (struct im_lookup){
                .search = {.base = servers->items[i].dn, .scope = IM_SEARCH_BASE, .attributes = only_dn},
                .data = &exists[i],
                .may_be_missing = true,
            };
        }
    }
    if (err == IM_OK)
        err = im_lookup_all(d, lookups, count, note_exists, NULL, e);
    for (size_t i = 0; err == IM_OK && i < servers->count; i++)
        err = judge_server(d, &servers->items[i], exists[i], e);
    free(lookups);
    free(exists);
    return err;
}
