/* The file that imapply carries out, or imundo takes back: which it is, and whether it belongs to this directory. */
#ifndef IMDIR_TOOLS_REPLAY_H
#define IMDIR_TOOLS_REPLAY_H

#include "tools/command.h"

/* Before connecting: opens and checks the one file that the arguments name, and sets profile and, of the configured servers, the
 * one that it tells of. Nothing that the file names is trusted further: neither a server nor a profile's file that nobody
 * configured is gone to. */
enum im_err im_replay_open(struct im_command *c, enum im_journal_kind kind, struct im_records **out);
/* After connecting: *base is where the accounts are; IM_E_INPUT where this directory is another one. */
enum im_err im_replay_check(struct im_command *c, const struct im_records *records, const struct im_directory *directory,
                            const char **base);

#endif
