#include "lib/rules/dns_view.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <string.h>

bool im_dns_view_begin(struct im_dns_view *v, const struct im_survey *survey, struct im_sink *out, enum im_verdict *verdict) {
    *v = (struct im_dns_view){.survey = survey, .dns = survey->dns, .out = out, .pool = out->pool, .before = out->count};
    *verdict = IM_SKIPPED;
    if (!survey->dns || !survey->dns->resolver_count) {
        im_sink_skip(out, "no name server was asked");
        return false;
    }
    if (im_dns_names(survey->census, survey->servers, out->pool, &v->names, NULL) != IM_OK) {
        out->failed = true;
        im_sink_skip(out, "out of memory");
        return false;
    }
    if (v->names.mail_domains.count || v->names.im_domains.count || v->names.hosts.count)
        return true;
    im_sink_skip(out, "no mail domain, IM domain or server is known");
    return false;
}

enum im_verdict im_dns_view_end(struct im_dns_view *v) {
    if (v->unknown)
        im_sink_skip(v->out, "%zu name%s could not be looked up", v->unknown, im_dns_view_plural(v->unknown));
    if (v->out->count > v->before)
        return IM_FIRES;
    return v->unknown ? IM_SKIPPED : IM_FINE;
}

const char *im_dns_view_plural(size_t count) {
    return count == 1 ? "" : "s";
}

/* ---- the organisation's names ---- */

bool im_dns_view_is_im_domain(const struct im_dns_view *v, const char *name) {
    return im_strings_have(&v->names.im_domains, name);
}

bool im_dns_view_knows(const struct im_dns_view *v, const char *name) {
    const struct im_census *census = v->survey->census;
    if (im_dns_view_is_im_domain(v, name) || im_strings_have(&v->names.hosts, name))
        return true;
    for (size_t i = 0; census && i < census->home_count; i++) {
        if (im_text_equal(census->homes[i].host, name))
            return true;
    }
    return false;
}

static size_t users_of(const struct im_census_domain *domains, size_t count, const char *name) {
    char ascii[IM_HOSTNAME_SIZE];
    size_t users = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_name = im_hostname_ascii(domains[i].name, ascii);
        if (im_text_equal(is_name ? ascii : domains[i].name, name))
            users += domains[i].users;
    }
    return users;
}

size_t im_dns_view_mail_users(const struct im_dns_view *v, const char *domain) {
    const struct im_census *c = v->survey->census;
    return c ? users_of(c->mail_domains, c->mail_domain_count, domain) : 0;
}

size_t im_dns_view_im_users(const struct im_dns_view *v, const char *domain) {
    const struct im_census *c = v->survey->census;
    return c ? users_of(c->im_domains, c->im_domain_count, domain) : 0;
}

static bool ends_in_domain(const char *name, const char *domain) {
    size_t len = strlen(name);
    size_t tail = strlen(domain);
    return len > tail && name[len - tail - 1] == '.' && im_text_equal(name + len - tail, domain);
}

/* "im." and the mail domain first, then one within it, then the one with most users. */
const char *im_dns_view_im_domain_for(const struct im_dns_view *v, const char *mail_domain) {
    const char *best = NULL;
    size_t best_weight = 0;
    for (size_t i = 0; i < v->names.im_domains.count; i++) {
        const char *name = v->names.im_domains.items[i];
        bool is_within = ends_in_domain(name, mail_domain);
        bool is_plain = is_within && strlen(name) == strlen(mail_domain) + 3 && strncmp(name, "im.", 3) == 0;
        size_t weight = is_plain ? SIZE_MAX : (is_within ? SIZE_MAX / 2 : 0) + im_dns_view_im_users(v, name) + 1;
        if (weight > best_weight) {
            best = name;
            best_weight = weight;
        }
    }
    return best;
}

static uint16_t port_in_name(const struct im_dns_view *v, const char *target) {
    const struct im_servers *servers = v->survey->servers;
    for (size_t i = 0; servers && i < servers->count; i++) {
        char host[IM_HOSTNAME_SIZE];
        uint16_t port = 0;
        const char *name = servers->items[i].host;
        if (name && im_hostname_split(name, host, &port) && port && im_text_equal(host, target))
            return port;
    }
    return 0;
}

uint16_t im_dns_view_port(const struct im_dns_view *v, const struct im_srv_use *use) {
    uint16_t port = port_in_name(v, use->record->text);
    return port ? port : use->srv->port;
}

/* ---- SRV records ---- */

static bool any_alias_is_known(const struct im_dns_view *v, const struct im_dns_answer *answer) {
    for (size_t i = 0; answer && i < answer->alias_count; i++) {
        if (im_dns_view_knows(v, answer->aliases[i]))
            return true;
    }
    return false;
}

/* Nobody can be told to be unknown where nobody is known. */
static bool knows_organisation(const struct im_dns_view *v) {
    return v->names.hosts.count || (v->survey->census && v->survey->census->is_whole && v->names.im_domains.count);
}

static enum im_srv_fault judge(const struct im_dns_view *v, const struct im_srv_use *use) {
    const char *target = use->record->text;
    if (!*target)
        return IM_SRV_NULL;
    if (im_hostname_is_address(target))
        return IM_SRV_IP;
    struct im_dns_addresses found = im_dns_addresses(v->dns, target);
    bool leads_to_known = im_dns_view_knows(v, target) || any_alias_is_known(v, found.v4) || any_alias_is_known(v, found.v6);
    bool is_alias = (found.v4 && found.v4->alias_count) || (found.v6 && found.v6->alias_count);
    if (!leads_to_known && knows_organisation(v))
        return IM_SRV_STALE;
    if (found.state == IM_DNS_FAILED || found.state == IM_DNS_NOT_ASKED)
        return IM_SRV_UNKNOWN;
    if (found.state != IM_DNS_FOUND)
        return IM_SRV_NO_ADDRESS;
    if (is_alias)
        return IM_SRV_CNAME;
    return use->record->port != im_dns_view_port(v, use) ? IM_SRV_PORT : IM_SRV_FINE;
}

static bool add_uses(struct im_dns_view *v, const char *domain, struct im_srv_uses *out) {
    for (size_t i = 0; i < v->dns->srv_count; i++) {
        char name[IM_DNS_NAME_SIZE];
        const struct im_dns_answer *answer =
            im_dns_srv_name(v->dns->srv[i].label, domain, name) ? im_dns_answer(v->dns, name, IM_DNS_SRV) : NULL;
        for (size_t k = 0; answer && k < answer->count; k++) {
            struct im_srv_use *use = im_vec_push(out);
            if (!use)
                return false;
            *use = (struct im_srv_use){
                .domain = domain, .name = answer->name, .srv = &v->dns->srv[i], .answer = answer, .record = &answer->records[k]};
            use->fault = judge(v, use);
        }
    }
    return true;
}

bool im_dns_view_srv(struct im_dns_view *v, struct im_srv_uses *out) {
    const struct im_strings *mail = &v->names.mail_domains;
    const struct im_strings *im = &v->names.im_domains;
    bool is_complete = true;
    for (size_t i = 0; is_complete && i < mail->count; i++)
        is_complete = add_uses(v, mail->items[i], out);
    for (size_t i = 0; is_complete && i < im->count; i++) {
        if (!im_strings_have(mail, im->items[i]))
            is_complete = add_uses(v, im->items[i], out);
    }
    v->out->failed = v->out->failed || !is_complete;
    return is_complete;
}

/* ---- texts ---- */

static const char *print_dig(struct im_dns_view *v, const struct im_dns_answer *answer) {
    const struct im_dns_resolver *r = &v->dns->resolvers[answer->resolver];
    bool is_port = r->is_given && r->port;
    return im_pool_printf(v->pool, "dig%s%s%s%s %s %s", r->is_given ? " @" : "", r->is_given ? r->address : "",
                          is_port ? " -p " : "", is_port ? r->port : "", im_dns_type_name(answer->type), answer->name);
}

const char *im_dns_view_dig(struct im_dns_view *v, const struct im_dns_answer *answer) {
    const char *text = print_dig(v, answer);
    v->out->failed = v->out->failed || !text;
    return text ? text : "";
}

static void add_list(struct im_buf *buf, const struct im_dns_answer *answer) {
    for (size_t i = 0; answer && i < answer->count; i++)
        im_buf_addf(buf, "%s%s", buf->len ? ", " : "", answer->records[i].text);
}

static const char *keep(struct im_dns_view *v, struct im_buf *buf) {
    const char *text = buf->failed ? NULL : im_pool_strdup(v->pool, im_buf_str(buf));
    v->out->failed = v->out->failed || !text;
    im_buf_free(buf);
    return text ? text : "";
}

const char *im_dns_view_addresses(struct im_dns_view *v, const struct im_dns_addresses *addresses) {
    struct im_buf buf = IM_BUF_INIT;
    add_list(&buf, addresses->v4);
    add_list(&buf, addresses->v6);
    return keep(v, &buf);
}

void im_dns_view_evidence(struct im_dns_view *v, struct im_finding *f, const struct im_dns_answer *answer) {
    struct im_buf buf = IM_BUF_INIT;
    if (!answer)
        return;
    if (answer->state == IM_DNS_FAILED) {
        im_buf_adds(&buf, answer->trouble);
    } else if (!answer->count) {
        im_buf_adds(&buf, im_dns_state_name(answer->state));
    }
    for (size_t i = 0; i < answer->count; i++) {
        const struct im_dns_record *r = &answer->records[i];
        im_buf_adds(&buf, i ? "; " : "");
        if (answer->type == IM_DNS_SRV) {
            im_buf_addf(&buf, "%u %u %u %s.", r->priority, r->weight, r->port, r->text);
        } else {
            im_buf_adds(&buf, r->text);
        }
    }
    for (size_t i = 0; i < answer->alias_count; i++)
        im_buf_addf(&buf, " (alias of %s)", answer->aliases[i]);
    im_buf_addf(&buf, ", says %s%s", v->dns->resolvers[answer->resolver].name, answer->is_retried ? " when asked again" : "");
    const char *name = im_pool_printf(v->pool, "%s %s", im_dns_type_name(answer->type), answer->name);
    const char *text = keep(v, &buf);
    im_sink_evidence(v->out, f, name ? name : "", "%s", text);
}
