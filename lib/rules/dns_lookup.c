/* Rules about the name servers: those that say nothing, and those that say different things. */
#include "lib/rules/dns_view.h"

#include "lib/base/text.h"

#include <string.h>

enum { NAMES_SHOWN = 20 };

/* ---- answers that say nothing ---- */

/* The names that one resolver could not tell for one reason. */
struct failure {
    const struct im_dns_answer *first;
    struct im_buf names;
    size_t count;     /* of names */
    bool is_harmless; /* another resolver knew all of them */
};

static bool belongs(const struct im_dns_answer *answer, const struct im_dns_answer *first) {
    return answer->state == IM_DNS_FAILED && !answer->is_aside && answer->resolver == first->resolver &&
           strcmp(answer->trouble, first->trouble) == 0;
}

static bool is_known_elsewhere(const struct im_dns_view *v, const struct im_dns_answer *answer) {
    const struct im_dns_answer *best = im_dns_answer(v->dns, answer->name, answer->type);
    return best && best->state != IM_DNS_FAILED;
}

/* A and AAAA of a name stand next to each other: they count as one. */
static void collect(const struct im_dns_view *v, const struct im_dns_answer *first, size_t from, struct failure *out) {
    const char *last = NULL;
    *out = (struct failure){.first = first, .names = IM_BUF_INIT, .is_harmless = true};
    for (size_t i = from; i < v->dns->answers.count; i++) {
        const struct im_dns_answer *answer = v->dns->answers.items[i];
        if (!belongs(answer, first))
            continue;
        out->is_harmless = out->is_harmless && is_known_elsewhere(v, answer);
        if (last && strcmp(last, answer->name) == 0)
            continue;
        last = answer->name;
        if (out->count++ < NAMES_SHOWN)
            im_buf_addf(&out->names, "%s%s", out->names.len ? " " : "", answer->name);
    }
}

static bool is_told(const struct im_dns_view *v, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (belongs(v->dns->answers.items[i], v->dns->answers.items[at]))
            return true;
    }
    return false;
}

static struct im_finding *find_bad_name(struct im_dns_view *v, const struct failure *failure) {
    const char *more = failure->count > 1 ? ", and not the only one," : "";
    struct im_finding *f =
        im_sink_find(v->out, failure->first->name, "\"%s\"%s is no name that DNS can hold, so nobody can look it up",
                     failure->first->name, more);
    f->severity = IM_WARNING;
    im_sink_remedy(v->out, f, "correct the addresses or server names that have it");
    return f;
}

static struct im_finding *find_failure(struct im_dns_view *v, const struct failure *failure) {
    const struct im_dns_resolver *r = &v->dns->resolvers[failure->first->resolver];
    const struct im_dns_answer *first = failure->first;
    struct im_finding *f;
    if (r->is_dead) {
        f = im_sink_find(v->out, r->name, "the name server %s answers nothing: %s", r->name, first->trouble);
    } else if (failure->count == 1) {
        f = im_sink_find(v->out, first->name, "%s could not be looked up: %s (%s)", first->name, first->trouble, r->name);
    } else {
        f = im_sink_find(v->out, first->name, "%s and %zu more could not be looked up: %s (%s)", first->name, failure->count - 1,
                         first->trouble, r->name);
    }
    if (failure->is_harmless)
        f->severity = IM_WARNING;
    im_sink_remedy(v->out, f, "%s, then look again (%s shows it)",
                   r->is_dead ? "start the name server, open the way to it, or name another one" : "repair the name server",
                   im_dns_view_dig(v, first));
    return f;
}

static void tell_failure(struct im_dns_view *v, size_t at) {
    const struct im_dns_answer *first = v->dns->answers.items[at];
    const struct im_dns_resolver *r = &v->dns->resolvers[first->resolver];
    char ascii[IM_HOSTNAME_SIZE];
    bool is_name = im_hostname_ascii(first->name, ascii);
    struct failure failure;
    collect(v, first, at, &failure);
    /* one of the system's own is not missed while another answers, and a bad name is the same to all */
    bool is_silent = is_name ? failure.is_harmless && !r->is_given : first->resolver > 0;
    if (!is_silent) {
        struct im_finding *f = is_name ? find_failure(v, &failure) : find_bad_name(v, &failure);
        im_sink_evidence(v->out, f, "names", "%s%s", im_buf_str(&failure.names), failure.count > NAMES_SHOWN ? " ..." : "");
        if (first->is_retried)
            im_sink_evidence(v->out, f, "tries", "asked again without an answer");
    }
    v->out->failed = v->out->failed || failure.names.failed;
    im_buf_free(&failure.names);
}

enum im_verdict im_rule_dns_lookup_failed(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    for (size_t i = 0; i < v.dns->answers.count; i++) {
        const struct im_dns_answer *answer = v.dns->answers.items[i];
        if (answer->state == IM_DNS_FAILED && !answer->is_aside && !is_told(&v, i))
            tell_failure(&v, i);
    }
    return im_dns_view_end(&v);
}

/* ---- answers that differ ---- */

static bool is_known_state(const struct im_dns_answer *answer) {
    return answer && answer->state != IM_DNS_FAILED && answer->state != IM_DNS_NOT_ASKED;
}

/* Records are sorted: equal sets are equal lists. That a name has nothing and that it does not exist is the same here. */
static bool is_same(const struct im_dns_answer *a, const struct im_dns_answer *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct im_dns_record *x = &a->records[i];
        const struct im_dns_record *y = &b->records[i];
        if (x->priority != y->priority || x->weight != y->weight || x->port != y->port || !im_text_equal(x->text, y->text))
            return false;
    }
    return true;
}

/* The first two that differ about this name; false: none do. */
static bool find_difference(const struct im_dns_view *v, const struct im_dns_answer *of, const struct im_dns_answer *pair[2],
                            bool *is_compared) {
    size_t known = 0;
    pair[0] = NULL;
    for (size_t i = 0; i < v->dns->resolver_count; i++) {
        const struct im_dns_answer *answer = im_dns_answer_of(v->dns, i, of->name, of->type);
        if (!is_known_state(answer))
            continue;
        known++;
        if (pair[0] && !is_same(pair[0], answer)) {
            pair[1] = answer;
            return true;
        }
        pair[0] = pair[0] ? pair[0] : answer;
    }
    *is_compared = known > 1;
    return false;
}

static void print_side(const struct im_dns_answer *answer, struct im_buf *text) {
    if (!answer->count)
        im_buf_addf(text, "no %s record", im_dns_type_name(answer->type));
    for (size_t i = 0; i < answer->count; i++)
        im_buf_addf(text, "%s%s", i ? ", " : "", answer->records[i].text);
}

static void tell_difference(struct im_dns_view *v, const struct im_dns_answer *const pair[2]) {
    struct im_buf sides[2] = {IM_BUF_INIT, IM_BUF_INIT};
    print_side(pair[0], &sides[0]);
    print_side(pair[1], &sides[1]);
    struct im_finding *f = im_sink_find(v->out, pair[0]->name, "name servers differ about %s: %s says %s, %s says %s",
                                        pair[0]->name, v->dns->resolvers[pair[0]->resolver].name, im_buf_str(&sides[0]),
                                        v->dns->resolvers[pair[1]->resolver].name, im_buf_str(&sides[1]));
    im_dns_view_evidence(v, f, pair[0]);
    im_dns_view_evidence(v, f, pair[1]);
    im_sink_remedy(v->out, f, "let both serve the same zone, unless inside and outside are meant to differ (%s; %s)",
                   im_dns_view_dig(v, pair[0]), im_dns_view_dig(v, pair[1]));
    v->out->failed = v->out->failed || sides[0].failed || sides[1].failed;
    im_buf_free(&sides[0]);
    im_buf_free(&sides[1]);
}

enum im_verdict im_rule_dns_resolvers_differ(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    if (v.dns->resolver_count < 2 || !v.dns->resolvers[0].is_given)
        return (enum im_verdict)im_sink_skip(out, "takes two name servers to compare: name them with --dns-server");
    const char *last = ""; /* A and AAAA of a name stand next to each other: one of them is enough to tell */
    for (size_t i = 0; i < v.dns->answers.count; i++) {
        const struct im_dns_answer *answer = v.dns->answers.items[i];
        const struct im_dns_answer *pair[2];
        bool is_compared = true;
        if (answer->resolver != 0 || answer->is_aside || strcmp(last, answer->name) == 0)
            continue;
        bool is_different = find_difference(&v, answer, pair, &is_compared);
        if (is_different)
            tell_difference(&v, pair);
        if (!is_different && is_compared)
            continue;
        v.unknown += !is_compared;
        last = answer->name;
    }
    return im_dns_view_end(&v);
}
