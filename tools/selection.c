#include "tools/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum im_err add(struct im_command *c, struct im_selection *s, const char *text, const char *source) {
    struct im_input *input = im_vec_push(s);
    if (!input) {
        return im_error_nomem(&c->error);
    }
    input->text = text;
    input->source = source;
    return im_identity_parse(text, c->pool, &input->identity, &c->error);
}

/* 1-based column, in characters, of the first byte that is not UTF-8. */
static size_t broken_column(const char *line, size_t len) {
    size_t column = 1;
    for (size_t at = 0; at < len; column++) {
        size_t step = 1;
        while (step <= 4 && at + step <= len && !im_text_is_utf8(line + at, step)) {
            step++;
        }
        if (step > 4 || at + step > len) {
            break;
        }
        at += step;
    }
    return column;
}

static enum im_err add_line(struct im_command *c, struct im_selection *s, const char *name, size_t number, char *line,
                            size_t len) {
    if (number == 1 && len >= 2 && (memcmp(line, "\xff\xfe", 2) == 0 || memcmp(line, "\xfe\xff", 2) == 0)) {
        return im_error_set_at(&c->error, IM_E_INPUT, name, number, 1, "UTF-16: save the list as UTF-8, one account a line");
    }
    if (memchr(line, '\0', len)) {
        return im_error_set_at(&c->error, IM_E_INPUT, name, number, strlen(line) + 1, "a NUL character: expected a text file");
    }
    if (!im_text_is_utf8(line, len)) {
        return im_error_set_at(&c->error, IM_E_INPUT, name, number, broken_column(line, len),
                               "not UTF-8: save the list as UTF-8, one account a line");
    }
    if (number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
    }
    line += strspn(line, " \t");
    len = strlen(line);
    while (len && strchr(" \t\r\n", line[len - 1])) {
        line[--len] = '\0';
    }
    if (!*line || *line == '#') {
        return IM_OK;
    }
    const char *text = im_pool_strdup(c->pool, line);
    const char *source = im_pool_printf(c->pool, "%s:%zu", name, number);
    if (!text || !source) {
        return im_error_nomem(&c->error);
    }
    enum im_err err = add(c, s, text, source);
    if (err == IM_E_INPUT) {
        c->error.line = number;
        im_error_where(&c->error, name);
    }
    return err;
}

static enum im_err read_list(struct im_command *c, struct im_selection *s, const char *path) {
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file) {
        return im_error_set_errno(&c->error, IM_E_IO, errno, "cannot open the list %s", path);
    }
    char *line = NULL;
    size_t size = 0;
    size_t number = 0;
    enum im_err err = IM_OK;
    errno = 0;
    for (ssize_t len; err == IM_OK && (len = getline(&line, &size, file)) >= 0;) {
        err = add_line(c, s, name, ++number, line, (size_t)len);
    }
    if (err == IM_OK && ferror(file)) {
        err = im_error_set_errno(&c->error, IM_E_IO, errno, "cannot read the list %s", name);
    }
    free(line);
    if (!is_stdin) {
        (void)fclose(file);
    }
    return err;
}

enum im_err im_selection_read(struct im_command *c, const char *list, struct im_selection *out) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < c->arguments.count; i++) {
        err = add(c, out, c->arguments.items[i], NULL);
    }
    if (err == IM_OK && list) {
        err = read_list(c, out, list);
    }
    if (err == IM_OK && out->count == 0) {
        err = list ? im_error_set_at(&c->error, IM_E_INPUT, list, 0, 0, "the list names no account")
                   : im_error_set(&c->error, IM_E_USAGE, "no account is named: give ACCOUNT arguments or --list FILE");
    }
    return err;
}

void im_selection_free(struct im_selection *selection) {
    im_vec_free(selection);
}
