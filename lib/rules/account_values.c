/* The IM attributes: the address, the URLs, and whether they are all there. */
#include "lib/base/text.h"
#include "lib/model/dns_facts.h"
#include "lib/model/url.h"
#include "lib/rules/account_rules.h"

#include <string.h>

#define NO_ADDRESS "there is no address to judge by"

/* ---- which of them are there ---- */

enum im_verdict im_account_not_enabled(const struct im_facts *f, struct im_judgement *j) {
    if (!f->is_named || f->account->im_count > 0)
        return IM_FINE;
    im_buf_adds(&j->message, "the account is not enabled for IM");
    im_say_command("imenable", f, &j->remedy);
    return IM_FIRES;
}

static bool marks_enablement(const struct im_profile_attr *attr) {
    return attr->role != IM_ROLE_OPAQUE && attr->enabled;
}

/* "A, B": those that have, or have not, a value. */
static void list_attributes(const struct im_facts *f, bool present, struct im_buf *out) {
    const struct im_profile *p = f->context->profile;
    size_t begin = out->len;
    for (size_t i = 0; i < p->attr_count; i++) {
        const struct im_profile_attr *attr = &p->attrs[i];
        if (marks_enablement(attr) && (f->account->attrs[i] != NULL) == present)
            im_buf_addf(out, "%s%s", out->len > begin ? ", " : "", attr->name);
    }
}

static enum im_verdict only_opaque(const struct im_facts *f, struct im_judgement *j) {
    const struct im_profile_attr *attr = im_profile_role(f->context->profile, IM_ROLE_OPAQUE);
    im_buf_addf(&j->message, "of an enablement only %s is left", attr->name);
    im_say_command(f->is_preflight ? "imenable" : "imdisable", f, &j->remedy);
    j->severity = IM_WARNING;
    return IM_FIRES;
}

enum im_verdict im_account_attrs_partial(const struct im_facts *f, struct im_judgement *j) {
    const struct im_profile *p = f->context->profile;
    const struct im_account *a = f->account;
    size_t wanted = 0;
    for (size_t i = 0; i < p->attr_count; i++)
        wanted += marks_enablement(&p->attrs[i]);
    if (a->im_count == 0)
        return a->has_opaque ? only_opaque(f, j) : IM_FINE;
    if (a->im_count >= wanted)
        return IM_FINE;
    im_buf_adds(&j->message, "the account is enabled by half: it has ");
    list_attributes(f, true, &j->message);
    im_buf_adds(&j->message, ", but no ");
    list_attributes(f, false, &j->message);
    im_say_command("imenable", f, &j->remedy);
    return IM_FIRES;
}

enum im_verdict im_account_attr_multivalued(const struct im_facts *f, struct im_judgement *j) {
    const struct im_profile *p = f->context->profile;
    for (size_t i = 0; i < p->attr_count; i++) {
        const struct im_attr *attr = f->account->attrs[i];
        if (attr && attr->count > 1 && marks_enablement(&p->attrs[i]))
            im_buf_addf(&j->message, "%s%s has %zu values", j->message.len ? "; " : "", p->attrs[i].name, attr->count);
    }
    if (!j->message.len && !j->message.failed)
        return IM_FINE;
    im_say_command("imenable", f, &j->remedy);
    return IM_FIRES;
}

/* ---- the address ---- */

enum im_verdict im_account_domain_unknown(const struct im_facts *f, struct im_judgement *j) {
    const char *domain = f->want->im_domain;
    const char *other = NULL;
    if (!domain) /* of an account that is enabled by half other rules tell */
        return f->is_preflight ? im_account_skip(j, NO_ADDRESS) : IM_FINE;
    if (!f->is_preflight && !f->servers->count)
        return im_account_skip(j, "no server of the organisation is known");
    if (im_servers_know_domain(f->servers, domain))
        return IM_FINE;
    im_buf_addf(&j->message, "the IM domain %s is served by no server of the organisation", domain);
    if (!f->is_preflight && im_servers_default_domain(f->servers, NULL, f->want->home, &other, NULL) == IM_OK) {
        im_say_command("imenable", f, &j->remedy);
        im_buf_adds(&j->remedy, " --domain ");
        im_text_quote(other, &j->remedy);
    }
    return IM_FIRES;
}

static const char *domain_of(const char *address) {
    const char *at = address ? strrchr(address, '@') : NULL;
    return at && at != address && at[1] ? at + 1 : NULL;
}

static void say_other_address(const struct im_facts *f, const char *domain, struct im_buf *out) {
    im_say_command("imenable", f, out);
    im_buf_adds(out, " --address ALIAS@");
    im_text_quote(domain ? domain : "DOMAIN", out);
}

/* An audit may have forgotten everything of the account but what it shares with others. */
static const char *shared_domain(const struct im_facts *f) {
    const char *domain = f->want->im_domain;
    for (size_t i = 0; !domain && i < f->holder_count; i++)
        domain = domain_of(f->holders[i].value);
    return domain;
}

enum im_verdict im_account_address_duplicate(const struct im_facts *f, struct im_judgement *j) {
    if (f->holder_count == 0)
        return IM_FINE;
    for (size_t i = 0; i < f->holder_count; i++) {
        im_buf_addf(&j->message, "%s%s \"%s\" is held by %s", i ? "; " : "", f->holders[i].attribute, f->holders[i].value,
                    f->holders[i].dn);
    }
    if (f->is_preflight) {
        im_buf_adds(&j->remedy, "clear it on the other object, or choose another address with --address");
        return IM_FIRES;
    }
    im_buf_adds(&j->remedy, "imdisable ");
    im_text_quote(f->holders[0].dn, &j->remedy);
    im_buf_adds(&j->remedy, ", or: ");
    say_other_address(f, shared_domain(f), &j->remedy);
    return IM_FIRES;
}

enum im_verdict im_account_alias_unsafe(const struct im_facts *f, struct im_judgement *j) {
    const struct im_want *w = f->want;
    if (w->cannot_build) {
        im_buf_adds(&j->message, w->cannot_build);
        j->severity = IM_ERROR; /* there is no alias at all */
    } else if (w->im_alias && !im_alias_is_safe(w->im_alias)) {
        im_buf_addf(&j->message,
                    "\"%s\" cannot be the left side of an address: only plain ASCII without blanks and / # %% ? @ can",
                    w->im_alias);
        j->severity = f->is_preflight ? IM_ERROR : IM_WARNING; /* who has it already may sign in, and nobody else gets it */
    } else {
        return IM_FINE;
    }
    if (!f->is_preflight)
        say_other_address(f, w->im_domain, &j->remedy);
    return IM_FIRES;
}

/* ---- the address that people know ---- */

/* Where an SRV record sends clients that look for the mail domain, seen from the IM domain. */
enum mapping {
    MAPS_NOWHERE, /* there is none, or nobody knows */
    MAPS_HERE,
    MAPS_ELSEWHERE,
};

static bool answers_for(const struct im_facts *f, const char *host, const char *im_domain) {
    bool is_there = im_text_equal(host, im_domain);
    for (size_t i = 0; !is_there && i < f->servers->count; i++) {
        const struct im_server *s = &f->servers->items[i];
        is_there = s->hosts_users && im_text_equal(s->host, host) && im_server_serves(s, im_domain);
    }
    return is_there;
}

static enum mapping map_mail(const struct im_facts *f, const char *mail_domain) {
    enum im_dns_state state;
    if (!f->survey || !f->survey->dns)
        return MAPS_NOWHERE;
    const char *target = im_dns_srv_target(f->survey->dns, mail_domain, &state);
    if (!target)
        return MAPS_NOWHERE;
    return answers_for(f, target, f->want->im_domain) ? MAPS_HERE : MAPS_ELSEWHERE;
}

static bool has_alias(const char *address, const char *alias) {
    const char *domain = domain_of(address);
    return domain && im_text_equal_n(address, (size_t)(domain - 1 - address), alias, strlen(alias));
}

enum im_verdict im_account_address_not_mail(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    const struct im_want *w = f->want;
    const char *known = domain_of(a->mail) ? a->mail : domain_of(a->upn) ? a->upn : NULL;
    if (!w->im_alias || !known || im_text_equal(w->address, a->mail) || im_text_equal(w->address, a->upn))
        return IM_FINE;
    if (!has_alias(a->mail, w->im_alias) && !has_alias(a->upn, w->im_alias)) {
        im_buf_addf(&j->message, "the IM address %s has another alias than %s", w->address, known);
        return IM_FIRES;
    }
    /* alias@IM-domain is what enabling gives out, and dns-srv-missing says of a domain what its mail addresses lack. */
    if (map_mail(f, domain_of(known)) != MAPS_ELSEWHERE)
        return IM_FINE;
    j->severity = IM_WARNING;
    im_buf_addf(&j->message, "the IM address is %s, and not %s, whose domain an SRV record sends elsewhere", w->address, known);
    return IM_FIRES;
}

/* ---- the URLs ---- */

/* An unsafe alias spoils its URLs as well; one rule says it. */
static const char *url_fault(const struct im_url *url, const char *alias) {
    if (url->fault || !url->alias_fault)
        return url->fault;
    bool is_said = alias && !im_alias_is_safe(alias) && im_text_equal_n(url->alias, url->alias_len, alias, strlen(alias));
    return is_said ? NULL : url->alias_fault;
}

/* An audit judges the account's own URLs, and those are taken apart already. */
static const char *wanted_url_fault(const struct im_facts *f, enum im_role role) {
    const struct im_account *a = f->account;
    bool is_logical = role == IM_ROLE_LOGICAL_URL;
    const char *url = is_logical ? f->want->logical_url : f->want->physical_url;
    struct im_url parts;
    if (!url)
        return NULL;
    if (url == (is_logical ? a->logical_url : a->physical_url))
        return url_fault(is_logical ? &a->logical : &a->physical, f->want->im_alias);
    im_url_split(url, role, &parts);
    return url_fault(&parts, f->want->im_alias);
}

enum im_verdict im_account_url_malformed(const struct im_facts *f, struct im_judgement *j) {
    const struct im_want *w = f->want;
    if (f->is_preflight && (!w->address || !im_alias_is_safe(w->im_alias)))
        return im_account_skip(j, NO_ADDRESS);
    const char *wrong = w->logical_url;
    const char *why = wanted_url_fault(f, IM_ROLE_LOGICAL_URL);
    if (!why) {
        wrong = w->physical_url;
        why = wanted_url_fault(f, IM_ROLE_PHYSICAL_URL);
    }
    if (!why)
        return IM_FINE;
    im_buf_addf(&j->message, "the URL %s %s", wrong, why);
    if (f->is_preflight)
        return IM_FIRES;
    const struct im_server *home = im_account_home(f);
    if (wrong == w->physical_url && home && home->hosts_users) {
        im_say_move(f, home, &j->remedy);
    } else {
        im_say_command("imenable", f, &j->remedy);
    }
    return IM_FIRES;
}
