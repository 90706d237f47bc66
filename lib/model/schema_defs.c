#include "lib/data/guid.h"
#include "lib/model/schema.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const keys[] = {"attributes", "classes"};
static const char *const attr_keys[] = {"name", "cn",    "oid",   "syntax", "single",        "search-flags",
                                        "gc",   "lower", "upper", "guid",   "security-guid", "description"};
static const char *const class_keys[] = {"name", "cn", "oid", "superior", "may", "guid", "attach", "description"};

struct reading {
    const struct im_yaml *doc;
    struct im_pool *pool;
    struct im_error *e;
};

static enum im_err read_text(const struct reading *r, const struct im_yaml_node *map, const char *key, const char **out) {
    const struct im_yaml_node *node = im_yaml_get(map, key);
    const char *text = NULL;
    if (!node)
        return im_yaml_error(r->doc, map, r->e, "the key \"%s\" is missing", key);
    enum im_err err = im_yaml_text(r->doc, node, &text, r->e);
    if (err != IM_OK)
        return err;
    *out = im_pool_strdup(r->pool, text);
    return *out ? IM_OK : im_error_nomem(r->e);
}

static enum im_err read_guid(const struct reading *r, const struct im_yaml_node *map, const char *key, bool is_needed,
                             unsigned char out[static IM_GUID_BYTES_SIZE]) {
    const char *text = NULL;
    if (!is_needed && !im_yaml_get(map, key))
        return IM_OK;
    enum im_err err = read_text(r, map, key, &text);
    if (err == IM_OK && !im_guid_from_text(text, out))
        err = im_yaml_error(r->doc, im_yaml_get(map, key), r->e, "\"%s\" is not a GUID", text);
    return err;
}

static enum im_err read_number(const struct reading *r, const struct im_yaml_node *map, const char *key, long fallback,
                               long *out) {
    const struct im_yaml_node *node = im_yaml_get(map, key);
    *out = fallback;
    return node ? im_yaml_int(r->doc, node, 0, 1 << 30, out, r->e) : IM_OK;
}

static enum im_err read_flag(const struct reading *r, const struct im_yaml_node *map, const char *key, bool *out) {
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (!node)
        return im_yaml_error(r->doc, map, r->e, "the key \"%s\" is missing", key);
    return im_yaml_bool(r->doc, node, out, r->e);
}

static enum im_err read_syntax(const struct reading *r, const struct im_yaml_node *map, enum im_syntax *out) {
    const char *text = "";
    enum im_err err = read_text(r, map, "syntax", &text);
    if (err != IM_OK)
        return err;
    for (enum im_syntax s = IM_SYNTAX_PRINTABLE; s <= IM_SYNTAX_BOOLEAN; s++) {
        if (strcmp(im_syntax_row(s)->name, text) == 0) {
            *out = s;
            return IM_OK;
        }
    }
    return im_yaml_error(r->doc, im_yaml_get(map, "syntax"), r->e,
                         "unknown syntax \"%s\": expected printable, unicode, octets, dn, integer or boolean", text);
}

static enum im_err read_names(const struct reading *r, const struct im_yaml_node *map, const char *key, const char ***out,
                              size_t *count) {
    const struct im_yaml_node *list = im_yaml_get(map, key);
    if (!list)
        return IM_OK;
    if (list->kind != IM_YAML_LIST)
        return im_yaml_error(r->doc, list, r->e, "\"%s\" must be a list of names", key);
    const char **items = im_pool_array(r->pool, list->count, sizeof *items);
    if (!items)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < list->count; i++) {
        const char *text = NULL;
        enum im_err err = im_yaml_text(r->doc, list->items[i], &text, r->e);
        if (err != IM_OK)
            return err;
        items[i] = im_pool_strdup(r->pool, text);
        if (!items[i])
            return im_error_nomem(r->e);
    }
    *out = items;
    *count = list->count;
    return IM_OK;
}

static enum im_err read_attr(const struct reading *r, const struct im_yaml_node *map, struct im_attr_def *def) {
    enum im_err err = im_yaml_only_keys(r->doc, map, attr_keys, COUNT(attr_keys), r->e);
    if (err == IM_OK)
        err = read_text(r, map, "name", &def->name);
    if (err == IM_OK)
        err = read_text(r, map, "cn", &def->cn);
    if (err == IM_OK)
        err = read_text(r, map, "oid", &def->oid);
    if (err == IM_OK)
        err = read_text(r, map, "description", &def->description);
    if (err == IM_OK)
        err = read_syntax(r, map, &def->syntax);
    if (err == IM_OK)
        err = read_flag(r, map, "single", &def->single);
    if (err == IM_OK)
        err = read_flag(r, map, "gc", &def->in_gc);
    if (err == IM_OK)
        err = read_number(r, map, "search-flags", 0, &def->search_flags);
    if (err == IM_OK)
        err = read_number(r, map, "lower", -1, &def->lower);
    if (err == IM_OK)
        err = read_number(r, map, "upper", -1, &def->upper);
    if (err == IM_OK)
        err = read_guid(r, map, "guid", true, def->guid);
    if (err == IM_OK)
        err = read_guid(r, map, "security-guid", false, def->security_guid);
    return err;
}

static enum im_err read_class(const struct reading *r, const struct im_yaml_node *map, struct im_class_def *def) {
    enum im_err err = im_yaml_only_keys(r->doc, map, class_keys, COUNT(class_keys), r->e);
    if (err == IM_OK)
        err = read_text(r, map, "name", &def->name);
    if (err == IM_OK)
        err = read_text(r, map, "cn", &def->cn);
    if (err == IM_OK)
        err = read_text(r, map, "oid", &def->oid);
    if (err == IM_OK)
        err = read_text(r, map, "description", &def->description);
    if (err == IM_OK)
        err = read_text(r, map, "superior", &def->sup);
    if (err == IM_OK)
        err = read_guid(r, map, "guid", true, def->guid);
    if (err == IM_OK)
        err = read_names(r, map, "may", &def->may, &def->may_count);
    if (err == IM_OK)
        err = read_names(r, map, "attach", &def->attach, &def->attach_count);
    return err;
}

static enum im_err check_list(const struct reading *r, const struct im_yaml_node *node, const char *key) {
    if (!node || node->kind == IM_YAML_LIST)
        return IM_OK;
    return im_yaml_error(r->doc, node, r->e, "\"%s\" must be a list of definitions", key);
}

enum im_err im_schema_defs_load(const struct im_yaml *doc, struct im_pool *pool, struct im_schema_defs *out, struct im_error *e) {
    const struct reading r = {.doc = doc, .pool = pool, .e = e};
    const struct im_yaml_node *root = im_yaml_root(doc);
    if (!root)
        return IM_OK;
    const struct im_yaml_node *attr_list = im_yaml_get(root, "attributes");
    const struct im_yaml_node *class_list = im_yaml_get(root, "classes");
    enum im_err err = im_yaml_only_keys(doc, root, keys, COUNT(keys), e);
    if (err == IM_OK)
        err = check_list(&r, attr_list, "attributes");
    if (err == IM_OK)
        err = check_list(&r, class_list, "classes");
    if (err != IM_OK)
        return err;
    size_t attr_count = attr_list ? attr_list->count : 0;
    size_t class_count = class_list ? class_list->count : 0;
    struct im_attr_def *attrs = im_pool_array(pool, attr_count, sizeof *attrs);
    struct im_class_def *classes = im_pool_array(pool, class_count, sizeof *classes);
    if (!attrs || !classes)
        return im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < attr_count; i++)
        err = read_attr(&r, attr_list->items[i], &attrs[i]);
    for (size_t i = 0; err == IM_OK && i < class_count; i++)
        err = read_class(&r, class_list->items[i], &classes[i]);
    if (err == IM_OK)
        *out = (struct im_schema_defs){attrs, attr_count, classes, class_count};
    return err;
}
