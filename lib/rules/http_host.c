/* What can be wrong with a host. */
#include "lib/rules/http_tell.h"

#include <string.h>

/* ---- faults of a host ---- */

typedef void tell_fault(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                        struct im_sink *out);

static bool shows(const struct im_http_answer *a, const char *host, unsigned faults) {
    if (!im_http_was_asked_of(a, host) || (im_http_is_redirect(a) && !(faults & IM_HTTP_SSL_REQUIRED)))
        return false;
    return (im_http_answer_faults(a, NULL) & faults) != 0;
}

/* The answer that shows it: that of the service's path, else, where that path is in order, the first of a person's. */
static const struct im_http_answer *find_fault(const struct im_http_facts *facts, const struct im_http_target *t,
                                               unsigned faults) {
    unsigned own = im_http_target_faults(t);
    if (own & faults)
        return &t->propfind;
    if (own & ~(unsigned)(IM_HTTP_BUSY | IM_HTTP_WEB_LOGON))
        return NULL;
    for (size_t i = 0; i < facts->user_count; i++) {
        const struct im_http_user *u = &facts->users[i];
        const struct im_http_answer *const answers[] = {&u->logical, &u->home, &u->followed};
        for (size_t k = 0; k < sizeof answers / sizeof answers[0]; k++) {
            if (shows(answers[k], t->host, faults))
                return answers[k];
        }
    }
    return NULL;
}

static enum im_verdict each_host(const struct im_survey *s, struct im_sink *out, unsigned faults, tell_fault *tell) {
    const char *reason = im_http_rule_why_not(s);
    if (reason)
        return (enum im_verdict)im_sink_skip(out, "%s", reason);
    const struct im_http_target *t;
    for (size_t i = 0; (t = im_http_rule_next(s, &i));) {
        const struct im_http_answer *a = find_fault(s->http, t, faults);
        if (a)
            tell(s, t, a, out);
    }
    return im_http_rule_verdict(s, out);
}

static void tell_unreachable(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                             struct im_sink *out) {
    (void)s;
    struct im_finding *f = im_sink_find(out, t->host, "nobody answers at %s: %s", a->url, a->detail ? a->detail : "no answer");
    im_http_rule_evidence(out, f, a);
    im_http_rule_remedy(out, f,
                        "start the web service and instant messaging on that machine, and let port 80 through the firewall", a);
}

enum im_verdict im_http_unreachable(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_NO_ANSWER, tell_unreachable);
}

static void tell_not_rvp(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                         struct im_sink *out) {
    const char *header = s->profile->http.header;
    const char *server = a->server ? a->server : "a web server that does not say its name";
    struct im_finding *f;
    if (a->outcome != IM_HTTP_ANSWERED) {
        f = im_sink_find(out, t->host, "what %s answers is no instant messaging: %s", a->url, a->detail ? a->detail : "garbage");
    } else if (im_http_answer_faults(a, NULL) & IM_HTTP_WEB_LOGON) {
        f = im_sink_find(out, t->host,
                         "%s answers 401 without the header %s: that may come from the web server in front, so that "
                         "it is not known whether instant messaging runs behind it",
                         a->url, header);
        f->severity = IM_INFO;
    } else {
        f = im_sink_find(out, t->host, "%s answers %d without the header %s: not instant messaging answers but %s", a->url,
                         a->status, header, server);
    }
    im_http_rule_evidence(out, f, a);
    if (f->severity == IM_INFO) {
        im_sink_remedy(out, f, "sign in with a client; if that fails, look on the server whether instant messaging has started");
    } else {
        im_http_rule_remedy(
            out, f, "let the name lead to the server of instant messaging, and see that it has started behind the web service",
            a);
    }
}

enum im_verdict im_http_not_rvp(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_SOMETHING_ELSE | IM_HTTP_WEB_LOGON, tell_not_rvp);
}

static void tell_handler(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                         struct im_sink *out) {
    (void)s;
    struct im_finding *f = im_sink_find(out, t->host,
                                        "%s answers 500: the handler of instant messaging does not work, and "
                                        "clients ask for the password again and again",
                                        a->url);
    im_http_rule_evidence(out, f, a);
    im_http_rule_remedy(out, f,
                        "back the metabase up, and put the wildcard script map back on the directory INSTMSG of the web site", a);
}

enum im_verdict im_http_handler_broken(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_HANDLER_BROKEN, tell_handler);
}

static void tell_exposed(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                         struct im_sink *out) {
    (void)s;
    (void)a;
    struct im_finding *f = im_sink_find(
        out, t->host,
        t->get.status == 200 ? "anybody can read what GET %s shows: nothing shields the directory of the program"
                             : "the web server itself refuses GET %s, as it does where a list of files is not allowed: "
                               "nothing else shields the directory of the program",
        t->get.url);
    im_http_rule_evidence(out, f, &t->get);
    im_http_rule_remedy(
        out, f,
        "put the wildcard script map back on the directory INSTMSG of the web site, and take the right to read away "
        "from it",
        &t->get);
}

enum im_verdict im_http_directory_exposed(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_EXPOSED, tell_exposed);
}

static void tell_ssl(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                     struct im_sink *out) {
    (void)s;
    struct im_finding *f;
    if (a->outcome != IM_HTTP_ANSWERED) {
        f = im_sink_find(out, t->host, "%s is answered with TLS, which clients of instant messaging do not speak", a->url);
    } else if (im_http_is_redirect(a)) {
        f = im_sink_find(out, t->host, "%s sends clients to %s, and they do not speak TLS", a->url, a->location);
    } else {
        f = im_sink_find(out, t->host, "%s answers 403: the web server demands a secure channel, which clients do not speak",
                         a->url);
    }
    im_http_rule_evidence(out, f, a);
    im_http_rule_remedy(out, f,
                        a->outcome == IM_HTTP_ANSWERED
                            ? "clear \"Require secure channel (SSL)\" on the directory INSTMSG of the web site"
                            : "let the web site answer plain HTTP on port 80",
                        a);
}

enum im_verdict im_http_ssl_required(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_SSL_REQUIRED, tell_ssl);
}

static void tell_blocked(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                         struct im_sink *out) {
    (void)s;
    struct im_finding *f = im_sink_find(out, t->host,
                                        "%s answers %d to PROPFIND but %d to GET: a filter keeps the methods of "
                                        "instant messaging away",
                                        a->url, a->status, t->get.status);
    im_http_rule_evidence(out, f, a);
    im_http_rule_remedy(out, f,
                        "let the filter (URLScan or the like) pass SUBSCRIBE, UNSUBSCRIBE, SUBSCRIPTIONS, NOTIFY, PROPFIND, "
                        "PROPPATCH and ACL",
                        a);
}

enum im_verdict im_http_verb_blocked(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_VERB_BLOCKED, tell_blocked);
}

static void tell_busy(const struct im_survey *s, const struct im_http_target *t, const struct im_http_answer *a,
                      struct im_sink *out) {
    (void)s;
    struct im_finding *f = im_sink_find(out, t->host, "%s answers 503: the server has more to do than its queue holds", a->url);
    im_http_rule_evidence(out, f, a);
    im_http_rule_remedy(out, f, "bring the server to Service Pack 3, or spread its users: imhome --from SERVER --to auto", a);
}

enum im_verdict im_http_busy(const struct im_survey *s, struct im_sink *out) {
    return each_host(s, out, IM_HTTP_BUSY, tell_busy);
}

/* ---- the probe itself ---- */

enum im_verdict im_http_probe_local(const struct im_survey *s, struct im_sink *out) {
    const char *reason = im_http_rule_why_not(s);
    if (reason)
        return (enum im_verdict)im_sink_skip(out, "%s", reason);
    const struct im_http_target *t;
    for (size_t i = 0; (t = im_http_rule_next(s, &i));) {
        if (!t->local_address)
            continue;
        im_sink_find(out, t->host,
                     "%s is this very machine (%s), and a web server may refuse its own machine a log-on that it "
                     "allows others",
                     t->host, t->local_address);
    }
    return im_http_rule_verdict(s, out);
}
