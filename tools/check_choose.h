/* Which rules imcheck evaluates: what its options and the configuration say. */
#ifndef IMDIR_TOOLS_CHECK_CHOOSE_H
#define IMDIR_TOOLS_CHECK_CHOOSE_H

#include "tools/check.h"

/* is_selection: accounts are named. *is_partial: rules that can say who will not sign in were left out. IM_E_USAGE: a word is
 * wrong, or no rule is left. */
enum im_err im_check_choose(struct im_command *c, const struct im_profile *profile, bool is_selection, struct im_choice *out,
                            bool *is_partial);

/* Accounts were cut off: that is a finding whatever was chosen. False: --skip or the configuration says that nobody wants to hear
 * of it. */
bool im_check_choose_truncated(const struct im_config *config, struct im_choice *choice);

#endif
