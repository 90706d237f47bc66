#include "tools/check_facts.h"

#include <string.h>
#include <time.h>

enum { PEOPLE_MOST = 50 }; /* more than these are not tried one by one */

static bool wants(const struct im_check_facts *f, enum im_scope scope) {
    return im_choice_has_scope(f->choice, scope);
}

/* ---- name servers ---- */

/* Web servers are looked for where the name servers say that they are. */
static bool wants_names(const struct im_check_facts *f) {
    return wants(f, IM_SCOPE_DNS) || wants(f, IM_SCOPE_HTTP);
}

static struct im_strings resolvers(const struct im_command *c) {
    return im_check_options.dns_servers.count > 0 ? im_check_options.dns_servers : c->config->dns_servers;
}

static enum im_err ask_names(struct im_check_facts *f, const struct im_dns_wanted *names, struct im_error *e) {
    const struct im_profile *profile = f->survey.profile;
    struct im_dns_wanted wanted = *names;
    wanted.srv = profile->srv;
    wanted.srv_count = profile->srv_count;
    wanted.resolvers = resolvers(f->c);
    wanted.timeout_s = f->c->config->dns_timeout_s;
    wanted.stop = im_command_stop();
    return im_dns_gather(&wanted, f->c->pool, &f->dns, e);
}

enum im_err im_check_facts_mail_domain(void *user, const char *domain, struct im_error *e) {
    struct im_check_facts *f = user;
    const struct im_dns_wanted names = {.mail_domains = {.items = (const char *[]){domain}, .count = 1}};
    return f->survey.dns ? ask_names(f, &names, e) : IM_OK;
}

/* What servers and accounts, as far as they are known, need in DNS. */
static enum im_err ask_known(struct im_check_facts *f, const struct im_census *census) {
    struct im_command *c = f->c;
    struct im_dns_names names = {.hosts = {.count = 0}};
    enum im_err err = im_dns_names(census, f->survey.servers, c->pool, &names, &c->error);
    const struct im_dns_wanted wanted = {
        .mail_domains = names.mail_domains, .im_domains = names.im_domains, .hosts = names.hosts};
    if (err == IM_OK) {
        err = ask_names(f, &wanted, &c->error);
    }
    f->survey.dns = &f->dns;
    return err;
}

/* ---- web servers ---- */

struct hosts {
    struct im_http_host *items;
    size_t count, cap;
};

static enum im_err add_host(struct hosts *hosts, const char *host, unsigned role, struct im_error *e) {
    struct im_http_host *place = host ? im_vec_push(hosts) : NULL;
    if (!host) {
        return IM_OK;
    }
    if (!place) {
        return im_error_nomem(e);
    }
    *place = (struct im_http_host){.host = host, .roles = role};
    return IM_OK;
}

static enum im_err add_servers(const struct im_check_facts *f, struct hosts *hosts) {
    const struct im_servers *servers = f->survey.servers;
    struct im_error *e = &f->c->error;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < servers->count; i++) {
        const struct im_server *server = &servers->items[i];
        err = add_host(hosts, server->host, server->hosts_users ? IM_HTTP_HOME : IM_HTTP_ROUTER, e);
        for (size_t k = 0; err == IM_OK && k < server->domains.count; k++) {
            err = add_host(hosts, server->domains.items[k], IM_HTTP_DOMAIN, e);
        }
    }
    return err;
}

/* Where clients go that find no SRV record. */
static enum im_err add_met(const struct im_check_facts *f, const struct im_census *census, struct hosts *hosts) {
    struct im_error *e = &f->c->error;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < census->im_domain_count; i++) {
        err = add_host(hosts, census->im_domains[i].name, IM_HTTP_DOMAIN, e);
    }
    for (size_t i = 0; err == IM_OK && f->survey.dns && i < census->mail_domain_count; i++) {
        enum im_dns_state state;
        const char *target = im_dns_srv_target(f->survey.dns, census->mail_domains[i].name, &state);
        bool is_missing = state == IM_DNS_NXDOMAIN || state == IM_DNS_NODATA;
        if (!target && is_missing) {
            err = add_host(hosts, census->mail_domains[i].name, IM_HTTP_MAIL_DOMAIN, e);
        }
    }
    return err;
}

/* The addresses that the named resolver tells, so that the probe goes where its clients would. */
static enum im_err find_place(const struct im_check_facts *f, const char *host, struct im_http_place *out) {
    const struct im_dns_addresses found = im_dns_addresses(f->survey.dns, host);
    const struct im_dns_answer *both[] = {found.v4, found.v6};
    size_t count = (found.v4 ? found.v4->count : 0) + (found.v6 ? found.v6->count : 0);
    const char **addresses = im_pool_array(f->c->pool, count + 1, sizeof *addresses);
    if (!addresses) {
        return im_error_nomem(&f->c->error);
    }
    *out = (struct im_http_place){.host = host, .addresses = addresses};
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; both[b] && i < both[b]->count; i++) {
            addresses[out->address_count++] = both[b]->records[i].text;
        }
    }
    return IM_OK;
}

static enum im_err find_places(const struct im_check_facts *f, const struct hosts *hosts, struct im_http_wanted *wanted) {
    if (!f->survey.dns || resolvers(f->c).count == 0) {
        return IM_OK;
    }
    struct im_http_place *places = im_pool_array(f->c->pool, hosts->count + 1, sizeof *places);
    enum im_err err = places ? IM_OK : im_error_nomem(&f->c->error);
    for (size_t i = 0; err == IM_OK && i < hosts->count; i++) {
        err = find_place(f, hosts->items[i].host, &places[i]);
    }
    wanted->places = places;
    wanted->place_count = hosts->count;
    return err;
}

static enum im_err probe(struct im_check_facts *f, const struct im_census *census) {
    struct hosts hosts = {.count = 0};
    struct im_http_wanted wanted = {.profile = f->survey.profile,
                                    .people = f->people.items,
                                    .person_count = f->people.count,
                                    .timeout_ms = f->c->config->connect_timeout_s * 1000,
                                    .stop = im_command_stop()};
    enum im_err err = add_servers(f, &hosts);
    if (err == IM_OK && census) {
        err = add_met(f, census, &hosts);
    }
    if (err == IM_OK) {
        err = find_places(f, &hosts, &wanted);
    }
    wanted.hosts = hosts.items;
    wanted.host_count = hosts.count;
    if (err == IM_OK) {
        err = im_http_gather(&wanted, f->c->pool, &f->http, &f->c->error);
    }
    f->survey.http = &f->http;
    im_vec_free(&hosts);
    return err;
}

/* What is told of a person's sign-in afterwards. */
static enum im_err keep_person(struct im_check_facts *f, const struct im_account *account, struct im_error *e) {
    struct im_pool *pool = f->c->pool;
    struct im_account *place = im_vec_push(&f->accounts);
    if (!place) {
        return im_error_nomem(e);
    }
    *place = (struct im_account){.name = im_pool_strdup(pool, account->name ? account->name : account->dn),
                                 .dn = im_pool_strdup(pool, account->dn),
                                 .mail = im_pool_strdup(pool, account->mail),
                                 .upn = im_pool_strdup(pool, account->upn),
                                 .address = im_pool_strdup(pool, account->address),
                                 .logical_url = im_pool_strdup(pool, account->logical_url),
                                 .physical_url = im_pool_strdup(pool, account->physical_url),
                                 .home = im_pool_strdup(pool, account->home),
                                 .im_count = account->im_count};
    return place->name && place->dn ? IM_OK : im_error_nomem(e);
}

enum im_err im_check_facts_account(void *user, const struct im_account *account, struct im_error *e) {
    struct im_check_facts *f = user;
    struct im_pool *pool = f->c->pool;
    if (im_check_options.replicas) {
        const char **dn = im_vec_push(&f->selected);
        if (!dn || !(*dn = im_pool_strdup(pool, account->dn))) {
            return im_error_nomem(e);
        }
    }
    if (!f->survey.http || !account->logical_url || f->people.count == PEOPLE_MOST) {
        return IM_OK;
    }
    struct im_http_person *person = im_vec_push(&f->people);
    if (!person) {
        return im_error_nomem(e);
    }
    *person = (struct im_http_person){.account = im_pool_strdup(pool, account->name ? account->name : account->dn),
                                      .dn = im_pool_strdup(pool, account->dn),
                                      .logical_url = im_pool_strdup(pool, account->logical_url),
                                      .physical_url = im_pool_strdup(pool, account->physical_url)};
    bool is_whole = person->account && person->dn && person->logical_url && (person->physical_url || !account->physical_url);
    return is_whole ? keep_person(f, account, e) : im_error_nomem(e);
}

/* ---- all of it ---- */

static enum im_err read_organisation(struct im_check_facts *f) {
    struct im_command *c = f->c;
    const struct im_facts_gathered *d = f->directory;
    const struct im_gather gather = {
        .directory = d->directory, .config = c->config, .profile = d->profile, .needs_servers = true};
    const struct im_gathered known = {.schema = d->schema, .domains = d->domains, .netbios = d->netbios, .servers = d->servers};
    return im_organisation_read(&gather, &known, c->pool, &f->organisation, &c->error);
}

enum im_err im_check_facts_begin(struct im_check_facts *f) {
    struct im_command *c = f->c;
    const struct im_facts_gathered *d = f->directory;
    enum im_err err = im_schema_compare(&d->profile->schema, &d->schema, c->pool, &f->schema_report, &c->error);
    if (!im_directory_rootdse(d->directory)->has_assumed_schema) {
        f->survey.schema_report = &f->schema_report;
    }
    if (err == IM_OK) {
        err = read_organisation(f);
    }
    f->survey.organisation = &f->organisation;
    if (err == IM_OK && wants_names(f)) {
        err = ask_known(f, NULL);
    }
    if (err == IM_OK && wants(f, IM_SCOPE_HTTP)) {
        err = probe(f, NULL);
    }
    return err == IM_OK && wants(f, IM_SCOPE_REPLICATION) ? im_check_replicas_list(f) : err;
}

enum im_err im_check_facts_end(struct im_check_facts *f, const struct im_census *census) {
    enum im_err err = IM_OK;
    f->survey.census = census;
    if (wants_names(f)) {
        err = ask_known(f, census);
    }
    if (err == IM_OK && wants(f, IM_SCOPE_HTTP)) {
        err = probe(f, census);
    }
    return err == IM_OK && im_check_options.replicas ? im_check_replicas_compare(f) : err;
}

void im_check_facts_free(struct im_check_facts *f) {
    im_dns_facts_free(&f->dns);
    im_vec_free(&f->people);
    im_vec_free(&f->accounts);
    im_vec_free(&f->replicas.replicas);
    im_vec_free(&f->replicas.differences);
    im_vec_free(&f->selected);
}
