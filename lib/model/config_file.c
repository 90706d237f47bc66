/* Merging YAML files into the configuration. */
#include "lib/model/config.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/yaml.h"
#include "lib/model/config_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool im_config_is_empty(const struct im_yaml_node *node) {
    return node->kind == IM_YAML_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || im_text_equal(node->text, "null"));
}

static const char *origin_of(const struct im_config_load *load, const struct im_yaml_node *node) {
    return im_pool_printf(load->config->pool, "%s:%zu:%zu", im_yaml_name(load->doc), node->line, node->column);
}

/* ---- servers: ---- */

static const char *const server_keys[] = {"name", "host", "dn", "domains", "hosts-users", "capacity"};

enum { CAPACITY_MAX = 100000000 };

static enum im_err copy_list(const struct im_config_load *load, const char *name, const struct im_yaml_node *node,
                             struct im_strings *out) {
    const struct im_yaml_node *single[1] = {node};
    const struct im_yaml_node **items = node->kind == IM_YAML_LIST ? node->items : single;
    size_t count = node->kind == IM_YAML_LIST ? node->count : 1;
    const char **copies = im_pool_array(load->config->pool, count + 1, sizeof *copies);
    if (node->kind == IM_YAML_MAP || im_config_is_empty(node)) {
        return im_yaml_error(load->doc, node, load->e, "%s: a list of texts is needed, like [a, b]", name);
    }
    if (copies == NULL) {
        return im_error_nomem(load->e);
    }
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind != IM_YAML_SCALAR || im_config_is_empty(items[i])) {
            return im_yaml_error(load->doc, items[i], load->e, "%s: each item of the list must be a text", name);
        }
        copies[i] = im_pool_strdup(load->config->pool, items[i]->text);
        if (copies[i] == NULL) {
            return im_error_nomem(load->e);
        }
    }
    *out = (struct im_strings){copies, count};
    return IM_OK;
}

/* Each field may be absent; a text that is there must not be empty and must pass `check`. */
static enum im_err server_text(const struct im_config_load *load, const struct im_yaml_node *record, const char *key,
                               const char *(*check)(const char *), const char **out) {
    const struct im_yaml_node *node = im_yaml_get(record, key);
    const char *allowed;
    if (node == NULL) {
        return IM_OK;
    }
    if (node->kind != IM_YAML_SCALAR || im_config_is_empty(node)) {
        return im_yaml_error(load->doc, node, load->e, "servers: %s: a text is needed", key);
    }
    allowed = check(node->text);
    if (allowed != NULL) {
        return im_yaml_error(load->doc, node, load->e, "servers: %s: \"%.80s\" is not usable: %s", key, node->text, allowed);
    }
    *out = im_pool_strdup(load->config->pool, node->text);
    return *out == NULL ? im_error_nomem(load->e) : IM_OK;
}

static enum im_err server_domains(const struct im_config_load *load, const struct im_yaml_node *record, struct im_strings *out) {
    const struct im_yaml_node *node = im_yaml_get(record, "domains");
    enum im_err err = node == NULL ? IM_OK : copy_list(load, "servers: domains", node, out);
    for (size_t i = 0; err == IM_OK && i < out->count; i++) {
        const char *allowed = im_check_host(out->items[i]);
        if (allowed != NULL) {
            err =
                im_yaml_error(load->doc, node, load->e, "servers: domains: \"%.80s\" is not usable: %s", out->items[i], allowed);
        }
    }
    return err;
}

static enum im_err server_numbers(const struct im_config_load *load, const struct im_yaml_node *record,
                                  struct im_config_server *out) {
    const struct im_yaml_node *hosts = im_yaml_get(record, "hosts-users");
    const struct im_yaml_node *capacity = im_yaml_get(record, "capacity");
    enum im_err err = IM_OK;
    if (hosts != NULL) {
        err = im_yaml_bool(load->doc, hosts, &out->hosts_users, load->e);
    }
    if (err == IM_OK && capacity != NULL) {
        err = im_yaml_int(load->doc, capacity, 1, CAPACITY_MAX, &out->capacity, load->e);
    }
    if (err == IM_OK && capacity != NULL && !out->hosts_users) {
        err = im_yaml_error(load->doc, capacity, load->e,
                            "servers: capacity: a router (hosts-users: false) homes nobody; leave it out");
    }
    return err;
}

static enum im_err server_complete(const struct im_config_load *load, const struct im_yaml_node *record,
                                   const struct im_config_server *server) {
    if (server->name == NULL) {
        return im_yaml_error(load->doc, record, load->e, "servers: name: each server needs a name");
    }
    if (server->host == NULL) {
        return im_yaml_error(load->doc, record, load->e, "servers: host: server \"%s\" needs a host (its DNS name)",
                             server->name);
    }
    for (size_t i = 0; i + 1 < load->config->servers.count; i++) {
        const struct im_config_server *other = &load->config->servers.items[i];
        if (im_text_equal(other->name, server->name)) {
            return im_yaml_error(load->doc, record, load->e, "servers: name: \"%s\" is already the name of the server at %s",
                                 server->name, other->where);
        }
    }
    return IM_OK;
}

static enum im_err load_server(const struct im_config_load *load, const struct im_yaml_node *record) {
    struct im_config_server *server;
    enum im_err err;
    if (record->kind != IM_YAML_MAP) {
        return im_yaml_error(load->doc, record, load->e,
                             "servers: each item must be a record, like { name: im1, host: im1.corp.example }");
    }
    err = im_yaml_only_keys(load->doc, record, server_keys, sizeof server_keys / sizeof server_keys[0], load->e);
    if (err != IM_OK) {
        return err;
    }
    server = im_vec_push(&load->config->servers);
    if (server == NULL) {
        return im_error_nomem(load->e);
    }
    server->hosts_users = true;
    server->where = origin_of(load, record);
    if (server->where == NULL) {
        return im_error_nomem(load->e);
    }
    if ((err = server_text(load, record, "name", im_check_filled, &server->name)) != IM_OK ||
        (err = server_text(load, record, "host", im_check_host, &server->host)) != IM_OK ||
        (err = server_text(load, record, "dn", im_check_dn, &server->dn)) != IM_OK ||
        (err = server_domains(load, record, &server->domains)) != IM_OK ||
        (err = server_numbers(load, record, server)) != IM_OK) {
        return err;
    }
    return server_complete(load, record, server);
}

static enum im_err load_servers(const struct im_config_load *load, const struct im_yaml_node *node) {
    enum im_err err = IM_OK;
    if (node->kind != IM_YAML_LIST) {
        return im_yaml_error(load->doc, node, load->e, "servers: a list of records is needed");
    }
    load->config->servers.count = 0; /* a later file replaces the list */
    for (size_t i = 0; err == IM_OK && i < node->count; i++) {
        err = load_server(load, node->items[i]);
    }
    return err;
}

/* ---- the other keys ---- */

static enum im_err load_list(const struct im_config_load *load, const struct im_key *key, const struct im_yaml_node *node,
                             const char *origin) {
    struct im_strings list = {NULL, 0};
    char why[IM_WHY_MAX];
    enum im_err err = copy_list(load, key->name, node, &list);
    if (err != IM_OK) {
        return err;
    }
    err = im_key_store_list(load->config, key, list, origin, why);
    return err == IM_E_CONFIG ? im_yaml_error(load->doc, node, load->e, "%s: %s", key->name, why) : err;
}

static enum im_err load_scalar(const struct im_config_load *load, const struct im_key *key, const struct im_yaml_node *node,
                               const char *origin) {
    char allowed[IM_WHY_MAX];
    char why[IM_WHY_MAX];
    enum im_err err;
    im_key_allowed(key, allowed, sizeof allowed);
    if (node->kind != IM_YAML_SCALAR || im_config_is_empty(node)) {
        return im_yaml_error(load->doc, node, load->e, "%s: a single value is needed%s%s", key->name,
                             allowed[0] == '\0' ? "" : ": ", allowed);
    }
    if (node->quoted && (key->type == IM_KEY_BOOL || key->type == IM_KEY_INT)) {
        return im_yaml_error(load->doc, node, load->e, "%s: a text in quotes stands where %s is needed: leave out the quotes",
                             key->name, allowed);
    }
    err = im_key_store(load->config, key, node->text, origin, why);
    return err == IM_E_CONFIG ? im_yaml_error(load->doc, node, load->e, "%s: %s", key->name, why) : err;
}

static enum im_err load_records(const struct im_config_load *load, const struct im_key *key, const struct im_yaml_node *node) {
    switch (key->type) {
    case IM_KEY_RULES:
        return im_config_load_rules(load, node);
    case IM_KEY_SILENCE:
        return im_config_load_silences(load, node);
    default:
        return load_servers(load, node);
    }
}

static enum im_err load_key(const struct im_config_load *load, const struct im_key *key, const struct im_yaml_node *node) {
    const char *origin = origin_of(load, node);
    enum im_err err;
    if (origin == NULL) {
        return im_error_nomem(load->e);
    }
    if (im_key_is_records(key)) {
        err = load_records(load, key, node);
        err = err == IM_OK ? im_key_mark(load->config, key, origin) : err;
    } else if (key->type == IM_KEY_STRINGS) {
        err = load_list(load, key, node, origin);
    } else {
        err = load_scalar(load, key, node, origin);
    }
    return err == IM_E_NOMEM ? im_error_nomem(load->e) : err;
}

/* The names that may stand in a section ("" = the top, "directory.bind"), each once. */
static size_t names_in(const char *section, const char **names, char (*store)[64]) {
    size_t key_count, count = 0, skip = section[0] == '\0' ? 0 : strlen(section) + 1;
    const struct im_key *rows = im_keys(&key_count);
    for (size_t i = 0; i < key_count; i++) {
        if (skip > 0 && (strncmp(rows[i].name, section, skip - 1) != 0 || rows[i].name[skip - 1] != '.')) {
            continue;
        }
        const char *rest = rows[i].name + skip;
        snprintf(store[count], sizeof store[count], "%.*s", (int)strcspn(rest, "."), rest);
        names[count] = store[count];
        /* Rows of a section stand together, so that only the neighbour can repeat it. */
        if (count == 0 || strcmp(names[count - 1], names[count]) != 0) {
            count++;
        }
    }
    return count;
}

static enum im_err load_section(const struct im_config_load *load, const char *section, const struct im_yaml_node *map);

static enum im_err load_member(const struct im_config_load *load, const char *section, const struct im_yaml_node *name,
                               const struct im_yaml_node *value) {
    char full[128], store[64][64];
    const char *names[64];
    const struct im_key *key;
    snprintf(full, sizeof full, "%s%s%s", section, section[0] == '\0' ? "" : ".", name->text);
    key = im_key_find(full);
    if (key != NULL) {
        return load_key(load, key, value);
    }
    if (strchr(name->text, '.') == NULL && names_in(full, names, store) > 0) {
        return load_section(load, full, value);
    }
    return IM_E_CONFIG; /* cannot be: im_yaml_only_keys has refused it */
}

static enum im_err load_section(const struct im_config_load *load, const char *section, const struct im_yaml_node *map) {
    char store[64][64];
    const char *names[64] = {""};
    size_t count = names_in(section, names, store);
    enum im_err err = IM_OK;
    if (im_config_is_empty(map)) {
        return IM_OK;
    }
    if (map->kind != IM_YAML_MAP) {
        return im_yaml_error(load->doc, map, load->e, "%s%skeys with values are needed here, like \"%s: ...\"", section,
                             section[0] == '\0' ? "" : ": ", names[0]);
    }
    err = im_yaml_only_keys(load->doc, map, names, count, load->e);
    for (size_t i = 0; err == IM_OK && i < map->count; i++) {
        err = load_member(load, section, map->keys[i], map->items[i]);
    }
    return err;
}

/* Between files the later one counts; within one file nobody can tell what was meant. */
static enum im_err check_pair(const struct im_config_load *load, const struct im_yaml_node *root) {
    const struct im_yaml_node *directory = im_yaml_get(root, "directory");
    const struct im_yaml_node *domain = directory == NULL ? NULL : im_yaml_get(directory, "dns-domain");
    if (domain == NULL || im_yaml_get(directory, "uri") == NULL) {
        return IM_OK;
    }
    return im_yaml_error(load->doc, domain, load->e,
                         "directory.dns-domain: directory.uri is given as well; only one can name the servers");
}

enum im_err im_config_load(struct im_config *config, const char *path, bool required, struct im_error *e) {
    struct im_yaml *doc = NULL;
    struct im_error own = {0};
    struct im_config_load load = {config, NULL, e == NULL ? &own : e};
    const struct im_yaml_node *root;
    enum im_err err = im_yaml_load_file(path, &doc, &own);
    if (err == IM_E_IO && !required && own.origin == IM_ORIGIN_ERRNO && (own.system == ENOENT || own.system == ENOTDIR)) {
        return IM_OK;
    }
    if (err != IM_OK) {
        /* A configuration that cannot be read is a configuration that is wrong. */
        own.code = err == IM_E_IO ? IM_E_CONFIG : err;
        if (e != NULL && e->code == IM_OK) {
            *e = own;
        }
        return own.code;
    }
    load.doc = doc;
    root = im_yaml_root(doc);
    if (root != NULL) {
        err = load_section(&load, "", root);
        err = err == IM_OK ? check_pair(&load, root) : err;
    }
    im_yaml_free(&doc);
    return err;
}

static enum im_err load_user_file(struct im_config *config, struct im_error *e) {
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    const char *path;
    if (xdg != NULL && xdg[0] == '/') { /* the XDG base directory specification ignores relative paths */
        path = im_pool_printf(config->pool, "%s/imdir/imdir.yaml", xdg);
    } else if (home != NULL && home[0] == '/') {
        path = im_pool_printf(config->pool, "%s/.config/imdir/imdir.yaml", home);
    } else {
        return IM_OK;
    }
    return path == NULL ? im_error_nomem(e) : im_config_load(config, path, false, e);
}

enum im_err im_config_load_standard(struct im_config *config, struct im_error *e) {
    enum im_err err = im_config_load(config, "/etc/imdir/imdir.yaml", false, e);
    return err == IM_OK ? load_user_file(config, e) : err;
}
