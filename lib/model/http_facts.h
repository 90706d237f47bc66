/* What web servers said when they were asked as an IM client asks them, without credentials. Pure.
 *
 * Every text in here came from outside: it is escaped where it goes. */
#ifndef IMDIR_MODEL_HTTP_FACTS_H
#define IMDIR_MODEL_HTTP_FACTS_H

#include "lib/base/error.h"
#include "lib/base/pool.h"

#include <stdbool.h>
#include <stddef.h>

enum { IM_HTTP_MAX_CHALLENGES = 16 }; /* of one answer; further ones are not kept */

/* Why a host is asked; or-ed, because the name of a router is an IM domain as well. */
enum im_http_role {
    IM_HTTP_HOME = 1,
    IM_HTTP_ROUTER = 2,
    IM_HTTP_DOMAIN = 4,      /* the right side of IM addresses */
    IM_HTTP_MAIL_DOMAIN = 8, /* where clients go that find no SRV record for a mail domain */
    IM_HTTP_NAMED = 16,      /* by the operator, or the target of an SRV record */
};

enum im_http_outcome {
    IM_HTTP_NOT_ASKED, /* or the run was stopped before an answer came */
    IM_HTTP_ANSWERED,
    IM_HTTP_NO_ADDRESS, /* the name could not be resolved: the DNS rules say more */
    IM_HTTP_REFUSED,    /* the port is closed, or the way to it */
    IM_HTTP_TIMEOUT,    /* nothing, or not all of it, came within the deadline */
    IM_HTTP_CLOSED,     /* the connection was cut before there was an answer */
    IM_HTTP_TLS,        /* it speaks TLS where plain HTTP was asked */
    IM_HTTP_MALFORMED,  /* what came is not HTTP, or more than anybody needs */
    IM_HTTP_FAILED,     /* something else: see detail */
};

/* Ways to log on that an answer offers; or-ed. */
enum im_http_scheme {
    IM_HTTP_NTLM = 1,
    IM_HTTP_NEGOTIATE = 2,
    IM_HTTP_DIGEST = 4,
    IM_HTTP_BASIC = 8,
    IM_HTTP_OTHER_SCHEME = 16,
};

struct im_http_challenge {
    enum im_http_scheme kind;
    const char *scheme; /* as written */
    const char *realm;  /* NULL: none given */
};

/* One request and what became of it. NULL: the header was not there. */
struct im_http_answer {
    const char *method, *url; /* NULL: not asked */
    enum im_http_outcome outcome;
    const char *detail;  /* where it is not IM_HTTP_ANSWERED: what happened, in words */
    const char *address; /* that was connected to */
    int status;          /* of the last answer, 0: none */
    const char *version; /* RVP-Notifications-Version, or what the profile says marks its service. "": there, but empty */
    const char *server, *location;
    struct im_http_challenge *challenges;
    size_t challenge_count;
    bool sent_credentials; /* a probe never does; facts from elsewhere may hold such answers */
};

/* A host, and what it says at the top of the service's path. */
struct im_http_target {
    const char *host; /* lower case, without final dot */
    unsigned roles;   /* enum im_http_role */
    const char *const *addresses;
    size_t address_count;           /* that the name stands for, as far as the probe knows */
    const char *local_address;      /* one of them belongs to this machine; NULL: none */
    struct im_http_answer propfind; /* Depth 0 */
    struct im_http_answer get;      /* not asked where the first answer was no answer */
};

/* One account, asked for as a client that signs in asks. */
struct im_http_user {
    const char *account, *dn;       /* as findings name it */
    const char *alias, *domain;     /* of the logical URL */
    const char *physical_url;       /* that the directory holds */
    struct im_http_answer logical;  /* to the logical URL: of the router, or of the home */
    struct im_http_answer home;     /* to the physical URL, where it is another one */
    struct im_http_answer followed; /* to where `logical` redirects, where that is another one and a known server */
};

struct im_http_facts {
    struct im_http_target *targets;
    size_t target_count;
    struct im_http_user *users;
    size_t user_count;
    bool was_stopped; /* not everything was asked */
};

/* By host name: letter case and a final dot are ignored. NULL: it was not asked. */
const struct im_http_target *im_http_target(const struct im_http_facts *facts, const char *host);
const struct im_http_user *im_http_user(const struct im_http_facts *facts, const char *dn); /* NULL: not asked for */

/* The schemes that a target offers to whom it does not know, or-ed; 0: it offers none, or did not answer. */
unsigned im_http_schemes(const struct im_http_target *target);
unsigned im_http_answer_schemes(const struct im_http_answer *answer);
/* "NTLM, Negotiate", in pool; "none". NULL when out of memory. */
const char *im_http_schemes_text(unsigned schemes, struct im_pool *pool);

/* Adds what one WWW-Authenticate header offers, which may be several schemes (RFC 9110 section 11.6.1). What cannot be
 * understood ends it: a hostile header never fails. IM_E_NOMEM is the only error. */
enum im_err im_http_add_challenges(struct im_http_answer *answer, const char *header, struct im_pool *pool, struct im_error *e);

/* The parts of an http or https URL. */
struct im_http_url {
    bool is_tls;
    const char *host; /* lower case, without final dot; in pool */
    long port;        /* 80 and 443 where none is given */
    const char *path; /* "/..." with query and fragment, points into the text; "/" where there is none */
};
/* IM_OK with out->host NULL where it is no such URL, holds a user name, or has blanks or control characters in it. */
enum im_err im_http_url_parse(const char *text, struct im_pool *pool, struct im_http_url *out, struct im_error *e);
/* The same place: letter case, a final slash and a written-out port 80 are no difference. */
bool im_http_url_equal(const char *a, const char *b);

#endif
