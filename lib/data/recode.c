#include "lib/data/recode.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

enum { PIECE = 4096 };

struct im_recode {
    iconv_t converter;
};

enum im_err im_recode_open(const char *encoding, struct im_recode **out, struct im_error *e) {
    struct im_recode *r = calloc(1, sizeof *r);
    if (!r)
        return im_error_nomem(e);
    r->converter = iconv_open(encoding, "UTF-8");
    if (r->converter == (iconv_t)-1) {
        bool is_memory = errno == ENOMEM;
        free(r);
        return is_memory ? im_error_nomem(e) : im_error_set(e, IM_E_USAGE, "nothing can be written in the encoding %s", encoding);
    }
    *out = r;
    return IM_OK;
}

/* As far as it goes: to the end, or to a character that cannot be written. */
static void convert(struct im_recode *r, char **in, size_t *left, struct im_buf *out) {
    bool is_full = true;
    while (*left > 0 && is_full) {
        char piece[PIECE], *to = piece;
        size_t room = sizeof piece;
        is_full = iconv(r->converter, in, left, &to, &room) == (size_t)-1 && errno == E2BIG;
        im_buf_add(out, piece, sizeof piece - room);
    }
}

void im_recode(struct im_recode *r, struct im_buf *text) {
    struct im_buf out = IM_BUF_INIT;
    char *in = text->data;
    size_t left = text->failed ? 0 : text->len;
    while (left > 0) {
        char mark[] = "?", *instead = mark;
        size_t one = 1;
        convert(r, &in, &left, &out);
        if (left > 0) {
            convert(r, &instead, &one, &out);
            do {
                in++;
                left--;
            } while (left > 0 && ((unsigned char)*in & 0xc0) == 0x80);
        }
    }
    out.failed = out.failed || text->failed;
    im_buf_free(text);
    *text = out;
}

void im_recode_free(struct im_recode **r) {
    if (!r || !*r)
        return;
    (void)iconv_close((*r)->converter);
    free(*r);
    *r = NULL;
}
