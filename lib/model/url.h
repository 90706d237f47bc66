/* Parts of the URLs that name people and their homes (draft-osborne-rvp-00 section 4.1.2). Pure. */
#ifndef IMDIR_MODEL_URL_H
#define IMDIR_MODEL_URL_H

#include "lib/model/profile.h"

/* Pieces of the URL itself, without a closing NUL; empty where the form ends before them. */
struct im_url {
    const char *host;
    size_t host_len;
    const char *domain; /* of /instmsg/local/DOMAIN in a physical URL; NULL: it has none, as where it equals the logical one */
    size_t domain_len;
    const char *alias; /* a slash at the end does not count */
    size_t alias_len;
    /* What is wrong with the form, as the end of a sentence; NULL: nothing. */
    const char *fault;       /* of everything before the alias */
    const char *alias_fault; /* of the alias; NULL also where the path before it is wrong */
};

/* Form: http, no port, hosts with a dot, the path /instmsg/aliases/ (behind /instmsg/local/DOMAIN in a physical URL), an alias.
 * What can be told apart is, also where the form is wrong. */
void im_url_split(const char *url, enum im_role role, struct im_url *out);

#endif
