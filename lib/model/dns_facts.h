/* What name servers said about the names of an organisation. "None" and "unknown" are different answers. Pure.
 *
 * Names are host names without the final dot, in any letter case; those that are not ASCII are taken by their A-labels. */
#ifndef IMDIR_MODEL_DNS_FACTS_H
#define IMDIR_MODEL_DNS_FACTS_H

#include "lib/base/error.h"
#include "lib/base/index.h"
#include "lib/base/pool.h"
#include "lib/data/hostname.h"
#include "lib/model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum im_dns_type { IM_DNS_A, IM_DNS_AAAA, IM_DNS_SRV };

enum im_dns_state {
    IM_DNS_NOT_ASKED, /* nobody wanted to know, or not yet */
    IM_DNS_FOUND,
    IM_DNS_NXDOMAIN, /* the name does not exist */
    IM_DNS_NODATA,   /* the name exists, without such a record */
    IM_DNS_FAILED,   /* SERVFAIL, REFUSED, no answer, truncated, malformed: nothing is known */
};

struct im_dns_record {
    const char *text; /* A, AAAA: the address. SRV: the target without the final dot, "" where it is the root ("."), with
                         characters that host names do not have escaped as in zone files */
    uint16_t priority, weight, port; /* SRV only */
};

/* Who is asked. */
struct im_dns_resolver {
    const char *name;    /* for people: "192.0.2.53", "127.0.0.1:5353", "[2001:db8::1]:5353" */
    const char *address; /* without port and brackets */
    const char *port;    /* NULL: 53 */
    bool is_given;       /* by options or configuration; else one of the system's */
    bool is_dead;        /* answered nothing at all: it is not asked again, and what it would say is unknown */
    const char *trouble; /* then: what came instead, in words */
};

/* Of one resolver about one name and type. */
struct im_dns_answer {
    const char *name; /* as it was asked for: lower case, A-labels */
    enum im_dns_type type;
    size_t resolver; /* index */
    enum im_dns_state state;
    const struct im_dns_record *records; /* SRV: by priority, then weight (the highest first), then target; else as text sorts */
    size_t count;
    const char **aliases; /* the CNAMEs on the way, in their order; the last one has the records, where there are any */
    size_t alias_count;
    const char *trouble; /* IM_DNS_FAILED: why, in words: "SERVFAIL", "no answer within 2 seconds" */
    bool is_retried;     /* the first query was not answered */
    bool is_aside;       /* asked for a detail only: failing to know it is no finding */
};

/* Zeroed at first; im_dns_facts_free. What it holds lies in the pool that it was begun with. */
struct im_dns_facts {
    struct im_pool *pool;
    const struct im_profile_srv *srv; /* the profile's: labels in the order in which clients look for them, and their ports */
    size_t srv_count;
    struct im_dns_resolver *resolvers;
    size_t resolver_count;
    struct {
        struct im_dns_answer **items; /* each stays where it is */
        size_t count, cap;
    } answers;
    struct im_index *index;
    uint64_t seed[2];
    uint32_t asks; /* queries sent so far, repeated ones not counted */
    unsigned rounds;
};

/* ---- looking up ---- */

/* The answer that counts: of the first resolver that knew something, else of the first one. NULL: nobody was asked. */
const struct im_dns_answer *im_dns_answer(const struct im_dns_facts *facts, const char *name, enum im_dns_type type);
const struct im_dns_answer *im_dns_answer_of(const struct im_dns_facts *facts, size_t resolver, const char *name,
                                             enum im_dns_type type);

/* A and AAAA together: found if one of them is; unknown unless both are known. */
struct im_dns_addresses {
    enum im_dns_state state;
    const struct im_dns_answer *v4, *v6; /* NULL: not asked */
};
struct im_dns_addresses im_dns_addresses(const struct im_dns_facts *facts, const char *name);

/* The SRV answer that clients of a mail (or IM) domain use: of the first label of the profile that has records; else one that is
 * unknown, so that "missing" is never said of it; else that of the first label. NULL: nobody was asked. */
const struct im_dns_answer *im_dns_srv_of(const struct im_dns_facts *facts, const char *domain);
/* Where an address of this domain leads by SRV: the target that is tried first. NULL: nowhere, or unknown, as *state says. */
const char *im_dns_srv_target(const struct im_dns_facts *facts, const char *domain, enum im_dns_state *state);

enum { IM_DNS_NAME_SIZE = 2 * IM_HOSTNAME_SIZE, IM_DNS_MISTAKES = 5 };
/* "_rvp._tcp.example.com"; false: the domain is none. */
bool im_dns_srv_name(const char *label, const char *domain, char out[IM_DNS_NAME_SIZE]);
/* The n-th wrong name, below IM_DNS_MISTAKES, at which such a record is found in the wild: "_rvp_tcp.example.com". */
bool im_dns_srv_mistake(size_t n, const char *label, const char *domain, char out[IM_DNS_NAME_SIZE]);

/* ---- filling; also for tests ---- */

/* *out is zeroed. Nothing is copied but the resolvers. */
enum im_err im_dns_facts_begin(struct im_dns_facts *out, const struct im_profile_srv *srv, size_t srv_count,
                               const struct im_dns_resolver *resolvers, size_t resolver_count, struct im_pool *pool,
                               struct im_error *e);
void im_dns_facts_free(struct im_dns_facts *facts);
/* Adds an answer IM_DNS_NOT_ASKED for each resolver, unless there is one. A name that DNS cannot hold fails at once. */
enum im_err im_dns_facts_want(struct im_dns_facts *facts, const char *name, enum im_dns_type type, bool is_aside,
                              struct im_error *e);

void im_dns_sort(struct im_dns_record *records, size_t count); /* into the order of answers */

const char *im_dns_type_name(enum im_dns_type type);
const char *im_dns_state_name(enum im_dns_state state);

#endif
