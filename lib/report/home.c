#include "lib/report/home.h"

#include "lib/base/text.h"
#include "lib/data/csv.h"
#include "lib/data/json.h"
#include "lib/report/write.h"

#include <string.h>

#define BETWEEN_REMARKS "; "

static void join(struct im_buf *out, const char *const *items, size_t count, const char *between) {
    for (size_t i = 0; i < count; i++)
        im_buf_addf(out, "%s%s", i ? between : "", items[i]);
}

static void add_escaped(struct im_buf *out, const char *s) {
    im_text_escape(s, strlen(s), out);
}

/* ---- JSON ---- */

static json_t *list_of(const char *const *items, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, im_json_string(items[i]));
    return list;
}

/* type: of a line, or NULL. */
static json_t *server_of(const struct im_home_row *row, const char *type) {
    json_t *o = json_object();
    if (type)
        im_json_put(o, "type", json_string(type));
    im_json_put(o, "name", im_json_string(row->name));
    if (row->host)
        im_json_put(o, "host", im_json_string(row->host));
    if (row->dn)
        im_json_put(o, "dn", im_json_string(row->dn));
    im_json_put(o, "kind", json_string(row->kind));
    im_json_put(o, "domains", list_of(row->domains, row->domain_count));
    if (row->users >= 0)
        im_json_put(o, "users", json_integer(row->users));
    if (row->capacity)
        im_json_put(o, "capacity", json_integer(row->capacity));
    im_json_put(o, "remarks", list_of(row->remarks, row->remark_count));
    return o;
}

static json_t *homed_of(const struct im_homed_row *row, const char *type) {
    json_t *o = json_object();
    if (type)
        im_json_put(o, "type", json_string(type));
    im_json_put(o, "account", im_json_string(row->account ? row->account : row->input));
    if (row->dn)
        im_json_put(o, "dn", im_json_string(row->dn));
    if (row->home)
        im_json_put(o, "home", im_json_string(row->home));
    if (row->tells)
        im_json_put(o, "agrees", json_boolean(row->agrees));
    im_json_put(o, "remarks", list_of(row->remarks, row->remark_count));
    return o;
}

static void dump_take(json_t *object, struct im_buf *text) {
    im_json_dump(object, text);
    json_decref(object);
}

static void add_line(json_t *object, struct im_buf *text) {
    dump_take(object, text);
    im_buf_addc(text, '\n');
}

static json_t *run_line(const struct im_run_info *info) {
    json_t *o = json_object();
    json_t *head = im_report_head(info);
    im_json_put(o, "type", json_string("run"));
    (void)json_object_update(o, head);
    json_decref(head);
    return o;
}

/* ---- the list of servers ---- */

static void list_json(const struct im_out *out, const struct im_run_info *info, const struct im_home_row *rows, size_t count,
                      struct im_buf *text) {
    json_t *o = im_report_head(info);
    json_t *list = json_array();
    (void)out;
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, server_of(&rows[i], NULL));
    im_json_put(o, "servers", list);
    add_line(o, text);
}

static void list_jsonl(const struct im_out *out, const struct im_run_info *info, const struct im_home_row *rows, size_t count,
                       struct im_buf *text) {
    (void)out;
    add_line(run_line(info), text);
    for (size_t i = 0; i < count; i++)
        add_line(server_of(&rows[i], "server"), text);
}

static void list_csv(const struct im_out *out, const struct im_run_info *info, const struct im_home_row *rows, size_t count,
                     struct im_buf *text) {
    static const char *const header[] = {"name", "host", "kind", "domains", "users", "capacity", "remarks"};
    (void)out, (void)info;
    im_csv_row(text, header, sizeof header / sizeof header[0]);
    for (size_t i = 0; i < count; i++) {
        const struct im_home_row *row = &rows[i];
        struct im_buf parts[4] = {IM_BUF_INIT, IM_BUF_INIT, IM_BUF_INIT, IM_BUF_INIT};
        join(&parts[0], row->domains, row->domain_count, " ");
        if (row->users >= 0)
            im_buf_addf(&parts[1], "%ld", row->users);
        if (row->capacity)
            im_buf_addf(&parts[2], "%ld", row->capacity);
        join(&parts[3], row->remarks, row->remark_count, BETWEEN_REMARKS);
        const char *const fields[] = {row->name,
                                      row->host,
                                      row->kind,
                                      im_buf_str(&parts[0]),
                                      im_buf_str(&parts[1]),
                                      im_buf_str(&parts[2]),
                                      im_buf_str(&parts[3])};
        im_csv_row(text, fields, sizeof fields / sizeof fields[0]);
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
            text->failed = text->failed || parts[k].failed;
            im_buf_free(&parts[k]);
        }
    }
}

enum { COLUMNS = 7, USERS = 4, CAPACITY = 5 };

/* A cell of the table for people. */
static void add_cell(const struct im_home_row *row, size_t column, struct im_buf *out) {
    const char *const texts[] = {row->name, row->host ? row->host : "-", row->kind};
    struct im_buf joined = IM_BUF_INIT;
    if (column < sizeof texts / sizeof texts[0]) {
        add_escaped(out, texts[column]);
    } else if (column == USERS || column == CAPACITY) {
        long number = column == USERS ? row->users : row->capacity ? row->capacity : -1;
        if (number >= 0) {
            im_buf_addf(out, "%ld", number);
        } else {
            im_buf_adds(out, "-");
        }
    } else if (column == 3) {
        join(&joined, row->domains, row->domain_count, " ");
        add_escaped(out, row->domain_count ? im_buf_str(&joined) : strcmp(row->kind, "home") == 0 ? "any" : "-");
    } else {
        join(&joined, row->remarks, row->remark_count, BETWEEN_REMARKS);
        add_escaped(out, im_buf_str(&joined));
    }
    out->failed = out->failed || joined.failed;
    im_buf_free(&joined);
}

static void pad(struct im_buf *out, size_t have, size_t want) {
    for (; have < want; have++)
        im_buf_addc(out, ' ');
}

/* Numbers stand on the right. */
static void add_cells(struct im_buf cells[COLUMNS], const size_t widths[COLUMNS], struct im_buf *text) {
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t width = im_text_width(im_buf_str(&cells[c]));
        bool is_number = c == USERS || c == CAPACITY;
        im_buf_adds(text, c ? "  " : "");
        if (is_number)
            pad(text, width, widths[c]);
        im_buf_adds(text, im_buf_str(&cells[c]));
        if (!is_number)
            pad(text, width, widths[c]);
        text->failed = text->failed || cells[c].failed;
        im_buf_free(&cells[c]);
    }
    while (text->len && text->data[text->len - 1] == ' ')
        text->len--;
    im_buf_addc(text, '\n');
}

static void list_text(const struct im_out *out, const struct im_run_info *info, const struct im_home_row *rows, size_t count,
                      struct im_buf *text) {
    static const char *const titles[COLUMNS] = {"NAME", "HOST", "KIND", "IM DOMAINS", "USERS", "CAPACITY", "REMARKS"};
    size_t widths[COLUMNS];
    (void)out, (void)info;
    if (!count) {
        im_buf_adds(text, "no server is known, and nobody is homed anywhere\n");
        return;
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = strlen(titles[c]);
        for (size_t i = 0; i < count; i++) {
            struct im_buf cell = IM_BUF_INIT;
            add_cell(&rows[i], c, &cell);
            size_t width = im_text_width(im_buf_str(&cell));
            widths[c] = width > widths[c] ? width : widths[c];
            im_buf_free(&cell);
        }
    }
    struct im_buf cells[COLUMNS] = {{.len = 0}};
    for (size_t c = 0; c < COLUMNS; c++)
        im_buf_adds(&cells[c], titles[c]);
    add_cells(cells, widths, text);
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < COLUMNS; c++)
            add_cell(&rows[i], c, &cells[c]);
        add_cells(cells, widths, text);
    }
}

enum im_err im_report_homes(struct im_out *out, const char *format, const struct im_run_info *info,
                            const struct im_home_row *rows, size_t count, struct im_error *e) {
    static const struct {
        const char *name;
        void (*list)(const struct im_out *out, const struct im_run_info *info, const struct im_home_row *rows, size_t count,
                     struct im_buf *text);
    } formats[] = {{"text", list_text}, {"json", list_json}, {"jsonl", list_jsonl}, {"csv", list_csv}};
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, format) == 0)
            formats[i].list(out, info, rows, count, &text);
    }
    return im_report_write(out, &text, e);
}

/* ---- where people are homed ---- */

enum { ACCOUNT_WIDTH = 22, HOME_WIDTH = 16 };

static void homed_text(const struct im_homed_row *row, struct im_buf *text) {
    struct im_buf remarks = IM_BUF_INIT;
    struct im_buf name = IM_BUF_INIT;
    struct im_buf home = IM_BUF_INIT;
    bool has_name = row->account || !row->source || (row->input && *row->input); /* a row of a file may name nobody */
    join(&remarks, row->remarks, row->remark_count, BETWEEN_REMARKS);
    add_escaped(&name, row->account ? row->account : has_name ? row->input : row->source);
    add_escaped(&home, row->home ? row->home : "-");
    im_buf_adds(text, im_buf_str(&name));
    pad(text, im_text_width(im_buf_str(&name)), ACCOUNT_WIDTH);
    im_buf_addf(text, "  %s", im_buf_str(&home));
    pad(text, im_text_width(im_buf_str(&home)), HOME_WIDTH);
    im_buf_adds(text, "  ");
    if (row->tells && row->agrees && !remarks.len)
        im_buf_adds(text, "agrees");
    add_escaped(text, im_buf_str(&remarks));
    if (!row->dn && row->source && has_name) { /* where to mend it */
        im_buf_adds(text, " (");
        add_escaped(text, row->source);
        im_buf_addc(text, ')');
    }
    im_buf_addc(text, '\n');
    text->failed = text->failed || remarks.failed || name.failed || home.failed;
    im_buf_free(&remarks);
    im_buf_free(&name);
    im_buf_free(&home);
}

static void homed_csv(const struct im_homed_row *row, struct im_buf *text) {
    const struct im_result result = {.input = row->input, .account = row->account, .dn = row->dn};
    struct im_buf remarks = IM_BUF_INIT;
    struct im_pool *pool = im_pool_new();
    const char *cell = pool ? im_report_account_cell(&result, pool) : NULL;
    join(&remarks, row->remarks, row->remark_count, BETWEEN_REMARKS);
    const char *const fields[] = {cell, row->dn, row->home,
                                  !row->tells   ? ""
                                  : row->agrees ? "true"
                                                : "false",
                                  im_buf_str(&remarks)};
    if (cell)
        im_csv_row(text, fields, sizeof fields / sizeof fields[0]);
    text->failed = text->failed || remarks.failed || !cell;
    im_buf_free(&remarks);
    im_pool_free(&pool);
}

enum im_err im_report_homed_begin(struct im_out *out, const char *format, const struct im_run_info *info, struct im_error *e) {
    static const char *const header[] = {"account", "dn", "home", "agrees", "remarks"};
    struct im_buf text = IM_BUF_INIT;
    out->first = true;
    if (strcmp(format, "csv") == 0) {
        im_csv_row(&text, header, sizeof header / sizeof header[0]);
    } else if (strcmp(format, "json") == 0) {
        dump_take(im_report_head(info), &text);
        if (!text.failed)
            text.len--; /* the object goes on */
        im_buf_adds(&text, ",\n\"accounts\":[");
    } else if (strcmp(format, "jsonl") == 0) {
        add_line(run_line(info), &text);
    }
    return im_report_write(out, &text, e);
}

enum im_err im_report_homed(struct im_out *out, const char *format, const struct im_homed_row *row, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (strcmp(format, "csv") == 0) {
        homed_csv(row, &text);
    } else if (strcmp(format, "json") == 0) {
        im_buf_adds(&text, out->first ? "\n" : ",\n");
        dump_take(homed_of(row, NULL), &text);
    } else if (strcmp(format, "jsonl") == 0) {
        add_line(homed_of(row, "account"), &text);
    } else {
        homed_text(row, &text);
    }
    out->first = false;
    return im_report_write(out, &text, e);
}

enum im_err im_report_homed_end(struct im_out *out, const char *format, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (strcmp(format, "json") == 0)
        im_buf_adds(&text, out->first ? "]}\n" : "\n]}\n");
    return im_report_write(out, &text, e);
}
