/* Several connections to one server as one directory: for servers that work on several changes of one client only when they come
 * through several connections. */
#ifndef IMDIR_DIRECTORY_SEVERAL_H
#define IMDIR_DIRECTORY_SEVERAL_H

#include "lib/directory/directory.h"

/* Changes go where the fewest are in flight, searches that may go anywhere (on_any) where the fewest searches are, everything
 * else to the first part. Answers come in any order, also those of changes to one entry. The loss of one part is the loss of the
 * whole; opening again waits for what other parts were asked to change, so that nothing is written late, and replaces those that
 * are lost. Takes the parts, also where it fails: IM_E_PROTOCOL, they are not connected to one server; IM_E_AUTH, not as one
 * identity. One part alone is returned as it is. */
enum im_err im_several_join(struct im_directory **parts, size_t count, struct im_directory **out, struct im_error *e);

#endif
