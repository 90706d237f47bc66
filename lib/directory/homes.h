/* Where people are homed, read from a directory in one scan, and what has become of homes that no known server is. */
#ifndef IMDIR_DIRECTORY_HOMES_H
#define IMDIR_DIRECTORY_HOMES_H

#include "lib/directory/directory.h"
#include "lib/model/homes.h"

/* Everybody below the bases (NULL-terminated) who has a home; with_urls: also who has only a physical URL. Entries are counted as
 * they come, so that memory does not grow with their number. `out` has been begun. */
enum im_err im_homes_scan(struct im_directory *d, const struct im_profile *profile, const char *const *bases, bool with_urls,
                          struct im_homes *out, struct im_error *e);
/* After im_homes_settle: sets the target of homes without a server. */
enum im_err im_homes_look(struct im_directory *d, const struct im_profile *profile, struct im_homes *homes, struct im_error *e);

/* "(home=*)", or "(|(home=*)(physical URL=*))"; in pool, NULL: out of memory. "" where the profile has no home attribute. */
const char *im_homes_filter(const struct im_profile *profile, bool with_urls, struct im_pool *pool);

#endif
