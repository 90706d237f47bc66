/* Search filters as operators write them (RFC 4515). Pure. */
#ifndef IMDIR_DATA_FILTER_H
#define IMDIR_DATA_FILTER_H

#include "lib/base/error.h"
#include "lib/base/pool.h"

#include <stddef.h>

struct im_filter {
    const char *text;        /* as it is sent: in parentheses, without blanks between its parts */
    const char **attributes; /* that it names, without options; each once, as first spelled */
    size_t attribute_count;
};

/* Blanks around the filter and between its parts are passed over, and parentheses around the whole may be missing, as ldapsearch
 * has it. IM_E_USAGE says at which character what is wrong. Pieces in pool. */
enum im_err im_filter_parse(const char *text, struct im_pool *pool, struct im_filter *out, struct im_error *e);

#endif
