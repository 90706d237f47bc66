/* CSV of imcheck: one row a finding, which --csv of the changing commands reads. */
#include "lib/data/csv.h"
#include "lib/report/check_parts.h"
#include "lib/report/write.h"

static enum im_err begin(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    static const char *const columns[] = {"rule", "severity", "scope", "account", "dn", "subject", "message", "remedy"};
    struct im_buf text = IM_BUF_INIT;
    (void)info, (void)state;
    im_csv_row(&text, columns, sizeof columns / sizeof columns[0]);
    return im_report_write(out, &text, e);
}

/* What is silenced or gone is left out: a row is something to be done. */
static enum im_err finding(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    (void)state;
    if (f->silenced || f->state == IM_FINDING_GONE)
        return IM_OK;
    struct im_pool *pool = im_pool_new();
    const char *cell = pool ? im_report_name_cell(f->account, f->dn, pool) : NULL;
    const char *const fields[] = {
        f->rule->id, im_severity_name(f->severity), im_scope_name(f->rule->scope), cell, f->dn, f->subject, f->message,
        f->remedy};
    text.failed = !cell;
    im_csv_row(&text, fields, sizeof fields / sizeof fields[0]);
    enum im_err err = im_report_write(out, &text, e);
    im_pool_free(&pool);
    return err;
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    (void)info, (void)state, (void)rules, (void)rule_count, (void)summary;
    return im_report_write(out, &text, e);
}

const struct im_check_format im_check_csv = {
    .name = "csv", .help = "one row a finding, with a header", .begin = begin, .finding = finding, .end = end};
