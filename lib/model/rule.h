/* The rule table: what makes an account fail, as rows over facts. imcheck reports them; the planner refuses by the same rows.
 * Pure. */
#ifndef IMDIR_MODEL_RULE_H
#define IMDIR_MODEL_RULE_H

#include "lib/base/buf.h"
#include "lib/model/finding.h"
#include "lib/model/survey.h"
#include "lib/model/want.h"

enum im_scope {
    IM_SCOPE_ACCOUNT,
    IM_SCOPE_SERVER,
    IM_SCOPE_DNS,
    IM_SCOPE_HTTP,
    IM_SCOPE_SCHEMA,
    IM_SCOPE_REPLICATION,
    IM_SCOPE_COUNT,
};
enum im_blocks { IM_BLOCKS_NOTHING = 0, IM_BLOCKS_ENABLE = 1, IM_BLOCKS_MOVE = 2 };
enum im_needs { IM_NEEDS_TARGET = 1, IM_NEEDS_HOLDERS = 2, IM_NEEDS_GROUPS = 4, IM_NEEDS_CENSUS = 8 };
enum im_verdict { IM_FINE, IM_FIRES, IM_SKIPPED };

/* Another object of the forest that holds the wanted address or logical URL. */
struct im_holder {
    const char *dn;
    const char *attribute;
    const char *value;
};

/* What the home attribute of an account names, looked up once for all who name it. */
enum im_target {
    IM_TARGET_UNKNOWN,   /* not looked up, or could not be read */
    IM_TARGET_HOST,      /* a virtual server that hosts users */
    IM_TARGET_NO_HOST,   /* a virtual server that hosts none: a router */
    IM_TARGET_NO_SERVER, /* some other object */
    IM_TARGET_DELETED,   /* the object is deleted (Active Directory keeps the value) */
    IM_TARGET_MISSING,   /* there is no such object */
};

/* Everything that an account rule may look at, gathered before. */
struct im_facts {
    const struct im_account_context *context;
    const struct im_account *account;
    const struct im_want *want; /* the state that is judged: the wanted one, or in an audit the present one */
    const struct im_servers *servers;
    const struct im_holder *holders;
    size_t holder_count;
    /* The account is judged as if it were to be enabled: by changing commands and in a preflight. Else what is wrong with an
     * account that is not enabled is no finding. */
    bool is_preflight;
    enum im_target target; /* what the account's own home attribute names */
    /* In a protected group, nested groups counted (im_protected_by_groups); asked only where account->admin_count is IM_YES.
     * IM_UNKNOWN: not looked up. */
    enum im_tri in_protected_group;
    /* The operator named this account and wants to hear where it is not enabled: false in a preflight, unless that rule was asked
     * for. */
    bool is_named;
    const struct im_survey *survey; /* facts about the organisation; NULL: none were gathered */
};

/* What a rule says about one account. */
struct im_judgement {
    struct im_buf message;     /* one sentence */
    struct im_buf remedy;      /* what to do, where it is more exact than the row's */
    enum im_severity severity; /* the row's, unless the rule finds that this case weighs more or less */
    /* Where the rule is skipped: why, as pieces of one sentence, the last ones NULL. They are borrowed, and put together for who
     * wants to read them: mostly a rule is skipped for every account, and only the first reason is told. */
    const char *reason[3];
};
typedef enum im_verdict im_rule_check(const struct im_facts *facts, struct im_judgement *j);

/* Rules about the organisation are called once and may find several things. Skipped: im_sink_skip said why. */
struct im_sink;
typedef enum im_verdict im_rule_survey(const struct im_survey *survey, struct im_sink *out);

struct im_rule {
    const char *id; /* permanent */
    enum im_scope scope;
    enum im_severity severity;
    unsigned blocks;       /* enum im_blocks, or-ed */
    const char *hidden_by; /* ids of more exact rules, blanks between: where one of them fires on the same account or subject,
                            * this one is silent; or NULL */
    unsigned needs;        /* enum im_needs, or-ed: what an audit only knows once all accounts were seen */
    bool takes_limit;      /* compares with a number that the configuration may set */
    const char *title, *cause, *remedy, *source;
    im_rule_check *check;   /* scope account, and replication rules about accounts */
    im_rule_survey *survey; /* the others; a row has one of the two */
};

/* The rows of a scope in their order: for accounts that is also the order in which a refusal names its reason. */
const struct im_rule *im_rules(enum im_scope scope, size_t *count);
const struct im_rule *im_rule_find(const char *id); /* NULL: no such rule */
const char *im_rule_nearest(const char *id);        /* for "did you mean"; NULL: nothing is like it */
/* IM_E_CONFIG with file, line and column where the profile names a rule that there is not: a misspelt one would not protect. */
enum im_err im_rules_check_profile(const struct im_profile *profile, struct im_error *e);
/* IM_E_CONFIG, with the place, where `rules:` or `silence:` of the configuration names a rule that there is not, or a limit for
 * one that takes none. */
enum im_err im_rules_check_config(const struct im_config *config, struct im_error *e);
bool im_rule_applies(const struct im_profile *profile, const struct im_rule *rule); /* the profile lists it */
/* Says nothing, or not all, unless accounts were read: rules about them, those that need the census, and those about DNS and web
 * servers, whose names accounts tell. */
bool im_rule_needs_accounts(const struct im_rule *rule);
const char *im_scope_name(enum im_scope scope);

/* Evaluates the account rules that the profile lists and that block `action`. *count findings in pool, in the table's order. */
enum im_err im_rules_judge(const struct im_facts *facts, unsigned blocks, struct im_pool *pool, struct im_finding **findings,
                           size_t *count, struct im_error *e);
/* Evaluates one rule: *verdict says whether *finding is filled (IM_FIRES) or its message is a reason (IM_SKIPPED). */
enum im_err im_rule_judge(const struct im_rule *rule, const struct im_facts *facts, struct im_pool *pool,
                          struct im_finding *finding, enum im_verdict *verdict, struct im_error *e);
/* Why it was skipped, in pool; NULL when out of memory. */
const char *im_judgement_reason(const struct im_judgement *j, struct im_pool *pool);
/* Takes out, in place, findings that a more exact one of the same account and subject says better. Returns how many are left. */
size_t im_findings_hide(struct im_finding *findings, size_t count);

#endif
