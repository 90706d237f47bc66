#include "tools/moving.h"

#include "tools/table.h"

#include <string.h>

struct im_strings im_move_to;

/* ---- counting ---- */

enum im_err im_moving_count(struct im_command *c, struct im_facts_gathered *facts, struct im_moving *m) {
    struct im_directory *all = facts->gc ? facts->gc : facts->directory;
    enum im_err err = im_homes_begin(&m->homes, &c->error);
    if (err != IM_OK) {
        return err;
    }
    m->has_homes = true;
    err = im_homes_scan(all, facts->profile, facts->domains, true, &m->homes, &c->error);
    if (err == IM_OK) {
        err = im_homes_settle(&m->homes, &facts->servers, &c->error);
    }
    return err == IM_OK ? im_homes_look(facts->directory, facts->profile, &m->homes, &c->error) : err;
}

/* ---- from ---- */

enum im_err im_moving_from(struct im_command *c, struct im_facts_gathered *facts, struct im_sources *sources, struct im_moving *m,
                           const struct im_server **server) {
    const char *spec = im_source_options.from;
    enum im_err err = im_homes_find(&m->homes, &facts->servers, spec, c->pool, &m->from, server, &c->error);
    if (err == IM_OK) {
        err = im_homes_users(&m->homes, &m->from, &m->homed, &c->error);
    }
    if (err != IM_OK) {
        im_error_context(&c->error, "--from");
        return err;
    }
    if (m->homed) {
        im_command_note(c, 1, "homed on %s: %zu", m->from.name, m->homed);
    } else {
        im_command_note(c, 0, "nobody is homed on %s", m->from.name);
    }
    im_sources_set_home(sources, &m->from);
    return IM_OK;
}

/* ---- to ---- */

static bool is_auto(void) {
    return im_move_to.count == 1 && im_text_equal(im_move_to.items[0], "auto");
}

static bool is_named(const struct im_servers *servers, const char *name) {
    for (size_t i = 0; i < servers->count; i++) {
        if (im_server_is_named(&servers->items[i], name)) {
            return true;
        }
    }
    return false;
}

/* How many of the words are one name: the commas of a DN separate them, too. */
static enum im_err join_name(struct im_command *c, const struct im_servers *servers, const struct im_strings *words, size_t first,
                             const char **name, size_t *count) {
    struct im_buf text = IM_BUF_INIT;
    *name = words->items[first];
    *count = 1;
    for (size_t i = first; i < words->count && !text.failed; i++) {
        im_buf_addf(&text, "%s%s", i > first ? "," : "", words->items[i]);
        if (i > first && strchr(words->items[first], '=') && is_named(servers, im_buf_str(&text))) {
            *name = im_pool_strdup(c->pool, im_buf_str(&text));
            *count = i - first + 1;
        }
    }
    bool is_broken = text.failed || !*name;
    im_buf_free(&text);
    return is_broken ? im_error_nomem(&c->error) : IM_OK;
}

static enum im_err join_names(struct im_command *c, const struct im_servers *servers) {
    const struct im_strings words = im_move_to;
    const char **names = im_pool_array(c->pool, words.count + 1, sizeof *names);
    enum im_err err = names ? IM_OK : im_error_nomem(&c->error);
    size_t joined = 0;
    for (size_t i = 0, count; err == IM_OK && i < words.count; i += count) {
        err = join_name(c, servers, &words, i, &names[joined++], &count);
    }
    if (err == IM_OK) {
        im_move_to = (struct im_strings){.items = names, .count = joined};
    }
    return err;
}

static enum im_err find_target(struct im_command *c, const struct im_servers *servers, const char *name,
                               const struct im_server **out) {
    if (im_text_equal(name, "auto")) {
        return im_error_set(&c->error, IM_E_USAGE, "--to auto means all home servers: give it alone");
    }
    enum im_err err = im_servers_find(servers, name, out, &c->error);
    if (err != IM_OK) {
        im_error_context(&c->error, "--to");
    }
    return err;
}

/* Of several, one that cannot take anybody would be passed over in silence. */
static enum im_err check_target(struct im_command *c, const struct im_server *server) {
    if (server->is_gone || !server->dn) {
        return im_error_set(&c->error, IM_E_USAGE, "--to: the server %s has no object in the directory", server->name);
    }
    if (!server->hosts_users) {
        return im_error_set(&c->error, IM_E_USAGE, "--to: the server %s is a router and hosts no users", server->name);
    }
    return IM_OK;
}

static enum im_err find_targets(struct im_command *c, const struct im_servers *servers, struct im_request *request) {
    bool *is_target = im_pool_array(c->pool, servers->count, sizeof *is_target);
    enum im_err err = is_target ? IM_OK : im_error_nomem(&c->error);
    if (err == IM_OK && im_move_to.count == 1) {
        return find_target(c, servers, im_move_to.items[0], &request->home);
    }
    for (size_t i = 0; err == IM_OK && i < im_move_to.count; i++) {
        const struct im_server *server;
        err = find_target(c, servers, im_move_to.items[i], &server);
        if (err == IM_OK) {
            err = check_target(c, server);
        }
        if (err == IM_OK) {
            is_target[server - servers->items] = true;
        }
    }
    request->is_target = is_target;
    return err;
}

/* All that host users, but not the one that is left. */
static enum im_err take_all(struct im_command *c, const struct im_servers *servers, const struct im_server *from,
                            struct im_request *request) {
    bool *is_target = im_pool_array(c->pool, servers->count, sizeof *is_target);
    size_t count = 0;
    if (!is_target) {
        return im_error_nomem(&c->error);
    }
    for (size_t i = 0; i < servers->count; i++) {
        const struct im_server *s = &servers->items[i];
        is_target[i] = s->hosts_users && s->dn && !s->is_gone && s != from;
        count += is_target[i];
    }
    request->is_target = is_target;
    return count ? IM_OK : im_error_set(&c->error, IM_E_USAGE, "--to auto: there is no home server to move to");
}

static bool is_to(const struct im_servers *servers, const struct im_request *request, const struct im_server *from) {
    return request->home == from || (request->is_target && request->is_target[from - servers->items]);
}

static enum im_err check_different(struct im_command *c, const struct im_servers *servers, const struct im_request *request,
                                   const struct im_server *from) {
    if (!from || !is_to(servers, request, from)) {
        return IM_OK;
    }
    return im_error_set(&c->error, IM_E_USAGE, "--from and --to both name the server %s", from->name);
}

/* Users matter where there is a choice, or an end. */
static bool needs_count(const struct im_servers *servers, const struct im_sources *sources, const struct im_request *request) {
    const struct im_table *table = im_sources_table(sources);
    bool has_capacity = false;
    for (size_t i = 0; i < servers->count; i++) {
        has_capacity = has_capacity || servers->items[i].capacity > 0;
    }
    bool by_row = table && (im_table_wants_auto(table) || (has_capacity && im_table_has_homes(table)));
    bool asks = im_sources_are_by_condition(sources); /* the preview tells how many will be where */
    return by_row || asks || im_source_options.from || !request->home || request->home->capacity > 0;
}

enum im_err im_moving_begin(struct im_command *c, struct im_facts_gathered *facts, struct im_sources *sources,
                            struct im_request *request, struct im_moving *m) {
    const struct im_servers *servers = &facts->servers;
    const struct im_server *from = NULL;
    enum im_err err = join_names(c, servers);
    if (err == IM_OK && im_move_to.count && !is_auto()) {
        err = find_targets(c, servers, request);
    }
    if (err == IM_OK && needs_count(servers, sources, request)) {
        err = im_moving_count(c, facts, m);
    }
    if (err == IM_OK && im_source_options.from) {
        err = im_moving_from(c, facts, sources, m, &from);
        request->from = &m->from;
    }
    if (err == IM_OK && is_auto()) {
        err = take_all(c, servers, from, request);
    }
    if (err == IM_OK) {
        err = im_preview_begin(&m->preview, facts->profile, servers, m->from.name, &c->error);
    }
    return err == IM_OK ? check_different(c, servers, request, from) : err;
}

/* ---- afterwards ---- */

enum im_err im_moving_end(struct im_command *c, struct im_facts_gathered *facts, struct im_moving *m,
                          const struct im_summary *summary) {
    size_t moved = summary->counts[IM_CHANGED];
    enum im_err err = IM_OK;
    (void)facts;
    if (im_common.dry_run) {
        err = im_preview_print(c, &m->preview);
    }
    if (m->from.name && m->homed > moved) {
        im_command_note(c, 0, "%s %s homes %zu %s", m->from.name, im_common.dry_run ? "would still" : "still", m->homed - moved,
                        m->homed - moved == 1 ? "person" : "people");
    }
    return err;
}

void im_moving_free(struct im_moving *m) {
    if (m->has_homes) {
        im_homes_free(&m->homes);
    }
    im_preview_free(&m->preview);
    *m = (struct im_moving){.has_homes = false};
}
