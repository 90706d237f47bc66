#include "lib/data/ldif.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/base64.h"
#include "lib/data/dn.h"
#include "lib/data/ldif_lines.h"
#include "lib/data/ldif_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A value of the record that is read. Lines move while it is: places count from its start. */
struct value {
    size_t attr, at, len;
};

struct attr {
    const struct im_ldif_name *name;
    size_t count, first, filled; /* values: how many, where in the list, how many of them are there already */
    bool is_part, is_whole;      /* parts came; the last one did */
};

struct im_ldif_reader {
    struct im_ldif_lines lines;
    struct im_ldif_names names;
    FILE *stream;
    bool seen_record;
    size_t record;    /* number of the one that is read */
    size_t new_names; /* spellings that were not known when it began */
    struct {
        struct attr *items;
        size_t count, cap;
    } attrs;
    struct {
        struct value *items;
        size_t count, cap;
    } values;
    size_t dn_at;
    struct im_buf dn; /* of an extended form */
    /* what is handed out */
    struct im_entry entry;
    size_t entry_cap, value_cap, number_cap;
    struct berval *value_list;
    size_t *numbers;
};

/* ---- opening ---- */

static enum im_err read_stream(void *user, char *out, size_t size, size_t *len, struct im_error *e) {
    struct im_ldif_reader *r = user;
    *len = fread(out, 1, size, r->stream);
    if (*len < size && ferror(r->stream))
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", r->lines.name);
    return IM_OK;
}

enum im_err im_ldif_reader_open(const struct im_ldif_source *source, const char *name, struct im_ldif_reader **out,
                                struct im_error *e) {
    struct im_ldif_reader *r = calloc(1, sizeof *r);
    if (!r)
        return im_error_nomem(e);
    r->lines.source = *source;
    r->lines.name = name;
    r->lines.nul = SIZE_MAX;
    *out = r;
    return IM_OK;
}

enum im_err im_ldif_reader_new(FILE *stream, const char *name, struct im_ldif_reader **out, struct im_error *e) {
    const struct im_ldif_source source = {.read = read_stream};
    enum im_err err = im_ldif_reader_open(&source, name, out, e);
    if (err == IM_OK) {
        (*out)->stream = stream;
        (*out)->lines.source.user = *out;
    }
    return err;
}

void im_ldif_reader_want(struct im_ldif_reader *r, const char *const *names, size_t count) {
    r->names.wanted = names;
    r->names.wanted_count = count;
}

void im_ldif_reader_free(struct im_ldif_reader **reader) {
    struct im_ldif_reader *r = reader ? *reader : NULL;
    if (!r)
        return;
    im_ldif_names_free(&r->names);
    im_vec_free(&r->attrs);
    im_vec_free(&r->values);
    im_buf_free(&r->dn);
    free(r->lines.data);
    free(r->entry.attrs);
    free(r->value_list);
    free(r->numbers);
    free(r);
    *reader = NULL;
}

/* ---- one line ---- */

static enum im_err wrong(const struct im_ldif_reader *r, size_t column, struct im_error *e, const char *text) {
    return im_ldif_wrong(&r->lines, column, e, text);
}

/* Decodes in place. */
static enum im_err decode64(struct im_ldif_reader *r, size_t start, size_t *len, struct im_error *e) {
    char *text = im_ldif_line(&r->lines) + start;
    size_t at;
    while (*len && text[*len - 1] == ' ')
        --*len;
    if (!im_base64_decode(text, *len, text, len, &at))
        return wrong(r, start + at + 1, e, "broken base64: a character is missing or does not belong there");
    text[*len] = '\0';
    return IM_OK;
}

/* The name of the logical line; *len is its length. */
static enum im_err parse_name(struct im_ldif_reader *r, struct im_ldif_name **name, size_t *len, struct im_error *e) {
    const char *line = im_ldif_line(&r->lines);
    *name = im_ldif_names_guess(&r->names, line, r->lines.len);
    if (*name && line[(*name)->len + 1] != '<') {
        *len = (*name)->len;
        return IM_OK;
    }
    const char *colon = memchr(line, ':', r->lines.len);
    if (!colon)
        return wrong(r, 1, e, "expected \"name: value\", found no colon");
    *len = (size_t)(colon - line);
    size_t known = r->names.count;
    enum im_err err = im_ldif_names_find(&r->names, line, *len, name, e);
    r->new_names += r->names.count - known;
    if (err == IM_OK && !*name)
        return wrong(r, 1, e, "expected an attribute name before the colon");
    if (err == IM_OK && line[*len + 1] == '<')
        return wrong(r, *len + 2, e, "values from files or URLs (\"name:< url\") are not followed");
    return err;
}

/* The value behind a name of that length, from the start of the record. It is decoded where it stands. */
static enum im_err parse_value(struct im_ldif_reader *r, size_t name_len, struct value *out, struct im_error *e) {
    const char *line = im_ldif_line(&r->lines);
    size_t start = name_len + 1;
    bool is_base64 = line[start] == ':';
    start += is_base64;
    while (start < r->lines.len && line[start] == ' ')
        start++;
    out->at = r->lines.line + start - r->lines.start;
    out->len = r->lines.len - start;
    return is_base64 ? decode64(r, start, &out->len, e) : IM_OK;
}

/* ---- a record ---- */

static enum im_err too_many(const struct im_ldif_reader *r, struct im_error *e) {
    return wrong(r, 1, e, "the entry has more than 4096 different attributes");
}

/* "member;range=0-1499" and "member;range=1500-*" are parts of one attribute: names come without options. */
static enum im_err add_value(struct im_ldif_reader *r, struct im_ldif_name *name, size_t name_len, struct im_error *e) {
    struct im_ldif_name *first = name->first;
    if (first->record != r->record) {
        if (r->attrs.count == IM_LDIF_MAX_NAMES)
            return too_many(r, e);
        struct attr *attr = im_vec_push(&r->attrs);
        if (!attr)
            return im_error_nomem(e);
        attr->name = name;
        first->record = r->record;
        first->index = r->attrs.count - 1;
    }
    struct value *value = im_vec_push(&r->values);
    if (!value)
        return im_error_nomem(e);
    struct attr *attr = &r->attrs.items[first->index];
    attr->count++;
    attr->is_part = attr->is_part || name->is_part;
    attr->is_whole = attr->is_whole || name->is_last;
    value->attr = first->index;
    return parse_value(r, name_len, value, e);
}

/* Lines that are LDIF, but not content records. */
static enum im_err refuse_special(const struct im_ldif_reader *r, const struct im_ldif_name *name, struct im_error *e) {
    if (name->word == IM_LDIF_INCLUDE)
        return wrong(r, 1, e, "\"include:\" is not followed");
    if (name->word == IM_LDIF_CHANGE || name->word == IM_LDIF_CONTROL)
        return wrong(r, 1, e, "a change record: an export holds entries, not changes");
    return IM_OK;
}

/* ldifde writes entries as additions. */
static bool is_addition(const struct im_ldif_reader *r, size_t name_len, bool is_first) {
    const char *value = im_ldif_line(&r->lines) + name_len + 1;
    return is_first && im_text_equal(value + strspn(value, " "), "add");
}

static enum im_err take_line(struct im_ldif_reader *r, bool is_first, struct im_error *e) {
    struct im_ldif_name *name = NULL;
    size_t len = 0;
    enum im_err err = parse_name(r, &name, &len, e);
    if (err != IM_OK || !name)
        return err;
    if (name->word == IM_LDIF_DN)
        return wrong(r, 1, e, "\"dn:\" within an entry: an empty line must stand between entries");
    if (name->word == IM_LDIF_CHANGE && is_addition(r, len, is_first))
        return IM_OK;
    err = refuse_special(r, name, e);
    if (err == IM_OK && r->new_names > IM_LDIF_MAX_NEW)
        err = too_many(r, e);
    return err == IM_OK && name->is_wanted ? add_value(r, name, len, e) : err;
}

static bool skip(struct im_ldif_reader *r, const struct im_ldif_name *name) {
    return name && !name->is_wanted && name->word == IM_LDIF_ATTRIBUTE && im_ldif_lines_skip(&r->lines, name->spelled, name->len);
}

/* Lines that nobody wants, as long as they come in the order of the entry before, which is most of an export. */
static void pass_over(struct im_ldif_reader *r) {
    for (struct im_ldif_name *last = r->names.previous; last; r->names.previous = last) {
        if (skip(r, last->next)) {
            last = last->next;
        } else if (!skip(r, last)) {
            return;
        }
    }
}

static enum im_err read_attributes(struct im_ldif_reader *r, struct im_error *e) {
    for (bool is_first = true;; is_first = false) {
        bool end;
        if (!is_first)
            pass_over(r);
        enum im_err err = im_ldif_lines_next(&r->lines, true, &end, e);
        if (err != IM_OK || end || r->lines.len == 0)
            return err;
        err = take_line(r, is_first, e);
        if (err != IM_OK)
            return err;
    }
}

/* ---- what is handed out ---- */

/* Room for so many items; NULL: out of memory. */
static void *room(void *items, size_t *cap, size_t count, size_t size) {
    if (items && *cap >= count)
        return items;
    size_t more = 2 * count + 16;
    void *larger = realloc(items, more * size); /* bounded by the size of a record */
    if (larger)
        *cap = more;
    return larger;
}

static enum im_err make_room(struct im_ldif_reader *r, struct im_error *e) {
    void *attrs = room(r->entry.attrs, &r->entry_cap, r->attrs.count, sizeof *r->entry.attrs);
    if (!attrs)
        return im_error_nomem(e);
    r->entry.attrs = attrs;
    void *values = room(r->value_list, &r->value_cap, r->values.count, sizeof *r->value_list);
    if (!values)
        return im_error_nomem(e);
    r->value_list = values;
    void *numbers = room(r->numbers, &r->number_cap, r->attrs.count, sizeof *r->numbers);
    if (!numbers)
        return im_error_nomem(e);
    r->numbers = numbers;
    return IM_OK;
}

/* Values of one attribute side by side, wherever they stood. */
static enum im_err finish(struct im_ldif_reader *r, struct im_error *e) {
    enum im_err err = make_room(r, e);
    if (err != IM_OK)
        return err;
    size_t next = 0;
    for (size_t i = 0; i < r->attrs.count; i++) {
        struct attr *from = &r->attrs.items[i];
        r->entry.attrs[i] = (struct im_attr){.name = from->name->plain, .values = r->value_list + next, .count = from->count};
        r->numbers[i] = from->name->wanted;
        from->first = next;
        next += from->count;
    }
    for (size_t i = 0; i < r->values.count; i++) {
        const struct value *value = &r->values.items[i];
        struct attr *attr = &r->attrs.items[value->attr];
        r->value_list[attr->first + attr->filled++] =
            (struct berval){.bv_len = value->len, .bv_val = r->lines.data + r->lines.start + value->at};
    }
    r->entry.count = r->attrs.count;
    if (!r->dn.len)
        r->entry.dn = r->lines.data + r->lines.start + r->dn_at;
    return IM_OK;
}

const size_t *im_ldif_wanted(const struct im_ldif_reader *r) {
    return r->numbers;
}

const char *im_ldif_partial(const struct im_ldif_reader *r) {
    for (size_t i = 0; i < r->attrs.count; i++) {
        if (r->attrs.items[i].is_part && !r->attrs.items[i].is_whole)
            return r->attrs.items[i].name->plain;
    }
    return NULL;
}

const char *im_ldif_name(const struct im_ldif_reader *r, size_t number) {
    return number < r->names.count ? r->names.list[number]->plain : NULL;
}

/* ---- between records ---- */

/* What ldapsearch writes behind the entries, up to the next empty line. An export that was cut short says so here. */
static enum im_err skip_trailer(struct im_ldif_reader *r, struct im_error *e) {
    for (bool end = false; !end && r->lines.len;) {
        const char *line = im_ldif_line(&r->lines);
        if (strncmp(line, "result: ", 8) == 0 && strncmp(line, "result: 0 ", 10) != 0) {
            return im_error_set_at(e, IM_E_TRUNCATED, r->lines.name, r->lines.line_number, 1,
                                   "the export is not whole: ldapsearch ended with \"%.200s\"; make it again", line + 8);
        }
        enum im_err err = im_ldif_lines_next(&r->lines, false, &end, e);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

/* An export with extended DNs has "<GUID=...>;<SID=...>;" in front. */
static enum im_err take_dn(struct im_ldif_reader *r, size_t name_len, struct im_error *e) {
    struct value value = {0};
    enum im_err err = parse_value(r, name_len, &value, e);
    if (err != IM_OK)
        return err;
    const char *text = r->lines.data + r->lines.start + value.at;
    if (memchr(text, '\0', value.len))
        return wrong(r, 1, e, "the DN holds a NUL");
    r->dn_at = value.at;
    r->entry.line = r->lines.line_number;
    im_buf_clear(&r->dn);
    if (*text != '<')
        return IM_OK;
    struct im_buf guid = IM_BUF_INIT;
    im_dn_split_extended(text, value.len, &guid, &r->dn);
    bool failed = guid.failed || r->dn.failed;
    im_buf_free(&guid);
    r->entry.dn = im_buf_str(&r->dn);
    return failed ? im_error_nomem(e) : IM_OK;
}

/* A line in front of a record. *is_dn: it begins one. */
static enum im_err take_between(struct im_ldif_reader *r, bool *is_dn, struct im_error *e) {
    struct im_ldif_name *name = NULL;
    size_t len = 0;
    struct value value = {0};
    enum im_err err = parse_name(r, &name, &len, e);
    if (err != IM_OK || !name)
        return err;
    err = refuse_special(r, name, e);
    if (err != IM_OK)
        return err;
    if (!r->seen_record && name->word == IM_LDIF_VERSION) {
        err = parse_value(r, len, &value, e);
        if (err == IM_OK && strcmp(r->lines.data + r->lines.start + value.at, "1") != 0)
            err = wrong(r, 1, e, "only LDIF version 1 is known");
        return err;
    }
    if (name->word == IM_LDIF_TRAILER)
        return skip_trailer(r, e);
    if (name->word != IM_LDIF_DN)
        return wrong(r, 1, e, "expected an entry, which begins with \"dn:\"");
    r->seen_record = true;
    *is_dn = true;
    return take_dn(r, len, e);
}

/* Finds the next "dn:" line; *end when there is none. */
static enum im_err read_dn(struct im_ldif_reader *r, bool *end, struct im_error *e) {
    for (bool is_dn = false; !is_dn;) {
        enum im_err err = im_ldif_lines_next(&r->lines, false, end, e);
        if (err == IM_OK && !*end && r->lines.len)
            err = take_between(r, &is_dn, e);
        if (err != IM_OK || *end)
            return err;
    }
    return IM_OK;
}

enum im_err im_ldif_next(struct im_ldif_reader *r, const struct im_entry **entry, struct im_error *e) {
    bool end = false;
    r->record++;
    r->new_names = 0;
    r->attrs.count = r->values.count = 0;
    im_ldif_names_trim(&r->names);
    enum im_err err = read_dn(r, &end, e);
    if (err == IM_OK && !end)
        err = read_attributes(r, e);
    if (err == IM_OK && !end)
        err = finish(r, e);
    if (err == IM_OK)
        *entry = end ? NULL : &r->entry;
    return err;
}

enum im_err im_ldif_read(struct im_ldif_reader *r, struct im_pool *pool, struct im_entry **entry, struct im_error *e) {
    const struct im_entry *found = NULL;
    enum im_err err = im_ldif_next(r, &found, e);
    struct im_entry *copy = found ? im_entry_copy(found, pool) : NULL;
    if (found && !copy)
        return im_error_nomem(e);
    if (err == IM_OK)
        *entry = copy;
    return err;
}
