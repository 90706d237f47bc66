/* A profile: which attributes with which values make a person enabled for one kind of instant messaging. Data, not code. */
#ifndef IMDIR_MODEL_PROFILE_H
#define IMDIR_MODEL_PROFILE_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/model/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum im_role {
    IM_ROLE_ADDRESS,      /* the IM address */
    IM_ROLE_LOGICAL_URL,  /* who the person is, wherever homed */
    IM_ROLE_PHYSICAL_URL, /* where the home is */
    IM_ROLE_HOME,         /* DN of the home server's object */
    IM_ROLE_OPAQUE,       /* never invented; kept on a move, removed when disabled unless asked to keep */
    IM_ROLE_VALUE,        /* a value that only has to be there */
};

struct im_profile_attr {
    const char *name;
    enum im_role role;
    const char *enabled;   /* template of the value when enabled; NULL for opaque */
    const char *suspended; /* of the value while suspended; NULL: it stays as it is */
};

/* SRV records by which clients find the service of a domain. */
struct im_profile_srv {
    const char *label; /* "_rvp._tcp" */
    uint16_t port;     /* that a record is expected to name */
};

struct im_profile {
    struct im_pool *pool;
    const char *name, *title, *source; /* source: file name for messages */
    const struct im_profile_attr *attrs;
    size_t attr_count;
    const char **account_names; /* sAMAccountName, uid: what an account is called, first that has a value */
    size_t account_name_count;
    const char **alias_sources; /* mailNickname, sAMAccountName, uid */
    size_t alias_source_count;
    const char *address_template; /* {alias}@{domain} */
    const char *aux_class;        /* msExchIMRecipient, or NULL */
    const char **rules;           /* ids of the account rules that apply */
    size_t rule_count;
    const struct im_profile_place { /* where each of them stands */
        size_t line, column;
    } * rule_places;
    struct {                      /* server objects in the configuration partition */
        const char *object_class; /* NULL: none are looked for */
        const char *name_attribute, *hosts_users_attribute;
    } servers;
    const struct im_profile_srv *srv; /* in the order in which clients look for them: one is enough */
    size_t srv_count;
    struct {                 /* what clients ask of web servers; path NULL: nothing */
        const char *path;    /* "/instmsg/": begins and ends with a slash */
        const char *header;  /* that every request and every answer has */
        const char *version; /* its value in requests */
    } http;
    struct im_schema_defs schema; /* empty where the profile creates none */
    const char *schema_name;      /* of the entry below cn=schema,cn=config: "exchange2000-im" */
};

/* `name` is a built-in profile ("exchange2000") or the path of a YAML file (contains "/" or ends in .yaml). */
enum im_err im_profile_load(const char *name, struct im_profile **out, struct im_error *e);
void im_profile_free(struct im_profile **profile);
const char *const *im_profile_builtin_names(size_t *count);

const struct im_profile_attr *im_profile_role(const struct im_profile *p, enum im_role role); /* first, or NULL */
const struct im_profile_attr *im_profile_attr(const struct im_profile *p, const char *name);  /* NULL: not ours */
bool im_profile_can_suspend(const struct im_profile *p); /* it has a suspended state: some attribute has a value for it */
/* Variables that templates may use: {alias} {account} {mail-local} {upn-local} {given} {sn} {domain} {home-host} for the address;
 * also {address} {im-alias} {im-domain} {home-dn} for the attributes. */
const char *const *im_profile_variables(bool for_address, size_t *count);

#endif
