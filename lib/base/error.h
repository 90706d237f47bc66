/* What went wrong, in words: the one error type of the library.
 *
 * Functions return enum im_err and fill an optional, caller-owned struct im_error (pass NULL when the code is enough).
 * The first error wins: setting an error that is already set does nothing, so that clean-up cannot hide the cause.
 * Fixed size, no allocation: it also reports running out of memory. */
#ifndef IMDIR_BASE_ERROR_H
#define IMDIR_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum im_err {
    IM_OK = 0,
    IM_E_USAGE,       /* options or arguments contradict each other or are unknown */
    IM_E_CONFIG,      /* a configuration or profile file is wrong: line and column are set */
    IM_E_INPUT,       /* an input file (list, CSV, LDIF) is wrong: line is set */
    IM_E_IO,          /* a local file cannot be read or written: system holds errno */
    IM_E_NOMEM,       /* out of memory */
    IM_E_CONNECT,     /* no connection to the server */
    IM_E_TLS,         /* TLS could not be set up as demanded */
    IM_E_AUTH,        /* the server does not accept who we are */
    IM_E_LOST,        /* the connection was lost after it had worked */
    IM_E_TIMEOUT,     /* our own deadline passed */
    IM_E_PROTOCOL,    /* the server answered something that makes no sense */
    IM_E_SERVER,      /* the server said no: system holds the LDAP result code */
    IM_E_NOT_FOUND,   /* the server says that the object does not exist */
    IM_E_CONFLICT,    /* the values to be replaced were not there any more */
    IM_E_TRUNCATED,   /* the server did not give the whole result (size, time or admin limit, referral) */
    IM_E_SCHEMA,      /* the directory's schema lacks or contradicts what is needed */
    IM_E_INVISIBLE,   /* nothing at all can be seen with this base and identity */
    IM_E_INTERRUPTED, /* the user asked to stop */
    IM_E_OUTPUT,      /* standard output cannot be written */
    IM_E_LIMIT,       /* more failures or changes than the operator allows */
    IM_E_INTERNAL,    /* a bug */
};

enum im_origin { IM_ORIGIN_NONE, IM_ORIGIN_ERRNO, IM_ORIGIN_LDAP, IM_ORIGIN_SASL, IM_ORIGIN_YAML, IM_ORIGIN_DNS };

struct im_error {
    enum im_err code;
    enum im_origin origin;
    int system;      /* errno, LDAP result code, ... as origin says; 0 = none */
    size_t line;     /* 1-based; 0 = does not apply */
    size_t column;   /* 1-based, in characters; 0 = does not apply */
    char where[256]; /* file name, URI or DN that the error is about; "" = none */
    char text[1024]; /* one sentence for people: what was tried, what came back, what to do. No newline */
};

/* Row of the table of errors. */
struct im_err_row {
    enum im_err code;
    const char *name; /* "connect": stable, for logs */
    const char *text; /* used when nobody gave a better sentence */
    int exit_status;  /* section 2 of the manual: 1, 2, 3, 4 or 70; before anything was written */
    bool retry;       /* trying again may help */
};

const struct im_err_row *im_err_row(enum im_err code); /* never NULL */

/* All setters return `code`, so that `return im_error_set(...)` reads as one step. e may be NULL. */
enum im_err im_error_set(struct im_error *e, enum im_err code, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum im_err im_error_set_errno(struct im_error *e, enum im_err code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* appends ": " and the system's words */
enum im_err im_error_set_at(struct im_error *e, enum im_err code, const char *where, size_t line, size_t column,
                            const char *format, ...) __attribute__((format(printf, 6, 7)));
enum im_err im_error_nomem(struct im_error *e);

/* Names the file, URI or DN, where none is named yet. Returns e->code (IM_OK where e is NULL). */
enum im_err im_error_where(struct im_error *e, const char *where);

/* Puts "format: " in front of the text: context, added on the way out. */
void im_error_context(struct im_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

void im_error_clear(struct im_error *e);

/* "file:line:column: text" with the parts that are set. Returns the length it wanted, like snprintf. */
int im_error_format(const struct im_error *e, char *out, size_t size);

/* The analyzer looks at one file at a time: tell it that the setters return what they are given, never IM_OK instead. */
#if defined __clang_analyzer__ && !defined IM_ERROR_C
#define im_error_set(e, code, ...) __extension__({ (void)im_error_set(e, code, __VA_ARGS__), (code); })
#define im_error_set_errno(e, code, ...) __extension__({ (void)im_error_set_errno(e, code, __VA_ARGS__), (code); })
#define im_error_set_at(e, code, ...) __extension__({ (void)im_error_set_at(e, code, __VA_ARGS__), (code); })
#define im_error_nomem(e) __extension__({ (void)im_error_nomem(e), IM_E_NOMEM; })
#endif

#endif
