/* Facts about the organisation as a whole, each gathered by its own room. Rules are pure functions over them. */
#ifndef IMDIR_MODEL_SURVEY_H
#define IMDIR_MODEL_SURVEY_H

#include "lib/model/config.h"
#include "lib/model/profile.h"
#include "lib/model/schema.h"
#include "lib/model/server.h"

#include <stdbool.h>
#include <stdint.h>

struct im_census;        /* lib/model/census.h: what the accounts say, counted */
struct im_organisation;  /* lib/model/organisation.h: server objects, computers, policy, from the directory */
struct im_dns_facts;     /* lib/model/dns_facts.h */
struct im_http_facts;    /* lib/model/http_facts.h */
struct im_replica_facts; /* lib/model/replica_facts.h */

/* NULL where something was not gathered: rules that need it are skipped, with the reason. */
struct im_survey {
    const struct im_config *config;
    const struct im_profile *profile;
    const struct im_schema *schema;
    const struct im_schema_report *schema_report;
    const struct im_servers *servers;
    const struct im_organisation *organisation;
    const struct im_census *census;
    const struct im_dns_facts *dns;
    const struct im_http_facts *http;
    const struct im_replica_facts *replicas;
    const char *server;    /* that was asked: its URI, or the file */
    const char *truncated; /* a result was cut off: what was said; NULL: none was */
    bool is_bound_to_gc;   /* through the port of the global catalog */
    size_t domain_count;   /* of the forest; 0: not known */
    bool is_ad;
    bool is_offline;  /* from an export: there is no server to ask */
    bool is_external; /* --external: judged as seen from outside of the organisation */
    int64_t now;      /* seconds since 1970 */
};

#endif
