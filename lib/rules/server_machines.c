#include "lib/rules/server_rules.h"

#include "lib/model/census.h"
#include "lib/model/dns_facts.h"
#include "lib/model/http_facts.h"
#include "lib/model/organisation.h"

#include <arpa/inet.h>
#include <string.h>

/* Builds of Exchange 2000 ("6.0") as its service packs numbered them. */
enum { BUILD_SP2 = 5762, BUILD_SP3 = 6249 };

#define NOT_ASKED "the objects of servers were not read"

static bool know_machines(const struct im_survey *survey, struct im_sink *s) {
    const struct im_organisation *o = survey->organisation;
    bool is_known = o && survey->servers && survey->servers->count && o->machines.is_known;
    if (!o || !survey->servers) {
        im_say_unknown(s, NOT_ASKED);
    } else if (!o->machines.is_known) {
        im_say_unknown(s, "%s", o->machines.why_not ? o->machines.why_not : NOT_ASKED);
    } else if (!is_known) {
        im_say_unknown(s, "no virtual server is known");
    }
    return is_known;
}

/* Where a virtual server lies; NULL, with the reason: not known. */
static const struct im_machine *machine_of(const struct im_server *server, const struct im_survey *survey, struct im_sink *s) {
    const struct im_machine *machine =
        server->dn ? im_organisation_machine(survey->organisation, im_say_key(s, server->dn)) : NULL;
    if (!machine)
        im_say_unknown(s, "the virtual server %s lies below no server object that can be seen", server->name);
    return machine;
}

/* ---- computers ---- */

static void judge_computer(const struct im_server *server, const struct im_machine *machine, const struct im_survey *survey,
                           struct im_sink *s) {
    const struct im_organisation *o = survey->organisation;
    const struct im_computer *computer = im_organisation_computer(o, machine->host);
    struct im_finding *f = NULL;
    if (computer && !computer->is_disabled)
        return;
    if (computer) {
        f = im_sink_find(s, server->name, "the computer account %s of the machine %s is disabled", computer->dn, machine->host);
        im_sink_remedy(s, f, "enable the computer account \"%s\"%s%s", computer->dn,
                       server->hosts_users ? ", or move the users: " : "",
                       server->hosts_users ? im_server_drain(survey, s, server->name) : "");
    } else if (o->computers.is_known && survey->is_offline) {
        im_say_unknown(s, "the export has no computer account of %s, and may not hold all there are", machine->host);
    } else if (o->computers.is_known) {
        f = im_sink_find(s, server->name, "no computer account has the DNS name %s of the machine that %s lies on", machine->host,
                         server->name);
        im_sink_remedy(s, f, "restore the computer account of %s%s%s", machine->host,
                       server->hosts_users ? ", or move the users: " : "",
                       server->hosts_users ? im_server_drain(survey, s, server->name) : "");
    } else {
        im_say_unknown(s, "%s", o->computers.why_not ? o->computers.why_not : NOT_ASKED);
    }
    if (f)
        im_sink_evidence(s, f, "server object", "%s", machine->dn);
}

enum im_verdict im_server_computer_missing(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!survey->is_ad)
        return im_say_unknown(s, "only Active Directory has accounts of computers");
    if (!know_machines(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_server *server = &survey->servers->items[i];
        const struct im_machine *machine = machine_of(server, survey, s);
        if (machine && machine->host) {
            judge_computer(server, machine, survey, s);
        } else if (machine) {
            im_say_unknown(s, "the server object \"%s\" does not say which machine it is", machine->dn);
        }
    }
    return im_say_verdict(s, before);
}

/* ---- what is left over ---- */

static void judge_leftover(const struct im_server *server, const struct im_machine *machine, struct im_sink *s) {
    if (machine->version)
        return;
    if (!machine->is_described) {
        im_say_unknown(s, "nothing but the name of the server object \"%s\" can be read", machine->dn);
        return;
    }
    struct im_finding *f = im_sink_find(s, server->name,
                                        "the virtual server lies below \"%s\", which has no version: the machine "
                                        "was removed, and this was left over",
                                        machine->dn);
    im_sink_remedy(s, f, "remove \"%s\" with the product's own tool, never the tree above it%s", server->dn,
                   server->hosts_users ? "; move its users first" : "");
}

static bool has_virtual_server(const struct im_survey *survey, const struct im_machine *machine, struct im_sink *s) {
    for (size_t i = 0; i < survey->servers->count; i++) {
        const char *dn = survey->servers->items[i].dn;
        if (dn && im_organisation_machine(survey->organisation, im_say_key(s, dn)) == machine)
            return true;
    }
    return false;
}

/* Users name something on this machine, which is there without any virtual server. */
static void judge_bare(const struct im_census_home *home, const struct im_survey *survey, struct im_sink *s) {
    if (home->target != IM_TARGET_MISSING && home->target != IM_TARGET_NO_SERVER)
        return;
    const struct im_machine *machine = im_organisation_machine(survey->organisation, im_say_key(s, home->dn));
    if (!machine || has_virtual_server(survey, machine, s))
        return;
    struct im_finding *f = im_sink_find(s, machine->name,
                                        "the server object \"%s\" has no virtual server, but is named by users as "
                                        "their home",
                                        machine->dn);
    im_sink_remedy(s, f, "%s; then remove what is left with the product's own tool, or create the virtual server again",
                   im_server_drain(survey, s, home->dn));
    im_sink_evidence(s, f, "home", "%s", home->dn);
}

enum im_verdict im_server_stale_object(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_machines(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_machine *machine = machine_of(&survey->servers->items[i], survey, s);
        if (machine)
            judge_leftover(&survey->servers->items[i], machine, s);
    }
    for (size_t i = 0; survey->census && i < survey->census->home_count; i++)
        judge_bare(&survey->census->homes[i], survey, s);
    return im_say_verdict(s, before);
}

/* ---- builds ---- */

static void judge_build(const struct im_server *server, const struct im_machine *machine, bool knows_stores, struct im_sink *s) {
    long build = im_version_build(machine->version, "6.0");
    if (!build) {
        im_say_unknown(s, "the version \"%s\" of \"%s\" is not one of Exchange 2000", machine->version, machine->dn);
        return;
    }
    if (build >= BUILD_SP3)
        return;
    const char *fault = "before service pack 3 the server turns clients away in bursts when much is going on";
    if (build < BUILD_SP2 && machine->has_stores) {
        fault = "before service pack 2 users are thrown off at random where the machine holds mailboxes as well";
    } else if (build < BUILD_SP2 && !knows_stores) {
        fault = "before service pack 3 the server turns clients away in bursts, and before service pack 2 users are thrown off "
                "at random where it holds mailboxes as well";
    }
    struct im_finding *f = im_sink_find(s, server->name, "the build %ld of %s is old: %s", build, machine->name, fault);
    im_sink_evidence(s, f, "version", "%s", machine->version);
}

enum im_verdict im_server_build_old(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_machines(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->servers->count; i++) {
        const struct im_machine *machine = machine_of(&survey->servers->items[i], survey, s);
        if (machine && machine->version) {
            judge_build(&survey->servers->items[i], machine, survey->organisation->stores.is_known, s);
        } else if (machine) {
            im_say_unknown(s, "the server object \"%s\" shows no version", machine->dn);
        }
    }
    return im_say_verdict(s, before);
}

/* ---- firewalls and proxies ---- */

static const struct im_global_settings *settings_of(const struct im_survey *survey, struct im_sink *s) {
    const struct im_organisation *o = survey->organisation;
    if (o && o->settings.is_known)
        return &o->settings;
    im_say_unknown(s, "%s", o && o->settings.why_not ? o->settings.why_not : "the global settings were not read");
    return NULL;
}

static const struct im_firewall *proxy_of(const struct im_global_settings *settings, struct im_sink *s) {
    for (size_t i = 0; i < settings->count; i++) {
        const struct im_firewall *firewall = &settings->firewalls[i];
        if (firewall->has_proxy)
            return firewall;
        if (firewall->proxy_octets) {
            im_say_unknown(s, "what the %zu octets of msExchIMProxy of \"%s\" mean is not documented", firewall->proxy_octets,
                           firewall->dn);
        }
    }
    return NULL;
}

enum im_verdict im_server_proxy_with_ntlm(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    const struct im_global_settings *settings = settings_of(survey, s);
    const struct im_firewall *firewall = settings ? proxy_of(settings, s) : NULL;
    if (!firewall)
        return im_say_verdict(s, before);
    if (!survey->http)
        im_say_unknown(s, "web servers were not asked how one logs on: --probe asks them");
    for (size_t i = 0; survey->http && i < survey->http->target_count; i++) {
        const struct im_http_target *target = &survey->http->targets[i];
        unsigned schemes = im_http_schemes(target);
        bool is_ours = (target->roles & (IM_HTTP_HOME | IM_HTTP_ROUTER)) != 0;
        if (!is_ours || !(schemes & (IM_HTTP_NTLM | IM_HTTP_NEGOTIATE)) || (schemes & IM_HTTP_DIGEST))
            continue;
        const char *offered = im_http_schemes_text(schemes, s->pool);
        struct im_finding *f =
            im_sink_find(s, target->host, "%s offers %s, which does not pass the proxy that the global settings name",
                         target->host, offered ? offered : "");
        s->failed = s->failed || !offered;
        im_sink_remedy(s, f, "let clients reach %s without the proxy, or offer Digest there", target->host);
        im_sink_evidence(s, f, "settings", "%s", firewall->dn);
    }
    return im_say_verdict(s, before);
}

/* Nobody outside can come where no name leads. */
static bool is_published(const struct im_survey *survey) {
    bool is_asked = survey->dns && survey->census;
    for (size_t i = 0; is_asked && i < survey->census->im_domain_count; i++) {
        if (im_dns_addresses(survey->dns, survey->census->im_domains[i].name).state == IM_DNS_FOUND)
            return true;
    }
    for (size_t i = 0; is_asked && i < survey->census->mail_domain_count; i++) {
        enum im_dns_state state;
        if (im_dns_srv_target(survey->dns, survey->census->mail_domains[i].name, &state))
            return true;
    }
    return !is_asked;
}

enum im_verdict im_server_firewall_undefined(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!survey->is_external)
        return im_say_unknown(s, "it is judged for people outside only: --external");
    const struct im_global_settings *settings = settings_of(survey, s);
    if (!settings)
        return IM_SKIPPED;
    if (!settings->container_count && !settings->count)
        return im_say_unknown(s, "no object with global settings can be seen");
    for (size_t i = 0; i < settings->count; i++) {
        if (settings->firewalls[i].range_count)
            return IM_FINE;
    }
    if (is_published(survey)) {
        im_sink_find(s, settings->count ? settings->firewalls[0].dn : "global settings",
                     "IM is published outside, but no range of protected addresses is defined: servers cannot tell who is behind "
                     "the firewall");
    }
    return im_say_verdict(s, before);
}

struct range {
    const char *text;
    uint32_t from, to;
};

/* What is wrong with a range; NULL: nothing. */
static const char *parse_range(const char *text, struct range *out) {
    char part[INET_ADDRSTRLEN];
    struct in_addr from;
    struct in_addr to;
    const char *dash = strchr(text, '-');
    size_t len = dash ? (size_t)(dash - text) : 0;
    if (!dash || len >= sizeof part)
        return "is no range of IPv4 addresses";
    memcpy(part, text, len);
    part[len] = '\0';
    if (inet_pton(AF_INET, part, &from) != 1 || inet_pton(AF_INET, dash + 1, &to) != 1)
        return "is no range of IPv4 addresses";
    *out = (struct range){text, ntohl(from.s_addr), ntohl(to.s_addr)};
    return out->from > out->to ? "ends before it begins" : NULL;
}

static void find_range(struct im_sink *s, const struct im_firewall *firewall, const char *text, const char *fault,
                       const char *other) {
    struct im_finding *f = im_sink_find(s, firewall->dn, "the protected range %s %s%s", text, fault, other);
    im_sink_remedy(s, f, "correct the range %s in the properties of the global settings (msExchIMIPRange of \"%s\")", text,
                   firewall->dn);
}

static void judge_ranges(const struct im_firewall *firewall, struct im_sink *s) {
    struct range *valid = im_pool_array(s->pool, firewall->ranges.count, sizeof *valid);
    size_t count = 0;
    s->failed = s->failed || !valid;
    for (size_t i = 0; valid && i < firewall->ranges.count; i++) {
        struct range range;
        const char *fault = parse_range(firewall->ranges.items[i], &range);
        if (fault) {
            find_range(s, firewall, firewall->ranges.items[i], fault, "");
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            if (range.from <= valid[k].to && valid[k].from <= range.to)
                find_range(s, firewall, range.text, "overlaps ", valid[k].text);
        }
        valid[count++] = range;
    }
}

enum im_verdict im_server_firewall_range_invalid(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    const struct im_global_settings *settings = settings_of(survey, s);
    for (size_t i = 0; settings && i < settings->count; i++) {
        const struct im_firewall *firewall = &settings->firewalls[i];
        size_t unread = firewall->range_count - firewall->ranges.count;
        if (unread) {
            im_say_unknown(
                s, "how a number of msExchIMIPRange holds two addresses is not documented, so that %s of \"%s\" cannot be read",
                im_say_count(s, unread, "range"), firewall->dn);
        }
        judge_ranges(firewall, s);
    }
    return im_say_verdict(s, before);
}
