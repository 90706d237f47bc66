#include "lib/data/hostname.h"

#include "lib/base/text.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

enum { LABEL_MAX = 63, NAME_MAX_LENGTH = IM_HOSTNAME_SIZE - 1 };

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool take(const char *name, char out[IM_HOSTNAME_SIZE]) {
    size_t len = strlen(name);
    if (len && name[len - 1] == '.')
        len--;
    if (len == 0 || len > NAME_MAX_LENGTH)
        return false;
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        out[i] = lower(name[i]);
        if (out[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", out[i]) || ++label > LABEL_MAX) {
            return false;
        }
    }
    out[len] = '\0';
    return label > 0;
}

bool im_hostname_ascii(const char *name, char out[IM_HOSTNAME_SIZE]) {
    if (im_text_is_ascii(name, strlen(name)))
        return take(name, out);
    char *ascii = NULL;
    int status = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    bool is_taken = status == IDN2_OK && take(ascii, out);
    if (status == IDN2_OK)
        idn2_free(ascii);
    return is_taken;
}

bool im_hostname_is_address(const char *name) {
    unsigned char bytes[sizeof(struct in6_addr)];
    char bare[INET6_ADDRSTRLEN];
    size_t len = strlen(name);
    if (len > 2 && name[0] == '[' && name[len - 1] == ']' && len - 2 < sizeof bare) {
        memcpy(bare, name + 1, len - 2);
        bare[len - 2] = '\0';
        return inet_pton(AF_INET6, bare, bytes) == 1;
    }
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}
