/* Which rules a check evaluates, how much each weighs, and what became of it. */
#ifndef IMDIR_RULES_CHOICE_H
#define IMDIR_RULES_CHOICE_H

#include "lib/model/rule.h"

/* One rule that was chosen. */
struct im_choice_row {
    const struct im_rule *rule;
    bool has_severity; /* the configuration says how much it weighs, whatever the rule finds */
    enum im_severity severity;
    size_t findings;    /* that were reported */
    size_t checked;     /* how often it was evaluated */
    size_t skipped;     /* how often it could not be */
    const char *reason; /* why, the first time; in the pool */
};

/* In the order of the table, the scopes one after another. */
struct im_choice {
    struct im_choice_row *items;
    size_t count;
};

struct im_choice_wanted {
    unsigned scopes;           /* bits: 1u << enum im_scope */
    struct im_strings only;    /* --rule; none: all */
    struct im_strings without; /* --skip */
};

/* Rules of the profile that are wanted. A rule that --rule names is chosen whatever its scope, where the profile has it.
 * IM_E_USAGE: there is no such rule, or the profile leaves out one that --rule names. */
enum im_err im_choice_make(const struct im_profile *profile, const struct im_choice_wanted *wanted, struct im_pool *pool,
                           struct im_choice *out, struct im_error *e);
/* IM_E_USAGE: there is no such rule; names the option that asks for it, and the rule that is most like it. */
enum im_err im_choice_check_rule(const char *id, const char *option, struct im_error *e);
/* Takes a rule out (the configuration turned it off). */
void im_choice_drop(struct im_choice *choice, const char *id);
/* One more rule, behind the others, unless it is chosen already. */
void im_choice_add(struct im_choice *choice, const struct im_rule *rule);
struct im_choice_row *im_choice_find(const struct im_choice *choice, const struct im_rule *rule); /* NULL: not chosen */
bool im_choice_has(const struct im_choice *choice, const char *id);
bool im_choice_needs_accounts(const struct im_choice *choice);
bool im_choice_has_scope(const struct im_choice *choice, enum im_scope scope);

/* A rule that can say that a person will not sign in was not chosen, although the profile has it. */
bool im_choice_is_partial(const struct im_choice *choice, const struct im_profile *profile);

/* Not all accounts were seen: what their rules did not find is no pass. The reason lives as long as the choice. */
void im_choice_cut_accounts(struct im_choice *choice, const char *reason);
/* Nobody will ask the rules about the organisation that were not asked yet. */
void im_choice_cut_rest(struct im_choice *choice, const char *reason);

/* "account,dns" to bits. IM_E_USAGE names what there is. */
enum im_err im_scopes_parse(const struct im_strings *names, unsigned *scopes, struct im_error *e);

#endif
