/* Value templates: "{alias}@{domain}". Literal braces are doubled: "{{". */
#ifndef IMDIR_DATA_TEMPLATE_H
#define IMDIR_DATA_TEMPLATE_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* How an inserted value is escaped: text as it is; a URL path segment (RFC 3986 section 3.3, percent encoding); a DN value. */
enum im_template_context { IM_TEMPLATE_PLAIN, IM_TEMPLATE_URL, IM_TEMPLATE_DN };

/* Gives the value of a variable ("alias", "attr:NAME"), or NULL where it has none. */
typedef const char *im_template_lookup(void *user, const char *variable);

/* Checks syntax and that each variable is one of `names` or "attr:NAME". column is 1-based within the template. */
enum im_err im_template_check(const char *text, const char *const *names, size_t count, struct im_error *e);
/* Appends the expansion, or on an error nothing. IM_E_INPUT: a variable without a value, its name in the message. */
enum im_err im_template_expand(const char *text, enum im_template_context context, im_template_lookup *lookup, void *user,
                               struct im_buf *out, struct im_error *e);
bool im_template_uses(const char *text, const char *variable);

#endif
