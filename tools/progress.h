/* How far a run is: one line on standard error, drawn again and again, gone at the end.
 *
 * Nothing is shown, and all calls do nothing, where standard error is no terminal, with -q and with --progress=never. Messages of
 * the command make room for themselves; whoever writes to standard output calls im_progress_hide first. */
#ifndef IMDIR_TOOLS_PROGRESS_H
#define IMDIR_TOOLS_PROGRESS_H

#include "tools/command.h"

/* total: how many there will be; 0: not known. May be called again, where a next phase has another total. */
void im_progress_begin(struct im_command *c, size_t total);
/* Cheap enough to be called for each account. phase: "planning", "writing"; a new one is timed anew. */
void im_progress_update(struct im_command *c, size_t done, size_t failed, const char *phase);
/* Takes the line away until the next update. */
void im_progress_hide(const struct im_command *c);
void im_progress_end(struct im_command *c);

#endif
