/* How a person is named by the operator, before the directory is asked. Pure. */
#ifndef IMDIR_MODEL_IDENTITY_H
#define IMDIR_MODEL_IDENTITY_H

#include "lib/base/error.h"
#include "lib/base/pool.h"

enum im_identity_kind {
    IM_ID_DN,      /* CN=...,DC=... */
    IM_ID_SID,     /* S-1-5-21-... */
    IM_ID_GUID,    /* xxxxxxxx-xxxx-..., with or without braces */
    IM_ID_ADDRESS, /* name@domain: userPrincipalName, mail, proxyAddresses smtp:, IM address */
    IM_ID_UPN,
    IM_ID_MAIL,
    IM_ID_IM,
    IM_ID_DOMAIN_NAME, /* DOMAIN\name */
    IM_ID_NAME,        /* the profile's account-name attributes */
};

struct im_identity {
    enum im_identity_kind kind;
    const char *text;   /* what is looked up, prefix and blanks removed */
    const char *domain; /* IM_ID_DOMAIN_NAME: NetBIOS domain, else NULL */
};

/* Recognises the form; "dn:", "upn:", "mail:", "sam:", "sid:", "guid:", "im:" force one. IM_E_INPUT: empty, or not of the forced
 * form. */
enum im_err im_identity_parse(const char *text, struct im_pool *pool, struct im_identity *out, struct im_error *e);

#endif
