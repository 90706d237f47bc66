/* The rows of each scope; one file a scope. */
#ifndef IMDIR_RULES_ROWS_H
#define IMDIR_RULES_ROWS_H

#include "lib/model/rule.h"

extern const struct im_rule im_account_rules[];
extern const size_t im_account_rule_count;

#endif
