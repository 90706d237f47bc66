#include "lib/data/json_text.h"

#include "lib/base/text.h"
#include "lib/data/base64.h"

#include <string.h>

/* What stands in the way of writing the bytes as they are. */
enum { HAS_ESCAPES = 1, HAS_NUL = 2, HAS_HIGH = 4 };

static unsigned kinds(const char *s, size_t len) {
    unsigned found = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x80) {
            found |= HAS_HIGH;
        } else if (c < 0x20 || c == '"' || c == '\\') {
            found |= c ? HAS_ESCAPES : HAS_NUL;
        }
    }
    return found;
}

static void add_escape(struct im_buf *out, char c) {
    static const char letters[] = "\b\f\n\r\t\"\\";
    static const char names[] = "bfnrt\"\\";
    const char *letter = strchr(letters, c);
    if (letter) {
        im_buf_addc(out, '\\');
        im_buf_addc(out, names[letter - letters]);
    } else {
        im_buf_addf(out, "\\u%04X", (unsigned)c);
    }
}

static void add_escaped(struct im_buf *out, const char *s, size_t len) {
    size_t begin = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        im_buf_add(out, s + begin, i - begin);
        add_escape(out, s[i]);
        begin = i + 1;
    }
    im_buf_add(out, s + begin, len - begin);
}

static void add_bytes(struct im_buf *out, const struct berval *value) {
    im_buf_adds(out, "{\"base64\":\"");
    im_base64_encode(value, out);
    im_buf_adds(out, "\"}");
}

void im_json_add_value(struct im_buf *out, const struct berval *value) {
    const char *s = value->bv_len ? value->bv_val : "";
    unsigned found = kinds(s, value->bv_len);
    if (found & HAS_NUL || (found & HAS_HIGH && !im_text_is_utf8(s, value->bv_len))) {
        add_bytes(out, value);
        return;
    }
    im_buf_addc(out, '"');
    if (found & HAS_ESCAPES) {
        add_escaped(out, s, value->bv_len);
    } else {
        im_buf_add(out, s, value->bv_len);
    }
    im_buf_addc(out, '"');
}

void im_json_add_string(struct im_buf *out, const char *s) {
    struct berval value = {.bv_len = strlen(s)};
    memcpy(&value.bv_val, &s, sizeof value.bv_val); /* struct berval knows no const */
    im_json_add_value(out, &value);
}
