#include "lib/rules/http_tell.h"

#include "lib/rules/say.h"

#include <string.h>

const char *im_http_rule_why_not(const struct im_survey *s) {
    if (s->profile && !s->profile->http.path)
        return "the profile does not say what to ask web servers for";
    if (!s->http)
        return "web servers were not asked: --probe does";
    return s->http->target_count ? NULL : "there is no server to ask";
}

const struct im_http_target *im_http_rule_next(const struct im_survey *s, size_t *i) {
    while (*i < s->http->target_count) {
        const struct im_http_target *t = &s->http->targets[(*i)++];
        if (t->roles != IM_HTTP_MAIL_DOMAIN)
            return t;
    }
    return NULL;
}

const char *im_http_rule_answer(struct im_sink *out, const struct im_http_answer *a) {
    const char *text = im_http_answer_text(a, out->pool);
    if (!text)
        out->failed = true;
    return text ? text : "";
}

enum im_verdict im_http_rule_verdict(const struct im_survey *s, struct im_sink *out) {
    const struct im_http_target *first = NULL;
    const struct im_http_target *t;
    size_t unknown = 0;
    for (size_t i = 0; (t = im_http_rule_next(s, &i));) {
        if (!(im_http_target_faults(t) & IM_HTTP_NOTHING_KNOWN))
            continue;
        first = first ? first : t;
        unknown++;
    }
    if (first && unknown == 1) {
        im_sink_skip(out, "%s could not be asked: %s", first->host, im_http_rule_answer(out, &first->propfind));
    } else if (first) {
        im_sink_skip(out, "%s and %zu more could not be asked: %s", first->host, unknown - 1,
                     im_http_rule_answer(out, &first->propfind));
    }
    if (out->count && out->items[out->count - 1].rule == out->rule) /* those of other rules came before */
        return IM_FIRES;
    return first ? IM_SKIPPED : IM_FINE;
}

void im_http_rule_remedy(struct im_sink *out, struct im_finding *f, const char *what, const struct im_http_answer *a) {
    bool is_get = strcmp(a->method, "GET") == 0;
    im_sink_remedy(out, f, "%s; then look again: curl -sS%s -D - -o /dev/null %s", what,
                   is_get ? "" : " -X PROPFIND -H 'Depth: 0'", im_say_quoted(out, a->url));
}

void im_http_rule_evidence(struct im_sink *out, struct im_finding *f, const struct im_http_answer *a) {
    im_sink_evidence(out, f, a->method, "%s", a->url);
    im_sink_evidence(out, f, "answer", "%s", im_http_rule_answer(out, a));
    if (a->address)
        im_sink_evidence(out, f, "address", "%s", a->address);
}
