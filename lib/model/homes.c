#include "lib/model/homes.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/model/url.h"

#include <string.h>

enum im_err im_homes_begin(struct im_homes *homes, struct im_error *e) {
    *homes =
        (struct im_homes){.pool = im_pool_new(), .spellings = im_set_new(), .meanings = im_set_new(), .scratch = IM_BUF_INIT};
    if (homes->pool && homes->spellings && homes->meanings)
        return IM_OK;
    im_homes_free(homes);
    return im_error_nomem(e);
}

void im_homes_free(struct im_homes *homes) {
    im_vec_free(homes);
    im_vec_free(&homes->homes);
    im_set_free(&homes->spellings);
    im_set_free(&homes->meanings);
    im_buf_free(&homes->scratch);
    im_pool_free(&homes->pool);
}

/* ---- counting ---- */

/* Appends one that nobody named before. */
static enum im_err new_home(struct im_homes *homes, const char *dn, const char *guid, struct im_error *e) {
    struct im_home *home = im_vec_push(homes);
    if (!home)
        return im_error_nomem(e);
    *home = (struct im_home){.dn = im_pool_strdup(homes->pool, dn), .guid = im_pool_strdup(homes->pool, guid)};
    return (dn && !home->dn) || (guid && !home->guid) ? im_error_nomem(e) : IM_OK;
}

/* Number of the home that a value means. The GUID says more than a name that may have changed. */
static enum im_err meaning_of_value(struct im_homes *homes, const struct berval *value, size_t *out, struct im_error *e) {
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    struct im_buf key = IM_BUF_INIT;
    bool is_new = false;
    im_home_split(value, &guid, &dn);
    if (guid.len) {
        im_text_fold(guid.data, guid.len, &key);
    } else if (!im_dn_normalize(im_buf_str(&dn), &key) && !key.failed) {
        im_buf_clear(&key);
        im_buf_add(&key, dn.data, dn.len);
    }
    enum im_err err = guid.failed || dn.failed || key.failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK)
        err = im_set_add(homes->meanings, im_buf_str(&key), key.len, out, &is_new, e);
    if (err == IM_OK && is_new)
        err = new_home(homes, im_buf_str(&dn), guid.len ? im_buf_str(&guid) : NULL, e);
    im_buf_free(&guid);
    im_buf_free(&dn);
    im_buf_free(&key);
    return err;
}

/* No DN and no GUID begins with a slash. */
static enum im_err meaning_of_host(struct im_homes *homes, size_t *out, struct im_error *e) {
    bool is_new = false;
    enum im_err err = im_set_add(homes->meanings, homes->scratch.data, homes->scratch.len, out, &is_new, e);
    return err == IM_OK && is_new ? new_home(homes, NULL, NULL, e) : err;
}

/* The home that the spelling in scratch means; most were met before. */
static enum im_err find_home(struct im_homes *homes, const struct berval *value, size_t *out, struct im_error *e) {
    size_t number;
    bool is_new;
    enum im_err err = homes->scratch.failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK)
        err = im_set_add(homes->spellings, homes->scratch.data, homes->scratch.len, &number, &is_new, e);
    if (err != IM_OK)
        return err;
    if (!is_new) {
        *out = homes->homes.items[number];
        return IM_OK;
    }
    size_t *meaning = im_vec_push(&homes->homes);
    if (!meaning)
        return im_error_nomem(e);
    err = value ? meaning_of_value(homes, value, meaning, e) : meaning_of_host(homes, meaning, e);
    *out = *meaning;
    return err;
}

static enum im_err note_host(struct im_homes *homes, struct im_home *home, const struct im_url *url, struct im_error *e) {
    if (home->host || !url->host_len)
        return IM_OK;
    home->host = im_pool_strndup(homes->pool, url->host, url->host_len);
    return home->host ? IM_OK : im_error_nomem(e);
}

enum im_err im_homes_of(struct im_homes *homes, const struct im_profile *profile, const struct im_entry *entry,
                        struct im_home **out, struct im_error *e) {
    const struct im_profile_attr *home = im_profile_role(profile, IM_ROLE_HOME);
    const struct im_profile_attr *physical = im_profile_role(profile, IM_ROLE_PHYSICAL_URL);
    const struct berval *value = home ? im_entry_value(entry, home->name) : NULL;
    const char *url = physical ? im_entry_string(entry, physical->name) : NULL;
    struct im_url parts = {.host_len = 0};
    size_t number = 0;
    *out = NULL;
    if (url)
        im_url_split(url, IM_ROLE_PHYSICAL_URL, &parts);
    if (!value && !parts.host_len)
        return IM_OK;
    im_buf_clear(&homes->scratch);
    if (value) {
        im_buf_add(&homes->scratch, value->bv_val, value->bv_len);
    } else {
        im_buf_addc(&homes->scratch, '/');
        im_text_fold(parts.host, parts.host_len, &homes->scratch);
    }
    enum im_err err = find_home(homes, value, &number, e);
    if (err == IM_OK)
        *out = &homes->items[number];
    return err == IM_OK ? note_host(homes, *out, &parts, e) : err;
}

enum im_err im_homes_add(struct im_homes *homes, const struct im_profile *profile, const struct im_entry *entry,
                         struct im_error *e) {
    struct im_home *home;
    enum im_err err = im_homes_of(homes, profile, entry, &home, e);
    if (err == IM_OK && home)
        home->users++;
    return err;
}

/* ---- names ---- */

/* Of a deleted object only a part of the name is left, and seldom one that says something: "1". */
static const char *name_of_deleted(const struct im_home *home, struct im_pool *pool) {
    struct im_buf name = IM_BUF_INIT;
    if (home->host)
        return home->host;
    const char *cut = im_dn_first_value(home->dn, &name) ? im_pool_strndup(pool, name.data, strcspn(name.data, "\n")) : home->dn;
    bool failed = name.failed;
    im_buf_free(&name);
    return failed ? NULL : cut;
}

static const char *name_of(const struct im_home *home, struct im_pool *pool) {
    if (!home->dn)
        return home->host;
    if (im_dn_is_deleted(home->dn))
        return name_of_deleted(home, pool);
    return im_dn_is_valid(home->dn) ? im_server_name_of_dn(home->dn, pool) : home->dn;
}

static struct im_server *server_of(const struct im_home *home, struct im_servers *servers, bool *failed) {
    const struct im_server *found = im_servers_at(servers, home->dn, failed);
    return found ? &servers->items[found - servers->items] : NULL;
}

enum im_err im_homes_settle(struct im_homes *homes, struct im_servers *servers, struct im_error *e) {
    for (size_t i = 0; i < servers->count; i++) {
        struct im_server *server = &servers->items[i];
        server->users = server->dn && (server->hosts_users || server->is_gone) ? 0 : -1;
    }
    for (size_t i = 0; i < homes->count; i++) {
        struct im_home *home = &homes->items[i];
        bool failed = false;
        struct im_server *server = server_of(home, servers, &failed);
        if (failed)
            return im_error_nomem(e);
        home->server = server;
        home->name = server ? server->name : name_of(home, homes->pool);
        if (!home->name)
            return im_error_nomem(e);
        if (!server)
            continue;
        home->target = server->is_gone ? IM_TARGET_MISSING : server->hosts_users ? IM_TARGET_HOST : IM_TARGET_NO_HOST;
        server->users = (server->users > 0 ? server->users : 0) + (long)home->users;
    }
    return IM_OK;
}

/* ---- who is meant ---- */

static enum im_err add_text(struct im_strings *list, const char *text, struct im_pool *pool, struct im_error *e) {
    const char **more = im_pool_array(pool, list->count + 1, sizeof *more);
    if (!more || !text)
        return im_error_nomem(e);
    if (list->count)
        memcpy(more, list->items, list->count * sizeof *more);
    more[list->count++] = text;
    list->items = more;
    return IM_OK;
}

static enum im_err add_dn(struct im_home_match *match, const char *dn, struct im_pool *pool, struct im_error *e) {
    struct im_buf normal = IM_BUF_INIT;
    bool is_dn = im_dn_normalize(dn, &normal);
    enum im_err err = normal.failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK && is_dn)
        err = add_text(&match->dns, im_pool_strdup(pool, im_buf_str(&normal)), pool, e);
    im_buf_free(&normal);
    return err;
}

enum im_err im_homes_match_server(const struct im_server *server, struct im_pool *pool, struct im_home_match *out,
                                  struct im_error *e) {
    struct im_home_match match = {.name = server->name, .host = server->host};
    enum im_err err = server->dn ? add_dn(&match, server->dn, pool, e) : IM_OK;
    if (err == IM_OK)
        *out = match;
    return err;
}

/* A GUID, alone or as <GUID=...>, as it is compared; *out NULL: it is none. */
static enum im_err read_guid(const char *spec, struct im_pool *pool, const char **out, struct im_error *e) {
    static const char begin[] = "<GUID=";
    unsigned char octets[IM_GUID_BYTES_SIZE];
    struct berval value = {.bv_len = sizeof octets, .bv_val = (char *)octets};
    char plain[IM_GUID_TEXT_SIZE];
    size_t len = strlen(spec);
    bool is_extended = strncasecmp(spec, begin, strlen(begin)) == 0 && spec[len - 1] == '>';
    const char *text = is_extended ? im_pool_strndup(pool, spec + strlen(begin), len - strlen(begin) - 1) : spec;
    bool is_guid = text && im_guid_from_text(text, octets) && im_guid_to_text(&value, plain);
    *out = is_guid ? im_pool_strdup(pool, plain) : NULL;
    return !text || (is_guid && !*out) ? im_error_nomem(e) : IM_OK;
}

static bool is_named(const struct im_home *home, const char *spec) {
    return im_text_equal(home->name, spec) || im_text_equal(home->host, spec);
}

static void list_home(const struct im_home *home, struct im_buf *list) {
    im_buf_addf(list, "%s%s", list->len ? "; " : "", home->name);
    if (home->dn && strcmp(home->dn, home->name) != 0)
        im_buf_addf(list, " (%s)", home->dn);
}

static enum im_err complain(const struct im_homes *homes, const struct im_servers *servers, const char *spec, bool is_ambiguous,
                            struct im_error *e) {
    struct im_buf list = IM_BUF_INIT;
    for (size_t i = 0; i < servers->count && !is_ambiguous; i++)
        im_buf_addf(&list, "%s%s", list.len ? "; " : "", servers->items[i].name);
    for (size_t i = 0; i < homes->count; i++) {
        if (!homes->items[i].server && (!is_ambiguous || is_named(&homes->items[i], spec)))
            list_home(&homes->items[i], &list);
    }
    if (is_ambiguous) {
        im_error_set(e, IM_E_USAGE, "people name several homes \"%s\" that are gone: name one by its DN: %s", spec,
                     im_buf_str(&list));
    } else {
        im_error_set(e, IM_E_USAGE, "there is no server \"%s\", and nobody is homed on one of that name; there are %s", spec,
                     list.len ? im_buf_str(&list) : "none");
    }
    im_buf_free(&list);
    return IM_E_USAGE;
}

/* Several values with one name are one server where their people's URLs say so, or say nothing. */
static bool is_other_host(const struct im_home_match *match, const struct im_home *home) {
    return match->host && home->host && !im_text_equal(match->host, home->host);
}

/* The homes that are gone and have this name. */
static enum im_err match_gone(const struct im_homes *homes, const struct im_servers *servers, const char *spec,
                              struct im_pool *pool, struct im_home_match *match, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < homes->count; i++) {
        const struct im_home *home = &homes->items[i];
        if (home->server || !is_named(home, spec))
            continue;
        if (is_other_host(match, home))
            return complain(homes, servers, spec, true, e);
        match->name = match->name ? match->name : home->name;
        match->host = match->host ? match->host : home->host;
        if (home->guid)
            err = add_text(&match->guids, home->guid, pool, e);
        if (err == IM_OK && home->dn)
            err = add_dn(match, home->dn, pool, e);
    }
    return err;
}

static bool is_server(const struct im_servers *servers, const char *spec) {
    for (size_t i = 0; i < servers->count; i++) {
        if (im_server_is_named(&servers->items[i], spec))
            return true;
    }
    return false;
}

/* A live server is meant as it is. Where its object is gone, the directory may show what people name in another way. */
static enum im_err match_known(const struct im_homes *homes, const struct im_servers *servers, const char *spec,
                               struct im_pool *pool, struct im_home_match *match, const struct im_server **server,
                               struct im_error *e) {
    enum im_err err = im_servers_find(servers, spec, server, e);
    if (err == IM_OK)
        err = im_homes_match_server(*server, pool, match, e);
    if (err == IM_OK && (*server)->is_gone)
        err = match_gone(homes, servers, (*server)->host ? (*server)->host : (*server)->name, pool, match, e);
    if (err == IM_OK && (*server)->is_gone)
        *server = NULL;
    return err;
}

enum im_err im_homes_find(const struct im_homes *homes, const struct im_servers *servers, const char *spec, struct im_pool *pool,
                          struct im_home_match *out, const struct im_server **server, struct im_error *e) {
    struct im_home_match match = {.name = NULL};
    const char *guid = NULL;
    enum im_err err = read_guid(spec, pool, &guid, e);
    *server = NULL;
    if (err != IM_OK)
        return err;
    if (is_server(servers, spec)) {
        err = match_known(homes, servers, spec, pool, &match, server, e);
    } else if (guid) {
        match.name = spec;
        err = add_text(&match.guids, guid, pool, e);
    } else if (strchr(spec, '=') && im_dn_is_valid(spec)) {
        match.name = spec;
        err = add_dn(&match, spec, pool, e);
    } else {
        err = match_gone(homes, servers, spec, pool, &match, e);
    }
    if (err == IM_OK && !match.name)
        err = complain(homes, servers, spec, false, e);
    if (err == IM_OK)
        *out = match;
    return err;
}

static bool is_meant(const struct im_home *home, const struct im_home_match *match, bool *failed) {
    for (size_t i = 0; home->guid && i < match->guids.count; i++) {
        if (im_text_equal(match->guids.items[i], home->guid))
            return true;
    }
    for (size_t i = 0; home->dn && i < match->dns.count; i++) {
        struct im_buf normal = IM_BUF_INIT;
        bool is = im_dn_normalize(home->dn, &normal) && strcmp(im_buf_str(&normal), match->dns.items[i]) == 0;
        *failed = *failed || normal.failed;
        im_buf_free(&normal);
        if (is)
            return true;
    }
    return !home->dn && match->host && im_text_equal(match->host, home->host);
}

enum im_err im_homes_users(const struct im_homes *homes, const struct im_home_match *match, size_t *out, struct im_error *e) {
    size_t users = 0;
    bool failed = false;
    for (size_t i = 0; i < homes->count; i++)
        users += is_meant(&homes->items[i], match, &failed) ? homes->items[i].users : 0;
    if (failed)
        return im_error_nomem(e);
    *out = users;
    return IM_OK;
}
