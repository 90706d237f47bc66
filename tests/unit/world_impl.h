/* What the parts of the small world share: what its YAML says. Each fails the running test where that is wrong. */
#ifndef IMDIR_TESTS_WORLD_IMPL_H
#define IMDIR_TESTS_WORLD_IMPL_H

#include "tests/unit/world.h"

void world_must(enum im_err err, const struct im_error *e);
const char *world_text(struct world *w, const struct im_yaml_node *map, const char *key); /* NULL: not there */
long world_long(struct world *w, const struct im_yaml_node *map, const char *key, long fallback);
bool world_bool(struct world *w, const struct im_yaml_node *map, const char *key, bool fallback);
struct im_strings world_list(struct world *w, const struct im_yaml_node *map, const char *key);
void world_only_keys(struct world *w, const struct im_yaml_node *map, const char *const *names, size_t count);

/* world_survey.c: the keys that only imcheck's rules need; servers and context are there already */
void world_read_survey(struct world *w, const struct im_yaml_node *facts);

#endif
