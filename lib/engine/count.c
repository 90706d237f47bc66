#include "lib/engine/count.h"

#include "lib/base/set.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"

#include <stdlib.h>
#include <string.h>

/* Homes are written in several ways, of which few occur: each spelling is parsed once. */
struct im_counter {
    struct im_pool *pool;
    struct im_set *server_names; /* DNs, normalised */
    struct {
        const struct im_server **items; /* whose names these are */
        size_t count, cap;
    } server_of;
    struct im_set *spellings; /* of homes */
    struct im_set *homes;     /* normalised; their numbers are those of the census */
    struct im_set *im_domains, *mail_domains;
    struct {
        size_t *items; /* home of each spelling */
        size_t count, cap;
    } home_of;
    struct {
        struct im_census_home *items;
        size_t count, cap;
    } home_list;
    struct domain_list {
        struct im_census_domain *items;
        size_t count, cap;
    } im_list, mail_list;
    struct im_census census;
};

/* What cannot be parsed is compared as it is. */
static enum im_err normalize(const char *dn, struct im_buf *out, struct im_error *e) {
    if (!im_dn_normalize(dn, out) && !out->failed) {
        im_buf_clear(out);
        im_buf_adds(out, dn);
    }
    return out->failed ? im_error_nomem(e) : IM_OK;
}

static enum im_err learn_server(struct im_counter *c, const struct im_server *server, struct im_error *e) {
    struct im_buf normal = IM_BUF_INIT;
    bool is_new = false;
    enum im_err err = normalize(server->dn, &normal, e);
    if (err == IM_OK)
        err = im_set_add(c->server_names, im_buf_str(&normal), normal.len, NULL, &is_new, e);
    im_buf_free(&normal);
    const struct im_server **place = is_new ? im_vec_push(&c->server_of) : NULL;
    if (err == IM_OK && is_new && !place)
        return im_error_nomem(e);
    if (place)
        *place = server;
    return err;
}

struct im_counter *im_counter_new(const struct im_servers *servers) {
    struct im_counter *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->pool = im_pool_new();
    c->server_names = im_set_new();
    c->spellings = im_set_new();
    c->homes = im_set_new();
    c->im_domains = im_set_new();
    c->mail_domains = im_set_new();
    bool is_whole = c->pool && c->server_names && c->spellings && c->homes && c->im_domains && c->mail_domains;
    for (size_t i = 0; is_whole && i < servers->count; i++)
        is_whole = !servers->items[i].dn || learn_server(c, &servers->items[i], NULL) == IM_OK;
    if (!is_whole)
        im_counter_free(&c);
    return c;
}

void im_counter_free(struct im_counter **counter) {
    struct im_counter *c = counter ? *counter : NULL;
    if (!c)
        return;
    im_set_free(&c->server_names);
    im_vec_free(&c->server_of);
    im_set_free(&c->spellings);
    im_set_free(&c->homes);
    im_set_free(&c->im_domains);
    im_set_free(&c->mail_domains);
    im_vec_free(&c->home_of);
    im_vec_free(&c->home_list);
    im_vec_free(&c->im_list);
    im_vec_free(&c->mail_list);
    im_pool_free(&c->pool);
    free(c);
    *counter = NULL;
}

struct im_census *im_counter_census(struct im_counter *c) {
    c->census.homes = c->home_list.items;
    c->census.home_count = c->home_list.count;
    c->census.im_domains = c->im_list.items;
    c->census.im_domain_count = c->im_list.count;
    c->census.mail_domains = c->mail_list.items;
    c->census.mail_domain_count = c->mail_list.count;
    return &c->census;
}

/* ---- homes ---- */

/* "imhome1.corp.example" of "http://imhome1.corp.example/instmsg/..."; NULL: there is none. */
static const char *host_of(struct im_counter *c, const char *url) {
    const char *host = url ? strstr(url, "://") : NULL;
    if (!host)
        return NULL;
    host += 3;
    return im_pool_strndup(c->pool, host, strcspn(host, "/?#"));
}

static enum im_err add_home(struct im_counter *c, const struct im_account *a, const struct im_buf *normal, struct im_error *e) {
    size_t known;
    bool is_known = im_set_find(c->server_names, normal->data, normal->len, &known);
    const struct im_server *server = is_known ? c->server_of.items[known] : NULL;
    struct im_census_home *home = im_vec_push(&c->home_list);
    if (!home)
        return im_error_nomem(e);
    home->dn = im_pool_strdup(c->pool, a->home);
    home->host = host_of(c, a->physical_url);
    home->server = server;
    home->target = im_dn_is_deleted(a->home)    ? IM_TARGET_DELETED
                   : !server || server->is_gone ? IM_TARGET_UNKNOWN
                   : server->hosts_users        ? IM_TARGET_HOST
                                                : IM_TARGET_NO_HOST;
    return home->dn ? IM_OK : im_error_nomem(e);
}

static enum im_err meet_spelling(struct im_counter *c, const struct im_account *a, struct im_error *e) {
    struct im_buf normal = IM_BUF_INIT;
    size_t *place = im_vec_push(&c->home_of);
    size_t number = 0;
    bool is_new = false;
    if (!place)
        return im_error_nomem(e);
    enum im_err err = normalize(a->home, &normal, e);
    if (err == IM_OK)
        err = im_set_add(c->homes, im_buf_str(&normal), normal.len, &number, &is_new, e);
    if (err == IM_OK && is_new)
        err = add_home(c, a, &normal, e);
    if (err == IM_OK)
        *place = number;
    im_buf_free(&normal);
    return err;
}

static enum im_err count_home(struct im_counter *c, const struct im_account *a, size_t *home, struct im_error *e) {
    size_t spelling;
    bool is_new;
    *home = SIZE_MAX;
    if (!a->home)
        return IM_OK;
    enum im_err err = im_set_add(c->spellings, a->home, strlen(a->home), &spelling, &is_new, e);
    if (err == IM_OK && is_new)
        err = meet_spelling(c, a, e);
    if (err != IM_OK)
        return err;
    *home = c->home_of.items[spelling];
    struct im_census_home *record = &c->home_list.items[*home];
    record->users++;
    if (!record->host && a->physical_url)
        record->host = host_of(c, a->physical_url);
    return IM_OK;
}

size_t im_counter_home(const struct im_counter *c, const struct im_account *a) {
    size_t spelling;
    if (!a->home || !im_set_find(c->spellings, a->home, strlen(a->home), &spelling))
        return SIZE_MAX;
    return c->home_of.items[spelling];
}

/* ---- domains ---- */

static enum im_err count_domain(struct im_set *set, struct domain_list *list, const char *address, const char **is_new_one,
                                struct im_error *e) {
    enum { LONGEST = 255 }; /* RFC 1035 section 2.3.4; what is longer is no domain */
    const char *domain = address ? strrchr(address, '@') : NULL;
    char lower[LONGEST + 1];
    size_t len = domain ? strlen(domain + 1) : 0;
    size_t number;
    bool is_new;
    if (!len || len > LONGEST)
        return IM_OK;
    im_text_lower(domain + 1, len, lower);
    enum im_err err = im_set_add(set, lower, len, &number, &is_new, e);
    if (err != IM_OK)
        return err;
    if (is_new) {
        struct im_census_domain *record = im_vec_push(list);
        if (!record)
            return im_error_nomem(e);
        record->name = im_set_text(set, number);
        if (is_new_one)
            *is_new_one = record->name;
    }
    list->items[number].users++;
    return IM_OK;
}

enum im_err im_counter_add(struct im_counter *c, const struct im_account *a, size_t *home, const char **new_mail_domain,
                           struct im_error *e) {
    *new_mail_domain = NULL;
    *home = SIZE_MAX;
    c->census.accounts++;
    if (!a->im_count)
        return IM_OK;
    c->census.enabled++;
    enum im_err err = count_home(c, a, home, e);
    if (err == IM_OK)
        err = count_domain(c->im_domains, &c->im_list, a->address, NULL, e);
    return err == IM_OK ? count_domain(c->mail_domains, &c->mail_list, a->mail, new_mail_domain, e) : err;
}
