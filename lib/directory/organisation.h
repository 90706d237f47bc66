/* Facts about the organisation beyond its accounts, servers and schema: what rules about it look at. */
#ifndef IMDIR_DIRECTORY_ORGANISATION_H
#define IMDIR_DIRECTORY_ORGANISATION_H

#include "lib/directory/gather.h"
#include "lib/model/organisation.h"

/* Two round trips of searches side by side; `known` is what im_gather found before. A search that fails is the reason why its
 * facts are not known, and the others go on. Pieces in pool. Errors are only those after which nothing can be asked: the
 * connection is lost, a deadline passed, the user stopped, out of memory. */
enum im_err im_organisation_read(const struct im_gather *g, const struct im_gathered *known, struct im_pool *pool,
                                 struct im_organisation *out, struct im_error *e);

#endif
