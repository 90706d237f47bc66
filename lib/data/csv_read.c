#include "lib/data/csv_read.h"

#include "lib/base/buf.h"
#include "lib/base/vec.h"
#include "lib/data/text_file.h"

#include <csv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { BLOCK = 65536, GROWTH = 4096 };

struct cell {
    size_t at; /* in the row's text */
    size_t line, column;
};

struct im_csv {
    struct im_text_file *file;
    struct im_pool *pool;
    struct im_csv_row header;
    char separator;
    bool has_first_line; /* that says the separator; the header follows it */
    bool keeps_faulty;
    bool is_special[256]; /* bytes that the parser is stopped at, so that we know where it is */

    struct csv_parser parser;
    bool has_parser;
    char *bytes;
    size_t at, len;
    bool is_end;
    struct im_position here; /* of bytes[at] */

    /* the row that is being read */
    struct im_buf text; /* cells, each with a NUL */
    struct {
        struct cell *items;
        size_t count, cap;
    } cells;
    struct im_csv_fault fault;
    bool is_done, is_out_of_memory;

    /* the cell that is being read */
    bool in_cell, is_quoted, may_close; /* may_close: the last byte was a quote that may be the closing one */
    size_t cell_len;
    struct im_position begin;
};

/* ---- the parser ---- */

/* Blanks are content; who wants them trimmed does so. */
static int is_never_blank(unsigned char c) {
    (void)c;
    return 0;
}

static void on_cell(void *bytes, size_t len, void *user) {
    struct im_csv *csv = user;
    struct cell *cell = im_vec_push(&csv->cells);
    if (cell)
        *cell = (struct cell){.at = csv->text.len, .line = csv->begin.line, .column = csv->begin.column};
    im_buf_add(&csv->text, bytes, len);
    im_buf_addc(&csv->text, '\0');
    csv->is_out_of_memory = csv->is_out_of_memory || !cell || csv->text.failed;
    csv->in_cell = false;
}

static void on_row(int terminator, void *user) {
    struct im_csv *csv = user;
    (void)terminator;
    csv->is_done = true;
}

static enum im_err start_parser(struct im_csv *csv, struct im_error *e) {
    if (csv->has_parser)
        csv_free(&csv->parser);
    csv->has_parser = csv_init(&csv->parser, 0) == 0;
    if (!csv->has_parser)
        return im_error_nomem(e);
    csv_set_delim(&csv->parser, (unsigned char)csv->separator);
    csv_set_space_func(&csv->parser, is_never_blank);
    csv_set_blk_size(&csv->parser, GROWTH);
    return IM_OK;
}

static enum im_err at_cell(const struct im_csv *csv, const char *text, struct im_error *e) {
    return im_error_set_at(e, IM_E_INPUT, im_csv_name(csv), csv->begin.line, csv->begin.column, "%s", text);
}

static enum im_err feed(struct im_csv *csv, size_t len, struct im_error *e) {
    csv->cell_len += len;
    if (csv->in_cell && csv->cell_len > IM_CSV_CELL_MAX + 1) { /* as it stands in the file, and the byte that ends it */
        return at_cell(
            csv, csv->is_quoted ? "this cell is longer than 1 MiB: is its quote never closed?" : "this cell is longer than 1 MiB",
            e);
    }
    size_t taken = csv_parse(&csv->parser, csv->bytes + csv->at, len, on_cell, on_row, csv);
    if (csv->is_out_of_memory || (taken != len && csv_error(&csv->parser) == CSV_ENOMEM))
        return im_error_nomem(e);
    if (taken != len)
        return im_error_set(e, IM_E_INTERNAL, "%s: %s", im_csv_name(csv), csv_strerror(csv_error(&csv->parser)));
    if (csv->cells.count > IM_CSV_COLUMNS_MAX)
        return at_cell(csv, "this row has more than 4096 cells: is another character the separator?", e);
    if (csv->text.len > IM_CSV_ROW_MAX)
        return at_cell(csv, "this row is longer than 16 MiB", e);
    csv->at += len;
    return IM_OK;
}

static void begin_cell(struct im_csv *csv, bool is_quoted) {
    csv->in_cell = true;
    csv->is_quoted = is_quoted;
    csv->may_close = false;
    csv->cell_len = 0;
    csv->begin = csv->here;
}

static enum im_err meet_fault(struct im_csv *csv, const char *text, const struct im_position *at, struct im_error *e) {
    if (!csv->keeps_faulty)
        return im_error_set_at(e, IM_E_INPUT, im_csv_name(csv), at->line, at->column, "%s", text);
    if (!csv->fault.text)
        csv->fault = (struct im_csv_fault){.text = text, .line = at->line, .column = at->column};
    return IM_OK;
}

/* The quote was not the closing one: the parser takes both for text, and goes on within the quotes. */
static enum im_err check_behind_quote(struct im_csv *csv, struct im_error *e) {
    if (!csv->in_cell || !csv->is_quoted || !csv->may_close)
        return IM_OK;
    csv->may_close = false;
    return meet_fault(csv, "text behind a closing quote: quotes within a quoted cell are doubled", &csv->here, e);
}

/* Up to a byte that may mean something. */
static enum im_err feed_plain(struct im_csv *csv, struct im_error *e) {
    const char *from = csv->bytes + csv->at;
    size_t n = 0, most = csv->len - csv->at, characters = 0;
    while (n < most && !csv->is_special[(unsigned char)from[n]])
        characters += ((unsigned char)from[n++] & 0xc0) != 0x80;
    if (n == 0)
        return IM_OK;
    enum im_err err = check_behind_quote(csv, e);
    if (err != IM_OK)
        return err;
    if (!csv->in_cell)
        begin_cell(csv, false);
    err = feed(csv, n, e);
    csv->here.column += characters;
    csv->here.after_cr = false;
    return err;
}

static enum im_err pass_nul(struct im_csv *csv, struct im_error *e) {
    enum im_err err = meet_fault(csv, "a NUL character: expected text", &csv->here, e);
    if (err == IM_OK)
        err = check_behind_quote(csv, e);
    if (err != IM_OK)
        return err;
    if (!csv->in_cell)
        begin_cell(csv, false);
    csv->bytes[csv->at] = (char)IM_CSV_NUL;
    err = feed(csv, 1, e);
    im_position_pass(&csv->here, '\0');
    return err;
}

static enum im_err feed_special(struct im_csv *csv, struct im_error *e) {
    char byte = csv->bytes[csv->at];
    if (byte == '\0')
        return pass_nul(csv, e);
    bool ends_line = byte == '\n' || byte == '\r';
    if (!csv->in_cell && !(ends_line && csv->cells.count == 0)) {
        begin_cell(csv, byte == '"');
    } else if (byte == '"') {
        csv->may_close = !csv->may_close;
    }
    enum im_err err = feed(csv, 1, e);
    im_position_pass(&csv->here, byte);
    return err;
}

static enum im_err end_file(struct im_csv *csv, struct im_error *e) {
    enum im_err err = IM_OK;
    csv->is_end = true;
    if (csv->in_cell && csv->is_quoted && !csv->may_close)
        err = meet_fault(csv, "the quote that opens here is never closed", &csv->begin, e);
    if (err != IM_OK)
        return err;
    if (!csv->in_cell)
        begin_cell(csv, false);
    if (csv_fini(&csv->parser, on_cell, on_row, csv) != 0 || csv->is_out_of_memory)
        return im_error_nomem(e);
    csv->in_cell = false;
    return IM_OK;
}

static enum im_err fill(struct im_csv *csv, struct im_error *e) {
    csv->at = 0;
    csv->len = 0;
    enum im_err err = im_text_file_read(csv->file, &csv->here, csv->bytes, BLOCK, &csv->len, e);
    return err == IM_OK && csv->len == 0 ? end_file(csv, e) : err;
}

/* ---- rows ---- */

static bool is_blank(const struct im_csv *csv) {
    return csv->cells.count == 1 && !csv->is_quoted && !csv->fault.text && csv->text.data[strspn(csv->text.data, " \t")] == '\0';
}

/* Reads one row into csv->cells; none at the end of the file. */
static enum im_err read_row(struct im_csv *csv, struct im_error *e) {
    enum im_err err = IM_OK;
    do {
        im_buf_clear(&csv->text);
        csv->cells.count = 0;
        csv->fault = (struct im_csv_fault){.text = NULL};
        csv->is_done = false;
        while (err == IM_OK && !csv->is_done && !csv->is_end) {
            if (csv->at == csv->len)
                err = fill(csv, e);
            if (err == IM_OK && csv->at < csv->len)
                err = feed_plain(csv, e);
            if (err == IM_OK && csv->at < csv->len)
                err = feed_special(csv, e);
        }
    } while (err == IM_OK && is_blank(csv));
    return err;
}

static enum im_err hand_out(const struct im_csv *csv, struct im_pool *pool, struct im_csv_row *out, struct im_error *e) {
    size_t count = csv->cells.count;
    const char *text = im_pool_strndup(pool, csv->text.data, csv->text.len);
    const char **cells = im_pool_array(pool, count, sizeof *cells);
    size_t *places = im_pool_array(pool, 2 * count, sizeof *places);
    if (!text || !cells || !places)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        cells[i] = text + csv->cells.items[i].at;
        places[i] = csv->cells.items[i].column;
        places[count + i] = csv->cells.items[i].line;
    }
    *out = (struct im_csv_row){
        .line = places[count],
        .cells = cells,
        .columns = places,
        .lines = places + count,
        .count = count,
        .fault = csv->fault,
    };
    return IM_OK;
}

enum im_err im_csv_next(struct im_csv *csv, struct im_pool *pool, struct im_csv_row *out, bool *is_end, struct im_error *e) {
    csv->cells.count = 0;
    enum im_err err = csv->is_end ? IM_OK : read_row(csv, e);
    if (err != IM_OK)
        return err;
    *is_end = csv->cells.count == 0;
    return *is_end ? IM_OK : hand_out(csv, pool, out, e);
}

/* ---- opening ---- */

/* The candidate that is most frequent in the first line, outside quotes; where there is none, the file has one column. */
static char find_separator(const char *bytes, size_t len) {
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t counts[sizeof candidates] = {0}, best = 0;
    bool is_quoted = false, has_begun = false;
    for (size_t i = 0; i < len; i++) {
        bool ends_line = !is_quoted && (bytes[i] == '\n' || bytes[i] == '\r');
        if (ends_line && has_begun)
            break;
        has_begun = has_begun || (!ends_line && bytes[i] != ' ');
        is_quoted = is_quoted != (bytes[i] == '"');
        for (size_t c = 0; c < sizeof candidates && !is_quoted; c++)
            counts[c] += bytes[i] == candidates[c];
    }
    for (size_t c = 1; c < sizeof candidates; c++)
        best = counts[c] > counts[best] ? c : best;
    return candidates[best];
}

static bool can_separate(char c) {
    return !strchr("\"\r\n", c) && (unsigned char)c < 0x80;
}

/* Of a first line as Excel takes it, sep=; alone, quoted or not. '\0': there is none. */
static char said_separator(const char *bytes, size_t len) {
    size_t quotes = len && bytes[0] == '"';
    size_t end = quotes + strlen("sep=;") + quotes;
    if (end >= len || (bytes[end] != '\r' && bytes[end] != '\n') || (quotes && bytes[end - 1] != '"'))
        return '\0';
    bool is_said = strncasecmp(bytes + quotes, "sep=", strlen("sep=")) == 0;
    return is_said && can_separate(bytes[end - quotes - 1]) ? bytes[end - quotes - 1] : '\0';
}

static void set_separator(struct im_csv *csv, char wanted) {
    char said = said_separator(csv->bytes, csv->len);
    csv->has_first_line = said != '\0';
    if (!wanted)
        wanted = said;
    csv->separator = wanted ? wanted : find_separator(csv->bytes, csv->len);
    csv->is_special[(unsigned char)csv->separator] = true;
    csv->is_special['"'] = csv->is_special['\r'] = csv->is_special['\n'] = csv->is_special['\0'] = true;
}

/* A fault in the header is one of the file. */
static enum im_err read_first(struct im_csv *csv, bool keeps_faulty, struct im_error *e) {
    enum im_err err = csv->has_first_line ? read_row(csv, e) : IM_OK;
    if (err == IM_OK)
        err = read_row(csv, e);
    csv->keeps_faulty = keeps_faulty;
    return err;
}

static enum im_err read_header(struct im_csv *csv, bool keeps_faulty, struct im_error *e) {
    enum im_err err = read_first(csv, keeps_faulty, e);
    if (err == IM_OK && csv->cells.count == 0)
        return im_error_set_at(e, IM_E_INPUT, im_csv_name(csv), 1, 0, "the file is empty: its first line names the columns");
    return err == IM_OK ? hand_out(csv, csv->pool, &csv->header, e) : err;
}

static enum im_err open_csv(struct im_csv *csv, const struct im_csv_options *options, struct im_error *e) {
    char separator = options->separator;
    if (separator && !can_separate(separator))
        return im_error_set(e, IM_E_USAGE, "--separator: one character of ASCII that is no quote and ends no line");
    csv->pool = im_pool_new();
    csv->bytes = malloc(BLOCK);
    if (!csv->pool || !csv->bytes)
        return im_error_nomem(e);
    csv->here = (struct im_position)IM_POSITION_INIT;
    enum im_err err = im_text_file_open(options->path, options->encoding, &csv->file, e);
    if (err == IM_OK)
        err = im_text_file_read(csv->file, &csv->here, csv->bytes, BLOCK, &csv->len, e);
    if (err != IM_OK)
        return err;
    set_separator(csv, separator);
    err = start_parser(csv, e);
    return err == IM_OK ? read_header(csv, options->keeps_faulty, e) : err;
}

enum im_err im_csv_open(const struct im_csv_options *options, struct im_csv **out, struct im_error *e) {
    struct im_csv *csv = calloc(1, sizeof *csv);
    if (!csv)
        return im_error_nomem(e);
    enum im_err err = open_csv(csv, options, e);
    if (err == IM_OK) {
        *out = csv;
    } else {
        im_csv_free(&csv);
    }
    return err;
}

enum im_err im_csv_rewind(struct im_csv *csv, struct im_error *e) {
    bool keeps_faulty = csv->keeps_faulty;
    csv->at = csv->len = 0;
    csv->is_end = csv->in_cell = csv->is_out_of_memory = false;
    csv->here = (struct im_position)IM_POSITION_INIT;
    enum im_err err = im_text_file_rewind(csv->file, e);
    if (err == IM_OK)
        err = start_parser(csv, e);
    return err == IM_OK ? read_first(csv, keeps_faulty, e) : err;
}

void im_csv_free(struct im_csv **csv) {
    if (!csv || !*csv)
        return;
    if ((*csv)->has_parser)
        csv_free(&(*csv)->parser);
    im_text_file_free(&(*csv)->file);
    im_buf_free(&(*csv)->text);
    im_vec_free(&(*csv)->cells);
    im_pool_free(&(*csv)->pool);
    free((*csv)->bytes);
    free(*csv);
    *csv = NULL;
}

const char *im_csv_name(const struct im_csv *csv) {
    return im_text_file_name(csv->file);
}

const char *im_csv_encoding(const struct im_csv *csv) {
    return im_text_file_encoding(csv->file);
}

bool im_csv_has_bom(const struct im_csv *csv) {
    return im_text_file_has_bom(csv->file);
}

char im_csv_separator(const struct im_csv *csv) {
    return csv->separator;
}

const struct im_csv_row *im_csv_header(const struct im_csv *csv) {
    return &csv->header;
}
