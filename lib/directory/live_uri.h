/* Opening one given server. Internal to this room. */
#ifndef IMDIR_DIRECTORY_LIVE_URI_H
#define IMDIR_DIRECTORY_LIVE_URI_H

#include "lib/directory/live.h"

/* Connects, binds and reads the root DSE; errors name the URI. */
enum im_err im_live_open_uri(const struct im_live_options *options, const char *uri, struct im_directory **out,
                             struct im_error *e);

#endif
