/* Text for people: one line an account as it is done, aligned; what would change below it in a dry run. */
#include "lib/base/text.h"
#include "lib/model/replica_facts.h"
#include "lib/report/layout.h"
#include "lib/report/write.h"

#include <string.h>

enum { OUTCOME_WIDTH = 13, ACCOUNT_WIDTH = 22, SHOWN_BYTES = 16 };

#define MESSAGE_INDENT "               "

/* SGR parameters. */
static const char *const colors[IM_OUTCOME_COUNT] = {
    [IM_CHANGED] = "32",       [IM_UNCHANGED] = "2",  [IM_REFUSED] = "33",  [IM_FAILED] = "31",
    [IM_OUT_NOT_FOUND] = "31", [IM_AMBIGUOUS] = "31", [IM_CONFLICT] = "31", [IM_NOT_ATTEMPTED] = "35",
};

static void add_outcome(const struct im_out *out, enum im_outcome outcome, struct im_buf *text) {
    const char *name = im_outcome_name(outcome);
    if (out->color) {
        im_buf_addf(text, "\x1b[%sm%s\x1b[0m", colors[outcome], name);
    } else {
        im_buf_adds(text, name);
    }
    im_layout_pad(text, strlen(name), OUTCOME_WIDTH);
}

static bool is_left(const struct im_result *r) {
    return r->outcome != IM_CHANGED && r->outcome != IM_UNCHANGED;
}

/* A row of a file may name nobody. */
static bool has_name(const struct im_result *r) {
    return r->input && *r->input;
}

static void add_detail(const struct im_result *r, struct im_buf *detail) {
    if (r->address && (r->outcome == IM_CHANGED || r->outcome == IM_UNCHANGED)) {
        im_layout_escape(detail, r->address);
        if (r->home) {
            im_buf_adds(detail, " on ");
            im_layout_escape(detail, r->home);
        }
        im_buf_adds(detail, r->message ? "; " : "");
    }
    if (r->reason && r->outcome == IM_REFUSED) {
        im_layout_escape(detail, r->reason);
        im_buf_adds(detail, ": ");
    }
    if (r->message)
        im_layout_escape(detail, r->message);
    if (is_left(r) && r->source && has_name(r)) { /* where to mend it */
        im_buf_adds(detail, " (");
        im_layout_escape(detail, r->source);
        im_buf_addc(detail, ')');
    }
}

static void add_value(const struct berval *value, struct im_buf *text) {
    if (im_text_is_utf8(value->bv_val, value->bv_len)) {
        im_text_escape(value->bv_val, value->bv_len, text);
        return;
    }
    im_buf_adds(text, "0x");
    for (size_t i = 0; i < value->bv_len && i < SHOWN_BYTES; i++)
        im_buf_addf(text, "%02x", (unsigned)(unsigned char)value->bv_val[i]);
    if (value->bv_len > SHOWN_BYTES)
        im_buf_addf(text, "... (%lu bytes)", (unsigned long)value->bv_len);
}

static void add_values(const struct berval *values, size_t count, struct im_buf *text) {
    if (!count)
        im_buf_addc(text, '-');
    for (size_t i = 0; i < count; i++) {
        im_buf_adds(text, i ? ", " : "");
        add_value(&values[i], text);
    }
}

static void add_diff(const struct im_out *out, const struct im_plan_diff *diff, struct im_buf *text) {
    struct im_buf line = IM_BUF_INIT;
    im_buf_addf(&line, MESSAGE_INDENT "%s: ", diff->attribute);
    add_values(diff->before, diff->before_count, &line);
    im_buf_adds(&line, " -> ");
    add_values(diff->after, diff->after_count, &line);
    if (line.failed)
        text->failed = true;
    size_t fit = out->width ? im_text_fit(im_buf_str(&line), out->width) : line.len;
    if (fit < line.len)
        fit = im_text_fit(im_buf_str(&line), out->width - 1);
    im_buf_add(text, im_buf_str(&line), fit);
    im_buf_adds(text, fit < line.len ? "\u2026\n" : "\n");
    im_buf_free(&line);
}

static enum im_err begin(struct im_out *out, const struct im_run_info *info, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (info->dry_run)
        im_buf_adds(&text, "Dry run: nothing is written.\n");
    return im_report_write(out, &text, e);
}

static enum im_err account(struct im_out *out, const struct im_run_info *info, const struct im_result *r, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    struct im_buf name = IM_BUF_INIT;
    struct im_buf detail = IM_BUF_INIT;
    im_layout_escape(&name, has_name(r) || !r->source ? r->input : r->source);
    add_detail(r, &detail);
    size_t width = im_text_width(im_buf_str(&name));
    add_outcome(out, r->outcome, &text);
    im_buf_adds(&text, "  ");
    im_buf_adds(&text, im_buf_str(&name));
    if (detail.len) {
        im_layout_pad(&text, width, ACCOUNT_WIDTH);
        im_buf_adds(&text, "  ");
        im_layout_wrap(out, OUTCOME_WIDTH + (width > ACCOUNT_WIDTH ? width : ACCOUNT_WIDTH) + 4, sizeof MESSAGE_INDENT - 1,
                       im_buf_str(&detail), &text);
    }
    im_buf_addc(&text, '\n');
    if (out->verbose || info->dry_run) {
        for (size_t i = 0; i < r->diff_count; i++)
            add_diff(out, &r->diffs[i], &text);
    }
    text.failed = text.failed || name.failed || detail.failed;
    im_buf_free(&name);
    im_buf_free(&detail);
    return im_report_write(out, &text, e);
}

static void add_missing(const struct im_arrival *a, struct im_buf *text) {
    for (size_t i = 0; i < a->missing_count; i++) {
        im_buf_adds(text, i ? ", " : ": ");
        im_layout_escape(text, a->missing[i]);
    }
    im_buf_adds(text, a->lacking > a->missing_count ? " ..." : "");
}

static void add_arrival(const struct im_arrival *a, struct im_buf *text) {
    im_layout_escape(text, a->replica->name);
    if (a->state == IM_ARRIVED) {
        im_buf_addf(text, ": everything arrived after %.1f s", a->seconds);
    } else if (a->state == IM_LAGGING) {
        im_buf_addf(text, ": lagging after %.1f s, %zu of %zu changed accounts have not arrived", a->seconds, a->lacking,
                    a->accounts);
        add_missing(a, text);
        im_buf_adds(text, a->trouble ? "; " : "");
        im_layout_escape(text, a->trouble ? a->trouble : "");
    } else {
        im_buf_adds(text, ": cannot be asked: ");
        im_layout_escape(text, a->trouble);
    }
    im_buf_addc(text, '\n');
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, info->dry_run ? "Dry run: " : "");
    size_t shown = 0;
    for (int i = 0; i < IM_OUTCOME_COUNT; i++) {
        if (summary->counts[i] || i == IM_CHANGED || i == IM_UNCHANGED)
            im_buf_addf(&text, "%s%zu %s", shown++ ? ", " : "", summary->counts[i], im_outcome_name((enum im_outcome)i));
    }
    im_buf_addf(&text, " (%zu account%s)\n", summary->total, summary->total == 1 ? "" : "s");
    for (size_t i = 0; i < summary->arrival_count; i++)
        add_arrival(&summary->arrivals[i], &text);
    return im_report_write(out, &text, e);
}

const struct im_report_format im_report_text = {
    .name = "text", .help = "aligned lines for people", .begin = begin, .account = account, .end = end};
