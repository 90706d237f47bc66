/* What the DNS rules share: the names of the organisation next to what name servers said, and how findings are put. */
#ifndef IMDIR_RULES_DNS_VIEW_H
#define IMDIR_RULES_DNS_VIEW_H

#include "lib/model/dns_facts.h"
#include "lib/model/dns_names.h"
#include "lib/model/rule.h"

struct im_dns_view {
    const struct im_survey *survey;
    const struct im_dns_facts *dns;
    struct im_sink *out;
    struct im_pool *pool;
    struct im_dns_names names;
    size_t before;  /* findings that were there */
    size_t unknown; /* names that could not be judged */
};

/* What is wrong with one record; the first that holds, so that one cause gives one finding. */
enum im_srv_fault {
    IM_SRV_FINE,
    IM_SRV_UNKNOWN,    /* its target could not be looked up */
    IM_SRV_NULL,       /* "." */
    IM_SRV_IP,         /* an address instead of a name */
    IM_SRV_STALE,      /* names nobody whom the directory knows */
    IM_SRV_NO_ADDRESS, /* of somebody known */
    IM_SRV_CNAME,
    IM_SRV_PORT,
};

/* One record of one domain. */
struct im_srv_use {
    const char *domain, *name; /* "example.com", "_rvp._tcp.example.com" */
    const struct im_profile_srv *srv;
    const struct im_dns_answer *answer;
    const struct im_dns_record *record;
    enum im_srv_fault fault;
};
struct im_srv_uses {
    struct im_srv_use *items; /* on the heap */
    size_t count, cap;
};

/* false: *verdict says what the rule returns instead. */
bool im_dns_view_begin(struct im_dns_view *v, const struct im_survey *survey, struct im_sink *out, enum im_verdict *verdict);
enum im_verdict im_dns_view_end(struct im_dns_view *v);

/* Every SRV record of mail and IM domains, with what is wrong with it. false: no memory. */
bool im_dns_view_srv(struct im_dns_view *v, struct im_srv_uses *out);
bool im_dns_view_knows(const struct im_dns_view *v, const char *name); /* an IM domain or the name of a server */
bool im_dns_view_is_im_domain(const struct im_dns_view *v, const char *name);
/* The IM domain that addresses of this mail domain should lead to; NULL: none is known. */
const char *im_dns_view_im_domain_for(const struct im_dns_view *v, const char *mail_domain);
uint16_t im_dns_view_port(const struct im_dns_view *v, const struct im_srv_use *use); /* that its target listens on */
/* The users whose mail address, or IM address, is in the domain. */
size_t im_dns_view_mail_users(const struct im_dns_view *v, const char *domain);
size_t im_dns_view_im_users(const struct im_dns_view *v, const char *domain);

/* "dig @127.0.0.1 -p 5353 SRV _rvp._tcp.example.com": shows what was seen. Never NULL. */
const char *im_dns_view_dig(struct im_dns_view *v, const struct im_dns_answer *answer);
/* "192.0.2.1, 192.0.2.2": A and AAAA. Never NULL. */
const char *im_dns_view_addresses(struct im_dns_view *v, const struct im_dns_addresses *addresses);
/* What was asked and answered, as evidence. answer NULL: nothing. */
void im_dns_view_evidence(struct im_dns_view *v, struct im_finding *f, const struct im_dns_answer *answer);
const char *im_dns_view_plural(size_t count); /* "s" or "" */

/* Rules of dns_srv.c and dns_names.c, in rows of dns.c. */
im_rule_survey im_rule_dns_srv_missing, im_rule_dns_srv_mislabeled, im_rule_dns_srv_target_no_address,
    im_rule_dns_srv_target_cname, im_rule_dns_srv_target_ip, im_rule_dns_srv_target_stale, im_rule_dns_srv_null,
    im_rule_dns_srv_port;
im_rule_survey im_rule_dns_im_domain_no_address, im_rule_dns_router_address_missing, im_rule_dns_home_round_robin,
    im_rule_dns_address_private, im_rule_dns_im_prefix;
im_rule_survey im_rule_dns_lookup_failed, im_rule_dns_resolvers_differ;

#endif
