/* CSV for spreadsheets and for feeding the rest back: one row an account, no summary. */
#include "lib/data/csv.h"
#include "lib/report/write.h"

static enum im_err begin(struct im_out *out, const struct im_run_info *info, struct im_error *e) {
    static const char *const columns[] = {"account", "dn", "outcome", "reason", "message", "address", "home"};
    struct im_buf text = IM_BUF_INIT;
    (void)info;
    im_csv_row(&text, columns, sizeof columns / sizeof columns[0]);
    return im_report_write(out, &text, e);
}

static enum im_err account(struct im_out *out, const struct im_run_info *info, const struct im_result *r, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    struct im_pool *pool = im_pool_new();
    const char *cell = pool ? im_report_account_cell(r, pool) : NULL;
    const char *const fields[] = {cell, r->dn, im_outcome_name(r->outcome), r->reason, r->message, r->address, r->home};
    (void)info;
    if (cell) {
        im_csv_row(&text, fields, sizeof fields / sizeof fields[0]);
    } else {
        text.failed = true;
    }
    enum im_err err = im_report_write(out, &text, e);
    im_pool_free(&pool);
    return err;
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    (void)info, (void)summary;
    return im_report_write(out, &text, e);
}

const struct im_report_format im_report_csv = {
    .name = "csv", .help = "one row an account, with a header", .begin = begin, .account = account, .end = end};
