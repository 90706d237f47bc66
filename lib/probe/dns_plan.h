/* Which names are to be asked for next, in view of what is known. Pure. */
#ifndef IMDIR_PROBE_DNS_PLAN_H
#define IMDIR_PROBE_DNS_PLAN_H

#include "lib/probe/dns_survey.h"

/* Adds the questions to the facts; *count: those that wait to be asked. 0: everything that is wanted is known. */
enum im_err im_dns_plan(const struct im_dns_wanted *wanted, struct im_dns_facts *facts, size_t *count, struct im_error *e);

#endif
