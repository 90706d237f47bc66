/* Reading CSV as people's spreadsheets and personnel systems write it: encodings, separators, quotes, and where in the file
 * something stands. Meaning is given to the columns elsewhere. */
#ifndef IMDIR_DATA_CSV_READ_H
#define IMDIR_DATA_CSV_READ_H

#include "lib/base/error.h"
#include "lib/base/pool.h"

#include <stdbool.h>
#include <stddef.h>

/* A byte that is none of UTF-8. */
enum { IM_CSV_NUL = 0xff };

/* In bytes, and cells: what is larger is a file of another kind, or a quote that is not closed. */
enum { IM_CSV_CELL_MAX = 1024 * 1024, IM_CSV_ROW_MAX = 16 * 1024 * 1024, IM_CSV_COLUMNS_MAX = 4096 };

struct im_csv;

struct im_csv_options {
    const char *path;     /* "-" = standard input, which is kept in a temporary file */
    const char *encoding; /* a name that iconv knows; NULL: found out */
    char separator;       /* '\0': what a first line "sep=;" says, as Excel takes it, or found out from the header */
    bool keeps_faulty;    /* a row with a fault is handed out instead of an error */
};

/* What is wrong in a row: text behind a closing quote, a NUL, or a quote that is never closed, so that the row reaches to the end
 * of the file. */
struct im_csv_fault {
    const char *text; /* a static sentence; NULL: nothing */
    size_t line, column;
};

/* A row: the header, or a line of data. Pieces in the pool. */
struct im_csv_row {
    size_t line;        /* where it begins, from 1 */
    const char **cells; /* UTF-8, as they stand: nothing is trimmed. IM_CSV_NUL in the place of a NUL */
    size_t *columns;    /* where each cell begins: in characters, from 1, of the line that it begins in */
    size_t *lines;
    size_t count;
    struct im_csv_fault fault; /* the first; with keeps_faulty */
};

/* Opens, finds out encoding and separator, reads the header. IM_E_INPUT: not readable as text (names line, column and byte), no
 * header. IM_E_USAGE: an encoding or separator that cannot be. */
enum im_err im_csv_open(const struct im_csv_options *options, struct im_csv **out, struct im_error *e);
const char *im_csv_name(const struct im_csv *csv);     /* for messages: the path, or "standard input" */
const char *im_csv_encoding(const struct im_csv *csv); /* "UTF-8", "UTF-16LE", "windows-1252", ... */
bool im_csv_has_bom(const struct im_csv *csv);
char im_csv_separator(const struct im_csv *csv);
const struct im_csv_row *im_csv_header(const struct im_csv *csv);
/* The next row that is not blank. IM_E_INPUT names file, line and column: a fault, a cell or a row beyond the bounds above, a
 * file that was changed meanwhile. The number of cells is not compared with the header's. */
enum im_err im_csv_next(struct im_csv *csv, struct im_pool *pool, struct im_csv_row *out, bool *is_end, struct im_error *e);
enum im_err im_csv_rewind(struct im_csv *csv, struct im_error *e); /* to the first row after the header */
void im_csv_free(struct im_csv **csv);

#endif
