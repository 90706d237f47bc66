#include "lib/model/profile.h"

#include "lib/base/text.h"
#include "lib/data/template.h"
#include "lib/data/yaml.h"
#include "lib/model/builtin.h"

#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"name",    "title", "account-names", "alias", "address", "attributes", "auxiliary-class",
                                   "servers", "srv",   "http",          "rules"};
static const char *const attribute_keys[] = {"name", "role", "enabled", "suspended"};
static const char *const srv_keys[] = {"name", "port"};
static const char *const server_keys[] = {"class", "name", "hosts-users"};
static const char *const http_keys[] = {"path", "header", "version"};
static const char *const role_names[] = {
    [IM_ROLE_ADDRESS] = "address", [IM_ROLE_LOGICAL_URL] = "logical-url", [IM_ROLE_PHYSICAL_URL] = "physical-url",
    [IM_ROLE_HOME] = "home",       [IM_ROLE_OPAQUE] = "opaque",           [IM_ROLE_VALUE] = "value",
};
/* The first ones may be used for the address; all of them for the attributes. */
static const char *const variables[] = {"alias",  "account",   "mail-local", "upn-local", "given",     "sn",
                                        "domain", "home-host", "address",    "im-alias",  "im-domain", "home-dn"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ADDRESS_VARIABLES = 8 };

const char *const *im_profile_variables(bool for_address, size_t *count) {
    *count = for_address ? (size_t)ADDRESS_VARIABLES : COUNT(variables);
    return variables;
}

/* What the small readers below need. */
struct reading {
    const struct im_yaml *doc;
    struct im_profile *profile;
    struct im_error *e;
};

static const char *copy(const struct reading *r, const char *text) {
    return im_pool_strdup(r->profile->pool, text);
}

static enum im_err missing(const struct reading *r, const struct im_yaml_node *map, const char *key) {
    return im_yaml_error(r->doc, map, r->e, "the key \"%s\" is missing", key);
}

static enum im_err read_text(const struct reading *r, const struct im_yaml_node *map, const char *key, bool is_needed,
                             const char **out) {
    const struct im_yaml_node *node = im_yaml_get(map, key);
    const char *text;
    if (!node)
        return is_needed ? missing(r, map, key) : IM_OK;
    enum im_err err = im_yaml_text(r->doc, node, &text, r->e);
    if (err != IM_OK)
        return err;
    *out = copy(r, text);
    return *out ? IM_OK : im_error_nomem(r->e);
}

/* An attribute's or class's name (RFC 4512 section 1.4: keystring): it goes into filters as it is. */
static bool is_descriptor(const char *text) {
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    return ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')) && text[strspn(text, rest)] == '\0';
}

static enum im_err check_descriptor(const struct reading *r, const struct im_yaml_node *node, const char *text) {
    if (is_descriptor(text))
        return IM_OK;
    return im_yaml_error(r->doc, node, r->e, "\"%s\" is not a name: a letter, then letters, digits and \"-\"", text);
}

static enum im_err read_descriptor(const struct reading *r, const struct im_yaml_node *map, const char *key, bool is_needed,
                                   const char **out) {
    enum im_err err = read_text(r, map, key, is_needed, out);
    return err == IM_OK && *out ? check_descriptor(r, im_yaml_get(map, key), *out) : err;
}

/* A list of names, none of them twice. */
static enum im_err read_list(const struct reading *r, const struct im_yaml_node *map, const char *key, const char ***out,
                             size_t *count) {
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (!node)
        return IM_OK;
    if (node->kind != IM_YAML_LIST || node->count == 0)
        return im_yaml_error(r->doc, node, r->e, "\"%s\" must be a list with at least one name", key);
    const char **items = im_pool_array(r->profile->pool, node->count, sizeof *items);
    if (!items)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < node->count; i++) {
        const char *text;
        enum im_err err = im_yaml_text(r->doc, node->items[i], &text, r->e);
        if (err != IM_OK)
            return err;
        err = check_descriptor(r, node->items[i], text);
        for (size_t k = 0; err == IM_OK && k < i; k++) {
            if (im_text_equal(items[k], text))
                err = im_yaml_error(r->doc, node->items[i], r->e, "%s is listed twice", text);
        }
        if (err != IM_OK)
            return err;
        items[i] = copy(r, text);
        if (!items[i])
            return im_error_nomem(r->e);
    }
    *out = items;
    *count = node->count;
    return IM_OK;
}

static enum im_err check_template(const struct reading *r, const struct im_yaml_node *node, const char *text, bool for_address) {
    size_t count;
    const char *const *names = im_profile_variables(for_address, &count);
    struct im_error inner = {.code = IM_OK};
    if (im_template_check(text, names, count, &inner) == IM_OK)
        return IM_OK;
    return im_yaml_error(r->doc, node, r->e, "%s", inner.text);
}

static enum im_err read_role(const struct reading *r, const struct im_yaml_node *map, enum im_role *out) {
    const struct im_yaml_node *node = im_yaml_get(map, "role");
    const char *text;
    if (!node)
        return missing(r, map, "role");
    enum im_err err = im_yaml_text(r->doc, node, &text, r->e);
    if (err != IM_OK)
        return err;
    for (size_t i = 0; i < COUNT(role_names); i++) {
        if (strcmp(role_names[i], text) == 0) {
            *out = (enum im_role)i;
            return IM_OK;
        }
    }
    return im_yaml_error(r->doc, node, r->e,
                         "unknown role \"%s\": expected address, logical-url, physical-url, home, opaque or value", text);
}

/* Who somebody is and where stays the same while suspended: only values that have no such meaning may change. */
static enum im_err read_suspended(const struct reading *r, const struct im_yaml_node *map, struct im_profile_attr *out) {
    enum im_err err = read_text(r, map, "suspended", false, &out->suspended);
    if (err == IM_OK && out->suspended && out->role != IM_ROLE_VALUE)
        err = im_yaml_error(r->doc, im_yaml_get(map, "suspended"), r->e, "only the role value may have a suspended value");
    if (err == IM_OK && out->suspended)
        err = check_template(r, im_yaml_get(map, "suspended"), out->suspended, false);
    return err;
}

static enum im_err read_attribute(const struct reading *r, const struct im_yaml_node *map, struct im_profile_attr *out) {
    enum im_err err = im_yaml_only_keys(r->doc, map, attribute_keys, COUNT(attribute_keys), r->e);
    if (err == IM_OK)
        err = read_descriptor(r, map, "name", true, &out->name);
    if (err == IM_OK)
        err = read_role(r, map, &out->role);
    if (err == IM_OK)
        err = read_text(r, map, "enabled", out->role != IM_ROLE_OPAQUE, &out->enabled);
    if (err == IM_OK && out->enabled && out->role == IM_ROLE_OPAQUE) {
        err =
            im_yaml_error(r->doc, im_yaml_get(map, "enabled"), r->e, "an opaque attribute is never written, so it has no value");
    }
    if (err == IM_OK && out->enabled)
        err = check_template(r, im_yaml_get(map, "enabled"), out->enabled, false);
    return err == IM_OK ? read_suspended(r, map, out) : err;
}

static enum im_err read_attributes(const struct reading *r, const struct im_yaml_node *root) {
    const struct im_yaml_node *list = im_yaml_get(root, "attributes");
    if (!list)
        return missing(r, root, "attributes");
    if (list->kind != IM_YAML_LIST || list->count == 0)
        return im_yaml_error(r->doc, list, r->e, "\"attributes\" must be a list of name, role and enabled");
    struct im_profile_attr *attrs = im_pool_array(r->profile->pool, list->count, sizeof *attrs);
    if (!attrs)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < list->count; i++) {
        enum im_err err = read_attribute(r, list->items[i], &attrs[i]);
        if (err != IM_OK)
            return err;
        for (size_t k = 0; k < i; k++) {
            if (im_text_equal(attrs[k].name, attrs[i].name)) {
                return im_yaml_error(r->doc, im_yaml_get(list->items[i], "name"), r->e, "the attribute %s is listed twice",
                                     attrs[i].name);
            }
            if (attrs[k].role == attrs[i].role && attrs[i].role != IM_ROLE_OPAQUE && attrs[i].role != IM_ROLE_VALUE) {
                return im_yaml_error(r->doc, im_yaml_get(list->items[i], "role"), r->e,
                                     "%s has this role already, and only the roles opaque and value may be repeated",
                                     attrs[k].name);
            }
        }
    }
    r->profile->attrs = attrs;
    r->profile->attr_count = list->count;
    return IM_OK;
}

static enum im_err read_servers(const struct reading *r, const struct im_yaml_node *root) {
    const struct im_yaml_node *map = im_yaml_get(root, "servers");
    if (!map)
        return IM_OK;
    enum im_err err = im_yaml_only_keys(r->doc, map, server_keys, COUNT(server_keys), r->e);
    if (err == IM_OK)
        err = read_descriptor(r, map, "class", true, &r->profile->servers.object_class);
    if (err == IM_OK)
        err = read_descriptor(r, map, "name", true, &r->profile->servers.name_attribute);
    if (err == IM_OK)
        err = read_descriptor(r, map, "hosts-users", true, &r->profile->servers.hosts_users_attribute);
    return err;
}

/* RFC 2782: "_service._proto". It is put in front of domains as it is. */
static bool is_srv_label(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t service = *text == '_' ? strspn(text + 1, letters) : 0;
    const char *proto = service ? text + 1 + service : "";
    size_t rest = strncmp(proto, "._", 2) == 0 ? strspn(proto + 2, letters) : 0;
    return service && rest && service < 63 && rest < 63 && proto[2 + rest] == '\0';
}

static enum im_err read_srv_item(const struct reading *r, const struct im_yaml_node *map, struct im_profile_srv *out) {
    long port;
    enum im_err err = im_yaml_only_keys(r->doc, map, srv_keys, COUNT(srv_keys), r->e);
    if (err == IM_OK)
        err = read_text(r, map, "name", true, &out->label);
    if (err == IM_OK && !is_srv_label(out->label))
        err = im_yaml_error(r->doc, im_yaml_get(map, "name"), r->e, "\"%s\" is not of the form _service._tcp", out->label);
    if (err == IM_OK && !im_yaml_get(map, "port"))
        err = missing(r, map, "port");
    if (err == IM_OK)
        err = im_yaml_int(r->doc, im_yaml_get(map, "port"), 1, UINT16_MAX, &port, r->e);
    if (err == IM_OK)
        out->port = (uint16_t)port;
    return err;
}

static enum im_err read_srv(const struct reading *r, const struct im_yaml_node *root) {
    const struct im_yaml_node *list = im_yaml_get(root, "srv");
    if (!list)
        return IM_OK;
    if (list->kind != IM_YAML_LIST || list->count == 0)
        return im_yaml_error(r->doc, list, r->e, "\"srv\" must be a list of name and port");
    struct im_profile_srv *items = im_pool_array(r->profile->pool, list->count, sizeof *items);
    if (!items)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < list->count; i++) {
        enum im_err err = read_srv_item(r, list->items[i], &items[i]);
        if (err != IM_OK)
            return err;
    }
    r->profile->srv = items;
    r->profile->srv_count = list->count;
    return IM_OK;
}

static enum im_err read_http(const struct reading *r, const struct im_yaml_node *root) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
    const struct im_yaml_node *map = im_yaml_get(root, "http");
    if (!map)
        return IM_OK;
    enum im_err err = im_yaml_only_keys(r->doc, map, http_keys, COUNT(http_keys), r->e);
    if (err == IM_OK)
        err = read_text(r, map, "path", true, &r->profile->http.path);
    if (err == IM_OK)
        err = read_descriptor(r, map, "header", true, &r->profile->http.header);
    if (err == IM_OK)
        err = read_text(r, map, "version", true, &r->profile->http.version);
    if (err != IM_OK)
        return err;
    const char *path = r->profile->http.path;
    const char *version = r->profile->http.version;
    if (!path || !version) /* read_text would have said so */
        return IM_E_INTERNAL;
    if (*path != '/' || path[strlen(path) - 1] != '/' || path[strspn(path, plain)] || strstr(path, "//") || strstr(path, "/."))
        return im_yaml_error(r->doc, im_yaml_get(map, "path"), r->e, "\"%s\" is no path such as /instmsg/", path);
    if (!*version || version[strspn(version, plain)])
        return im_yaml_error(r->doc, im_yaml_get(map, "version"), r->e, "\"%s\" is no version such as 0.2", version);
    return IM_OK;
}

/* Whether there are such rules is known further to the right; the places are for that message. */
static enum im_err read_rules(const struct reading *r, const struct im_yaml_node *root) {
    struct im_profile *p = r->profile;
    enum im_err err = read_list(r, root, "rules", &p->rules, &p->rule_count);
    if (err != IM_OK || !p->rule_count)
        return err;
    struct im_profile_place *places = im_pool_array(p->pool, p->rule_count, sizeof *places);
    if (!places)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct im_yaml_node *node = im_yaml_get(root, "rules")->items[i];
        places[i] = (struct im_profile_place){node->line, node->column};
    }
    p->rule_places = places;
    return IM_OK;
}

static enum im_err read_profile(const struct reading *r) {
    struct im_profile *p = r->profile;
    const struct im_yaml_node *root = im_yaml_root(r->doc);
    if (!root)
        return im_error_set_at(r->e, IM_E_CONFIG, im_yaml_name(r->doc), 1, 1, "the profile is empty");
    enum im_err err = im_yaml_only_keys(r->doc, root, keys, COUNT(keys), r->e);
    if (err == IM_OK)
        err = read_descriptor(r, root, "name", true, &p->name);
    if (err == IM_OK)
        err = read_text(r, root, "title", false, &p->title);
    if (err == IM_OK)
        err = read_list(r, root, "account-names", &p->account_names, &p->account_name_count);
    if (err == IM_OK)
        err = read_list(r, root, "alias", &p->alias_sources, &p->alias_source_count);
    if (err == IM_OK)
        err = read_text(r, root, "address", true, &p->address_template);
    if (err == IM_OK)
        err = check_template(r, im_yaml_get(root, "address"), p->address_template, true);
    if (err == IM_OK)
        err = read_attributes(r, root);
    if (err == IM_OK)
        err = read_descriptor(r, root, "auxiliary-class", false, &p->aux_class);
    if (err == IM_OK)
        err = read_servers(r, root);
    if (err == IM_OK)
        err = read_srv(r, root);
    if (err == IM_OK)
        err = read_http(r, root);
    if (err == IM_OK)
        err = read_rules(r, root);
    if (err == IM_OK && !p->account_name_count)
        err = missing(r, root, "account-names");
    if (err == IM_OK && !p->alias_source_count)
        err = missing(r, root, "alias");
    return err;
}

static const struct im_builtin *find_builtin(const char *profile, const char *file) {
    for (size_t i = 0; i < im_builtin_count; i++) {
        const char *name = im_builtins[i].name;
        size_t len = strlen(profile);
        if (strncmp(name, profile, len) == 0 && name[len] == '/' && strcmp(name + len + 1, file) == 0)
            return &im_builtins[i];
    }
    return NULL;
}

static enum im_err load_builtin(const struct im_builtin *builtin, struct im_yaml **doc, struct im_error *e) {
    return im_yaml_load_text(builtin->name, (const char *)builtin->data, builtin->len, doc, e);
}

static enum im_err load_schema(struct im_profile *p, const char *name, struct im_error *e) {
    const struct im_builtin *builtin = find_builtin(name, "schema.yaml");
    struct im_yaml *doc = NULL;
    if (!builtin)
        return IM_OK;
    enum im_err err = load_builtin(builtin, &doc, e);
    if (err == IM_OK)
        err = im_schema_defs_load(doc, p->pool, &p->schema, e);
    if (err == IM_OK && !(p->schema_name = im_pool_printf(p->pool, "%s-im", p->name)))
        err = im_error_nomem(e);
    im_yaml_free(&doc);
    return err;
}

static enum im_err unknown_profile(const char *name, struct im_error *e) {
    return im_error_set(e, IM_E_CONFIG, "there is no profile \"%s\": expected exchange2000, or the path of a YAML file", name);
}

static bool is_path(const char *name) {
    size_t len = strlen(name);
    return strchr(name, '/') || (len > 5 && strcmp(name + len - 5, ".yaml") == 0) ||
           (len > 4 && strcmp(name + len - 4, ".yml") == 0);
}

enum im_err im_profile_load(const char *name, struct im_profile **out, struct im_error *e) {
    struct im_yaml *doc = NULL;
    struct im_profile *p = calloc(1, sizeof *p);
    enum im_err err = IM_OK;
    if (!p || !(p->pool = im_pool_new())) {
        err = im_error_nomem(e);
        goto out;
    }
    const struct im_builtin *builtin = is_path(name) ? NULL : find_builtin(name, "profile.yaml");
    if (builtin) {
        err = load_builtin(builtin, &doc, e);
    } else if (is_path(name)) {
        err = im_yaml_load_file(name, &doc, e);
    } else {
        err = unknown_profile(name, e);
    }
    if (err == IM_OK) {
        p->source = im_pool_strdup(p->pool, im_yaml_name(doc));
        err = p->source ? IM_OK : im_error_nomem(e);
    }
    if (err == IM_OK)
        err = read_profile(&(struct reading){.doc = doc, .profile = p, .e = e});
    if (err == IM_OK) /* a site's variant of a built-in profile writes the same attributes */
        err = load_schema(p, p->name, e);
out:
    im_yaml_free(&doc);
    if (err == IM_OK) {
        *out = p;
    } else {
        im_profile_free(&p);
    }
    return err;
}

void im_profile_free(struct im_profile **profile) {
    if (!profile || !*profile)
        return;
    im_pool_free(&(*profile)->pool);
    free(*profile);
    *profile = NULL;
}

const char *const *im_profile_builtin_names(size_t *count) {
    static const char *const names[] = {"exchange2000"};
    *count = COUNT(names);
    return names;
}

const struct im_profile_attr *im_profile_role(const struct im_profile *p, enum im_role role) {
    for (size_t i = 0; i < p->attr_count; i++) {
        if (p->attrs[i].role == role)
            return &p->attrs[i];
    }
    return NULL;
}

bool im_profile_can_suspend(const struct im_profile *p) {
    for (size_t i = 0; i < p->attr_count; i++) {
        if (p->attrs[i].suspended)
            return true;
    }
    return false;
}

const struct im_profile_attr *im_profile_attr(const struct im_profile *p, const char *name) {
    for (size_t i = 0; i < p->attr_count; i++) {
        if (im_text_equal(p->attrs[i].name, name))
            return &p->attrs[i];
    }
    return NULL;
}
