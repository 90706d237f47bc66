/* What a report can only print at its end, in order: streams of records in one temporary file. Memory does not grow with them. */
#ifndef IMDIR_REPORT_SPOOL_H
#define IMDIR_REPORT_SPOOL_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct im_spool;

struct im_spool *im_spool_new(void); /* NULL: out of memory. The file is made when it is needed */
void im_spool_free(struct im_spool **spool);

/* Appends a record to a stream; streams are numbered from 0. Empties and frees the buffer. IM_E_IO, IM_E_NOMEM. */
enum im_err im_spool_add(struct im_spool *spool, size_t stream, struct im_buf *record, struct im_error *e);

/* Hands out some records of the stream, one behind the other. */
typedef enum im_err im_spool_take(void *user, const char *bytes, size_t len, struct im_error *e);
/* All records of a stream in their order; never parts of one. */
enum im_err im_spool_each(struct im_spool *spool, size_t stream, im_spool_take *take, void *user, struct im_error *e);

#endif
