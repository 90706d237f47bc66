#include "lib/rules/rows.h"

const struct im_rule im_http_rules[] = {{.id = NULL}};
const size_t im_http_rule_count = 0;
