#include "lib/data/ldif.h"

#include "lib/data/base64.h"

#include <string.h>

enum { LINE_WIDTH = 76 };

/* SAFE-STRING of RFC 2849, and no blank at the end, which editors drop. */
static bool is_plain(const struct berval *value) {
    for (size_t i = 0; i < value->bv_len; i++) {
        unsigned char c = (unsigned char)value->bv_val[i];
        if (c < 0x20 || c > 0x7e || (i == 0 && strchr(" :<", c)))
            return false;
    }
    return value->bv_len == 0 || value->bv_val[value->bv_len - 1] != ' ';
}

/* Lines go on after a line end and a blank. */
static void add_folded(const struct im_buf *line, struct im_buf *out) {
    size_t width = LINE_WIDTH;
    for (size_t at = 0; at < line->len; at += width, width = LINE_WIDTH - 1) {
        size_t left = line->len - at;
        if (at)
            im_buf_adds(out, "\n ");
        im_buf_add(out, line->data + at, left < width ? left : width);
    }
    im_buf_addc(out, '\n');
}

void im_ldif_write_value(struct im_buf *out, const char *attribute, const struct berval *value) {
    struct im_buf line = IM_BUF_INIT;
    im_buf_adds(&line, attribute);
    if (is_plain(value)) {
        im_buf_adds(&line, value->bv_len ? ": " : ":");
        im_buf_add(&line, value->bv_val, value->bv_len);
    } else {
        im_buf_adds(&line, ":: ");
        im_base64_encode(value, &line);
    }
    if (line.failed) {
        out->failed = true;
    } else {
        add_folded(&line, out);
    }
    im_buf_free(&line);
}

static void write_text(struct im_buf *out, const char *attribute, const char *text) {
    struct im_buf copy = IM_BUF_INIT;
    im_buf_adds(&copy, text);
    struct berval value = im_buf_value(&copy);
    if (copy.failed) {
        out->failed = true;
    } else {
        im_ldif_write_value(out, attribute, &value);
    }
    im_buf_free(&copy);
}

void im_ldif_write_change(struct im_buf *out, const struct im_change *change) {
    static const char *const kinds[] = {[IM_OP_ADD] = "add", [IM_OP_DELETE] = "delete", [IM_OP_REPLACE] = "replace"};
    write_text(out, "dn", change->dn);
    im_buf_adds(out, "changetype: modify\n");
    for (size_t i = 0; i < change->count; i++) {
        const struct im_op *op = &change->ops[i];
        im_buf_addf(out, "%s: %s\n", kinds[op->kind], op->attribute);
        for (size_t v = 0; v < op->count; v++)
            im_ldif_write_value(out, op->attribute, &op->values[v]);
        im_buf_adds(out, "-\n");
    }
    im_buf_addc(out, '\n');
}
