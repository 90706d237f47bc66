/* Telling a server who we are. Internal to this room. */
#ifndef IMDIR_DIRECTORY_BIND_H
#define IMDIR_DIRECTORY_BIND_H

#include "lib/directory/connect.h"

/* Binds as the configuration says. identity gets who we are, for messages. IM_E_USAGE: a password would travel in clear text.
 * IM_E_AUTH: refused, with the reason in words. */
enum im_err im_bind(const struct im_connection *c, const struct im_live_options *options, struct im_pool *pool,
                    const char **identity, struct im_error *e);

#endif
