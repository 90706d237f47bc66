/* Rules about the SRV records by which clients find the IM domain of a mail address (RFC 2782). */
#include "lib/rules/dns_view.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/model/http_facts.h"

#include <stdlib.h>
#include <string.h>

/* ---- domains without a record ---- */

/* Where the record stands instead of its place. */
struct misplaced {
    const struct im_dns_answer *wanted; /* the answer at the right name */
    const struct im_dns_answer *found;  /* at a wrong one; NULL: the right name is an alias */
    size_t mistake;
};

static bool find_misplaced(const struct im_dns_view *v, const char *domain, struct misplaced *out) {
    for (size_t i = 0; i < v->dns->srv_count; i++) {
        const char *label = v->dns->srv[i].label;
        char name[IM_DNS_NAME_SIZE];
        if (!im_dns_srv_name(label, domain, name))
            return false;
        *out = (struct misplaced){.wanted = im_dns_answer(v->dns, name, IM_DNS_SRV)};
        for (out->mistake = 0; out->wanted && out->mistake < IM_DNS_MISTAKES; out->mistake++) {
            if (im_dns_srv_mistake(out->mistake, label, domain, name))
                out->found = im_dns_answer(v->dns, name, IM_DNS_SRV);
            if (out->found && out->found->state == IM_DNS_FOUND)
                return true;
        }
        out->found = NULL;
        if (out->wanted && out->wanted->alias_count)
            return true;
    }
    return false;
}

/* The answer that says that a mail domain has no record; NULL: it has one, or nothing is known. */
static const struct im_dns_answer *is_missing(struct im_dns_view *v, const char *domain) {
    const struct im_dns_answer *answer = im_dns_srv_of(v->dns, domain);
    v->unknown += answer && answer->state == IM_DNS_FAILED;
    return answer && (answer->state == IM_DNS_NXDOMAIN || answer->state == IM_DNS_NODATA) ? answer : NULL;
}

/* Clients that find no record ask the domain's own host. */
static void add_fallback(struct im_dns_view *v, const char *domain, struct im_buf *text) {
    struct im_dns_addresses bare = im_dns_addresses(v->dns, domain);
    const struct im_http_target *web = v->survey->http ? im_http_target(v->survey->http, domain) : NULL;
    if (bare.state != IM_DNS_FOUND)
        return;
    im_buf_addf(text, "; clients ask %s itself instead (%s)", domain, im_dns_view_addresses(v, &bare));
    if (web && web->propfind.outcome == IM_HTTP_ANSWERED && !web->propfind.version)
        im_buf_adds(text, ", where some other web server answers");
}

/* A record at the IM domain is for those who write that domain after the "@". */
static void add_other_place(const struct im_dns_view *v, const char *domain, struct im_buf *text) {
    const char *im_domain = im_dns_view_im_domain_for(v, domain);
    const struct im_dns_answer *other = im_domain ? im_dns_srv_of(v->dns, im_domain) : NULL;
    if (other && other->state == IM_DNS_FOUND)
        im_buf_addf(text, "; the record at %s is not for these addresses", other->name);
}

static void remedy_record(struct im_dns_view *v, struct im_finding *f, const char *what, const struct im_dns_answer *answer,
                          const char *domain) {
    const char *target = im_dns_view_im_domain_for(v, domain);
    const struct im_profile_srv *srv = v->dns->srv;
    for (size_t i = 0; i < v->dns->srv_count; i++) {
        if (strncmp(v->dns->srv[i].label, answer->name, strlen(v->dns->srv[i].label)) == 0)
            srv = &v->dns->srv[i];
    }
    if (!target && v->names.hosts.count)
        target = v->names.hosts.items[0];
    im_sink_remedy(v->out, f, "%s %s. 3600 IN SRV 0 0 %u %s. (%s shows it)", what, answer->name, srv->port,
                   target ? target : "<IM domain>", im_dns_view_dig(v, answer));
}

/* Of a mail domain without a record; misplaced NULL: it stands nowhere else either. */
typedef void tell_absent(struct im_dns_view *v, const char *domain, const struct im_dns_answer *answer,
                         const struct misplaced *misplaced);

static enum im_verdict each_absent(const struct im_survey *survey, struct im_sink *out, tell_absent *tell) {
    struct im_dns_view v;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    if (!survey->census)
        return (enum im_verdict)im_sink_skip(out, "no accounts were read, so that no mail domains are known");
    for (size_t i = 0; i < v.names.mail_domains.count; i++) {
        const char *domain = v.names.mail_domains.items[i];
        const struct im_dns_answer *answer = is_missing(&v, domain);
        struct misplaced misplaced;
        if (answer)
            tell(&v, domain, answer, find_misplaced(&v, domain, &misplaced) ? &misplaced : NULL);
    }
    return im_dns_view_end(&v);
}

/* Where the mail domain is the IM domain, its address is enough. */
static void tell_missing(struct im_dns_view *v, const char *domain, const struct im_dns_answer *answer,
                         const struct misplaced *misplaced) {
    struct im_buf more = IM_BUF_INIT;
    if (misplaced || im_dns_view_is_im_domain(v, domain))
        return;
    size_t users = im_dns_view_mail_users(v, domain);
    add_fallback(v, domain, &more);
    add_other_place(v, domain, &more);
    struct im_finding *f = im_sink_find(
        v->out, domain, "there is no SRV record %s, so %zu user%s cannot sign in with %s mail address%s%s", answer->name, users,
        im_dns_view_plural(users), users == 1 ? "the" : "their", users == 1 ? "" : "es", im_buf_str(&more));
    v->out->failed = v->out->failed || more.failed;
    im_buf_free(&more);
    im_dns_view_evidence(v, f, answer);
    remedy_record(v, f, "publish", answer, domain);
}

enum im_verdict im_rule_dns_srv_missing(const struct im_survey *survey, struct im_sink *out) {
    return each_absent(survey, out, tell_missing);
}

static void tell_misplaced(struct im_dns_view *v, const char *domain, const struct im_dns_answer *answer,
                           const struct misplaced *m) {
    static const char *const reasons[IM_DNS_MISTAKES] = {"the dot between service and protocol is missing",
                                                         "the service begins with an underscore",
                                                         "the protocol begins with an underscore", "the protocol is another one",
                                                         "the final dot of the name is missing in the zone file"};
    (void)answer;
    if (!m)
        return;
    if (!m->found) {
        struct im_finding *f = im_sink_find(v->out, domain, "%s is an alias of %s, which has no SRV record", m->wanted->name,
                                            m->wanted->aliases[m->wanted->alias_count - 1]);
        im_dns_view_evidence(v, f, m->wanted);
        remedy_record(v, f, "publish the record at this very name:", m->wanted, domain);
        return;
    }
    const struct im_dns_record *r = m->found->records;
    struct im_finding *f = im_sink_find(v->out, domain, "the SRV record stands at %s, where no client looks for it: %s",
                                        m->found->name, reasons[m->mistake]);
    im_dns_view_evidence(v, f, m->wanted);
    im_dns_view_evidence(v, f, m->found);
    im_sink_remedy(v->out, f, "rename it: %s. 3600 IN SRV %u %u %u %s. (%s shows it)", m->wanted->name, r->priority, r->weight,
                   r->port, r->text, im_dns_view_dig(v, m->wanted));
}

enum im_verdict im_rule_dns_srv_mislabeled(const struct im_survey *survey, struct im_sink *out) {
    return each_absent(survey, out, tell_misplaced);
}

/* ---- records ---- */

typedef void tell_use(struct im_dns_view *v, const struct im_srv_use *use);

static void count_unknown(struct im_dns_view *v, const struct im_strings *domains) {
    for (size_t i = 0; i < domains->count; i++) {
        const struct im_dns_answer *answer = im_dns_srv_of(v->dns, domains->items[i]);
        v->unknown += answer && answer->state == IM_DNS_FAILED;
    }
}

/* Records that are there, and how many names might have some more. */
static void list_uses(struct im_dns_view *v, struct im_srv_uses *out) {
    im_dns_view_srv(v, out);
    count_unknown(v, &v->names.mail_domains);
    count_unknown(v, &v->names.im_domains);
}

/* Each record with this fault is a finding. */
static enum im_verdict each(const struct im_survey *survey, struct im_sink *out, enum im_srv_fault fault, tell_use *tell) {
    struct im_dns_view v;
    struct im_srv_uses uses = {.items = NULL};
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    list_uses(&v, &uses);
    for (size_t i = 0; i < uses.count; i++) {
        if (uses.items[i].fault == fault)
            tell(&v, &uses.items[i]);
    }
    im_vec_free(&uses);
    return im_dns_view_end(&v);
}

static void remedy_use(struct im_dns_view *v, struct im_finding *f, const struct im_srv_use *use, const char *what,
                       const char *target, uint16_t port) {
    im_sink_remedy(v->out, f, "%s %s. 3600 IN SRV %u %u %u %s. (%s shows it)", what, use->name, use->record->priority,
                   use->record->weight, port, target ? target : "<IM domain>", im_dns_view_dig(v, use->answer));
}

static void tell_null(struct im_dns_view *v, const struct im_srv_use *use) {
    struct im_finding *f =
        im_sink_find(v->out, use->domain, "%s says by the target \".\" that there is no such service", use->name);
    im_dns_view_evidence(v, f, use->answer);
    remedy_record(v, f, "publish a target:", use->answer, use->domain);
}

enum im_verdict im_rule_dns_srv_null(const struct im_survey *survey, struct im_sink *out) {
    return each(survey, out, IM_SRV_NULL, tell_null);
}

static void tell_ip(struct im_dns_view *v, const struct im_srv_use *use) {
    struct im_finding *f = im_sink_find(v->out, use->domain, "%s has the address %s as its target, where only a host name can be",
                                        use->name, use->record->text);
    im_dns_view_evidence(v, f, use->answer);
    remedy_use(v, f, use, "name the host:", im_dns_view_im_domain_for(v, use->domain), use->record->port);
}

enum im_verdict im_rule_dns_srv_target_ip(const struct im_survey *survey, struct im_sink *out) {
    return each(survey, out, IM_SRV_IP, tell_ip);
}

static void tell_port(struct im_dns_view *v, const struct im_srv_use *use) {
    uint16_t port = im_dns_view_port(v, use);
    struct im_finding *f = im_sink_find(v->out, use->domain, "%s leads to port %u of %s, which listens on port %u", use->name,
                                        use->record->port, use->record->text, port);
    im_dns_view_evidence(v, f, use->answer);
    remedy_use(v, f, use, "correct the port:", use->record->text, port);
}

enum im_verdict im_rule_dns_srv_port(const struct im_survey *survey, struct im_sink *out) {
    return each(survey, out, IM_SRV_PORT, tell_port);
}

/* ---- targets that nobody knows ---- */

/* "im.example.com.example.com": the name that was meant; NULL: nothing like it. */
static const char *doubled(const struct im_dns_view *v, const char *target) {
    const struct im_strings *lists[] = {&v->names.im_domains, &v->names.hosts};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->count; i++) {
            const char *name = lists[k]->items[i];
            size_t len = strlen(name);
            if (target[0] && strlen(target) > len && im_text_equal_n(target, len, name, len) && target[len] == '.')
                return name;
        }
    }
    return NULL;
}

static bool shares(const struct im_dns_answer *a, const struct im_dns_answer *b) {
    for (size_t i = 0; a && b && i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (strcmp(a->records[i].text, b->records[k].text) == 0)
                return true;
        }
    }
    return false;
}

/* Another name of a known machine; NULL: none. */
static const char *same_machine(const struct im_dns_view *v, const struct im_dns_addresses *target) {
    const struct im_strings *lists[] = {&v->names.im_domains, &v->names.hosts};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->count; i++) {
            struct im_dns_addresses known = im_dns_addresses(v->dns, lists[k]->items[i]);
            if (shares(target->v4, known.v4) || shares(target->v6, known.v6))
                return lists[k]->items[i];
        }
    }
    return NULL;
}

static void tell_stale(struct im_dns_view *v, const struct im_srv_use *use) {
    const char *target = use->record->text;
    struct im_dns_addresses found = im_dns_addresses(v->dns, target);
    const char *meant = doubled(v, target);
    const char *twin = meant ? NULL : same_machine(v, &found);
    struct im_buf why = IM_BUF_INIT;
    if (meant) {
        im_buf_addf(&why, ": it looks like %s with the zone behind it, as when the final dot is missing in the zone file", meant);
    } else if (twin) {
        im_buf_addf(&why, ", though it has an address of %s", twin);
    } else if (!strchr(target, '.')) {
        im_buf_adds(&why, ": it is a short name, without a domain");
    } else if (found.state == IM_DNS_NXDOMAIN || found.state == IM_DNS_NODATA) {
        im_buf_adds(&why, ", and it has no address");
    }
    struct im_finding *f = im_sink_find(v->out, use->domain, "%s leads to %s, which is neither an IM domain nor a server%s",
                                        use->name, target, im_buf_str(&why));
    v->out->failed = v->out->failed || why.failed;
    im_buf_free(&why);
    if (twin)
        f->severity = IM_WARNING;
    im_dns_view_evidence(v, f, use->answer);
    im_dns_view_evidence(v, f, found.v4);
    const char *wanted = meant ? meant : twin ? twin : im_dns_view_im_domain_for(v, use->domain);
    remedy_use(v, f, use, wanted ? "delete the record, or correct it:" : "delete the record, or name a server:", wanted,
               use->srv->port);
}

enum im_verdict im_rule_dns_srv_target_stale(const struct im_survey *survey, struct im_sink *out) {
    return each(survey, out, IM_SRV_STALE, tell_stale);
}

/* ---- targets that many records share: one finding a target ---- */

static int by_target(const void *a, const void *b) {
    const struct im_srv_use *x = a;
    const struct im_srv_use *y = b;
    int order = im_text_compare(x->record->text, y->record->text);
    return order ? order : strcmp(x->name, y->name);
}

/* "_rvp._tcp.example.com and 2 more" */
static const char *print_sources(struct im_dns_view *v, const struct im_srv_use *uses, size_t count) {
    const char *text = count > 1 ? im_pool_printf(v->pool, "%s and %zu more", uses->name, count - 1) : uses->name;
    v->out->failed = v->out->failed || !text;
    return text ? text : "";
}

typedef void tell_target(struct im_dns_view *v, const struct im_srv_use *use, const char *sources);

static enum im_verdict each_target(const struct im_survey *survey, struct im_sink *out, enum im_srv_fault fault,
                                   tell_target *tell) {
    struct im_dns_view v;
    struct im_srv_uses uses = {.items = NULL};
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    list_uses(&v, &uses);
    size_t kept = 0;
    for (size_t i = 0; i < uses.count; i++) {
        v.unknown += uses.items[i].fault == IM_SRV_UNKNOWN;
        if (uses.items[i].fault == fault)
            uses.items[kept++] = uses.items[i];
    }
    if (kept)
        qsort(uses.items, kept, sizeof *uses.items, by_target);
    for (size_t i = 0, end; i < kept; i = end) {
        for (end = i + 1; end < kept && im_text_equal(uses.items[end].record->text, uses.items[i].record->text);)
            end++;
        tell(&v, &uses.items[i], print_sources(&v, &uses.items[i], end - i));
    }
    im_vec_free(&uses);
    return im_dns_view_end(&v);
}

static void tell_no_address(struct im_dns_view *v, const struct im_srv_use *use, const char *sources) {
    struct im_dns_addresses found = im_dns_addresses(v->dns, use->record->text);
    struct im_finding *f;
    if (found.v4->alias_count) {
        f = im_sink_find(v->out, use->record->text, "%s, the target of %s, is an alias of %s, which has no address",
                         use->record->text, sources, found.v4->aliases[found.v4->alias_count - 1]);
    } else {
        f = im_sink_find(v->out, use->record->text, "%s, the target of %s, has no address", use->record->text, sources);
    }
    im_dns_view_evidence(v, f, found.v4);
    im_dns_view_evidence(v, f, found.v6);
    im_sink_remedy(v->out, f, "publish the address of the server: %s. 3600 IN A <address> (%s shows it)", use->record->text,
                   im_dns_view_dig(v, found.v4));
}

enum im_verdict im_rule_dns_srv_target_no_address(const struct im_survey *survey, struct im_sink *out) {
    return each_target(survey, out, IM_SRV_NO_ADDRESS, tell_no_address);
}

static void tell_cname(struct im_dns_view *v, const struct im_srv_use *use, const char *sources) {
    struct im_dns_addresses found = im_dns_addresses(v->dns, use->record->text);
    const struct im_dns_answer *answer = found.v4 && found.v4->alias_count ? found.v4 : found.v6;
    const char *canonical = answer->aliases[answer->alias_count - 1];
    struct im_finding *f =
        im_sink_find(v->out, use->record->text, "%s, the target of %s, is an alias of %s: some clients stop there",
                     use->record->text, sources, canonical);
    const struct im_dns_answer *address = answer->count ? answer : found.v4 && found.v4->count ? found.v4 : found.v6;
    im_dns_view_evidence(v, f, answer);
    if (im_dns_view_knows(v, canonical)) {
        remedy_use(v, f, use, "name the host itself:", canonical, use->record->port);
    } else {
        im_sink_remedy(v->out, f, "replace the alias by the address: %s. 3600 IN %s %s (%s shows it)", use->record->text,
                       im_dns_type_name(address->type), address->records[0].text, im_dns_view_dig(v, answer));
    }
}

enum im_verdict im_rule_dns_srv_target_cname(const struct im_survey *survey, struct im_sink *out) {
    return each_target(survey, out, IM_SRV_CNAME, tell_cname);
}
