#include "tools/home_read.h"

#include "tools/facts.h"
#include "tools/limits.h"
#include "tools/moving.h"

#include <string.h>
#include <time.h>

/* What both share. */
struct reading {
    struct im_command *c;
    struct im_facts_gathered facts;
    struct im_moving moving;
    struct im_run_info info;
    struct im_out out;
};

static enum im_err begin(struct reading *r, struct im_command *c) {
    struct im_limits limits;
    *r = (struct reading){.c = c};
    c->changes = false;
    r->info = (struct im_run_info){.command = c->table->command, .version = IMDIR_VERSION, .started = time(NULL)};
    r->out = im_command_out(c);
    enum im_err err = im_limits_parse(&limits, &c->error);
    if (err == IM_OK) {
        err = im_profile_load(c->config->profile, &r->facts.profile, &c->error);
    }
    if (err == IM_OK) {
        const struct im_facts_wanted wanted = {.needs_servers = true, .keeps_gone = true};
        r->info.profile = r->facts.profile->name;
        err = im_facts_gather(c, &wanted, &r->facts);
    }
    if (err == IM_OK) {
        r->info.directory = im_directory_uri(r->facts.directory);
    }
    return err;
}

static void finish(struct reading *r) {
    im_moving_free(&r->moving);
    im_facts_free(&r->facts);
}

/* ---- servers ---- */

enum { REMARKS = 6 };

static enum im_err add_remark(struct im_home_row *row, const char *text, struct im_error *e) {
    const char **items;
    memcpy(&items, &row->remarks, sizeof items);
    if (!text || row->remark_count == REMARKS) {
        return im_error_nomem(e);
    }
    items[row->remark_count++] = text;
    return IM_OK;
}

static enum im_err new_row(struct reading *r, struct im_home_row *row) {
    row->remarks = im_pool_array(r->c->pool, REMARKS, sizeof(const char *));
    return row->remarks ? IM_OK : im_error_nomem(&r->c->error);
}

static const char *still_homes(struct reading *r, size_t people) {
    return im_pool_printf(r->c->pool, "still homes %zu %s", people, people == 1 ? "person" : "people");
}

/* People whose physical URL names the server, but who have no home. */
static size_t only_by_url(const struct reading *r, const char *host) {
    for (size_t i = 0; host && i < r->moving.homes.count; i++) {
        const struct im_home *home = &r->moving.homes.items[i];
        if (!home->dn && im_text_equal(home->host, host)) {
            return home->users;
        }
    }
    return 0;
}

static enum im_err remark_load(struct reading *r, const struct im_server *server, struct im_home_row *row) {
    struct im_error *e = &r->c->error;
    size_t urls = only_by_url(r, server->host);
    enum im_err err = IM_OK;
    if (server->is_gone) {
        err = add_remark(row, "no object in the directory", e);
    }
    if (err == IM_OK && server->users > 0 && (server->is_gone || !server->hosts_users)) {
        err = add_remark(row, still_homes(r, (size_t)server->users), e);
    }
    if (err == IM_OK && server->capacity && server->users >= server->capacity) {
        err = add_remark(row, server->users > server->capacity ? "overfull" : "full", e);
    }
    if (err == IM_OK && !server->host) {
        err = add_remark(row, "no host name", e);
    }
    if (err == IM_OK && urls) {
        err = add_remark(row, im_pool_printf(r->c->pool, "%zu more name it in the URL only", urls), e);
    }
    return err;
}

static enum im_err fill_server(struct reading *r, const struct im_server *server, struct im_home_row *row) {
    *row = (struct im_home_row){.name = server->name,
                                .host = server->host,
                                .dn = server->dn,
                                .kind = server->hosts_users ? "home" : "router",
                                .domains = server->domains.items,
                                .domain_count = server->domains.count,
                                .users = server->users,
                                .capacity = server->capacity};
    if (!server->hosts_users && !row->domain_count && server->host) { /* a router answers for its own name */
        const char **own = im_pool_array(r->c->pool, 1, sizeof *own);
        if (!own) {
            return im_error_nomem(&r->c->error);
        }
        own[0] = server->host;
        row->domains = own;
        row->domain_count = 1;
    }
    enum im_err err = new_row(r, row);
    return err == IM_OK ? remark_load(r, server, row) : err;
}

/* What people name that is no server. */
static enum im_err fill_gone(struct reading *r, const struct im_home *home, struct im_home_row *row) {
    const char *remark = home->dn ? im_target_remark(home->target) : "only physical URLs name it";
    *row =
        (struct im_home_row){.name = home->name, .host = home->host, .dn = home->dn, .kind = "home", .users = (long)home->users};
    enum im_err err = new_row(r, row);
    if (err == IM_OK) {
        err = add_remark(row, remark ? remark : "it is not known", &r->c->error);
    }
    return err == IM_OK ? add_remark(row, still_homes(r, home->users), &r->c->error) : err;
}

/* Told at the server that has the host. */
static bool is_told(const struct reading *r, const struct im_home *home) {
    for (size_t i = 0; !home->dn && i < r->facts.servers.count; i++) {
        if (im_text_equal(r->facts.servers.items[i].host, home->host)) {
            return true;
        }
    }
    return home->server != NULL;
}

static enum im_err list(struct reading *r) {
    const struct im_servers *servers = &r->facts.servers;
    const struct im_homes *homes = &r->moving.homes;
    struct im_home_row *rows = im_pool_array(r->c->pool, servers->count + homes->count, sizeof *rows);
    enum im_err err = rows ? IM_OK : im_error_nomem(&r->c->error);
    size_t count = 0;
    for (size_t i = 0; err == IM_OK && i < servers->count; i++) {
        err = fill_server(r, &servers->items[i], &rows[count++]);
    }
    for (size_t i = 0; err == IM_OK && i < homes->count; i++) {
        if (!is_told(r, &homes->items[i])) {
            err = fill_gone(r, &homes->items[i], &rows[count++]);
        }
    }
    return err == IM_OK ? im_report_homes(&r->out, r->c->output, &r->info, rows, count, &r->c->error) : err;
}

int im_home_list(struct im_command *c) {
    struct reading r;
    enum im_err err = begin(&r, c);
    if (err == IM_OK) {
        err = im_moving_count(c, &r.facts, &r.moving);
    }
    if (err == IM_OK) {
        err = list(&r);
    }
    finish(&r);
    return err == IM_OK ? 0 : im_command_fail(c);
}

/* ---- people ---- */

static enum im_err on_homed(void *user, const struct im_homed *homed, struct im_error *e) {
    struct reading *r = user;
    const struct im_homed_row row = {.input = homed->input,
                                     .source = homed->source,
                                     .account = homed->account ? homed->account : homed->dn,
                                     .dn = homed->dn,
                                     .home = homed->home,
                                     .tells = homed->is_enabled,
                                     .agrees = homed->agrees,
                                     .remarks = homed->remarks,
                                     .remark_count = homed->remark_count};
    return im_report_homed(&r->out, r->c->output, &row, e);
}

static enum im_err choose(struct reading *r, struct im_sources *sources, struct im_resolver *resolver) {
    struct im_command *c = r->c;
    const struct im_server *server;
    enum im_err err = IM_OK;
    *resolver = (struct im_resolver){
        .directory = r->facts.directory, .context = &r->facts.context, .base = r->facts.base, .domains = r->facts.domains};
    if (!r->facts.base) {
        return im_error_set(&c->error, IM_E_USAGE, "%s has several naming contexts and no default: choose one with --base",
                            im_directory_uri(r->facts.directory));
    }
    if (im_source_options.from) {
        err = im_moving_count(c, &r->facts, &r->moving);
        if (err == IM_OK) {
            err = im_moving_from(c, &r->facts, sources, &r->moving, &server);
        }
    }
    if (err == IM_OK && im_sources_have_domain_names(sources)) {
        err = im_resolver_learn_domain(resolver, c->pool, &c->error);
    }
    return err == IM_OK ? im_sources_choose(c, sources, resolver) : err;
}

static enum im_err show(struct reading *r, struct im_sources *sources, struct im_summary *summary) {
    struct im_command *c = r->c;
    struct im_inputs inputs = im_sources_inputs(sources);
    struct im_run run = {.servers = &r->facts.servers, .inputs = &inputs, .stop = im_command_stop()};
    enum im_err err = choose(r, sources, &run.resolver);
    if (err == IM_OK) {
        err = im_report_homed_begin(&r->out, c->output, &r->info, &c->error);
    }
    if (err != IM_OK) {
        return err;
    }
    struct im_error why = {.code = IM_OK};
    err = im_look(&run, on_homed, r, summary, &c->error);
    if (err == IM_OK && summary->total == 0 && !im_source_options.from) { /* of a server it is said already */
        im_command_note(c, 0, "nobody is chosen by that");
    }
    enum im_err end = im_report_homed_end(&r->out, c->output, &why); /* the document is whole also when the run was not */
    if (err == IM_OK && end != IM_OK) {
        c->error = why;
        err = end;
    }
    return err;
}

int im_home_show_take(struct im_command *c, struct im_sources *sources) {
    struct im_summary summary = {0};
    struct reading r;
    enum im_err err = begin(&r, c);
    if (err == IM_OK) {
        err = show(&r, sources, &summary);
    }
    finish(&r);
    im_sources_free(&sources);
    if (err != IM_OK) {
        return im_command_fail(c);
    }
    return summary.counts[IM_UNCHANGED] < summary.total ? 1 : 0;
}
