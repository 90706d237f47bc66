/* The servers that hold the same accounts, and what they say of them. Pure. */
#ifndef IMDIR_MODEL_REPLICA_FACTS_H
#define IMDIR_MODEL_REPLICA_FACTS_H

#include <stdbool.h>
#include <stddef.h>

enum im_replica_kind {
    IM_REPLICA_CONFIGURED, /* named in the configuration */
    IM_REPLICA_WRITABLE,   /* domain controller */
    IM_REPLICA_READ_ONLY,  /* read-only domain controller */
    IM_REPLICA_CATALOG,    /* the global catalog of a forest of several domains */
};

/* A server other than the one that we are bound to. */
struct im_replica {
    const char *name; /* DNS name, or the URI as configured */
    const char *uri;
    const char *dsa; /* DN of its NTDS Settings; NULL: no domain controller */
    enum im_replica_kind kind;
    bool no_inbound, no_outbound; /* replication was turned off by hand (options 0x2, 0x4) */
};

struct im_replicas {
    struct im_replica *items;
    size_t count, cap;
};

/* Whether what was written has come to a replica. */
enum im_arrival_state { IM_ARRIVED, IM_LAGGING, IM_UNREACHABLE };
struct im_arrival {
    const struct im_replica *replica;
    enum im_arrival_state state;
    double seconds;                /* it was asked, until all had arrived or it was given up */
    size_t accounts;               /* that were changed */
    const char *const *missing;    /* names of accounts that have not arrived, at most IM_MISSING_SHOWN */
    size_t missing_count, lacking; /* names; and accounts in all */
    const char *trouble;           /* unreachable: why; lagging: why, where that is known; else NULL */
};
enum { IM_MISSING_SHOWN = 10 };
const char *im_arrival_name(enum im_arrival_state state); /* "arrived" */

/* An attribute of an account that is different there; attribute NULL: the account itself is not there. */
struct im_replica_difference {
    size_t replica; /* index */
    const char *account, *dn, *attribute;
    const char *here, *there;           /* values, for people; NULL: none */
    const char *when_here, *when_there; /* whenChanged or modifyTimestamp; NULL: not told */
};

struct im_replica_facts {
    struct im_replicas replicas;
    const char **troubles; /* of each replica: why it could not be asked; NULL: it was */
    struct {
        struct im_replica_difference *items;
        size_t count, cap;
    } differences;
    size_t left_out;      /* differences that are not listed, being too many */
    bool is_compared;     /* somebody asked for it */
    size_t compared;      /* accounts */
    const char *unlisted; /* why replicas could not be listed; NULL: they were */
};

#endif
