/* Asks web servers and judges them, for tests. Lines on standard input:
 *
 *   timeout MS
 *   server NAME HOST home|router
 *   place HOST PORT [ADDRESS...]       where the name leads; without any such line, what the resolver says
 *   ask HOST ROLE...                   home router domain mail-domain named
 *   person ACCOUNT LOGICAL PHYSICAL
 *   ready                              prints "ready" when it comes here; a signal may follow
 *   go                                 asks for what was wanted since the last go
 *
 * At the end: the facts, and what the rules of scope http say, as one JSON document. */
#include "lib/base/vec.h"
#include "lib/data/json_text.h"
#include "lib/model/rule.h"
#include "lib/probe/http.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 16 };

static atomic_int stop;

static void on_signal(int number) {
    (void)number;
    stop = 1;
}

struct probe {
    struct im_pool *pool;
    struct im_profile *profile;
    struct {
        struct im_http_host *items;
        size_t count, cap;
    } hosts;
    struct {
        struct im_http_person *items;
        size_t count, cap;
    } people;
    struct {
        struct im_http_place *items;
        size_t count, cap;
    } places;
    struct im_servers servers;
    struct im_http_facts facts;
    struct im_error e;
    long timeout_ms;
};

static void give_up(const char *what) {
    fprintf(stderr, "http_probe: %s\n", what);
    exit(2);
}

static void *must(void *made) {
    if (!made)
        give_up("out of memory");
    return made;
}

static unsigned role(const char *word) {
    static const char *const words[] = {"home", "router", "domain", "mail-domain", "named"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0)
            return 1U << i;
    }
    give_up(word);
    return 0;
}

static void go(struct probe *p) {
    const struct im_http_wanted wanted = {
        .profile = p->profile,
        .hosts = p->hosts.items,
        .host_count = p->hosts.count,
        .people = p->people.items,
        .person_count = p->people.count,
        .places = p->places.items,
        .place_count = p->places.count,
        .timeout_ms = p->timeout_ms,
        .stop = &stop,
    };
    (void)im_http_gather(&wanted, p->pool, &p->facts, &p->e);
    p->hosts.count = p->people.count = 0;
}

static void add_place(struct probe *p, char *const *words, size_t count) {
    struct im_http_place *place = must(im_vec_push(&p->places));
    const char **addresses = must(im_pool_array(p->pool, MAX_WORDS, sizeof *addresses));
    for (size_t i = 3; i < count; i++)
        addresses[i - 3] = words[i];
    *place = (struct im_http_place){words[1], addresses, count - 3, strtol(words[2], NULL, 10)};
}

static void ask(struct probe *p, char *const *words, size_t count) {
    struct im_http_host *host = must(im_vec_push(&p->hosts));
    host->host = words[1];
    for (size_t i = 2; i < count; i++)
        host->roles |= role(words[i]);
}

static void add_person(struct probe *p, char *const *words) {
    struct im_http_person *person = must(im_vec_push(&p->people));
    const char *dn = must(im_pool_printf(p->pool, "CN=%s,DC=corp,DC=example", words[1]));
    *person = (struct im_http_person){words[1], dn, words[2], words[3]};
}

static void add_server(struct probe *p, char *const *words) {
    struct im_server *server = must(im_vec_push(&p->servers));
    *server =
        (struct im_server){.name = words[1], .host = words[2], .hosts_users = strcmp(words[3], "home") == 0, .where = "test"};
}

static void obey(struct probe *p, char *const *words, size_t count) {
    const char *verb = words[0];
    if (strcmp(verb, "timeout") == 0 && count == 2) {
        p->timeout_ms = strtol(words[1], NULL, 10);
    } else if (strcmp(verb, "server") == 0 && count == 4) {
        add_server(p, words);
    } else if (strcmp(verb, "place") == 0 && count >= 3) {
        add_place(p, words, count);
    } else if (strcmp(verb, "ask") == 0 && count >= 3) {
        ask(p, words, count);
    } else if (strcmp(verb, "person") == 0 && count == 4) {
        add_person(p, words);
    } else if (strcmp(verb, "ready") == 0) {
        puts("ready");
        fflush(stdout);
    } else if (strcmp(verb, "go") == 0) {
        go(p);
    } else {
        give_up(verb);
    }
}

static void read_all(struct probe *p) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *words[MAX_WORDS];
        size_t count = 0;
        char *rest = must(im_pool_strdup(p->pool, line));
        for (char *word; count < MAX_WORDS && (word = strtok_r(rest, " \n", &rest));)
            words[count++] = word;
        if (count)
            obey(p, words, count);
    }
    free(line);
}

/* ---- the document ---- */

static void tell_answer(struct im_buf *out, const char *key, const struct im_http_answer *a, struct im_pool *pool) {
    static const char *const outcomes[] = {"not-asked", "answered", "no-address", "refused", "timeout",
                                           "closed",    "tls",      "malformed",  "failed"};
    im_json_add_key(out, key);
    im_buf_addc(out, '{');
    im_json_add_member(out, "outcome", outcomes[a->outcome]);
    im_json_add_member(out, "method", a->method);
    im_json_add_member(out, "url", a->url);
    im_json_add_member(out, "detail", a->detail);
    im_json_add_member(out, "address", a->address);
    im_json_add_count(out, "status", (size_t)a->status);
    im_json_add_member(out, "version", a->version);
    im_json_add_member(out, "server", a->server);
    im_json_add_member(out, "location", a->location);
    im_json_add_member(out, "schemes", im_http_schemes_text(im_http_answer_schemes(a), pool));
    im_json_add_key(out, "realms");
    im_buf_addc(out, '[');
    for (size_t i = 0; i < a->challenge_count; i++) {
        im_buf_adds(out, i ? "," : "");
        im_json_add_string(out, a->challenges[i].realm ? a->challenges[i].realm : "");
    }
    im_buf_adds(out, "]}");
}

static void tell_target(struct im_buf *out, const struct im_http_target *t, struct im_pool *pool) {
    im_buf_addc(out, '{');
    im_json_add_member(out, "host", t->host);
    im_json_add_count(out, "roles", t->roles);
    im_json_add_member(out, "local", t->local_address);
    im_json_add_key(out, "addresses");
    im_buf_addc(out, '[');
    for (size_t i = 0; i < t->address_count; i++) {
        im_buf_adds(out, i ? "," : "");
        im_json_add_string(out, t->addresses[i]);
    }
    im_buf_addc(out, ']');
    tell_answer(out, "propfind", &t->propfind, pool);
    tell_answer(out, "get", &t->get, pool);
    im_buf_addc(out, '}');
}

static void tell_user(struct im_buf *out, const struct im_http_user *u, struct im_pool *pool) {
    im_buf_addc(out, '{');
    im_json_add_member(out, "account", u->account);
    im_json_add_member(out, "alias", u->alias);
    im_json_add_member(out, "domain", u->domain);
    tell_answer(out, "logical", &u->logical, pool);
    tell_answer(out, "home", &u->home, pool);
    tell_answer(out, "followed", &u->followed, pool);
    im_buf_addc(out, '}');
}

static void tell_findings(struct im_buf *out, const struct probe *p) {
    const struct im_survey survey = {.profile = p->profile, .servers = &p->servers, .http = &p->facts, .is_ad = true};
    struct im_sink sink = {.pool = p->pool};
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_HTTP, &count);
    for (size_t i = 0; i < count; i++) {
        sink.rule = &rules[i];
        (void)rules[i].survey(&survey, &sink);
    }
    sink.count = im_findings_hide(sink.items, sink.count);
    im_json_add_key(out, "findings");
    im_buf_addc(out, '[');
    for (size_t i = 0; sink.items && i < sink.count; i++) {
        const struct im_finding *f = &sink.items[i];
        im_buf_adds(out, i ? ",{" : "{");
        im_json_add_member(out, "rule", f->rule->id);
        im_json_add_member(out, "severity", im_severity_name(f->severity));
        im_json_add_member(out, "subject", f->subject);
        im_json_add_member(out, "message", f->message);
        im_json_add_member(out, "remedy", f->remedy);
        im_buf_addc(out, '}');
    }
    im_buf_addc(out, ']');
    im_sink_free(&sink);
}

static void tell(const struct probe *p) {
    struct im_buf out = IM_BUF_INIT;
    im_buf_addc(&out, '{');
    im_json_add_member(&out, "error", p->e.code == IM_OK ? NULL : p->e.text);
    im_json_add_count(&out, "stopped", p->facts.was_stopped);
    im_json_add_key(&out, "targets");
    im_buf_addc(&out, '[');
    for (size_t i = 0; i < p->facts.target_count; i++) {
        im_buf_adds(&out, i ? "," : "");
        tell_target(&out, &p->facts.targets[i], p->pool);
    }
    im_buf_addc(&out, ']');
    im_json_add_key(&out, "users");
    im_buf_addc(&out, '[');
    for (size_t i = 0; i < p->facts.user_count; i++) {
        im_buf_adds(&out, i ? "," : "");
        tell_user(&out, &p->facts.users[i], p->pool);
    }
    im_buf_addc(&out, ']');
    tell_findings(&out, p);
    im_buf_addc(&out, '}');
    puts(im_buf_str(&out));
    im_buf_free(&out);
}

int main(void) {
    struct probe p = {.pool = must(im_pool_new()), .timeout_ms = 5000};
    if (im_profile_load("exchange2000", &p.profile, &p.e) != IM_OK)
        give_up(p.e.text);
    signal(SIGTERM, on_signal);
    read_all(&p);
    tell(&p);
    im_vec_free(&p.hosts);
    im_vec_free(&p.people);
    im_vec_free(&p.places);
    im_vec_free(&p.servers);
    im_profile_free(&p.profile);
    im_pool_free(&p.pool);
    return 0;
}
