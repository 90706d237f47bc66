/* JSON: one document written as a stream, or one object a line (jsonl). Memory does not grow with the number of accounts. */
#include "lib/data/json.h"
#include "lib/data/json_text.h"

#include "lib/data/times.h"
#include "lib/model/replica_facts.h"
#include "lib/report/write.h"

/* Accounts come by the ten thousand, so that they are written as text; the rest, once a run, is built of objects. */

enum { USUAL_LINE = 1000 };

static void add_changes(struct im_buf *text, const struct im_result *r) {
    if (!r->diff_count)
        return;
    im_json_add_key(text, "changes");
    im_buf_addc(text, '[');
    for (size_t i = 0; i < r->diff_count; i++) {
        const struct im_plan_diff *diff = &r->diffs[i];
        im_buf_adds(text, i ? ",{" : "{");
        im_json_add_member(text, "attribute", diff->attribute);
        im_json_add_values(text, "before", diff->before, diff->before_count);
        im_json_add_values(text, "after", diff->after, diff->after_count);
        im_buf_addc(text, '}');
    }
    im_buf_addc(text, ']');
}

static void add_ldap(struct im_buf *text, const struct im_result *r) {
    if (r->ldap_code < 0)
        return;
    im_json_add_key(text, "ldap");
    im_buf_addf(text, "{\"code\":%d", r->ldap_code);
    im_json_add_member(text, "name", r->ldap_name);
    im_json_add_member(text, "diagnostic", r->ldap_diagnostic);
    im_buf_addc(text, '}');
}

/* After the brace that opens the object, and perhaps its first key. */
static void add_account(struct im_buf *text, const struct im_result *r) {
    im_json_add_member(text, "input", r->input);
    im_json_add_member(text, "source", r->source);
    im_json_add_member(text, "dn", r->dn);
    im_json_add_member(text, "account", r->account);
    im_json_add_member(text, "outcome", im_outcome_name(r->outcome));
    im_json_add_member(text, "reason", r->reason);
    im_json_add_member(text, "message", r->message);
    im_json_add_member(text, "address", r->address);
    im_json_add_member(text, "home", r->home);
    add_changes(text, r);
    add_ldap(text, r);
    im_buf_addc(text, '}');
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

static void put_arrival(json_t *o, const struct im_arrival *a) {
    json_t *missing = json_array();
    im_json_put(o, "name", im_json_string(a->replica->name));
    im_json_put(o, "uri", im_json_string(a->replica->uri));
    im_json_put(o, "state", json_string(im_arrival_name(a->state)));
    im_json_put(o, "seconds", json_real((double)(long)(a->seconds * 1000 + 0.5) / 1000));
    im_json_put(o, "accounts", json_integer((json_int_t)a->accounts));
    im_json_put(o, "lacking", json_integer((json_int_t)a->lacking));
    for (size_t i = 0; i < a->missing_count; i++)
        json_array_append_new(missing, im_json_string(a->missing[i]));
    im_json_put(o, "missing", missing);
    im_json_put(o, "message", im_json_string(a->trouble));
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
    (void)info;
    (void)im_buf_reserve(&text, USUAL_LINE);
    im_buf_adds(&text, out->first ? "\n{" : ",\n{");
    out->first = false;
    add_account(&text, r);
    return im_report_write(out, &text, e);
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    json_t *object = json_object();
    (void)info;
    im_buf_adds(&text, out->first ? "],\n" : "\n],\n");
    for (size_t i = 0; i < summary->arrival_count; i++) {
        json_t *arrival = json_object();
        put_arrival(arrival, &summary->arrivals[i]);
        im_buf_adds(&text, i ? ",\n" : "\"replicas\":[\n");
        dump_take(arrival, &text);
    }
    im_buf_adds(&text, summary->arrival_count ? "\n],\n\"summary\":" : "\"summary\":");
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
    struct im_buf text = IM_BUF_INIT;
    (void)info;
    (void)im_buf_reserve(&text, USUAL_LINE);
    im_buf_addc(&text, '{');
    im_json_add_member(&text, "type", "account");
    add_account(&text, r);
    im_buf_addc(&text, '\n');
    return im_report_write(out, &text, e);
}

static enum im_err end_lines(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary,
                             struct im_error *e) {
    json_t *object;
    enum im_err err = IM_OK;
    (void)info;
    for (size_t i = 0; err == IM_OK && i < summary->arrival_count; i++) {
        object = line_of("replica");
        put_arrival(object, &summary->arrivals[i]);
        err = write_line_take(out, object, e);
    }
    if (err != IM_OK)
        return err;
    object = line_of("summary");
    put_summary(object, summary);
    return write_line_take(out, object, e);
}

const struct im_report_format im_report_jsonl = {
    .name = "jsonl", .help = "one object a line", .begin = begin_lines, .account = account_line, .end = end_lines};
