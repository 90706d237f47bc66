/* DNS look-ups with answers that tell "none" from "unknown", all in parallel. Home of c-ares. */
#ifndef IMDIR_PROBE_DNS_H
#define IMDIR_PROBE_DNS_H

#include "lib/model/config.h"
#include "lib/model/dns_facts.h"

#include <stdatomic.h>

struct im_dns_asking {
    long timeout_s; /* for one answer, a repeated query included */
    const atomic_int *stop;
    bool is_one_enough; /* ends as soon as there is an answer that counts (im_dns_answer) for each name */
};

/* The given ADDRESS or ADDRESS:PORT; without any, those of the system. In pool. */
enum im_err im_dns_resolvers(const struct im_strings *given, struct im_pool *pool, struct im_dns_resolver **out, size_t *count,
                             struct im_error *e);

/* Asks every question that is IM_DNS_NOT_ASKED. What goes wrong is an answer IM_DNS_FAILED. A resolver that answered nothing by
 * the time the first question is given up is dead: all others to it fail at once, now and later.
 * IM_E_CONFIG: a resolver is no address. IM_E_INTERRUPTED: the stop flag; what was not answered stays IM_DNS_NOT_ASKED. */
enum im_err im_dns_ask(const struct im_dns_asking *asking, struct im_dns_facts *facts, struct im_error *e);

/* Takes a message as it came into the answer; *is_truncated: nothing was taken, it is to be asked for by TCP. */
enum im_err im_dns_read(struct im_dns_answer *answer, const unsigned char *bytes, size_t len, struct im_pool *pool,
                        bool *is_truncated, struct im_error *e);

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
