#include "tools/list.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"
#define BLANKS " \t\r\n"

struct im_list {
    char *name;          /* for messages and sources */
    struct im_buf lines; /* of each: its number, the text, a NUL */
    size_t at;           /* where the next one begins */
    struct im_pool *pool;
    size_t count;
    bool has_domain_names;
};

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

static enum im_err check_encoding(const struct im_list *list, size_t number, const char *line, size_t len, struct im_error *e) {
    const char *nul = memchr(line, '\0', len);
    if (number == 1 && len >= 2 && (memcmp(line, "\xff\xfe", 2) == 0 || memcmp(line, "\xfe\xff", 2) == 0)) {
        return im_error_set_at(e, IM_E_INPUT, list->name, number, 1, "UTF-16: save the list as UTF-8, one account a line");
    }
    size_t column = broken_column(line, nul != NULL ? (size_t)(nul - line) : len);
    if (nul != NULL && im_text_is_utf8(line, (size_t)(nul - line))) {
        return im_error_set_at(e, IM_E_INPUT, list->name, number, column, "a NUL character: expected a text file");
    }
    if (!im_text_is_utf8(line, len)) {
        return im_error_set_at(e, IM_E_INPUT, list->name, number, column,
                               "not UTF-8: save the list as UTF-8, one account a line");
    }
    return IM_OK;
}

static enum im_err keep(struct im_list *list, uint32_t number, const char *text, struct im_error *e) {
    struct im_identity identity;
    im_pool_reset(list->pool);
    enum im_err err = im_identity_parse(text, list->pool, &identity, e);
    if (err != IM_OK) {
        if (err == IM_E_INPUT && e != NULL) {
            e->line = number;
            im_error_where(e, list->name);
        }
        return err;
    }
    list->has_domain_names = list->has_domain_names || identity.kind == IM_ID_DOMAIN_NAME;
    list->count++;
    im_buf_add(&list->lines, &number, sizeof number);
    im_buf_add(&list->lines, text, strlen(text) + 1);
    return list->lines.failed ? im_error_nomem(e) : IM_OK;
}

static enum im_err take_line(struct im_list *list, size_t number, char *line, size_t len, struct im_error *e) {
    enum im_err err = check_encoding(list, number, line, len, e);
    if (err != IM_OK) {
        return err;
    }
    if (number > UINT32_MAX) {
        return im_error_set_at(e, IM_E_INPUT, list->name, number, 0, "the list has too many lines");
    }
    if (number == 1 && strncmp(line, BOM, strlen(BOM)) == 0) {
        line += strlen(BOM);
    }
    line += strspn(line, BLANKS);
    len = strlen(line);
    while (len > 0 && strchr(BLANKS, line[len - 1]) != NULL) {
        line[--len] = '\0';
    }
    return *line == '\0' || *line == '#' ? IM_OK : keep(list, (uint32_t)number, line, e);
}

static enum im_err read_lines(struct im_list *list, FILE *file, struct im_error *e) {
    char *line = NULL;
    size_t size = 0;
    size_t number = 0;
    enum im_err err = IM_OK;
    errno = 0;
    for (ssize_t len; err == IM_OK && (len = getline(&line, &size, file)) >= 0;) {
        err = take_line(list, ++number, line, (size_t)len, e);
    }
    if (err == IM_OK && !feof(file) && errno == EINTR) { /* somebody waits for a pipe and has enough */
        err = im_error_set(e, IM_E_INTERRUPTED, "interrupted while reading %s", list->name);
    } else if (err == IM_OK && !feof(file)) {
        err = errno == ENOMEM ? im_error_nomem(e) : im_error_set_errno(e, IM_E_IO, errno, "cannot read the list %s", list->name);
    }
    if (err == IM_OK && list->lines.len == 0) {
        err = im_error_set_at(e, IM_E_INPUT, list->name, 0, 0, "the list names no account");
    }
    free(line);
    return err;
}

static enum im_err read_list(struct im_list *list, const char *path, struct im_error *e) {
    bool is_stdin = strcmp(path, "-") == 0;
    list->name = strdup(is_stdin ? "standard input" : path);
    list->pool = im_pool_new();
    if (list->name == NULL || list->pool == NULL) {
        return im_error_nomem(e);
    }
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (file == NULL) {
        return im_error_set_errno(e, IM_E_IO, errno, "cannot open the list %s", path);
    }
    enum im_err err = read_lines(list, file, e);
    if (!is_stdin) {
        (void)fclose(file);
    }
    return err;
}

enum im_err im_list_open(const char *path, struct im_list **out, struct im_error *e) {
    struct im_list *list = calloc(1, sizeof *list);
    enum im_err err = list != NULL ? read_list(list, path, e) : im_error_nomem(e);
    if (err == IM_OK) {
        *out = list;
    } else {
        im_list_free(&list);
    }
    return err;
}

void im_list_free(struct im_list **list) {
    if (list == NULL || *list == NULL) {
        return;
    }
    free((*list)->name);
    im_buf_free(&(*list)->lines);
    im_pool_free(&(*list)->pool);
    free(*list);
    *list = NULL;
}

bool im_list_has_domain_names(const struct im_list *list) {
    return list->has_domain_names;
}

/* ---- as inputs ---- */

static enum im_err next_line(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e) {
    struct im_list *list = user;
    uint32_t number;
    *is_end = list->at == list->lines.len;
    if (*is_end) {
        return IM_OK;
    }
    const char *text = list->lines.data + list->at + sizeof number;
    memcpy(&number, list->lines.data + list->at, sizeof number);
    *out = (struct im_input){.text = im_pool_strdup(pool, text), .source = im_pool_printf(pool, "%s:%u", list->name, number)};
    if (out->text == NULL || out->source == NULL) {
        return im_error_nomem(e);
    }
    list->at += sizeof number + strlen(text) + 1;
    return im_identity_parse(out->text, pool, &out->identity, e);
}

static enum im_err rewind_list(void *user, struct im_error *e) {
    struct im_list *list = user;
    (void)e;
    list->at = 0;
    return IM_OK;
}

struct im_inputs im_list_inputs(struct im_list *list) {
    return (struct im_inputs){.user = list, .next = next_line, .rewind = rewind_list};
}

size_t im_list_count(const struct im_list *list) {
    return list->count;
}
