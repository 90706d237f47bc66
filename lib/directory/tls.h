/* TLS on a connection: verified, with a minimum version, before a deadline. Internal to this room. */
#ifndef IMDIR_DIRECTORY_TLS_H
#define IMDIR_DIRECTORY_TLS_H

#include "lib/directory/connect.h"

/* StartTLS, or TLS at once. IM_E_TLS says which step failed, and names the host and the file of CAs. */
enum im_err im_tls_start(struct im_connection *c, const struct im_live_options *options, bool starttls, int64_t deadline_ms,
                         struct im_error *e);

#endif
