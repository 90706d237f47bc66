/* Compares the attributes of accounts on several servers. */
#ifndef IMDIR_ENGINE_COMPARE_H
#define IMDIR_ENGINE_COMPARE_H

#include "lib/directory/replicas.h"
#include "lib/model/account.h"

struct im_compare {
    struct im_directory *directory; /* that the others are compared with */
    const struct im_account_context *context;
    struct im_directory **replicas; /* those of facts->replicas, opened; NULL: it could not be */
    struct im_replica_facts *facts; /* differences and numbers are added */
    struct im_pool *pool;           /* of what is found */
    size_t most;                    /* differences that are listed; more are only counted */
    long patience_s;                /* a replica is asked again that answers nothing but that it is busy */
};

/* Every account below the base that has an attribute of the profile; NULL: the accounts of these DNs. A replica that fails on the
 * way is a trouble, and no error. */
enum im_err im_compare_all(struct im_compare *c, const char *base, struct im_error *e);
enum im_err im_compare_some(struct im_compare *c, const char *const *dns, size_t count, struct im_error *e);

#endif
