/* The facts of a check that do not come from accounts: the organisation, name servers, web servers. */
#ifndef IMDIR_TOOLS_CHECK_FACTS_H
#define IMDIR_TOOLS_CHECK_FACTS_H

#include "tools/check.h"
#include "tools/facts.h"

/* People whose sign-in is tried with --probe. */
struct im_check_people {
    struct im_http_person *items;
    size_t count, cap;
};

/* What the rules look at; survey points at the rest. */
struct im_check_facts {
    struct im_command *c;
    const struct im_choice *choice;
    const struct im_facts_gathered *directory;
    struct im_survey survey;
    struct im_schema_report schema_report;
    struct im_organisation organisation;
    struct im_dns_facts dns;
    struct im_http_facts http;
    struct im_check_people people;
    struct {
        struct im_account *items; /* the same, as far as their sign-in is told */
        size_t count, cap;
    } accounts;
    struct im_replica_facts replicas;
    struct {
        const char **items; /* DNs of selected accounts, where they are compared with replicas */
        size_t count, cap;
    } selected;
    bool is_selection;
};

/* Before the accounts: schema, organisation, and what is known of names and servers without them. What could not be gathered is
 * said by the rules; errors are running out of memory and being stopped. */
enum im_err im_check_facts_begin(struct im_check_facts *f);
/* A mail domain that turned up. user is the struct im_check_facts. */
enum im_err im_check_facts_mail_domain(void *user, const char *domain, struct im_error *e);
/* A selected account. */
enum im_err im_check_facts_account(void *user, const struct im_account *account, struct im_error *e);
/* After the accounts: names and servers that they led to. census NULL: nobody looked at them. */
enum im_err im_check_facts_end(struct im_check_facts *f, const struct im_census *census);
/* Parts of the above, in check_replicas.c. */
enum im_err im_check_replicas_list(struct im_check_facts *f);
enum im_err im_check_replicas_compare(struct im_check_facts *f);
void im_check_facts_free(struct im_check_facts *f);

#endif
