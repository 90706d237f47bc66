/* Parsing by option rows. Home of <popt.h>, whose traps stay here: its strings are its own or leak, its flags are ints, its
 * messages are not ours. So popt only says which row came and with what text; storing is done by kind of row. */
#include "tools/option.h"

#include <popt.h>
#include <stdlib.h>
#include <string.h>

struct parse {
    const struct im_option **rows; /* all groups joined: popt's val is the index + 1 */
    bool *are_given;               /* each of them, so far */
    size_t count;
    bool takes_arguments;
    struct im_pool *pool;
    struct im_parsed *parsed;
    struct im_error *e;
};

static size_t count_rows(const struct im_option_table *table) {
    size_t count = 0;
    for (size_t g = 0; table->groups[g] != NULL; g++) {
        for (const struct im_option *row = table->groups[g]; row->long_name != NULL; row++) {
            count++;
        }
    }
    return count;
}

static enum im_err collect_rows(const struct im_option_table *table, struct parse *p) {
    p->rows = im_pool_array(p->pool, count_rows(table) + 1, sizeof(const struct im_option *));
    p->are_given = im_pool_array(p->pool, count_rows(table) + 1, sizeof *p->are_given);
    if (p->rows == NULL || p->are_given == NULL) {
        return im_error_nomem(p->e);
    }
    for (size_t g = 0; table->groups[g] != NULL; g++) {
        for (const struct im_option *row = table->groups[g]; row->long_name != NULL; row++) {
            p->rows[p->count++] = row;
        }
    }
    return IM_OK;
}

static struct poptOption *popt_rows(const struct parse *p) {
    struct poptOption *out = im_pool_array(p->pool, p->count + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < p->count; i++) {
        out[i].longName = p->rows[i]->long_name;
        out[i].shortName = p->rows[i]->short_name;
        out[i].argInfo = p->rows[i]->argument == NULL ? POPT_ARG_NONE : POPT_ARG_STRING;
        out[i].val = (int)i + 1;
    }
    return out;
}

/* ---- storing ---- */

static enum im_err append(struct im_pool *pool, struct im_strings *list, const char *text, size_t len, struct im_error *e) {
    const char **items = im_pool_array(pool, list->count + 1, sizeof *items);
    char *copy = im_pool_strndup(pool, text, len);
    if (items == NULL || copy == NULL) {
        return im_error_nomem(e);
    }
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    items[list->count] = copy;
    list->items = items;
    list->count++;
    return IM_OK;
}

static enum im_err check_choice(const struct parse *p, const struct im_option *row, const char *value) {
    struct im_buf all = IM_BUF_INIT;
    enum im_err err = IM_E_USAGE;
    const char *near;
    size_t count = 0;
    if (row->complete != IM_COMPLETE_CHOICES) {
        return IM_OK;
    }
    for (; row->choices[count] != NULL; count++) {
        if (strcmp(row->choices[count], value) == 0) {
            im_buf_free(&all);
            return IM_OK;
        }
        im_buf_addf(&all, "%s%s", count == 0 ? "" : ", ", row->choices[count]);
    }
    near = im_text_nearest(value, row->choices, count);
    if (near != NULL) {
        err = im_error_set(p->e, err, "--%s: \"%.80s\" is not a choice; did you mean \"%s\"? Allowed: %s", row->long_name, value,
                           near, im_buf_str(&all));
    } else {
        err = im_error_set(p->e, err, "--%s: \"%.80s\" is not a choice; allowed: %s", row->long_name, value, im_buf_str(&all));
    }
    im_buf_free(&all);
    return err;
}

/* The next word of a list, up to a comma or the end. A comma in quotes is part of the word, and "" there is a quote; they begin
 * the word or what is behind its "=". False: a quote is not closed. */
static bool next_word(const char **rest, struct im_buf *word) {
    const char *c = *rest;
    bool is_quoted = false;
    bool may_open = true;
    im_buf_clear(word);
    for (; *c != '\0' && (is_quoted || *c != ','); c++) {
        if (is_quoted && c[0] == '"' && c[1] == '"') {
            im_buf_addc(word, *c++);
        } else if (*c == '"' && (is_quoted || may_open)) {
            is_quoted = !is_quoted;
        } else {
            im_buf_addc(word, *c);
        }
        may_open = !is_quoted && *c == '=';
    }
    *rest = c + (*c == ',');
    return !is_quoted;
}

static enum im_err store_word(const struct parse *p, const struct im_option *row, struct im_buf *word) {
    struct im_strings *list = row->target;
    if (word->failed) {
        return im_error_nomem(p->e);
    }
    enum im_err err = word->len == 0 ? IM_OK : append(p->pool, list, im_buf_str(word), word->len, p->e);
    return err == IM_OK && word->len > 0 ? check_choice(p, row, list->items[list->count - 1]) : err;
}

static enum im_err store_texts(const struct parse *p, const struct im_option *row, const char *value) {
    const struct im_strings *list = row->target;
    struct im_buf word = IM_BUF_INIT;
    size_t before = list->count;
    enum im_err err = IM_OK;
    for (const char *rest = value; err == IM_OK && *rest != '\0';) {
        err = next_word(&rest, &word)
                  ? store_word(p, row, &word)
                  : im_error_set(p->e, IM_E_USAGE, "--%s: a quote is not closed: %.80s", row->long_name, value);
    }
    im_buf_free(&word);
    if (err != IM_OK) {
        return err;
    }
    return list->count > before ? IM_OK : im_error_set(p->e, IM_E_USAGE, "--%s: %s is empty", row->long_name, row->argument);
}

static enum im_err store_key(const struct parse *p, const struct im_option *row, const char *value) {
    struct im_parsed *parsed = p->parsed;
    struct im_parsed_key *keys = im_pool_array(p->pool, parsed->key_count + 1, sizeof *keys);
    if (keys == NULL) {
        return im_error_nomem(p->e);
    }
    if (parsed->key_count > 0) {
        memcpy(keys, parsed->keys, parsed->key_count * sizeof *keys);
    }
    keys[parsed->key_count++] = (struct im_parsed_key){row, value};
    parsed->keys = keys;
    return IM_OK;
}

static enum im_err store(const struct parse *p, const struct im_option *row, const char *value) {
    switch (row->kind) {
    case IM_OPT_KEY:
        return store_key(p, row, row->argument == NULL ? "true" : value);
    case IM_OPT_FLAG:
        *(bool *)row->target = true;
        return IM_OK;
    case IM_OPT_COUNT:
        ++*(int *)row->target;
        return IM_OK;
    case IM_OPT_TEXT:
        *(const char **)row->target = value;
        return value[0] == '\0' ? im_error_set(p->e, IM_E_USAGE, "--%s: %s is empty", row->long_name, row->argument)
                                : check_choice(p, row, value);
    case IM_OPT_TEXTS:
        return store_texts(p, row, value);
    }
    return im_error_set(p->e, IM_E_INTERNAL, "option row of an unknown kind: --%s", row->long_name);
}

/* ---- what popt refuses, in our words ---- */

static const struct im_option *by_letter(const struct parse *p, char letter) {
    for (size_t i = 0; i < p->count; i++) {
        if (p->rows[i]->short_name == letter) {
            return p->rows[i];
        }
    }
    return NULL;
}

static enum im_err unknown_long(const struct parse *p, const char *word) {
    const char **names = im_pool_array(p->pool, p->count + 1, sizeof *names);
    const char *name = im_pool_strndup(p->pool, word + 2, strcspn(word + 2, "="));
    const char *near;
    size_t count = 0;
    if (names == NULL || name == NULL) {
        return im_error_nomem(p->e);
    }
    for (size_t i = 0; i < p->count; i++) {
        if (!p->rows[i]->hidden) {
            names[count++] = p->rows[i]->long_name;
        }
    }
    near = im_text_nearest(name, names, count);
    if (near != NULL) {
        return im_error_set(p->e, IM_E_USAGE, "there is no option --%.80s; did you mean --%s?", name, near);
    }
    return im_error_set(p->e, IM_E_USAGE, "there is no option --%.80s; --help lists them", name);
}

static enum im_err unknown_option(const struct parse *p, const char *word) {
    if (strncmp(word, "--", 2) == 0) {
        return unknown_long(p, word);
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        if (by_letter(p, *letter) == NULL) {
            return im_error_set(p->e, IM_E_USAGE, "there is no option -%c (in \"%.80s\"); --help lists them", *letter, word);
        }
    }
    return im_error_set(p->e, IM_E_USAGE, "\"%.80s\" is not an option; --help lists them", word);
}

static enum im_err popt_error(const struct parse *p, poptContext context, int code) {
    const char *word = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    word = word == NULL ? "?" : word;
    switch (code) {
    case POPT_ERROR_BADOPT:
        return unknown_option(p, word);
    case POPT_ERROR_NOARG:
        return im_error_set(p->e, IM_E_USAGE, "%.80s needs a value", word);
    case POPT_ERROR_UNWANTEDARG:
        return im_error_set(p->e, IM_E_USAGE, "%.*s takes no value", (int)strcspn(word, "="), word);
    case POPT_ERROR_MALLOC:
        return im_error_nomem(p->e);
    default:
        return im_error_set(p->e, IM_E_USAGE, "%.80s: %s", word, poptStrerror(code));
    }
}

/* ---- the parse ---- */

/* An option that stands alone and may: popt would take the next word for its value. NULL: out of memory. */
static const char *complete_word(const struct parse *p, const char *word) {
    for (size_t i = 0; i < p->count; i++) {
        const struct im_option *row = p->rows[i];
        if (row->without_value != NULL && strncmp(word, "--", 2) == 0 && strcmp(word + 2, row->long_name) == 0) {
            return im_pool_printf(p->pool, "%s=%s", word, row->without_value);
        }
    }
    return word;
}

/* popt's copy of the value moves into the pool at once. */
static enum im_err take(const struct parse *p, poptContext context, const struct im_option *row) {
    char *given = row->argument == NULL ? NULL : poptGetOptArg(context);
    char *value = given == NULL ? NULL : im_pool_strdup(p->pool, given);
    free(given);
    if (row->argument != NULL && value == NULL) {
        return im_error_nomem(p->e);
    }
    return store(p, row, value == NULL ? "" : value);
}

/* The last one would count, and the others, a whole file of accounts perhaps, be passed over without a word. */
static enum im_err check_once(const struct parse *p, size_t number) {
    const struct im_option *row = p->rows[number];
    if (row->kind == IM_OPT_TEXT && p->are_given[number]) {
        return im_error_set(p->e, IM_E_USAGE, "--%s is given twice", row->long_name);
    }
    p->are_given[number] = true;
    return IM_OK;
}

static enum im_err run(const struct parse *p, poptContext context) {
    enum im_err err = IM_OK;
    const char *word;
    int val;
    while (err == IM_OK && (val = poptGetNextOpt(context)) > 0) {
        err = check_once(p, (size_t)val - 1);
        err = err == IM_OK ? take(p, context, p->rows[val - 1]) : err;
    }
    if (err == IM_OK && val < -1) {
        return popt_error(p, context, val);
    }
    while (err == IM_OK && (word = poptGetArg(context)) != NULL) {
        if (!p->takes_arguments) {
            return im_error_set(p->e, IM_E_USAGE, "\"%.80s\" is not an option, and there is nothing else to say here", word);
        }
        err = append(p->pool, &p->parsed->arguments, word, strlen(word), p->e);
    }
    return err;
}

enum im_err im_options_parse(const struct im_option_table *table, int argc, char **argv, struct im_pool *pool,
                             struct im_parsed *parsed, struct im_error *e) {
    struct parse p = {.takes_arguments = table->arguments != NULL, .pool = pool, .parsed = parsed, .e = e};
    struct poptOption *options;
    poptContext context;
    const char **words = im_pool_array(pool, (size_t)argc + 1, sizeof *words); /* popt wants them const */
    enum im_err err = collect_rows(table, &p);
    if (err != IM_OK || words == NULL) {
        return im_error_nomem(e);
    }
    bool is_over = false; /* behind "--" there are no options */
    for (int i = 0; i < argc; i++) {
        is_over = is_over || strcmp(argv[i], "--") == 0;
        words[i] = is_over ? argv[i] : complete_word(&p, argv[i]);
        if (words[i] == NULL) {
            return im_error_nomem(e);
        }
    }
    *parsed = (struct im_parsed){.keys = NULL};
    options = popt_rows(&p);
    context = options == NULL ? NULL : poptGetContext(table->command, argc, words, options, 0);
    if (context == NULL) {
        return im_error_nomem(e);
    }
    err = run(&p, context);
    poptFreeContext(context);
    return err;
}

enum im_err im_options_apply(const struct im_parsed *parsed, struct im_config *config, struct im_error *e) {
    for (size_t i = 0; i < parsed->key_count; i++) {
        char origin[80];
        enum im_err err;
        snprintf(origin, sizeof origin, "option --%s", parsed->keys[i].row->long_name);
        err = im_config_set(config, parsed->keys[i].row->key, parsed->keys[i].value, origin, e);
        if (err != IM_OK) {
            return err;
        }
    }
    return IM_OK;
}

bool im_options_given(const struct im_parsed *parsed, const char *key) {
    for (size_t i = 0; i < parsed->key_count; i++) {
        if (strcmp(parsed->keys[i].row->key, key) == 0) {
            return true;
        }
    }
    return false;
}
