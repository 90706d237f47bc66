#include "lib/rules/server_rules.h"

#include "lib/base/text.h"
#include "lib/model/census.h"

#include <arpa/inet.h>
#include <string.h>

enum { MANY_USERS = 7500, TOO_MANY_USERS = 10000 };

#define SELECTED_ONLY "only selected accounts were read, so that the users of a server are not known"
#define NO_CENSUS "the accounts were not read"

const char *im_server_drain(const struct im_survey *survey, struct im_sink *s, const char *from) {
    const char *target = NULL;
    size_t homes = 0;
    for (size_t i = 0; survey->servers && i < survey->servers->count; i++) {
        const struct im_server *server = &survey->servers->items[i];
        if (!server->hosts_users || !server->dn || im_text_equal(server->name, from) || im_text_equal(server->dn, from))
            continue;
        target = server->name;
        homes++;
    }
    const char *to = homes == 0 ? "NEW-SERVER" : homes == 1 ? im_say_quoted(s, target) : "auto";
    const char *text = im_pool_printf(s->pool, "imhome --from %s --to %s", im_say_quoted(s, from), to);
    if (!text)
        s->failed = true;
    return text ? text : "";
}

static bool know_servers(const struct im_survey *survey, struct im_sink *s) {
    if (!survey->servers) {
        im_say_unknown(s, "the servers were not read");
    } else if (!survey->servers->count) {
        im_say_unknown(s, "no virtual server is known");
    }
    return survey->servers && survey->servers->count;
}

static bool know_all_users(const struct im_survey *survey, struct im_sink *s) {
    if (!survey->census) {
        im_say_unknown(s, NO_CENSUS);
    } else if (!survey->census->is_whole) {
        im_say_unknown(s, SELECTED_ONLY);
    }
    return survey->census && survey->census->is_whole;
}

/* ---- names ---- */

/* A name without port and final dot. */
struct name {
    char text[256];
    bool is_address;
    const char *port; /* in the text that was split; NULL: none is written */
};

static bool is_address(const char *text) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* "[2001:db8::1]:80" has its port behind the bracket, "2001:db8::1" has none. */
static void split(const char *host, struct name *out) {
    bool is_bracketed = *host == '[';
    const char *end = is_bracketed ? strchr(host, ']') : NULL;
    const char *colon = strchr(end ? end : host, ':');
    bool has_port = colon && (end || !strchr(colon + 1, ':'));
    const char *from = end ? host + 1 : host;
    size_t len = end ? (size_t)(end - from) : has_port ? (size_t)(colon - host) : strlen(host);
    if (len >= sizeof out->text)
        len = sizeof out->text - 1;
    memcpy(out->text, from, len);
    out->text[len] = '\0';
    out->is_address = is_address(out->text);
    out->port = has_port ? colon + 1 : NULL;
    if (!out->is_address && len && out->text[len - 1] == '.')
        out->text[len - 1] = '\0';
}

static void judge_name(const struct im_server *server, struct im_sink *s) {
    struct name name;
    split(server->host, &name);
    if (!name.is_address && strchr(name.text, '.'))
        return;
    struct im_finding *f = im_sink_find(s, server->name,
                                        name.is_address ? "the virtual server is named by the address %s, not by a DNS name"
                                                        : "the virtual server's name \"%s\" has no domain: clients cannot log on "
                                                          "to a name without one",
                                        name.text);
    if (server->dn)
        im_sink_evidence(s, f, "dn", "%s", server->dn);
    if (server->hosts_users) {
        im_sink_remedy(s, f,
                       "delete the SRV record that names it, create the virtual server again with its full DNS name, then move "
                       "its users there: imhome --from %s --to NEW-SERVER; publish the SRV record again",
                       im_say_quoted(s, server->name));
    }
}

/* The name of an IM domain that no server has is a name that clients look for all the same. */
static void judge_domain(const struct im_census_domain *domain, const struct im_survey *survey, struct im_sink *s) {
    if (strchr(domain->name, '.'))
        return;
    for (size_t i = 0; i < survey->servers->count; i++) {
        if (im_text_equal(survey->servers->items[i].host, domain->name))
            return;
    }
    struct im_finding *f = im_sink_find(s, domain->name, "the IM domain \"%s\" of %s has no dot: clients cannot find it",
                                        domain->name, im_say_count(s, domain->users, "user"));
    im_sink_remedy(s, f, "name a router by a full DNS name, then give these users addresses there: imenable --domain NAME");
}

enum im_verdict im_server_name_not_fqdn(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_servers(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_server *server = &survey->servers->items[i];
        if (server->host) {
            judge_name(server, s);
        } else {
            im_say_unknown(s, "the name of %s is not there or cannot be read", server->dn ? server->dn : server->name);
        }
    }
    for (size_t i = 0; survey->census && i < survey->census->im_domain_count; i++)
        judge_domain(&survey->census->im_domains[i], survey, s);
    return im_say_verdict(s, before);
}

/* Several routers of one domain may share its name; a home that shares it is found by chance only. */
enum im_verdict im_server_name_duplicate(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_servers(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_server *a = &survey->servers->items[i];
        for (size_t k = 0; a->hosts_users && a->host && k < i; k++) {
            const struct im_server *b = &survey->servers->items[k];
            if (!b->hosts_users || !im_text_equal(a->host, b->host))
                continue;
            struct im_finding *f = im_sink_find(s, a->host, "two home servers have the name %s: %s and %s", a->host,
                                                b->dn ? b->dn : b->name, a->dn ? a->dn : a->name);
            im_sink_remedy(s, f,
                           "create one of them again under another name, and move its users there: imhome --from %s --to "
                           "NEW-SERVER",
                           im_say_quoted(s, a->dn ? a->dn : a->name));
            break;
        }
    }
    return im_say_verdict(s, before);
}

static bool is_other_port(const char *host, const char **port) {
    struct name name;
    split(host, &name);
    *port = name.port;
    return name.port && strcmp(name.port, "80") != 0;
}

/* The SRV record's port is compared with the server's by a rule of its own. */
enum im_verdict im_server_port_not_80(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    const char *port;
    if (!know_servers(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_server *server = &survey->servers->items[i];
        if (server->host && is_other_port(server->host, &port))
            im_sink_find(s, server->name, "the virtual server's name has the port %s: %s", port, server->host);
    }
    for (size_t i = 0; survey->census && i < survey->census->home_count; i++) {
        const struct im_census_home *home = &survey->census->homes[i];
        bool is_named_so = home->server && home->server->host && is_other_port(home->server->host, &port);
        if (home->host && !is_named_so && is_other_port(home->host, &port)) {
            im_sink_find(s, home->server ? home->server->name : home->dn, "the URLs of users of this server have the port %s: %s",
                         port, home->host);
        }
    }
    return im_say_verdict(s, before);
}

/* ---- homes ---- */

static const char *fault_of(enum im_target target) {
    switch (target) {
    case IM_TARGET_NO_HOST:
        return "which hosts no users";
    case IM_TARGET_NO_SERVER:
        return "which is no virtual server";
    case IM_TARGET_DELETED:
        return "which was deleted";
    case IM_TARGET_MISSING:
        return "which does not exist";
    case IM_TARGET_UNKNOWN:
    case IM_TARGET_HOST:
        break;
    }
    return NULL;
}

enum im_verdict im_server_users_orphaned(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_all_users(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->census->home_count; i++) {
        const struct im_census_home *home = &survey->census->homes[i];
        const char *fault = fault_of(home->target);
        if (home->target == IM_TARGET_UNKNOWN)
            im_say_unknown(s, "what the home \"%s\" of %s is could not be read", home->dn, im_say_count(s, home->users, "user"));
        if (!fault)
            continue;
        struct im_finding *f =
            im_sink_find(s, home->server ? home->server->name : home->dn, "%s %s homed on \"%s\", %s",
                         im_say_count(s, home->users, "user"), home->users == 1 ? "is" : "are", home->dn, fault);
        im_sink_remedy(s, f, "%s", im_server_drain(survey, s, home->dn));
        im_sink_evidence(s, f, "users", "%zu", home->users);
    }
    return im_say_verdict(s, before);
}

enum im_verdict im_server_no_home(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_servers(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        if (survey->servers->items[i].hosts_users)
            return IM_FINE;
    }
    size_t count = survey->servers->count;
    im_sink_find(s, survey->servers->items[0].name, "%s %s known, and none hosts users", im_say_count(s, count, "virtual server"),
                 count == 1 ? "is" : "are");
    return im_say_verdict(s, before);
}

static size_t limit_of(const struct im_survey *survey) {
    long limit = survey->config ? im_config_rule(survey->config, "server-overfull").limit : 0;
    return limit > 0 ? (size_t)limit : MANY_USERS;
}

static void judge_load(const struct im_census_home *home, size_t limit, struct im_sink *s) {
    const struct im_server *server = home->server;
    if (server->capacity)
        limit = (size_t)server->capacity;
    if (home->users <= limit)
        return;
    const char *weight = home->users > TOO_MANY_USERS
                             ? im_pool_printf(s->pool, ", and more than the %d that one server can bear", TOO_MANY_USERS)
                             : "";
    struct im_finding *f =
        im_sink_find(s, server->name, "%zu users are homed on %s, more than the %s of %zu%s", home->users, server->name,
                     server->capacity ? "configured capacity" : "advisable number", limit, weight ? weight : "");
    s->failed = s->failed || !weight;
    im_sink_remedy(s, f, "add a home server, and move %s there: imhome --csv USERS.csv --to NEW-SERVER",
                   im_say_count(s, home->users - limit, "user"));
    im_sink_evidence(s, f, "users", "%zu", home->users);
    im_sink_evidence(s, f, "limit", "%zu", limit);
}

enum im_verdict im_server_overfull(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_all_users(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->census->home_count; i++) {
        if (survey->census->homes[i].server && survey->census->homes[i].server->hosts_users)
            judge_load(&survey->census->homes[i], limit_of(survey), s);
    }
    return im_say_verdict(s, before);
}

/* ---- routers ---- */

static bool lists(const struct im_server *server, const char *domain) {
    return server->domains.count && im_server_serves(server, domain);
}

static const struct im_server *named(const struct im_survey *survey, const char *domain, bool hosts_users) {
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_server *server = &survey->servers->items[i];
        if (server->hosts_users == hosts_users &&
            (im_text_equal(server->host, domain) || (!hosts_users && lists(server, domain))))
            return server;
    }
    return NULL;
}

static bool has_router(const struct im_survey *survey) {
    for (size_t i = 0; i < survey->servers->count; i++) {
        if (!survey->servers->items[i].hosts_users)
            return true;
    }
    return false;
}

/* Where all users are of one IM domain, their homes are its homes. */
static bool has_users(const struct im_survey *survey, const struct im_server *server) {
    for (size_t i = 0; i < survey->census->home_count; i++) {
        if (survey->census->homes[i].server == server && survey->census->homes[i].users)
            return true;
    }
    return false;
}

/* The directory does not say which domains a home serves. A home that is addressed by its own name serves that one, others serve
 * what the configuration lists, and a domain that no home is named for is served by all that are not limited. */
static size_t count_homes(const struct im_survey *survey, const char *domain) {
    bool is_only = survey->census->im_domain_count == 1;
    bool is_direct = named(survey, domain, true) != NULL;
    size_t count = 0;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_server *server = &survey->servers->items[i];
        if (!server->hosts_users)
            continue;
        bool serves = lists(server, domain) || im_text_equal(server->host, domain);
        if (!serves && !server->domains.count)
            serves = is_only && is_direct ? has_users(survey, server) : !is_direct;
        count += serves;
    }
    return count;
}

/* A domain that no server has may be a mistake in an address, which another rule tells, unless it is the only one. */
static bool is_ours(const struct im_survey *survey, const char *domain) {
    return im_servers_know_domain(survey->servers, domain) || (!has_router(survey) && survey->census->im_domain_count == 1);
}

enum im_verdict im_server_router_missing(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_servers(survey, s))
        return IM_SKIPPED;
    if (!survey->census)
        return im_say_unknown(s, NO_CENSUS);
    for (size_t i = 0; i < survey->census->im_domain_count; i++) {
        const char *domain = survey->census->im_domains[i].name;
        size_t homes = is_ours(survey, domain) && !named(survey, domain, false) ? count_homes(survey, domain) : 0;
        if (homes < 2)
            continue;
        struct im_finding *f = im_sink_find(s, domain,
                                            "the IM domain %s has %zu home servers and no router: who asks the wrong "
                                            "one is not sent on",
                                            domain, homes);
        im_sink_remedy(s, f,
                       "create a virtual server that hosts no users and is named %s, and let the domain's address record "
                       "point at it",
                       domain);
    }
    return im_say_verdict(s, before);
}

/* The domains that a router is configured for, and the one that it is named for where people have addresses there. */
static void judge_router(const struct im_server *router, const struct im_survey *survey, struct im_sink *s) {
    struct im_buf list = IM_BUF_INIT;
    size_t count = router->domains.count;
    for (size_t i = 0; i < router->domains.count; i++)
        im_buf_addf(&list, "%s%s", i ? ", " : "", router->domains.items[i]);
    for (size_t i = 0; survey->census && i < survey->census->im_domain_count; i++) {
        const char *domain = survey->census->im_domains[i].name;
        if (count && im_text_equal(router->host, domain) && !im_server_serves(router, domain)) {
            im_buf_addf(&list, ", %s", domain);
            count++;
        }
    }
    if (count > 1) {
        struct im_finding *f = im_sink_find(s, router->name, "the router %s is to serve %zu IM domains (%s), and answers for one",
                                            router->name, count, im_buf_str(&list));
        im_sink_remedy(s, f,
                       "create a router for each of these domains, named like the domain, and let each domain's records "
                       "point at its own");
        if (router->where)
            im_sink_evidence(s, f, "where", "%s", router->where);
    }
    s->failed = s->failed || list.failed;
    im_buf_free(&list);
}

enum im_verdict im_server_router_two_domains(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_servers(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        if (!survey->servers->items[i].hosts_users)
            judge_router(&survey->servers->items[i], survey, s);
    }
    return im_say_verdict(s, before);
}
