/* The lines of an LDIF stream, in a window that holds the record which is being read: nothing is copied. Internal to ldif*.c. */
#ifndef IMDIR_DATA_LDIF_LINES_H
#define IMDIR_DATA_LDIF_LINES_H

#include "lib/data/ldif.h"

#include <stdint.h>
#include <string.h>

enum { IM_LDIF_MAX_LINE = 1 << 20 };

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
/* Passes over the next logical line where it begins with this name and a colon, holds no reference to a file, and lies in the
 * window with the beginning of the one behind it; false: nothing was done. Nobody looks at the value. */
static inline bool im_ldif_lines_skip(struct im_ldif_lines *l, const char *name, size_t len) {
    if (l->end - l->at < len + 2)
        return false;
    const char *at = l->data + l->at;
    const char *end = l->data + l->end;
    if (at[len] != ':' || at[len + 1] == '<' || memcmp(at, name, len) != 0)
        return false;
    const char *lf = at + len;
    size_t lines = 0;
    do {
        lf = memchr(lf + 1, '\n', (size_t)(end - lf - 1));
        if (!lf || lf + 1 == end)
            return false;
        lines++;
    } while (lf[1] == ' ');
    if (lf - at > IM_LDIF_MAX_LINE || l->nul <= (size_t)(lf - l->data))
        return false;
    l->at = (size_t)(lf - l->data) + 1;
    l->physical += lines;
    return true;
}
static inline char *im_ldif_line(const struct im_ldif_lines *l) {
    return l->data + l->line;
}
enum im_err im_ldif_wrong(const struct im_ldif_lines *l, size_t column, struct im_error *e, const char *text);

#endif
