/* What can be wrong with the way in: how to log on, and where a person is sent. */
#include "lib/base/text.h"
#include "lib/model/census.h"
#include "lib/model/organisation.h"
#include "lib/rules/http_tell.h"
#include "lib/rules/say.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#define REPLICATE "let the domain controller that the router asks replicate"
#define WAIT "wait until the change has reached the domain controller that this server asks"

/* ---- ways to log on ---- */

/* The first answer of the host that asks to log on; *domain: of the person that it was about, or NULL. */
static const struct im_http_answer *find_logon(const struct im_http_facts *facts, const struct im_http_target *t,
                                               const char **domain) {
    *domain = NULL;
    if (t->propfind.status == 401)
        return im_http_is_foreign(&t->propfind) ? NULL : &t->propfind;
    for (size_t i = 0; i < facts->user_count; i++) {
        const struct im_http_user *u = &facts->users[i];
        const struct im_http_answer *const answers[] = {&u->logical, &u->home, &u->followed};
        for (size_t k = 0; k < sizeof answers / sizeof answers[0]; k++) {
            if (answers[k]->status != 401 || !im_http_was_asked_of(answers[k], t->host) || im_http_is_foreign(answers[k]))
                continue;
            *domain = u->domain;
            return answers[k];
        }
    }
    return NULL;
}

typedef void tell_logon(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                        const char *domain, struct im_sink *out);

static enum im_verdict each_logon(const struct im_survey *s, struct im_sink *out, tell_logon *tell) {
    const char *reason = im_http_rule_why_not(s);
    if (reason)
        return (enum im_verdict)im_sink_skip(out, "%s", reason);
    const struct im_http_target *t;
    for (size_t i = 0; (t = im_http_rule_next(s, &i));) {
        const char *domain = NULL;
        const struct im_http_answer *a = find_logon(s->http, t, &domain);
        if (a)
            tell(s, t, a, domain, out);
    }
    return im_http_rule_verdict(s, out);
}

static void tell_scheme(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                        const char *domain, struct im_sink *out) {
    (void)s;
    (void)domain;
    unsigned schemes = im_http_answer_schemes(a);
    if (schemes & (IM_HTTP_NTLM | IM_HTTP_NEGOTIATE | IM_HTTP_DIGEST))
        return;
    const char *offered = im_http_schemes_text(schemes, out->pool);
    out->failed = out->failed || !offered;
    struct im_finding *f = im_sink_find(out, t->host,
                                        "%s offers no way to log on that clients know: NTLM, Negotiate or Digest; it "
                                        "offers %s",
                                        a->url, offered ? offered : "");
    im_http_rule_evidence(out, f, a);
    im_http_rule_remedy(out, f, "allow Integrated Windows authentication on the directory INSTMSG of the web site", a);
}

enum im_verdict im_http_auth_scheme(const struct im_survey *s, struct im_sink *out) {
    return each_logon(s, out, tell_scheme);
}

static bool is_im_domain(const struct im_survey *s, const char *realm) {
    if (s->servers && im_servers_know_domain(s->servers, realm))
        return true;
    for (size_t i = 0; s->census && i < s->census->im_domain_count; i++) {
        if (im_text_equal(s->census->im_domains[i].name, realm))
            return true;
    }
    return false;
}

static void tell_realm(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                       const char *domain, struct im_sink *out) {
    if (t->roles & (IM_HTTP_DOMAIN | IM_HTTP_ROUTER))
        domain = t->host;
    for (size_t i = 0; i < a->challenge_count; i++) {
        const char *realm = a->challenges[i].realm ? a->challenges[i].realm : "";
        if (a->challenges[i].kind != IM_HTTP_DIGEST || (domain ? im_text_equal(realm, domain) : is_im_domain(s, realm)))
            continue;
        struct im_finding *f = im_sink_find(out, t->host, "the realm of Digest at %s is \"%s\", not %s%s", a->url, realm,
                                            domain ? "the IM domain " : "an IM domain", domain ? domain : "");
        im_http_rule_evidence(out, f, a);
        im_http_rule_remedy(out, f, "set the realm of Digest on the directory INSTMSG of the web site to the IM domain", a);
        return;
    }
}

enum im_verdict im_http_digest_realm(const struct im_survey *s, struct im_sink *out) {
    return each_logon(s, out, tell_realm);
}

/* Why names of services cannot be judged; NULL: they can. */
static const char *why_no_names(const struct im_survey *s) {
    if (!s->is_ad)
        return "only Active Directory has service principal names";
    if (!s->organisation)
        return "service principal names were not read";
    if (!s->organisation->computers.is_known)
        return s->organisation->computers.why_not ? s->organisation->computers.why_not : "service principal names were not read";
    return NULL;
}

/* The machine of a virtual server of that name, as a word of a command. */
static const char *machine_name(const struct im_survey *s, const char *host, struct im_sink *out) {
    for (size_t i = 0; s->servers && i < s->servers->count; i++) {
        const struct im_server *server = &s->servers->items[i];
        if (!server->dn || !server->host || !im_text_equal(server->host, host))
            continue;
        const struct im_machine *m = im_organisation_machine(s->organisation, im_say_key(out, server->dn));
        return m && m->name ? im_say_quoted(out, m->name) : "COMPUTER";
    }
    return "COMPUTER";
}

static void tell_spn(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                     const char *domain, struct im_sink *out) {
    (void)domain;
    if (!(im_http_answer_schemes(a) & IM_HTTP_NEGOTIATE) || im_organisation_answers_for(s->organisation, t->host))
        return;
    if (s->organisation->computers.why_not) { /* only a part was read: the name may still be there */
        im_sink_skip(out, "%s", s->organisation->computers.why_not);
        return;
    }
    struct im_finding *f = im_sink_find(out, t->host,
                                        "%s offers Negotiate, but no enabled account has the service principal name "
                                        "HTTP/%s, so that Kerberos cannot be used",
                                        a->url, t->host);
    im_http_rule_evidence(out, f, a);
    im_sink_remedy(out, f, "setspn -A %s %s", im_say_quoted(out, im_pool_printf(out->pool, "HTTP/%s", t->host)),
                   machine_name(s, t->host, out));
}

enum im_verdict im_http_negotiate_spn(const struct im_survey *s, struct im_sink *out) {
    const char *reason = im_http_rule_why_not(s);
    reason = reason ? reason : why_no_names(s);
    return reason ? (enum im_verdict)im_sink_skip(out, "%s", reason) : each_logon(s, out, tell_spn);
}

/* ---- people ---- */

static struct im_finding *find_user(struct im_sink *out, const struct im_http_user *u, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct im_finding *find_user(struct im_sink *out, const struct im_http_user *u, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = im_pool_vprintf(out->pool, format, args);
    va_end(args);
    if (!text)
        out->failed = true;
    struct im_finding *f = im_sink_find(out, u->account ? u->account : u->dn, "%s", text ? text : "");
    f->account = u->account;
    f->dn = u->dn;
    return f;
}

typedef void tell_user(const struct im_survey *s, const struct im_http_user *u, struct im_sink *out);

static enum im_verdict each_user(const struct im_survey *s, struct im_sink *out, tell_user *tell) {
    const char *reason = im_http_rule_why_not(s);
    if (!reason && !s->http->user_count)
        reason = "no account was asked for: name one together with --probe";
    if (reason)
        return (enum im_verdict)im_sink_skip(out, "%s", reason);
    for (size_t i = 0; i < s->http->user_count; i++)
        tell(s, &s->http->users[i], out);
    return im_http_rule_verdict(s, out);
}

static void tell_denied(const struct im_survey *s, const struct im_http_user *u, struct im_sink *out) {
    const struct im_http_answer *const answers[] = {&u->logical, &u->home, &u->followed};
    (void)s;
    for (size_t k = 0; k < sizeof answers / sizeof answers[0]; k++) {
        if (!answers[k]->sent_credentials || answers[k]->status != 401)
            continue;
        struct im_finding *f = find_user(out, u, "%s answers 401 again although the log-on was right", answers[k]->url);
        im_http_rule_evidence(out, f, answers[k]);
        return;
    }
}

static bool has_credentials(const struct im_http_facts *facts) {
    for (size_t i = 0; i < facts->user_count; i++) {
        const struct im_http_user *u = &facts->users[i];
        if (u->logical.sent_credentials || u->home.sent_credentials || u->followed.sent_credentials)
            return true;
    }
    return false;
}

enum im_verdict im_http_access_denied(const struct im_survey *s, struct im_sink *out) {
    if (!im_http_rule_why_not(s) && !has_credentials(s->http))
        return (enum im_verdict)im_sink_skip(out, "that needs a password, which a probe never sends");
    return each_user(s, out, tell_denied);
}

/* Absolute, where the server gave only a path. NULL: it leads nowhere. */
static const char *target_of(const struct im_http_answer *a, struct im_sink *out) {
    if (*a->location != '/' || a->location[1] == '/')
        return a->location;
    size_t host = 7 + strcspn(a->url + 7, "/");
    const char *whole = im_pool_printf(out->pool, "%.*s%s", (int)host, a->url, a->location);
    if (!whole)
        out->failed = true;
    return whole ? whole : a->location;
}

static const struct im_server *server_of(const struct im_survey *s, const char *place, struct im_sink *out) {
    struct im_http_url url;
    if (im_http_url_parse(place, out->pool, &url, NULL) != IM_OK)
        out->failed = true;
    for (size_t i = 0; url.host && s->servers && i < s->servers->count; i++) {
        if (s->servers->items[i].host && im_text_equal(s->servers->items[i].host, url.host))
            return &s->servers->items[i];
    }
    return NULL;
}

/* What is wrong with the place, "": only that it is another one. */
static const char *why_wrong(const struct im_survey *s, const char *place, struct im_sink *out) {
    struct im_http_url url;
    if (im_http_url_parse(place, out->pool, &url, NULL) != IM_OK)
        out->failed = true;
    if (!url.host)
        return ", which is no URL";
    if (*url.host != '[' && !strchr(url.host, '.'))
        return ", which has no full host name";
    return server_of(s, place, out) ? "" : ", which is no server of the organisation";
}

static void tell_redirect(const struct im_survey *s, const struct im_http_user *u, struct im_sink *out) {
    const struct im_http_answer *a = &u->logical;
    if (!im_http_is_redirect(a) || im_http_is_foreign(a) || !u->physical_url || strncasecmp(a->location, "https:", 6) == 0)
        return;
    const char *place = target_of(a, out);
    if (im_http_url_equal(place, u->physical_url))
        return;
    struct im_finding *f = find_user(out, u, "%s sends the client to %s%s; the home in the directory is %s", a->url, place,
                                     why_wrong(s, place, out), u->physical_url);
    im_http_rule_evidence(out, f, a);
    if (u->followed.method)
        im_sink_evidence(out, f, "answer there", "%s", im_http_rule_answer(out, &u->followed));
    const struct im_server *server = server_of(s, place, out);
    const char *account = im_say_quoted(out, u->account ? u->account : "ACCOUNT");
    const char *what = server && server->hosts_users
                           ? im_pool_printf(out->pool, "%s; where this person is meant to be there: imhome %s --to %s", REPLICATE,
                                            account, im_say_quoted(out, server->name))
                           : im_pool_printf(out->pool, "%s; which of them differ says imcheck %s --replicas", REPLICATE, account);
    if (!what)
        out->failed = true;
    im_http_rule_remedy(out, f, what ? what : REPLICATE, a);
}

enum im_verdict im_http_redirect_wrong_home(const struct im_survey *s, struct im_sink *out) {
    return each_user(s, out, tell_redirect);
}

static void tell_unknown(const struct im_survey *s, const struct im_http_user *u, struct im_sink *out) {
    const struct im_http_answer *const answers[] = {&u->home, &u->logical};
    (void)s;
    for (size_t k = 0; k < sizeof answers / sizeof answers[0]; k++) {
        const struct im_http_answer *a = answers[k];
        if (a->status != 404 || !a->version)
            continue;
        struct im_finding *f = find_user(out, u, "instant messaging answers, but does not know %s", a->url);
        im_http_rule_evidence(out, f, a);
        const char *what = im_pool_printf(out->pool, "%s; which of them differ says imcheck %s --replicas", WAIT,
                                          im_say_quoted(out, u->account ? u->account : "ACCOUNT"));
        if (!what)
            out->failed = true;
        im_http_rule_remedy(out, f, what ? what : WAIT, a);
        return;
    }
}

enum im_verdict im_http_user_unknown(const struct im_survey *s, struct im_sink *out) {
    return each_user(s, out, tell_unknown);
}
