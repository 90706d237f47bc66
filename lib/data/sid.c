#include "lib/data/sid.h"

#include "lib/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 8, MAX_SUBS = 15 };

static char *put_authority(char *out, uint64_t authority) {
    static const char front[] = "S-1-";
    if (authority > UINT32_MAX)
        return out + snprintf(out, IM_SID_TEXT_SIZE, "%s0x%012" PRIx64, front, authority);
    memcpy(out, front, sizeof front - 1);
    return im_text_put_number(out + sizeof front - 1, (uint32_t)authority);
}

bool im_sid_to_text(const struct berval *octets, char out[static IM_SID_TEXT_SIZE]) {
    if (octets->bv_len < HEADER)
        return false;
    unsigned char bytes[IM_SID_BYTES_SIZE];
    if (octets->bv_len > sizeof bytes)
        return false;
    memcpy(bytes, octets->bv_val, octets->bv_len);
    size_t subs = bytes[1];
    if (bytes[0] != 1 || subs == 0 || subs > MAX_SUBS || octets->bv_len != HEADER + 4 * subs)
        return false;
    uint64_t authority = 0;
    for (size_t i = 2; i < HEADER; i++)
        authority = authority << 8 | bytes[i]; /* big-endian, unlike the rest */
    char *at = put_authority(out, authority);
    for (size_t i = 0; i < subs; i++) {
        const unsigned char *b = bytes + HEADER + 4 * i;
        *at++ = '-';
        at = im_text_put_number(at, (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
    }
    *at = '\0';
    return true;
}

/* One "-NUMBER" of the text; moves *text behind it. */
static bool read_part(const char **text, uint64_t max, uint64_t *out) {
    if (**text != '-' || (*text)[1] < '0' || (*text)[1] > '9')
        return false;
    bool is_hex = (*text)[1] == '0' && ((*text)[2] == 'x' || (*text)[2] == 'X');
    char *end;
    errno = 0;
    *out = strtoull(*text + 1, &end, is_hex ? 16 : 10);
    *text = end;
    return errno == 0 && *out <= max;
}

bool im_sid_from_text(const char *text, unsigned char out[static IM_SID_BYTES_SIZE], size_t *len) {
    unsigned char bytes[IM_SID_BYTES_SIZE] = {1};
    uint64_t part;
    if ((text[0] != 'S' && text[0] != 's') || strncmp(text + 1, "-1", 2) != 0)
        return false;
    text += 3;
    if (!read_part(&text, UINT64_C(0xffffffffffff), &part))
        return false;
    for (size_t i = 0; i < 6; i++)
        bytes[2 + i] = (unsigned char)(part >> (40 - 8 * i));
    size_t subs = 0;
    while (*text) {
        if (subs == MAX_SUBS || !read_part(&text, UINT32_MAX, &part))
            return false;
        for (size_t i = 0; i < 4; i++)
            bytes[HEADER + 4 * subs + i] = (unsigned char)(part >> (8 * i));
        subs++;
    }
    if (subs == 0)
        return false;
    bytes[1] = (unsigned char)subs;
    memcpy(out, bytes, sizeof bytes);
    *len = HEADER + 4 * subs;
    return true;
}
