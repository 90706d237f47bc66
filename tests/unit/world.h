/* A small world for tests of the model: one account, its directory's schema, the servers, and what is asked for, told in a few
 * lines of YAML. What is not said is the plain case.
 *
 * - directory: ad | openldap; default ad
 * - class: static | dynamic | content-rule | missing: how the auxiliary class gets to people; default static, openldap: dynamic
 * - without-equality: [NAME...]: attributes that the schema gives no equality rule
 * - many-valued: [NAME...]: attributes that the schema lets have many values
 * - syntaxes: {NAME: OID}: other than the profile's
 * - knows: [NAME...]: further attributes of the schema; lacks: [NAME...]: attributes that it does not have
 * - assertion: bool: the server offers RFC 4528
 * - asked-rights: bool
 * - now: SECONDS since 1970; default 1795600000 (2026-11-25)
 * - max-password-age: SECONDS: of the account's context
 * - servers: [{name, host, dn, domains, hosts-users, capacity, users}]; default: a home imhome1 and the router im.corp.example
 * - request: {action: enable | disable | move | suspend, home, to: [NAME...], domain, address, keep-acl, default-home,
 *   default-domain, default-address}
 * - profile: FILE
 * - holders: [{dn, attribute, value}]
 *
 * What only imcheck's rules look at:
 *
 * - audit: bool: the state the account is in is judged, not one that is wanted
 * - named: bool: the operator named the account and wants to hear where it is not enabled
 * - target: host | no-host | no-server | deleted | missing | unknown: what the home attribute names; default: what the servers
 *   and the DN say, else missing
 * - protected: true | false: in a protected group; default: not looked up
 * - policy: {max-password-age, min-password-length, reversible}, or unknown; default: 42 days, 7, false; openldap: unknown
 * - http: {HOST: [SCHEME...]}, or unknown; [] is a server that does not answer; default: every home server offers NTLM
 * - srv: {MAIL-DOMAIN: TARGET}: SRV records, "" is none; default: name servers were not asked
 */
#ifndef IMDIR_TESTS_WORLD_H
#define IMDIR_TESTS_WORLD_H

#include "lib/data/op.h"
#include "lib/model/dns_facts.h"
#include "lib/model/http_facts.h"
#include "lib/model/organisation.h"
#include "lib/model/plan.h"
#include "lib/model/rule.h"

struct world {
    struct im_pool *pool;
    struct im_yaml *doc;
    struct im_profile *profile;
    struct im_schema schema;
    struct im_account_context context;
    struct im_servers servers; /* items on the heap */
    struct im_request request;
    struct im_holder *holders;
    size_t holder_count;
    bool has_assertion;
    /* what only imcheck's rules look at */
    bool is_audit, is_named, has_target;
    enum im_target target;
    enum im_tri in_protected_group;
    struct im_organisation organisation;
    struct im_http_facts http;
    struct im_dns_facts dns;
    struct im_survey survey;
};

/* Fails the running test where the YAML or the LDIF is wrong. */
struct world *world_from_file(const char *path);
struct world *world_from_text(const char *yaml);
void world_free(struct world **w);

struct im_entry *world_entry_from_file(struct world *w, const char *path); /* the file's only entry */
struct im_entry *world_entry(struct world *w, const char *ldif);

/* The steps from an entry to a plan; each fails the test unless it works. */
struct im_account world_account(struct world *w, const struct im_entry *entry);
struct im_want world_want(struct world *w, const struct im_account *account);
struct im_want world_present(struct world *w, const struct im_account *account);
struct im_facts world_facts(struct world *w, const struct im_account *account, const struct im_want *want);
struct im_plan world_plan(struct world *w, const struct im_entry *entry);

/* What a server does with a modify, in place: all of it or nothing. Returns the LDAP result code. Values are compared byte by
 * byte, extended DNs by their GUID where the change names one; a second value of a single-valued attribute of the profile is
 * refused. */
int world_apply(struct world *w, struct im_entry *entry, const struct im_change *change);
/* All attributes and values as text, sorted: equal texts are equal entries. In pool. */
const char *world_dump(struct world *w, const struct im_entry *entry);

#endif
