/* JSON: one document written as a stream, or one object a line (jsonl). Memory does not grow with the number of accounts. */
#include "lib/data/json.h"

#include "lib/data/times.h"
#include "lib/report/write.h"

static json_t *list_values(const struct berval *values, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, im_json_value(&values[i]));
    return list;
}

static json_t *changes_of(const struct im_result *r) {
    if (!r->diff_count)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < r->diff_count; i++) {
        const struct im_plan_diff *diff = &r->diffs[i];
        json_t *item = json_object();
        im_json_put(item, "attribute", im_json_string(diff->attribute));
        im_json_put(item, "before", list_values(diff->before, diff->before_count));
        im_json_put(item, "after", list_values(diff->after, diff->after_count));
        (void)json_array_append_new(list, item);
    }
    return list;
}

static json_t *ldap_of(const struct im_result *r) {
    if (r->ldap_code < 0)
        return NULL;
    json_t *object = json_object();
    im_json_put(object, "code", json_integer(r->ldap_code));
    im_json_put(object, "name", im_json_string(r->ldap_name));
    im_json_put(object, "diagnostic", im_json_string(r->ldap_diagnostic));
    return object;
}

static void put_account(json_t *o, const struct im_result *r) {
    im_json_put(o, "input", im_json_string(r->input));
    im_json_put(o, "source", im_json_string(r->source));
    im_json_put(o, "dn", im_json_string(r->dn));
    im_json_put(o, "account", im_json_string(r->account));
    im_json_put(o, "outcome", json_string(im_outcome_name(r->outcome)));
    im_json_put(o, "reason", im_json_string(r->reason));
    im_json_put(o, "message", im_json_string(r->message));
    im_json_put(o, "address", im_json_string(r->address));
    im_json_put(o, "home", im_json_string(r->home));
    im_json_put(o, "changes", changes_of(r));
    im_json_put(o, "ldap", ldap_of(r));
}

static void put_info(json_t *o, const struct im_run_info *info) {
    char started[IM_TIME_TEXT_SIZE];
    im_time_to_rfc3339(info->started, started);
    im_json_put(o, "command", im_json_string(info->command));
    im_json_put(o, "version", im_json_string(info->version));
    im_json_put(o, "profile", im_json_string(info->profile));
    im_json_put(o, "directory", im_json_string(info->directory));
    im_json_put(o, "dry_run", json_boolean(info->dry_run));
    im_json_put(o, "started", json_string(started));
}

static void put_summary(json_t *o, const struct im_summary *summary) {
    im_json_put(o, "total", json_integer((json_int_t)summary->total));
    for (int i = 0; i < IM_OUTCOME_COUNT; i++)
        im_json_put(o, im_outcome_key((enum im_outcome)i), json_integer((json_int_t)summary->counts[i]));
    im_json_put(o, "seconds", json_real((double)(long)(summary->seconds * 1000 + 0.5) / 1000));
}

/* Appends the object and drops it. */
static void dump_take(json_t *object, struct im_buf *text) {
    im_json_dump(object, text);
    json_decref(object);
}

/* ---- one document ---- */

static enum im_err begin(struct im_out *out, const struct im_run_info *info, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    json_t *head = json_object();
    put_info(head, info);
    dump_take(head, &text);
    if (!text.failed)
        text.len--; /* the object goes on */
    im_buf_adds(&text, ",\n\"accounts\":[");
    out->first = true;
    return im_report_write(out, &text, e);
}

static enum im_err account(struct im_out *out, const struct im_run_info *info, const struct im_result *r, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    json_t *object = json_object();
    (void)info;
    im_buf_adds(&text, out->first ? "\n" : ",\n");
    out->first = false;
    put_account(object, r);
    dump_take(object, &text);
    return im_report_write(out, &text, e);
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    json_t *object = json_object();
    (void)info;
    im_buf_adds(&text, out->first ? "],\n\"summary\":" : "\n],\n\"summary\":");
    put_summary(object, summary);
    dump_take(object, &text);
    im_buf_adds(&text, "}\n");
    return im_report_write(out, &text, e);
}

const struct im_report_format im_report_json = {
    .name = "json", .help = "one document", .begin = begin, .account = account, .end = end};

/* ---- one object a line ---- */

static json_t *line_of(const char *type) {
    json_t *object = json_object();
    im_json_put(object, "type", json_string(type));
    return object;
}

static enum im_err write_line_take(struct im_out *out, json_t *object, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    dump_take(object, &text);
    im_buf_addc(&text, '\n');
    return im_report_write(out, &text, e);
}

static enum im_err begin_lines(struct im_out *out, const struct im_run_info *info, struct im_error *e) {
    json_t *object = line_of("run");
    put_info(object, info);
    return write_line_take(out, object, e);
}

static enum im_err account_line(struct im_out *out, const struct im_run_info *info, const struct im_result *r,
                                struct im_error *e) {
    json_t *object = line_of("account");
    (void)info;
    put_account(object, r);
    return write_line_take(out, object, e);
}

static enum im_err end_lines(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary,
                             struct im_error *e) {
    json_t *object = line_of("summary");
    (void)info;
    put_summary(object, summary);
    return write_line_take(out, object, e);
}

const struct im_report_format im_report_jsonl = {
    .name = "jsonl", .help = "one object a line", .begin = begin_lines, .account = account_line, .end = end_lines};
