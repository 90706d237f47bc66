/* The question before accounts are changed that nobody named one by one. */
#ifndef IMDIR_TOOLS_CONSENT_H
#define IMDIR_TOOLS_CONSENT_H

#include "tools/command.h"

/* "1,204 of 3,310 accounts would change (first: a, b, c ...), 12 refused. Go on?" names: some of those that would change. */
void im_consent_write(const struct im_summary *planned, const char *const *names, size_t count, struct im_buf *out);

/* Asks on the terminal, where anything would change; --yes answers. Errors as im_command_confirm. */
enum im_err im_consent_ask(struct im_command *c, const struct im_summary *planned, const char *const *first_names, size_t count,
                           bool *yes);

#endif
