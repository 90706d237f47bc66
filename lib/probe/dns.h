/* DNS look-ups with answers that tell "none" from "unknown". Home of c-ares. */
#ifndef IMDIR_PROBE_DNS_H
#define IMDIR_PROBE_DNS_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/model/config.h"

#include <stdint.h>

struct im_srv {
    const char *target; /* without the final dot */
    uint16_t priority, weight, port;
};

struct im_srvs {
    struct im_srv *items; /* in the order to be tried: priority, then weight drawn as RFC 2782 says, by `seed` */
    size_t count;
};

/* SRV records of `name` from the configured resolvers (dns.servers) or the system's. count 0: the name has none (NXDOMAIN or no
 * data). SERVFAIL, refusal, timeout, truncation: IM_E_CONNECT (origin DNS), which is never "none". */
enum im_err im_dns_srv(const struct im_config *config, const char *name, unsigned seed, struct im_pool *pool, struct im_srvs *out,
                       struct im_error *e);

#endif
