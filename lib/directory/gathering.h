/* Requests that go out together: libldap gives each one to the system at once, and that is half of what a change costs us.
 * Internal to this room. */
#ifndef IMDIR_DIRECTORY_GATHERING_H
#define IMDIR_DIRECTORY_GATHERING_H

#include <lber.h>
#include <stdbool.h>

struct im_gathering;

/* On top of what the socket has, TLS and SASL layers too; belongs to the socket. NULL: out of memory. Not
 * before all that libldap itself waits for is done: binding, StartTLS. */
struct im_gathering *im_gathering_begin(Sockbuf *socket);
/* Sends what was gathered: before every wait. False: the connection is broken. NULL is fine. */
bool im_gathering_flush(struct im_gathering *gathering);
/* Sends what was gathered, and from now on everything at once: before the connection is closed, because libldap takes the SASL
 * layer's context away before the layers hear that it is. NULL is fine. */
void im_gathering_end(struct im_gathering *gathering);

#endif
