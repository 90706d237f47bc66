/* One connection to one server: TCP or local socket, TLS, with a deadline of our own. Internal to this room. */
#ifndef IMDIR_DIRECTORY_CONNECT_H
#define IMDIR_DIRECTORY_CONNECT_H

#include "lib/directory/gathering.h"
#include "lib/directory/live.h"

#include <ldap.h>
#include <stdatomic.h>
#include <stdint.h>

struct im_connection {
    LDAP *ld;
    Sockbuf *socket;                /* belongs to ld, as fd */
    struct im_gathering *gathering; /* belongs to the socket; NULL: not bound yet */
    const char *uri;                /* borrowed */
    char host[256];                 /* "" for ldapi */
    int fd;
    bool is_ldapi, is_loopback, has_tls;
};

/* Connects and, for ldaps:// and StartTLS, negotiates TLS: all before the connect timeout. IM_E_USAGE: the URI is wrong. */
enum im_err im_connect(const struct im_live_options *options, const char *uri, struct im_connection *out, struct im_error *e);
void im_disconnect(struct im_connection *connection);
void im_give_up(struct im_connection *connection); /* the same, where the other end may not listen any more */

/* The monotonic clock. */
int64_t im_clock_us(void);
int64_t im_clock_ms(void);
enum im_waited { IM_WAITED_READY, IM_WAITED_LONG, IM_WAITED_STOP };
/* Waits until the connection can be read, the time is over, or a stop is asked for. connection NULL: only rests. */
enum im_waited im_wait_until(const struct im_connection *connection, int64_t until_ms, const atomic_int *stop);
/* The same, where passing the time is an error. IM_E_TIMEOUT, IM_E_INTERRUPTED. */
enum im_err im_wait_readable(const struct im_connection *connection, int64_t deadline_ms, const atomic_int *stop,
                             struct im_error *e);
enum im_err im_too_late(const struct im_connection *connection, struct im_error *e); /* sets IM_E_TIMEOUT */

#endif
