#include "lib/model/want.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/template.h"

#include <string.h>

#define SCHEME "http://"
#define ALIASES "/instmsg/aliases/"
#define LOCAL "/instmsg/local/"

/* What the helpers below share while one want is built. */
struct building {
    const struct im_account_context *context;
    const struct im_account *account;
    const struct im_request *request;
    const struct im_servers *servers;
    struct im_pool *pool;
    struct im_want *want;
    const char *domain; /* for {domain}, before the address is known */
    struct im_error *e;
};

bool im_alias_is_safe(const char *alias) {
    if (!alias || !*alias)
        return false;
    for (const char *c = alias; *c; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("/#%?@\"<>\\^`{|}", *c))
            return false;
    }
    return true;
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

static const char *host_fault(const char *host, size_t len) {
    if (len == 0)
        return "has no host";
    if (memchr(host, ':', len))
        return "names a port";
    if (!memchr(host, '.', len))
        return "names a host without a domain";
    for (size_t i = 0; i < len; i++) {
        if (!((host[i] >= 'a' && host[i] <= 'z') || (host[i] >= 'A' && host[i] <= 'Z') || (host[i] >= '0' && host[i] <= '9') ||
              host[i] == '-' || host[i] == '.' || host[i] == '_'))
            return "names a host with characters that host names do not have";
    }
    return NULL;
}

bool im_url_is_well_formed(const char *url, enum im_role role, const char **why) {
    const char *fault = NULL;
    const char *host = url + strlen(SCHEME);
    if (strncasecmp(url, SCHEME, strlen(SCHEME)) != 0) {
        *why = "does not begin with http://";
        return false;
    }
    const char *path = host + strcspn(host, "/");
    fault = host_fault(host, (size_t)(path - host));
    if (!fault && role == IM_ROLE_PHYSICAL_URL && strncasecmp(path, LOCAL, strlen(LOCAL)) == 0) {
        const char *domain = path + strlen(LOCAL);
        path = domain + strcspn(domain, "/");
        fault = host_fault(domain, (size_t)(path - domain));
    }
    if (!fault && strncasecmp(path, ALIASES, strlen(ALIASES)) != 0)
        fault = "has not the path /instmsg/aliases/";
    if (!fault) {
        const char *alias = path + strlen(ALIASES);
        size_t len = without_slash(alias);
        if (len == 0) {
            fault = "has no alias";
        } else if (memchr(alias, '/', len)) {
            fault = "has something behind the alias";
        }
    }
    if (fault)
        *why = fault;
    return fault == NULL;
}

/* ---- building ---- */

/* The left side of an address, or NULL. */
static const char *local_part(const struct building *b, const char *address) {
    const char *at = address ? strchr(address, '@') : NULL;
    return at && at != address ? im_pool_strndup(b->pool, address, (size_t)(at - address)) : NULL;
}

static const char *lookup(void *user, const char *variable) {
    const struct building *b = user;
    const struct im_account *a = b->account;
    const struct im_want *w = b->want;
    if (strncmp(variable, "attr:", 5) == 0)
        return im_entry_string(a->entry, variable + 5);
    if (strcmp(variable, "mail-local") == 0)
        return local_part(b, a->mail);
    if (strcmp(variable, "upn-local") == 0)
        return local_part(b, a->upn);
    const struct {
        const char *name, *value;
    } rows[] = {
        {"alias", a->alias},         {"account", a->name},        {"given", a->given},     {"sn", a->sn},
        {"domain", b->domain},       {"home-host", w->home_host}, {"address", w->address}, {"im-alias", w->im_alias},
        {"im-domain", w->im_domain}, {"home-dn", w->home_dn},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, variable) == 0)
            return rows[i].value;
    }
    return NULL;
}

/* *out is NULL where a variable has no value; why is then in want->cannot_build. */
static enum im_err expand(struct building *b, const char *template, enum im_template_context context, const char **out) {
    struct im_buf text = IM_BUF_INIT;
    struct im_error inner = {.code = IM_OK};
    enum im_err err = im_template_expand(template, context, lookup, b, &text, &inner);
    *out = NULL;
    if (err == IM_OK) {
        *out = im_pool_strdup(b->pool, im_buf_str(&text));
    } else if (err == IM_E_INPUT && !b->want->cannot_build) {
        b->want->cannot_build = im_pool_strdup(b->pool, inner.text);
    }
    im_buf_free(&text);
    if (err == IM_E_NOMEM || (err == IM_OK && !*out) || (err == IM_E_INPUT && !b->want->cannot_build))
        return im_error_nomem(b->e);
    return err == IM_E_INPUT ? IM_OK : err == IM_OK ? IM_OK : im_error_set(b->e, err, "%s", inner.text);
}

/* The account's home, where it is one that still works. */
static const struct im_server *live_home(const struct building *b) {
    const struct im_server *home = b->account->home_is_deleted ? NULL : im_servers_by_dn(b->servers, b->account->home);
    return home && home->hosts_users ? home : NULL;
}

/* The IM domain of the account's address, where the address can be kept. */
static const char *kept_domain(const struct building *b) {
    const char *at = b->account->address ? strchr(b->account->address, '@') : NULL;
    if (!at || !im_servers_know_domain(b->servers, at + 1))
        return NULL;
    const char *alias = local_part(b, b->account->address);
    return im_alias_is_safe(alias) ? at + 1 : NULL;
}

/* What is asked for or kept decides first; defaults fill what is left, each knowing what is decided. */
static enum im_err choose_home_and_domain(struct building *b) {
    const struct im_request *r = b->request;
    const struct im_server *home = r->home ? r->home : live_home(b);
    const char *kept = kept_domain(b);
    b->domain = r->domain ? r->domain : kept;
    enum im_err err = IM_OK;
    if (!b->domain && home)
        err = im_servers_default_domain(b->servers, r->default_domain, home, &b->domain, b->e);
    if (err == IM_OK && (!home || (r->home_auto && !live_home(b)))) {
        err = im_servers_default_home(b->servers, r->home_auto ? "auto" : r->default_home,
                                      b->domain ? b->domain : r->default_domain, &home, b->e);
    }
    if (err == IM_OK && !b->domain)
        err = im_servers_default_domain(b->servers, r->default_domain, home, &b->domain, b->e);
    if (err != IM_OK)
        return err;
    b->want->home = home;
    b->want->home_dn = home->dn;
    b->want->home_host = home->host;
    return IM_OK;
}

static enum im_err choose_address(struct building *b) {
    const struct im_request *r = b->request;
    struct im_want *w = b->want;
    const char *kept = r->address ? NULL : kept_domain(b);
    if (kept && im_text_equal(kept, b->domain)) {
        w->address = b->account->address;
        return IM_OK;
    }
    if (kept) { /* --domain moves the address to another domain and keeps its left side */
        w->address = im_pool_printf(b->pool, "%s@%s", local_part(b, b->account->address), b->domain);
        return w->address ? IM_OK : im_error_nomem(b->e);
    }
    const char *template = r->address           ? r->address
                           : r->default_address ? r->default_address
                                                : b->context->profile->address_template;
    return expand(b, template, IM_TEMPLATE_PLAIN, &w->address);
}

static enum im_err split_address(struct building *b) {
    struct im_want *w = b->want;
    const char *at = w->address ? strrchr(w->address, '@') : NULL;
    if (!w->address)
        return IM_OK;
    if (!at || at == w->address || !at[1]) {
        w->cannot_build = im_pool_printf(b->pool, "the address \"%s\" has not the form name@domain", w->address);
        w->address = NULL;
        return w->cannot_build ? IM_OK : im_error_nomem(b->e);
    }
    w->im_alias = im_pool_strndup(b->pool, w->address, (size_t)(at - w->address));
    w->im_domain = at + 1;
    return w->im_alias ? IM_OK : im_error_nomem(b->e);
}

static enum im_template_context context_of(enum im_role role) {
    return role == IM_ROLE_LOGICAL_URL || role == IM_ROLE_PHYSICAL_URL ? IM_TEMPLATE_URL : IM_TEMPLATE_PLAIN;
}

static enum im_err build_values(struct building *b) {
    const struct im_profile *p = b->context->profile;
    struct im_want *w = b->want;
    const char **values = im_pool_array(b->pool, p->attr_count, sizeof *values);
    if (!values)
        return im_error_nomem(b->e);
    w->values = values;
    for (size_t i = 0; w->address && i < p->attr_count; i++) {
        if (!p->attrs[i].enabled)
            continue;
        enum im_err err = expand(b, p->attrs[i].enabled, context_of(p->attrs[i].role), &values[i]);
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

enum im_err im_want_build(const struct im_account_context *context, const struct im_account *account,
                          const struct im_request *request, const struct im_servers *servers, struct im_pool *pool,
                          struct im_want *out, struct im_error *e) {
    struct im_want want = {.enabled = request->action == IM_ENABLE};
    struct building b = {
        .context = context, .account = account, .request = request, .servers = servers, .pool = pool, .want = &want, .e = e};
    enum im_err err = IM_OK;
    if (want.enabled)
        err = choose_home_and_domain(&b);
    if (err == IM_OK && want.enabled)
        err = choose_address(&b);
    if (err == IM_OK && want.enabled)
        err = split_address(&b);
    if (err == IM_OK)
        err = build_values(&b);
    if (err == IM_OK)
        *out = want;
    return err;
}
