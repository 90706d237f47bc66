/* Asks name servers everything that the DNS rules want to know, in a few rounds of parallel queries. */
#ifndef IMDIR_PROBE_DNS_SURVEY_H
#define IMDIR_PROBE_DNS_SURVEY_H

#include "lib/model/config.h"
#include "lib/model/dns_facts.h"

#include <stdatomic.h>

struct im_dns_wanted {
    struct im_strings mail_domains, im_domains, hosts; /* names that are no host names (IP addresses) are left out */
    const struct im_profile_srv *srv;                  /* the profile's */
    size_t srv_count;
    struct im_strings resolvers; /* ADDRESS or ADDRESS:PORT, each of them is asked; none: the system's */
    long timeout_s;              /* for one answer, repeated queries included */
    const atomic_int *stop;
};

/* Fills *out, zeroed before the first call; called again with further names it asks only for what is not known yet (srv and
 * resolvers are those of the first call). What cannot be found out is an answer IM_DNS_FAILED, not an error. A resolver that
 * answers nothing costs one timeout in all. The pool outlives *out; strings are copied.
 * IM_E_CONFIG: a resolver is no address. IM_E_INTERRUPTED: the answers so far are kept. */
enum im_err im_dns_gather(const struct im_dns_wanted *wanted, struct im_pool *pool, struct im_dns_facts *out, struct im_error *e);

#endif
