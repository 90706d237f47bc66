#include "lib/data/json_text.h"

#include "lib/base/text.h"
#include "lib/data/base64.h"

#include <stdint.h>
#include <string.h>

/* What stands in the way of writing the bytes as they are. */
enum { HAS_ESCAPES = 1, HAS_NUL = 2, HAS_HIGH = 4 };

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is none of eight bytes below 0x20, a quote, a backslash or above 0x7f? A byte that has its high bit borrowed from a neighbour
 * only makes the answer "perhaps not". */
static bool are_plain(const char *eight) {
    uint64_t word;
    memcpy(&word, eight, sizeof word);
    uint64_t quotes = word ^ EACH('"');
    uint64_t backslashes = word ^ EACH('\\');
    return ((word | (word - EACH(0x20)) | (quotes - EACH(1)) | (backslashes - EACH(1))) & EACH(0x80U)) == 0;
}

/* Eight at a time where nothing stands in the way: journal and report are 2 kB for each account, and going through them byte by
 * byte took a tenth of a run. */
static unsigned kinds(const char *s, size_t len) {
    unsigned found = 0;
    size_t i = 0;
    while (i + sizeof(uint64_t) <= len && are_plain(s + i))
        i += sizeof(uint64_t);
    bool is_rest = i + sizeof(uint64_t) > len && len >= sizeof(uint64_t); /* which the last eight hold */
    if (is_rest && are_plain(s + len - sizeof(uint64_t)))
        return 0;
    for (; i < len; i++) {
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

/* Into room that is there; the end of it. */
static char *put_key(char *at, const char *key, size_t len, bool is_first) {
    if (!is_first)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, key, len);
    at += len;
    *at++ = '"';
    *at++ = ':';
    return at;
}

static char *put_plain(char *at, const char *s, size_t len) {
    *at++ = '"';
    memcpy(at, s, len);
    at += len;
    *at++ = '"';
    return at;
}

static bool begins(const struct im_buf *out) {
    return !out->len || out->data[out->len - 1] == '{';
}

static void add_unplain(struct im_buf *out, const struct berval *value, unsigned found) {
    const char *s = value->bv_val;
    if (found & HAS_NUL || (found & HAS_HIGH && !im_text_is_utf8(s, value->bv_len))) {
        add_bytes(out, value);
        return;
    }
    im_buf_addc(out, '"');
    add_escaped(out, s, value->bv_len);
    im_buf_addc(out, '"');
}

void im_json_add_value(struct im_buf *out, const struct berval *value) {
    const char *s = value->bv_len ? value->bv_val : "";
    unsigned found = kinds(s, value->bv_len);
    if (found) {
        add_unplain(out, value, found);
        return;
    }
    char *at = im_buf_room(out, value->bv_len + 2);
    if (at)
        put_plain(at, s, value->bv_len);
}

void im_json_add_string(struct im_buf *out, const char *s) {
    struct berval value = {.bv_len = strlen(s)};
    memcpy(&value.bv_val, &s, sizeof value.bv_val); /* struct berval knows no const */
    im_json_add_value(out, &value);
}

void im_json_add_key(struct im_buf *out, const char *key) {
    bool is_first = begins(out);
    size_t len = strlen(key);
    char *at = im_buf_room(out, len + 3 + !is_first);
    if (at)
        put_key(at, key, len, is_first);
}

/* In one piece: a line has some thirty of them. */
void im_json_add_member(struct im_buf *out, const char *key, const char *value) {
    bool is_first = begins(out);
    size_t key_len = strlen(key);
    size_t len = value ? strlen(value) : 0;
    if (!value)
        return;
    if (kinds(value, len)) {
        im_json_add_key(out, key);
        im_json_add_string(out, value);
        return;
    }
    char *at = im_buf_room(out, key_len + len + 5 + !is_first);
    if (at)
        put_plain(put_key(at, key, key_len, is_first), value, len);
}

void im_json_add_values(struct im_buf *out, const char *key, const struct berval *values, size_t count) {
    im_json_add_key(out, key);
    im_buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            im_buf_addc(out, ',');
        im_json_add_value(out, &values[i]);
    }
    im_buf_addc(out, ']');
}

void im_json_add_count(struct im_buf *out, const char *key, size_t value) {
    char digits[20];
    im_json_add_key(out, key);
    im_buf_add(out, digits, (size_t)(im_text_put_number(digits, value) - digits));
}
