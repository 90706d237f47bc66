#include "tools/rejects.h"

#include "tools/table_columns.h"

#include <string.h>

static const char *const added[] = {"outcome", "reason"};

/* Where the header has the columns that we fill, or its count. */
static enum im_err find_columns(struct im_rejects *r, const struct im_row *header, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    struct im_row trimmed;
    enum im_err err = pool ? im_columns_trim(header, pool, &trimmed, e) : im_error_nomem(e);
    if (err == IM_OK) { /* 0, "none", becomes more than all */
        r->outcome = im_columns_position(&trimmed, added[0]) - 1;
        r->reason = im_columns_position(&trimmed, added[1]) - 1;
        r->account = im_columns_position(&trimmed, "account") - 1;
    }
    im_pool_free(&pool);
    return err;
}

static bool is_outcome(const char *text) {
    bool is = false;
    for (int i = 0; i < IM_OUTCOME_COUNT; i++) {
        is = is || im_text_equal(text, im_outcome_name((enum im_outcome)i));
    }
    return is;
}

/* Cells of the row that are the user's. One that is longer or shorter than the header is here because of that: what an earlier
 * run added stands at its end, wherever the header's columns are. */
static size_t own_count(const struct im_rejects *r, const struct im_row *row) {
    bool was_added = row->count != r->cells && row->count > 2 && r->outcome + 2 == r->cells && r->reason + 1 == r->cells &&
                     is_outcome(row->cells[row->count - 2]);
    return row->count - (was_added ? 2 : 0);
}

static enum im_err add(struct im_rejects *r, struct im_buf *text, struct im_error *e) {
    im_recode(r->recode, text);
    return im_output_file_add(&r->file, text, e);
}

/* As it was, and with its NULs: they are met again. */
static void add_own(struct im_buf *text, const char *cell, char separator) {
    size_t from = text->len;
    im_csv_cell(text, cell, separator, false);
    for (; from < text->len; from++) {
        if ((unsigned char)text->data[from] == IM_CSV_NUL) {
            text->data[from] = '\0';
        }
    }
}

static enum im_err write_row(struct im_rejects *r, const struct im_row *row, const char *outcome, const char *reason,
                             struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    bool fits = row->count == r->cells; /* else it stays as long as it is, to be mended */
    size_t own = own_count(r, row);
    for (size_t i = 0; i < own; i++) {
        if (i > 0) {
            im_buf_addc(&text, r->separator);
        }
        if (fits && (i == r->outcome || i == r->reason)) {
            im_csv_cell(&text, i == r->outcome ? outcome : reason, r->separator, true);
        } else {
            add_own(&text, row->cells[i], r->separator);
        }
    }
    if (!fits || r->outcome >= r->cells) {
        im_buf_addc(&text, r->separator);
        im_csv_cell(&text, outcome, r->separator, true);
    }
    if (!fits || r->reason >= r->cells) {
        im_buf_addc(&text, r->separator);
        im_csv_cell(&text, reason, r->separator, true);
    }
    im_buf_addc(&text, '\n');
    return add(r, &text, e);
}

static enum im_err write_mark(struct im_rejects *r, struct im_error *e) {
    struct im_buf mark = IM_BUF_INIT;
    im_buf_adds(&mark, "\ufeff");
    return add(r, &mark, e);
}

enum im_err im_rejects_open(struct im_rejects *r, const char *path, const struct im_table_form *form, struct im_error *e) {
    *r = (struct im_rejects){.separator = form->separator, .cells = form->header->count};
    if (!path) {
        return IM_OK;
    }
    enum im_err err = find_columns(r, form->header, e);
    if (err == IM_OK) {
        err = im_recode_open(form->encoding, &r->recode, e);
    }
    if (err == IM_OK) {
        err = im_output_file_open(&r->file, "--rejects", path, e);
    }
    if (err == IM_OK && form->has_bom) {
        err = write_mark(r, e);
    }
    return err == IM_OK ? write_row(r, form->header, added[0], added[1], e) : err;
}

/* Who has no row, among those who have: where no column is called account, the reason begins with the name. */
static enum im_err write_name(struct im_rejects *r, const struct im_result *result, const char *reason, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    const char **cells = pool ? im_pool_array(pool, r->cells, sizeof *cells) : NULL;
    const char *name = result->input ? result->input : result->dn;
    enum im_err err = cells ? IM_OK : im_error_nomem(e);
    if (err == IM_OK && r->account < r->cells) {
        cells[r->account] = name;
    } else if (err == IM_OK && name) {
        reason = im_pool_printf(pool, "%s: %s", name, reason ? reason : "");
        err = reason ? IM_OK : im_error_nomem(e);
    }
    const struct im_row row = {.cells = cells, .count = r->cells};
    if (err == IM_OK) {
        err = write_row(r, &row, im_outcome_name(result->outcome), reason, e);
    }
    im_pool_free(&pool);
    return err;
}

enum im_err im_rejects_add(struct im_rejects *r, const struct im_input *input, const struct im_result *result,
                           struct im_error *e) {
    if (!r->file.stream || result->outcome == IM_CHANGED || result->outcome == IM_UNCHANGED) {
        return IM_OK;
    }
    const char *reason = result->reason ? result->reason : result->message;
    if (input->bad) {
        reason = input->bad; /* what is to be mended */
    }
    if (input->row) {
        return write_row(r, input->row, im_outcome_name(result->outcome), reason, e);
    }
    return write_name(r, result, reason, e);
}

enum im_err im_rejects_commit(struct im_rejects *r, struct im_error *e) {
    return im_output_file_commit(&r->file, e);
}

void im_rejects_discard(struct im_rejects *r) {
    im_output_file_discard(&r->file);
    im_recode_free(&r->recode);
}
