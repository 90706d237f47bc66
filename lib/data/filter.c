#include "lib/data/filter.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { MOST_NESTED = 100 };

struct parsing {
    const char *text, *at;
    struct im_pool *pool;
    struct im_buf out;
    struct {
        const char **items;
        size_t count, cap;
    } names;
    size_t depth;
    struct im_error *e;
};

static size_t characters(const char *from, const char *to) {
    size_t count = 0;
    for (; from < to; from++)
        count += ((unsigned char)*from & 0xc0) != 0x80;
    return count;
}

static enum im_err wrong(const struct parsing *p, const char *at, const char *what) {
    return im_error_set(p->e, IM_E_USAGE, "the filter is wrong at character %zu: %s", characters(p->text, at) + 1, what);
}

static void skip_blanks(struct parsing *p) {
    p->at += strspn(p->at, BLANKS);
}

/* ---- one condition ---- */

static bool is_known(const struct parsing *p, const char *name, size_t len) {
    for (size_t i = 0; i < p->names.count; i++) {
        if (im_text_equal_n(p->names.items[i], strlen(p->names.items[i]), name, len))
            return true;
    }
    return false;
}

static enum im_err add_name(struct parsing *p, const char *name, size_t len) {
    if (is_known(p, name, len))
        return IM_OK;
    const char **slot = im_vec_push(&p->names);
    if (!slot || !(*slot = im_pool_strndup(p->pool, name, len)))
        return im_error_nomem(p->e);
    return IM_OK;
}

static size_t number_length(const char *at) {
    size_t len = 0;
    for (size_t part; (part = strspn(at + len, DIGITS)) > 0;) {
        len += part;
        if (at[len] != '.')
            return len;
        len++;
    }
    return 0;
}

/* A name or number with options (RFC 4512 section 2.5): its length, 0 where there is none. */
static size_t description_length(const char *at) {
    bool is_name = *at && strchr(LETTERS, *at);
    size_t len = is_name ? strspn(at, LETTERS DIGITS "-") : number_length(at);
    while (len && at[len] == ';') {
        size_t option = strspn(at + len + 1, LETTERS DIGITS "-");
        if (!option)
            return 0;
        len += 1 + option;
    }
    return len;
}

/* ":dn" and ":rule" before ":=". */
static enum im_err parse_rule(struct parsing *p, bool has_name) {
    bool has_rule = false;
    if (strncasecmp(p->at, ":dn:", 4) == 0) {
        im_buf_add(&p->out, p->at, 3);
        p->at += 3;
    }
    if (p->at[0] == ':' && p->at[1] != '=') {
        size_t len = description_length(p->at + 1);
        if (!len || memchr(p->at + 1, ';', len))
            return wrong(p, p->at + 1, "expected the name or number of a matching rule");
        im_buf_add(&p->out, p->at, len + 1);
        p->at += len + 1;
        has_rule = true;
    }
    if (!has_name && !has_rule)
        return wrong(p, p->at, "expected the name of an attribute");
    if (strncmp(p->at, ":=", 2) != 0)
        return wrong(p, p->at, "expected \":=\"");
    im_buf_adds(&p->out, ":=");
    p->at += 2;
    return IM_OK;
}

static enum im_err parse_operator(struct parsing *p, bool *takes_stars) {
    size_t len = *p->at && strchr("~<>", *p->at) ? 2 : 1;
    if (p->at[len - 1] != '=') {
        const char *what = strchr(BLANKS, *p->at) && *p->at ? "a blank between the name of an attribute and \"=\""
                                                            : "expected \"=\", \"~=\", \">=\", \"<=\" or \":=\"";
        return wrong(p, p->at, what);
    }
    *takes_stars = len == 1;
    im_buf_add(&p->out, p->at, len);
    p->at += len;
    return IM_OK;
}

static enum im_err parse_value(struct parsing *p, bool takes_stars) {
    for (char before = '\0'; *p->at && *p->at != ')'; before = *p->at++) {
        if (*p->at == '(')
            return wrong(p, p->at, "\"(\" inside a value: write \\28 for the character, or close the condition before it");
        if (*p->at == '*' && !takes_stars)
            return wrong(p, p->at, "\"*\" cannot stand here: write \\2a for the character");
        if (*p->at == '*' && before == '*')
            return wrong(p, p->at, "two \"*\" one after another");
        if (*p->at == '\\' && (!p->at[1] || !strchr(HEX, p->at[1]) || !p->at[2] || !strchr(HEX, p->at[2])))
            return wrong(p, p->at, "\"\\\" is followed by two hexadecimal digits: write \\5c for the character");
        im_buf_addc(&p->out, *p->at);
    }
    return IM_OK;
}

static size_t name_length(const char *at, size_t len) {
    const char *option = memchr(at, ';', len);
    return option ? (size_t)(option - at) : len;
}

static enum im_err parse_item(struct parsing *p) {
    size_t len = description_length(p->at);
    bool takes_stars = false;
    if (!len && *p->at != ':')
        return wrong(p, p->at, *p->at ? "expected the name of an attribute" : "the filter ends here");
    enum im_err err = len ? add_name(p, p->at, name_length(p->at, len)) : IM_OK;
    if (err != IM_OK)
        return err;
    im_buf_add(&p->out, p->at, len);
    p->at += len;
    err = *p->at == ':' ? parse_rule(p, len > 0) : parse_operator(p, &takes_stars);
    return err == IM_OK ? parse_value(p, takes_stars) : err;
}

/* ---- conditions of conditions ---- */

static enum im_err parse_filter(struct parsing *p);

static enum im_err parse_list(struct parsing *p) {
    char kind = *p->at++;
    size_t count = 0;
    enum im_err err = IM_OK;
    im_buf_addc(&p->out, kind);
    skip_blanks(p);
    for (; err == IM_OK && *p->at == '('; count++) {
        if (kind == '!' && count == 1)
            return wrong(p, p->at, "\"!\" takes one condition only");
        err = parse_filter(p);
        skip_blanks(p);
    }
    if (err == IM_OK && !count) /* "(&)" and "(|)" of RFC 4526 would select everybody or nobody */
        return wrong(p, p->at, "expected a condition in parentheses");
    return err;
}

/* What stands between the parentheses. */
static enum im_err parse_inside(struct parsing *p) {
    skip_blanks(p);
    return *p->at && strchr("&|!", *p->at) ? parse_list(p) : parse_item(p);
}

static enum im_err parse_filter(struct parsing *p) {
    const char *open = p->at;
    if (++p->depth > MOST_NESTED)
        return wrong(p, p->at, "conditions are nested too deeply");
    p->at++;
    im_buf_addc(&p->out, '(');
    enum im_err err = parse_inside(p);
    if (err == IM_OK && *p->at != ')')
        return *p->at ? wrong(p, p->at, "expected \"(\" or \")\"") : wrong(p, open, "this \"(\" is not closed");
    if (err != IM_OK)
        return err;
    p->at++;
    im_buf_addc(&p->out, ')');
    p->depth--;
    return IM_OK;
}

static enum im_err parse_whole(struct parsing *p) {
    skip_blanks(p);
    if (!*p->at)
        return im_error_set(p->e, IM_E_USAGE, "the filter is empty");
    enum im_err err;
    if (*p->at == '(') {
        err = parse_filter(p);
    } else {
        im_buf_addc(&p->out, '(');
        err = parse_inside(p);
        im_buf_addc(&p->out, ')');
    }
    skip_blanks(p);
    if (err == IM_OK && *p->at == ')')
        return wrong(p, p->at, "there is no \"(\" that this \")\" closes");
    if (err == IM_OK && *p->at)
        return wrong(p, p->at, "the filter has ended before this: join conditions as (&(...)(...)) or (|(...)(...))");
    return err;
}

/* A copy of the text that ends before its last blanks: without outer parentheses they would belong to a value. */
static const char *trimmed(const char *text, struct im_pool *pool) {
    size_t len = strlen(text);
    while (len && strchr(BLANKS, text[len - 1]))
        len--;
    return im_pool_strndup(pool, text, len);
}

static enum im_err finish(struct parsing *p, struct im_filter *out) {
    const char **names = im_pool_array(p->pool, p->names.count + 1, sizeof *names);
    const char *text = p->out.failed ? NULL : im_pool_strdup(p->pool, im_buf_str(&p->out));
    if (!names || !text)
        return im_error_nomem(p->e);
    if (p->names.count)
        memcpy(names, p->names.items, p->names.count * sizeof *names);
    *out = (struct im_filter){.text = text, .attributes = names, .attribute_count = p->names.count};
    return IM_OK;
}

enum im_err im_filter_parse(const char *text, struct im_pool *pool, struct im_filter *out, struct im_error *e) {
    struct parsing p = {.pool = pool, .e = e};
    if (!im_text_is_utf8(text, strlen(text)))
        return im_error_set(e, IM_E_USAGE, "the filter is not UTF-8");
    p.text = p.at = trimmed(text, pool);
    if (!p.text)
        return im_error_nomem(e);
    enum im_err err = parse_whole(&p);
    if (err == IM_OK)
        err = finish(&p, out);
    im_buf_free(&p.out);
    im_vec_free(&p.names);
    return err;
}
