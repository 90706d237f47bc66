#include "lib/probe/http.h"

#include "lib/base/text.h"
#include "lib/probe/http_fetch.h"

#include <string.h>
#include <strings.h>

struct gather {
    const struct im_http_wanted *wanted;
    struct im_pool *pool;
    struct im_http_facts *out;
    struct im_error *e;
    struct im_http_line *lines; /* one for each target */
    struct im_http_request *requests;
    size_t request_count;
    size_t old_users; /* of earlier calls */
};

#define TEXT(g, text) im_pool_strdup((g)->pool, text)

/* ---- what may be asked ---- */

static bool is_plain_host(const char *host) {
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";
    static const char literal[] = "[]0123456789abcdef:.";
    return *host && host[strspn(host, *host == '[' ? literal : name)] == '\0';
}

/* A value of the directory is asked for only where a client would: at the service's path, on its port. */
static enum im_err parse_url(const struct gather *g, const char *text, const char **host) {
    const char *path = g->wanted->profile->http.path;
    struct im_http_url url;
    *host = NULL;
    enum im_err err = im_http_url_parse(text, g->pool, &url, g->e);
    if (err != IM_OK || !url.host || url.is_tls || url.port != 80 || !is_plain_host(url.host))
        return err;
    if (!im_text_is_ascii(text, strlen(text)) || strncasecmp(url.path, path, strlen(path)) != 0 || strstr(url.path, "/.") ||
        strpbrk(url.path, "?#"))
        return IM_OK;
    *host = url.host;
    return IM_OK;
}

/* ---- targets ---- */

static struct im_http_target *find_target(const struct gather *g, const char *host) {
    const struct im_http_target *found = im_http_target(g->out, host);
    return found ? &g->out->targets[found - g->out->targets] : NULL;
}

static enum im_err add_target(const struct gather *g, const char *host, unsigned roles) {
    struct im_http_target *known = find_target(g, host);
    if (known) {
        known->roles |= roles;
        return IM_OK;
    }
    char *name = TEXT(g, host);
    if (!name || !g->out->targets)
        return im_error_nomem(g->e);
    size_t len = strlen(name);
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0';
    for (char *c = name; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    g->out->targets[g->out->target_count++] = (struct im_http_target){.host = name, .roles = roles};
    return IM_OK;
}

static enum im_err add_url_host(const struct gather *g, const char *url, unsigned roles) {
    const char *host = NULL;
    enum im_err err = url ? parse_url(g, url, &host) : IM_OK;
    return err == IM_OK && host ? add_target(g, host, roles) : err;
}

static enum im_err make_room(struct gather *g) {
    const struct im_http_wanted *w = g->wanted;
    struct im_http_facts *out = g->out;
    size_t targets = out->target_count + w->host_count + 2 * w->person_count;
    size_t users = out->user_count + w->person_count;
    struct im_http_target *more_targets = im_pool_array(g->pool, targets + 1, sizeof *more_targets);
    struct im_http_user *more_users = im_pool_array(g->pool, users + 1, sizeof *more_users);
    g->lines = im_pool_array(g->pool, targets + 1, sizeof *g->lines);
    g->requests = im_pool_array(g->pool, targets + 2 * users + 1, sizeof *g->requests);
    if (!more_targets || !more_users || !g->lines || !g->requests)
        return im_error_nomem(g->e);
    for (size_t i = 0; i < out->target_count; i++)
        more_targets[i] = out->targets[i];
    for (size_t i = 0; i < out->user_count; i++)
        more_users[i] = out->users[i];
    out->targets = more_targets;
    out->users = more_users;
    g->old_users = out->user_count;
    return IM_OK;
}

static enum im_err add_targets(const struct gather *g) {
    enum im_err err = IM_OK;
    for (size_t i = 0; i < g->wanted->host_count && err == IM_OK; i++)
        err = add_target(g, g->wanted->hosts[i].host, g->wanted->hosts[i].roles);
    for (size_t i = 0; i < g->wanted->person_count && err == IM_OK; i++) {
        err = add_url_host(g, g->wanted->people[i].logical_url, IM_HTTP_DOMAIN);
        if (err == IM_OK)
            err = add_url_host(g, g->wanted->people[i].physical_url, IM_HTTP_HOME);
    }
    return err;
}

static const struct im_http_place *find_place(const struct im_http_wanted *w, const char *host) {
    static const struct im_http_place nowhere = {.host = ""};
    for (size_t i = 0; i < w->place_count; i++) {
        if (im_text_equal(w->places[i].host, host))
            return &w->places[i];
    }
    return w->places && *host != '[' && host[strspn(host, "0123456789.")] ? &nowhere : NULL;
}

static void set_lines(const struct gather *g) {
    for (size_t i = 0; i < g->out->target_count; i++) {
        const struct im_http_target *t = &g->out->targets[i];
        g->lines[i].place = find_place(g->wanted, t->host);
        if (t->propfind.method && t->propfind.outcome != IM_HTTP_ANSWERED)
            g->lines[i].failed = &t->propfind;
    }
}

/* ---- rounds ---- */

static void ask(struct gather *g, const char *method, const char *url, const char *host, struct im_http_answer *answer) {
    const struct im_http_target *target = im_http_target(g->out, host);
    g->requests[g->request_count++] =
        (struct im_http_request){.method = method, .url = url, .line = &g->lines[target - g->out->targets], .answer = answer};
}

static enum im_err run_round(struct gather *g) {
    enum im_err err = im_http_fetch(g->wanted, g->requests, g->request_count, g->pool, g->e);
    g->request_count = 0;
    return err;
}

static enum im_err ask_targets(struct gather *g) {
    for (size_t i = 0; i < g->out->target_count; i++) {
        struct im_http_target *t = &g->out->targets[i];
        if (t->propfind.method)
            continue;
        if (!is_plain_host(t->host)) {
            t->propfind = (struct im_http_answer){
                .method = "PROPFIND", .url = "", .outcome = IM_HTTP_FAILED, .detail = "this is not the name of a host"};
            g->lines[i].failed = &t->propfind;
            continue;
        }
        const char *url = im_pool_printf(g->pool, "http://%s%s", t->host, g->wanted->profile->http.path);
        if (!url)
            return im_error_nomem(g->e);
        ask(g, "PROPFIND", url, t->host, &t->propfind);
    }
    return run_round(g);
}

/* Whether the directory of the program is exposed; nobody's business where only a mail domain has a web server. */
static void ask_exposure(struct gather *g) {
    for (size_t i = 0; i < g->out->target_count; i++) {
        struct im_http_target *t = &g->out->targets[i];
        if (t->propfind.outcome == IM_HTTP_ANSWERED && !t->get.method && t->roles != IM_HTTP_MAIL_DOMAIN)
            ask(g, "GET", t->propfind.url, t->host, &t->get);
    }
}

static const char *last_segment(const char *url) {
    const char *slash = strrchr(url, '/');
    return slash && slash[1] ? slash + 1 : NULL;
}

/* Sends the request, or says why not. */
static enum im_err ask_url(struct gather *g, const char *url, struct im_http_answer *answer) {
    const char *host;
    enum im_err err = parse_url(g, url, &host);
    if (err != IM_OK)
        return err;
    if (host) {
        ask(g, "PROPFIND", url, host, answer);
    } else {
        *answer = (struct im_http_answer){.url = url, .detail = "no client would ask this URL"};
    }
    return IM_OK;
}

static enum im_err add_user(struct gather *g, const struct im_http_person *p) {
    struct im_http_url url = {.host = NULL};
    struct im_http_user *u = &g->out->users[g->out->user_count];
    const char *logical = TEXT(g, p->logical_url);
    *u = (struct im_http_user){.account = TEXT(g, p->account), .dn = TEXT(g, p->dn), .physical_url = TEXT(g, p->physical_url)};
    if ((p->account && !u->account) || (p->dn && !u->dn) || (p->physical_url && !u->physical_url) || (p->logical_url && !logical))
        return im_error_nomem(g->e);
    g->out->user_count++;
    enum im_err err = logical ? im_http_url_parse(logical, g->pool, &url, g->e) : IM_OK;
    u->domain = url.host;
    u->alias = logical && url.host ? last_segment(logical) : NULL;
    if (err == IM_OK && logical)
        err = ask_url(g, logical, &u->logical);
    if (err == IM_OK && u->physical_url && !(logical && im_http_url_equal(logical, u->physical_url)))
        err = ask_url(g, u->physical_url, &u->home);
    return err;
}

static enum im_err ask_people(struct gather *g) {
    enum im_err err = IM_OK;
    for (size_t i = 0; i < g->wanted->person_count && err == IM_OK; i++) {
        if (!im_http_user(g->out, g->wanted->people[i].dn))
            err = add_user(g, &g->wanted->people[i]);
    }
    return err;
}

/* As the client would, but only to servers that are known: a redirect may name any host of the world. */
static enum im_err ask_redirected(struct gather *g) {
    for (size_t i = g->old_users; i < g->out->user_count; i++) {
        struct im_http_user *u = &g->out->users[i];
        const char *location = u->logical.location;
        const char *host = NULL;
        if (!location || u->logical.status < 300 || u->logical.status > 399)
            continue;
        enum im_err err = parse_url(g, location, &host);
        if (err != IM_OK)
            return err;
        if (!host || !im_http_target(g->out, host) || im_http_url_equal(location, u->logical.url) ||
            (u->physical_url && im_http_url_equal(location, u->physical_url)))
            continue;
        ask(g, "PROPFIND", location, host, &u->followed);
    }
    return run_round(g);
}

/* ---- addresses ---- */

static enum im_err set_addresses(const struct gather *g, struct im_http_target *t, const struct im_http_place *place) {
    size_t count = place && place->address_count ? place->address_count : (t->propfind.address != NULL);
    const char **list = im_pool_array(g->pool, count + 1, sizeof *list);
    if (!list)
        return im_error_nomem(g->e);
    for (size_t i = 0; i < count; i++) {
        list[i] = place && place->address_count ? TEXT(g, place->addresses[i]) : t->propfind.address;
        if (!list[i])
            return im_error_nomem(g->e);
        if (!t->local_address && im_http_is_local(list[i]))
            t->local_address = list[i];
    }
    t->addresses = list;
    t->address_count = count;
    return IM_OK;
}

static enum im_err set_all_addresses(const struct gather *g) {
    enum im_err err = IM_OK;
    for (size_t i = 0; i < g->out->target_count && err == IM_OK; i++) {
        if (!g->out->targets[i].addresses)
            err = set_addresses(g, &g->out->targets[i], g->lines[i].place);
    }
    return err;
}

static enum im_err ask_all(struct gather *g) {
    enum im_err err = ask_targets(g);
    if (err != IM_OK)
        return err;
    ask_exposure(g);
    err = ask_people(g);
    if (err == IM_OK)
        err = run_round(g);
    return err == IM_OK ? ask_redirected(g) : err;
}

enum im_err im_http_gather(const struct im_http_wanted *wanted, struct im_pool *pool, struct im_http_facts *out,
                           struct im_error *e) {
    struct gather g = {.wanted = wanted, .pool = pool, .out = out, .e = e};
    if (!wanted->profile->http.path)
        return IM_OK;
    enum im_err err = make_room(&g);
    if (err == IM_OK)
        err = add_targets(&g);
    if (err != IM_OK)
        return err;
    set_lines(&g);
    out->was_stopped = false;
    err = ask_all(&g);
    out->was_stopped = err == IM_E_INTERRUPTED;
    if (err == IM_OK || err == IM_E_INTERRUPTED) {
        enum im_err inner = set_all_addresses(&g);
        err = inner == IM_OK ? err : inner;
    }
    return err;
}
