#include "lib/data/base64.h"

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

enum { INVALID = 0xff };

/* The value of each character as a digit. */
static const unsigned char values[256] = {
#define ROW16                                                                                                                    \
    INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID,         \
        INVALID, INVALID, INVALID
    ROW16,   ROW16,   INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, 62,
    INVALID, INVALID, INVALID, 63,      52,      53,      54,      55,      56,      57,      58,      59,      60,      61,
    INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, 0,       1,       2,       3,       4,       5,       6,
    7,       8,       9,       10,      11,      12,      13,      14,      15,      16,      17,      18,      19,      20,
    21,      22,      23,      24,      25,      INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, 26,      27,      28,
    29,      30,      31,      32,      33,      34,      35,      36,      37,      38,      39,      40,      41,      42,
    43,      44,      45,      46,      47,      48,      49,      50,      51,      INVALID, INVALID, INVALID, INVALID, INVALID,
    ROW16,   ROW16,   ROW16,   ROW16,   ROW16,   ROW16,   ROW16,   ROW16,
#undef ROW16
};

static int digit(char c) {
    unsigned char value = values[(unsigned char)c];
    return value == INVALID ? -1 : value;
}

/* Whole groups of digits; says how many characters they are. */
static size_t decode_groups(const char *text, size_t len, char *out) {
    size_t i = 0;
    for (; i + 4 <= len; i += 4, out += 3) {
        const unsigned char *at = (const unsigned char *)text + i;
        unsigned a = values[at[0]], b = values[at[1]], c = values[at[2]], d = values[at[3]];
        if ((a | b | c | d) & 0x80)
            break;
        unsigned group = a << 18 | b << 12 | c << 6 | d;
        out[0] = (char)(group >> 16);
        out[1] = (char)(group >> 8 & 0xff);
        out[2] = (char)(group & 0xff);
    }
    return i;
}

bool im_base64_decode(const char *text, size_t len, char *out, size_t *out_len, size_t *at) {
    if (len % 4) { /* a wrong character is a better reason than a missing one */
        *at = 0;
        while (*at < len && (digit(text[*at]) >= 0 || text[*at] == '='))
            ++*at;
        return false;
    }
    size_t begin = decode_groups(text, len, out);
    size_t filled = begin / 4 * 3;
    for (size_t i = begin; i < len; i += 4) {
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
