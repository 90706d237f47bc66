/* JSON of imcheck: one document written as a stream, or one object a line (jsonl). Memory does not grow with the findings. */
#include "lib/data/json_text.h"
#include "lib/data/times.h"
#include "lib/report/check.h"
#include "lib/report/check_parts.h"
#include "lib/report/spool.h"
#include "lib/report/write.h"

#include <stdlib.h>

struct state {
    struct im_spool *accounts; /* of the document: they come between findings, and are printed behind them */
    size_t account_count;
};

static void add_head(struct im_buf *text, const struct im_run_info *info) {
    char started[IM_TIME_TEXT_SIZE];
    im_time_to_rfc3339(info->started, started);
    im_json_add_member(text, "command", info->command);
    im_json_add_member(text, "version", info->version);
    im_json_add_member(text, "profile", info->profile);
    im_json_add_member(text, "directory", info->directory);
    im_json_add_member(text, "started", started);
}

static void add_evidence(struct im_buf *text, const struct im_finding *f) {
    if (!f->evidence_count)
        return;
    im_json_add_key(text, "evidence");
    im_buf_addc(text, '{');
    for (size_t i = 0; i < f->evidence_count; i++) {
        im_json_add_string(text, f->evidence[i].name);
        im_buf_addc(text, ':');
        im_json_add_string(text, f->evidence[i].value);
        im_buf_adds(text, i + 1 < f->evidence_count ? "," : "");
    }
    im_buf_addc(text, '}');
}

static void add_silence(struct im_buf *text, const struct im_finding *f) {
    char until[IM_TIME_TEXT_SIZE];
    if (!f->silenced)
        return;
    im_json_add_key(text, "silenced");
    im_buf_addc(text, '{');
    im_json_add_member(text, "reason", f->silenced);
    if (f->until)
        im_date_to_text(f->until, until);
    im_json_add_member(text, "until", f->until ? until : NULL);
    im_buf_addc(text, '}');
}

static void add_finding(struct im_buf *text, const struct im_finding *f) {
    im_json_add_member(text, "rule", f->rule->id);
    im_json_add_member(text, "severity", im_severity_name(f->severity));
    im_json_add_member(text, "scope", im_scope_name(f->rule->scope));
    im_json_add_member(text, "account", f->account);
    im_json_add_member(text, "dn", f->dn);
    im_json_add_member(text, "guid", f->guid);
    im_json_add_member(text, "subject", f->subject);
    im_json_add_member(text, "message", f->message);
    im_json_add_member(text, "remedy", f->remedy);
    add_evidence(text, f);
    im_json_add_member(text, "state", im_check_state_name(f->state));
    add_silence(text, f);
    im_buf_addc(text, '}');
}

static void add_account(struct im_buf *text, const struct im_checked *c) {
    struct im_buf message = IM_BUF_INIT;
    im_check_add_reason(c, &message);
    im_json_add_member(text, "input", c->input);
    im_json_add_member(text, "source", c->source);
    im_json_add_member(text, "account", c->account);
    im_json_add_member(text, "dn", c->dn);
    im_json_add_member(text, "signs_in", im_check_signs_in(c));
    im_json_add_member(text, "rule", c->trouble || !c->why ? NULL : c->why->rule->id);
    im_json_add_member(text, "message", message.len ? im_buf_str(&message) : NULL);
    im_buf_addc(text, '}');
    text->failed = text->failed || message.failed;
    im_buf_free(&message);
}

static void add_rule(struct im_buf *text, const struct im_rule_status *s) {
    im_json_add_member(text, "rule", s->rule->id);
    im_json_add_member(text, "status", s->skipped ? "skipped" : "checked");
    im_json_add_count(text, "findings", s->findings);
    im_json_add_member(text, "reason", s->skipped);
    im_buf_addc(text, '}');
}

static void add_shares(struct im_buf *text, const char *key, const struct im_check_share *shares, size_t count) {
    if (!count)
        return;
    im_json_add_key(text, key);
    for (size_t i = 0; i < count; i++) {
        im_buf_adds(text, i ? ",{" : "[{");
        im_json_add_member(text, "name", shares[i].name);
        im_json_add_count(text, "count", shares[i].count);
        im_buf_addc(text, '}');
    }
    im_buf_addc(text, ']');
}

static void add_summary(struct im_buf *text, const struct im_check_summary *s, bool has_accounts) {
    if (!s->lacks_accounts) {
        im_json_add_count(text, "accounts", s->accounts);
        im_json_add_count(text, "enabled", s->enabled);
    }
    im_json_add_count(text, "errors", s->errors);
    im_json_add_count(text, "warnings", s->warnings);
    im_json_add_count(text, "infos", s->infos);
    im_json_add_count(text, "silenced", s->silenced);
    if (s->has_baseline) {
        im_json_add_count(text, "new", s->fresh);
        im_json_add_count(text, "known", s->known);
        im_json_add_count(text, "gone", s->gone);
    }
    if (has_accounts)
        im_json_add_count(text, "unknown", s->troubles);
    if (s->picture) {
        add_shares(text, "homes", s->picture->homes, s->picture->home_count);
        add_shares(text, "states", s->picture->states, s->picture->state_count);
    }
    im_json_add_key(text, "seconds");
    im_buf_addf(text, "%.3f}", s->seconds);
}

static void free_state(void **state) {
    struct state *s = *state;
    if (s)
        im_spool_free(&s->accounts);
    free(s);
    *state = NULL;
}

static struct state *new_state(struct im_out *out, void **state) {
    out->first = true;
    *state = calloc(1, sizeof(struct state));
    return *state;
}

/* ---- one document ---- */

static enum im_err begin(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    struct state *s = new_state(out, state);
    if (s)
        s->accounts = im_spool_new();
    if (!s || !s->accounts)
        return im_error_nomem(e);
    im_buf_addc(&text, '{');
    add_head(&text, info);
    im_buf_adds(&text, ",\n\"findings\":[");
    return im_report_write(out, &text, e);
}

static enum im_err account(struct im_out *out, void *state, const struct im_checked *checked, struct im_error *e) {
    struct state *s = state;
    struct im_buf text = IM_BUF_INIT;
    (void)out;
    im_buf_adds(&text, s->account_count ? ",\n{" : "\n{");
    s->account_count++;
    add_account(&text, checked);
    return im_spool_add(s->accounts, 0, &text, e);
}

static enum im_err finding(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    (void)state;
    im_buf_adds(&text, out->first ? "\n{" : ",\n{");
    out->first = false;
    add_finding(&text, f);
    return im_report_write(out, &text, e);
}

static enum im_err write_piece(void *user, const char *bytes, size_t len, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_add(&text, bytes, len);
    return im_report_write(user, &text, e);
}

static enum im_err write_accounts(struct im_out *out, const struct state *s, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (!s->account_count)
        return IM_OK;
    im_buf_adds(&text, ",\n\"accounts\":[");
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = im_spool_each(s->accounts, 0, write_piece, out, e);
    im_buf_adds(&text, "\n]");
    return im_report_write_after(err, out, &text, e);
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    const struct state *s = *state;
    (void)info;
    im_buf_adds(&text, out->first ? "]" : "\n]");
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = write_accounts(out, s, e);
    im_buf_adds(&text, ",\n\"rules\":[");
    for (size_t i = 0; i < rule_count; i++) {
        im_buf_adds(&text, i ? ",\n{" : "\n{");
        add_rule(&text, &rules[i]);
    }
    im_buf_adds(&text, rule_count ? "\n],\n\"summary\":{" : "],\n\"summary\":{");
    add_summary(&text, summary, s->account_count > 0);
    im_buf_adds(&text, "}\n");
    err = im_report_write_after(err, out, &text, e);
    free_state(state);
    return err;
}

const struct im_check_format im_check_json = {.name = "json",
                                              .help = "one document",
                                              .begin = begin,
                                              .account = account,
                                              .finding = finding,
                                              .end = end,
                                              .free = free_state};

/* ---- one object a line ---- */

static void open_line(struct im_buf *text, const char *type) {
    im_buf_addc(text, '{');
    im_json_add_member(text, "type", type);
}

static enum im_err begin_lines(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (!new_state(out, state))
        return im_error_nomem(e);
    open_line(&text, "run");
    add_head(&text, info);
    im_buf_adds(&text, "}\n");
    return im_report_write(out, &text, e);
}

static enum im_err account_line(struct im_out *out, void *state, const struct im_checked *checked, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    ((struct state *)state)->account_count++;
    open_line(&text, "account");
    add_account(&text, checked);
    im_buf_addc(&text, '\n');
    return im_report_write(out, &text, e);
}

static enum im_err finding_line(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    (void)state;
    open_line(&text, "finding");
    add_finding(&text, f);
    im_buf_addc(&text, '\n');
    return im_report_write(out, &text, e);
}

static enum im_err end_lines(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                             size_t rule_count, const struct im_check_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    const struct state *s = *state;
    (void)info;
    for (size_t i = 0; i < rule_count; i++) {
        open_line(&text, "rule");
        add_rule(&text, &rules[i]);
        im_buf_addc(&text, '\n');
    }
    open_line(&text, "summary");
    add_summary(&text, summary, s->account_count > 0);
    im_buf_addc(&text, '\n');
    free_state(state);
    return im_report_write(out, &text, e);
}

const struct im_check_format im_check_jsonl = {.name = "jsonl",
                                               .help = "one object a line",
                                               .begin = begin_lines,
                                               .account = account_line,
                                               .finding = finding_line,
                                               .end = end_lines,
                                               .free = free_state};
