/* One line for Nagios, Icinga and the like, with performance data. Source: Monitoring Plugins Development Guidelines. */
#include "lib/report/check_parts.h"
#include "lib/report/layout.h"
#include "lib/report/write.h"

static enum im_err begin(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    (void)out, (void)info, (void)state, (void)e;
    return IM_OK;
}

static enum im_err finding(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    (void)out, (void)state, (void)f, (void)e;
    return IM_OK;
}

static size_t skipped_of(const struct im_rule_status *rules, size_t count) {
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++)
        skipped += rules[i].skipped != NULL;
    return skipped;
}

static void add_words(struct im_buf *text, const struct im_check_summary *s, size_t skipped) {
    if (s->has_baseline)
        im_buf_adds(text, "new: ");
    im_layout_count(text, s->has_baseline ? s->fresh_errors : s->errors, "error");
    im_buf_adds(text, ", ");
    im_layout_count(text, s->has_baseline ? s->fresh_warnings : s->warnings, "warning");
    if (s->troubles) {
        im_buf_adds(text, ", ");
        im_layout_count(text, s->troubles, "unknown account");
    }
    if (skipped) {
        im_buf_adds(text, ", ");
        im_layout_count(text, skipped, "rule");
        im_buf_adds(text, " skipped");
    }
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *s, struct im_error *e) {
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    struct im_buf text = IM_BUF_INIT;
    size_t skipped = skipped_of(rules, rule_count);
    (void)info, (void)state;
    im_buf_addf(&text, "IMDIR %s - ", words[im_check_nagios_status(s)]);
    add_words(&text, s, skipped);
    im_buf_addf(&text, " | errors=%zu warnings=%zu infos=%zu silenced=%zu skipped=%zu", s->errors, s->warnings, s->infos,
                s->silenced, skipped);
    if (s->has_baseline)
        im_buf_addf(&text, " new=%zu known=%zu gone=%zu", s->fresh, s->known, s->gone);
    if (!s->lacks_accounts)
        im_buf_addf(&text, " accounts=%zu enabled=%zu", s->accounts, s->enabled);
    im_buf_addf(&text, " time=%.3fs\n", s->seconds);
    return im_report_write(out, &text, e);
}

const struct im_check_format im_check_nagios = {.name = "nagios",
                                                .help = "one line with performance data; exit status 0, 1, 2 or 3",
                                                .begin = begin,
                                                .finding = finding,
                                                .end = end};
