/* Files without a name, for what does not belong into memory. */
#ifndef IMDIR_DATA_TEMPORARY_H
#define IMDIR_DATA_TEMPORARY_H

#include "lib/base/error.h"

#include <stddef.h>
#include <sys/types.h>

/* In TMPDIR or /tmp; only its owner can read it, and it is gone when it is closed. */
enum im_err im_temporary_open(int *fd, struct im_error *e);
/* All of it, at `at`. */
enum im_err im_temporary_write(int fd, off_t at, const char *bytes, size_t len, struct im_error *e);
enum im_err im_temporary_read(int fd, off_t at, char *bytes, size_t len, struct im_error *e);

#endif
