#include "lib/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwidth.h>

static int lower(char c) {
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? u + ('a' - 'A') : u;
}

bool im_text_equal_n(const char *a, size_t an, const char *b, size_t bn) {
    if (an != bn)
        return false;
    if (an && memcmp(a, b, an) == 0)
        return true;
    for (size_t i = 0; i < an; i++) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

bool im_text_equal(const char *a, const char *b) {
    if (!a || !b)
        return a == b;
    if (*a == *b && strcmp(a, b) == 0) /* what is the same is spelled the same, mostly */
        return true;
    while (*a && (*a == *b || lower(*a) == lower(*b))) {
        a++;
        b++;
    }
    return *a == *b; /* both at their end */
}

int im_text_compare(const char *a, const char *b) {
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) - lower(*b);
}

/* Of the length, the first eight letters and the last: names that are alike differ there. A letter's case is one bit. */
uint32_t im_text_hash(const char *text) {
    const uint64_t factor = 0x9e3779b97f4a7c15U; /* 2^64 over the golden ratio */
    const uint64_t case_bits = 0x2020202020202020U;
    size_t len = strlen(text);
    uint64_t first = 0;
    uint64_t last = 0;
    memcpy(&first, text, len < sizeof first ? len : sizeof first);
    if (len > sizeof last)
        memcpy(&last, text + len - sizeof last, sizeof last);
    uint64_t hash = ((first | case_bits) * factor ^ (last | case_bits)) * factor + len * factor;
    return (uint32_t)(hash >> 32);
}

/* Each account has some ten numbers: printf took a fiftieth of a run. */
char *im_text_put_number(char *at, uint64_t number) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (count)
        *at++ = digits[--count];
    return at;
}

bool im_text_is_ascii(const char *s, size_t len) {
    uint64_t all = 0;
    uint64_t word;
    size_t i = 0;
    for (; i + sizeof word <= len; i += sizeof word) { /* eight at a time: each name and value of a run is looked at */
        memcpy(&word, s + i, sizeof word);
        all |= word;
    }
    for (; i < len; i++)
        all |= (unsigned char)s[i];
    return (all & 0x8080808080808080U) == 0;
}

static const uint8_t *bytes_of(const char *s) {
    return (const uint8_t *)s;
}

bool im_text_is_utf8(const char *s, size_t len) {
    return im_text_is_ascii(s, len) || u8_check(bytes_of(s), len) == NULL;
}

/* Eight bytes at a time: a letter from A to Z gets the bit that makes it small. */
static uint64_t lower_word(uint64_t word) {
    const uint64_t each = 0x0101010101010101U;
    uint64_t sevens = word & each * 0x7f;
    uint64_t from_a = sevens + each * (0x80 - 'A'); /* the highest bit of a byte says so */
    uint64_t above_z = sevens + each * (0x80 - 'Z' - 1);
    return word | ((from_a & ~above_z & ~word & each * 0x80) >> 2);
}

void im_text_lower(const char *s, size_t len, char *out) {
    uint64_t word;
    size_t i = 0;
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        word = lower_word(word);
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < len; i++)
        out[i] = (char)lower(s[i]);
}

void im_text_fold(const char *s, size_t len, struct im_buf *out) {
    if (im_text_is_ascii(s, len)) {
        char *room = im_buf_room(out, len);
        if (room)
            im_text_lower(s, len, room);
        return;
    }
    if (!im_text_is_utf8(s, len)) {
        im_buf_add(out, s, len);
        return;
    }
    size_t folded_len = 0;
    uint8_t *folded = u8_casefold(bytes_of(s), len, NULL, UNINORM_NFC, NULL, &folded_len);
    if (folded) {
        im_buf_add(out, folded, folded_len);
    } else {
        out->failed = true;
    }
    free(folded);
}

enum { WORD_MAX = 64 };

/* Levenshtein distance without letter case; words longer than WORD_MAX are "far". */
static size_t distance(const char *a, const char *b) {
    size_t an = strlen(a);
    size_t bn = strlen(b);
    size_t row[WORD_MAX + 1];
    if (an > WORD_MAX || bn > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= bn; j++)
        row[j] = j;
    for (size_t i = 1; i <= an; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t above = row[j];
            size_t best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[bn];
}

const char *im_text_nearest(const char *word, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t limit = (strlen(word) + 2) / 3;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]);
        if (d < strlen(word) && d <= limit) {
            nearest = names[i];
            limit = d ? d - 1 : 0;
            if (d == 0)
                break;
        }
    }
    return nearest;
}

/* Characters that move the cursor, change direction or cannot be seen. */
static bool is_unsafe(ucs4_t c) {
    static const struct {
        ucs4_t first, last;
    } ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c}, {0x180e, 0x180e},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

void im_text_escape(const char *s, size_t len, struct im_buf *out) {
    for (size_t i = 0; i < len;) {
        ucs4_t c;
        int step = u8_mbtoucr(&c, bytes_of(s) + i, len - i);
        if (step <= 0) {
            im_buf_addf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
            i++;
            continue;
        }
        if (!is_unsafe(c)) {
            im_buf_add(out, s + i, (size_t)step);
        } else if (c < 0x80) {
            im_buf_addf(out, "\\x%02x", (unsigned)c);
        } else {
            im_buf_addf(out, "\\u{%04x}", (unsigned)c);
        }
        i += (size_t)step;
    }
}

void im_text_quote(const char *word, struct im_buf *out) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@,%+";
    if (*word && word[strspn(word, plain)] == '\0') {
        im_buf_adds(out, word);
        return;
    }
    im_buf_addc(out, '\'');
    for (; *word; word++)
        im_buf_adds(out, *word == '\'' ? "'\\''" : (const char[]){*word, '\0'});
    im_buf_addc(out, '\'');
}

size_t im_text_width(const char *s) {
    if (!im_text_is_utf8(s, strlen(s)))
        return strlen(s);
    int width = u8_strwidth(bytes_of(s), "UTF-8");
    return width < 0 ? 0 : (size_t)width;
}

size_t im_text_fit(const char *s, size_t room) {
    size_t len = strlen(s);
    size_t fit = 0;
    if (!im_text_is_utf8(s, len))
        return len < room ? len : room;
    while (fit < len) {
        ucs4_t c;
        int step = u8_mbtoucr(&c, bytes_of(s) + fit, len - fit);
        int width = uc_width(c, "UTF-8");
        if (width > 0 && (size_t)width > room)
            break;
        room -= width > 0 ? (size_t)width : 0;
        fit += step > 0 ? (size_t)step : 1;
    }
    return fit;
}
