/* The rule table: what makes an account fail, as rows over facts. imcheck reports them; the planner refuses by the same rows.
 * Pure. */
#ifndef IMDIR_MODEL_RULE_H
#define IMDIR_MODEL_RULE_H

#include "lib/base/buf.h"
#include "lib/model/want.h"

enum im_scope { IM_SCOPE_ACCOUNT, IM_SCOPE_SERVER, IM_SCOPE_DNS, IM_SCOPE_HTTP, IM_SCOPE_SCHEMA, IM_SCOPE_REPLICATION };
enum im_severity { IM_INFO, IM_WARNING, IM_ERROR };
enum im_blocks { IM_BLOCKS_NOTHING = 0, IM_BLOCKS_ENABLE = 1, IM_BLOCKS_MOVE = 2 };
enum im_verdict { IM_FINE, IM_FIRES, IM_SKIPPED };

/* Another object of the forest that holds the wanted address or logical URL. */
struct im_holder {
    const char *dn;
    const char *attribute;
    const char *value;
};

/* Everything that an account rule may look at, gathered before. */
struct im_facts {
    const struct im_account_context *context;
    const struct im_account *account;
    const struct im_want *want; /* the state that is judged */
    const struct im_servers *servers;
    const struct im_holder *holders;
    size_t holder_count;
};

/* Fires: appends one sentence about this account to `message`, and to `remedy` what to do where it is more exact than the row's.
 * Skipped: the message is the reason. */
typedef enum im_verdict im_rule_check(const struct im_facts *facts, struct im_buf *message, struct im_buf *remedy);

struct im_rule {
    const char *id; /* permanent */
    enum im_scope scope;
    enum im_severity severity;
    unsigned blocks; /* enum im_blocks, or-ed */
    const char *title, *cause, *remedy, *source;
    im_rule_check *check;
};

/* The rows of a scope in their order: for accounts that is also the order in which a refusal names its reason. */
const struct im_rule *im_rules(enum im_scope scope, size_t *count);
const struct im_rule *im_rule_find(const char *id); /* NULL: no such rule */
/* IM_E_CONFIG with file, line and column where the profile names a rule that there is not: a misspelt one would not protect. */
enum im_err im_rules_check_profile(const struct im_profile *profile, struct im_error *e);
const char *im_severity_name(enum im_severity severity);
const char *im_scope_name(enum im_scope scope);

struct im_finding {
    const struct im_rule *rule;
    const char *message, *remedy; /* in the pool */
};

/* Evaluates the account rules that the profile lists and that block `action`. *count findings in pool, in the table's order. */
enum im_err im_rules_judge(const struct im_facts *facts, unsigned blocks, struct im_pool *pool, struct im_finding **findings,
                           size_t *count, struct im_error *e);

#endif
