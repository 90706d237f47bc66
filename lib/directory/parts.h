/* One large search as several, each of a part of the directory: where round trips take the time, their pages come side by side.
 */
#ifndef IMDIR_DIRECTORY_PARTS_H
#define IMDIR_DIRECTORY_PARTS_H

#include "lib/directory/lookup.h"

/* Hands each entry of a search with scope IM_SEARCH_SUB to fn, once. Into how many parts it falls depends on the containers below
 * its base, and `most` of them are read at a time; it stays one where `most` is 0 or 1, where the server does not tell which
 * entries have others below them, and on an export. */
enum im_err im_parts_search(struct im_directory *d, const struct im_search *search, size_t most, im_lookup_fn *fn, void *user,
                            struct im_error *e);

#endif
