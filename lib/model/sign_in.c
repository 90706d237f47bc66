#include "lib/model/sign_in.h"

#include "lib/base/text.h"
#include "lib/model/dns_facts.h"
#include "lib/model/http_verdict.h"

#include <string.h>

struct way {
    const struct im_survey *survey;
    const struct im_account *account;
    const struct im_http_user *user; /* NULL: web servers were not asked about this account */
    const char *im_domain;           /* host of the logical URL; NULL: there is none */
    const char *host;                /* that the client goes to */
    struct im_pool *pool;
    struct im_sign_in *out;
    bool failed; /* out of memory */
};

#define NOT_ASKED "not asked"

const char *im_step_name(enum im_step_kind kind) {
    static const char *const names[] = {"srv", "address", "router", "redirect", "home"};
    return kind < IM_STEP_COUNT ? names[kind] : "";
}

const char *im_step_state_name(enum im_step_state state) {
    static const char *const names[] = {"ok", "problem", "unknown"};
    return names[state];
}

static void escape(const char *text, struct im_buf *out) {
    im_text_escape(text, strlen(text), out);
}

void im_step_text(const struct im_step *step, struct im_buf *out) {
    im_buf_addf(out, "%s ", im_step_name(step->kind));
    escape(step->subject, out);
    im_buf_adds(out, ": ");
    escape(step->found, out);
    if (step->expected) {
        im_buf_adds(out, ", but the directory says ");
        escape(step->expected, out);
    }
    im_buf_addf(out, ", %s", im_step_state_name(step->state));
}

static void add(struct way *w, enum im_step_kind kind, enum im_step_state state, const char *subject, const char *found) {
    w->failed = w->failed || !subject || !found;
    w->out->steps[w->out->count++] =
        (struct im_step){.kind = kind, .state = state, .subject = subject ? subject : "", .found = found ? found : ""};
}

static void expect(struct way *w, const char *expected) {
    w->out->steps[w->out->count - 1].expected = expected;
}

/* ---- names ---- */

static const char *domain_of(const char *address) {
    const char *at = address ? strrchr(address, '@') : NULL;
    return at && at[1] ? at + 1 : NULL;
}

static bool is_server(const struct im_servers *servers, const char *host) {
    for (size_t i = 0; servers && i < servers->count; i++) {
        if (servers->items[i].host && im_text_equal(servers->items[i].host, host))
            return true;
    }
    return false;
}

static const char *why_unknown(const struct im_dns_answer *a) {
    return a && a->state == IM_DNS_FAILED && a->trouble ? a->trouble : NOT_ASKED;
}

static void step_srv(struct way *w) {
    const char *domain = domain_of(w->account->mail);
    const struct im_profile *profile = w->survey->profile;
    if (!domain || (w->im_domain && im_text_equal(domain, w->im_domain)) || !profile || !profile->srv_count)
        return;
    const char *subject = im_pool_printf(w->pool, "%s.%s", profile->srv[0].label, domain);
    const struct im_dns_answer *answer = w->survey->dns ? im_dns_srv_of(w->survey->dns, domain) : NULL;
    enum im_dns_state state = IM_DNS_NOT_ASKED;
    const char *target = answer ? im_dns_srv_target(w->survey->dns, domain, &state) : NULL;
    if (target) {
        bool is_ours = (w->im_domain && im_text_equal(target, w->im_domain)) || is_server(w->survey->servers, target);
        add(w, IM_STEP_SRV, is_ours ? IM_STEP_OK : IM_STEP_PROBLEM, subject, target);
        if (!is_ours)
            expect(w, w->im_domain);
        w->host = target;
    } else if (state == IM_DNS_NXDOMAIN || state == IM_DNS_NODATA || state == IM_DNS_FOUND) {
        add(w, IM_STEP_SRV, IM_STEP_PROBLEM, subject, "no such record: only the IM address can be used");
        expect(w, w->account->address);
    } else {
        add(w, IM_STEP_SRV, IM_STEP_UNKNOWN, subject, why_unknown(answer));
    }
}

static void add_records(struct im_buf *text, const struct im_dns_answer *answer) {
    for (size_t i = 0; answer && i < answer->count; i++)
        im_buf_addf(text, "%s%s", text->len ? " " : "", answer->records[i].text);
}

static const char *kept(struct way *w, struct im_buf *text) {
    const char *copy = text->failed ? NULL : im_pool_strdup(w->pool, im_buf_str(text));
    im_buf_free(text);
    w->failed = w->failed || !copy;
    return copy ? copy : "";
}

/* Name servers know best; else what the probe connected to. */
static void step_address(struct way *w) {
    struct im_buf text = IM_BUF_INIT;
    struct im_dns_addresses found = {.state = IM_DNS_NOT_ASKED};
    const struct im_http_target *target = w->survey->http ? im_http_target(w->survey->http, w->host) : NULL;
    if (w->survey->dns)
        found = im_dns_addresses(w->survey->dns, w->host);
    add_records(&text, found.v4);
    add_records(&text, found.v6);
    for (size_t i = 0; target && !text.len && i < target->address_count; i++)
        im_buf_addf(&text, "%s%s", i ? " " : "", target->addresses[i]);
    w->failed = w->failed || text.failed;
    if (text.len) {
        add(w, IM_STEP_ADDRESS, IM_STEP_OK, w->host, kept(w, &text));
    } else if (found.state == IM_DNS_NXDOMAIN || found.state == IM_DNS_NODATA) {
        add(w, IM_STEP_ADDRESS, IM_STEP_PROBLEM, w->host, "no address");
    } else {
        add(w, IM_STEP_ADDRESS, IM_STEP_UNKNOWN, w->host, why_unknown(found.v4));
    }
    im_buf_free(&text);
}

/* ---- answers ---- */

/* What a client can go on with: being asked who it is in a way that it knows, being sent on, or being let in. */
static bool leads_on(const struct im_http_answer *a) {
    if (a->status == 401)
        return (im_http_answer_schemes(a) & (IM_HTTP_NTLM | IM_HTTP_NEGOTIATE | IM_HTTP_DIGEST)) != 0;
    return im_http_is_redirect(a) || (a->status >= 200 && a->status < 300);
}

static enum im_step_state state_of(const struct im_survey *s, const struct im_http_answer *a) {
    const struct im_http_target *t = NULL;
    for (size_t i = 0; i < s->http->target_count && !t; i++) {
        if (im_http_was_asked_of(a, s->http->targets[i].host))
            t = &s->http->targets[i];
    }
    unsigned faults = im_http_answer_faults(a, t && t->get.method ? &t->get : NULL);
    if (im_http_is_redirect(a) && !im_http_is_foreign(a)) /* the header may be missing where a router sends people on */
        faults &= ~(unsigned)IM_HTTP_SOMETHING_ELSE;
    if (faults & IM_HTTP_NOTHING_KNOWN)
        return IM_STEP_UNKNOWN;
    if (faults & ~(unsigned)IM_HTTP_WEB_LOGON || !leads_on(a))
        return IM_STEP_PROBLEM;
    return faults ? IM_STEP_UNKNOWN : IM_STEP_OK;
}

static void step_answer(struct way *w, enum im_step_kind kind, const char *url, const struct im_http_answer *a) {
    if (a && (a->method || a->detail)) {
        add(w, kind, state_of(w->survey, a), url, im_http_answer_text(a, w->pool));
    } else {
        add(w, kind, IM_STEP_UNKNOWN, url, NOT_ASKED);
    }
}

static bool is_one_url(const struct im_account *a) {
    return a->logical_url && a->physical_url && im_http_url_equal(a->logical_url, a->physical_url);
}

static void step_redirect(struct way *w) {
    const struct im_http_answer *a = w->user ? &w->user->logical : NULL;
    if (!a || !im_http_is_redirect(a))
        return;
    const char *home = w->account->physical_url;
    bool is_right = home && im_http_url_equal(a->location, home);
    add(w, IM_STEP_REDIRECT, is_right ? IM_STEP_OK : IM_STEP_PROBLEM, a->url, a->location);
    if (!is_right)
        expect(w, home ? home : "no home");
}

static void step_home(struct way *w) {
    const char *url = w->account->physical_url;
    bool is_elsewhere = w->user && w->user->followed.method;
    if (is_elsewhere) {
        step_answer(w, IM_STEP_HOME, w->user->followed.url, &w->user->followed);
    } else if (url && !is_one_url(w->account)) {
        step_answer(w, IM_STEP_HOME, url, w->user ? &w->user->home : NULL);
    }
}

enum im_err im_sign_in(const struct im_survey *survey, const struct im_account *account, struct im_pool *pool,
                       struct im_sign_in *out, struct im_error *e) {
    struct way w = {.survey = survey, .account = account, .pool = pool, .out = out};
    struct im_http_url url = {.host = NULL};
    enum im_err err = account->logical_url ? im_http_url_parse(account->logical_url, pool, &url, e) : IM_OK;
    if (err != IM_OK)
        return err;
    out->count = 0;
    w.user = survey->http ? im_http_user(survey->http, account->dn) : NULL;
    w.im_domain = url.host;
    w.host = url.host;
    step_srv(&w);
    if (w.host)
        step_address(&w);
    enum im_step_kind first = is_one_url(account) ? IM_STEP_HOME : IM_STEP_ROUTER;
    if (account->logical_url)
        step_answer(&w, first, account->logical_url, w.user ? &w.user->logical : NULL);
    step_redirect(&w);
    step_home(&w);
    return w.failed ? im_error_nomem(e) : IM_OK;
}
