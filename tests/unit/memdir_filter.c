/* Search filters (RFC 4515) on one entry: & | ! presence, equality, substrings, and matching rules by name. */
#include "tests/unit/memdir_store.h"

#include "lib/base/text.h"
#include <stdio.h>

enum { UNDEFINED = -1, MAX_VALUE = 1024, MAX_NAME = 128 };

struct evaluation {
    const struct memdir *m;
    const struct im_entry *entry;
    const char *at;
    bool failed;
};

static int evaluate(struct evaluation *v);

static bool expect(struct evaluation *v, char c) {
    if (*v->at != c) {
        v->failed = true;
    } else {
        v->at++;
    }
    return !v->failed;
}

static int negated(int truth) {
    return truth == UNDEFINED ? UNDEFINED : !truth;
}

/* & is false where one is false, | is true where one is true; else undefined beats the neutral value. */
static int evaluate_list(struct evaluation *v, int decisive) {
    int truth = !decisive;
    while (*v->at == '(' && !v->failed) {
        int one = evaluate(v);
        if (one == decisive) {
            truth = decisive;
        } else if (one == UNDEFINED && truth != decisive) {
            truth = UNDEFINED;
        }
    }
    return truth;
}

/* Unescapes up to ')' or, where wanted, up to '*'. */
static size_t read_value(struct evaluation *v, char *out, bool ends_at_star) {
    size_t len = 0;
    while (*v->at && *v->at != ')' && !(ends_at_star && *v->at == '*')) {
        char c = *v->at++;
        if (c == '\\') {
            char hex[3] = {v->at[0], v->at[0] ? v->at[1] : '\0', '\0'};
            if (strspn(hex, "0123456789abcdefABCDEF") != 2) {
                v->failed = true;
            } else {
                v->at += 2;
            }
            c = (char)strtol(hex, NULL, 16);
        } else if (c == '(' || c == '*') {
            v->failed = true;
        }
        if (len + 1 >= MAX_VALUE || v->failed) {
            v->failed = true;
            return 0;
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return len;
}

static bool folds_equal(const struct berval *a, const struct berval *b) {
    if (im_text_is_ascii(a->bv_val, a->bv_len) && im_text_is_ascii(b->bv_val, b->bv_len))
        return im_text_equal_n(a->bv_val, a->bv_len, b->bv_val, b->bv_len);
    struct im_buf x = IM_BUF_INIT;
    struct im_buf y = IM_BUF_INIT;
    im_text_fold(a->bv_val, a->bv_len, &x);
    im_text_fold(b->bv_val, b->bv_len, &y);
    bool same = x.len == y.len && memcmp(im_buf_str(&x), im_buf_str(&y), x.len) == 0;
    im_buf_free(&x);
    im_buf_free(&y);
    return same;
}

static bool is_text(const struct berval *value) {
    return im_text_is_utf8(value->bv_val, value->bv_len) && !memchr(value->bv_val, '\0', value->bv_len);
}

static int equals(const struct evaluation *v, const char *name, const char *rule, const struct berval *value) {
    const struct im_attr *attr = im_entry_attr(v->entry, name);
    unsigned flags = memdir_flags(v->m, name);
    if (flags & MEMDIR_NO_EQUALITY && !*rule)
        return UNDEFINED;
    if (*rule && strcmp(rule, "caseIgnoreMatch") != 0 && strcmp(rule, "caseExactMatch") != 0 &&
        strcmp(rule, "distinguishedNameMatch") != 0 && strcmp(rule, "octetStringMatch") != 0)
        return UNDEFINED;
    bool is_exact = *rule ? strcmp(rule, "caseExactMatch") == 0 || strcmp(rule, "octetStringMatch") == 0 : flags & MEMDIR_EXACT;
    bool is_dn = flags & MEMDIR_DN || strcmp(rule, "distinguishedNameMatch") == 0;
    for (size_t i = 0; attr && i < attr->count; i++) {
        const struct berval *has = &attr->values[i];
        bool same = is_dn                                          ? memdir_dn_value_matches(has, value)
                    : is_exact || !is_text(has) || !is_text(value) ? im_value_equal(has, value)
                                                                   : folds_equal(has, value);
        if (same)
            return 1;
    }
    return 0;
}

/* One value against initial*any*final, from the place behind '='; *has_star says whether it was one. */
static bool substring_matches(const char *pattern, const char *value) {
    struct evaluation walk = {.at = pattern};
    char piece[MAX_VALUE];
    const char *rest = value;
    for (bool is_first = true;; is_first = false) {
        size_t len = read_value(&walk, piece, true);
        bool is_last = *walk.at != '*';
        const char *found = is_last && len <= strlen(rest) ? rest + strlen(rest) - len : strcasestr(rest, piece);
        if (is_first)
            found = rest;
        if (!found || strncasecmp(found, piece, len) != 0)
            return false;
        rest = found + len;
        if (is_last)
            return true;
        walk.at++;
    }
}

static int evaluate_item(struct evaluation *v) {
    char name[MAX_NAME];
    char rule[MAX_NAME] = "";
    char value[MAX_VALUE];
    size_t len = strcspn(v->at, "=:<>~()");
    if (len == 0 || len >= sizeof name) {
        v->failed = true;
        return UNDEFINED;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)len, v->at);
    v->at += len;
    if (*v->at == ':') {
        len = strcspn(++v->at, ":()");
        (void)snprintf(rule, sizeof rule, "%.*s", (int)len, v->at);
        v->at += len;
        (void)expect(v, ':');
    }
    if (!expect(v, '='))
        return UNDEFINED;
    const char *start = v->at;
    size_t end = strcspn(start, ")");
    v->at += end;
    if (end == 1 && *start == '*')
        return im_entry_attr(v->entry, name) != NULL;
    if (memchr(start, '*', end)) {
        const struct im_attr *attr = im_entry_attr(v->entry, name);
        for (size_t i = 0; attr && i < attr->count; i++) {
            if (substring_matches(start, attr->values[i].bv_val))
                return 1;
        }
        return 0;
    }
    v->at = start;
    len = read_value(v, value, false);
    struct berval wanted = {.bv_len = len, .bv_val = value};
    return v->failed ? UNDEFINED : equals(v, name, rule, &wanted);
}

static int evaluate(struct evaluation *v) {
    int truth = UNDEFINED;
    if (!expect(v, '('))
        return UNDEFINED;
    char c = *v->at;
    if (c == '&' || c == '|' || c == '!')
        v->at++;
    if (c == '!') {
        truth = negated(evaluate(v));
    } else if (c == '&' || c == '|') {
        truth = evaluate_list(v, c == '|');
    } else {
        truth = evaluate_item(v);
    }
    (void)expect(v, ')');
    return truth;
}

int memdir_filter_matches(const struct memdir *m, const struct im_entry *entry, const char *filter, bool *error) {
    struct evaluation v = {.m = m, .entry = entry, .at = filter};
    int truth = evaluate(&v);
    *error = v.failed || *v.at;
    return *error ? UNDEFINED : truth;
}
