/* --help, and the rows for the check of the manual. */
#include "tools/option.h"

#include <string.h>

enum { LEFT_MAX = 30, WIDTH_DEFAULT = 80, WIDTH_MIN = 50, WIDTH_MAX = 120 };

static size_t left_side(const struct im_option *row, char *out, size_t size) {
    char letter[5] = "    ";
    if (row->short_name != '\0') {
        snprintf(letter, sizeof letter, "-%c, ", row->short_name);
    }
    const char *open = row->argument == NULL ? "" : row->without_value == NULL ? "=" : "[=";
    return (size_t)snprintf(out, size, "  %s--%s%s%s%s", letter, row->long_name, open, row->argument == NULL ? "" : row->argument,
                            row->without_value == NULL ? "" : "]");
}

static const struct im_key *key_of(const struct im_option *row) {
    size_t count;
    const struct im_key *keys = im_keys(&count);
    for (size_t i = 0; row->kind == IM_OPT_KEY && i < count; i++) {
        if (strcmp(keys[i].name, row->key) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

/* The row's words, and what its choices and the key's default add to them. */
static void right_side(const struct im_option *row, struct im_buf *out) {
    const struct im_key *key = key_of(row);
    im_buf_adds(out, row->help);
    for (size_t i = 0; row->choices != NULL && row->choices[i] != NULL; i++) {
        im_buf_addf(out, "%s%s", i == 0 ? ": " : ", ", row->choices[i]);
    }
    if (key != NULL && key->fallback != NULL && row->argument != NULL) {
        im_buf_addf(out, " (default: %s)", key->fallback);
    }
}

/* Words are never broken; the first line already has `column` characters. */
static void wrap(const char *text, size_t column, size_t width, FILE *stream) {
    size_t at = column;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (at > column && at + 1 + len > width) {
            fprintf(stream, "\n%*s", (int)column, "");
            at = column;
        }
        at += (size_t)fprintf(stream, "%s%.*s", at > column ? " " : "", (int)len, text);
        text += len + strspn(text + len, " ");
    }
    fputc('\n', stream);
}

static size_t left_width(const struct im_option_table *table) {
    size_t widest = 0;
    for (size_t g = 0; table->groups[g] != NULL; g++) {
        for (const struct im_option *row = table->groups[g]; row->long_name != NULL; row++) {
            char left[128];
            size_t len = row->hidden ? 0 : left_side(row, left, sizeof left);
            widest = len > widest && len <= LEFT_MAX ? len : widest;
        }
    }
    return widest + 2;
}

static void help_row(const struct im_option *row, size_t column, size_t width, FILE *stream) {
    struct im_buf right = IM_BUF_INIT;
    char left[128];
    size_t len = left_side(row, left, sizeof left);
    right_side(row, &right);
    if (len + 2 > column) {
        fprintf(stream, "%s\n%*s", left, (int)column, "");
    } else {
        fprintf(stream, "%-*s", (int)column, left);
    }
    wrap(im_buf_str(&right), column, width, stream);
    im_buf_free(&right);
}

void im_options_help(const struct im_option_table *table, size_t width, FILE *stream) {
    size_t column = left_width(table);
    width = width == 0 ? WIDTH_DEFAULT : width;
    width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
    fprintf(stream, "Usage: %s [OPTION...]%s%s\n", table->command, table->arguments == NULL ? "" : " ",
            table->arguments == NULL ? "" : table->arguments);
    wrap(table->summary, 0, width, stream);
    for (size_t g = 0; table->groups[g] != NULL; g++) {
        fprintf(stream, "\n%s:\n", table->group_titles[g]);
        for (const struct im_option *row = table->groups[g]; row->long_name != NULL; row++) {
            if (!row->hidden) {
                help_row(row, column, width, stream);
            }
        }
    }
    fprintf(stream, "\nMore: man %s, man imdir.yaml\n", table->command);
}

void im_options_list(const struct im_option_table *table, FILE *stream) {
    for (size_t g = 0; table->groups[g] != NULL; g++) {
        for (const struct im_option *row = table->groups[g]; row->long_name != NULL; row++) {
            char letter[3] = "";
            if (row->short_name != '\0') {
                snprintf(letter, sizeof letter, "-%c", row->short_name);
            }
            if (!row->hidden) {
                fprintf(stream, "--%s\t%s\t%s\n", row->long_name, letter, row->argument == NULL ? "" : row->argument);
            }
        }
    }
}
