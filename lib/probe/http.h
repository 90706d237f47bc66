/* Asks web servers what a client of instant messaging would be told: PROPFIND (Depth 0) for the service's path and for the paths
 * of people, and GET for the service's path. No credentials, no cookies, no proxy, no redirect is followed, and nothing is ever
 * subscribed to, since that would leave something behind on the server. */
#ifndef IMDIR_PROBE_HTTP_H
#define IMDIR_PROBE_HTTP_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/model/http_facts.h"
#include "lib/model/profile.h"

#include <stdatomic.h>
#include <stddef.h>

/* A server, IM domain or mail domain that the directory or the operator named. */
struct im_http_host {
    const char *host;
    unsigned roles; /* enum im_http_role */
};

/* An account with its URLs as the directory has them. Their hosts are asked as well. */
struct im_http_person {
    const char *account, *dn;
    const char *logical_url, *physical_url; /* NULL: it has none */
};

/* Where a name leads, instead of what the system's resolver says. */
struct im_http_place {
    const char *host;
    const char *const *addresses; /* none: the name has none */
    size_t address_count;
    long port; /* 0: 80. Another one is for tests: clients know no other */
};

struct im_http_wanted {
    const struct im_profile *profile; /* path, header and version */
    const struct im_http_host *hosts;
    size_t host_count;
    const struct im_http_person *people;
    size_t person_count;
    const struct im_http_place *places; /* not NULL: the only names that lead anywhere */
    size_t place_count;
    long timeout_ms; /* for each request; a server that let one pass is not asked again */
    const atomic_int *stop;
};

/* Adds to `out`, which may hold earlier answers: hosts and people that are there are not asked again, but roles are added. A host
 * that does not answer is a fact, no error. IM_E_INTERRUPTED: `stop` was set; what was answered until then is there.
 * Everything in it is in pool. */
enum im_err im_http_gather(const struct im_http_wanted *wanted, struct im_pool *pool, struct im_http_facts *out,
                           struct im_error *e);

#endif
