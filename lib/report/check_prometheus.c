/* Samples for Prometheus: text exposition format 0.0.4, as the textfile collector of the node exporter reads it. */
#include "lib/base/text.h"
#include "lib/report/check_parts.h"
#include "lib/report/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void free_state(void **state) {
    struct im_check_tallies *tallies = *state;
    if (tallies)
        im_vec_free(tallies);
    free(tallies);
    *state = NULL;
}

static enum im_err begin(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    (void)out, (void)info;
    *state = calloc(1, sizeof(struct im_check_tallies));
    return *state ? IM_OK : im_error_nomem(e);
}

static enum im_err finding(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    (void)out;
    return im_check_tally_add(state, f, e);
}

static void add_label(struct im_buf *text, const char *name, const char *value) {
    struct im_buf safe = IM_BUF_INIT;
    im_text_escape(value, strlen(value), &safe);
    im_buf_addf(text, "%s=\"", name);
    for (const char *p = im_buf_str(&safe); *p; p++) {
        if (*p == '\\' || *p == '"')
            im_buf_addc(text, '\\');
        im_buf_addc(text, *p);
    }
    im_buf_addc(text, '"');
    text->failed = text->failed || safe.failed;
    im_buf_free(&safe);
}

static void add_family(struct im_buf *text, const char *name, const char *help) {
    im_buf_addf(text, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void add_findings(struct im_buf *text, const struct im_rule *rule, enum im_severity severity, size_t count) {
    im_buf_adds(text, "imdir_findings{");
    add_label(text, "rule", rule->id);
    im_buf_addf(text, ",severity=\"%s\",scope=\"%s\"} %zu\n", im_severity_name(severity), im_scope_name(rule->scope), count);
}

/* A rule that was evaluated has a sample at its own severity even where it found nothing; one that was not has none. */
static void add_rule(struct im_buf *text, struct im_check_tallies *s, const struct im_rule_status *status) {
    const struct im_check_tally *t = im_check_tally(s, status->rule);
    if (!t) {
        text->failed = true;
        return;
    }
    for (int severity = IM_ERROR; severity >= IM_INFO; severity--) {
        bool is_own = severity == (int)status->rule->severity && !status->skipped;
        if (t->counts[severity] || is_own)
            add_findings(text, status->rule, (enum im_severity)severity, t->counts[severity]);
    }
}

static void add_by_rule(struct im_buf *text, struct im_check_tallies *s, const struct im_rule_status *rules, size_t count) {
    add_family(text, "imdir_findings", "Findings of imcheck, silenced ones not counted.");
    for (size_t i = 0; i < count; i++)
        add_rule(text, s, &rules[i]);
    add_family(text, "imdir_findings_silenced", "Findings that the configuration silences.");
    for (size_t i = 0; i < count; i++) {
        const struct im_check_tally *t = im_check_tally(s, rules[i].rule);
        if (!t || !t->silenced)
            continue;
        im_buf_adds(text, "imdir_findings_silenced{");
        add_label(text, "rule", t->rule->id);
        im_buf_addf(text, "} %zu\n", t->silenced);
    }
    add_family(text, "imdir_rule_skipped", "1: the rule could not be evaluated, at least in part.");
    for (size_t i = 0; i < count; i++) {
        im_buf_adds(text, "imdir_rule_skipped{");
        add_label(text, "rule", rules[i].rule->id);
        im_buf_addf(text, "} %d\n", rules[i].skipped ? 1 : 0);
    }
}

static void add_count(struct im_buf *text, const char *name, const char *help, size_t value) {
    add_family(text, name, help);
    im_buf_addf(text, "%s %zu\n", name, value);
}

static void add_info(struct im_buf *text, const struct im_run_info *info) {
    add_family(text, "imdir_check_info", "What was checked, and by which version.");
    im_buf_adds(text, "imdir_check_info{");
    add_label(text, "version", info->version);
    im_buf_addc(text, ',');
    add_label(text, "profile", info->profile);
    im_buf_addc(text, ',');
    add_label(text, "directory", info->directory);
    im_buf_adds(text, "} 1\n");
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    add_by_rule(&text, *state, rules, rule_count);
    if (!summary->lacks_accounts) {
        add_count(&text, "imdir_accounts", "Accounts that were looked at.", summary->accounts);
        add_count(&text, "imdir_accounts_enabled", "Accounts that are enabled for instant messaging.", summary->enabled);
    }
    if (summary->has_baseline)
        add_count(&text, "imdir_findings_new", "Findings that the baseline does not have.", summary->fresh);
    add_info(&text, info);
    add_family(&text, "imdir_check_start_time_seconds", "When the check began, in seconds since 1970.");
    im_buf_addf(&text, "imdir_check_start_time_seconds %" PRId64 "\n", info->started);
    add_family(&text, "imdir_check_duration_seconds", "How long the check took.");
    im_buf_addf(&text, "imdir_check_duration_seconds %.3f\n", summary->seconds);
    free_state(state);
    return im_report_write(out, &text, e);
}

const struct im_check_format im_check_prometheus = {.name = "prometheus",
                                                    .help = "samples in the text exposition format",
                                                    .begin = begin,
                                                    .finding = finding,
                                                    .end = end,
                                                    .free = free_state};
