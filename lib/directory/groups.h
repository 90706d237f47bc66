/* Whether accounts are in a protected group, nested groups counted: asked of the server for each. */
#ifndef IMDIR_DIRECTORY_GROUPS_H
#define IMDIR_DIRECTORY_GROUPS_H

#include "lib/directory/directory.h"
#include "lib/model/account.h"

struct im_group_question {
    const char *dn;
    enum im_tri answer; /* IM_UNKNOWN: the server does not tell */
};

enum im_err im_groups_read(struct im_directory *d, struct im_group_question *questions, size_t count, struct im_error *e);

#endif
