/* A file that names accounts, one a line. */
#ifndef IMDIR_TOOLS_LIST_H
#define IMDIR_TOOLS_LIST_H

#include "lib/imdir.h"

struct im_list;

/* Reads and checks it as a whole; "-" is standard input. UTF-8; blank lines and lines that begin with # are passed over. IM_E_IO:
 * cannot be read. IM_E_INPUT names file, line and column; a list that names nobody is one. */
enum im_err im_list_open(const char *path, struct im_list **out, struct im_error *e);
void im_list_free(struct im_list **list);

struct im_inputs im_list_inputs(struct im_list *list);
size_t im_list_count(const struct im_list *list);          /* accounts that it names */
bool im_list_has_domain_names(const struct im_list *list); /* DOMAIN\name */

#endif
