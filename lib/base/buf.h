/* A growing string of bytes. Failure to grow is remembered, so that a builder checks once at its end. */
#ifndef IMDIR_BASE_BUF_H
#define IMDIR_BASE_BUF_H

#include <lber.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct im_buf {
    char *data; /* NUL-terminated when not NULL; may hold further NULs */
    size_t len; /* without the closing NUL */
    size_t cap;
    bool failed; /* an allocation failed: the contents are incomplete */
};

#define IM_BUF_INIT                                                                                                              \
    { NULL, 0, 0, false }

void im_buf_add(struct im_buf *b, const void *bytes, size_t len);
void im_buf_adds(struct im_buf *b, const char *s);
void im_buf_addc(struct im_buf *b, char c);
void im_buf_addf(struct im_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool im_buf_reserve(struct im_buf *b, size_t len);  /* so much may be added without growing again */
char *im_buf_room(struct im_buf *b, size_t len);    /* len more bytes, to be filled at once; NULL: out of memory */
void im_buf_clear(struct im_buf *b);                /* empties, keeps the memory, forgets a failure */
void im_buf_free(struct im_buf *b);                 /* NULL-safe; leaves an empty, usable buffer */
const char *im_buf_str(struct im_buf *b);           /* never NULL: "" when empty. Valid until the next change */
char *im_buf_take(struct im_buf *b);                /* the caller frees; NULL when failed. Leaves it empty */
struct berval im_buf_value(const struct im_buf *b); /* borrowed view */

#endif
