/* Times of the directory: FILETIME numbers and generalized time, as seconds since 1970 UTC. */
#ifndef IMDIR_DATA_TIMES_H
#define IMDIR_DATA_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IM_TIME_TEXT_SIZE = 32 };

/* A FILETIME attribute as text (MS-ADA1 2.1): 100 ns since 1601. False: not a number in range. "0" and 0x7FFFFFFFFFFFFFFF mean
 * never where the attribute says so: *never is set then and *seconds is not. */
bool im_time_from_filetime(const char *text, int64_t *seconds, bool *never);
bool im_time_from_generalized(const char *text, int64_t *seconds);               /* RFC 4517 section 3.3.13 */
void im_time_to_rfc3339(int64_t seconds, char out[static IM_TIME_TEXT_SIZE]);    /* 2026-11-25T20:00:00Z */
bool im_date_from_text(const char *text, int64_t *seconds);                      /* 2027-03-31: its first second, UTC */
void im_date_to_text(int64_t seconds, char out[static IM_TIME_TEXT_SIZE]);       /* 2027-03-31 */
bool im_int_from_text(const char *text, int64_t min, int64_t max, int64_t *out); /* whole text, decimal */

#endif
