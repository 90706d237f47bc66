/* The state that is wanted for an account: what enabling would write, before it is judged. Pure. */
#ifndef IMDIR_MODEL_WANT_H
#define IMDIR_MODEL_WANT_H

#include "lib/model/account.h"
#include "lib/model/home_match.h"
#include "lib/model/spread.h"

enum im_action {
    IM_ENABLE,
    IM_DISABLE,
    IM_MOVE,      /* to another home; everything else stays */
    IM_APPLY,     /* what a plan file says */
    IM_UNDO,      /* what a journal says was written is taken back */
    IM_LOOK,      /* nothing: where the account is homed */
    IM_PREFLIGHT, /* nothing: what enabling would meet */
};

/* What the operator asked for. */
struct im_request {
    enum im_action action;
    const struct im_server *home; /* --home; NULL: not asked */
    bool home_auto;               /* --home auto */
    const char *domain;           /* --domain; NULL: not asked */
    const char *address;          /* --address template; NULL: not asked */
    bool keep_opaque;             /* --keep-acl */
    bool suspends;                /* IM_DISABLE: the profile's suspended state instead */
    /* IM_MOVE: where to, unless `home` says so; one for each server, NULL: with home_auto all that host users, else nowhere. */
    const bool *is_target;
    const struct im_home_match *from; /* IM_MOVE: only who is homed there; NULL: whoever is named */
    enum im_action recorded;          /* IM_APPLY: what the plan was made for */
    const char *const *allow;         /* rule ids lifted */
    size_t allow_count;
    /* configuration: fills gaps only */
    const char *default_home, *default_domain, *default_address;
};

struct im_want {
    bool enabled;
    const struct im_server *home; /* NULL: nothing is to be enabled */
    const char *home_dn, *home_host;
    const char *im_alias, *im_domain; /* left and right side of the address */
    const char *address, *logical_url, *physical_url;
    const char *const *values; /* wanted value of each profile attribute, in its order; NULL: none */
    /* Why an address, URL or value cannot be built: the rule account-alias-unsafe says it, and lifting that rule does not help.
     * NULL: everything could be built. An alias that is merely unsafe can be built, and may be allowed. */
    const char *cannot_build;
    /* What has no wanted value is left as it is, and so is the class: a move, or suspending. */
    bool is_partial;
    bool keeps_names;        /* address and logical URL stay: nobody need be asked who else has them */
    enum im_placing placing; /* of a move that has targets: where not IM_PLACED, home is NULL */
};

/* A valid address (safe alias, known IM domain) and a live home (a known server that hosts users) of the account are kept; only
 * request.home, .domain and .address change them. In this order:
 * 1. What is asked for or kept is settled: home, IM domain.
 * 2. A home that is missing is the default one, for the IM domain (settled, or configured).
 * 3. An IM domain that is missing, and that the address template uses, is the default one of the home.
 * 4. The address is kept, or moved to the asked domain with its left side kept, or expanded from the template (asked, configured,
 *    the profile's). Its two sides, not the account's names, make the URLs.
 * A move wants new values only for the home and, of the same profile's templates, what names it; suspending only for what the
 * profile has a suspended value of. An account without an address cannot be moved: nothing is wanted then.
 * IM_E_USAGE: home or domain is neither asked for nor clear (the message lists the choices). */
enum im_err im_want_build(const struct im_account_context *context, const struct im_account *account,
                          const struct im_request *request, const struct im_servers *servers, struct im_pool *pool,
                          struct im_want *out, struct im_error *e);

/* What the attributes would be, made of the account's own address and the server that its home names; `home` is NULL and values
 * are where that is none of the known servers, or a part of the address is missing. */
enum im_err im_want_agreeing(const struct im_account_context *context, const struct im_account *account,
                             const struct im_servers *servers, struct im_pool *pool, struct im_want *out, struct im_error *e);

/* The state that the account is in, for an audit: what its first values say. `home` is the known server that its home names, or
 * NULL; the address is not split where it has not the form name@domain, and cannot_build says so then. */
enum im_err im_want_present(const struct im_account_context *context, const struct im_account *account,
                            const struct im_servers *servers, struct im_pool *pool, struct im_want *out, struct im_error *e);

/* Same meaning: URLs without letter case and trailing slash, DNs parsed, addresses without letter case, others byte by byte. */
bool im_role_equal(enum im_role role, const char *a, const char *b);
/* The same for DNs; *failed is set where there was no memory to find out. */
bool im_home_equal(const char *a, const char *b, bool *failed);
/* Not empty, no blank / # % ? @ control or non-ASCII character, nor others that a URL would have to escape ("<>\^`{|}). */
bool im_alias_is_safe(const char *alias);

#endif
