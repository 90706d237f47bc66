#include "lib/probe/dns_plan.h"

#include "lib/data/hostname.h"

static enum im_err want_addresses(struct im_dns_facts *facts, const char *name, bool is_aside, struct im_error *e) {
    enum im_err err = im_dns_facts_want(facts, name, IM_DNS_A, is_aside, e);
    return err == IM_OK ? im_dns_facts_want(facts, name, IM_DNS_AAAA, is_aside, e) : err;
}

/* Hosts come as the directory writes them: with a port, or as addresses, which need no DNS. */
static enum im_err want_hosts(struct im_dns_facts *facts, const struct im_strings *hosts, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < hosts->count; i++) {
        char host[IM_HOSTNAME_SIZE];
        uint16_t port;
        bool is_host = im_hostname_split(hosts->items[i], host, &port);
        if (!is_host || !im_hostname_is_address(host))
            err = want_addresses(facts, is_host ? host : hosts->items[i], false, e);
    }
    return err;
}

static enum im_err want_srv(struct im_dns_facts *facts, const struct im_strings *domains, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; i < domains->count * facts->srv_count && err == IM_OK; i++) {
        char name[IM_DNS_NAME_SIZE];
        bool is_name = im_dns_srv_name(facts->srv[i % facts->srv_count].label, domains->items[i / facts->srv_count], name);
        err = im_dns_facts_want(facts, is_name ? name : domains->items[i / facts->srv_count], IM_DNS_SRV, false, e);
    }
    return err;
}

/* Every target that any resolver names: they may differ. */
static enum im_err want_targets(struct im_dns_facts *facts, const char *srv_name, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; i < facts->resolver_count; i++) {
        const struct im_dns_answer *answer = im_dns_answer_of(facts, i, srv_name, IM_DNS_SRV);
        for (size_t k = 0; answer && err == IM_OK && k < answer->count; k++) {
            const char *target = answer->records[k].text;
            if (*target && !im_hostname_is_address(target))
                err = want_addresses(facts, target, false, e);
        }
    }
    return err;
}

/* The domain has no SRV record: is it at a wrong name, and where do clients go instead? */
static enum im_err want_reasons(struct im_dns_facts *facts, const char *domain, struct im_error *e) {
    enum im_err err = want_addresses(facts, domain, true, e);
    for (size_t i = 0; err == IM_OK && i < facts->srv_count * IM_DNS_MISTAKES; i++) {
        char name[IM_DNS_NAME_SIZE];
        if (im_dns_srv_mistake(i % IM_DNS_MISTAKES, facts->srv[i / IM_DNS_MISTAKES].label, domain, name))
            err = im_dns_facts_want(facts, name, IM_DNS_SRV, true, e);
    }
    return err;
}

static enum im_err follow(struct im_dns_facts *facts, const struct im_strings *domains, bool needs_srv, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < domains->count; i++) {
        const struct im_dns_answer *found = im_dns_srv_of(facts, domains->items[i]);
        for (size_t k = 0; err == IM_OK && k < facts->srv_count; k++) {
            char name[IM_DNS_NAME_SIZE];
            if (im_dns_srv_name(facts->srv[k].label, domains->items[i], name))
                err = want_targets(facts, name, e);
        }
        if (err == IM_OK && needs_srv && found && (found->state == IM_DNS_NXDOMAIN || found->state == IM_DNS_NODATA))
            err = want_reasons(facts, domains->items[i], e);
    }
    return err;
}

enum im_err im_dns_plan(const struct im_dns_wanted *wanted, struct im_dns_facts *facts, size_t *count, struct im_error *e) {
    enum im_err err = want_srv(facts, &wanted->mail_domains, e);
    if (err == IM_OK)
        err = want_srv(facts, &wanted->im_domains, e);
    if (err == IM_OK)
        err = want_hosts(facts, &wanted->im_domains, e);
    if (err == IM_OK)
        err = want_hosts(facts, &wanted->hosts, e);
    if (err == IM_OK)
        err = follow(facts, &wanted->mail_domains, true, e);
    if (err == IM_OK)
        err = follow(facts, &wanted->im_domains, false, e);
    *count = 0;
    for (size_t i = 0; i < facts->answers.count; i++)
        *count += facts->answers.items[i]->state == IM_DNS_NOT_ASKED;
    return err;
}
