/* What a server's certificate says about itself, for messages only: whether it may be trusted is judged by the TLS library. */
#ifndef IMDIR_DIRECTORY_CERTIFICATE_H
#define IMDIR_DIRECTORY_CERTIFICATE_H

#include "lib/base/buf.h"

/* Appends the DNS names and IPv4 addresses of subjectAltName (RFC 5280 section 4.2.1.6), separated by ", "; without that
 * extension the subject's common name. Nothing where the DER has none or is broken. */
void im_certificate_names(const struct berval *der, struct im_buf *out);

#endif
