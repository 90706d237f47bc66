/* The CSV reader: what it reads is the same when it is read again, and when it was written and read once more. */
#include "lib/data/csv.h"
#include "lib/data/csv_read.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

/* The bytes as a file that has a path. */
static int as_file(const void *bytes, size_t len, char path[32]) {
    int fd = memfd_create("csv", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len) {
        abort();
    }
    (void)snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* Written without quotes it would be a blank line. */
static bool is_blank(const struct im_csv_row *row) {
    return row->count == 1 && row->cells[0][strspn(row->cells[0], " \t")] == '\0';
}

static void write_row(const struct im_csv_row *row, char separator, struct im_buf *out) {
    for (size_t i = 0; i < row->count && !is_blank(row); i++) {
        if (i > 0) {
            im_buf_addc(out, separator);
        }
        im_csv_cell(out, row->cells[i], separator, false);
    }
    if (!is_blank(row)) {
        im_buf_addc(out, '\n');
    }
}

/* All rows, the header too, as they are written; false: the file is refused. */
static bool read_all(struct im_csv *csv, struct im_buf *out, bool *has_fault) {
    struct im_csv_row row;
    struct im_error e = {.code = IM_OK};
    bool is_end = false;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? IM_OK : IM_E_NOMEM;
    write_row(im_csv_header(csv), im_csv_separator(csv), out);
    while (err == IM_OK && !is_end) {
        im_pool_reset(pool);
        err = im_csv_next(csv, pool, &row, &is_end, &e);
        if (err != IM_OK || is_end) {
            break;
        }
        MUST(row.count > 0 && row.line > 0);
        *has_fault = *has_fault || row.fault.text;
        for (size_t i = 0; i < row.count; i++) {
            MUST(row.columns[i] > 0 && row.lines[i] >= row.line);
        }
        write_row(&row, im_csv_separator(csv), out);
    }
    MUST(err == IM_OK || e.text[0] != '\0');
    im_pool_free(&pool);
    return err == IM_OK;
}

static void compare(const struct im_csv_options *options, const struct im_buf *expect) {
    struct im_csv *csv = NULL;
    struct im_buf again = IM_BUF_INIT;
    bool has_fault = false;
    MUST(im_csv_open(options, &csv, NULL) == IM_OK);
    MUST(read_all(csv, &again, &has_fault) && !has_fault);
    MUST(again.len == expect->len && (again.len == 0 || memcmp(again.data, expect->data, again.len) == 0));
    im_csv_free(&csv);
    im_buf_free(&again);
}

/* It would be taken for a byte order mark, or for a line that says the separator. */
static bool begins_oddly(const char *begin) {
    return strncmp(begin, "\xef\xbb\xbf", 3) == 0 || strncasecmp(begin + (*begin == '"'), "sep=", 4) == 0;
}

static void read_file(const char *path, bool keeps_faulty) {
    const struct im_csv_options options = {.path = path, .keeps_faulty = keeps_faulty};
    struct im_error e = {.code = IM_OK};
    struct im_csv *csv = NULL;
    struct im_buf first = IM_BUF_INIT, second = IM_BUF_INIT;
    bool has_fault = false;
    if (im_csv_open(&options, &csv, &e) != IM_OK) {
        MUST(e.text[0] != '\0');
        return;
    }
    char separator = im_csv_separator(csv);
    bool has_header = !is_blank(im_csv_header(csv));
    bool is_read = read_all(csv, &first, &has_fault);
    MUST(!has_fault || keeps_faulty);
    if (is_read && im_csv_rewind(csv, NULL) == IM_OK) {
        MUST(read_all(csv, &second, &has_fault));
        MUST(second.len == first.len && (first.len == 0 || memcmp(first.data, second.data, first.len) == 0));
    }
    im_csv_free(&csv);
    /* What stands for a NUL is no text. */
    bool has_nul = first.len > 0 && memchr(first.data, IM_CSV_NUL, first.len);
    if (is_read && has_header && !has_nul && !begins_oddly(im_buf_str(&first))) {
        char other[32];
        int fd = as_file(first.data, first.len, other);
        compare(&(struct im_csv_options){.path = other, .encoding = "UTF-8", .separator = separator}, &first);
        (void)close(fd);
    }
    im_buf_free(&first);
    im_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[32];
    int fd = as_file(data, size, path);
    read_file(path, false);
    read_file(path, true);
    (void)close(fd);
    return 0;
}
