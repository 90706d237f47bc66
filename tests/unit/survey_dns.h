/* The part "dns" of facts about an organisation. */
#ifndef IMDIR_TESTS_SURVEY_DNS_H
#define IMDIR_TESTS_SURVEY_DNS_H

#include "lib/model/dns_facts.h"
#include "tests/unit/survey_world.h"

survey_read survey_read_dns;
void survey_free_dns(struct survey_world *w);

#endif
