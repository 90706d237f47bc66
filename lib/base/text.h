/* Helpers for text: letter case, likeness, and what is safe to show. */
#ifndef IMDIR_BASE_TEXT_H
#define IMDIR_BASE_TEXT_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool im_text_equal(const char *a, const char *b); /* ASCII letter case ignored; NULL equals only NULL */
bool im_text_equal_n(const char *a, size_t an, const char *b, size_t bn);
int im_text_compare(const char *a, const char *b); /* the order that goes with im_text_equal, for qsort */
uint32_t im_text_hash(const char *text);           /* the same for texts that are im_text_equal; not for what strangers choose */
char *im_text_put_number(char *at, uint64_t number);      /* up to 20 digits, no NUL; returns where they end */
void im_text_lower(const char *s, size_t len, char *out); /* ASCII letters; other bytes stay as they are */
bool im_text_is_ascii(const char *s, size_t len);
bool im_text_is_utf8(const char *s, size_t len); /* RFC 3629: no surrogates, no overlong forms, no NUL check */
/* Folded for comparison: NFC, full case folding (libunistring). Bytes that are not UTF-8 are kept as they are. */
void im_text_fold(const char *s, size_t len, struct im_buf *out);
/* The best of `names` for "did you mean": edit distance at most a third of the length, rounded up; else NULL. */
const char *im_text_nearest(const char *word, const char *const *names, size_t count);
/* Appends s with control and bidirectional characters and broken UTF-8 as \xNN / \u{NNNN}: safe for a terminal. */
void im_text_escape(const char *s, size_t len, struct im_buf *out);
/* Appends one word of a command line, quoted for a POSIX shell where it needs that. */
void im_text_quote(const char *word, struct im_buf *out);
size_t im_text_width(const char *s);            /* terminal columns */
size_t im_text_fit(const char *s, size_t room); /* bytes that fit into so many columns; whole characters only */

#endif
