#include "tools/amount.h"

#include <string.h>

#define DIGITS "0123456789"

enum { MOST_DIGITS = 9 };

/* Digits, and for shares a point and further ones. The decimal comma of a locale has no say here. */
static double number(const char *text, size_t *len) {
    double value = 0;
    double place = 1;
    *len = strspn(text, DIGITS);
    for (size_t i = 0; i < *len; i++) {
        value = value * 10 + (text[i] - '0');
    }
    if (*len == 0 || text[*len] != '.') {
        return value;
    }
    size_t more = strspn(text + *len + 1, DIGITS);
    for (size_t i = 0; i < more; i++) {
        place /= 10;
        value += place * (text[*len + 1 + i] - '0');
    }
    *len = more == 0 ? 0 : *len + 1 + more;
    return value;
}

enum im_err im_amount_parse(const char *option, const char *text, struct im_amount *out, struct im_error *e) {
    size_t len;
    double value = number(text, &len);
    bool is_whole = memchr(text, '.', len) == NULL;
    bool is_percent = strcmp(text + len, "%") == 0;
    if (len == 0 || len > MOST_DIGITS || !(is_percent || (is_whole && text[len] == '\0'))) {
        return im_error_set(e, IM_E_USAGE, "--%s: \"%.80s\" is neither a number, such as 100, nor a share, such as 5%%", option,
                            text);
    }
    if (is_percent && value > 100) {
        return im_error_set(e, IM_E_USAGE, "--%s: %.80s is more than all: give 0%% to 100%%", option, text);
    }
    *out = is_percent ? (struct im_amount){.percent = value, .is_percent = true} : (struct im_amount){.count = (size_t)value};
    return IM_OK;
}

size_t im_amount_of(const struct im_amount *amount, size_t total) {
    /* 2.3 % of 1000 are 22.999999999999996 otherwise */
    return amount->is_percent ? (size_t)((double)total * amount->percent / 100 + 1e-9) : amount->count;
}

void im_amount_write(size_t value, struct im_buf *out) {
    char digits[32];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%zu", value);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            im_buf_addc(out, ',');
        }
        im_buf_addc(out, digits[i]);
    }
}
