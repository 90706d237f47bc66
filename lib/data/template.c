#include "lib/data/template.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <string.h>

enum { NAME_MAX_LEN = 64 };

/* The next piece of a template: literal text, or a variable's name. */
struct piece {
    bool is_variable;
    const char *text;
    size_t len;
    const char *begin; /* its first brace or character */
};

/* For messages. 1-based, in characters: bytes that go on with a UTF-8 character do not count. */
static size_t column_of(const char *template, const struct piece *piece) {
    size_t column = 1;
    for (; template <piece->begin; template ++)
        column += ((unsigned char)*template & 0xc0) != 0x80;
    return column;
}

/* Reads the piece at *at and moves behind it; false at the end. A broken piece has text NULL. */
static bool next_piece(const char **at, struct piece *piece) {
    const char *c = *at;
    *piece = (struct piece){.text = c, .begin = c};
    if (!*c)
        return false;
    if ((c[0] == '{' || c[0] == '}') && c[1] == c[0]) { /* a doubled brace stands for itself */
        piece->len = 1;
        *at = c + 2;
    } else if (*c == '{') {
        const char *end = strchr(c, '}');
        piece->is_variable = true;
        piece->text = end && end - c - 1 <= NAME_MAX_LEN && end > c + 1 ? c + 1 : NULL;
        piece->len = end ? (size_t)(end - c) - 1 : 0;
        *at = end ? end + 1 : c + strlen(c);
    } else if (*c == '}') {
        piece->text = NULL;
        *at = c + 1;
    } else {
        piece->len = strcspn(c, "{}");
        *at = c + piece->len;
    }
    return true;
}

static bool is_attribute(const struct piece *piece) {
    return piece->len > 5 && strncmp(piece->text, "attr:", 5) == 0;
}

static bool is_known(const struct piece *piece, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == piece->len && memcmp(names[i], piece->text, piece->len) == 0)
            return true;
    }
    return is_attribute(piece);
}

static enum im_err unknown_variable(const struct piece *piece, size_t column, const char *const *names, size_t count,
                                    struct im_error *e) {
    char name[NAME_MAX_LEN + 1] = "";
    memcpy(name, piece->text, piece->len);
    const char *nearest = im_text_nearest(name, names, count);
    if (nearest) {
        return im_error_set_at(e, IM_E_CONFIG, NULL, 0, column, "unknown variable {%s}: did you mean {%s}?", name, nearest);
    }
    struct im_buf list = IM_BUF_INIT;
    for (size_t i = 0; i < count; i++)
        im_buf_addf(&list, "{%s} ", names[i]);
    im_error_set_at(e, IM_E_CONFIG, NULL, 0, column, "unknown variable {%s}: expected one of %sor {attr:NAME}", name,
                    im_buf_str(&list));
    im_buf_free(&list);
    return IM_E_CONFIG;
}

enum im_err im_template_check(const char *text, const char *const *names, size_t count, struct im_error *e) {
    const char *at = text;
    for (struct piece piece; next_piece(&at, &piece);) {
        if (!piece.text) {
            return im_error_set_at(
                e, IM_E_CONFIG, NULL, 0, column_of(text, &piece),
                "template \"%s\" has a brace without its partner or name at column %zu; a literal brace is doubled", text,
                column_of(text, &piece));
        }
        if (piece.is_variable && !is_known(&piece, names, count))
            return unknown_variable(&piece, column_of(text, &piece), names, count, e);
    }
    return IM_OK;
}

/* unreserved and sub-delims of RFC 3986 may stand in a path segment as they are, and so may ":" and "@". */
static bool is_segment_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~!$&'()*+,;=:@", c));
}

static void add_value(const char *value, enum im_template_context context, struct im_buf *out) {
    if (context == IM_TEMPLATE_PLAIN) {
        im_buf_adds(out, value);
    } else if (context == IM_TEMPLATE_DN) {
        im_dn_escape(value, strlen(value), out);
    } else {
        while (*value) {
            size_t plain = 0;
            while (is_segment_char(value[plain]))
                plain++;
            im_buf_add(out, value, plain);
            value += plain;
            if (*value)
                im_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*value++);
        }
    }
}

enum im_err im_template_expand(const char *text, enum im_template_context context, im_template_lookup *lookup, void *user,
                               struct im_buf *out, struct im_error *e) {
    enum im_err err = IM_OK;
    size_t before = out->len;
    const char *at = text;
    for (struct piece piece; next_piece(&at, &piece);) {
        if (!piece.text) {
            err = im_error_set(e, IM_E_CONFIG, "template \"%s\" has a brace without its partner at column %zu", text,
                               column_of(text, &piece));
            goto fail;
        }
        if (!piece.is_variable) {
            im_buf_add(out, piece.text, piece.len);
            continue;
        }
        char name[NAME_MAX_LEN + 1] = "";
        memcpy(name, piece.text, piece.len);
        const char *value = lookup(user, name);
        if (!value || !*value) {
            err = im_error_set(e, IM_E_INPUT, "the template \"%s\" needs {%s}, which has no value", text, name);
            goto fail;
        }
        add_value(value, context, out);
    }
    if (!out->failed)
        return IM_OK;
    err = im_error_nomem(e);
fail:
    if (out->len > before)
        out->data[out->len = before] = '\0'; /* half a value is worse than none */
    return err;
}

bool im_template_uses(const char *text, const char *variable) {
    const char *at = text;
    for (struct piece piece; next_piece(&at, &piece);) {
        if (piece.is_variable && piece.text && strlen(variable) == piece.len && memcmp(variable, piece.text, piece.len) == 0)
            return true;
    }
    return false;
}
