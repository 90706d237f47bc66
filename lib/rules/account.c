#include "lib/base/text.h"
#include "lib/rules/rows.h"

#include <string.h>

#define SOURCE_HELP "Exchange 2000 product help on instant messaging"
#define SOURCE_RVP "draft-osborne-rvp-00 section 4.1"

#define NO_ADDRESS "there is no address to judge by"

static enum im_verdict skipped(struct im_judgement *j, const char *reason) {
    im_buf_adds(&j->message, reason);
    return IM_SKIPPED;
}

static enum im_verdict not_security_principal(const struct im_facts *f, struct im_judgement *j) {
    if (f->account->has_sid == IM_UNKNOWN)
        return skipped(j, "this directory has no objectSid");
    if (f->account->has_sid == IM_YES)
        return IM_FINE;
    im_buf_adds(&j->message, "the object has no security identifier (a contact or the like), so that nobody can log on with it");
    return IM_FIRES;
}

static enum im_verdict linked_external(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    if (!a->is_ad_like)
        return skipped(j, "the account has no userAccountControl");
    if (a->disabled != IM_YES || (a->master_sid != IM_MASTER_OTHER && a->master_sid != IM_MASTER_MALFORMED))
        return IM_FINE;
    im_buf_addf(&j->message, "the account is a placeholder for the external account %s, which cannot use IM",
                a->master_sid_text ? a->master_sid_text : "(its SID is malformed)");
    return IM_FIRES;
}

static enum im_verdict sid_history_placeholder(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    if (!a->has_sid_history && !f->context->is_ad)
        return skipped(j, "this directory has no sIDHistory");
    if (!a->has_sid_history)
        return IM_FINE;
    if (a->disabled == IM_YES) {
        im_buf_adds(&j->message, "the account is disabled and is reached through its SID history, which IM does not accept");
    } else if (a->had_logon == IM_NO) {
        im_buf_adds(&j->message,
                    "the account was never logged on to and is reached through its SID history, which IM does not accept");
    } else {
        return IM_FINE;
    }
    return IM_FIRES;
}

static enum im_verdict disabled(const struct im_facts *f, struct im_judgement *j) {
    if (f->account->disabled == IM_UNKNOWN)
        return skipped(j, "this directory does not tell whether an account is disabled");
    if (f->account->disabled == IM_NO)
        return IM_FINE;
    im_buf_adds(&j->message, "the account is disabled");
    return IM_FIRES;
}

static enum im_verdict not_writable(const struct im_facts *f, struct im_judgement *j) {
    if (!f->context->asked_rights)
        return skipped(j, "this directory does not tell which attributes may be written");
    if (!f->account->not_writable)
        return IM_FINE;
    im_buf_addf(&j->message, "the account that is used may not write %s of this entry", f->account->not_writable);
    return IM_FIRES;
}

static enum im_verdict domain_unknown(const struct im_facts *f, struct im_judgement *j) {
    const char *domain = f->want->im_domain;
    if (!domain)
        return skipped(j, NO_ADDRESS);
    if (im_servers_know_domain(f->servers, domain))
        return IM_FINE;
    im_buf_addf(&j->message, "the IM domain %s is served by no server of the organisation", domain);
    return IM_FIRES;
}

static enum im_verdict home_not_host(const struct im_facts *f, struct im_judgement *j) {
    const struct im_server *home = f->want->home;
    if (!home)
        return IM_FINE;
    if (!home->hosts_users) {
        im_buf_addf(&j->message, "the server %s is a router and hosts no users", home->name);
    } else if (!home->dn) {
        im_buf_addf(&j->message, "the home server %s has no object in the directory", home->name);
    } else if (f->want->im_domain && !im_server_serves(home, f->want->im_domain)) {
        im_buf_addf(&j->message, "the home server %s does not serve the IM domain %s", home->name, f->want->im_domain);
    } else {
        return IM_FINE;
    }
    return IM_FIRES;
}

static enum im_verdict address_duplicate(const struct im_facts *f, struct im_judgement *j) {
    if (f->holder_count == 0)
        return IM_FINE;
    for (size_t i = 0; i < f->holder_count; i++) {
        im_buf_addf(&j->message, "%s%s \"%s\" is held by %s", i ? "; " : "", f->holders[i].attribute, f->holders[i].value,
                    f->holders[i].dn);
    }
    im_buf_adds(&j->remedy, "clear it on the other object, or choose another address with --address");
    return IM_FIRES;
}

static enum im_verdict alias_unsafe(const struct im_facts *f, struct im_judgement *j) {
    const struct im_want *w = f->want;
    if (w->cannot_build) {
        im_buf_adds(&j->message, w->cannot_build);
    } else if (w->im_alias && !im_alias_is_safe(w->im_alias)) {
        im_buf_addf(&j->message,
                    "\"%s\" cannot be the left side of an address: only plain ASCII without blanks and / # %% ? @ can",
                    w->im_alias);
    } else {
        return IM_FINE;
    }
    return IM_FIRES;
}

static enum im_verdict url_malformed(const struct im_facts *f, struct im_judgement *j) {
    const char *why = NULL;
    const char *wrong = NULL;
    /* An unsafe alias spoils the URLs as well; one rule says it. */
    if (!f->want->address || !im_alias_is_safe(f->want->im_alias))
        return skipped(j, NO_ADDRESS);
    if (f->want->logical_url && !im_url_is_well_formed(f->want->logical_url, IM_ROLE_LOGICAL_URL, &why)) {
        wrong = f->want->logical_url;
    } else if (f->want->physical_url && !im_url_is_well_formed(f->want->physical_url, IM_ROLE_PHYSICAL_URL, &why)) {
        wrong = f->want->physical_url;
    }
    if (!wrong)
        return IM_FINE;
    im_buf_addf(&j->message, "the URL %s %s", wrong, why);
    return IM_FIRES;
}

const struct im_rule im_account_rules[] = {
    {.id = "account-not-security-principal",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "Not a security principal",
     .cause = "Contacts and similar objects have no SID; the server cannot authenticate anybody as them.",
     .remedy = "use the person's user object",
     .source = SOURCE_HELP,
     .check = not_security_principal},
    {.id = "account-linked-external",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "Placeholder of an external account",
     .cause = "The account is disabled and stands for an account elsewhere; IM authenticates neither of them.",
     .remedy = "give the person a log-on of this forest",
     .source = "KB 555410; " SOURCE_HELP,
     .check = linked_external},
    {.id = "account-sid-history-placeholder",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "Only reached through SID history",
     .cause = "A migrated account without a log-on of its own: access through an old SID does not work for IM.",
     .remedy = "give the account a log-on of its own",
     .source = SOURCE_HELP,
     .check = sid_history_placeholder},
    {.id = "account-disabled",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "Account is disabled",
     .cause = "IM needs an active account; enabling a disabled one succeeds, signing in never does.",
     .remedy = "enable the account and give it a password of its own",
     .source = "KB 278966; " SOURCE_HELP,
     .check = disabled},
    {.id = "account-not-writable",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE | IM_BLOCKS_MOVE,
     .title = "No right to write the IM attributes",
     .cause = "The account that the command uses lacks rights on this entry; protected groups often do that.",
     .remedy = "use an account with rights on this entry; where adminCount is 1, restore the inheritance of rights",
     .source = "KB 2466000",
     .check = not_writable},
    {.id = "account-domain-unknown",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE | IM_BLOCKS_MOVE,
     .title = "IM domain that no server serves",
     .cause = "The right side of the address is neither a router's nor a home server's name, nor configured.",
     .remedy = "correct the address, or name the domain at a server of the configuration",
     .source = SOURCE_RVP,
     .check = domain_unknown},
    {.id = "account-home-not-host",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE | IM_BLOCKS_MOVE,
     .title = "Home is not a server that hosts users",
     .cause = "The home names a router, or a server that does not serve the account's IM domain.",
     .remedy = "choose a home server with --home",
     .source = "Exchange Server 2003 SDK, ms-Exch-IM-Server-Hosts-Users",
     .check = home_not_host},
    {.id = "account-address-duplicate",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "Address is in use",
     .cause = "Another object of the forest has the same address or logical URL, in whatever letter case.",
     .remedy = "clear it on one of them",
     .source = SOURCE_RVP,
     .check = address_duplicate},
    {.id = "account-alias-unsafe",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_WARNING,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "Alias that addresses and URLs cannot carry",
     .cause = "Blanks, / # % ? @, control and non-ASCII characters break the URLs.",
     .remedy = "choose a plain alias (mailNickname), or another address with --address",
     .source = SOURCE_RVP,
     .check = alias_unsafe},
    {.id = "account-url-malformed",
     .scope = IM_SCOPE_ACCOUNT,
     .severity = IM_ERROR,
     .blocks = IM_BLOCKS_ENABLE,
     .title = "URL that clients cannot use",
     .cause = "The URLs must be http, without a port, with a full host name and the path /instmsg/.",
     .remedy = "give the server its fully qualified host name",
     .source = SOURCE_RVP,
     .check = url_malformed},
};
const size_t im_account_rule_count = sizeof im_account_rules / sizeof im_account_rules[0];
