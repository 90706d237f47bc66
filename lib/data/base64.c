#include "lib/data/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void im_base64_encode(const struct berval *value, struct im_buf *out) {
    for (size_t i = 0; i < value->bv_len; i += 3) {
        size_t left = value->bv_len - i;
        unsigned a = (unsigned char)value->bv_val[i];
        unsigned b = left > 1 ? (unsigned char)value->bv_val[i + 1] : 0;
        unsigned c = left > 2 ? (unsigned char)value->bv_val[i + 2] : 0;
        im_buf_addc(out, digits[a >> 2]);
        im_buf_addc(out, digits[(a & 3) << 4 | b >> 4]);
        im_buf_addc(out, (char)(left > 1 ? digits[(b & 15) << 2 | c >> 6] : '='));
        im_buf_addc(out, (char)(left > 2 ? digits[c & 63] : '='));
    }
}

/* The value of a digit, or -1. */
static int digit(char c) {
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

bool im_base64_decode(const char *text, size_t len, char *out, size_t *out_len, size_t *at) {
    size_t filled = 0;
    if (len % 4) { /* a wrong character is a better reason than a missing one */
        *at = 0;
        while (*at < len && (digit(text[*at]) >= 0 || text[*at] == '='))
            ++*at;
        return false;
    }
    for (size_t i = 0; i < len; i += 4) {
        unsigned group = 0;
        size_t pad = 0;
        for (size_t k = 0; k < 4; k++) {
            bool is_pad = text[i + k] == '=' && i + 4 == len && k >= 2;
            int d = is_pad ? 0 : digit(text[i + k]);
            *at = i + k;
            if (d < 0 || (pad && !is_pad))
                return false;
            pad += is_pad;
            group = group << 6 | (unsigned)d;
        }
        for (size_t k = 0; k < 3 - pad; k++)
            out[filled++] = (char)(group >> (16 - 8 * k) & 0xff);
    }
    *out_len = filled;
    return true;
}
