/* A password: its own type, so that no log or report can take it by accident. Wiped when freed. */
#ifndef IMDIR_BASE_SECRET_H
#define IMDIR_BASE_SECRET_H

#include "lib/base/error.h"

#include <lber.h>

struct im_secret;

/* First line of a file, without its line end. Refused when group or others can read it. */
enum im_err im_secret_from_file(const char *path, struct im_secret **out, struct im_error *e);
/* Asks on /dev/tty without echo. No terminal: IM_E_USAGE. */
enum im_err im_secret_from_terminal(const char *prompt, struct im_secret **out, struct im_error *e);
struct berval im_secret_value(const struct im_secret *s); /* borrowed; NULL gives the empty value */
void im_secret_free(struct im_secret **s);

#endif
