#include "lib/data/times.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILETIME_TICKS INT64_C(10000000)    /* a second */
#define FILETIME_EPOCH INT64_C(11644473600) /* 1601-01-01 to 1970-01-01, seconds */

bool im_int_from_text(const char *text, int64_t min, int64_t max, int64_t *out) {
    if (!text || !(*text == '-' || (*text >= '0' && *text <= '9')))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || end == text || value < min || value > max)
        return false;
    *out = value;
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
    if ((zone[0] != '+' && zone[0] != '-') || (len != 3 && len != 5) || two(zone + 1) < 0 || (len == 5 && two(zone + 3) < 0))
        return false;
    int64_t minutes = two(zone + 1) * 60 + (len == 5 ? two(zone + 3) : 0);
    *offset = (zone[0] == '-' ? -60 : 60) * minutes;
    return true;
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
    if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60)
        return false;
    text += digits;
    if (*text == '.' || *text == ',') {
        size_t fraction = strspn(text + 1, "0123456789");
        if (fraction == 0)
            return false;
        text += 1 + fraction;
    }
    int64_t offset;
    if (!read_zone(text, &offset))
        return false;
    *seconds = (int64_t)timegm(&tm) - offset;
    return true;
}

void im_time_to_rfc3339(int64_t seconds, char out[static IM_TIME_TEXT_SIZE]) {
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(out, IM_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        (void)snprintf(out, IM_TIME_TEXT_SIZE, "%" PRId64, seconds);
}
