#include "tools/table_columns.h"

#include <string.h>

#define BLANKS " \t\r\n\v\f"
#define NO_BREAK "\xc2\xa0"

static const struct {
    const char *name, *prefix;
} columns[IM_COLUMN_COUNT] = {
    [IM_COLUMN_DN] = {"dn", "dn:"},
    [IM_COLUMN_GUID] = {"objectGUID", "guid:"},
    [IM_COLUMN_SID] = {"objectSid", "sid:"},
    [IM_COLUMN_ACCOUNT] = {"account", ""},
    [IM_COLUMN_SAM] = {"sAMAccountName", "sam:"},
    [IM_COLUMN_UID] = {"uid", "sam:"},
    [IM_COLUMN_UPN] = {"userPrincipalName", "upn:"},
    [IM_COLUMN_MAIL] = {"mail", "mail:"},
    [IM_COLUMN_ADDRESS] = {"address", ""},
    [IM_COLUMN_HOME] = {"home", ""},
    [IM_COLUMN_DOMAIN] = {"domain", ""},
    [IM_COLUMN_RULE] = {"rule", ""},
};

const char *im_column_name(enum im_column column) {
    return columns[column].name;
}

const char *im_column_prefix(enum im_column column) {
    return columns[column].prefix;
}

const char *im_cell_text(const char *cell, struct im_pool *pool) {
    size_t len;
    for (;;) {
        size_t blanks = strspn(cell, BLANKS);
        blanks += strncmp(cell + blanks, NO_BREAK, strlen(NO_BREAK)) == 0 ? strlen(NO_BREAK) : 0;
        if (blanks == 0) {
            break;
        }
        cell += blanks;
    }
    for (len = strlen(cell); len > 0;) {
        if (strchr(BLANKS, cell[len - 1]) != NULL) {
            len--;
        } else if (len >= strlen(NO_BREAK) && memcmp(cell + len - strlen(NO_BREAK), NO_BREAK, strlen(NO_BREAK)) == 0) {
            len -= strlen(NO_BREAK);
        } else {
            break;
        }
    }
    if (len > 1 && cell[0] == '\'' && strchr("=+-@\t\r", cell[1]) != NULL) {
        cell++;
        len--;
    }
    return im_pool_strndup(pool, cell, len);
}

/* "Login", "Server" for messages. */
static void list_header(const struct im_row *header, struct im_buf *out) {
    for (size_t i = 0; i < header->count; i++) {
        im_buf_addf(out, "%s\"%s\"", i > 0 ? ", " : "", header->cells[i]);
    }
}

static enum im_err complain(struct im_error *e, enum im_err code, const char *name, const struct im_row *header, const char *text,
                            const char *what) {
    struct im_buf list = IM_BUF_INIT;
    list_header(header, &list);
    im_error_set_at(e, code, name, code == IM_E_INPUT ? 1 : 0, 0, "%s%s; the header has %s", text, what, im_buf_str(&list));
    im_buf_free(&list);
    return code;
}

enum im_err im_columns_trim(const struct im_row *header, struct im_pool *pool, struct im_row *out, struct im_error *e) {
    const char **cells = im_pool_array(pool, header->count, sizeof *cells);
    if (cells == NULL) {
        return im_error_nomem(e);
    }
    for (size_t i = 0; i < header->count; i++) {
        cells[i] = im_cell_text(header->cells[i], pool);
        if (cells[i] == NULL) {
            return im_error_nomem(e);
        }
    }
    *out = (struct im_row){.cells = cells, .count = header->count};
    return IM_OK;
}

size_t im_columns_position(const struct im_row *header, const char *text) {
    for (size_t i = 0; i < header->count; i++) {
        if (im_text_equal(header->cells[i], text)) {
            return i + 1;
        }
    }
    return 0;
}

static enum im_err find_by_name(const struct im_row *header, const char *name, struct im_columns *out, struct im_error *e) {
    for (size_t c = 0; c < IM_COLUMN_COUNT; c++) {
        size_t at = im_columns_position(header, columns[c].name);
        const struct im_row rest = {.cells = header->cells + at, .count = header->count - at};
        if (at != 0 && im_columns_position(&rest, columns[c].name) != 0) {
            return complain(e, IM_E_INPUT, name, header, "there are two columns called ", columns[c].name);
        }
        out->at[c] = at;
    }
    return IM_OK;
}

static enum im_err unknown_target(const char *target, struct im_error *e) {
    const char *names[IM_COLUMN_COUNT];
    struct im_buf list = IM_BUF_INIT;
    for (size_t c = 0; c < IM_COLUMN_COUNT; c++) {
        names[c] = columns[c].name;
        im_buf_addf(&list, "%s%s", c > 0 ? ", " : "", names[c]);
    }
    const char *nearest = im_text_nearest(target, names, IM_COLUMN_COUNT);
    im_error_set(e, IM_E_USAGE, "--column: there is no column \"%s\"%s%s%s names are %s", target,
                 nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "\"? The" : "; the", im_buf_str(&list));
    im_buf_free(&list);
    return IM_E_USAGE;
}

/* The header has no such column. */
static enum im_err unknown_header(const char *text, const struct im_row *header, struct im_error *e) {
    struct im_buf list = IM_BUF_INIT;
    const char *nearest = im_text_nearest(text, header->cells, header->count);
    list_header(header, &list);
    im_error_set(e, IM_E_USAGE, "--column: the file has no column \"%s\"%s%s%s header has %s", text,
                 nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "\"? The" : "; the", im_buf_str(&list));
    im_buf_free(&list);
    return IM_E_USAGE;
}

static enum im_err apply_mapping(const struct im_row *header, const char *mapping, bool was_mapped[IM_COLUMN_COUNT],
                                 struct im_pool *pool, struct im_columns *out, struct im_error *e) {
    const char *equals = strchr(mapping, '=');
    if (equals == NULL) {
        return im_error_set(e, IM_E_USAGE, "--column takes NAME=HEADER, for example account=EmployeeLogin, not \"%s\"", mapping);
    }
    const char *raw = im_pool_strndup(pool, mapping, (size_t)(equals - mapping));
    const char *target = raw != NULL ? im_cell_text(raw, pool) : NULL;
    const char *text = im_cell_text(equals + 1, pool);
    if (target == NULL || text == NULL) {
        return im_error_nomem(e);
    }
    for (size_t c = 0; c < IM_COLUMN_COUNT; c++) {
        if (!im_text_equal(target, columns[c].name)) {
            continue;
        }
        if (was_mapped[c]) {
            return im_error_set(e, IM_E_USAGE, "--column says twice which column is meant by %s", columns[c].name);
        }
        was_mapped[c] = true;
        out->at[c] = im_columns_position(header, text);
        return out->at[c] != 0 ? IM_OK : unknown_header(text, header, e);
    }
    return unknown_target(target, e);
}

enum im_err im_columns_find(const struct im_row *header, const struct im_strings *mappings, const char *name,
                            struct im_columns *out, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    struct im_row trimmed;
    bool names_account = false, was_mapped[IM_COLUMN_COUNT] = {false};
    *out = (struct im_columns){{0}};
    enum im_err err = pool != NULL ? im_columns_trim(header, pool, &trimmed, e) : im_error_nomem(e);
    if (err == IM_OK) {
        err = find_by_name(&trimmed, name, out, e);
    }
    for (size_t i = 0; err == IM_OK && i < mappings->count; i++) {
        err = apply_mapping(&trimmed, mappings->items[i], was_mapped, pool, out, e);
    }
    for (size_t c = 0; c < IM_COLUMN_NAMES; c++) {
        names_account = names_account || out->at[c] != 0;
    }
    if (err == IM_OK && !names_account) {
        err = complain(e, IM_E_INPUT, name, header,
                       "no column names the account: call one account (or dn, sAMAccountName, uid, userPrincipalName, mail, "
                       "objectGUID, objectSid), or say which with --column account=",
                       "HEADER");
    }
    im_pool_free(&pool);
    return err;
}
