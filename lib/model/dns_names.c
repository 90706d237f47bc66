#include "lib/model/dns_names.h"

#include "lib/base/set.h"
#include "lib/base/text.h"
#include "lib/data/hostname.h"

#include <string.h>

bool im_strings_have(const struct im_strings *strings, const char *text) {
    for (size_t i = 0; i < strings->count; i++) {
        if (im_text_equal(strings->items[i], text))
            return true;
    }
    return false;
}

static enum im_err add_name(struct im_set *set, const char *name, struct im_error *e) {
    char ascii[IM_HOSTNAME_SIZE];
    const char *kept = im_hostname_ascii(name, ascii) ? ascii : name;
    return *kept ? im_set_add(set, kept, strlen(kept), NULL, NULL, e) : IM_OK;
}

/* false: no name of which DNS could know, and no name that is only misspelt. */
static bool is_dotted_name(const char *text, char host[IM_HOSTNAME_SIZE]) {
    uint16_t port;
    return text && im_hostname_split(text, host, &port) && !im_hostname_is_address(host) && strchr(host, '.');
}

static enum im_err add_domains(struct im_set *set, const struct im_census_domain *domains, size_t count, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = add_name(set, domains[i].name, e);
    return err;
}

static enum im_err add_server(struct im_set *domains, struct im_set *hosts, const struct im_server *server, struct im_error *e) {
    char host[IM_HOSTNAME_SIZE];
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < server->domains.count; i++)
        err = add_name(domains, server->domains.items[i], e);
    if (err != IM_OK || !is_dotted_name(server->host, host))
        return err;
    err = add_name(hosts, host, e);
    bool is_im_domain = !server->hosts_users && !server->domains.count;
    return err == IM_OK && is_im_domain ? add_name(domains, host, e) : err;
}

static enum im_err take(const struct im_set *set, struct im_pool *pool, struct im_strings *out, struct im_error *e) {
    size_t count = im_set_count(set);
    const char **items = im_pool_array(pool, count, sizeof *items);
    if (!items)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        items[i] = im_pool_strdup(pool, im_set_text(set, i));
        if (!items[i])
            return im_error_nomem(e);
    }
    *out = (struct im_strings){items, count};
    return IM_OK;
}

static enum im_err collect(const struct im_census *census, const struct im_servers *servers, struct im_set *const sets[3],
                           struct im_error *e) {
    enum im_err err = IM_OK;
    if (census)
        err = add_domains(sets[0], census->mail_domains, census->mail_domain_count, e);
    if (census && err == IM_OK)
        err = add_domains(sets[1], census->im_domains, census->im_domain_count, e);
    for (size_t i = 0; servers && err == IM_OK && i < servers->count; i++)
        err = add_server(sets[1], sets[2], &servers->items[i], e);
    return err;
}

enum im_err im_dns_names(const struct im_census *census, const struct im_servers *servers, struct im_pool *pool,
                         struct im_dns_names *out, struct im_error *e) {
    struct im_set *sets[] = {im_set_new(), im_set_new(), im_set_new()};
    struct im_strings *lists[] = {&out->mail_domains, &out->im_domains, &out->hosts};
    enum im_err err = sets[0] && sets[1] && sets[2] ? collect(census, servers, sets, e) : im_error_nomem(e);
    for (size_t i = 0; i < 3; i++) {
        if (err == IM_OK)
            err = take(sets[i], pool, lists[i], e);
        im_set_free(&sets[i]);
    }
    return err;
}
