/* The file of --changes: modifications as LDIF change records. */
#ifndef IMDIR_TOOLS_CHANGES_H
#define IMDIR_TOOLS_CHANGES_H

#include "lib/imdir.h"

struct im_changes {
    const char *path; /* NULL: no file is wanted, and all calls do nothing */
    char temporary[4096];
    FILE *stream;
};

/* Creates a temporary file beside `path`, readable by the owner only. */
enum im_err im_changes_open(struct im_changes *f, const char *path, struct im_error *e);
enum im_err im_changes_add(struct im_changes *f, const struct im_change *change, struct im_error *e);
/* Puts the file, synced, in the place of `path`. */
enum im_err im_changes_commit(struct im_changes *f, struct im_error *e);
void im_changes_discard(struct im_changes *f); /* after a commit it does nothing */

#endif
