/* The HTML report: one page that needs nothing but itself. Its tables are complete without the script, which adds searching,
 * sorting and pages. Rows wait in a spool, the worst first, so that memory does not grow with them. */
#include "lib/report/check_html.h"
#include "lib/data/times.h"
#include "lib/report/layout.h"
#include "lib/report/page.h"
#include "lib/report/spool.h"
#include "lib/report/write.h"

#include <stdlib.h>

/* Of the spool: accounts that cannot sign in come first, too. */
enum { NO_ACCOUNTS, UNKNOWN_ACCOUNTS, YES_ACCOUNTS, ERRORS, WARNINGS, INFOS, GONE, STREAMS };

struct state {
    struct im_spool *spool;
    struct im_check_tallies tallies;
    size_t accounts, findings;
};

static void free_state(void **state) {
    struct state *s = *state;
    if (s) {
        im_spool_free(&s->spool);
        im_vec_free(&s->tallies);
    }
    free(s);
    *state = NULL;
}

static enum im_err begin(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    struct state *s = calloc(1, sizeof *s);
    (void)out, (void)info;
    *state = s;
    if (s)
        s->spool = im_spool_new();
    return s && s->spool ? IM_OK : im_error_nomem(e);
}

/* ---- rows ---- */

static void add_tag(struct im_buf *row, const char *kind) {
    im_buf_addf(row, "<td data-kind=\"%s\"><span class=\"tag t-%s\">%s</span></td>", kind, kind, kind);
}

static void add_line(struct im_buf *row, const char *kind, const char *text) {
    if (!text)
        return;
    im_buf_addf(row, "<span class=\"%s\">", kind);
    im_html_text(row, text);
    im_buf_adds(row, "</span>");
}

static enum im_err account(struct im_out *out, void *state, const struct im_checked *c, struct im_error *e) {
    struct state *s = state;
    struct im_buf row = IM_BUF_INIT;
    struct im_buf reason = IM_BUF_INIT;
    const char *answer = im_check_signs_in(c);
    (void)out;
    s->accounts++;
    im_check_add_reason(c, &reason);
    im_buf_addf(&row, "<tr data-kind=\"%s\"", answer);
    if (c->why && !c->trouble)
        im_buf_addf(&row, " data-rule=\"%s\"", c->why->rule->id);
    im_buf_adds(&row, ">");
    add_tag(&row, answer);
    im_buf_adds(&row, "<td>");
    im_html_text(&row, c->input);
    add_line(&row, "dn", c->dn);
    im_buf_adds(&row, "</td><td>");
    im_html_text(&row, im_buf_str(&reason));
    if (c->why && !c->trouble)
        im_buf_addf(&row, "<code class=\"rule dn\">%s</code>", c->why->rule->id);
    im_buf_adds(&row, "</td><td>");
    im_html_text(&row, c->source);
    im_buf_adds(&row, "</td></tr>\n");
    row.failed = row.failed || reason.failed;
    im_buf_free(&reason);
    return im_spool_add(s->spool, c->trouble ? UNKNOWN_ACCOUNTS : c->why ? NO_ACCOUNTS : YES_ACCOUNTS, &row, e);
}

static const char *state_of(const struct im_finding *f) {
    if (f->state == IM_FINDING_GONE)
        return "gone";
    return f->silenced ? "silenced" : im_check_state_name(f->state);
}

static void add_evidence(struct im_buf *row, const struct im_finding *f) {
    if (!f->evidence_count)
        return;
    im_buf_adds(row, "<span class=\"more\">");
    for (size_t i = 0; i < f->evidence_count; i++) {
        im_buf_adds(row, i ? ", " : "");
        im_html_text(row, f->evidence[i].name);
        im_buf_adds(row, ": ");
        im_html_text(row, f->evidence[i].value);
    }
    im_buf_adds(row, "</span>");
}

static void add_silence(struct im_buf *row, const struct im_finding *f) {
    char until[IM_TIME_TEXT_SIZE];
    if (!f->silenced)
        return;
    im_buf_adds(row, "<span class=\"more\">silenced");
    if (f->until) {
        im_date_to_text(f->until, until);
        im_buf_addf(row, " until %s", until);
    }
    im_buf_adds(row, ": ");
    im_html_text(row, f->silenced);
    im_buf_adds(row, "</span>");
}

static void add_about(struct im_buf *row, const struct im_finding *f) {
    const char *about = im_check_about(f);
    im_buf_adds(row, "<td>");
    im_html_text(row, about);
    if (f->subject && f->subject != about)
        add_line(row, "more", f->subject);
    if (f->dn != about)
        add_line(row, "dn", f->dn);
    im_buf_adds(row, "</td>");
}

static void add_row(struct im_buf *row, const struct im_finding *f) {
    const char *severity = im_severity_name(f->severity);
    const char *now = state_of(f);
    im_buf_addf(row, "<tr data-kind=\"%s\" data-rule=\"%s\"", severity, f->rule->id);
    if (now)
        im_buf_addf(row, " data-state=\"%s\"", now);
    im_buf_adds(row, f->silenced || f->state == IM_FINDING_GONE ? " class=\"off\">" : ">");
    add_tag(row, severity);
    im_buf_adds(row, "<td>");
    im_html_text(row, f->rule->title);
    im_buf_addf(row, "<code class=\"rule dn\">%s</code></td>", f->rule->id);
    add_about(row, f);
    im_buf_adds(row, "<td>");
    if (f->state == IM_FINDING_NEW || f->state == IM_FINDING_GONE)
        im_buf_addf(row, "<span class=\"tag t-quiet\">%s</span> ", im_check_state_name(f->state));
    im_html_text(row, f->message);
    add_evidence(row, f);
    add_silence(row, f);
    im_buf_adds(row, "</td><td data-label=\"To do\">");
    im_html_text(row, f->remedy);
    im_buf_adds(row, "</td></tr>\n");
}

static enum im_err finding(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    static const size_t streams[] = {[IM_INFO] = INFOS, [IM_WARNING] = WARNINGS, [IM_ERROR] = ERRORS};
    struct state *s = state;
    struct im_buf row = IM_BUF_INIT;
    (void)out;
    enum im_err err = im_check_tally_add(&s->tallies, f, e);
    if (err != IM_OK)
        return err;
    s->findings++;
    add_row(&row, f);
    return im_spool_add(s->spool, f->state == IM_FINDING_GONE ? GONE : streams[f->severity], &row, e);
}

/* ---- the page ---- */

static void add_part(struct im_buf *text, const struct im_page_part *part) {
    im_buf_add(text, part->data, part->len);
}

/* Nothing is loaded, and nothing runs but our own script: whatever texts of a directory say. */
static void add_head(struct im_buf *text, const struct im_run_info *info) {
    char started[IM_TIME_TEXT_SIZE];
    im_time_to_rfc3339(info->started, started);
    im_buf_addf(
        text,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '%s'; script-src '%s'; base-uri "
        "'none'; form-action 'none'\">\n",
        im_page_css.hash, im_page_js.hash);
    im_buf_adds(text,
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    im_html_text(text, info->directory);
    im_buf_addf(text, " \u00b7 imcheck %.10s</title>\n<style>", started);
    add_part(text, &im_page_css);
    im_buf_adds(text, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n<header>\n"
                      "<h1>Instant messaging in ");
    im_html_text(text, info->directory);
    im_buf_addf(text, "</h1>\n<p class=\"meta\"><span>Checked <time datetime=\"%s\">%.10s %.5s UTC</time></span> <span>profile ",
                started, started, started + sizeof "2026-11-25T" - 1);
    im_html_text(text, info->profile);
    im_buf_adds(text, "</span> <span>imcheck ");
    im_html_text(text, info->version);
    im_buf_adds(text, "</span></p>\n</header>\n<main>\n");
}

static enum im_err write_piece(void *user, const char *bytes, size_t len, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_add(&text, bytes, len);
    return im_report_write(user, &text, e);
}

static enum im_err write_rows(struct im_out *out, struct state *s, size_t from, size_t to, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = from; err == IM_OK && i <= to; i++)
        err = im_spool_each(s->spool, i, write_piece, out, e);
    return err;
}

static enum im_err write_accounts(struct im_out *out, struct state *s, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (!s->accounts)
        return IM_OK;
    im_buf_adds(&text,
                "<section id=\"accounts\" aria-labelledby=\"h-accounts\" data-what=\"accounts\" data-kinds=\"Can sign in\">\n"
                "<h2 id=\"h-accounts\">Who can sign in</h2>\n<div class=\"scroll\"><table class=\"list\">\n<caption>");
    im_layout_count(&text, s->accounts, "account");
    im_buf_adds(&text,
                " that were selected</caption>\n<thead><tr><th scope=\"col\" class=\"w-as\">Can sign in</th><th "
                "scope=\"col\">Account</th><th scope=\"col\">Because</th><th scope=\"col\" class=\"w-source\">Named in</th></tr>"
                "</thead>\n<tbody>\n");
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = write_rows(out, s, NO_ACCOUNTS, YES_ACCOUNTS, e);
    im_buf_adds(&text, "</tbody>\n</table></div>\n</section>\n");
    return im_report_write_after(err, out, &text, e);
}

static enum im_err write_findings(struct im_out *out, struct state *s, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text,
                s->findings
                    ? "<section id=\"findings\" aria-labelledby=\"h-findings\" data-what=\"findings\" data-kinds=\"Severity\">\n"
                    : "<section id=\"findings\" aria-labelledby=\"h-findings\">\n");
    im_buf_adds(&text, "<h2 id=\"h-findings\" tabindex=\"-1\">Findings</h2>\n");
    if (!s->findings) {
        im_buf_adds(&text, "<p>Nothing was found.</p>\n</section>\n");
        return im_report_write(out, &text, e);
    }
    im_buf_adds(&text, "<div class=\"scroll\"><table class=\"list\">\n<caption>");
    im_layout_count(&text, s->findings, "finding");
    im_buf_adds(&text,
                ", the most severe first</caption>\n<thead><tr><th scope=\"col\" class=\"w-sev\">Severity</th><th scope=\"col\" "
                "class=\"w-rule\">Rule</th><th scope=\"col\" class=\"w-about\">About</th><th scope=\"col\">Finding</th><th "
                "scope=\"col\" class=\"w-todo\">To do</th></tr></thead>\n<tbody>\n");
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = write_rows(out, s, ERRORS, GONE, e);
    im_buf_adds(&text, "</tbody>\n</table></div>\n</section>\n");
    return im_report_write_after(err, out, &text, e);
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *summary, struct im_error *e) {
    struct state *s = *state;
    const struct im_html_facts facts = {info, rules, rule_count, summary, &s->tallies};
    struct im_buf text = IM_BUF_INIT;
    add_head(&text, info);
    im_html_summary(&text, &facts);
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = write_accounts(out, s, e);
    im_html_pictures(&text, &facts);
    im_html_rules(&text, &facts);
    err = im_report_write_after(err, out, &text, e);
    if (err == IM_OK)
        err = write_findings(out, s, e);
    im_buf_addf(&text,
                "</main>\n<footer><p>Written by imcheck in %.1f s. This page loads nothing from anywhere.</p></footer>\n<script>",
                summary->seconds);
    add_part(&text, &im_page_js);
    im_buf_adds(&text, "</script>\n</body>\n</html>\n");
    err = im_report_write_after(err, out, &text, e);
    free_state(state);
    return err;
}

const struct im_check_format im_check_html = {.name = "html",
                                              .help = "one self-contained page",
                                              .begin = begin,
                                              .account = account,
                                              .finding = finding,
                                              .end = end,
                                              .free = free_state};
