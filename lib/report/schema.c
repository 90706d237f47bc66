#include "lib/report/report.h"

#include "lib/base/text.h"
#include "lib/data/csv.h"
#include "lib/data/json.h"
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

static void add_json(const struct im_out *out, const struct im_run_info *info, const struct im_schema_report *report,
                     struct im_buf *text) {
    (void)out;
    json_t *o = im_report_head(info);
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

static void add_jsonl(const struct im_out *out, const struct im_run_info *info, const struct im_schema_report *report,
                      struct im_buf *text) {
    (void)out;
    add_line(im_report_head(info), "run", text);
    for (size_t i = 0; i < report->count; i++)
        add_line(definition_of(&report->items[i]), "definition", text);
    json_t *summary = json_object();
    im_json_put(summary, "state", json_string(im_schema_state_name(report->state)));
    add_line(summary, "summary", text);
}

static void add_csv(const struct im_out *out, const struct im_run_info *info, const struct im_schema_report *report,
                    struct im_buf *text) {
    static const char *const header[] = {"name", "kind", "oid", "state", "detail"};
    (void)out, (void)info;
    im_csv_row(text, header, 5);
    for (size_t i = 0; i < report->count; i++) {
        const struct im_def_finding *f = &report->items[i];
        const char *const row[] = {f->name, im_def_kind_name(f->kind), f->oid, im_def_state_name(f->state), f->detail};
        im_csv_row(text, row, 5);
    }
}

static const struct {
    const char *color; /* SGR parameters */
    const char *words;
} states[] = {
    [IM_SCHEMA_COMPLETE] = {"32", "complete"},
    [IM_SCHEMA_PARTLY] = {"33", "partly there; imschema --extend adds what is absent"},
    [IM_SCHEMA_ABSENT] = {"33", "absent; imschema --extend adds it"},
    [IM_SCHEMA_CONFLICTING] = {"31", "conflicting; nothing is added before that is resolved by hand"},
};

static const char *const item_colors[] = {[IM_DEF_PRESENT] = "32", [IM_DEF_ABSENT] = "33", [IM_DEF_CONFLICTING] = "31"};

enum { STATE_WIDTH = 11, KIND_WIDTH = 10 };

static void add_cell(struct im_buf *text, const char *s, size_t width, const char *color) {
    struct im_buf safe = IM_BUF_INIT;
    im_text_escape(s, strlen(s), &safe);
    im_buf_addf(text, color ? "\x1b[%sm%s\x1b[0m" : "%s%s", color ? color : "", im_buf_str(&safe));
    for (size_t have = im_text_width(im_buf_str(&safe)); have < width + 2; have++)
        im_buf_addc(text, ' ');
    text->failed = text->failed || safe.failed;
    im_buf_free(&safe);
}

static void end_line(struct im_buf *text) {
    while (text->len && text->data[text->len - 1] == ' ')
        text->len--;
    im_buf_addc(text, '\n');
}

static void add_text(const struct im_out *out, const struct im_run_info *info, const struct im_schema_report *report,
                     struct im_buf *text) {
    size_t name_width = 0;
    size_t oid_width = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct im_def_finding *f = &report->items[i];
        size_t name = im_text_width(f->name);
        size_t oid = f->oid ? im_text_width(f->oid) : 0;
        name_width = name > name_width ? name : name_width;
        oid_width = oid > oid_width ? oid : oid_width;
    }
    if (info->dry_run)
        im_buf_adds(text, "Dry run: nothing is written. Not verified: the right to write.\n");
    for (size_t i = 0; i < report->count; i++) {
        const struct im_def_finding *f = &report->items[i];
        add_cell(text, im_def_state_name(f->state), STATE_WIDTH, out->color ? item_colors[f->state] : NULL);
        add_cell(text, im_def_kind_name(f->kind), KIND_WIDTH, NULL);
        add_cell(text, f->name, name_width, NULL);
        add_cell(text, f->oid ? f->oid : "", oid_width, NULL);
        add_cell(text, f->detail ? f->detail : "", 0, NULL);
        end_line(text);
    }
    im_buf_addf(text, "Schema of profile %s at %s: ", info->profile, info->directory);
    add_cell(text, states[report->state].words, 0, out->color ? states[report->state].color : NULL);
    end_line(text);
}

enum im_err im_report_schema(struct im_out *out, const char *format, const struct im_run_info *info,
                             const struct im_schema_report *report, struct im_error *e) {
    static const struct {
        const char *name;
        void (*add)(const struct im_out *out, const struct im_run_info *info, const struct im_schema_report *report,
                    struct im_buf *text);
    } formats[] = {{"text", add_text}, {"json", add_json}, {"jsonl", add_jsonl}, {"csv", add_csv}};
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, format) == 0)
            formats[i].add(out, info, report, &text);
    }
    return im_report_write(out, &text, e);
}
