#include "lib/report/layout.h"

#include "lib/base/text.h"

#include <string.h>

enum { MIN_TEXT_WIDTH = 20 };

void im_layout_escape(struct im_buf *out, const char *s) {
    im_text_escape(s, strlen(s), out);
}

void im_layout_pad(struct im_buf *out, size_t have, size_t want) {
    for (; have < want; have++)
        im_buf_addc(out, ' ');
}

static void begin_below(size_t indent, struct im_buf *text) {
    while (text->len && text->data[text->len - 1] == ' ')
        text->len--;
    im_buf_addc(text, '\n');
    im_layout_pad(text, 0, indent);
}

void im_layout_wrap(const struct im_out *out, size_t column, size_t indent, const char *s, struct im_buf *text) {
    bool is_narrow = column > indent && column + MIN_TEXT_WIDTH > out->width;
    if (out->width && is_narrow && column + im_text_width(s) > out->width) {
        begin_below(indent, text);
        column = indent;
    }
    while (out->width && *s) {
        size_t room = out->width > column + MIN_TEXT_WIDTH ? out->width - column : MIN_TEXT_WIDTH;
        size_t fit = im_text_fit(s, room);
        if (!s[fit])
            break;
        size_t cut = fit;
        while (cut && s[cut] != ' ')
            cut--;
        if (!fit)
            break;
        im_buf_add(text, s, cut ? cut : fit);
        im_buf_addc(text, '\n');
        im_layout_pad(text, 0, indent);
        s += cut ? cut + 1 : fit;
        column = indent;
    }
    im_buf_adds(text, s);
}

void im_layout_color(const struct im_out *out, const char *sgr, const char *s, struct im_buf *text) {
    if (out->color && sgr) {
        im_buf_addf(text, "\x1b[%sm%s\x1b[0m", sgr, s);
    } else {
        im_buf_adds(text, s);
    }
}

void im_layout_number(struct im_buf *out, size_t number) {
    if (number >= 1000) {
        im_layout_number(out, number / 1000);
        im_buf_addf(out, ",%03zu", number % 1000);
    } else {
        im_buf_addf(out, "%zu", number);
    }
}

void im_layout_count(struct im_buf *out, size_t number, const char *noun) {
    im_layout_number(out, number);
    im_buf_addf(out, " %s%s", noun, number == 1 ? "" : "s");
}
