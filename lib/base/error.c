#define IM_ERROR_C
#include "lib/base/error.h"

#include <stdio.h>
#include <string.h>

/* Where a code can come before and after the first write, the exit status is the one before; the commands raise it to 4. */
static const struct im_err_row rows[] = {
    [IM_OK] = {IM_OK, "ok", "done", 0, false},
    [IM_E_USAGE] = {IM_E_USAGE, "usage", "the options or arguments cannot be used together", 2, false},
    [IM_E_CONFIG] = {IM_E_CONFIG, "config", "the configuration is wrong", 2, false},
    [IM_E_INPUT] = {IM_E_INPUT, "input", "the input is wrong", 2, false},
    [IM_E_IO] = {IM_E_IO, "io", "a file cannot be read or written", 2, false},
    [IM_E_NOMEM] = {IM_E_NOMEM, "no-memory", "out of memory", 70, false},
    [IM_E_CONNECT] = {IM_E_CONNECT, "connect", "the directory cannot be reached", 3, true},
    [IM_E_TLS] = {IM_E_TLS, "tls", "the connection cannot be protected by TLS", 3, false},
    [IM_E_AUTH] = {IM_E_AUTH, "auth", "the directory refuses the log-on", 3, false},
    [IM_E_LOST] = {IM_E_LOST, "lost", "the connection was lost", 3, true},
    [IM_E_TIMEOUT] = {IM_E_TIMEOUT, "timeout", "the directory did not answer in time", 3, true},
    [IM_E_PROTOCOL] = {IM_E_PROTOCOL, "protocol", "the directory's answer makes no sense", 3, false},
    [IM_E_SERVER] = {IM_E_SERVER, "server", "the directory refused", 3, false},
    [IM_E_NOT_FOUND] = {IM_E_NOT_FOUND, "not-found", "the object does not exist", 3, false},
    [IM_E_CONFLICT] = {IM_E_CONFLICT, "conflict", "somebody else changed the entry meanwhile", 1, true},
    [IM_E_TRUNCATED] = {IM_E_TRUNCATED, "truncated", "the directory gave only a part of the result", 3, false},
    [IM_E_SCHEMA] = {IM_E_SCHEMA, "schema", "the directory's schema does not allow this", 2, false},
    [IM_E_INVISIBLE] = {IM_E_INVISIBLE, "invisible", "no account can be seen at all", 3, false},
    [IM_E_INTERRUPTED] = {IM_E_INTERRUPTED, "interrupted", "stopped on request", 4, false},
    [IM_E_OUTPUT] = {IM_E_OUTPUT, "output", "standard output cannot be written", 4, false},
    [IM_E_LIMIT] = {IM_E_LIMIT, "limit", "more failed or would change than is allowed", 4, false},
    [IM_E_INTERNAL] = {IM_E_INTERNAL, "internal", "internal error: please report it", 70, false},
};

const struct im_err_row *im_err_row(enum im_err code) {
    size_t index = (size_t)code;
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : &rows[IM_E_INTERNAL];
}

/* True where e is to be filled: it exists and holds no error yet. */
static bool takes(struct im_error *e, enum im_err code) {
    if (!e || e->code != IM_OK)
        return false;
    *e = (struct im_error){.code = code};
    return true;
}

__attribute__((format(printf, 2, 0))) static void set_text(struct im_error *e, const char *format, va_list args) {
    int wanted = vsnprintf(e->text, sizeof e->text, format, args);
    if (wanted >= (int)sizeof e->text)
        memcpy(e->text + sizeof e->text - 4, "...", 4);
}

enum im_err im_error_set(struct im_error *e, enum im_err code, const char *format, ...) {
    if (!takes(e, code))
        return code;
    va_list args;
    va_start(args, format);
    set_text(e, format, args);
    va_end(args);
    return code;
}

enum im_err im_error_set_errno(struct im_error *e, enum im_err code, int errnum, const char *format, ...) {
    if (!takes(e, code))
        return code;
    va_list args;
    va_start(args, format);
    set_text(e, format, args);
    va_end(args);
    e->origin = IM_ORIGIN_ERRNO;
    e->system = errnum;
    char words[128];
    size_t len = strlen(e->text);
    (void)snprintf(e->text + len, sizeof e->text - len, ": %s", strerror_r(errnum, words, sizeof words));
    return code;
}

enum im_err im_error_set_at(struct im_error *e, enum im_err code, const char *where, size_t line, size_t column,
                            const char *format, ...) {
    if (!takes(e, code))
        return code;
    va_list args;
    va_start(args, format);
    set_text(e, format, args);
    va_end(args);
    e->line = line;
    e->column = column;
    im_error_where(e, where);
    return code;
}

enum im_err im_error_nomem(struct im_error *e) {
    return im_error_set(e, IM_E_NOMEM, "out of memory");
}

enum im_err im_error_where(struct im_error *e, const char *where) {
    if (!e)
        return IM_OK;
    if (where && !e->where[0])
        (void)snprintf(e->where, sizeof e->where, "%s", where);
    return e->code;
}

void im_error_context(struct im_error *e, const char *format, ...) {
    if (!e || e->code == IM_OK)
        return;
    char front[sizeof e->text];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(front, sizeof front, format, args);
    va_end(args);
    if (len < 0)
        return;
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    if (snprintf(e->text, sizeof e->text, "%s: %s", front, old) >= (int)sizeof e->text)
        memcpy(e->text + sizeof e->text - 4, "...", 4);
}

void im_error_clear(struct im_error *e) {
    if (e)
        *e = (struct im_error){.code = IM_OK};
}

int im_error_format(const struct im_error *e, char *out, size_t size) {
    const char *text = e->text[0] ? e->text : im_err_row(e->code)->text;
    const char *colon = e->where[0] ? ": " : "";
    if (e->line && e->column)
        return snprintf(out, size, "%s:%zu:%zu%s%s", e->where, e->line, e->column, colon[0] ? colon : " ", text);
    if (e->line)
        return snprintf(out, size, "%s:%zu%s%s", e->where, e->line, colon[0] ? colon : " ", text);
    return snprintf(out, size, "%s%s%s", e->where, colon, text);
}
