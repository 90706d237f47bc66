/* Accounts that are chosen by a condition instead of being named. */
#ifndef IMDIR_DIRECTORY_CHOOSE_H
#define IMDIR_DIRECTORY_CHOOSE_H

#include "lib/data/filter.h"
#include "lib/directory/live.h"
#include "lib/directory/resolve.h"
#include "lib/model/chosen.h"
#include "lib/model/home_match.h"

/* What is given is joined: who fulfils any of it is chosen. */
struct im_condition {
    const struct im_filter *filter; /* accounts that it matches; NULL: not given */
    const char *group;              /* DN of a group: its members and those of the groups in it; NULL: not given */
    bool all;
    const struct im_home_match *home; /* whoever is homed there, whatever kind of entry it is; NULL: not given */
    im_log_fn *remark;                /* members of groups that are left out, and why */
    void *user;
};

/* An account, here, is an entry below the base that has one of the profile's account names and is no group, computer or trust.
 * Each is chosen once. On Active Directory the primary group of an account counts as well.
 *
 * IM_E_USAGE: the filter names an attribute that the directory does not know. IM_E_INPUT: the group is none or not there.
 * IM_E_INVISIBLE: nobody is chosen, because no account at all can be seen. A truncated result is an error. */
enum im_err im_choose(const struct im_resolver *r, const struct im_condition *condition, struct im_chosen **out,
                      struct im_error *e);

#endif
