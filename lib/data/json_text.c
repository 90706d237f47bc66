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

static void add_plain(struct im_buf *out, const char *s, size_t len) {
    char *room = im_buf_room(out, len + 2);
    if (!room)
        return;
    room[0] = '"';
    memcpy(room + 1, s, len);
    room[len + 1] = '"';
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
    if (found & HAS_ESCAPES) {
        im_buf_addc(out, '"');
        add_escaped(out, s, value->bv_len);
        im_buf_addc(out, '"');
    } else {
        add_plain(out, s, value->bv_len);
    }
}

void im_json_add_string(struct im_buf *out, const char *s) {
    struct berval value = {.bv_len = strlen(s)};
    memcpy(&value.bv_val, &s, sizeof value.bv_val); /* struct berval knows no const */
    im_json_add_value(out, &value);
}

/* In one piece: a line has some thirty of them. */
void im_json_add_key(struct im_buf *out, const char *key) {
    bool is_first = !out->len || out->data[out->len - 1] == '{';
    char *at = im_buf_room(out, strlen(key) + 3 + !is_first);
    if (!at)
        return;
    if (!is_first)
        *at++ = ',';
    *at++ = '"';
    at = stpcpy(at, key);
    at[0] = '"';
    at[1] = ':';
}

void im_json_add_member(struct im_buf *out, const char *key, const char *value) {
    if (!value)
        return;
    im_json_add_key(out, key);
    im_json_add_string(out, value);
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
    im_json_add_key(out, key);
    im_buf_addf(out, "%zu", value);
}
