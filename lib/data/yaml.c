#include "lib/data/yaml.h"

#include "lib/base/buf.h"
#include "lib/base/pool.h"
#include "lib/base/text.h"
#include "lib/data/times.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 32, MAX_SIZE = 1 << 20, MAX_KEYS = 4096 };

#define TOO_DEEP "nested too deeply: at most 32 levels are allowed"

struct im_yaml {
    struct im_pool *pool;
    const char *name;
    const struct im_yaml_node *root;
};

/* One conversion from libyaml's document to ours. */
struct reading {
    struct im_yaml *doc;
    yaml_document_t *from;
    struct im_error *e;
    size_t nodes; /* visited: an alias makes it more than the document holds */
};

const struct im_yaml_node *im_yaml_root(const struct im_yaml *doc) {
    return doc->root;
}

const char *im_yaml_name(const struct im_yaml *doc) {
    return doc->name;
}

void im_yaml_free(struct im_yaml **doc) {
    if (!doc || !*doc)
        return;
    im_pool_free(&(*doc)->pool);
    free(*doc);
    *doc = NULL;
}

static enum im_err error_at(const struct reading *r, yaml_mark_t mark, const char *text) {
    return im_error_set_at(r->e, IM_E_CONFIG, r->doc->name, mark.line + 1, mark.column + 1, "%s", text);
}

static enum im_err convert(struct reading *r, int index, size_t depth, const struct im_yaml_node **out);

static enum im_err convert_scalar(struct reading *r, const yaml_node_t *from, struct im_yaml_node *node) {
    const char *bytes = (const char *)from->data.scalar.value;
    size_t len = from->data.scalar.length;
    if (memchr(bytes, '\0', len))
        return error_at(r, from->start_mark, "a value must not hold a NUL character");
    node->kind = IM_YAML_SCALAR;
    node->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = im_pool_strndup(r->doc->pool, bytes, len);
    return node->text ? IM_OK : im_error_nomem(r->e);
}

static enum im_err convert_list(struct reading *r, const yaml_node_t *from, size_t depth, struct im_yaml_node *node) {
    size_t count = (size_t)(from->data.sequence.items.top - from->data.sequence.items.start);
    node->kind = IM_YAML_LIST;
    node->items = im_pool_array(r->doc->pool, count, sizeof(struct im_yaml_node *));
    if (!node->items)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < count; i++) {
        enum im_err err = convert(r, from->data.sequence.items.start[i], depth + 1, &node->items[i]);
        if (err != IM_OK)
            return err;
    }
    node->count = count;
    return IM_OK;
}

static enum im_err check_key(const struct reading *r, const struct im_yaml_node *map, const struct im_yaml_node *key) {
    if (key->kind != IM_YAML_SCALAR)
        return im_error_set_at(r->e, IM_E_CONFIG, r->doc->name, key->line, key->column, "a key must be a plain word");
    const struct im_yaml_node *twin = im_yaml_get(map, key->text);
    if (twin) {
        return im_error_set_at(r->e, IM_E_CONFIG, r->doc->name, key->line, key->column,
                               "the key \"%s\" is given twice (its first value is on line %zu)", key->text, twin->line);
    }
    return IM_OK;
}

static enum im_err convert_map(struct reading *r, const yaml_node_t *from, size_t depth, struct im_yaml_node *node) {
    size_t count = (size_t)(from->data.mapping.pairs.top - from->data.mapping.pairs.start);
    if (count > MAX_KEYS) /* each key is compared with all before it */
        return error_at(r, from->start_mark, "more than 4096 keys: not a file of this kind");
    node->kind = IM_YAML_MAP;
    node->keys = im_pool_array(r->doc->pool, count, sizeof(struct im_yaml_node *));
    node->items = im_pool_array(r->doc->pool, count, sizeof(struct im_yaml_node *));
    if (!node->keys || !node->items)
        return im_error_nomem(r->e);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_pair_t *pair = &from->data.mapping.pairs.start[i];
        enum im_err err = convert(r, pair->key, depth + 1, &node->keys[i]);
        if (err == IM_OK)
            err = check_key(r, node, node->keys[i]);
        if (err == IM_OK)
            err = convert(r, pair->value, depth + 1, &node->items[i]);
        if (err != IM_OK)
            return err;
        node->count = i + 1;
    }
    return IM_OK;
}

static enum im_err convert(struct reading *r, int index, size_t depth, const struct im_yaml_node **out) {
    const yaml_node_t *from = yaml_document_get_node(r->from, index);
    if (!from)
        return im_error_set(r->e, IM_E_INTERNAL, "libyaml lost a node");
    if (depth > MAX_DEPTH)
        return error_at(r, from->start_mark, TOO_DEEP);
    /* An alias makes libyaml's nodes shared, so that more are visited than exist. */
    if (++r->nodes > (size_t)(r->from->nodes.top - r->from->nodes.start))
        return error_at(r, from->start_mark, "aliases (*name) are not allowed here: write the value out");
    struct im_yaml_node *node = im_pool_alloc(r->doc->pool, sizeof *node);
    if (!node)
        return im_error_nomem(r->e);
    node->line = from->start_mark.line + 1;
    node->column = from->start_mark.column + 1;
    enum im_err err = from->type == YAML_SCALAR_NODE     ? convert_scalar(r, from, node)
                      : from->type == YAML_SEQUENCE_NODE ? convert_list(r, from, depth, node)
                                                         : convert_map(r, from, depth, node);
    if (err == IM_OK)
        *out = node;
    return err;
}

static enum im_err parser_error(const yaml_parser_t *parser, const char *name, struct im_error *e) {
    const char *problem = parser->problem ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return im_error_nomem(e);
    if (parser->error == YAML_READER_ERROR) {
        return im_error_set_at(e, IM_E_CONFIG, name, parser->mark.line + 1, 0, "not UTF-8 at byte %zu: %s",
                               parser->problem_offset, problem);
    }
    im_error_set_at(e, IM_E_CONFIG, name, parser->problem_mark.line + 1, parser->problem_mark.column + 1, "not YAML: %s%s%s",
                    problem, parser->context ? " " : "", parser->context ? parser->context : "");
    return IM_E_CONFIG;
}

static const yaml_char_t *anchor_of(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* libyaml's loader takes time that grows with the square of the depth and of the number of anchors, so both are looked at in its
 * stream of events before. What is wrong otherwise is left for the loader to say. */
static enum im_err check_bounds(const char *name, const char *text, size_t len, struct im_error *e) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return im_error_nomem(e);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    enum im_err err = IM_OK;
    size_t depth = 0;
    size_t anchors = 0;
    for (bool more = true; more && err == IM_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            break;
        const size_t line = event.start_mark.line + 1;
        const size_t column = event.start_mark.column + 1;
        depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
        depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        if (depth > MAX_DEPTH + 1)
            err = im_error_set_at(e, IM_E_CONFIG, name, line, column, TOO_DEEP);
        if (anchor_of(&event) && ++anchors > MAX_KEYS)
            err = im_error_set_at(e, IM_E_CONFIG, name, line, column, "more than 4096 anchors: not a file of this kind");
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return err;
}

static enum im_err load(struct im_yaml *doc, const char *text, size_t len, struct im_error *e) {
    yaml_parser_t parser;
    yaml_document_t from;
    if (!yaml_parser_initialize(&parser))
        return im_error_nomem(e);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    enum im_err err = IM_OK;
    if (!yaml_parser_load(&parser, &from)) {
        err = parser_error(&parser, doc->name, e);
        goto out;
    }
    if (yaml_document_get_root_node(&from)) {
        struct reading r = {.doc = doc, .from = &from, .e = e};
        err = convert(&r, 1, 0, &doc->root);
    }
    yaml_document_delete(&from);
    if (err == IM_OK && doc->root) {
        if (!yaml_parser_load(&parser, &from)) {
            err = parser_error(&parser, doc->name, e);
            goto out;
        }
        const yaml_node_t *second = yaml_document_get_root_node(&from);
        if (second) {
            err = im_error_set_at(e, IM_E_CONFIG, doc->name, second->start_mark.line + 1, second->start_mark.column + 1,
                                  "a second document begins here: only one is allowed");
        }
        yaml_document_delete(&from);
    }
out:
    yaml_parser_delete(&parser);
    return err;
}

enum im_err im_yaml_load_text(const char *name, const char *text, size_t len, struct im_yaml **out, struct im_error *e) {
    if (len > MAX_SIZE)
        return im_error_set_at(e, IM_E_CONFIG, name, 0, 0, "larger than 1 MiB: not a file of this kind");
    struct im_yaml *doc = calloc(1, sizeof *doc);
    if (!doc)
        return im_error_nomem(e);
    enum im_err err = IM_OK;
    doc->pool = im_pool_new();
    doc->name = doc->pool ? im_pool_strdup(doc->pool, name) : NULL;
    if (!doc->name)
        err = im_error_nomem(e);
    if (err == IM_OK)
        err = check_bounds(name, text, len, e);
    if (err == IM_OK)
        err = load(doc, text, len, e);
    if (err == IM_OK) {
        *out = doc;
    } else {
        im_yaml_free(&doc);
    }
    return err;
}

enum im_err im_yaml_load_file(const char *path, struct im_yaml **out, struct im_error *e) {
    FILE *file = fopen(path, "re");
    if (!file)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot open %s", path);
    struct im_buf text = IM_BUF_INIT;
    char piece[4096];
    size_t got;
    while (text.len <= MAX_SIZE && !text.failed && (got = fread(piece, 1, sizeof piece, file)) > 0)
        im_buf_add(&text, piece, got);
    enum im_err err = IM_OK;
    if (ferror(file)) {
        err = im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", path);
    } else if (text.failed) {
        err = im_error_nomem(e);
    } else {
        err = im_yaml_load_text(path, im_buf_str(&text), text.len, out, e);
    }
    im_buf_free(&text);
    (void)fclose(file);
    return err;
}

const struct im_yaml_node *im_yaml_get(const struct im_yaml_node *map, const char *key) {
    if (!map || map->kind != IM_YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    }
    return NULL;
}

enum im_err im_yaml_error(const struct im_yaml *doc, const struct im_yaml_node *node, struct im_error *e, const char *format,
                          ...) {
    char text[sizeof((struct im_error *)0)->text];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return im_error_set_at(e, IM_E_CONFIG, doc->name, node ? node->line : 0, node ? node->column : 0, "%s", text);
}

static enum im_err want_scalar(const struct im_yaml *doc, const struct im_yaml_node *node, const char *what, struct im_error *e) {
    if (node->kind == IM_YAML_SCALAR)
        return IM_OK;
    return im_yaml_error(doc, node, e, "expected %s, found a %s", what, node->kind == IM_YAML_LIST ? "list" : "map");
}

enum im_err im_yaml_bool(const struct im_yaml *doc, const struct im_yaml_node *node, bool *out, struct im_error *e) {
    enum im_err err = want_scalar(doc, node, "true or false", e);
    if (err != IM_OK)
        return err;
    bool is_true = im_text_equal(node->text, "true") || im_text_equal(node->text, "yes") || im_text_equal(node->text, "on");
    bool is_false = im_text_equal(node->text, "false") || im_text_equal(node->text, "no") || im_text_equal(node->text, "off");
    if (node->quoted || (!is_true && !is_false))
        return im_yaml_error(doc, node, e, "expected true or false, found \"%s\"", node->text);
    *out = is_true;
    return IM_OK;
}

enum im_err im_yaml_int(const struct im_yaml *doc, const struct im_yaml_node *node, long min, long max, long *out,
                        struct im_error *e) {
    enum im_err err = want_scalar(doc, node, "a whole number", e);
    if (err != IM_OK)
        return err;
    int64_t value;
    if (node->quoted || !im_int_from_text(node->text, min, max, &value))
        return im_yaml_error(doc, node, e, "expected a whole number from %ld to %ld, found \"%s\"", min, max, node->text);
    *out = (long)value;
    return IM_OK;
}

enum im_err im_yaml_text(const struct im_yaml *doc, const struct im_yaml_node *node, const char **out, struct im_error *e) {
    enum im_err err = want_scalar(doc, node, "a text", e);
    if (err == IM_OK && !node->quoted && (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0))
        err = im_yaml_error(doc, node, e, "expected a text, found nothing");
    if (err == IM_OK)
        *out = node->text;
    return err;
}

enum im_err im_yaml_only_keys(const struct im_yaml *doc, const struct im_yaml_node *map, const char *const *names, size_t count,
                              struct im_error *e) {
    if (map->kind != IM_YAML_MAP)
        return im_yaml_error(doc, map, e, "expected a map of keys and values");
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->keys[i]->text;
        bool is_known = false;
        for (size_t n = 0; n < count && !is_known; n++)
            is_known = strcmp(key, names[n]) == 0;
        if (is_known)
            continue;
        const char *nearest = im_text_nearest(key, names, count);
        if (nearest)
            return im_yaml_error(doc, map->keys[i], e, "unknown key \"%s\": did you mean \"%s\"?", key, nearest);
        struct im_buf list = IM_BUF_INIT;
        for (size_t n = 0; n < count; n++)
            im_buf_addf(&list, "%s%s", n ? ", " : "", names[n]);
        enum im_err err = im_yaml_error(doc, map->keys[i], e, "unknown key \"%s\": allowed are %s", key, im_buf_str(&list));
        im_buf_free(&list);
        return err;
    }
    return IM_OK;
}
