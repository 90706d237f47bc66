/* What the identity that we are bound as may see and change, tried on some accounts. */
#ifndef IMDIR_DIRECTORY_RIGHTS_H
#define IMDIR_DIRECTORY_RIGHTS_H

#include "lib/directory/resolve.h"

enum { IM_RIGHTS_SAMPLE = 20 };

struct im_rights {
    size_t sampled;      /* accounts looked at, at most IM_RIGHTS_SAMPLE */
    size_t states;       /* of which it can be seen whether they are enabled */
    size_t values;       /* of which IM values can be seen */
    size_t writable;     /* whose IM attributes may be written */
    bool tells;          /* the server says what may be written */
    const char *example; /* name of one that may not be written; in pool; NULL: none */
};

/* Accounts of the base, as they come. Nothing is an error but what makes the directory unusable. */
enum im_err im_rights_try(const struct im_resolver *r, struct im_pool *pool, struct im_rights *out, struct im_error *e);

#endif
