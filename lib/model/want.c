#include "lib/model/want_build.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/template.h"
#include "lib/model/url.h"

#include <string.h>

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool alias_is_safe(const char *alias, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)alias[i];
        if (!is_plain(alias[i]) && (c <= 0x20 || c >= 0x7f || strchr("/#%?@\"<>\\^`{|}", c)))
            return false;
    }
    return len > 0;
}

bool im_alias_is_safe(const char *alias) {
    return alias && alias_is_safe(alias, strlen(alias));
}

static size_t without_slash(const char *url) {
    size_t len = strlen(url);
    return len && url[len - 1] == '/' ? len - 1 : len;
}

bool im_role_equal(enum im_role role, const char *a, const char *b) {
    if (!a || !b)
        return a == b;
    switch (role) {
    case IM_ROLE_LOGICAL_URL:
    case IM_ROLE_PHYSICAL_URL:
        return im_text_equal_n(a, without_slash(a), b, without_slash(b));
    case IM_ROLE_HOME:
        return im_dn_equal(a, b);
    case IM_ROLE_ADDRESS:
        return im_text_equal(a, b);
    default:
        return strcmp(a, b) == 0;
    }
}

bool im_home_equal(const char *a, const char *b, bool *failed) {
    struct im_buf first = IM_BUF_INIT;
    struct im_buf second = IM_BUF_INIT;
    if (a && b && strcmp(a, b) == 0 && im_dn_is_valid(a))
        return true;
    bool are_dns = im_dn_normalize(a, &first) && im_dn_normalize(b, &second);
    bool is_equal = are_dns && strcmp(im_buf_str(&first), im_buf_str(&second)) == 0;
    *failed = *failed || first.failed || second.failed;
    im_buf_free(&first);
    im_buf_free(&second);
    return is_equal;
}

/* ---- building ---- */

enum im_err im_building_cannot(struct im_building *b, const char *reason) {
    if (!b->want->cannot_build)
        b->want->cannot_build = im_pool_strdup(b->pool, reason);
    return b->want->cannot_build ? IM_OK : im_error_nomem(b->e);
}

/* The left side of an address, or NULL. */
static const char *local_part(struct im_building *b, const char *address) {
    const char *at = address ? strchr(address, '@') : NULL;
    if (!at || at == address)
        return NULL;
    const char *local = im_pool_strndup(b->pool, address, (size_t)(at - address));
    b->failed = b->failed || !local;
    return local;
}

/* Lengths first: nine times for each account a name is looked for here. */
#define IS(text) (len == sizeof(text) - 1 && memcmp(variable, text, sizeof(text) - 1) == 0)

static const char *value_of_account(struct im_building *b, const char *variable, size_t len) {
    static const char prefix[] = "attr:";
    const struct im_account *a = b->account;
    if (IS("alias"))
        return a->alias;
    if (IS("account"))
        return a->name;
    if (IS("given"))
        return a->given;
    if (IS("sn"))
        return a->sn;
    if (IS("mail-local"))
        return local_part(b, a->mail);
    if (IS("upn-local"))
        return local_part(b, a->upn);
    return strncmp(variable, prefix, strlen(prefix)) == 0 ? im_entry_string(a->entry, variable + strlen(prefix)) : NULL;
}

static const char *lookup(void *user, const char *variable) {
    struct im_building *b = user;
    const struct im_want *w = b->want;
    size_t len = strlen(variable);
    if (IS("im-alias"))
        return w->im_alias;
    if (IS("im-domain"))
        return w->im_domain;
    if (IS("domain"))
        return b->domain;
    if (IS("address"))
        return w->address;
    if (IS("home-host"))
        return w->home_host;
    if (IS("home-dn"))
        return w->home_dn;
    return value_of_account(b, variable, len);
}

#undef IS

enum im_err im_building_expand(struct im_building *b, const char *template, enum im_template_context context, const char **out) {
    im_buf_clear(&b->text);
    enum im_err err = im_template_expand(template, context, lookup, b, &b->text, &b->inner);
    *out = NULL;
    if (b->failed) {
        err = im_error_nomem(b->e);
    } else if (err == IM_OK) {
        *out = im_pool_strndup(b->pool, im_buf_str(&b->text), b->text.len);
        err = *out ? IM_OK : im_error_nomem(b->e);
    } else if (err == IM_E_INPUT) {
        err = im_building_cannot(b, b->inner.text);
    } else {
        im_error_set(b->e, err, "%s", b->inner.text);
    }
    if (b->inner.code != IM_OK)
        im_error_clear(&b->inner);
    return err;
}

void im_building_end(struct im_building *b) {
    im_buf_free(&b->text);
}

const struct im_server *im_building_live_home(struct im_building *b) {
    const struct im_server *server = im_servers_at(b->servers, b->account->home, &b->failed); /* of a deleted one: none */
    return server && server->hosts_users && !server->is_gone ? server : NULL;
}

/* The IM domain of the account's address, where the address can be kept; else NULL. */
static const char *kept_domain(const struct im_building *b) {
    const char *address = b->account->address;
    const char *at = address ? strchr(address, '@') : NULL;
    bool is_valid = at && alias_is_safe(address, (size_t)(at - address)) && im_servers_know_domain(b->servers, at + 1);
    return is_valid ? at + 1 : NULL;
}

static const char *address_template(const struct im_building *b) {
    const struct im_request *r = b->request;
    if (r->address)
        return r->address;
    return r->default_address ? r->default_address : b->context->profile->address_template;
}

static enum im_err choose_home_and_domain(struct im_building *b) {
    const struct im_request *r = b->request;
    const struct im_server *home = r->home ? r->home : im_building_live_home(b);
    b->kept = kept_domain(b);
    b->domain = r->domain ? r->domain : b->kept;
    bool needs_domain = !b->domain && im_template_uses(address_template(b), "domain");
    enum im_err err = IM_OK;
    if (!home) {
        const char *domain = b->domain ? b->domain : needs_domain ? r->default_domain : NULL;
        err = im_servers_default_home(b->servers, r->home_auto ? "auto" : r->default_home, domain, &home, b->e);
    }
    if (err == IM_OK && needs_domain)
        err = im_servers_default_domain(b->servers, r->default_domain, home, &b->domain, b->e);
    if (err != IM_OK)
        return err;
    b->want->home = home;
    b->want->home_dn = home->dn;
    b->want->home_host = home->host;
    return IM_OK;
}

static enum im_err choose_address(struct im_building *b) {
    struct im_want *w = b->want;
    const char *address = b->account->address;
    const char *kept = b->request->address ? NULL : b->kept;
    if (!kept)
        return im_building_expand(b, address_template(b), IM_TEMPLATE_PLAIN, &w->address);
    w->address = address;
    if (!im_text_equal(kept, b->domain)) /* --domain moves the address and keeps its left side */
        w->address = im_pool_printf(b->pool, "%.*s@%s", (int)(kept - 1 - address), address, b->domain);
    return w->address ? IM_OK : im_error_nomem(b->e);
}

/* What no attribute could hold, or nobody asked for; NULL: fine. */
static const char *address_fault(const struct im_building *b, const char *at) {
    const char *address = b->want->address;
    if (!at || at == address || !at[1])
        return "has not the form name@domain";
    for (const char *c = address; *c; c++) {
        if ((unsigned char)*c >= 0x7f || (unsigned char)*c < 0x20)
            return "has a character that addresses cannot have: only plain ASCII can be stored";
    }
    if (b->request->domain && !im_text_equal(b->request->domain, at + 1))
        return "is not in the IM domain that was asked for";
    return NULL;
}

static enum im_err split_address(struct im_building *b) {
    struct im_want *w = b->want;
    if (!w->address)
        return IM_OK;
    const char *at = strrchr(w->address, '@');
    const char *fault = address_fault(b, at);
    if (fault) {
        const char *reason = im_pool_printf(b->pool, "the address \"%s\" %s", w->address, fault);
        w->address = NULL;
        return reason ? im_building_cannot(b, reason) : im_error_nomem(b->e);
    }
    w->im_alias = im_pool_strndup(b->pool, w->address, (size_t)(at - w->address));
    w->im_domain = at + 1;
    b->domain = w->im_domain; /* {domain} of the attributes' templates */
    return w->im_alias ? IM_OK : im_error_nomem(b->e);
}

enum im_template_context im_building_context(const struct im_profile_attr *attr) {
    switch (attr->role) {
    case IM_ROLE_LOGICAL_URL:
    case IM_ROLE_PHYSICAL_URL:
        return IM_TEMPLATE_URL;
    case IM_ROLE_HOME: /* a DN as it is, or one that is put together from values */
        return im_template_uses(attr->enabled, "home-dn") ? IM_TEMPLATE_PLAIN : IM_TEMPLATE_DN;
    default:
        return IM_TEMPLATE_PLAIN;
    }
}

static enum im_err build_values(struct im_building *b) {
    const struct im_profile *p = b->context->profile;
    struct im_want *w = b->want;
    const char **values = im_pool_array(b->pool, p->attr_count, sizeof *values);
    if (!values)
        return im_error_nomem(b->e);
    w->values = values;
    for (size_t i = 0; w->address && i < p->attr_count; i++) {
        if (!p->attrs[i].enabled)
            continue;
        enum im_err err = im_building_expand(b, p->attrs[i].enabled, im_building_context(&p->attrs[i]), &values[i]);
        if (err != IM_OK)
            return err;
        if (p->attrs[i].role == IM_ROLE_LOGICAL_URL) {
            w->logical_url = values[i];
        } else if (p->attrs[i].role == IM_ROLE_PHYSICAL_URL) {
            w->physical_url = values[i];
        }
    }
    return IM_OK;
}

static enum im_err build_all(struct im_building *b) {
    enum im_err err = IM_OK;
    if (b->want->enabled)
        err = choose_home_and_domain(b);
    if (err == IM_OK && b->want->enabled)
        err = choose_address(b);
    if (err == IM_OK && b->want->enabled)
        err = split_address(b);
    return err == IM_OK ? build_values(b) : err;
}

enum im_err im_want_build(const struct im_account_context *context, const struct im_account *account,
                          const struct im_request *request, const struct im_servers *servers, struct im_pool *pool,
                          struct im_want *out, struct im_error *e) {
    struct im_want want = {.enabled = request->action == IM_ENABLE || request->action == IM_PREFLIGHT};
    struct im_building b = {
        .context = context, .account = account, .request = request, .servers = servers, .pool = pool, .want = &want, .e = e};
    enum im_err err = request->suspends            ? im_building_suspend(&b)
                      : request->action == IM_MOVE ? im_building_move(&b)
                                                   : build_all(&b);
    if (err == IM_OK)
        *out = want;
    im_building_end(&b);
    return err;
}
