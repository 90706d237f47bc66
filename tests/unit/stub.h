/* A server with a few lines of LDAP, in a process of its own: what the live directory is tried on without slapd.
 *
 * It takes any bind, shows a root DSE, and does with other requests what the name in them says:
 *     cn=ok...       success; a search gives one entry
 *     cn=no...       insufficientAccessRights, "not you"
 *     cn=held...     no answer yet
 *     cn=release     success, and then success for all that are held, the latest first
 *     cn=cut         the connection is cut
 *     cn=parts       one entry with an attribute that comes in three parts */
#ifndef IMDIR_TESTS_STUB_H
#define IMDIR_TESTS_STUB_H

#include <sys/types.h>

struct stub {
    char folder[64];
    char uri[128]; /* ldapi://... */
    pid_t pid;     /* 0: does not run */
};

void stub_new(struct stub *s);
void stub_start(struct stub *s, const char *naming_context);
void stub_stop(struct stub *s);
void stub_free(struct stub *s);

#endif
