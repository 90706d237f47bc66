/* The key `http`: what web servers answered.
 *
 * - http: {stopped: bool, targets: [TARGET...], users: [USER...]}
 * - TARGET: {host, roles: [home router domain mail-domain named], addresses, local, propfind: ANSWER, get: ANSWER}; without
 *   answers it is a healthy home
 * - USER: {account, dn, alias, domain, physical, logical: ANSWER, home: ANSWER, followed: ANSWER}; without an answer it was not
 *   asked
 * - ANSWER: {outcome, detail, url, status, version, server, location, authenticate: [LINE...], address, credentials}; outcome:
 *   answered (default), not-asked, no-address, refused, timeout, closed, tls, malformed, failed; server: IIS unless said, "" is
 *   none */
#include "lib/model/http_facts.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

survey_read survey_read_http;

static const char *const answer_keys[] = {"outcome", "detail",   "url",          "status",  "version",
                                          "server",  "location", "authenticate", "address", "credentials"};
static const char *const outcomes[] = {"not-asked", "answered", "no-address", "refused", "timeout",
                                       "closed",    "tls",      "malformed",  "failed"};

static void add_lines(const struct survey_world *w, struct im_http_answer *a, struct im_strings lines) {
    struct im_error e = {.code = IM_OK};
    for (size_t i = 0; i < lines.count; i++)
        survey_must(im_http_add_challenges(a, lines.items[i], w->pool, &e), &e);
}

static struct im_http_answer read_answer(const struct survey_world *w, const struct im_yaml_node *node, const char *method,
                                         const char *url) {
    survey_only_keys(w, node, answer_keys, LENGTH(answer_keys));
    const char *server = survey_text(w, node, "server");
    const char *said = survey_text(w, node, "url");
    struct im_http_answer a = {
        .method = method,
        .url = said ? said : url,
        .outcome = (enum im_http_outcome)survey_choice(w, node, "outcome", outcomes, LENGTH(outcomes), IM_HTTP_ANSWERED),
        .detail = survey_text(w, node, "detail"),
        .status = (int)survey_long(w, node, "status", 0),
        .version = survey_text(w, node, "version"),
        .server = server ? server : "Microsoft-IIS/5.0",
        .location = survey_text(w, node, "location"),
        .address = survey_text(w, node, "address"),
        .sent_credentials = survey_bool(w, node, "credentials", false),
    };
    if (a.outcome != IM_HTTP_ANSWERED || !*a.server)
        a.server = NULL;
    if (a.outcome == IM_HTTP_NOT_ASKED)
        a.method = NULL;
    add_lines(w, &a, survey_list(w, node, "authenticate"));
    return a;
}

static struct im_http_answer healthy(const struct survey_world *w, bool is_get, const char *url) {
    static const char *lines[] = {"Negotiate", "NTLM"};
    struct im_http_answer a = {
        .method = is_get ? "GET" : "PROPFIND",
        .url = url,
        .outcome = IM_HTTP_ANSWERED,
        .status = is_get ? 501 : 401,
        .version = "0.2",
        .server = "Microsoft-IIS/5.0",
    };
    if (!is_get)
        add_lines(w, &a, (struct im_strings){lines, LENGTH(lines)});
    return a;
}

static unsigned read_roles(const struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const words[] = {"home", "router", "domain", "mail-domain", "named"};
    struct im_strings list = survey_list(w, node, "roles");
    unsigned roles = list.count ? 0 : IM_HTTP_HOME;
    for (size_t i = 0; i < list.count; i++) {
        size_t k = 0;
        while (k < LENGTH(words) && strcmp(words[k], list.items[i]) != 0)
            k++;
        if (k == LENGTH(words))
            fail_msg("roles: \"%s\" is no choice", list.items[i]);
        roles |= 1U << k;
    }
    return roles;
}

static struct im_http_target read_target(const struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"host", "roles", "addresses", "local", "propfind", "get"};
    const struct im_yaml_node *propfind = im_yaml_get(node, "propfind");
    const struct im_yaml_node *get = im_yaml_get(node, "get");
    struct im_strings addresses = survey_list(w, node, "addresses");
    survey_only_keys(w, node, keys, LENGTH(keys));
    const char *host = survey_text(w, node, "host");
    const char *url = im_pool_printf(w->pool, "http://%s/instmsg/", host);
    return (struct im_http_target){
        .host = host,
        .roles = read_roles(w, node),
        .addresses = addresses.items,
        .address_count = addresses.count,
        .local_address = survey_text(w, node, "local"),
        .propfind = propfind ? read_answer(w, propfind, "PROPFIND", url) : healthy(w, false, url),
        .get = get ? read_answer(w, get, "GET", url) : healthy(w, true, url),
    };
}

static struct im_http_answer read_optional(const struct survey_world *w, const struct im_yaml_node *node, const char *key,
                                           const char *url) {
    const struct im_yaml_node *answer = im_yaml_get(node, key);
    return answer ? read_answer(w, answer, "PROPFIND", url) : (struct im_http_answer){.method = NULL};
}

static struct im_http_user read_user(const struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"account", "dn", "alias", "domain", "physical", "logical", "home", "followed"};
    survey_only_keys(w, node, keys, LENGTH(keys));
    const char *account = survey_text(w, node, "account");
    const char *alias = survey_text(w, node, "alias");
    const char *domain = survey_text(w, node, "domain");
    const char *dn = survey_text(w, node, "dn");
    struct im_http_user u = {
        .account = account,
        .dn = dn ? dn : im_pool_printf(w->pool, "CN=%s,DC=corp,DC=example", account),
        .alias = alias ? alias : account,
        .domain = domain ? domain : "im.corp.example",
        .physical_url = survey_text(w, node, "physical"),
    };
    u.logical = read_optional(w, node, "logical", im_pool_printf(w->pool, "http://%s/instmsg/aliases/%s", u.domain, u.alias));
    u.home = read_optional(w, node, "home", u.physical_url);
    u.followed = read_optional(w, node, "followed", u.logical.location);
    return u;
}

void survey_read_http(struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"stopped", "targets", "users"};
    const struct im_yaml_node *targets = im_yaml_get(node, "targets");
    const struct im_yaml_node *users = im_yaml_get(node, "users");
    struct im_http_facts *facts = im_pool_alloc(w->pool, sizeof *facts);
    survey_only_keys(w, node, keys, LENGTH(keys));
    facts->was_stopped = survey_bool(w, node, "stopped", false);
    facts->target_count = targets ? targets->count : 0;
    facts->targets = im_pool_array(w->pool, facts->target_count, sizeof *facts->targets);
    for (size_t i = 0; i < facts->target_count; i++)
        facts->targets[i] = read_target(w, targets->items[i]);
    facts->user_count = users ? users->count : 0;
    facts->users = im_pool_array(w->pool, facts->user_count, sizeof *facts->users);
    for (size_t i = 0; i < facts->user_count; i++)
        facts->users[i] = read_user(w, users->items[i]);
    w->survey.http = facts;
}
