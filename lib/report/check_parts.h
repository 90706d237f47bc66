/* What the formats of imcheck say in the same words. */
#ifndef IMDIR_REPORT_CHECK_PARTS_H
#define IMDIR_REPORT_CHECK_PARTS_H

#include "lib/base/vec.h"
#include "lib/report/check.h"

const char *im_check_state_name(enum im_finding_state state); /* "new"; NULL: there is no baseline */
/* What stands behind a yes. */
#define IM_CHECK_ONCE_ENABLED "once enabled"
#define IM_CHECK_AS_CHOSEN "as far as the chosen rules tell"

const char *im_check_signs_in(const struct im_checked *checked); /* yes, no, unknown */
/* Why not, or what is still to be done; nothing where there is nothing to say. */
void im_check_add_reason(const struct im_checked *checked, struct im_buf *out);
/* What a finding is about, for people: its account, else its subject, else its DN; "" where it is about everything. */
const char *im_check_about(const struct im_finding *finding);

/* How many findings of each severity a rule has. */
struct im_check_tally {
    const struct im_rule *rule;
    size_t counts[IM_ERROR + 1], silenced;
};
struct im_check_tallies {
    struct im_check_tally *items;
    size_t count, cap;
};
struct im_check_tally *im_check_tally(struct im_check_tallies *tallies, const struct im_rule *rule); /* NULL: out of memory */
/* Gone ones are not counted. */
enum im_err im_check_tally_add(struct im_check_tallies *tallies, const struct im_finding *finding, struct im_error *e);

#endif
