#include "lib/data/json.h"

#include "lib/base/text.h"
#include "lib/data/base64.h"

#include <string.h>

json_t *im_json_value(const struct berval *value) {
    if (im_text_is_utf8(value->bv_val, value->bv_len) && (value->bv_len == 0 || !memchr(value->bv_val, '\0', value->bv_len)))
        return json_stringn(value->bv_len ? value->bv_val : "", value->bv_len);
    struct im_buf text = IM_BUF_INIT;
    im_base64_encode(value, &text);
    json_t *object = text.failed ? NULL : json_pack("{s:s}", "base64", im_buf_str(&text));
    im_buf_free(&text);
    return object;
}

json_t *im_json_string(const char *s) {
    if (!s)
        return NULL;
    size_t len = strlen(s);
    if (im_text_is_utf8(s, len))
        return json_stringn(s, len);
    struct im_buf copy = IM_BUF_INIT;
    im_buf_add(&copy, s, len);
    struct berval value = im_buf_value(&copy);
    json_t *object = copy.failed ? NULL : im_json_value(&value);
    im_buf_free(&copy);
    return object;
}

void im_json_put(json_t *object, const char *key, json_t *value) {
    if (value)
        (void)json_object_set_new(object, key, value);
}

static int append(const char *bytes, size_t size, void *user) {
    struct im_buf *out = user;
    im_buf_add(out, bytes, size);
    return out->failed ? -1 : 0;
}

enum { REAL_DIGITS = 15 }; /* what a double holds for sure: 0.003 stays 0.003 */

void im_json_dump(const json_t *value, struct im_buf *out) {
    if (!value || json_dump_callback(value, append, out, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS) | JSON_ENCODE_ANY) != 0)
        out->failed = true;
}
