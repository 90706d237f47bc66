#include "lib/data/ldif.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/base64.h"
#include "lib/data/dn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1 << 20, MAX_RECORD = 64 << 20, MAX_ATTRIBUTES = 4096 };

struct im_ldif_reader {
    FILE *stream;
    const char *name;
    struct im_buf line;    /* the logical line: continuation lines joined */
    struct im_buf next;    /* the physical line read ahead */
    size_t line_number;    /* where the logical line began */
    size_t physical;       /* number of the physical line in `next` */
    bool has_next, at_end; /* is there a physical line in `next`; nothing more in the stream */
    bool seen_record;
};

/* The values of one record while it is read. */
struct values {
    struct berval *items;
    size_t count, cap;
};

struct attrs {
    struct attr_building {
        const char *name;
        struct values values;
    } * items;
    size_t count, cap;
};

enum im_err im_ldif_reader_new(FILE *stream, const char *name, struct im_ldif_reader **out, struct im_error *e) {
    struct im_ldif_reader *r = calloc(1, sizeof *r);
    if (!r)
        return im_error_nomem(e);
    r->stream = stream;
    r->name = name;
    *out = r;
    return IM_OK;
}

void im_ldif_reader_free(struct im_ldif_reader **r) {
    if (!r || !*r)
        return;
    im_buf_free(&(*r)->line);
    im_buf_free(&(*r)->next);
    free(*r);
    *r = NULL;
}

static enum im_err wrong(const struct im_ldif_reader *r, size_t column, struct im_error *e, const char *text) {
    return im_error_set_at(e, IM_E_INPUT, r->name, r->line_number, column, "%s", text);
}

/* Reads one physical line into r->next, without its line end. */
static enum im_err read_physical(struct im_ldif_reader *r, struct im_error *e) {
    im_buf_clear(&r->next);
    r->has_next = false;
    int c;
    while ((c = getc_unlocked(r->stream)) != EOF && c != '\n') {
        if (c == '\0' || r->next.len >= MAX_LINE) {
            return im_error_set_at(e, IM_E_INPUT, r->name, r->physical + 1, r->next.len + 1, "%s",
                                   c == '\0' ? "a NUL byte: LDIF is text; such values are written as base64 (\"name:: ...\")"
                                             : "the line is longer than 1 MiB");
        }
        im_buf_addc(&r->next, (char)c);
    }
    if (c == EOF && ferror(r->stream))
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", r->name);
    if (r->next.failed)
        return im_error_nomem(e);
    if (c == EOF && r->next.len == 0) {
        r->at_end = true;
        return IM_OK;
    }
    if (r->next.len && r->next.data[r->next.len - 1] == '\r')
        r->next.data[--r->next.len] = '\0';
    r->physical++;
    if (r->physical == 1 && r->next.len >= 3 && memcmp(r->next.data, "\xef\xbb\xbf", 3) == 0) {
        memmove(r->next.data, r->next.data + 3, r->next.len - 2);
        r->next.len -= 3;
    }
    r->has_next = true;
    return IM_OK;
}

/* Reads one logical line into r->line; *end when there is none left. Comments are passed over. */
static enum im_err read_logical(struct im_ldif_reader *r, bool *end, struct im_error *e) {
    for (;;) {
        enum im_err err = r->has_next ? IM_OK : read_physical(r, e);
        if (err != IM_OK)
            return err;
        *end = !r->has_next;
        if (*end)
            return IM_OK;
        r->line_number = r->physical;
        im_buf_clear(&r->line);
        do {
            bool is_first = r->line_number == r->physical;
            im_buf_add(&r->line, im_buf_str(&r->next) + !is_first, r->next.len - !is_first);
            if (r->line.len > MAX_LINE)
                return wrong(r, 0, e, "the line is longer than 1 MiB");
            err = read_physical(r, e);
            if (err != IM_OK)
                return err;
        } while (r->has_next && r->next.len && r->next.data[0] == ' ' && r->line.len);
        if (r->line.failed)
            return im_error_nomem(e);
        if (!r->line.len || r->line.data[0] != '#')
            return IM_OK;
    }
}

static enum im_err decode64(const struct im_ldif_reader *r, size_t start, struct im_pool *pool, struct berval *out,
                            struct im_error *e) {
    const char *text = r->line.data + start;
    size_t len = r->line.len - start;
    while (len && text[len - 1] == ' ')
        len--;
    char *bytes = im_pool_alloc(pool, len / 4 * 3 + 1);
    if (!bytes)
        return im_error_nomem(e);
    size_t at;
    size_t decoded;
    if (!im_base64_decode(text, len, bytes, &decoded, &at))
        return wrong(r, start + at + 1, e, "broken base64: a character is missing or does not belong there");
    *out = (struct berval){.bv_len = decoded, .bv_val = bytes};
    return IM_OK;
}

static bool is_name(const char *name, size_t len) {
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && (i == 0 || !strchr("-;._=*", c)))
            return false;
    }
    return len > 0;
}

/* Splits the logical line into a name and its value. */
static enum im_err parse_line(struct im_ldif_reader *r, struct im_pool *pool, const char **name, struct berval *value,
                              struct im_error *e) {
    char *colon = memchr(r->line.data, ':', r->line.len);
    if (!colon)
        return wrong(r, 1, e, "expected \"name: value\", found no colon");
    size_t name_len = (size_t)(colon - r->line.data);
    if (!is_name(r->line.data, name_len))
        return wrong(r, 1, e, "expected an attribute name before the colon");
    size_t start = name_len + 1;
    bool is_base64 = r->line.data[start] == ':';
    if (r->line.data[start] == '<')
        return wrong(r, start + 1, e, "values from files or URLs (\"name:< url\") are not followed");
    start += is_base64;
    while (start < r->line.len && r->line.data[start] == ' ')
        start++;
    *name = im_pool_strndup(pool, r->line.data, strcspn(r->line.data, ":;")); /* without options such as ";binary" */
    if (!*name)
        return im_error_nomem(e);
    if (is_base64)
        return decode64(r, start, pool, value, e);
    struct berval plain = {.bv_len = r->line.len - start, .bv_val = r->line.data + start};
    return im_pool_value(pool, &plain, value) == 0 ? IM_OK : im_error_nomem(e);
}

/* "member;range=0-1499" and "member;range=1500-*" are parts of one attribute: names come without options. */
static enum im_err add_value(const struct im_ldif_reader *r, struct attrs *attrs, const char *name, const struct berval *value,
                             struct im_error *e) {
    struct attr_building *attr = NULL;
    for (size_t i = attrs->count; i-- > 0 && !attr;) {
        if (im_text_equal(attrs->items[i].name, name))
            attr = &attrs->items[i];
    }
    if (!attr) {
        if (attrs->count == MAX_ATTRIBUTES) /* each name is compared with all before it */
            return wrong(r, 1, e, "the entry has more than 4096 different attributes");
        attr = im_vec_push(attrs);
        if (!attr)
            return im_error_nomem(e);
        attr->name = name;
    }
    struct berval *slot = im_vec_push(&attr->values);
    if (!slot)
        return im_error_nomem(e);
    *slot = *value;
    return IM_OK;
}

/* Lines that are LDIF, but not content records. */
static enum im_err refuse_special(const struct im_ldif_reader *r, const char *name, struct im_error *e) {
    if (im_text_equal(name, "include"))
        return wrong(r, 1, e, "\"include:\" is not followed");
    if (im_text_equal(name, "changetype") || im_text_equal(name, "control"))
        return wrong(r, 1, e, "a change record: an export holds entries, not changes");
    return IM_OK;
}

static enum im_err read_attributes(struct im_ldif_reader *r, struct im_pool *pool, struct attrs *attrs, struct im_error *e) {
    size_t size = 0;
    for (;;) {
        bool end;
        enum im_err err = read_logical(r, &end, e);
        if (err != IM_OK || end || r->line.len == 0)
            return err;
        const char *name = "";
        struct berval value = {0};
        err = parse_line(r, pool, &name, &value, e);
        if (err == IM_OK)
            err = refuse_special(r, name, e);
        if (err == IM_OK && im_text_equal(name, "dn"))
            err = wrong(r, 1, e, "\"dn:\" within an entry: an empty line must stand between entries");
        if (err == IM_OK && (size += r->line.len) > MAX_RECORD)
            err = wrong(r, 0, e, "the entry is larger than 64 MiB");
        if (err == IM_OK)
            err = add_value(r, attrs, name, &value, e);
        if (err != IM_OK)
            return err;
    }
}

static enum im_err finish(const struct attrs *attrs, struct im_pool *pool, struct im_entry *entry, struct im_error *e) {
    entry->attrs = im_pool_array(pool, attrs->count, sizeof *entry->attrs);
    if (!entry->attrs)
        return im_error_nomem(e);
    for (size_t i = 0; i < attrs->count; i++) {
        const struct attr_building *from = &attrs->items[i];
        struct im_attr *to = &entry->attrs[i];
        to->name = from->name;
        to->count = from->values.count;
        to->values = im_pool_array(pool, to->count, sizeof *to->values);
        if (!to->values)
            return im_error_nomem(e);
        memcpy(to->values, from->values.items, to->count * sizeof *to->values);
    }
    entry->count = attrs->count;
    return IM_OK;
}

/* What ldapsearch writes behind the entries, up to the next empty line. An export that was cut short says so here. */
static enum im_err skip_trailer(struct im_ldif_reader *r, struct im_error *e) {
    for (bool end = false; !end && r->line.len;) {
        const char *line = r->line.data;
        if (strncmp(line, "result: ", 8) == 0 && strncmp(line, "result: 0 ", 10) != 0) {
            return im_error_set_at(e, IM_E_TRUNCATED, r->name, r->line_number, 1,
                                   "the export is not whole: ldapsearch ended with \"%.200s\"; make it again", line + 8);
        }
        enum im_err err = read_logical(r, &end, e);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

static bool begins_trailer(const char *name) {
    return im_text_equal(name, "search") || im_text_equal(name, "result") || im_text_equal(name, "ref");
}

/* An export with extended DNs has "<GUID=...>;<SID=...>;" in front. */
static enum im_err take_dn(const struct im_ldif_reader *r, struct im_pool *pool, const struct berval *value,
                           struct im_entry *entry, struct im_error *e) {
    if (memchr(value->bv_val, '\0', value->bv_len))
        return wrong(r, 1, e, "the DN holds a NUL");
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    im_dn_split_extended(value->bv_val, value->bv_len, &guid, &dn);
    entry->line = r->line_number;
    entry->dn = dn.failed || guid.failed ? NULL : im_pool_strndup(pool, im_buf_str(&dn), dn.len);
    im_buf_free(&guid);
    im_buf_free(&dn);
    return entry->dn ? IM_OK : im_error_nomem(e);
}

/* Finds the next "dn:" line; *end when there is none. */
static enum im_err read_dn(struct im_ldif_reader *r, struct im_pool *pool, struct im_entry *entry, bool *end,
                           struct im_error *e) {
    for (;;) {
        enum im_err err = read_logical(r, end, e);
        if (err != IM_OK || *end)
            return err;
        if (r->line.len == 0)
            continue;
        const char *name = "";
        struct berval value = {0};
        err = parse_line(r, pool, &name, &value, e);
        if (err == IM_OK)
            err = refuse_special(r, name, e);
        if (err != IM_OK)
            return err;
        if (!r->seen_record && im_text_equal(name, "version")) {
            if (strcmp(value.bv_val, "1") != 0)
                return wrong(r, 1, e, "only LDIF version 1 is known");
            continue;
        }
        if (begins_trailer(name)) {
            err = skip_trailer(r, e);
            if (err != IM_OK)
                return err;
            continue;
        }
        if (!im_text_equal(name, "dn"))
            return wrong(r, 1, e, "expected an entry, which begins with \"dn:\"");
        r->seen_record = true;
        return take_dn(r, pool, &value, entry, e);
    }
}

enum im_err im_ldif_read(struct im_ldif_reader *r, struct im_pool *pool, struct im_entry **entry, struct im_error *e) {
    struct attrs attrs = {0};
    struct im_entry *read = im_pool_alloc(pool, sizeof *read);
    if (!read)
        return im_error_nomem(e);
    bool end = false;
    enum im_err err = read_dn(r, pool, read, &end, e);
    if (err == IM_OK && !end)
        err = read_attributes(r, pool, &attrs, e);
    if (err == IM_OK && !end)
        err = finish(&attrs, pool, read, e);
    if (err == IM_OK)
        *entry = end ? NULL : read;
    for (size_t i = 0; i < attrs.count; i++)
        im_vec_free(&attrs.items[i].values);
    im_vec_free(&attrs);
    return err;
}
