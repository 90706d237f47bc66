#include "lib/data/json_stream.h"

#include "lib/data/text_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16384 };

struct im_json_stream {
    struct im_text_file *file;
    struct im_position here;
    char piece[PIECE];
    size_t at, len;
    bool is_end;
    struct im_buf value; /* the bytes of the value that is being taken */
};

enum im_err im_json_stream_open(const char *path, struct im_json_stream **out, struct im_error *e) {
    struct im_json_stream *s = calloc(1, sizeof *s);
    if (!s)
        return im_error_nomem(e);
    s->here = (struct im_position)IM_POSITION_INIT;
    enum im_err err = im_text_file_open(path, NULL, &s->file, e);
    if (err == IM_OK) {
        *out = s;
    } else {
        im_json_stream_free(&s);
    }
    return err;
}

void im_json_stream_free(struct im_json_stream **stream) {
    if (!stream || !*stream)
        return;
    im_text_file_free(&(*stream)->file);
    im_buf_free(&(*stream)->value);
    free(*stream);
    *stream = NULL;
}

enum im_err im_json_stream_rewind(struct im_json_stream *s, struct im_error *e) {
    s->here = (struct im_position)IM_POSITION_INIT;
    s->at = s->len = 0;
    s->is_end = false;
    return im_text_file_rewind(s->file, e);
}

enum im_err im_json_stream_error(const struct im_json_stream *s, struct im_error *e, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return im_error_set_at(e, IM_E_INPUT, im_text_file_name(s->file), s->here.line, 0, "%s", text);
}

/* The next character, which stays; -1 at the end. */
static enum im_err look(struct im_json_stream *s, int *c, struct im_error *e) {
    if (s->at == s->len && !s->is_end) {
        s->at = 0;
        enum im_err err = im_text_file_read(s->file, &s->here, s->piece, sizeof s->piece, &s->len, e);
        if (err != IM_OK)
            return err;
        s->is_end = s->len == 0;
    }
    *c = s->at < s->len ? (unsigned char)s->piece[s->at] : -1;
    return IM_OK;
}

static void pass(struct im_json_stream *s) {
    im_position_pass(&s->here, s->piece[s->at++]);
}

enum im_err im_json_stream_peek(struct im_json_stream *s, int *c, struct im_error *e) {
    for (;;) {
        enum im_err err = look(s, c, e);
        if (err != IM_OK || *c <= 0 || !strchr(" \t\r\n", *c))
            return err;
        pass(s);
    }
}

static enum im_err unexpected(const struct im_json_stream *s, const char *wanted, int c, struct im_error *e) {
    if (c < 0)
        return im_json_stream_error(s, e, "the file ends where %s is expected", wanted);
    if (c < 0x20 || c > 0x7e)
        return im_json_stream_error(s, e, "byte 0x%02x stands where %s is expected", (unsigned)c, wanted);
    return im_json_stream_error(s, e, "'%c' stands where %s is expected", c, wanted);
}

enum im_err im_json_stream_take(struct im_json_stream *s, char wanted, struct im_error *e) {
    const char quoted[] = {'\'', wanted, '\'', '\0'};
    int c;
    enum im_err err = im_json_stream_peek(s, &c, e);
    if (err != IM_OK)
        return err;
    if (c != wanted)
        return unexpected(s, quoted, c, e);
    pass(s);
    return IM_OK;
}

/* How far a walk over the bytes of a value is. */
struct scan {
    size_t depth;
    bool in_string, is_escaped, is_done;
};

static void scan_string(struct scan *scan, char c) {
    if (scan->is_escaped) {
        scan->is_escaped = false;
    } else if (c == '\\') {
        scan->is_escaped = true;
    } else if (c == '"') {
        scan->in_string = false;
        scan->is_done = scan->depth == 0;
    }
}

static void scan_byte(struct scan *scan, char c) {
    if (scan->in_string) {
        scan_string(scan, c);
    } else if (c == '"') {
        scan->in_string = true;
    } else if (c == '{' || c == '[') {
        scan->depth++;
    } else if ((c == '}' || c == ']') && scan->depth) {
        scan->is_done = --scan->depth == 0;
    }
}

/* Numbers, true, false and null have no end of their own. */
static bool ends_scalar(const struct scan *scan, int c) {
    return !scan->depth && !scan->in_string && strchr(",:]} \t\r\n", c);
}

/* Copies the bytes of one value; whether they make sense, the parser says. */
static enum im_err collect(struct im_json_stream *s, struct im_error *e) {
    struct scan scan = {.depth = 0};
    im_buf_clear(&s->value);
    while (!scan.is_done) {
        int c;
        enum im_err err = look(s, &c, e);
        if (err != IM_OK)
            return err;
        if (c < 0 || ends_scalar(&scan, c))
            break;
        if (s->value.len == IM_JSON_VALUE_MAX)
            return im_json_stream_error(s, e, "one value is longer than 1 MiB");
        im_buf_addc(&s->value, (char)c);
        scan_byte(&scan, (char)c);
        pass(s);
    }
    return s->value.failed ? im_error_nomem(e) : IM_OK;
}

enum im_err im_json_stream_value(struct im_json_stream *s, json_t **out, struct im_error *e) {
    json_error_t why;
    int c;
    enum im_err err = im_json_stream_peek(s, &c, e);
    if (err == IM_OK && c < 0)
        return unexpected(s, "a value", c, e);
    if (err == IM_OK)
        err = collect(s, e);
    if (err != IM_OK)
        return err;
    *out = json_loadb(im_buf_str(&s->value), s->value.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
    if (*out)
        return IM_OK;
    return json_error_code(&why) == json_error_out_of_memory ? im_error_nomem(e)
                                                             : im_json_stream_error(s, e, "this is no JSON: %s", why.text);
}
