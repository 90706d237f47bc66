/* What imhome tells without changing anything. */
#ifndef IMDIR_TOOLS_HOME_READ_H
#define IMDIR_TOOLS_HOME_READ_H

#include "tools/sources.h"

/* Servers, those of the directory, of the configuration, and what is left of others where people are homed; returns the exit
 * status. */
int im_home_list(struct im_command *c);
/* Where each account is homed, and whether its attributes agree; 1 where some were not found. Takes the sources. */
int im_home_show_take(struct im_command *c, struct im_sources *sources);

#endif
