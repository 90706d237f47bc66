/* Do the attributes of an account that tell where it is homed agree, and is the home one? Pure. */
#ifndef IMDIR_MODEL_HOME_REMARKS_H
#define IMDIR_MODEL_HOME_REMARKS_H

#include "lib/model/rule.h"

/* facts->want is that of im_want_agreeing, facts->target what is known of the home. `*remarks`, in pool: what does not agree, in
 * words; none: all is well. Of an account that is not enabled the only remark says so. */
enum im_err im_home_remarks(const struct im_facts *facts, struct im_pool *pool, const char *const **remarks, size_t *count,
                            struct im_error *e);
/* "its object is deleted", "it is a router", ...; NULL: it hosts users, or nothing is known. */
const char *im_target_remark(enum im_target target);

#endif
