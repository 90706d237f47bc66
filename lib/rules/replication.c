#include "lib/rules/rows.h"

const struct im_rule im_replication_rules[] = {{.id = NULL}};
const size_t im_replication_rule_count = 0;
