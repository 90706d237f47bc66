/* The table of rules as a report: --list-rules, --explain. */
#include "lib/base/text.h"
#include "lib/data/csv.h"
#include "lib/data/json_text.h"
#include "lib/report/check.h"
#include "lib/report/layout.h"
#include "lib/report/write.h"

#include <string.h>

enum { ID_WIDTH = 32, SEVERITY_WIDTH = 8, LABEL_WIDTH = 11 };

static const struct {
    unsigned bit;
    const char *name, *words;
} actions[] = {{IM_BLOCKS_ENABLE, "enable", "enabling"}, {IM_BLOCKS_MOVE, "move", "moving to another home"}};

enum { ACTION_COUNT = sizeof actions / sizeof actions[0] };

static const char *blocks_of(const struct im_rule *rule, char *out, size_t size) {
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (rule->blocks & actions[i].bit)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " " : "", actions[i].name);
    }
    return out;
}

/* ---- text ---- */

static void add_field(const struct im_out *out, const char *label, const char *value, struct im_buf *text) {
    if (!value || !*value)
        return;
    im_buf_adds(text, label);
    im_layout_pad(text, strlen(label), LABEL_WIDTH);
    im_layout_wrap(out, LABEL_WIDTH, LABEL_WIDTH, value, text);
    im_buf_addc(text, '\n');
}

static void explain(const struct im_out *out, const struct im_rule *rule, struct im_buf *text) {
    struct im_buf blocks = IM_BUF_INIT;
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (rule->blocks & actions[i].bit)
            im_buf_addf(&blocks, "%s%s", blocks.len ? " and " : "", actions[i].words);
    }
    if (blocks.len)
        im_buf_adds(&blocks, ", unless --allow names the rule");
    im_buf_addf(text, "%s: %s\n\n", rule->id, rule->title);
    add_field(out, "condition", rule->cause, text);
    add_field(out, "severity", im_severity_name(rule->severity), text);
    add_field(out, "scope", im_scope_name(rule->scope), text);
    add_field(out, "blocks", im_buf_str(&blocks), text);
    add_field(out, "hidden by", rule->hidden_by, text);
    add_field(out, "to do", rule->remedy, text);
    add_field(out, "source", rule->source, text);
    text->failed = text->failed || blocks.failed;
    im_buf_free(&blocks);
}

static void add_line(const struct im_out *out, const struct im_rule *rule, struct im_buf *text) {
    const char *severity = im_severity_name(rule->severity);
    size_t column = ID_WIDTH + SEVERITY_WIDTH + 3;
    im_buf_adds(text, rule->id);
    im_layout_pad(text, strlen(rule->id), ID_WIDTH);
    im_buf_addf(text, " %s", severity);
    im_layout_pad(text, strlen(severity), SEVERITY_WIDTH);
    im_buf_adds(text, "  ");
    im_layout_wrap(out, column, out->width > column + ID_WIDTH ? column : 4, rule->title, text);
    im_buf_addc(text, '\n');
}

/* ---- all formats ---- */

static void add_object(const struct im_rule *rule, struct im_buf *text) {
    char blocks[64];
    im_json_add_member(text, "rule", rule->id);
    im_json_add_member(text, "severity", im_severity_name(rule->severity));
    im_json_add_member(text, "scope", im_scope_name(rule->scope));
    im_json_add_member(text, "blocks", *blocks_of(rule, blocks, sizeof blocks) ? blocks : NULL);
    im_json_add_member(text, "hidden_by", rule->hidden_by);
    im_json_add_member(text, "title", rule->title);
    im_json_add_member(text, "cause", rule->cause);
    im_json_add_member(text, "remedy", rule->remedy);
    im_json_add_member(text, "source", rule->source);
    im_buf_addc(text, '}');
}

static void add_csv(const struct im_rule *rule, struct im_buf *text) {
    char blocks[64];
    const char *const row[] = {rule->id,
                               im_severity_name(rule->severity),
                               im_scope_name(rule->scope),
                               blocks_of(rule, blocks, sizeof blocks),
                               rule->title,
                               rule->cause,
                               rule->remedy,
                               rule->source};
    im_csv_row(text, row, sizeof row / sizeof row[0]);
}

static const char csv_header[] = "rule,severity,scope,blocks,title,cause,remedy,source\n";

enum format { TEXT, JSON, JSONL, CSV, UNKNOWN };

static enum format format_of(const char *name) {
    static const char *const names[] = {[TEXT] = "text", [JSON] = "json", [JSONL] = "jsonl", [CSV] = "csv"};
    for (int i = TEXT; i < UNKNOWN; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum format)i;
    }
    return UNKNOWN;
}

static enum im_err no_format(const char *format, struct im_error *e) {
    return im_error_set(e, IM_E_USAGE, "rules are listed as text, json, jsonl or csv, not as %s", format);
}

static void add_listed(struct im_out *out, enum format format, const struct im_rule *rule, bool is_first, struct im_buf *text) {
    switch (format) {
    case JSON:
        im_buf_adds(text, is_first ? "\n{" : ",\n{");
        add_object(rule, text);
        break;
    case JSONL:
        im_buf_adds(text, "{\"type\":\"rule\"");
        add_object(rule, text);
        im_buf_addc(text, '\n');
        break;
    case CSV:
        add_csv(rule, text);
        break;
    default:
        add_line(out, rule, text);
        break;
    }
}

static void add_scope(struct im_out *out, enum format format, enum im_scope scope, bool *is_first, struct im_buf *text) {
    size_t count;
    const struct im_rule *rows = im_rules(scope, &count);
    if (format == TEXT && count)
        im_buf_addf(text, "%s%s\n", *is_first ? "" : "\n", im_scope_name(scope));
    for (size_t i = 0; i < count; i++) {
        add_listed(out, format, &rows[i], *is_first, text);
        *is_first = false;
    }
}

enum im_err im_report_rules(struct im_out *out, const char *name, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    enum format format = format_of(name);
    bool is_first = true;
    if (format == UNKNOWN)
        return no_format(name, e);
    im_buf_adds(&text, format == CSV ? csv_header : format == JSON ? "{\"rules\":[" : "");
    for (int scope = 0; scope < IM_SCOPE_COUNT; scope++)
        add_scope(out, format, (enum im_scope)scope, &is_first, &text);
    im_buf_adds(&text, format == JSON ? "\n]}\n" : "");
    return im_report_write(out, &text, e);
}

enum im_err im_report_rule(struct im_out *out, const char *name, const struct im_rule *rule, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    switch (format_of(name)) {
    case TEXT:
        explain(out, rule, &text);
        break;
    case JSON:
    case JSONL:
        im_buf_addc(&text, '{');
        add_object(rule, &text);
        im_buf_addc(&text, '\n');
        break;
    case CSV:
        im_buf_adds(&text, csv_header);
        add_csv(rule, &text);
        break;
    case UNKNOWN:
        return no_format(name, e);
    }
    return im_report_write(out, &text, e);
}
