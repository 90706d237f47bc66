#include "lib/data/times.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILETIME_TICKS INT64_C(10000000)    /* a second */
#define FILETIME_EPOCH INT64_C(11644473600) /* 1601-01-01 to 1970-01-01, seconds */

bool im_int_from_text(const char *text, int64_t min, int64_t max, int64_t *out) {
    enum { MOST_DIGITS = 19 }; /* of 64 bits */
    if (!text)
        return false;
    bool is_negative = *text == '-';
    const char *digits = text + is_negative;
    const char *first = digits;
    uint64_t value = 0;
    while (*first == '0')
        first++;
    const char *at = first;
    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0'); /* of more digits: something that is not looked at */
    if (at == digits || *at || at - first > MOST_DIGITS || value > (uint64_t)INT64_MAX + is_negative)
        return false;
    int64_t number = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    if (number < min || number > max)
        return false;
    *out = number;
    return true;
}

bool im_time_from_filetime(const char *text, int64_t *seconds, bool *never) {
    int64_t ticks;
    if (!im_int_from_text(text, 0, INT64_MAX, &ticks))
        return false;
    *never = ticks == 0 || ticks == INT64_MAX;
    if (!*never)
        *seconds = ticks / FILETIME_TICKS - FILETIME_EPOCH;
    return true;
}

/* Two digits at text, or -1. */
static int two(const char *text) {
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + (text[1] - '0');
}

/* "Z", "+hh", "+hhmm": seconds to take off. */
static bool read_zone(const char *zone, int64_t *offset) {
    if (strcmp(zone, "Z") == 0) {
        *offset = 0;
        return true;
    }
    size_t len = strlen(zone);
    if ((zone[0] != '+' && zone[0] != '-') || (len != 3 && len != 5))
        return false;
    int hours = two(zone + 1);
    int minutes = len == 5 ? two(zone + 3) : 0;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset = (zone[0] == '-' ? -60 : 60) * ((int64_t)hours * 60 + minutes);
    return true;
}

/* A fraction belongs to the smallest unit given: "20.5" is half past eight. Moves *text behind it. */
static bool read_fraction(const char **text, int64_t unit, int64_t *seconds) {
    *seconds = 0;
    if (**text != '.' && **text != ',')
        return true;
    size_t digits = strspn(*text + 1, "0123456789");
    int64_t scale = 1;
    int64_t fraction = 0;
    for (size_t i = 1; i <= digits && i <= 9; i++) {
        fraction = fraction * 10 + ((*text)[i] - '0');
        scale *= 10;
    }
    *seconds = unit * fraction / scale;
    *text += 1 + digits;
    return digits > 0;
}

/* timegm makes the 31st of February the 3rd of March instead of complaining. */
static bool is_day(const struct tm *tm) {
    struct tm day = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday};
    (void)timegm(&day);
    return tm->tm_mon >= 0 && tm->tm_mon <= 11 && day.tm_mday == tm->tm_mday && day.tm_mon == tm->tm_mon;
}

bool im_time_from_generalized(const char *text, int64_t *seconds) {
    size_t digits = strspn(text, "0123456789");
    if (digits != 10 && digits != 12 && digits != 14)
        return false;
    struct tm tm = {
        .tm_year = two(text) * 100 + two(text + 2) - 1900,
        .tm_mon = two(text + 4) - 1,
        .tm_mday = two(text + 6),
        .tm_hour = two(text + 8),
        .tm_min = digits >= 12 ? two(text + 10) : 0,
        .tm_sec = digits == 14 ? two(text + 12) : 0,
    };
    if (!is_day(&tm) || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    text += digits;
    int64_t fraction;
    int64_t offset;
    if (!read_fraction(&text, digits == 14 ? 1 : digits == 12 ? 60 : 3600, &fraction) || !read_zone(text, &offset))
        return false;
    *seconds = (int64_t)timegm(&tm) + fraction - offset;
    return true;
}

void im_time_to_rfc3339(int64_t seconds, char out[static IM_TIME_TEXT_SIZE]) {
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(out, IM_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        (void)snprintf(out, IM_TIME_TEXT_SIZE, "%" PRId64, seconds);
}

bool im_date_from_text(const char *text, int64_t *seconds) {
    static const char form[] = "dddd-dd-dd";
    char generalized[sizeof "yyyymmdd000000Z"];
    size_t len = 0;
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (is_digit != (form[i] == 'd') || (!is_digit && text[i] != '-'))
            return false;
        if (is_digit)
            generalized[len++] = text[i];
    }
    memcpy(generalized + len, "000000Z", sizeof "000000Z");
    return im_time_from_generalized(generalized, seconds);
}

void im_date_to_text(int64_t seconds, char out[static IM_TIME_TEXT_SIZE]) {
    im_time_to_rfc3339(seconds, out);
    out[strcspn(out, "T")] = '\0';
}
