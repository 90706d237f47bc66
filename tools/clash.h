/* Files that a command reads and writes: what is written must not take the place of another one. */
#ifndef IMDIR_TOOLS_CLASH_H
#define IMDIR_TOOLS_CLASH_H

#include "tools/command.h"

/* `recorded`: the journal or plan that is read, or NULL. Rejects may take the place of the table that they come from. IM_E_USAGE
 * names both. */
enum im_err im_clash_check(struct im_command *c, const char *recorded);

#endif
