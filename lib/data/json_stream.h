/* A JSON file of any size, value by value: what is not asked for as a whole never is in memory as a whole. */
#ifndef IMDIR_DATA_JSON_STREAM_H
#define IMDIR_DATA_JSON_STREAM_H

#include "lib/base/error.h"
#include "lib/data/json.h"

enum { IM_JSON_VALUE_MAX = 1 << 20 }; /* bytes of one value that is taken as a whole */

struct im_json_stream;

/* "-" is standard input. UTF-8, or UTF-16 with a byte order mark. IM_E_IO, IM_E_INPUT. */
enum im_err im_json_stream_open(const char *path, struct im_json_stream **out, struct im_error *e);
void im_json_stream_free(struct im_json_stream **stream);
enum im_err im_json_stream_rewind(struct im_json_stream *s, struct im_error *e);

/* The next character that is no blank, which stays; -1 at the end. */
enum im_err im_json_stream_peek(struct im_json_stream *s, int *c, struct im_error *e);
/* Takes the next character where it is `c`; else IM_E_INPUT. */
enum im_err im_json_stream_take(struct im_json_stream *s, char c, struct im_error *e);
/* Takes one value, up to IM_JSON_VALUE_MAX bytes; the caller drops it. Strings hold no NUL. */
enum im_err im_json_stream_value(struct im_json_stream *s, json_t **out, struct im_error *e);
/* IM_E_INPUT with the file's name and the line. */
enum im_err im_json_stream_error(const struct im_json_stream *s, struct im_error *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
