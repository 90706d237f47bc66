/* Where an account is homed. */
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/model/url.h"
#include "lib/rules/account_rules.h"

#include <string.h>

/* ---- the object that the home attribute names ---- */

/* By its name, where nobody looked it up. */
static bool is_deleted(const struct im_facts *f) {
    if (f->target == IM_TARGET_UNKNOWN)
        return im_dn_is_deleted(f->account->home);
    return f->target == IM_TARGET_DELETED;
}

enum im_verdict im_account_home_dangling(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    if (!a->home)
        return IM_FINE;
    if (is_deleted(f)) {
        im_buf_addf(&j->message, "the home names an object that was deleted: %s", a->home);
    } else if (f->target == IM_TARGET_MISSING) {
        im_buf_addf(&j->message, "the home names an object that does not exist: %s", a->home);
    } else if (f->target == IM_TARGET_UNKNOWN && !im_account_home(f)) {
        return im_account_skip(j, "the object that the home names was not looked up, or could not be read");
    } else {
        return IM_FINE;
    }
    im_say_move(f, NULL, &j->remedy);
    return IM_FIRES;
}

/* What is wrong with a server as a home; false: nothing. */
static bool is_no_host(const struct im_facts *f, const struct im_server *home, struct im_buf *message) {
    const char *domain = f->want->im_domain;
    if (!home->hosts_users) {
        im_buf_addf(message, "the server %s is a router and hosts no users", home->name);
    } else if (!home->dn) {
        im_buf_addf(message, "the home server %s has no object in the directory", home->name);
    } else if (home->is_gone) {
        im_buf_addf(message, "the object of the home server %s is not in the directory", home->name);
    } else if (domain && !im_server_serves(home, domain)) {
        im_buf_addf(message, "the home server %s does not serve the IM domain %s", home->name, domain);
    } else {
        return false;
    }
    return true;
}

/* A dangling home is account-home-dangling's. */
static enum im_verdict present_home(const struct im_facts *f, struct im_judgement *j) {
    const struct im_server *home = f->want->home;
    const char *dn = f->account->home;
    if (!dn || is_deleted(f) || f->target == IM_TARGET_MISSING)
        return IM_FINE;
    if (f->target == IM_TARGET_NO_SERVER) {
        im_buf_addf(&j->message, "the home names an object that is no IM server: %s", dn);
    } else if (f->target == IM_TARGET_NO_HOST && (!home || home->hosts_users)) {
        im_buf_addf(&j->message, "the home names a server that hosts no users: %s", dn);
    } else if (home) {
        if (!is_no_host(f, home, &j->message))
            return IM_FINE;
    } else {
        return f->target == IM_TARGET_UNKNOWN
                   ? im_account_skip(j, "the object that the home names was not looked up, or could not be read")
                   : IM_FINE;
    }
    im_say_move(f, NULL, &j->remedy);
    return IM_FIRES;
}

enum im_verdict im_account_home_not_host(const struct im_facts *f, struct im_judgement *j) {
    const struct im_server *home = f->want->home;
    if (!f->is_preflight)
        return present_home(f, j);
    return home && is_no_host(f, home, &j->message) ? IM_FIRES : IM_FINE;
}

/* ---- whether address, URLs and home go together ---- */

/* Values of the account that are compared with each other. */
struct compared {
    const struct im_facts *facts;
    const struct im_url *logical, *physical;
    struct im_buf *message;
};

static void begin_clause(struct compared *c) {
    im_buf_adds(c->message, c->message->len ? "; " : "");
}

static bool is_text(const char *piece, size_t len, const char *text) {
    return im_text_equal_n(piece, len, text, strlen(text));
}

static void compare_address(struct compared *c) {
    const char *address = c->facts->account->address;
    const struct im_url *url = c->logical;
    const char *at = address ? strrchr(address, '@') : NULL;
    if (!at || at == address || !at[1])
        return; /* account-alias-unsafe says so */
    bool has_alias = im_text_equal_n(url->alias, url->alias_len, address, (size_t)(at - address));
    if (has_alias && is_text(url->host, url->host_len, at + 1))
        return;
    begin_clause(c);
    im_buf_addf(c->message, "the logical URL %s does not go with the address %s", c->facts->account->logical_url, address);
}

static void compare_urls(struct compared *c) {
    const struct im_url *l = c->logical;
    const struct im_url *p = c->physical;
    if (!p->domain || !im_text_equal_n(p->domain, p->domain_len, l->host, l->host_len)) {
        begin_clause(c);
        im_buf_addf(c->message, "the physical URL %s is not for the IM domain of the logical URL, %.*s",
                    c->facts->account->physical_url, (int)l->host_len, l->host);
    } else if (l->alias_len && !im_text_equal_n(p->alias, p->alias_len, l->alias, l->alias_len)) {
        begin_clause(c);
        im_buf_addf(c->message, "the physical URL is for the alias %.*s, the logical one for %.*s", (int)p->alias_len, p->alias,
                    (int)l->alias_len, l->alias);
    }
}

static void compare_home(struct compared *c, const struct im_server *home) {
    const struct im_url *p = c->physical;
    if (!home->hosts_users || !home->host || is_text(p->host, p->host_len, home->host))
        return; /* a router as home is account-home-not-host's */
    begin_clause(c);
    im_buf_addf(c->message, "the physical URL leads to \"%.*s\", and the home server is %s", (int)p->host_len, p->host,
                home->host);
}

/* A single server may answer for both URLs, which are equal then. */
static void compare_physical(struct compared *c, const struct im_server *home) {
    const struct im_account *a = c->facts->account;
    if (!a->physical_url || im_role_equal(IM_ROLE_PHYSICAL_URL, a->physical_url, a->logical_url))
        return;
    if (a->logical_url)
        compare_urls(c);
    if (home)
        compare_home(c, home);
}

enum im_verdict im_account_home_url_mismatch(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    const struct im_server *home = im_account_home(f);
    struct compared c = {.facts = f, .logical = &a->logical, .physical = &a->physical, .message = &j->message};
    if (a->logical_url)
        compare_address(&c);
    bool only_physical = !j->message.len;
    compare_physical(&c, home);
    if (!j->message.len && !j->message.failed) {
        bool could_compare = home || !a->home || !a->physical_url || f->target != IM_TARGET_UNKNOWN || im_dn_is_deleted(a->home);
        return could_compare ? IM_FINE : im_account_skip(j, "the home server that the physical URL should lead to is not known");
    }
    if (only_physical && home && home->hosts_users) {
        im_say_move(f, home, &j->remedy);
    } else {
        im_say_command("imenable", f, &j->remedy);
    }
    return IM_FIRES;
}
