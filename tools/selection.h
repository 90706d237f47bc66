/* Whom a command is about: arguments and --list files. */
#ifndef IMDIR_TOOLS_SELECTION_H
#define IMDIR_TOOLS_SELECTION_H

#include "tools/command.h"

struct im_selection {
    struct im_input *items; /* pieces in the command's pool */
    size_t count, cap;
};

/* Arguments first, then the lines of `list` ("-" = standard input; NULL: none). Blank lines and lines that begin with # are
 * passed over. IM_E_USAGE: nobody is named. IM_E_INPUT names file, line and column. */
enum im_err im_selection_read(struct im_command *c, const char *list, struct im_selection *out);
void im_selection_free(struct im_selection *selection);

#endif
