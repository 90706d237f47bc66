/* Which encoding a text file is in, found out from its bytes; and where in a text something stands. */
#ifndef IMDIR_DATA_ENCODING_H
#define IMDIR_DATA_ENCODING_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Of the next character. A line ends with LF, CR LF or a CR alone. */
struct im_position {
    size_t line, column; /* from 1; columns are characters of UTF-8 */
    bool after_cr;
};

#define IM_POSITION_INIT                                                                                                         \
    { 1, 1, false }

static inline void im_position_pass(struct im_position *p, char byte) {
    bool completes = byte == '\n' && p->after_cr;
    p->after_cr = byte == '\r';
    if (completes)
        return;
    if (byte == '\n' || byte == '\r') {
        p->line++;
        p->column = 1;
    } else if (((unsigned char)byte & 0xc0) != 0x80) {
        p->column++;
    }
}

struct im_encoding {
    const char *name; /* "UTF-8", "UTF-16LE", "UTF-16BE", "windows-1252"; or what was wanted */
    size_t bom_len;   /* bytes in front of the text */
};

/* Reads the file as far as it takes, all of it where it may be UTF-8, from its beginning; the file's offset stays. `wanted` NULL:
 * a byte order mark decides, else UTF-8 where all bytes above 127 are, else Windows-1252 where none is. IM_E_INPUT names line,
 * column and byte: some are and some are not; or UTF-16 that is not marked. IM_E_IO. */
enum im_err im_encoding_find(int fd, const char *where, const char *wanted, struct im_encoding *out, struct im_error *e);

#endif
