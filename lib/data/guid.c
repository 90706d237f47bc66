#include "lib/data/guid.h"

#include <string.h>

/* Where the octets of an objectGUID stand in its text: the first three groups are little-endian. */
static const unsigned char order[IM_GUID_BYTES_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static const char digits[] = "0123456789abcdef";

static bool has_dash_before(size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool im_guid_to_text(const struct berval *octets, char out[static IM_GUID_TEXT_SIZE]) {
    if (octets->bv_len != IM_GUID_BYTES_SIZE)
        return false;
    char *at = out;
    for (size_t i = 0; i < IM_GUID_BYTES_SIZE; i++) {
        unsigned char octet = (unsigned char)octets->bv_val[order[i]];
        if (has_dash_before(i))
            *at++ = '-';
        *at++ = digits[octet >> 4];
        *at++ = digits[octet & 0xf];
    }
    *at = '\0';
    return true;
}

static int digit(char c) {
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

bool im_guid_from_text(const char *text, unsigned char out[static IM_GUID_BYTES_SIZE]) {
    unsigned char bytes[IM_GUID_BYTES_SIZE];
    bool in_braces = *text == '{';
    text += in_braces;
    for (size_t i = 0; i < IM_GUID_BYTES_SIZE; i++) {
        if (has_dash_before(i) && *text++ != '-')
            return false;
        int high = digit(text[0]);
        int low = high < 0 ? -1 : digit(text[1]);
        if (low < 0)
            return false;
        bytes[order[i]] = (unsigned char)(high << 4 | low);
        text += 2;
    }
    if (in_braces && *text++ != '}')
        return false;
    if (*text)
        return false;
    memcpy(out, bytes, sizeof bytes);
    return true;
}
