/* A file of LDIF, plain or compressed by gzip (RFC 1952), which can be gone through more than once. */
#ifndef IMDIR_DATA_LDIF_FILE_H
#define IMDIR_DATA_LDIF_FILE_H

#include "lib/data/ldif.h"

struct im_ldif_file;

/* A regular file: it is read again and again. IM_E_IO, IM_E_INPUT. */
enum im_err im_ldif_file_open(const char *path, struct im_ldif_file **out, struct im_error *e);
/* For a reader; borrowed from the file. Errors name the file; broken or cut-off compressed data is IM_E_INPUT and says where. */
struct im_ldif_source im_ldif_file_source(struct im_ldif_file *file);
/* To the beginning. IM_E_INPUT: the file was changed since it was opened. */
enum im_err im_ldif_file_rewind(struct im_ldif_file *file, struct im_error *e);
void im_ldif_file_free(struct im_ldif_file **file);

#endif
