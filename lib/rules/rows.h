/* The rows of each scope; one file a scope. */
#ifndef IMDIR_RULES_ROWS_H
#define IMDIR_RULES_ROWS_H

#include "lib/model/rule.h"

extern const struct im_rule im_account_rules[], im_server_rules[], im_dns_rules[], im_http_rules[], im_schema_rules[],
    im_replication_rules[];
extern const size_t im_account_rule_count, im_server_rule_count, im_dns_rule_count, im_http_rule_count, im_schema_rule_count,
    im_replication_rule_count;

#endif
