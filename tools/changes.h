/* The file of --changes: modifications as LDIF change records. */
#ifndef IMDIR_TOOLS_CHANGES_H
#define IMDIR_TOOLS_CHANGES_H

#include "tools/output_file.h"

enum im_err im_changes_add(struct im_output_file *f, const struct im_change *change, struct im_error *e);

#endif
