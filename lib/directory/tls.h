/* TLS on a connection: verified, with a minimum version, before a deadline. Internal to this room. */
#ifndef IMDIR_DIRECTORY_TLS_H
#define IMDIR_DIRECTORY_TLS_H

#include "lib/directory/connect.h"

#include "lib/base/buf.h"

struct im_tls {
    const struct im_live_options *options;
    bool starttls; /* else TLS from the first byte */
    int64_t deadline_ms;
};

/* IM_E_TLS says which step failed and why, and names the file of CAs. *is_other_host: the certificate is good, but for another
 * host; then no text is set, because libldap has forgotten the certificate. */
enum im_err im_tls_start(struct im_connection *c, const struct im_tls *tls, bool *is_other_host, struct im_error *e);
/* The text for that case. `names` is what im_tls_peer_names gave. */
enum im_err im_tls_other_host(const struct im_connection *c, const struct im_tls *tls, const char *names, struct im_error *e);
/* Appends the host names in the certificate of a server that need not be trusted: only for messages, on a connection that is used
 * for nothing else. Nothing where there is none. */
void im_tls_peer_names(struct im_connection *c, const struct im_tls *tls, struct im_buf *out);

#endif
