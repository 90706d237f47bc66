/* Searches of which each may fail for itself, and the groups of facts that are made of them. Internal to this room. */
#ifndef IMDIR_DIRECTORY_ORGANISATION_READ_H
#define IMDIR_DIRECTORY_ORGANISATION_READ_H

#include "lib/directory/organisation.h"

/* One search. Its entries are kept in the pool, and are there only where it succeeded as a whole. */
struct im_inquiry {
    struct im_search search;
    size_t enough; /* no more entries are wanted; 0: all are */
    /* kept by im_inquiries_run */
    const char *why_not; /* it failed; NULL: it did not */
    struct {
        struct im_entry **items;
        size_t count, cap;
    } found;
    enum { IM_INQUIRY_WAITS, IM_INQUIRY_IN_FLIGHT, IM_INQUIRY_DONE } state;
};

struct im_inquiries {
    struct im_directory *directory;
    struct im_pool *pool; /* of texts and entries */
    struct {
        struct im_inquiry **items; /* each stays where it is */
        size_t count, cap;
    } list;
    size_t in_flight;
};

/* In *out, to be looked at after the run. Texts of the search must live as long. */
enum im_err im_inquiries_add(struct im_inquiries *q, const struct im_search *search, struct im_inquiry **out, struct im_error *e);
/* Sends those that wait, side by side, and waits for all. A result that a server cut short is asked for again in pages. */
enum im_err im_inquiries_run(struct im_inquiries *q, struct im_error *e);
void im_inquiries_free(struct im_inquiries *q);

/* What all groups work on. */
struct im_organisation_reading {
    const struct im_gather *g;
    const struct im_gathered *known;
    struct im_pool *pool;
    struct im_organisation *out;
    struct im_inquiries first, second; /* the second round asks for what the first one named */
    bool is_ad;
    /* kept by the groups */
    struct im_inquiry *policy, *role, *role_host, *gc;
    struct im_inquiry **machines, **stores, **settings; /* one for each base; NULL: not asked */
    struct im_machine *machine_list;
    size_t base_count;
    struct im_inquiry **computers;
    size_t computer_count;
    struct im_inquiry **people; /* one for each domain; NULL: not asked */
    struct im_inquiry **rights; /* in the order of people's entries */
    size_t rights_count;
    struct im_domain_rights *rights_list;
    size_t domain_count;
};

/* Each group: what it asks first, what it asks then, and what it makes of the answers. */
enum im_err im_machines_ask_first(struct im_organisation_reading *r, struct im_error *e);
enum im_err im_machines_ask_then(struct im_organisation_reading *r, struct im_error *e); /* machines are known then */
enum im_err im_machines_conclude(struct im_organisation_reading *r, struct im_error *e);

enum im_err im_settings_ask_first(struct im_organisation_reading *r, struct im_error *e);
enum im_err im_settings_conclude(struct im_organisation_reading *r, struct im_error *e);

enum im_err im_domain_facts_ask_first(struct im_organisation_reading *r, struct im_error *e);
enum im_err im_domain_facts_ask_then(struct im_organisation_reading *r, struct im_error *e);
enum im_err im_domain_facts_conclude(struct im_organisation_reading *r, struct im_error *e);

enum im_err im_schema_facts_ask_first(struct im_organisation_reading *r, struct im_error *e);
enum im_err im_schema_facts_ask_then(struct im_organisation_reading *r, struct im_error *e);
enum im_err im_schema_facts_conclude(struct im_organisation_reading *r, struct im_error *e);

/* One search for each place where server objects are: the configuration partition, elsewhere all naming contexts. *out has
 * r->base_count items, in pool. */
enum im_err im_organisation_ask_bases(struct im_organisation_reading *r, const char *filter, const char *const *attributes,
                                      struct im_inquiry ***out, struct im_error *e);
/* The DN in the form of im_dn_normalize, in pool; what is no DN gives itself. */
enum im_err im_organisation_key(struct im_pool *pool, const char *dn, const char **out, struct im_error *e);

#endif
