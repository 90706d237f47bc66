#include "tools/table.h"

#include "tools/table_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Texts of a column that can only be judged once the servers are known. */
struct texts {
    struct im_set *set;
    struct place {
        size_t line, column;
        bool is_bad;
    } * items; /* where each stood first, by its number */
    size_t count, cap;
};

struct im_table {
    struct im_csv *csv;
    struct im_pool *pool;
    struct im_row header;
    struct im_columns columns;
    bool skip_bad_rows;
    struct texts homes, domains;
    struct im_set *attributes; /* that addresses are made of: "{attr:NAME}" */
    uint64_t seed[2];
    struct im_index *requests; /* while the file is checked: what was asked for each identity; NULL: nothing can be */
    struct {
        struct contradiction {
            size_t line, earlier;
        } * items;
        size_t count, cap;
    } contradicting; /* rows, in the order of the file */
    size_t next_contradicting;
    size_t count;
    bool has_domain_names, was_trimmed, is_guessed; /* the encoding is */
};

/* What a row says. */
struct reading {
    struct im_csv_row row;
    struct im_input *input;
    enum im_column named_by;
    const char *why; /* it cannot be used, in words; NULL: it can */
    size_t line, column;
    bool is_passed_over;
};

/* ---- cells ---- */

static const char *cell(const struct im_table *t, const struct im_csv_row *row, enum im_column column) {
    size_t at = t->columns.at[column];
    return at != 0 && at <= row->count ? row->cells[at - 1] : "";
}

/* NULL in *out: empty. */
static enum im_err text_of(struct im_table *t, const struct im_csv_row *row, enum im_column column, struct im_pool *pool,
                           const char **out, struct im_error *e) {
    const char *raw = cell(t, row, column);
    *out = NULL;
    if (*raw == '\0') {
        return IM_OK;
    }
    const char *text = im_cell_text(raw, pool);
    *out = text != NULL && *text != '\0' ? text : NULL;
    if (text == NULL) {
        return im_error_nomem(e);
    }
    t->was_trimmed = t->was_trimmed || strlen(text) != strlen(raw);
    return IM_OK;
}

static void blame(const struct im_table *t, struct reading *r, enum im_column column, const char *why) {
    size_t at = t->columns.at[column];
    if (r->why != NULL || why == NULL) {
        return;
    }
    r->why = why;
    r->line = at != 0 && at <= r->row.count ? r->row.lines[at - 1] : r->row.line;
    r->column = at != 0 && at <= r->row.count ? r->row.columns[at - 1] : 1;
}

static enum im_err blame_in_words(const struct im_table *t, struct reading *r, enum im_column column, const struct im_error *why,
                                  struct im_pool *pool, struct im_error *e) {
    const char *words = why->code != IM_E_NOMEM ? im_pool_strdup(pool, why->text) : NULL;
    blame(t, r, column, words);
    return words != NULL ? IM_OK : im_error_nomem(e);
}

/* ---- rows ---- */

/* The form that the column forces, or the recognised one. */
static enum im_err take_identity(struct im_table *t, struct reading *r, enum im_column column, const char *text,
                                 struct im_pool *pool, struct im_error *e) {
    struct im_error inner = {.code = IM_OK};
    const char *prefix = im_column_prefix(column);
    const char *forced = *prefix != '\0' ? im_pool_printf(pool, "%s%s", prefix, text) : text;
    if (forced == NULL) {
        return im_error_nomem(e);
    }
    enum im_err err = im_identity_parse(forced, pool, &r->input->identity, &inner);
    return err == IM_OK ? IM_OK : blame_in_words(t, r, column, &inner, pool, e);
}

static enum im_err take_name(struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    for (size_t c = 0; c < IM_COLUMN_NAMES; c++) {
        const char *text;
        enum im_err err = text_of(t, &r->row, (enum im_column)c, pool, &text, e);
        if (err != IM_OK) {
            return err;
        }
        bool has_nul = r->row.fault.text != NULL && text != NULL && strchr(text, IM_CSV_NUL) != NULL;
        if (text != NULL && !has_nul) {
            r->input->text = text;
            r->named_by = (enum im_column)c;
            return take_identity(t, r, (enum im_column)c, text, pool, e);
        }
    }
    for (size_t c = 0; c < IM_COLUMN_NAMES; c++) {
        if (t->columns.at[c] != 0) {
            blame(t, r, (enum im_column)c, "the account cell is empty");
        }
    }
    r->input->text = "";
    return IM_OK;
}

/* Findings about servers or DNS that a check wrote name no account. A file without its columns has a "rule" of its own. */
static bool is_finding_without_account(const struct im_table *t, const struct im_csv_row *row) {
    bool is_of_check = t->columns.at[IM_COLUMN_ACCOUNT] != 0 && t->columns.at[IM_COLUMN_DN] != 0;
    return is_of_check && *cell(t, row, IM_COLUMN_RULE) != '\0' && *cell(t, row, IM_COLUMN_ACCOUNT) == '\0' &&
           *cell(t, row, IM_COLUMN_DN) == '\0';
}

static enum im_err check_address(struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    if (r->input->address == NULL) {
        return IM_OK;
    }
    struct im_error inner = {.code = IM_OK};
    size_t count;
    const char *const *variables = im_profile_variables(true, &count);
    if (im_template_check(r->input->address, variables, count, &inner) == IM_OK) {
        return IM_OK;
    }
    return blame_in_words(t, r, IM_COLUMN_ADDRESS, &inner, pool, e);
}

/* Has been checked, so that only a brace that is doubled may stay open. */
static enum im_err keep_attributes(struct im_table *t, const char *address, struct im_error *e) {
    static const char begin[] = "{attr:";
    enum im_err err = IM_OK;
    for (const char *at = address; err == IM_OK && at != NULL && (at = strstr(at, begin)) != NULL; at += strlen(begin)) {
        const char *end = strchr(at, '}');
        if (end != NULL) {
            err = im_set_add(t->attributes, at, (size_t)(end - at) + 1, NULL, NULL, e);
        }
    }
    return err;
}

/* A home or domain: known to be bad, or remembered with its place. */
static enum im_err check_text(struct im_table *t, struct reading *r, struct texts *texts, enum im_column column, const char *text,
                              struct im_pool *pool, struct im_error *e) {
    size_t number;
    bool is_new;
    if (text == NULL) {
        return IM_OK;
    }
    enum im_err err = im_set_add(texts->set, text, strlen(text), &number, &is_new, e);
    if (err == IM_OK && is_new) {
        struct place *place = im_vec_push(texts);
        if (place == NULL) {
            return im_error_nomem(e);
        }
        *place =
            (struct place){.line = r->row.lines[t->columns.at[column] - 1], .column = r->row.columns[t->columns.at[column] - 1]};
    } else if (err == IM_OK && texts->items[number].is_bad) {
        const char *why = column == IM_COLUMN_HOME ? im_pool_printf(pool, "\"%s\" is not the name of one server", text)
                                                   : im_pool_printf(pool, "no server serves the IM domain \"%s\"", text);
        blame(t, r, column, why);
        err = why != NULL ? IM_OK : im_error_nomem(e);
    }
    return err;
}

static enum im_err take_requests(struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    struct im_input *input = r->input;
    enum im_err err = text_of(t, &r->row, IM_COLUMN_ADDRESS, pool, &input->address, e);
    if (err == IM_OK) {
        err = text_of(t, &r->row, IM_COLUMN_HOME, pool, &input->home, e);
    }
    if (err == IM_OK) {
        err = text_of(t, &r->row, IM_COLUMN_DOMAIN, pool, &input->domain, e);
    }
    if (err == IM_OK) {
        err = check_address(t, r, pool, e);
    }
    if (err == IM_OK && r->why == NULL) {
        err = keep_attributes(t, input->address, e);
    }
    if (err == IM_OK) {
        err = check_text(t, r, &t->homes, IM_COLUMN_HOME, input->home, pool, e);
    }
    return err == IM_OK ? check_text(t, r, &t->domains, IM_COLUMN_DOMAIN, input->domain, pool, e) : err;
}

static enum im_err check_shape(const struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    const struct im_csv_row *row = &r->row;
    if (row->fault.text != NULL) {
        r->why = row->fault.text;
        r->line = row->fault.line;
        r->column = row->fault.column;
    } else if (row->count != t->header.count) {
        size_t odd = row->count > t->header.count ? t->header.count : row->count - 1; /* the first too many, or the last */
        r->why = im_pool_printf(pool, "the row has %zu cells, and the header has %zu", row->count, t->header.count);
        r->line = row->lines[odd];
        r->column = row->columns[odd];
        return r->why != NULL ? IM_OK : im_error_nomem(e);
    }
    return IM_OK;
}

static enum im_err read_row(struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    struct im_row *kept = im_pool_alloc(pool, sizeof *kept);
    if (kept == NULL) {
        return im_error_nomem(e);
    }
    *kept = (struct im_row){.cells = r->row.cells, .count = r->row.count};
    r->input->row = kept;
    enum im_err err = check_shape(t, r, pool, e);
    r->is_passed_over = r->why == NULL && is_finding_without_account(t, &r->row);
    if (err == IM_OK && !r->is_passed_over) {
        err = take_name(t, r, pool, e);
    }
    return err == IM_OK && r->why == NULL && !r->is_passed_over ? take_requests(t, r, pool, e) : err;
}

/* ---- the same account twice ---- */

static enum im_err add_folded(struct im_buf *out, const char *text, struct im_error *e) {
    if (text != NULL) {
        im_text_fold(text, strlen(text), out);
    }
    im_buf_addc(out, '\n');
    return out->failed ? im_error_nomem(e) : IM_OK;
}

static uint64_t hash_of(const struct im_table *t, struct im_buf *text) {
    uint64_t hash = im_hash(im_buf_str(text), text->len, t->seed);
    im_buf_clear(text);
    return hash != 0 ? hash : 1;
}

static enum im_err blame_contradiction(const struct im_table *t, struct reading *r, size_t earlier, struct im_pool *pool,
                                       struct im_error *e) {
    const char *why = im_pool_printf(pool, "line %zu names the same account and asks for something else", earlier);
    blame(t, r, r->named_by, why);
    return why != NULL ? IM_OK : im_error_nomem(e);
}

/* While the file is checked: does an earlier row ask something else for the same name? */
static enum im_err compare_with_earlier(struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    const struct im_input *input = r->input;
    const char *const asked[] = {input->home, input->domain, input->address};
    struct im_buf text = IM_BUF_INIT;
    bool is_new;
    im_buf_addc(&text, (char)input->identity.kind);
    enum im_err err = add_folded(&text, input->identity.domain, e);
    if (err == IM_OK) {
        err = add_folded(&text, input->identity.text, e);
    }
    uint64_t key = hash_of(t, &text);
    for (size_t i = 0; err == IM_OK && i < sizeof asked / sizeof asked[0]; i++) {
        err = add_folded(&text, asked[i], e);
    }
    uint32_t request = (uint32_t)hash_of(t, &text);
    im_buf_free(&text);
    struct im_index_item *item = err == IM_OK ? im_index_put(t->requests, key, &is_new) : NULL;
    if (item == NULL) {
        return im_error_nomem(e);
    }
    if (is_new) {
        item->a = request;
        item->b = (uint32_t)r->row.line;
    } else if (item->a != request) {
        struct contradiction *found = im_vec_push(&t->contradicting);
        if (found == NULL) {
            return im_error_nomem(e);
        }
        *found = (struct contradiction){.line = r->row.line, .earlier = item->b};
        return blame_contradiction(t, r, item->b, pool, e);
    }
    return IM_OK;
}

/* In a later pass, when the index is gone. */
static enum im_err recall_contradiction(struct im_table *t, struct reading *r, struct im_pool *pool, struct im_error *e) {
    const struct contradiction *next = t->contradicting.items + t->next_contradicting;
    if (t->next_contradicting == t->contradicting.count || next->line != r->row.line) {
        return IM_OK;
    }
    t->next_contradicting++;
    return blame_contradiction(t, r, next->earlier, pool, e);
}

/* ---- as a stream ---- */

static enum im_err next_row(struct im_table *t, struct im_pool *pool, struct reading *r, bool *is_end, struct im_error *e) {
    struct im_input *input = r->input;
    do {
        *r = (struct reading){.input = input};
        *input = (struct im_input){.text = ""};
        enum im_err err = im_csv_next(t->csv, pool, &r->row, is_end, e);
        if (err == IM_OK && !*is_end) {
            err = read_row(t, r, pool, e);
        }
        if (err != IM_OK || *is_end) {
            return err;
        }
    } while (r->is_passed_over);
    return IM_OK;
}

/* "joiners.csv:12"; NULL: out of memory. */
static const char *source_of(const struct im_table *t, size_t line, struct im_pool *pool) {
    enum { MOST_DIGITS = 20 };
    const char *name = im_csv_name(t->csv);
    size_t len = strlen(name);
    char *text = im_pool_array(pool, len + 1 + MOST_DIGITS + 1, 1);
    if (text != NULL) {
        char *at = mempcpy(text, name, len);
        *at++ = ':';
        *im_text_put_number(at, line) = '\0';
    }
    return text;
}

static enum im_err next_input(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e) {
    struct im_table *t = user;
    struct reading r = {.input = out};
    enum im_err err = next_row(t, pool, &r, is_end, e);
    if (err == IM_OK && !*is_end) {
        out->source = source_of(t, r.row.line, pool);
        err = out->source != NULL ? recall_contradiction(t, &r, pool, e) : im_error_nomem(e);
    }
    if (err != IM_OK || *is_end || r.why == NULL) {
        return err;
    }
    out->identity = (struct im_identity){.text = NULL};
    out->bad = im_pool_printf(pool, "column %zu: %s", r.column, r.why);
    out->home = out->domain = out->address = NULL;
    return out->bad != NULL ? IM_OK : im_error_nomem(e);
}

static enum im_err rewind_inputs(void *user, struct im_error *e) {
    struct im_table *t = user;
    t->next_contradicting = 0;
    return im_csv_rewind(t->csv, e);
}

struct im_inputs im_table_inputs(struct im_table *table) {
    return (struct im_inputs){.user = table, .next = next_input, .rewind = rewind_inputs};
}

/* ---- opening ---- */

static enum im_err check_rows(struct im_table *t, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    struct im_input input = {.text = NULL};
    bool is_end = false;
    enum im_err err = pool != NULL ? IM_OK : im_error_nomem(e);
    while (err == IM_OK && !is_end) {
        struct reading r = {.input = &input};
        im_pool_reset(pool);
        err = next_row(t, pool, &r, &is_end, e);
        if (err != IM_OK || is_end) {
            break;
        }
        t->count++;
        t->has_domain_names = t->has_domain_names || input.identity.kind == IM_ID_DOMAIN_NAME;
        if (r.why == NULL && t->requests != NULL) {
            err = compare_with_earlier(t, &r, pool, e);
        }
        if (err == IM_OK && r.why != NULL && !t->skip_bad_rows) {
            err = im_error_set_at(e, IM_E_INPUT, im_csv_name(t->csv), r.line, r.column, "%s", r.why);
        }
    }
    im_pool_free(&pool);
    if (err == IM_OK && t->count == 0) {
        err = im_error_set_at(e, IM_E_INPUT, im_csv_name(t->csv), 0, 0, "the file names no account");
    }
    return err == IM_OK ? rewind_inputs(t, e) : err;
}

/* What was decided about the file, for -v. */
static void describe(const struct im_table *t, struct im_buf *text) {
    const char separator[] = {'"', im_csv_separator(t->csv), '"', '\0'};
    im_buf_addf(text, "%s: %s%s, separated by %s; ", im_csv_name(t->csv), im_csv_encoding(t->csv),
                im_csv_has_bom(t->csv) ? " with a byte order mark" : "", im_csv_separator(t->csv) == '\t' ? "tabs" : separator);
    for (size_t c = 0, shown = 0; c < IM_COLUMN_COUNT; c++) {
        if (t->columns.at[c] != 0) {
            im_buf_addf(text, "%s%s is the column \"%s\"", shown++ > 0 ? ", " : "", im_column_name((enum im_column)c),
                        t->header.cells[t->columns.at[c] - 1]);
        }
    }
    im_buf_adds(text, t->was_trimmed ? "; blanks around cells are left out" : "");
}

static enum im_err tell(const struct im_table *t, const struct im_table_options *o, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT, warning = IM_BUF_INIT;
    if (o->note == NULL) {
        return IM_OK;
    }
    describe(t, &text);
    im_buf_addf(&warning, "%s is not UTF-8 and is read as Windows-1252: if that is wrong, say what it is with --encoding",
                im_csv_name(t->csv));
    enum im_err err = text.failed || warning.failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK) {
        o->note(o->user, 1, im_buf_str(&text));
    }
    if (err == IM_OK && t->is_guessed) {
        o->note(o->user, 0, im_buf_str(&warning));
    }
    im_buf_free(&text);
    im_buf_free(&warning);
    return err;
}

static enum im_err begin(struct im_table *t, const struct im_table_options *o, struct im_error *e) {
    const struct im_csv_options csv = {
        .path = o->path, .encoding = o->encoding, .separator = o->separator, .keeps_faulty = o->skip_bad_rows};
    t->skip_bad_rows = o->skip_bad_rows;
    im_hash_seed(t->seed);
    t->pool = im_pool_new();
    t->homes.set = im_set_new();
    t->domains.set = im_set_new();
    t->attributes = im_set_new();
    if (t->pool == NULL || t->homes.set == NULL || t->domains.set == NULL || t->attributes == NULL) {
        return im_error_nomem(e);
    }
    enum im_err err = im_csv_open(&csv, &t->csv, e);
    if (err != IM_OK) {
        return err;
    }
    t->is_guessed = o->encoding == NULL && strcmp(im_csv_encoding(t->csv), "windows-1252") == 0;
    t->header = (struct im_row){.cells = im_csv_header(t->csv)->cells, .count = im_csv_header(t->csv)->count};
    err = im_columns_find(&t->header, &o->columns, im_csv_name(t->csv), &t->columns, e);
    if (o->names_only || o->homes_only) {
        t->columns.at[IM_COLUMN_ADDRESS] = t->columns.at[IM_COLUMN_DOMAIN] = 0;
    }
    if (o->names_only) {
        t->columns.at[IM_COLUMN_HOME] = 0;
    }
    /* Rows can only contradict each other where they ask for something: else nothing is kept of them. */
    bool asks =
        t->columns.at[IM_COLUMN_ADDRESS] != 0 || t->columns.at[IM_COLUMN_HOME] != 0 || t->columns.at[IM_COLUMN_DOMAIN] != 0;
    if (err == IM_OK && asks && (t->requests = im_index_new()) == NULL) {
        err = im_error_nomem(e);
    }
    if (err == IM_OK) {
        err = check_rows(t, e);
    }
    im_index_free(&t->requests);
    return err;
}

enum im_err im_table_open(const struct im_table_options *options, struct im_table **out, struct im_error *e) {
    struct im_table *t = calloc(1, sizeof *t);
    enum im_err err = t != NULL ? begin(t, options, e) : im_error_nomem(e);
    if (err == IM_OK) {
        err = tell(t, options, e);
    }
    if (err == IM_OK) {
        *out = t;
    } else {
        im_table_free(&t);
    }
    return err;
}

static enum im_err check_texts(struct im_table *t, struct texts *texts, const struct im_servers *servers, struct im_error *e) {
    bool are_homes = texts == &t->homes;
    for (size_t i = 0; i < texts->count; i++) {
        const char *text = im_set_text(texts->set, i);
        const struct im_server *server;
        struct im_error inner = {.code = IM_OK};
        bool is_good = are_homes ? im_text_equal(text, "auto") || im_servers_find(servers, text, &server, &inner) == IM_OK
                                 : im_servers_know_domain(servers, text);
        texts->items[i].is_bad = !is_good;
        if (!is_good && !t->skip_bad_rows) {
            return im_error_set_at(e, IM_E_INPUT, im_csv_name(t->csv), texts->items[i].line, texts->items[i].column, "%s%s%s",
                                   are_homes ? inner.text : "no server serves the IM domain \"", are_homes ? "" : text,
                                   are_homes ? "" : "\"");
        }
    }
    return IM_OK;
}

enum im_err im_table_check_servers(struct im_table *table, const struct im_servers *servers, bool any_domain,
                                   struct im_error *e) {
    enum im_err err = check_texts(table, &table->homes, servers, e);
    return err == IM_OK && !any_domain ? check_texts(table, &table->domains, servers, e) : err;
}

bool im_table_has_homes(const struct im_table *table) {
    return table->homes.count > 0;
}

bool im_table_wants_auto(const struct im_table *table) {
    for (size_t i = 0; i < table->homes.count; i++) {
        if (im_text_equal(im_set_text(table->homes.set, i), "auto")) {
            return true;
        }
    }
    return false;
}

enum im_err im_table_templates(const struct im_table *table, struct im_pool *pool, struct im_strings *out, struct im_error *e) {
    size_t count = im_set_count(table->attributes);
    const char **items = im_pool_array(pool, count, sizeof *items);
    if (items == NULL) {
        return im_error_nomem(e);
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = im_pool_strdup(pool, im_set_text(table->attributes, i));
        if (items[i] == NULL) {
            return im_error_nomem(e);
        }
    }
    *out = (struct im_strings){.items = items, .count = count};
    return IM_OK;
}

void im_table_free(struct im_table **table) {
    struct im_table *t = table != NULL ? *table : NULL;
    if (t == NULL) {
        return;
    }
    im_csv_free(&t->csv);
    im_set_free(&t->homes.set);
    im_set_free(&t->domains.set);
    im_set_free(&t->attributes);
    im_vec_free(&t->homes);
    im_vec_free(&t->domains);
    im_vec_free(&t->contradicting);
    im_index_free(&t->requests);
    im_pool_free(&t->pool);
    free(t);
    *table = NULL;
}

size_t im_table_count(const struct im_table *table) {
    return table->count;
}

bool im_table_has_domain_names(const struct im_table *table) {
    return table->has_domain_names;
}

struct im_table_form im_table_form(const struct im_table *table) {
    return (struct im_table_form){.header = &table->header,
                                  .encoding = table->is_guessed ? "UTF-8" : im_csv_encoding(table->csv),
                                  .has_bom = im_csv_has_bom(table->csv),
                                  .separator = im_csv_separator(table->csv)};
}
