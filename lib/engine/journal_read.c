#include "lib/base/set.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/engine/journal_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16 * 1024 * 1024, AROUND = 32 * 1024 };

/* Where a change stands, and what became of it. */
struct mark {
    uint32_t offset_low, offset_high : 30, state : 2;
    uint32_t line;
};

struct im_journal_reader {
    char *path;
    enum im_journal_kind kind;
    int fd;
    uint64_t size;            /* when it was opened, */
    struct timespec modified; /* as this */
    struct im_pool *pool;     /* of the head */
    struct im_journal_head head;
    struct {
        struct mark *items;
        size_t count, cap;
    } changes;
    struct im_set *attributes, *classes; /* each of the names has been met */
    struct {
        struct im_journal_name *items;
        size_t count, cap;
    } names;
    size_t last_id;
    bool has_end, is_complete;
    char *window; /* a part of the file */
    size_t window_cap, window_len;
    uint64_t window_at;
};

#define WRONG(r, line, ...) im_error_set_at(e, IM_E_INPUT, (r)->path, line, 0, __VA_ARGS__)

static const char *kind_name(enum im_journal_kind kind) {
    return kind == IM_JOURNAL ? "journal" : "plan file";
}

static enum im_err io_error(const struct im_journal_reader *r, const char *what, struct im_error *e) {
    im_error_set_errno(e, IM_E_IO, errno, "the %s cannot be %s", kind_name(r->kind), what);
    im_error_where(e, r->path);
    return IM_E_IO;
}

/* ---- lines ---- */

static enum im_err check_unchanged(const struct im_journal_reader *r, struct im_error *e) {
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return io_error(r, "read", e);
    if ((uint64_t)st.st_size != r->size || st.st_mtim.tv_sec != r->modified.tv_sec || st.st_mtim.tv_nsec != r->modified.tv_nsec)
        return WRONG(r, 0, "the %s was changed while it was read", kind_name(r->kind));
    return IM_OK;
}

/* Brings `size` bytes from `at` into the window, or what there is of them. */
static enum im_err load(struct im_journal_reader *r, uint64_t at, size_t size, struct im_error *e) {
    if (size > r->size - at)
        size = (size_t)(r->size - at);
    if (size > r->window_cap) {
        char *window = realloc(r->window, size);
        if (!window)
            return im_error_nomem(e);
        r->window = window;
        r->window_cap = size;
    }
    r->window_at = at;
    r->window_len = 0;
    while (r->window_len < size) {
        ssize_t count = pread(r->fd, r->window + r->window_len, size - r->window_len, (off_t)(at + r->window_len));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return io_error(r, "read", e);
        if (count == 0)
            break; /* shorter than it was: */
        r->window_len += (size_t)count;
    }
    return check_unchanged(r, e);
}

struct line {
    const char *text; /* in the window */
    size_t len;       /* without its end */
    bool has_end;     /* false: the file ends in it */
};

static bool find_line(const struct im_journal_reader *r, uint64_t at, struct line *out) {
    if (at < r->window_at || at >= r->window_at + r->window_len)
        return false;
    size_t begin = (size_t)(at - r->window_at);
    const char *end = memchr(r->window + begin, '\n', r->window_len - begin);
    *out = (struct line){r->window + begin, r->window_len - begin, end != NULL};
    if (end)
        out->len = (size_t)(end - out->text);
    return end || r->window_at + r->window_len == r->size;
}

/* The line that begins at `at`. The window is laid around it, as the next one may be that before or that behind. */
static enum im_err get_line(struct im_journal_reader *r, uint64_t at, size_t number, struct line *out, struct im_error *e) {
    enum im_err err = IM_OK;
    size_t before = at < AROUND ? (size_t)at : AROUND;
    for (size_t size = AROUND; err == IM_OK && !find_line(r, at, out); size *= 2) {
        if (size > LINE_MAX_BYTES)
            return WRONG(r, number, "the line is longer than %d bytes", LINE_MAX_BYTES);
        err = load(r, at - before, before + size, e);
    }
    return err;
}

/* ---- the first pass ---- */

static enum im_err take_head(struct im_journal_reader *r, const struct im_journal_line *line, struct im_error *e) {
    r->head = line->head;
    if (r->head.kind == r->kind)
        return IM_OK;
    if (r->kind == IM_JOURNAL)
        return WRONG(r, 1, "this is a plan, not a journal: imapply carries it out, and writes a journal that can be undone");
    return WRONG(r, 1, "this is a journal, not a plan: imundo takes back what it says was written");
}

/* Few are new, and only those cost memory. */
static enum im_err keep_name(struct im_journal_reader *r, const char *attribute, const struct berval *class, size_t number,
                             struct im_error *e) {
    bool is_new;
    enum im_err err = class ? im_set_add(r->classes, class->bv_val, class->bv_len, NULL, &is_new, e)
                            : im_set_add(r->attributes, attribute, strlen(attribute), NULL, &is_new, e);
    if (err != IM_OK || !is_new)
        return err;
    struct im_journal_name *name = im_vec_push(&r->names);
    if (!name)
        return im_error_nomem(e);
    *name = (struct im_journal_name){.attribute = im_pool_strdup(r->pool, attribute), .line = number};
    if (class)
        name->class = (struct berval){class->bv_len, im_pool_strndup(r->pool, class->bv_val, class->bv_len)};
    return name->attribute && (!class || name->class.bv_val) ? IM_OK : im_error_nomem(e);
}

static enum im_err keep_names(struct im_journal_reader *r, const struct im_record *record, size_t number, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < record->diff_count; i++) {
        const struct im_plan_diff *diff = &record->diffs[i];
        bool is_class = im_text_equal(diff->attribute, "objectClass");
        err = keep_name(r, diff->attribute, NULL, number, e);
        for (size_t n = 0; err == IM_OK && is_class && n < diff->before_count; n++)
            err = keep_name(r, diff->attribute, &diff->before[n], number, e);
        for (size_t n = 0; err == IM_OK && is_class && n < diff->after_count; n++)
            err = keep_name(r, diff->attribute, &diff->after[n], number, e);
    }
    return err;
}

static enum im_err take_change(struct im_journal_reader *r, const struct im_journal_line *line, uint64_t at, size_t number,
                               struct im_error *e) {
    bool is_next = r->kind == IM_JOURNAL ? line->record.id == r->last_id + 1 : line->record.id > r->last_id;
    if (!is_next)
        return WRONG(r, number, "change %zu does not follow change %zu", line->record.id, r->last_id);
    struct mark *mark = im_vec_push(&r->changes);
    if (!mark)
        return im_error_nomem(e);
    r->last_id = line->record.id;
    *mark = (struct mark){.offset_low = (uint32_t)at,
                          .offset_high = (uint32_t)(at >> 32) & 0x3fffffff,
                          .state = r->kind == IM_JOURNAL ? IM_RECORD_UNKNOWN : IM_RECORD_PLANNED,
                          .line = (uint32_t)number};
    return keep_names(r, &line->record, number, e);
}

static enum im_err take_result(struct im_journal_reader *r, const struct im_journal_line *line, size_t number,
                               struct im_error *e) {
    if (r->kind == IM_PLAN_FILE)
        return WRONG(r, number, "a plan has no results");
    if (line->id > r->changes.count)
        return WRONG(r, number, "a result of change %zu, which is not there", line->id);
    r->changes.items[line->id - 1].state = line->outcome == IM_CHANGED ? IM_RECORD_WRITTEN : IM_RECORD_NOT_MADE;
    return IM_OK;
}

static enum im_err take_line(struct im_journal_reader *r, const struct im_journal_line *line, uint64_t at, size_t number,
                             struct im_error *e) {
    if (r->has_end)
        return WRONG(r, number, "a line behind the last one");
    if (number == 1 && line->type != IM_LINE_HEAD)
        return WRONG(r, number, "this is no %s of imdir: its first line does not say so", kind_name(r->kind));
    if (number > 1 && line->type == IM_LINE_HEAD)
        return WRONG(r, number, "a second first line of a %s", kind_name(r->kind));
    switch (line->type) {
    case IM_LINE_HEAD:
        return take_head(r, line, e);
    case IM_LINE_CHANGE:
        return take_change(r, line, at, number, e);
    case IM_LINE_RESULT:
        return take_result(r, line, number, e);
    case IM_LINE_END:
        r->has_end = true;
        r->is_complete = line->is_complete;
    }
    return IM_OK;
}

/* What is left of a line that the end of the run, or of the machine, broke off. */
static bool is_torn(const struct im_journal_reader *r, uint64_t behind, bool is_json) {
    return r->kind == IM_JOURNAL && !is_json && behind == r->size;
}

/* The first line is written before anything else happens, and without it nothing is known. */
static enum im_err explain_first(const struct im_journal_reader *r, bool is_torn, struct im_error *why) {
    static const char torn[] = "the journal breaks off in its first line, before anything was written to the directory";
    im_error_context(why, is_torn                 ? torn
                          : r->kind == IM_JOURNAL ? "this is no journal of imdir"
                                                  : "this is no plan file of imdir");
    return why->code;
}

static enum im_err read_line(struct im_journal_reader *r, uint64_t *at, size_t number, struct im_pool *scratch,
                             struct im_error *e) {
    const struct im_journal_place place = {r->path, number};
    struct im_error why = {.code = IM_OK};
    struct im_journal_line parsed;
    struct line line;
    bool is_json = true;
    uint64_t from = *at;
    enum im_err err = get_line(r, from, number, &line, e);
    if (err != IM_OK)
        return err;
    *at += line.len + line.has_end;
    err = im_journal_parse(line.text, line.len, &place, number == 1 ? r->pool : scratch, &parsed, &is_json, &why);
    bool torn = err == IM_E_INPUT && is_torn(r, *at, is_json);
    if (torn && number > 1)
        return IM_OK;
    if (err == IM_E_INPUT && number == 1)
        err = explain_first(r, torn, &why);
    if (err == IM_OK)
        err = take_line(r, &parsed, from, number, &why);
    if (err != IM_OK && e && e->code == IM_OK)
        *e = why;
    return err;
}

static enum im_err read_all(struct im_journal_reader *r, struct im_error *e) {
    struct im_pool *scratch = im_pool_new();
    enum im_err err = scratch ? IM_OK : im_error_nomem(e);
    size_t number = 0;
    for (uint64_t at = 0; err == IM_OK && at < r->size;) {
        im_pool_reset(scratch);
        err = ++number < UINT32_MAX ? read_line(r, &at, number, scratch, e) : WRONG(r, number, "too many lines");
    }
    im_pool_free(&scratch);
    if (err == IM_OK && number == 0)
        err = WRONG(r, 0, "the %s is empty", kind_name(r->kind)); /* it ended before anything was written */
    if (err == IM_OK && r->kind == IM_PLAN_FILE && !r->is_complete)
        err = WRONG(r, 0, "the plan is not complete: the dry run that wrote it was interrupted, or only a part of it was copied");
    return err;
}

/* ---- opening ---- */

static enum im_err open_file(struct im_journal_reader *r, struct im_error *e) {
    struct stat st;
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* not to wait for a pipe's other end */
    if (r->fd < 0 || fstat(r->fd, &st) != 0)
        return io_error(r, "opened", e);
    if (!S_ISREG(st.st_mode))
        return WRONG(r, 0, "a %s is a regular file, which this is not", kind_name(r->kind));
    if (flock(r->fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return WRONG(r, 0, "the command that writes this %s is still running", kind_name(r->kind));
    r->size = (uint64_t)st.st_size;
    r->modified = st.st_mtim;
    return IM_OK;
}

enum im_err im_journal_open(const char *path, enum im_journal_kind kind, struct im_journal_reader **out, struct im_error *e) {
    struct im_journal_reader *r = calloc(1, sizeof *r);
    if (!r)
        return im_error_nomem(e);
    *r = (struct im_journal_reader){.kind = kind, .fd = -1, .path = strdup(path), .pool = im_pool_new()};
    r->attributes = im_set_new();
    r->classes = im_set_new();
    enum im_err err = r->path && r->pool && r->attributes && r->classes ? open_file(r, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = read_all(r, e);
    if (err != IM_OK) {
        im_journal_close(&r);
        return err;
    }
    *out = r;
    return IM_OK;
}

void im_journal_close(struct im_journal_reader **reader) {
    if (!reader || !*reader)
        return;
    struct im_journal_reader *r = *reader;
    if (r->fd >= 0)
        (void)close(r->fd);
    im_set_free(&r->attributes);
    im_set_free(&r->classes);
    im_vec_free(&r->names);
    im_vec_free(&r->changes);
    im_pool_free(&r->pool);
    free(r->window);
    free(r->path);
    free(r);
    *reader = NULL;
}

/* ---- what is in it ---- */

const struct im_journal_head *im_journal_head(const struct im_journal_reader *r) {
    return &r->head;
}

bool im_journal_is_complete(const struct im_journal_reader *r) {
    return r->is_complete;
}

size_t im_journal_reader_count(const struct im_journal_reader *r) {
    return r->changes.count;
}

const struct im_journal_name *im_journal_names(const struct im_journal_reader *r, size_t *count) {
    *count = r->names.count;
    return r->names.items;
}

enum im_record_state im_journal_state(const struct im_journal_reader *r, size_t index) {
    return (enum im_record_state)r->changes.items[index].state;
}

size_t im_journal_line(const struct im_journal_reader *r, size_t index) {
    return r->changes.items[index].line;
}

enum im_err im_journal_read(struct im_journal_reader *r, size_t index, struct im_pool *pool, struct im_record *out,
                            struct im_error *e) {
    const struct mark *mark = &r->changes.items[index];
    const struct im_journal_place place = {r->path, mark->line};
    struct im_journal_line parsed;
    struct line line;
    bool is_json;
    enum im_err err = get_line(r, (uint64_t)mark->offset_high << 32 | mark->offset_low, mark->line, &line, e);
    if (err == IM_OK)
        err = im_journal_parse(line.text, line.len, &place, pool, &parsed, &is_json, e);
    if (err == IM_OK && parsed.type != IM_LINE_CHANGE)
        err = WRONG(r, mark->line, "the %s was changed while it was read", kind_name(r->kind));
    if (err != IM_OK)
        return err;
    *out = parsed.record;
    out->state = (enum im_record_state)mark->state;
    return IM_OK;
}
