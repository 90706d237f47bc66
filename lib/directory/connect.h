/* One connection to one server: TCP or local socket, TLS, with a deadline of our own. Internal to this room. */
#ifndef IMDIR_DIRECTORY_CONNECT_H
#define IMDIR_DIRECTORY_CONNECT_H

#include "lib/directory/live.h"

#include <ldap.h>
#include <stdint.h>

struct im_connection {
    LDAP *ld;
    const char *uri; /* borrowed */
    char host[256];  /* "" for ldapi */
    int fd;          /* belongs to ld */
    bool is_ldapi, is_loopback, has_tls;
};

/* Connects and, for ldaps:// and StartTLS, negotiates TLS: all before the connect timeout. IM_E_USAGE: the URI is wrong. */
enum im_err im_connect(const struct im_live_options *options, const char *uri, struct im_connection *out, struct im_error *e);
void im_disconnect(struct im_connection *connection);

/* Milliseconds of the monotonic clock. */
int64_t im_clock_ms(void);
/* Waits until the connection can be read. IM_E_TIMEOUT without text, IM_E_INTERRUPTED. */
enum im_err im_wait_readable(const struct im_connection *connection, int64_t deadline_ms, const volatile sig_atomic_t *stop,
                             struct im_error *e);

#endif
