#include "lib/rules/rows.h"

const struct im_rule im_server_rules[] = {{.id = NULL}};
const size_t im_server_rule_count = 0;
