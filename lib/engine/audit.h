/* The walk of imcheck over a directory: accounts pass by as a stream and are judged; what only shows when all were seen is
 * judged in a second, small walk. */
#ifndef IMDIR_ENGINE_AUDIT_H
#define IMDIR_ENGINE_AUDIT_H

#include "lib/directory/resolve.h"
#include "lib/engine/count.h"
#include "lib/rules/choice.h"

typedef enum im_err im_finding_fn(void *user, const struct im_finding *finding, struct im_error *e);

struct im_audit {
    struct im_resolver resolver; /* base: accounts below it are judged; NULL: those of all domains */
    const struct im_servers *servers;
    const struct im_survey *survey;
    struct im_choice *choice; /* counts are kept in it */
    struct im_pool *pool;     /* for reasons in the choice */
    size_t parts;             /* searches side by side, each for a part of the directory; 0 = 1 */
    im_finding_fn *on_finding;
    /* A mail domain that no account before had: facts about it may be gathered before the account is judged. Or NULL */
    enum im_err (*on_mail_domain)(void *user, const char *domain, struct im_error *e);
    /* Of a preflight: each account, before it is judged. Or NULL */
    enum im_err (*on_account)(void *user, const struct im_account *account, struct im_error *e);
    void (*on_progress)(void *user, size_t done); /* accounts read; or NULL */
    void *user;
};

/* Judges every account that has an attribute of the profile, and counts them into the counter's census. Duplicates are looked for
 * in the whole forest. IM_E_INVISIBLE: there is none, and no account at all can be seen. A truncated result is an error. */
enum im_err im_audit_accounts(struct im_audit *a, struct im_counter *counter, struct im_error *e);

/* Evaluates the rules about the organisation that were chosen, of one scope. */
enum im_err im_audit_scope(struct im_audit *a, enum im_scope scope, struct im_error *e);

/* ---- one account, for preflights and for the walks ---- */

enum { IM_FINDINGS_MOST = 64 }; /* rules about one account; more would be in the table twice */

/* Evaluates the account rules that were chosen. without: bits of enum im_needs, rules that need any of them are left out; only:
 * rules that need none of them are left out (0: no such limit). `found` has room for IM_FINDINGS_MOST; texts are in pool or those
 * of the account. */
struct im_judge_limits {
    unsigned without, only;
};
enum im_err im_audit_evaluate(struct im_audit *a, const struct im_facts *facts, const struct im_judge_limits *limits,
                              struct im_pool *pool, struct im_finding *found, size_t *count, struct im_error *e);
/* Counts findings and hands them to on_finding. */
enum im_err im_audit_tell(struct im_audit *a, const struct im_finding *found, size_t count, struct im_error *e);

#endif
