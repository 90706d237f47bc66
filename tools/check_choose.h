/* Which rules imcheck evaluates: what its options and the configuration say. */
#ifndef IMDIR_TOOLS_CHECK_CHOOSE_H
#define IMDIR_TOOLS_CHECK_CHOOSE_H

#include "tools/check.h"

/* is_selection: accounts are named. *is_partial: rules that can say who will not sign in were left out. IM_E_USAGE: a word is
 * wrong, or no rule is left. */
enum im_err im_check_choose(struct im_command *c, const struct im_profile *profile, bool is_selection, struct im_choice *out,
                            bool *is_partial);

#endif
