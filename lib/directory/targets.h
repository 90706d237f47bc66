/* What the home attributes of accounts name. */
#ifndef IMDIR_DIRECTORY_TARGETS_H
#define IMDIR_DIRECTORY_TARGETS_H

#include "lib/directory/directory.h"
#include "lib/model/census.h"
#include "lib/model/profile.h"

/* Looks up each home of the census whose target is not known, side by side. A target that cannot be read stays unknown. */
enum im_err im_targets_read(struct im_directory *d, const struct im_profile *profile, struct im_census *census,
                            struct im_error *e);

#endif
