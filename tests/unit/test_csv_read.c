/* CSV as it comes: encodings, separators, quotes and places, files that are broken or change, memory that runs out. */
#include "lib/base/buf.h"
#include "lib/data/csv_read.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct fixture {
    char path[64];
    struct im_csv *csv;
    struct im_pool *pool;
    struct im_error error;
    struct im_buf seen;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/imdir-csv-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    f->pool = im_pool_new();
    assert_non_null(f->pool);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_csv_free(&f->csv);
    im_pool_free(&f->pool);
    im_buf_free(&f->seen);
    (void)unlink(f->path);
    free(f);
    return 0;
}

static void write_file(const struct fixture *f, const void *bytes, size_t len) {
    int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

static enum im_err open_as(struct fixture *f, const struct im_csv_options *more) {
    struct im_csv_options options = more ? *more : (struct im_csv_options){.path = NULL};
    options.path = options.path ? options.path : f->path;
    im_error_clear(&f->error);
    im_csv_free(&f->csv);
    return im_csv_open(&options, &f->csv, &f->error);
}

static void add_row(struct fixture *f, const struct im_csv_row *row) {
    for (size_t i = 0; i < row->count; i++)
        im_buf_addf(&f->seen, "%s%s", i ? "|" : "", row->cells[i]);
    im_buf_addf(&f->seen, "%s@%zu\n", row->fault.text ? "!" : "", row->line);
}

/* The rest of the rows, "a|b@line" each. */
static enum im_err read_rows(struct fixture *f) {
    bool is_end = false;
    struct im_csv_row row;
    enum im_err err;
    for (;;) {
        err = im_csv_next(f->csv, f->pool, &row, &is_end, &f->error);
        if (err != IM_OK || is_end)
            return err;
        add_row(f, &row);
    }
}

/* Header and rows of what is in the file. */
static const char *all_of(struct fixture *f, const void *bytes, size_t len, const struct im_csv_options *more) {
    write_file(f, bytes, len);
    im_buf_clear(&f->seen);
    if (open_as(f, more) != IM_OK)
        fail_msg("%s", f->error.text);
    add_row(f, im_csv_header(f->csv));
    if (read_rows(f) != IM_OK)
        fail_msg("%zu:%zu: %s", f->error.line, f->error.column, f->error.text);
    return im_buf_str(&f->seen);
}

#define ALL(f, literal) all_of(f, literal, sizeof(literal) - 1, NULL)
#define ALL_AS(f, literal, ...) all_of(f, literal, sizeof(literal) - 1, &(struct im_csv_options){__VA_ARGS__})

/* Opening or reading it must end so, with this place and word. */
static void assert_error(struct fixture *f, enum im_err expect, size_t line, size_t column, const char *word) {
    assert_int_equal(f->error.code, expect);
    assert_mentions(f->error.text, word);
    assert_int_equal(f->error.line, line);
    assert_int_equal(f->error.column, column);
    if (line > 0)
        assert_string_equal(f->error.where, f->path);
}

#define WRITE(f, literal) write_file(f, literal, sizeof(literal) - 1)

static void fails(struct fixture *f, const void *bytes, size_t len, const struct im_csv_options *more) {
    write_file(f, bytes, len);
    enum im_err err = open_as(f, more);
    if (err == IM_OK)
        err = read_rows(f);
    assert_int_not_equal(err, IM_OK);
}

#define FAILS(f, literal) fails(f, literal, sizeof(literal) - 1, NULL)
#define FAILS_AS(f, literal, ...) fails(f, literal, sizeof(literal) - 1, &(struct im_csv_options){__VA_ARGS__})

static void rows_are_what_spreadsheets_mean(void **state) {
    struct fixture *f = *state;
    assert_string_equal(ALL(f, "a,b\n1,2\n3,4\n"), "a|b@1\n1|2@2\n3|4@3\n");
    assert_string_equal(ALL(f, "a,b\r\n1,2\r\n3,4"), "a|b@1\n1|2@2\n3|4@3\n");
    assert_string_equal(ALL(f, "a,b\r1,2\r3,4\r"), "a|b@1\n1|2@2\n3|4@3\n");
    assert_string_equal(ALL(f, "a,b\r1,2\n3,4\r\n5,6"), "a|b@1\n1|2@2\n3|4@3\n5|6@4\n"); /* from several systems */
    assert_string_equal(ALL(f, "a\r1\n2\r\n3"), "a@1\n1@2\n2@3\n3@4\n");
    assert_string_equal(ALL(f, "a,b,c\n,,\n1,,\n,,3\n\"\",\"\",\"\""), "a|b|c@1\n||@2\n1||@3\n||3@4\n||@5\n");
    assert_string_equal(ALL(f, "a\n x \n'x\n=1+1\n"), "a@1\n x @2\n'x@3\n=1+1@4\n"); /* nothing is trimmed */
    assert_string_equal(ALL(f, "a,b\n1\n1,2,3\n1,"), "a|b@1\n1@2\n1|2|3@3\n1|@4\n"); /* others count the cells */
}

static void blank_lines_are_passed_over(void **state) {
    struct fixture *f = *state;
    assert_string_equal(ALL(f, "\n \r\n\ta,b\n\n1,2\n \t \n\r\n3,4\n\n\n"), "\ta|b@3\n1|2@5\n3|4@8\n");
    assert_string_equal(ALL(f, "a\n\"\"\n\" \"\nx\n"), "a@1\n@2\n @3\nx@4\n"); /* what is quoted is there */
}

static void quotes_hold_separators_line_ends_and_quotes(void **state) {
    struct fixture *f = *state;
    assert_string_equal(ALL(f, "a,b\n\"M\xc3\xbcller, J\",\"say \"\"hi\"\"\"\n"), "a|b@1\nM\xc3\xbcller, J|say \"hi\"@2\n");
    assert_string_equal(ALL(f, "a,b\n\"1\n2\r\n3\",x\ny,z\n"), "a|b@1\n1\n2\r\n3|x@2\ny|z@5\n");
    assert_string_equal(ALL(f, "a,b\n5\" disk,x\" y\nz,\"\"\"\"\n"), "a|b@1\n5\" disk|x\" y@2\nz|\"@3\n");
    assert_string_equal(ALL(f, "\"a,a\";b\n\"1\";\"2\"\r\n\r\n"), "a,a|b@1\n1|2@2\n");
}

static void separator_is_the_most_frequent_of_the_header(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text;
        char separator;
    } rows[] = {
        {"a,b;c,d\n", ','}, {"a;b;c,d\n", ';'},     {"a\tb\n;;;\n", '\t'}, {"a|b\n", '|'},   {"account\n", ','},
        {"\n\na;b\n", ';'}, {"\"a,b,c\";d\n", ';'}, {"a;b", ';'},          {"a,b;c\n", ','}, {"\"a\n,,,\";b\n", ';'},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        write_file(f, rows[i].text, strlen(rows[i].text));
        assert_int_equal(open_as(f, NULL), IM_OK);
        assert_int_equal(im_csv_separator(f->csv), rows[i].separator);
    }
    assert_string_equal(ALL_AS(f, "a,b;c\n1;2\n", .separator = ';'), "a,b|c@1\n1|2@2\n");
    assert_string_equal(ALL_AS(f, "a:b\n1:\"2:3\"\n", .separator = ':'), "a|b@1\n1|2:3@2\n");
    FAILS_AS(f, "a,b\n", .separator = '"');
    assert_error(f, IM_E_USAGE, 0, 0, "--separator");
}

static void a_first_line_may_say_the_separator(void **state) {
    struct fixture *f = *state;
    assert_string_equal(ALL(f, "sep=;\r\na,b;c\r\n1;2\r\n"), "a,b|c@2\n1|2@3\n");
    assert_int_equal(im_csv_separator(f->csv), ';');
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    im_buf_clear(&f->seen);
    assert_int_equal(read_rows(f), IM_OK);
    assert_string_equal(im_buf_str(&f->seen), "1|2@3\n");
    assert_string_equal(ALL(f, "\xef\xbb\xbfSEP=:\na:b\n"), "a|b@2\n");
    assert_string_equal(ALL(f, "\"sep=,\"\na,b;c;d\n"), "a|b;c;d@2\n");
    assert_string_equal(ALL(f, "sep=\t\ra\tb\r"), "a|b@2\n");
    assert_string_equal(ALL_AS(f, "sep=;\na,b\n1,2\n", .separator = ','), "a|b@2\n1|2@3\n"); /* who calls knows better */
    assert_string_equal(ALL(f, "sep=x,b\n1,2\n"), "sep=x|b@1\n1|2@2\n");                     /* a name of a column */
    assert_string_equal(ALL(f, "sep;b\n1;2\n"), "sep|b@1\n1|2@2\n");
    assert_string_equal(ALL(f, "sep=\"\na,b\n"), "sep=\"@1\na|b@2\n");
    FAILS(f, "sep=;\n");
    assert_error(f, IM_E_INPUT, 1, 0, "empty");
}

static void encodings_are_found_out(void **state) {
    struct fixture *f = *state;
    const char *expect = "Stra\xc3\x9f"
                         "e|b@1\nM\xc3\xbcller|\xe2\x82\xac@2\n";
    assert_string_equal(ALL(f, "Stra\xc3\x9f"
                               "e,b\nM\xc3\xbcller,\xe2\x82\xac\n"),
                        expect);
    assert_string_equal(im_csv_encoding(f->csv), "UTF-8");
    assert_false(im_csv_has_bom(f->csv));
    assert_string_equal(ALL(f, "\xef\xbb\xbfStra\xc3\x9f"
                               "e,b\nM\xc3\xbcller,\xe2\x82\xac\n"),
                        expect);
    assert_string_equal(im_csv_encoding(f->csv), "UTF-8");
    assert_true(im_csv_has_bom(f->csv));
    assert_string_equal(ALL(f, "Stra\xdf"
                               "e;b\nM\xfcller;\x80\n"),
                        expect);
    assert_string_equal(im_csv_encoding(f->csv), "windows-1252");
    assert_string_equal(ALL(f, "\xff\xfe"
                               "a\0,\0b\0\n\0\xfc\0,\0=\xd8\x4b\xdc\n\0"),
                        "a|b@1\n\xc3\xbc|\xf0\x9f\x91\x8b@2\n");
    assert_string_equal(im_csv_encoding(f->csv), "UTF-16LE");
    assert_true(im_csv_has_bom(f->csv));
    assert_string_equal(ALL(f, "\xfe\xff\0a\0;\0b\0\r\0\n\0\xfc\0;\0\"\0;\0\""), "a|b@1\n\xc3\xbc|;@2\n");
    assert_string_equal(im_csv_encoding(f->csv), "UTF-16BE");
}

static void encodings_can_be_named(void **state) {
    struct fixture *f = *state;
    assert_string_equal(ALL_AS(f, "a\n\xa4\n", .encoding = "ISO-8859-15"), "a@1\n\xe2\x82\xac@2\n");
    assert_string_equal(ALL_AS(f, "a\n\xc3\xbc\n", .encoding = "windows-1252"), "a@1\n\xc3\x83\xc2\xbc@2\n");
    assert_string_equal(ALL_AS(f,
                               "\xef\xbb\xbf"
                               "a\n\xc3\xbc\n",
                               .encoding = "utf8"),
                        "a@1\n\xc3\xbc@2\n");
    assert_string_equal(ALL_AS(f, "a\0\n\0\xfc\0", .encoding = "UTF-16LE"), "a@1\n\xc3\xbc@2\n");
    assert_string_equal(ALL_AS(f, "\xfe\xff\0a", .encoding = "UTF-16"), "a@1\n");
    assert_string_equal(ALL_AS(f, "a\n\x82\xa0\n", .encoding = "SHIFT_JIS"), "a@1\n\xe3\x81\x82@2\n");
    FAILS_AS(f, "a\n", .encoding = "klingon");
    assert_error(f, IM_E_USAGE, 0, 0, "klingon");
    FAILS_AS(f, "a\n", .encoding = "latin1//TRANSLIT");
    assert_error(f, IM_E_USAGE, 0, 0, "TRANSLIT");
    FAILS_AS(f,
             "\xff\xfe"
             "a\0",
             .encoding = "windows-1252");
    assert_error(f, IM_E_INPUT, 1, 1, "UTF-16");
}

static void broken_encodings_name_the_place(void **state) {
    struct fixture *f = *state;
    FAILS(f, "a,b\n\xc3\xbc\xc3\xbc,M\xfcller\n\xff,x\n");
    assert_error(f, IM_E_INPUT, 2, 5, "FC");
    assert_mentions(f->error.text, "--encoding");
    FAILS(f, "a\r\nM\xfcller\r\n\xc3\xbc\n");
    assert_error(f, IM_E_INPUT, 2, 2, "FC");
    FAILS(f, "\xef\xbb\xbf"
             "a\nM\xfcller\n");
    assert_error(f, IM_E_INPUT, 2, 2, "FC");
    FAILS(f, "a\r\xc3\xbc\n\xff\n");
    assert_error(f, IM_E_INPUT, 3, 1, "FF");
    FAILS(f, "a\n\xfc\n\xc3\xbc\n");
    assert_error(f, IM_E_INPUT, 2, 1, "FC");
    FAILS_AS(f, "a\nM\xfcller\n", .encoding = "utf-8");
    assert_error(f, IM_E_INPUT, 2, 2, "FC");
    FAILS(f, "a\n\xc3\xbc\xc3"); /* the last character is cut */
    assert_error(f, IM_E_INPUT, 2, 2, "C3");
    FAILS(f, "a\nx\n\xfcy\x81\n"); /* Windows-1252 has no 81 */
    assert_error(f, IM_E_INPUT, 3, 3, "81");
    FAILS(f, "\xff\xfe"
             "a\0\n\0b\0\x00\xdc"
             "c\0");
    assert_error(f, IM_E_INPUT, 2, 2, "00");
    FAILS(f, "\xff\xfe"
             "a\0\n\0b\0c"); /* half a character */
    assert_error(f, IM_E_INPUT, 2, 2, "63");
    FAILS(f, "a\0b\0\n\0");
    assert_error(f, IM_E_INPUT, 1, 1, "--encoding UTF-16LE");
    FAILS(f, "\0a\0b\0\n");
    assert_error(f, IM_E_INPUT, 1, 1, "--encoding UTF-16BE");
}

/* What is broken and what is not may stand far from each other. */
static void the_whole_file_decides_on_the_encoding(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "a\nM\xfcller\n");
    for (size_t i = 0; i < 200000; i++)
        im_buf_adds(&text, "x\n");
    write_file(f, text.data, text.len);
    assert_int_equal(open_as(f, NULL), IM_OK);
    assert_string_equal(im_csv_encoding(f->csv), "windows-1252");
    im_buf_adds(&text, "M\xc3\xbcller\n");
    fails(f, text.data, text.len, NULL);
    assert_error(f, IM_E_INPUT, 2, 2, "FC");
    im_buf_free(&text);
}

/* Characters that begin in one block and end in the next, of every length and at every offset. */
static void blocks_do_not_cut_characters(void **state) {
    struct fixture *f = *state;
    enum { BLOCK = 65536 };
    static const char *const characters[] = {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x91\x8b"};
    for (size_t c = 0; c < LENGTH(characters); c++) {
        for (size_t before = BLOCK - 4; before <= BLOCK; before++) {
            struct im_buf text = IM_BUF_INIT;
            im_buf_adds(&text, "a,b\n");
            while (text.len < before)
                im_buf_addc(&text, 'x');
            im_buf_adds(&text, characters[c]);
            im_buf_adds(&text, ",y\n1,2\n");
            write_file(f, text.data, text.len);
            assert_int_equal(open_as(f, NULL), IM_OK);
            assert_string_equal(im_csv_encoding(f->csv), "UTF-8");
            struct im_csv_row row;
            bool is_end;
            assert_int_equal(im_csv_next(f->csv, f->pool, &row, &is_end, &f->error), IM_OK);
            assert_int_equal(row.count, 2);
            assert_int_equal(strlen(row.cells[0]), before - 4 + strlen(characters[c]));
            assert_string_equal(row.cells[0] + before - 4, characters[c]);
            assert_int_equal(row.columns[1], before - 4 + 1 + 2);
            im_buf_free(&text);
        }
    }
}

static void cells_know_where_they_begin(void **state) {
    struct fixture *f = *state;
    assert_non_null(ALL(f, "\xef\xbb\xbf"
                           "a,b,c\n"));
    assert_int_equal(im_csv_header(f->csv)->columns[0], 1);
    WRITE(f, "a,b,c\r\n\r\n\xc3\xbc,\"x\ny\",z\r\n");
    assert_int_equal(open_as(f, NULL), IM_OK);
    struct im_csv_row row;
    bool is_end = true;
    assert_int_equal(im_csv_next(f->csv, f->pool, &row, &is_end, &f->error), IM_OK);
    assert_false(is_end);
    assert_int_equal(row.count, 3);
    const size_t lines[] = {3, 3, 4}, columns[] = {1, 3, 4};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(row.lines[i], lines[i]);
        assert_int_equal(row.columns[i], columns[i]);
    }
    assert_int_equal(im_csv_next(f->csv, f->pool, &row, &is_end, &f->error), IM_OK);
    assert_true(is_end);
    assert_int_equal(im_csv_next(f->csv, f->pool, &row, &is_end, &f->error), IM_OK);
    assert_true(is_end);
}

static void faults_name_the_place(void **state) {
    struct fixture *f = *state;
    FAILS(f, "a,b\n1,\"2\n3,4\n");
    assert_error(f, IM_E_INPUT, 2, 3, "never closed");
    FAILS(f, "a,b\n1,\"");
    assert_error(f, IM_E_INPUT, 2, 3, "never closed");
    FAILS(f, "a,b\n1,\"2\"\"");
    assert_error(f, IM_E_INPUT, 2, 3, "never closed");
    FAILS(f, "a,b\n1,x\0y\n");
    assert_error(f, IM_E_INPUT, 2, 4, "NUL");
    FAILS(f, "a,b\n\"x\0\",1\n");
    assert_error(f, IM_E_INPUT, 2, 3, "NUL");
    FAILS(f, "a,b\n1,\"2\" 3\n");
    assert_error(f, IM_E_INPUT, 2, 6, "behind a closing quote");
    FAILS(f, "a,\"b\n1,2\n");
    assert_error(f, IM_E_INPUT, 1, 3, "never closed");
    FAILS_AS(f, "a,\"b\n1,2\n", .keeps_faulty = true); /* nothing can be said of a file whose header is broken */
    assert_error(f, IM_E_INPUT, 1, 3, "never closed");
}

static void faults_can_be_kept(void **state) {
    struct fixture *f = *state;
    assert_string_equal(ALL_AS(f, "a,b\n1,x\0y\0\n2,\"a \"b\" c\",\n3,4\n5,\"6\n7,8\n", .keeps_faulty = true),
                        "a|b@1\n1|x\xffy\xff!@2\n2|a \"b\" c|!@3\n3|4@4\n5|6\n7,8\n!@5\n");
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    im_buf_clear(&f->seen);
    assert_int_equal(read_rows(f), IM_OK);
    assert_string_equal(im_buf_str(&f->seen), "1|x\xffy\xff!@2\n2|a \"b\" c|!@3\n3|4@4\n5|6\n7,8\n!@5\n");
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    struct im_csv_row row;
    bool is_end;
    assert_int_equal(im_csv_next(f->csv, f->pool, &row, &is_end, &f->error), IM_OK);
    assert_int_equal(row.fault.line, 2);
    assert_int_equal(row.fault.column, 4);
}

static void bounds_are_kept(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "a,b\n1,\"");
    for (size_t i = 0; i < IM_CSV_CELL_MAX - 2; i++)
        im_buf_addc(&text, 'x');
    im_buf_adds(&text, "\"\n");
    write_file(f, text.data, text.len);
    assert_int_equal(open_as(f, NULL), IM_OK);
    assert_int_equal(read_rows(f), IM_OK);
    text.len -= 2;
    im_buf_adds(&text, "xxx\"\n");
    fails(f, text.data, text.len, NULL);
    assert_error(f, IM_E_INPUT, 2, 3, "never closed");
    text.data[6] = 'y';
    fails(f, text.data, text.len, NULL);
    assert_error(f, IM_E_INPUT, 2, 3, "1 MiB");
    im_buf_clear(&text);
    im_buf_adds(&text, "a\n");
    for (size_t i = 1; i < IM_CSV_COLUMNS_MAX; i++)
        im_buf_addc(&text, ',');
    write_file(f, text.data, text.len);
    assert_int_equal(open_as(f, NULL), IM_OK);
    assert_int_equal(read_rows(f), IM_OK);
    im_buf_adds(&text, ",,");
    fails(f, text.data, text.len, NULL);
    assert_error(f, IM_E_INPUT, 2, 4097, "4096");
    im_buf_free(&text);
}

static void rows_are_not_longer_than_memory(void **state) {
    struct fixture *f = *state;
    enum { CELL = IM_CSV_CELL_MAX / 2, CELLS = IM_CSV_ROW_MAX / CELL }; /* each with the byte that ends it */
    const size_t most = 2 + CELLS * (size_t)CELL;
    char *text = malloc(most + CELL);
    assert_non_null(text);
    memset(text, 'x', most + CELL);
    text[0] = 'a';
    text[1] = '\n';
    for (size_t i = 1; i <= CELLS + 1; i++)
        text[1 + i * CELL] = ',';
    write_file(f, text, most - 1);
    assert_int_equal(open_as(f, NULL), IM_OK);
    assert_int_equal(read_rows(f), IM_OK);
    fails(f, text, most + CELL, NULL);
    assert_error(f, IM_E_INPUT, 2, most - 1, "16 MiB");
    free(text);
}

static void files_without_header_or_file(void **state) {
    struct fixture *f = *state;
    FAILS(f, "");
    assert_error(f, IM_E_INPUT, 1, 0, "empty");
    FAILS(f, "\xef\xbb\xbf\r\n \n");
    assert_error(f, IM_E_INPUT, 1, 0, "empty");
    assert_int_equal(open_as(f, &(struct im_csv_options){.path = "/nonexistent/x.csv"}), IM_E_IO);
    assert_mentions(f->error.text, "/nonexistent/x.csv");
    assert_int_equal(open_as(f, &(struct im_csv_options){.path = "/tmp"}), IM_E_IO);
    assert_mentions(f->error.text, "directory");
    assert_int_equal(open_as(f, &(struct im_csv_options){.path = "/dev/null"}), IM_E_INPUT);
}

static void all_can_be_read_again(void **state) {
    struct fixture *f = *state;
    static const char *const texts[] = {"a,b\n1,2\n\"3\n\",4\n", "\xef\xbb\xbf"
                                                                 "a,b\n1,2\n\"3\n\",4\n"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        (void)all_of(f, texts[i], strlen(texts[i]), NULL);
        for (int round = 0; round < 3; round++) {
            struct im_csv_row row;
            bool is_end;
            assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
            if (round == 1) /* from the middle */
                assert_int_equal(im_csv_next(f->csv, f->pool, &row, &is_end, &f->error), IM_OK);
        }
        im_buf_clear(&f->seen);
        assert_int_equal(read_rows(f), IM_OK);
        assert_string_equal(im_buf_str(&f->seen), "1|2@2\n3\n|4@3\n");
    }
    assert_string_equal(ALL(f, "\xff\xfe"
                               "a\0\n\0\xfc\0"),
                        "a@1\n\xc3\xbc@2\n");
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    im_buf_clear(&f->seen);
    assert_int_equal(read_rows(f), IM_OK);
    assert_string_equal(im_buf_str(&f->seen), "\xc3\xbc@2\n");
    assert_string_equal(ALL_AS(f, "a\n\x1b$B$\"", .encoding = "ISO-2022-JP"), "a@1\n\xe3\x81\x82@2\n"); /* ends shifted */
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    im_buf_clear(&f->seen);
    assert_int_equal(read_rows(f), IM_OK);
    assert_string_equal(im_buf_str(&f->seen), "\xe3\x81\x82@2\n");
}

static void pipes_are_kept(void **state) {
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a,b\n1,2\n", 8), 8);
    assert_int_equal(close(ends[1]), 0);
    char path[32];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(open_as(f, &(struct im_csv_options){.path = path}), IM_OK);
    assert_int_equal(close(ends[0]), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(read_rows(f), IM_OK);
        assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    }
    assert_string_equal(im_buf_str(&f->seen), "1|2@2\n1|2@2\n");
    assert_string_equal(im_csv_name(f->csv), path);
}

static void standard_input_is_kept(void **state) {
    struct fixture *f = *state;
    WRITE(f, "a,b\n1,2\n");
    int before = dup(STDIN_FILENO);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(open_as(f, &(struct im_csv_options){.path = "-"}), IM_OK);
    assert_string_equal(im_csv_name(f->csv), "standard input");
    assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
    WRITE(f, "c,d\n"); /* too late to matter */
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    assert_int_equal(read_rows(f), IM_OK);
    assert_string_equal(im_buf_str(&f->seen), "1|2@2\n");
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(before), 0);
}

static void a_file_that_changes_is_noticed(void **state) {
    struct fixture *f = *state;
    assert_non_null(ALL(f, "a,b\n1,2\n"));
    WRITE(f, "a,b\n1,2\n1,2\n");
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_E_INPUT);
    assert_error(f, IM_E_INPUT, 0, 0, "changed");
    assert_non_null(ALL(f, "a,b\n1,2\n"));
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}}; /* same size */
    assert_int_equal(im_csv_rewind(f->csv, &f->error), IM_OK);
    assert_int_equal(utimensat(AT_FDCWD, f->path, times, 0), 0);
    assert_int_equal(read_rows(f), IM_E_INPUT);
    assert_error(f, IM_E_INPUT, 0, 0, "changed");
}

static enum im_err attempt(void *user, struct im_error *e) {
    const struct im_csv_options *options = user;
    struct im_csv *csv = NULL;
    struct im_csv_row row;
    bool is_end = false;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_csv_open(options, &csv, e) : im_error_nomem(e);
    while (err == IM_OK && !is_end)
        err = im_csv_next(csv, pool, &row, &is_end, e);
    if (err == IM_OK)
        err = im_csv_rewind(csv, e);
    if (err == IM_OK)
        err = im_csv_next(csv, pool, &row, &is_end, e);
    im_csv_free(&csv);
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_told(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "a,b\n1,\xfc");
    for (size_t i = 0; i < 10000; i++)
        im_buf_addc(&text, 'x');
    im_buf_adds(&text, "\n3,4,5,6,7,8,9,10,11,12");
    write_file(f, text.data, text.len);
    im_buf_free(&text);
    struct im_csv_options options = {.path = f->path, .encoding = NULL};
    assert_true(oom_every_allocation(attempt, &options) > 10);
    options.encoding = "windows-1252";
    assert_true(oom_every_allocation(attempt, &options) > 10);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_are_what_spreadsheets_mean),
        TEST(blank_lines_are_passed_over),
        TEST(quotes_hold_separators_line_ends_and_quotes),
        TEST(separator_is_the_most_frequent_of_the_header),
        TEST(a_first_line_may_say_the_separator),
        TEST(encodings_are_found_out),
        TEST(encodings_can_be_named),
        TEST(broken_encodings_name_the_place),
        TEST(the_whole_file_decides_on_the_encoding),
        TEST(blocks_do_not_cut_characters),
        TEST(cells_know_where_they_begin),
        TEST(faults_name_the_place),
        TEST(faults_can_be_kept),
        TEST(bounds_are_kept),
        TEST(rows_are_not_longer_than_memory),
        TEST(files_without_header_or_file),
        TEST(all_can_be_read_again),
        TEST(pipes_are_kept),
        TEST(standard_input_is_kept),
        TEST(a_file_that_changes_is_noticed),
        TEST(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
