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

/* The digits of a port, to the end of the text. */
static bool read_port(const char *text, uint16_t *port) {
    unsigned long value = 0;
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 5 || text[len])
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (unsigned long)(text[i] - '0');
    *port = (uint16_t)value;
    return value > 0 && value <= UINT16_MAX;
}

bool im_hostname_split(const char *text, char host[IM_HOSTNAME_SIZE], uint16_t *port) {
    const char *colon = strchr(text, ':');
    const char *bracket = *text == '[' ? strchr(text, ']') : NULL;
    const char *start = bracket ? text + 1 : text;
    size_t len = strlen(text);
    *port = 0;
    if (bracket) {
        len = (size_t)(bracket - start);
        if (bracket[1] && (bracket[1] != ':' || !read_port(bracket + 2, port)))
            return false;
    } else if (colon && !strchr(colon + 1, ':')) {
        len = (size_t)(colon - text);
        if (!read_port(colon + 1, port))
            return false;
    }
    char part[4 * IM_HOSTNAME_SIZE]; /* names in Unicode may be longer than what becomes of them */
    if (len >= sizeof part)
        return false;
    memcpy(part, start, len);
    part[len] = '\0';
    if (!im_hostname_is_address(part))
        return !bracket && im_hostname_ascii(part, host);
    memcpy(host, part, len + 1);
    return true;
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
