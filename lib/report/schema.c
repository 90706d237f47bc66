#include "lib/report/report.h"

#include "lib/data/csv.h"
#include "lib/data/json.h"
#include "lib/data/times.h"
#include "lib/report/write.h"

#include <string.h>

static json_t *definition_of(const struct im_def_finding *item) {
    json_t *o = json_object();
    im_json_put(o, "name", im_json_string(item->name));
    im_json_put(o, "kind", json_string(im_def_kind_name(item->kind)));
    im_json_put(o, "oid", im_json_string(item->oid));
    im_json_put(o, "state", json_string(im_def_state_name(item->state)));
    im_json_put(o, "detail", im_json_string(item->detail));
    return o;
}

static json_t *head_of(const struct im_run_info *info) {
    char started[IM_TIME_TEXT_SIZE];
    json_t *o = json_object();
    im_time_to_rfc3339(info->started, started);
    im_json_put(o, "command", im_json_string(info->command));
    im_json_put(o, "version", im_json_string(info->version));
    im_json_put(o, "profile", im_json_string(info->profile));
    im_json_put(o, "directory", im_json_string(info->directory));
    im_json_put(o, "started", im_json_string(started));
    return o;
}

static void add_json(const struct im_run_info *info, const struct im_schema_report *report, struct im_buf *text) {
    json_t *o = head_of(info);
    json_t *list = json_array();
    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(list, definition_of(&report->items[i]));
    im_json_put(o, "definitions", list);
    im_json_put(o, "state", json_string(im_schema_state_name(report->state)));
    im_json_dump(o, text);
    im_buf_addc(text, '\n');
    json_decref(o);
}

static void add_line(json_t *o, const char *type, struct im_buf *text) {
    json_t *typed = json_object();
    im_json_put(typed, "type", json_string(type));
    (void)json_object_update(typed, o);
    im_json_dump(typed, text);
    im_buf_addc(text, '\n');
    json_decref(typed);
    json_decref(o);
}

static void add_jsonl(const struct im_run_info *info, const struct im_schema_report *report, struct im_buf *text) {
    add_line(head_of(info), "run", text);
    for (size_t i = 0; i < report->count; i++)
        add_line(definition_of(&report->items[i]), "definition", text);
    json_t *summary = json_object();
    im_json_put(summary, "state", json_string(im_schema_state_name(report->state)));
    add_line(summary, "summary", text);
}

static void add_csv(const struct im_run_info *info, const struct im_schema_report *report, struct im_buf *text) {
    static const char *const header[] = {"name", "kind", "oid", "state", "detail"};
    (void)info;
    im_csv_row(text, header, 5);
    for (size_t i = 0; i < report->count; i++) {
        const struct im_def_finding *f = &report->items[i];
        const char *const row[] = {f->name, im_def_kind_name(f->kind), f->oid, im_def_state_name(f->state), f->detail};
        im_csv_row(text, row, 5);
    }
}

static void add_text(const struct im_run_info *info, const struct im_schema_report *report, struct im_buf *text) {
    static const char *const sentences[] = {[IM_SCHEMA_COMPLETE] = "complete",
                                            [IM_SCHEMA_PARTLY] = "partly there: imschema --extend adds what is absent",
                                            [IM_SCHEMA_ABSENT] = "absent: imschema --extend adds it",
                                            [IM_SCHEMA_CONFLICTING] =
                                                "conflicting: nothing can be added before the conflict is resolved"};
    size_t width = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (strlen(report->items[i].name) > width)
            width = strlen(report->items[i].name);
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct im_def_finding *f = &report->items[i];
        im_buf_addf(text, "%-11s  %-10s  %-*s%s%s\n", im_def_state_name(f->state), im_def_kind_name(f->kind),
                    f->detail ? (int)width : 0, f->name, f->detail ? "  " : "", f->detail ? f->detail : "");
    }
    im_buf_addf(text, "schema of profile %s at %s: %s\n", info->profile, info->directory, sentences[report->state]);
}

enum im_err im_report_schema(struct im_out *out, const char *format, const struct im_run_info *info,
                             const struct im_schema_report *report, struct im_error *e) {
    static const struct {
        const char *name;
        void (*add)(const struct im_run_info *info, const struct im_schema_report *report, struct im_buf *text);
    } formats[] = {{"text", add_text}, {"json", add_json}, {"jsonl", add_jsonl}, {"csv", add_csv}};
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, format) == 0)
            formats[i].add(info, report, &text);
    }
    return im_report_write(out, &text, e);
}
