/* YAML documents with positions. Home of <yaml.h>. */
#ifndef IMDIR_DATA_YAML_H
#define IMDIR_DATA_YAML_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum im_yaml_kind { IM_YAML_SCALAR, IM_YAML_LIST, IM_YAML_MAP };

/* A node; belongs to its document. Depth is limited to 32, the document to 1 MiB, and aliases are refused: configuration needs
 * none. */
struct im_yaml_node {
    enum im_yaml_kind kind;
    size_t line, column;               /* 1-based */
    const char *text;                  /* scalar: NUL-terminated, without inner NUL */
    bool quoted;                       /* scalar was quoted: always text, never a number or a boolean */
    const struct im_yaml_node **items; /* list items, or map values */
    const struct im_yaml_node **keys;  /* map only: scalars, unique (a repeated key is an error) */
    size_t count;
};

struct im_yaml;

enum im_err im_yaml_load_file(const char *path, struct im_yaml **out, struct im_error *e);
enum im_err im_yaml_load_text(const char *name, const char *text, size_t len, struct im_yaml **out, struct im_error *e);
const struct im_yaml_node *im_yaml_root(const struct im_yaml *doc); /* NULL: empty document */
const char *im_yaml_name(const struct im_yaml *doc);
void im_yaml_free(struct im_yaml **doc);

const struct im_yaml_node *im_yaml_get(const struct im_yaml_node *map, const char *key); /* NULL: absent or not a map */
/* Sets an IM_E_CONFIG error at the node's place. */
enum im_err im_yaml_error(const struct im_yaml *doc, const struct im_yaml_node *node, struct im_error *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Typed reads; wrong type is an error at the node that says what is allowed. */
enum im_err im_yaml_bool(const struct im_yaml *doc, const struct im_yaml_node *node, bool *out, struct im_error *e);
enum im_err im_yaml_int(const struct im_yaml *doc, const struct im_yaml_node *node, long min, long max, long *out,
                        struct im_error *e);
enum im_err im_yaml_text(const struct im_yaml *doc, const struct im_yaml_node *node, const char **out, struct im_error *e);
/* Every key of the map must be one of `names`; else "unknown key, did you mean". */
enum im_err im_yaml_only_keys(const struct im_yaml *doc, const struct im_yaml_node *map, const char *const *names, size_t count,
                              struct im_error *e);

#endif
