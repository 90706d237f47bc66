#include "lib/data/ldif_lines.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RECORD = 64 << 20, WINDOW = 1 << 18 };

enum im_err im_ldif_wrong(const struct im_ldif_lines *l, size_t column, struct im_error *e, const char *text) {
    return im_error_set_at(e, IM_E_INPUT, l->name, l->line_number, column, "%s", text);
}

/* ---- the window ---- */

static void move_to_front(struct im_ldif_lines *l) {
    size_t by = l->start;
    memmove(l->data, l->data + by, l->end - by);
    l->end -= by;
    l->at -= by;
    l->line -= by;
    l->start = 0;
    l->nul -= l->nul == SIZE_MAX ? 0 : by;
}

static enum im_err make_room(struct im_ldif_lines *l, struct im_error *e) {
    if (l->data && l->start)
        move_to_front(l);
    if (l->cap - l->end > WINDOW / 2)
        return IM_OK;
    size_t cap = l->cap ? 2 * l->cap : WINDOW;
    char *more = realloc(l->data, cap);
    if (!more)
        return im_error_nomem(e);
    l->data = more;
    l->cap = cap;
    return IM_OK;
}

static enum im_err refuse_utf16(struct im_ldif_lines *l, struct im_error *e) {
    if (l->end < 2 || (memcmp(l->data, "\xff\xfe", 2) != 0 && memcmp(l->data, "\xfe\xff", 2) != 0))
        return IM_OK;
    l->line_number = 1;
    return im_ldif_wrong(l, 1, e, "the file is UTF-16: LDIF is UTF-8 (ldifde without -u writes it)");
}

static enum im_err fill(struct im_ldif_lines *l, struct im_error *e) {
    bool is_first = !l->cap;
    enum im_err err = make_room(l, e);
    size_t len = 0;
    if (err == IM_OK && !l->data) /* an analyzer does not know that there is room now */
        err = IM_E_INTERNAL;
    if (err == IM_OK)
        err = l->source.read(l->source.user, l->data + l->end, l->cap - l->end - 1, &len, e);
    if (err != IM_OK)
        return err;
    const char *nul = l->nul == SIZE_MAX ? memchr(l->data + l->end, '\0', len) : NULL;
    if (nul)
        l->nul = (size_t)(nul - l->data);
    l->end += len;
    l->at_end = len == 0;
    if (!is_first)
        return IM_OK;
    if (l->end >= 3 && memcmp(l->data, "\xef\xbb\xbf", 3) == 0)
        l->at = 3;
    return refuse_utf16(l, e);
}

/* ---- physical lines ---- */

static enum im_err check_physical(const struct im_ldif_lines *l, size_t len, struct im_error *e) {
    if (l->nul < l->at + len && l->nul - l->at <= IM_LDIF_MAX_LINE) {
        return im_error_set_at(e, IM_E_INPUT, l->name, l->physical + 1, l->nul - l->at + 1,
                               "a NUL byte: LDIF is text; such values are written as base64 (\"name:: ...\")");
    }
    if (len > IM_LDIF_MAX_LINE)
        return im_error_set_at(e, IM_E_INPUT, l->name, l->physical + 1, IM_LDIF_MAX_LINE + 1, "the line is longer than 1 MiB");
    return IM_OK;
}

/* Brings the next physical line into the window: *len without its line end. *found is false at the end of the stream. */
static enum im_err find_physical(struct im_ldif_lines *l, size_t *len, bool *found, struct im_error *e) {
    for (size_t seen = 0;;) {
        const char *from = l->end ? l->data + l->at + seen : NULL;
        const char *lf = from ? memchr(from, '\n', l->end - l->at - seen) : NULL;
        seen = lf ? (size_t)(lf - l->data) - l->at : l->end - l->at;
        if (lf || l->at_end || seen > IM_LDIF_MAX_LINE) {
            *len = seen;
            *found = lf || seen;
            return check_physical(l, *len, e);
        }
        enum im_err err = fill(l, e);
        if (err != IM_OK)
            return err;
    }
}

/* Passes over the line that was found; its length without "\r". */
static size_t pass(struct im_ldif_lines *l, size_t len) {
    size_t text = len && l->data[l->at + len - 1] == '\r' ? len - 1 : len;
    l->at += len + (l->at + len < l->end);
    l->physical++;
    return text;
}

/* ---- logical lines ---- */

static enum im_err goes_on(struct im_ldif_lines *l, bool *does, struct im_error *e) {
    enum im_err err = l->at == l->end && !l->at_end ? fill(l, e) : IM_OK;
    *does = err == IM_OK && l->at < l->end && l->data[l->at] == ' ';
    return err;
}

/* Joins the continuation lines in place. */
static enum im_err unfold(struct im_ldif_lines *l, struct im_error *e) {
    for (;;) {
        bool does = false;
        bool found = false;
        size_t len = 0;
        enum im_err err = goes_on(l, &does, e);
        if (err != IM_OK || !does)
            return err;
        err = find_physical(l, &len, &found, e);
        if (err != IM_OK)
            return err;
        size_t from = l->at + 1;
        size_t more = pass(l, len) - 1;
        memmove(l->data + l->line + l->len, l->data + from, more);
        l->len += more;
        if (l->len > IM_LDIF_MAX_LINE)
            return im_ldif_wrong(l, 0, e, "the line is longer than 1 MiB");
    }
}

/* Most lines are one physical line that lies in the window with the beginning of the next: false where it is not so. */
static bool take_plain(struct im_ldif_lines *l) {
    const char *from = l->at < l->end ? l->data + l->at : NULL;
    const char *lf = from ? memchr(from, '\n', l->end - l->at) : NULL;
    if (!lf || lf + 1 == l->data + l->end || lf[1] == ' ' || lf - from > IM_LDIF_MAX_LINE || l->nul <= (size_t)(lf - l->data))
        return false;
    l->line = l->at;
    l->len = (size_t)(lf - from);
    l->at += l->len + 1;
    l->len -= l->len && lf[-1] == '\r';
    l->line_number = ++l->physical;
    return true;
}

/* Any other, with those that continue it. */
static enum im_err take_any(struct im_ldif_lines *l, bool *end, struct im_error *e) {
    bool found = false;
    size_t len = 0;
    l->line = l->at;
    enum im_err err = find_physical(l, &len, &found, e);
    *end = !found;
    if (err != IM_OK || !found)
        return err;
    l->line = l->at;
    l->len = pass(l, len);
    l->line_number = l->physical;
    return l->len ? unfold(l, e) : IM_OK;
}

enum im_err im_ldif_lines_next(struct im_ldif_lines *l, bool keeps, bool *end, struct im_error *e) {
    for (;;) {
        if (!keeps)
            l->start = l->at;
        *end = false;
        enum im_err err = take_plain(l) ? IM_OK : take_any(l, end, e);
        if (err != IM_OK || *end)
            return err;
        if (l->at - l->start > MAX_RECORD)
            return im_ldif_wrong(l, 0, e, "the entry is larger than 64 MiB");
        l->data[l->line + l->len] = '\0';
        if (l->data[l->line] != '#')
            return IM_OK;
    }
}
