#include "lib/engine/journal_line.h"

#include "lib/base/text.h"
#include "lib/data/base64.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/json.h"
#include "lib/data/times.h"

#include <string.h>

/* More attributes than any profile has. */
enum { ATTRIBUTES_MAX = 256 };

struct parser {
    const struct im_journal_place *place;
    struct im_pool *pool;
    struct im_error *e;
};

#define WRONG(p, ...) im_error_set_at((p)->e, IM_E_INPUT, (p)->place->path, (p)->place->line, 0, __VA_ARGS__)

/* ---- values ---- */

static enum im_err copy(const struct parser *p, const char *bytes, size_t len, struct berval *out) {
    *out = (struct berval){.bv_len = len, .bv_val = im_pool_strndup(p->pool, bytes, len)};
    return out->bv_val ? IM_OK : im_error_nomem(p->e);
}

static enum im_err decode(const struct parser *p, const json_t *text, const char *what, struct berval *out) {
    size_t len = json_string_length(text);
    size_t at = 0;
    char *bytes = im_pool_alloc(p->pool, len / 4 * 3 + 1);
    if (!bytes)
        return im_error_nomem(p->e);
    if (!im_base64_decode(json_string_value(text), len, bytes, &out->bv_len, &at))
        return WRONG(p, "%s: its base64 is wrong at character %zu", what, at + 1);
    out->bv_val = bytes;
    return IM_OK;
}

static enum im_err read_value(const struct parser *p, const json_t *json, const char *what, struct berval *out) {
    const json_t *bytes = json_object_get(json, "base64"); /* NULL where json is no object */
    if (json_is_string(json))
        return copy(p, json_string_value(json), json_string_length(json), out);
    if (json_is_string(bytes) && json_object_size(json) == 1)
        return decode(p, bytes, what, out);
    return WRONG(p, "%s: a text or {\"base64\":\"...\"} was expected", what);
}

/* *out stays NULL where the key is not there. */
static enum im_err read_text(const struct parser *p, const json_t *object, const char *key, const char **out) {
    const json_t *json = json_object_get(object, key);
    struct berval value;
    *out = NULL;
    if (!json)
        return IM_OK;
    enum im_err err = read_value(p, json, key, &value);
    if (err != IM_OK)
        return err;
    if (memchr(value.bv_val, '\0', value.bv_len))
        return WRONG(p, "%s: it holds a NUL", key);
    *out = value.bv_val;
    return IM_OK;
}

struct text {
    const char *key;
    const char **out;
    bool required;
};

static enum im_err read_texts(const struct parser *p, const json_t *object, const struct text *texts, size_t count) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        err = read_text(p, object, texts[i].key, texts[i].out);
        if (err == IM_OK && texts[i].required && (!*texts[i].out || !**texts[i].out))
            err = WRONG(p, "\"%s\" is missing", texts[i].key);
    }
    return err;
}

/* A list of texts or nothing. */
static enum im_err read_list(const struct parser *p, const json_t *object, const char *key, struct berval **out, size_t *count) {
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list))
        return WRONG(p, "\"%s\" is not a list", key);
    struct berval *values = im_pool_array(p->pool, json_array_size(list), sizeof *values);
    enum im_err err = values ? IM_OK : im_error_nomem(p->e);
    for (size_t i = 0; err == IM_OK && i < json_array_size(list); i++)
        err = read_value(p, json_array_get(list, i), key, &values[i]);
    if (err != IM_OK)
        return err;
    *out = values;
    *count = json_array_size(list);
    return IM_OK;
}

static enum im_err read_bool(const struct parser *p, const json_t *object, const char *key, bool *out) {
    const json_t *json = json_object_get(object, key);
    if (json && !json_is_boolean(json))
        return WRONG(p, "\"%s\" is neither true nor false", key);
    *out = json_is_true(json);
    return IM_OK;
}

static enum im_err read_id(const struct parser *p, const json_t *object, size_t *out) {
    const json_t *json = json_object_get(object, "id");
    if (!json_is_integer(json) || json_integer_value(json) < 1)
        return WRONG(p, "\"id\" is not a number from 1");
    *out = (size_t)json_integer_value(json);
    return IM_OK;
}

/* ---- the first line ---- */

static enum im_err read_version(const struct parser *p, const json_t *object) {
    const json_t *json = json_object_get(object, "version");
    if (!json_is_integer(json) || json_integer_value(json) < 1)
        return WRONG(p, "\"version\" is not a number from 1");
    if (json_integer_value(json) <= IM_JOURNAL_VERSION)
        return IM_OK;
    return WRONG(p, "it is in version %lld of its format and was written by a newer imdir: this one reads up to version %d",
                 (long long)json_integer_value(json), IM_JOURNAL_VERSION);
}

static enum im_err read_allow(const struct parser *p, const json_t *object, struct im_journal_head *head) {
    struct berval *values;
    if (!json_object_get(object, "allow"))
        return IM_OK;
    enum im_err err = read_list(p, object, "allow", &values, &head->allow_count);
    const char **allow = err == IM_OK ? im_pool_array(p->pool, head->allow_count, sizeof *allow) : NULL;
    if (!allow)
        return err != IM_OK ? err : im_error_nomem(p->e);
    for (size_t i = 0; i < head->allow_count; i++) {
        if (memchr(values[i].bv_val, '\0', values[i].bv_len))
            return WRONG(p, "allow: it holds a NUL");
        allow[i] = values[i].bv_val;
    }
    head->allow = allow;
    return IM_OK;
}

/* 2026-11-25T20:00:00Z: without its separators it is a generalized time. */
static enum im_err read_started(const struct parser *p, const char *text, int64_t *out) {
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    char plain[sizeof shape];
    size_t len = 0;
    bool is_shaped = strlen(text) == sizeof shape - 1;
    for (size_t i = 0; is_shaped && shape[i]; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        is_shaped = shape[i] == 'd' ? is_digit : shape[i] == text[i];
        if (is_digit || text[i] == 'Z')
            plain[len++] = text[i];
    }
    plain[len] = '\0';
    return is_shaped && im_time_from_generalized(plain, out) ? IM_OK
                                                             : WRONG(p, "\"started\" is not a time like 2026-11-25T20:00:00Z");
}

static enum im_err read_head(const struct parser *p, const json_t *object, struct im_journal_head *head) {
    const char *started;
    const struct text texts[] = {
        {"imdir", &head->version, false},      {"command", &head->command, true}, {"profile", &head->profile, true},
        {"directory", &head->directory, true}, {"base", &head->base, false},      {"identity", &head->identity, false},
        {"started", &started, true},
    };
    enum im_err err = read_version(p, object);
    if (err == IM_OK)
        err = read_texts(p, object, texts, sizeof texts / sizeof texts[0]);
    if (err == IM_OK)
        err = read_started(p, started, &head->started);
    if (err == IM_OK)
        err = read_bool(p, object, "keep_opaque", &head->keep_opaque);
    return err == IM_OK ? read_allow(p, object, head) : err;
}

/* ---- a change ---- */

static bool is_attribute_name(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;";
    return *name && name[strspn(name, allowed)] == '\0';
}

static enum im_err read_diff(const struct parser *p, const json_t *object, struct im_plan_diff *diff) {
    struct berval *before;
    struct berval *after;
    const struct text name = {"attribute", &diff->attribute, true};
    enum im_err err = read_texts(p, object, &name, 1);
    if (err == IM_OK && !is_attribute_name(diff->attribute))
        err = WRONG(p, "\"attribute\" is not the name of one");
    if (err == IM_OK)
        err = read_list(p, object, "before", &before, &diff->before_count);
    if (err == IM_OK)
        err = read_list(p, object, "after", &after, &diff->after_count);
    if (err != IM_OK)
        return err;
    diff->before = before;
    diff->after = after;
    return IM_OK;
}

static bool is_listed(const struct im_plan_diff *diffs, size_t count, const char *attribute) {
    for (size_t i = 0; i < count; i++) {
        if (im_text_equal(diffs[i].attribute, attribute))
            return true;
    }
    return false;
}

static enum im_err read_diffs(const struct parser *p, const json_t *object, struct im_record *record) {
    const json_t *list = json_object_get(object, "attributes");
    size_t count = json_array_size(list); /* 0 where it is no list */
    if (count == 0 || count > ATTRIBUTES_MAX)
        return WRONG(p, "\"attributes\" is not a list of 1 to %d attributes", ATTRIBUTES_MAX);
    struct im_plan_diff *diffs = im_pool_array(p->pool, count, sizeof *diffs);
    enum im_err err = diffs ? IM_OK : im_error_nomem(p->e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        err = read_diff(p, json_array_get(list, i), &diffs[i]);
        if (err == IM_OK && is_listed(diffs, i, diffs[i].attribute))
            err = WRONG(p, "\"attributes\" has %s twice", diffs[i].attribute);
    }
    record->diffs = diffs;
    record->diff_count = count;
    return err;
}

static enum im_err read_change(const struct parser *p, const json_t *object, struct im_record *record) {
    unsigned char guid[IM_GUID_BYTES_SIZE];
    const struct text texts[] = {
        {"dn", &record->dn, true},        {"guid", &record->guid, false},     {"account", &record->account, false},
        {"input", &record->input, false}, {"source", &record->source, false},
    };
    enum im_err err = read_id(p, object, &record->id);
    if (err == IM_OK)
        err = read_texts(p, object, texts, sizeof texts / sizeof texts[0]);
    if (err == IM_OK && record->guid && !im_guid_from_text(record->guid, guid))
        err = WRONG(p, "\"guid\" is not an objectGUID or entryUUID");
    /* Parsed only where it is what the entry is found by. */
    if (err == IM_OK && !record->guid && !im_dn_is_valid(record->dn))
        err = WRONG(p, "\"dn\" is not a distinguished name");
    return err == IM_OK ? read_diffs(p, object, record) : err;
}

/* ---- the others ---- */

static enum im_err read_result(const struct parser *p, const json_t *object, struct im_journal_line *out) {
    const char *name;
    const struct text text = {"outcome", &name, true};
    enum im_err err = read_id(p, object, &out->id);
    if (err == IM_OK)
        err = read_texts(p, object, &text, 1);
    if (err != IM_OK)
        return err;
    for (int i = 0; i < IM_OUTCOME_COUNT; i++) {
        if (strcmp(im_outcome_name((enum im_outcome)i), name) == 0) {
            out->outcome = (enum im_outcome)i;
            return IM_OK;
        }
    }
    return WRONG(p, "\"outcome\" is none that there is");
}

static enum im_err read_object(const struct parser *p, const json_t *object, struct im_journal_line *out) {
    static const struct {
        const char *name;
        enum im_journal_line_type type;
    } types[] = {{"journal", IM_LINE_HEAD},
                 {"plan", IM_LINE_HEAD},
                 {"change", IM_LINE_CHANGE},
                 {"result", IM_LINE_RESULT},
                 {"end", IM_LINE_END}};
    const char *name = json_string_value(json_object_get(object, "type"));
    size_t row = 0;
    while (row < sizeof types / sizeof types[0] && (!name || strcmp(types[row].name, name) != 0))
        row++;
    if (row == sizeof types / sizeof types[0])
        return WRONG(p, "\"type\" is none of journal, plan, change, result and end");
    out->type = types[row].type;
    out->head.kind = row == 0 ? IM_JOURNAL : IM_PLAN_FILE;
    switch (out->type) {
    case IM_LINE_HEAD:
        return read_head(p, object, &out->head);
    case IM_LINE_CHANGE:
        return read_change(p, object, &out->record);
    case IM_LINE_RESULT:
        return read_result(p, object, out);
    case IM_LINE_END:
        break;
    }
    return read_bool(p, object, "complete", &out->is_complete);
}

enum im_err im_journal_parse(const char *text, size_t len, const struct im_journal_place *place, struct im_pool *pool,
                             struct im_journal_line *out, bool *is_json, struct im_error *e) {
    const struct parser p = {place, pool, e};
    json_error_t error;
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    *is_json = object || json_error_code(&error) == json_error_duplicate_key;
    *out = (struct im_journal_line){0};
    if (!object && json_error_code(&error) == json_error_out_of_memory)
        return im_error_nomem(e);
    if (!object) {
        size_t column = error.column > 0 ? (size_t)error.column : 0;
        return im_error_set_at(e, IM_E_INPUT, place->path, place->line, column, "not JSON: %s", error.text);
    }
    enum im_err err = read_object(&p, object, out);
    json_decref(object);
    return err;
}
