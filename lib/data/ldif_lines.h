/* The lines of an LDIF stream, in a window that holds the record which is being read: nothing is copied. Internal to ldif*.c. */
#ifndef IMDIR_DATA_LDIF_LINES_H
#define IMDIR_DATA_LDIF_LINES_H

#include "lib/data/ldif.h"

#include <stdint.h>

struct im_ldif_lines {
    struct im_ldif_source source;
    const char *name;   /* of the stream, in messages */
    char *data;         /* the window; one byte more than what is read fits always */
    size_t cap, end;    /* of the window; of what is read */
    size_t at;          /* the next physical line */
    size_t start;       /* what is before is not needed any more */
    size_t nul;         /* the first NUL that was read and not met yet; SIZE_MAX: none */
    size_t physical;    /* lines that were met */
    size_t line, len;   /* the logical line: continuation lines joined, without line end, followed by a NUL */
    size_t line_number; /* where it began */
    bool at_end;        /* of the stream */
};

/* The next logical line; *end when there is none left. Comments are passed over. keeps: what was read since `start` stays, and
 * offsets from it stay valid; else the line is the new start. */
enum im_err im_ldif_lines_next(struct im_ldif_lines *l, bool keeps, bool *end, struct im_error *e);
static inline char *im_ldif_line(const struct im_ldif_lines *l) {
    return l->data + l->line;
}
enum im_err im_ldif_wrong(const struct im_ldif_lines *l, size_t column, struct im_error *e, const char *text);

#endif
