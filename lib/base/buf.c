#include "lib/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROWS_SLOWER = 4096 };

/* And the closing NUL. */
bool im_buf_reserve(struct im_buf *b, size_t len) {
    if (b->failed)
        return false;
    if (len < b->cap - b->len && b->data)
        return true;
    size_t need = b->len + len + 1;
    if (need < len) {
        b->failed = true;
        return false;
    }
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need) /* lines of a report or journal have some thousand bytes: three steps, not six */
        cap = cap > SIZE_MAX / 2 ? need : cap < GROWS_SLOWER ? cap * 4 : cap * 2;
    char *data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void im_buf_add(struct im_buf *b, const void *bytes, size_t len) {
    if (!im_buf_reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void im_buf_adds(struct im_buf *b, const char *s) {
    im_buf_add(b, s, strlen(s));
}

void im_buf_addc(struct im_buf *b, char c) {
    if (!im_buf_reserve(b, 1))
        return;
    b->data[b->len++] = c;
    b->data[b->len] = '\0';
}

char *im_buf_room(struct im_buf *b, size_t len) {
    if (!im_buf_reserve(b, len))
        return NULL;
    char *room = b->data + b->len;
    b->len += len;
    b->data[b->len] = '\0';
    return room;
}

void im_buf_addf(struct im_buf *b, const char *format, ...) {
    va_list args;
    va_list again;
    if (!im_buf_reserve(b, 0))
        return;
    va_start(args, format);
    va_copy(again, args);
    size_t room = b->cap - b->len;
    int len = vsnprintf(b->data + b->len, room, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len >= room && im_buf_reserve(b, (size_t)len)) /* mostly it fits at once */
        (void)vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
    va_end(again);
    b->failed = b->failed || len < 0;
    b->len += b->failed ? 0 : (size_t)len;
    b->data[b->len] = '\0'; /* where it failed, behind what was there */
}

void im_buf_clear(struct im_buf *b) {
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

void im_buf_free(struct im_buf *b) {
    if (!b)
        return;
    free(b->data);
    *b = (struct im_buf)IM_BUF_INIT;
}

const char *im_buf_str(struct im_buf *b) {
    return b->data ? b->data : "";
}

char *im_buf_take(struct im_buf *b) {
    char *data = b->failed ? NULL : b->data;
    if (!data && !b->failed) {
        data = calloc(1, 1);
    } else if (b->failed) {
        free(b->data);
    }
    *b = (struct im_buf)IM_BUF_INIT;
    return data;
}

struct berval im_buf_value(const struct im_buf *b) {
    return (struct berval){.bv_len = b->len, .bv_val = b->data};
}
