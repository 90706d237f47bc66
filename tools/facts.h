/* What a changing command has to know of the directory before the first account: schema, servers, domains. */
#ifndef IMDIR_TOOLS_FACTS_H
#define IMDIR_TOOLS_FACTS_H

#include "tools/command.h"

struct im_facts_gathered {
    struct im_profile *profile;
    struct im_directory *directory;
    struct im_directory *gc; /* of a forest of several domains, else NULL */
    struct im_schema schema;
    struct im_account_context context;
    struct im_servers servers;
    const char *const *domains; /* NULL-terminated */
    const char *netbios;        /* of the base's domain; NULL: not known */
    struct im_early early;      /* answers about wanted->one; for im_run */
    struct im_lookups lookups;  /* of early */
    const char *base;           /* naming context or --base; NULL: several, and none is chosen */
};

/* Connects and gathers. needs_servers: something may be enabled; counts_users: homes are chosen by load; templates: those whose
 * {attr:NAME} are read with each account. Errors in c->error. */
struct im_facts_wanted {
    bool needs_servers, counts_users;
    bool keeps_gone;    /* configured servers without an object are no error */
    bool is_check;      /* of imcheck: what is missing in the schema is found by a rule, and accounts are asked for more */
    size_t connections; /* 0 = 1 */
    const struct im_identity *one; /* the only account, looked for in the same round trip; NULL: there are several */
    const char *const *templates;
    size_t template_count;
};
enum im_err im_facts_gather(struct im_command *c, const struct im_facts_wanted *wanted, struct im_facts_gathered *f);
void im_facts_free(struct im_facts_gathered *f);

#endif
