/* Between the files of the DNS look-ups. */
#ifndef IMDIR_PROBE_DNS_IMPL_H
#define IMDIR_PROBE_DNS_IMPL_H

#include "lib/model/dns_facts.h"

int im_dns_type_number(enum im_dns_type type);
void im_dns_fail(struct im_dns_answer *answer, const char *trouble);
/* The name at `at` of a message, without its final dot, characters that host names do not have escaped; *end: behind it. NULL:
 * malformed, or out of memory. */
const char *im_dns_expand_name(const unsigned char *bytes, size_t len, size_t at, struct im_pool *pool, size_t *end,
                               bool *is_out_of_memory);

#endif
