#include "lib/rules/rows.h"

const struct im_rule im_schema_rules[] = {{.id = NULL}};
const size_t im_schema_rule_count = 0;
