/* Completion scripts for the shells, from the option rows. */
#include "tools/option.h"

#include <ctype.h>
#include <string.h>

typedef void row_fn(const struct im_option *row, FILE *stream);

static void each_row(const struct im_option_table *table, row_fn *fn, FILE *stream) {
    for (size_t g = 0; table->groups[g] != NULL; g++) {
        for (const struct im_option *row = table->groups[g]; row->long_name != NULL; row++) {
            if (!row->hidden) {
                fn(row, stream);
            }
        }
    }
}

static void put_choices(const struct im_option *row, FILE *stream) {
    for (size_t i = 0; row->choices != NULL && row->choices[i] != NULL; i++) {
        fprintf(stream, "%s%s", i == 0 ? "" : " ", row->choices[i]);
    }
}

/* Inside single quotes; characters of `special` get a backslash. */
static void put_quoted(const char *text, const char *special, FILE *stream) {
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'') {
            fputs("'\\''", stream);
        } else {
            fprintf(stream, "%s%c", strchr(special, *p) == NULL ? "" : "\\", *p);
        }
    }
}

static bool may_repeat(const struct im_option *row) {
    size_t count;
    const struct im_key *keys = im_keys(&count);
    for (size_t i = 0; row->kind == IM_OPT_KEY && i < count; i++) {
        if (strcmp(keys[i].name, row->key) == 0) {
            return keys[i].type == IM_KEY_STRINGS;
        }
    }
    return row->kind == IM_OPT_COUNT || row->kind == IM_OPT_TEXTS;
}

/* The next word belongs to the option. */
static bool takes_word(const struct im_option *row) {
    return row->argument != NULL && row->without_value == NULL;
}

/* ---- bash ---- */

static void bash_value(const struct im_option *row, FILE *stream) {
    static const char *const words[] = {
        [IM_COMPLETE_NONE] = "", [IM_COMPLETE_FILE] = " -f", [IM_COMPLETE_HOST] = " -A hostname", [IM_COMPLETE_CHOICES] = ""};
    if (!takes_word(row)) {
        return;
    }
    fprintf(stream, "        --%s", row->long_name);
    if (row->short_name != '\0') {
        fprintf(stream, " | -%c", row->short_name);
    }
    fputs(row->complete == IM_COMPLETE_FILE ? ") compopt -o filenames;" : ")", stream);
    if (row->complete != IM_COMPLETE_NONE) {
        fprintf(stream, " mapfile -t COMPREPLY < <(compgen%s", words[row->complete]);
        if (row->choices != NULL) {
            fputs(" -W '", stream);
            put_choices(row, stream);
            fputc('\'', stream);
        }
        fputs(" -- \"$cur\");", stream);
    }
    fputs(" return ;;\n", stream);
}

static void bash_name(const struct im_option *row, FILE *stream) {
    fprintf(stream, "--%s ", row->long_name);
    if (row->short_name != '\0') {
        fprintf(stream, "-%c ", row->short_name);
    }
}

static void bash(const struct im_option_table *table, FILE *stream) {
    fprintf(stream, "# bash completion for %s; made by %s --completion=bash\n", table->command, table->command);
    fprintf(stream, "_%s() {\n", table->command);
    fputs("    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    COMPREPLY=()\n"
          "    # --option=value comes as three words, because = breaks words.\n"
          "    if [[ $cur == = ]]; then\n"
          "        cur=\n"
          "    elif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then\n"
          "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    case $prev in\n",
          stream);
    each_row(table, bash_value, stream);
    fputs("    esac\n    if [[ $cur == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '", stream);
    each_row(table, bash_name, stream);
    fprintf(stream, "' -- \"$cur\")\n    fi\n}\ncomplete -F _%s %s\n", table->command, table->command);
}

/* ---- zsh ---- */

static void zsh_value(const struct im_option *row, FILE *stream) {
    static const char *const words[] = {[IM_COMPLETE_NONE] = " ", [IM_COMPLETE_FILE] = "_files", [IM_COMPLETE_HOST] = "_hosts"};
    if (!takes_word(row)) {
        return;
    }
    fputc(':', stream);
    put_quoted(row->argument, ":", stream);
    fputc(':', stream);
    if (row->choices != NULL && row->complete == IM_COMPLETE_FILE) {
        fputs("{compadd ", stream);
        put_choices(row, stream);
        fputs("; _files}", stream);
    } else if (row->complete == IM_COMPLETE_CHOICES) {
        fputc('(', stream);
        put_choices(row, stream);
        fputc(')', stream);
    } else {
        fputs(words[row->complete], stream);
    }
}

static void zsh_row(const struct im_option *row, FILE *stream) {
    const char *equals = takes_word(row) ? "=" : "";
    const char *plus = takes_word(row) ? "+" : "";
    fputs("    ", stream);
    if (may_repeat(row)) {
        fputs("'*'", stream);
    } else if (row->short_name != '\0') {
        fprintf(stream, "'(-%c --%s)'", row->short_name, row->long_name);
    }
    if (row->short_name != '\0') {
        fprintf(stream, "{-%c%s,--%s%s}", row->short_name, plus, row->long_name, equals);
    } else {
        fprintf(stream, "--%s%s", row->long_name, equals);
    }
    fputs("'[", stream);
    put_quoted(row->help, "[]:\\", stream);
    fputc(']', stream);
    zsh_value(row, stream);
    fputs("' \\\n", stream);
}

static void zsh(const struct im_option_table *table, FILE *stream) {
    fprintf(stream, "#compdef %s\n# zsh completion for %s; made by %s --completion=zsh\n_arguments -s -S \\\n", table->command,
            table->command, table->command);
    each_row(table, zsh_row, stream);
    fputs(table->arguments == NULL ? "    && return 0\n" : "    '*:account:()'\n", stream);
}

/* ---- fish ---- */

/* fish has no table in reach of the rows' function, so the command's name comes through a variable of the script. */
static void fish_row(const struct im_option *row, FILE *stream) {
    static const char *const words[] = {[IM_COMPLETE_NONE] = " -x",
                                        [IM_COMPLETE_FILE] = " -r -F",
                                        [IM_COMPLETE_HOST] = " -x -a '(__fish_print_hostnames)'",
                                        [IM_COMPLETE_CHOICES] = " -x"};
    fputs("complete -c $command", stream);
    if (row->short_name != '\0') {
        fprintf(stream, " -s %c", row->short_name);
    }
    fprintf(stream, " -l %s%s", row->long_name, takes_word(row) ? words[row->complete] : "");
    if (row->choices != NULL) {
        fputs(" -a '", stream);
        put_choices(row, stream);
        fputc('\'', stream);
    }
    fputs(" -d '", stream);
    for (const char *p = row->help; *p != '\0'; p++) {
        fprintf(stream, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    }
    fputs("'\n", stream);
}

static void fish(const struct im_option_table *table, FILE *stream) {
    fprintf(stream, "# fish completion for %s; made by %s --completion=fish\nset -l command %s\ncomplete -c $command -f\n",
            table->command, table->command, table->command);
    each_row(table, fish_row, stream);
}

enum im_err im_options_completion(const struct im_option_table *table, const char *shell, FILE *stream, struct im_error *e) {
    static const struct {
        const char *name;
        void (*print)(const struct im_option_table *table, FILE *stream);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].print(table, stream);
            return IM_OK;
        }
    }
    return im_error_set(e, IM_E_USAGE, "there is no completion for \"%.40s\"; there is for bash, zsh and fish", shell);
}
