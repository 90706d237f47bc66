/* Rules about the names of IM domains and servers, and about who was asked. */
#include "lib/rules/dns_view.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <arpa/inet.h>
#include <string.h>

/* Both kinds of addresses are known not to be there. */
static bool has_none(struct im_dns_view *v, const char *name, struct im_dns_addresses *found) {
    *found = im_dns_addresses(v->dns, name);
    v->unknown += found->state == IM_DNS_FAILED;
    return found->state == IM_DNS_NXDOMAIN || found->state == IM_DNS_NODATA;
}

/* ---- names without an address ---- */

static bool is_told_as_target(const struct im_srv_uses *uses, const char *name) {
    for (size_t i = 0; i < uses->count; i++) {
        if (uses->items[i].fault == IM_SRV_NO_ADDRESS && im_text_equal(uses->items[i].record->text, name))
            return true;
    }
    return false;
}

/* Clients that look for an SRV record first do find this IM domain. */
static bool is_found_by_srv(const struct im_srv_uses *uses, const char *domain) {
    for (size_t i = 0; i < uses->count; i++) {
        const struct im_srv_use *use = &uses->items[i];
        if (im_text_equal(use->domain, domain) &&
            (use->fault == IM_SRV_FINE || use->fault == IM_SRV_CNAME || use->fault == IM_SRV_PORT))
            return true;
    }
    return false;
}

static struct im_finding *tell_no_address(struct im_dns_view *v, const char *name, const struct im_dns_addresses *found,
                                          bool is_domain) {
    size_t users = is_domain ? im_dns_view_im_users(v, name) : 0;
    struct im_finding *f;
    if (users) {
        f = im_sink_find(v->out, name, "%s, the IM domain of %zu user%s, has no address", name, users, im_dns_view_plural(users));
    } else {
        f = im_sink_find(v->out, name, "%s, the name of %s, has no address", name, is_domain ? "an IM domain" : "a server");
    }
    im_dns_view_evidence(v, f, found->v4);
    im_dns_view_evidence(v, f, found->v6);
    im_sink_remedy(v->out, f, "publish the address of the server: %s. 3600 IN A <address> (%s shows it)", found->v4->name,
                   im_dns_view_dig(v, found->v4));
    return f;
}

enum im_verdict im_rule_dns_im_domain_no_address(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    struct im_srv_uses uses = {.items = NULL};
    struct im_dns_addresses found;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    im_dns_view_srv(&v, &uses);
    for (size_t i = 0; i < v.names.im_domains.count; i++) {
        const char *name = v.names.im_domains.items[i];
        if (!has_none(&v, name, &found) || is_told_as_target(&uses, name))
            continue;
        struct im_finding *f = tell_no_address(&v, name, &found, true);
        if (is_found_by_srv(&uses, name))
            f->severity = IM_WARNING;
    }
    for (size_t i = 0; i < v.names.hosts.count; i++) {
        const char *name = v.names.hosts.items[i];
        if (!im_dns_view_is_im_domain(&v, name) && has_none(&v, name, &found) && !is_told_as_target(&uses, name))
            (void)tell_no_address(&v, name, &found, false);
    }
    im_vec_free(&uses);
    return im_dns_view_end(&v);
}

/* ---- several addresses ---- */

static size_t count_of(const struct im_dns_answer *answer) {
    return answer ? answer->count : 0;
}

/* Machines have one address of each kind: the larger number counts them. */
static size_t machines(const struct im_dns_addresses *found) {
    return count_of(found->v4) > count_of(found->v6) ? count_of(found->v4) : count_of(found->v6);
}

static bool is_router_of(const struct im_server *server, const char *domain) {
    char host[IM_HOSTNAME_SIZE];
    uint16_t port;
    if (server->hosts_users || !server->host || !im_hostname_split(server->host, host, &port))
        return false;
    return server->domains.count ? im_strings_have(&server->domains, domain) : im_text_equal(host, domain);
}

struct addresses {
    const char **items;
    size_t count, cap;
};

static bool add_addresses(struct addresses *all, const struct im_dns_answer *answer) {
    for (size_t i = 0; answer && i < answer->count; i++) {
        const char **place = im_vec_push(all);
        if (!place)
            return false;
        *place = answer->records[i].text;
    }
    return true;
}

/* The routers of an IM domain: those that share its name cannot be told apart by addresses, others can. */
struct routers {
    size_t count, nameless;
    struct addresses addresses;
    bool is_unknown;
};

static bool collect_routers(struct im_dns_view *v, const char *domain, struct routers *out) {
    const struct im_servers *servers = v->survey->servers;
    bool is_complete = true;
    for (size_t i = 0; servers && i < servers->count; i++) {
        char host[IM_HOSTNAME_SIZE];
        uint16_t port;
        if (!is_router_of(&servers->items[i], domain) || !im_hostname_split(servers->items[i].host, host, &port))
            continue;
        out->count++;
        if (im_text_equal(host, domain)) {
            out->nameless++;
            continue;
        }
        struct im_dns_addresses found = im_dns_addresses(v->dns, host);
        out->is_unknown = out->is_unknown || found.state == IM_DNS_FAILED || found.state == IM_DNS_NOT_ASKED;
        is_complete = is_complete && add_addresses(&out->addresses, found.v4) && add_addresses(&out->addresses, found.v6);
    }
    v->out->failed = v->out->failed || !is_complete;
    return is_complete;
}

static bool has(const struct addresses *all, const char *text) {
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i], text) == 0)
            return true;
    }
    return false;
}

static void list_missing(const struct addresses *of, const struct addresses *in, struct im_buf *text) {
    for (size_t i = 0; i < of->count; i++) {
        if (!has(in, of->items[i]))
            im_buf_addf(text, "%s%s", text->len ? ", " : "", of->items[i]);
    }
}

static void tell_router_sets(struct im_dns_view *v, const char *domain, const struct routers *routers,
                             const struct addresses *own, const struct im_dns_answer *answer) {
    struct im_buf missing = IM_BUF_INIT;
    struct im_buf surplus = IM_BUF_INIT;
    list_missing(&routers->addresses, own, &missing);
    if (!routers->nameless)
        list_missing(own, &routers->addresses, &surplus);
    if (missing.len || surplus.len) {
        struct im_finding *f =
            im_sink_find(v->out, domain, "the addresses of %s are not those of its %zu router%s:%s%s%s%s%s", domain,
                         routers->count, im_dns_view_plural(routers->count), missing.len ? " missing " : "", im_buf_str(&missing),
                         missing.len && surplus.len ? "," : "", surplus.len ? " surplus " : "", im_buf_str(&surplus));
        im_dns_view_evidence(v, f, answer);
        im_sink_remedy(v->out, f, "one record %s. 3600 IN A <address> for each router (%s shows them)", answer->name,
                       im_dns_view_dig(v, answer));
    }
    v->out->failed = v->out->failed || missing.failed || surplus.failed;
    im_buf_free(&missing);
    im_buf_free(&surplus);
}

static void tell_router_count(struct im_dns_view *v, const char *domain, size_t routers, const struct im_dns_addresses *found) {
    size_t count = machines(found);
    const struct im_dns_answer *answer = count_of(found->v4) ? found->v4 : found->v6;
    if (count == routers)
        return;
    struct im_finding *f =
        im_sink_find(v->out, domain, "%s has %zu router%s and %zu address%s (%s): %s", domain, routers,
                     im_dns_view_plural(routers), count, count == 1 ? "" : "es", im_dns_view_addresses(v, found),
                     count < routers ? "some routers get no traffic" : "some addresses lead to no router");
    im_dns_view_evidence(v, f, answer);
    im_sink_remedy(v->out, f, "one record %s. 3600 IN %s <address> for each router (%s shows them)", answer->name,
                   im_dns_type_name(answer->type), im_dns_view_dig(v, answer));
}

static void check_routers(struct im_dns_view *v, const char *domain) {
    struct im_dns_addresses found = im_dns_addresses(v->dns, domain);
    struct routers routers = {.count = 0};
    struct addresses own = {.items = NULL};
    if (found.state == IM_DNS_FOUND && collect_routers(v, domain, &routers) && routers.count) {
        if (routers.nameless == routers.count) {
            tell_router_count(v, domain, routers.count, &found);
        } else if (routers.is_unknown) {
            v->unknown++;
        } else if (add_addresses(&own, found.v4) && add_addresses(&own, found.v6)) {
            tell_router_sets(v, domain, &routers, &own, found.v4 ? found.v4 : found.v6);
        } else {
            v->out->failed = true;
        }
    }
    v->unknown += found.state == IM_DNS_FAILED;
    im_vec_free(&own);
    im_vec_free(&routers.addresses);
}

enum im_verdict im_rule_dns_router_address_missing(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    for (size_t i = 0; i < v.names.im_domains.count; i++)
        check_routers(&v, v.names.im_domains.items[i]);
    return im_dns_view_end(&v);
}

static size_t count_routers(const struct im_dns_view *v, const char *domain) {
    const struct im_servers *servers = v->survey->servers;
    size_t count = 0;
    for (size_t i = 0; servers && i < servers->count; i++)
        count += is_router_of(&servers->items[i], domain);
    return count;
}

static void check_home(struct im_dns_view *v, const struct im_server *home) {
    char host[IM_HOSTNAME_SIZE];
    uint16_t port;
    if (!home->hosts_users || !home->host || !im_hostname_split(home->host, host, &port) || im_hostname_is_address(host))
        return;
    struct im_dns_addresses found = im_dns_addresses(v->dns, host);
    v->unknown += found.state == IM_DNS_FAILED;
    if (machines(&found) < 2 || count_routers(v, host) > 0)
        return;
    const struct im_dns_answer *answer = count_of(found.v4) > 1 ? found.v4 : found.v6;
    struct im_finding *f = im_sink_find(
        v->out, host, "the name of the home server %s stands for %zu addresses (%s), but its users are on one machine only",
        home->name, machines(&found), im_dns_view_addresses(v, &found));
    im_dns_view_evidence(v, f, answer);
    im_sink_remedy(v->out, f, "keep one record %s. 3600 IN %s <address of the server> (%s shows them)", answer->name,
                   im_dns_type_name(answer->type), im_dns_view_dig(v, answer));
}

enum im_verdict im_rule_dns_home_round_robin(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    for (size_t i = 0; survey->servers && i < survey->servers->count; i++)
        check_home(&v, &survey->servers->items[i]);
    return im_dns_view_end(&v);
}

/* ---- addresses that mean nothing outside ---- */

static bool is_private_v4(const char *text) {
    static const struct {
        uint32_t net;
        unsigned bits;
    } nets[] = {{0x0A000000, 8}, {0xAC100000, 12}, {0xC0A80000, 16}, {0x7F000000, 8}, {0xA9FE0000, 16}, {0x64400000, 10}};
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1)
        return false;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        if ((ntohl(in.s_addr) ^ nets[i].net) >> (32 - nets[i].bits) == 0)
            return true;
    }
    return false;
}

/* Unique local (RFC 4193), link-local and loopback. */
static bool is_private_v6(const char *text) {
    struct in6_addr in;
    if (inet_pton(AF_INET6, text, &in) != 1)
        return false;
    return (in.s6_addr[0] & 0xFE) == 0xFC || IN6_IS_ADDR_LINKLOCAL(&in) || IN6_IS_ADDR_LOOPBACK(&in);
}

static void check_private(struct im_dns_view *v, const char *name, const struct im_dns_answer *answer) {
    for (size_t i = 0; answer && i < answer->count; i++) {
        const char *text = answer->records[i].text;
        if (!is_private_v4(text) && !is_private_v6(text))
            continue;
        struct im_finding *f = im_sink_find(v->out, name, "%s has the address %s, which leads nowhere from outside", name, text);
        im_dns_view_evidence(v, f, answer);
        im_sink_remedy(v->out, f, "publish the outside address: %s. 3600 IN %s <outside address> (%s shows it)", answer->name,
                       im_dns_type_name(answer->type), im_dns_view_dig(v, answer));
        return;
    }
}

static void check_private_name(struct im_dns_view *v, const char *name) {
    struct im_dns_addresses found = im_dns_addresses(v->dns, name);
    v->unknown += found.state == IM_DNS_FAILED;
    check_private(v, name, found.v4);
    check_private(v, name, found.v6);
}

/* Home servers stay out: routers speak for them to those outside. */
enum im_verdict im_rule_dns_address_private(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    struct im_srv_uses uses = {.items = NULL};
    enum im_verdict verdict;
    if (!survey->is_external)
        return (enum im_verdict)im_sink_skip(out, "only with --external: inside, such addresses are right");
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    for (size_t i = 0; i < v.names.im_domains.count; i++)
        check_private_name(&v, v.names.im_domains.items[i]);
    im_dns_view_srv(&v, &uses);
    for (size_t i = 0; i < uses.count; i++) {
        const char *target = uses.items[i].record->text;
        bool is_repeated = im_dns_view_is_im_domain(&v, target);
        for (size_t k = 0; k < i && !is_repeated; k++)
            is_repeated = im_text_equal(uses.items[k].record->text, target);
        if (!is_repeated)
            check_private_name(&v, target);
    }
    im_vec_free(&uses);
    return im_dns_view_end(&v);
}

/* ---- the recommended name ---- */

static bool is_recommended(const struct im_dns_view *v, const char *im_domain) {
    return strncmp(im_domain, "im.", 3) == 0 && im_strings_have(&v->names.mail_domains, im_domain + 3);
}

enum im_verdict im_rule_dns_im_prefix(const struct im_survey *survey, struct im_sink *out) {
    struct im_dns_view v;
    enum im_verdict verdict;
    if (!im_dns_view_begin(&v, survey, out, &verdict))
        return verdict;
    for (size_t i = 0; v.names.mail_domains.count && i < v.names.im_domains.count; i++) {
        const char *domain = v.names.im_domains.items[i];
        if (is_recommended(&v, domain))
            continue;
        struct im_finding *f = im_sink_find(
            out, domain, "%s is not \"im.\" and a mail domain, which people without SRV records would guess", domain);
        im_sink_remedy(out, f, "nothing has to be done; a new IM domain is best named im.%s", v.names.mail_domains.items[0]);
    }
    return im_dns_view_end(&v);
}
