/* Domain names as DNS knows them. Home of <idn2.h>. */
#ifndef IMDIR_DATA_HOSTNAME_H
#define IMDIR_DATA_HOSTNAME_H

#include <stdbool.h>
#include <stdint.h>

enum { IM_HOSTNAME_SIZE = 254 };

/* Writes the name in lower case, without final dot, non-ASCII labels as A-labels (IDNA 2008). false: DNS cannot hold it, or it
 * has other characters than letters, digits, "-" and "_". What passes is safe in zone files and on command lines. */
bool im_hostname_ascii(const char *name, char out[IM_HOSTNAME_SIZE]);
/* "host" or "host:port"; *port is 0 where there is none. IPv6 addresses as they are, brackets taken off. false: neither name nor
 * address. */
bool im_hostname_split(const char *text, char host[IM_HOSTNAME_SIZE], uint16_t *port);
bool im_hostname_is_address(const char *name); /* IPv4 or IPv6, brackets allowed */

#endif
