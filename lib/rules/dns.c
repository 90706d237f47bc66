#include "lib/rules/rows.h"

const struct im_rule im_dns_rules[] = {{.id = NULL}};
const size_t im_dns_rule_count = 0;
