#include "lib/report/check_read_impl.h"

#include "lib/base/vec.h"

#include <stdlib.h>
#include <string.h>

static const struct part {
    const char *type; /* of a line */
    const char *key;  /* of the document; NULL: none */
    bool is_list;
    im_check_take *take;
} parts[] = {{"run", NULL, false, im_check_take_head},
             {"finding", "findings", true, im_check_take_finding},
             {"account", "accounts", true, im_check_take_account},
             {"rule", "rules", true, im_check_take_rule},
             {"summary", "summary", false, im_check_take_summary}};

#define UNKNOWN_TYPE "\"type\": run, account, finding, rule or summary is expected"

enum { PART_COUNT = sizeof parts / sizeof parts[0], HEAD_MAX = 32 };

static const struct part *part_of(const char *name, bool is_line) {
    for (size_t i = 0; i < PART_COUNT; i++) {
        const char *known = is_line ? parts[i].type : parts[i].key;
        if (known && name && strcmp(known, name) == 0)
            return &parts[i];
    }
    return NULL;
}

static enum im_err take_object(const struct im_check_walk *w, const json_t *value, im_check_take *take) {
    if (!json_is_object(value))
        return im_json_stream_error(w->file->stream, w->e, "an object is expected");
    enum im_err err = take(w, value);
    im_pool_reset(w->pool);
    return err;
}

static enum im_err walk_list(const struct im_check_walk *w, im_check_take *take) {
    struct im_json_stream *s = w->file->stream;
    int c = 0;
    enum im_err err = im_json_stream_take(s, '[', w->e);
    if (err == IM_OK)
        err = im_json_stream_peek(s, &c, w->e);
    while (err == IM_OK && c != ']') {
        json_t *value = NULL;
        err = im_json_stream_value(s, &value, w->e);
        if (err == IM_OK)
            err = take_object(w, value, take);
        json_decref(value);
        if (err == IM_OK)
            err = im_json_stream_peek(s, &c, w->e);
        if (err == IM_OK && c != ']')
            err = im_json_stream_take(s, ',', w->e);
    }
    return err == IM_OK ? im_json_stream_take(s, ']', w->e) : err;
}

/* What stands beside the lists is few words, which are put together again. */
static enum im_err walk_member(const struct im_check_walk *w, const char *key, json_t *head) {
    const struct part *part = part_of(key, false);
    json_t *value = NULL;
    if (part && part->is_list)
        return walk_list(w, part->take);
    enum im_err err = im_json_stream_value(w->file->stream, &value, w->e);
    if (err == IM_OK && part) {
        err = take_object(w, value, part->take);
    } else if (err == IM_OK && json_object_size(head) < HEAD_MAX) {
        (void)json_object_set(head, key, value);
    }
    json_decref(value);
    return err;
}

static enum im_err read_key(const struct im_check_walk *w, json_t **key) {
    enum im_err err = im_json_stream_value(w->file->stream, key, w->e);
    return err == IM_OK && !json_is_string(*key) ? im_json_stream_error(w->file->stream, w->e, "a key is expected") : err;
}

/* Behind the brace and the first key. */
static enum im_err walk_document(const struct im_check_walk *w, json_t *first, json_t *head) {
    struct im_json_stream *s = w->file->stream;
    json_t *key = json_incref(first);
    int c = 0;
    enum im_err err = IM_OK;
    while (err == IM_OK) {
        err = im_json_stream_take(s, ':', w->e);
        if (err == IM_OK)
            err = walk_member(w, json_string_value(key), head);
        json_decref(key);
        key = NULL;
        if (err == IM_OK)
            err = im_json_stream_peek(s, &c, w->e);
        if (err != IM_OK || c == '}')
            break;
        err = im_json_stream_take(s, ',', w->e);
        if (err == IM_OK)
            err = read_key(w, &key);
    }
    json_decref(key);
    if (err == IM_OK)
        err = im_json_stream_take(s, '}', w->e);
    return err == IM_OK ? take_object(w, head, im_check_take_head) : err;
}

static enum im_err walk_line(const struct im_check_walk *w) {
    json_t *value = NULL;
    enum im_err err = im_json_stream_value(w->file->stream, &value, w->e);
    const char *type = json_string_value(json_object_get(value, "type"));
    const struct part *part = part_of(type, true);
    if (err == IM_OK && part) {
        err = take_object(w, value, part->take);
    } else if (err == IM_OK) {
        err = im_json_stream_error(w->file->stream, w->e, UNKNOWN_TYPE);
    }
    json_decref(value);
    return err;
}

static enum im_err walk_lines(const struct im_check_walk *w) {
    int c = 0;
    enum im_err err = im_json_stream_rewind(w->file->stream, w->e);
    while (err == IM_OK) {
        err = im_json_stream_peek(w->file->stream, &c, w->e);
        if (err != IM_OK || c < 0)
            break;
        err = walk_line(w);
    }
    return err;
}

/* Lines say first of what type they are, which a document does not. */
static enum im_err walk_file(const struct im_check_walk *w) {
    struct im_json_stream *s = w->file->stream;
    json_t *key = NULL;
    json_t *head = json_object();
    int c = 0;
    enum im_err err = head ? im_json_stream_rewind(s, w->e) : im_error_nomem(w->e);
    if (err == IM_OK)
        err = im_json_stream_peek(s, &c, w->e);
    if (err == IM_OK && c != '{') {
        err = im_json_stream_error(s, w->e, "%s: a result that imcheck wrote with -o json or jsonl is expected",
                                   c < 0 ? "the file is empty" : "this is something else");
    }
    if (err == IM_OK)
        err = im_json_stream_take(s, '{', w->e);
    if (err == IM_OK)
        err = read_key(w, &key);
    if (err == IM_OK && strcmp(json_string_value(key), "type") == 0) {
        err = walk_lines(w);
    } else if (err == IM_OK) {
        err = walk_document(w, key, head);
        if (err == IM_OK)
            err = im_json_stream_peek(s, &c, w->e);
        if (err == IM_OK && c >= 0)
            err = im_json_stream_error(s, w->e, "something stands behind the result");
    }
    json_decref(key);
    json_decref(head);
    return err;
}

static enum im_err walk(struct im_check_file *file, const struct im_check_visitor *visitor, struct im_error *e) {
    struct im_check_walk w = {file, visitor, im_pool_new(), e};
    if (!w.pool)
        return im_error_nomem(e);
    enum im_err err = walk_file(&w);
    im_pool_free(&w.pool);
    return err;
}

static enum im_err first_walk(struct im_check_file *file, struct im_error *e) {
    enum im_err err = walk(file, NULL, e);
    if (err == IM_OK && !file->info.command)
        err = im_json_stream_error(file->stream, e, "this is no result of imcheck: nothing says of which run");
    if (err == IM_OK && !file->has_summary)
        err = im_json_stream_error(file->stream, e, "the result has no summary: the run that wrote it did not come to its end");
    return err;
}

enum im_err im_check_file_open(const char *path, struct im_check_file **out, struct im_error *e) {
    struct im_check_file *file = calloc(1, sizeof *file);
    if (!file)
        return im_error_nomem(e);
    file->pool = im_pool_new();
    enum im_err err = file->pool ? im_json_stream_open(path, &file->stream, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = first_walk(file, e);
    if (err == IM_OK) {
        *out = file;
    } else {
        im_check_file_close(&file);
    }
    return err;
}

void im_check_file_close(struct im_check_file **file) {
    if (!file || !*file)
        return;
    im_vec_free(&(*file)->rules);
    im_vec_free(&(*file)->made_up);
    im_json_stream_free(&(*file)->stream);
    im_pool_free(&(*file)->pool);
    free(*file);
    *file = NULL;
}

const struct im_run_info *im_check_file_info(const struct im_check_file *file) {
    return &file->info;
}

const struct im_rule_status *im_check_file_rules(const struct im_check_file *file, size_t *count) {
    *count = file->rules.count;
    return file->rules.items;
}

const struct im_check_summary *im_check_file_summary(const struct im_check_file *file) {
    return &file->summary;
}

enum im_err im_check_file_visit(struct im_check_file *file, const struct im_check_visitor *visitor, struct im_error *e) {
    return walk(file, visitor, e);
}

bool im_check_file_is_whole(const struct im_check_file *file) {
    return !file->account_count;
}
