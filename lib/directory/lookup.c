#include "lib/directory/lookup.h"

#include "lib/base/text.h"

#include <string.h>

enum { SUCCESS = 0, NO_SUCH_OBJECT = 32, INVALID_DN = 34 };

struct lookups {
    struct im_directory *directory;
    const struct im_lookup *items;
    size_t count, started, in_flight;
    im_lookup_fn *fn;
    void *user;
};

/* The lookup itself is the token; the interface knows no const. */
static void *token_of(const struct im_lookup *lookup) {
    void *token;
    memcpy(&token, &lookup, sizeof token);
    return token;
}

static enum im_err start_more(struct lookups *l, struct im_error *e) {
    while (l->in_flight < IM_LOOKUP_WINDOW && l->started < l->count) {
        const struct im_lookup *next = &l->items[l->started];
        enum im_err err = im_directory_start_search(l->directory, &next->search, token_of(next), e);
        if (err != IM_OK)
            return err;
        l->started++;
        l->in_flight++;
    }
    return IM_OK;
}

static enum im_err judge_answer(const struct lookups *l, const struct im_lookup *lookup, const struct im_answer *answer,
                                struct im_error *e) {
    const char *uri = im_directory_uri(l->directory);
    const char *base = lookup->search.base;
    if (answer->code == SUCCESS)
        return IM_OK;
    if (lookup->may_be_missing && (answer->code == NO_SUCH_OBJECT || answer->code == INVALID_DN))
        return IM_OK;
    if (answer->code == NO_SUCH_OBJECT) {
        return im_error_set_at(e, IM_E_INVISIBLE, uri, 0, 0, "\"%s\" does not exist, or %s may not see it", base,
                               im_directory_identity(l->directory));
    }
    struct im_buf what = IM_BUF_INIT;
    im_buf_addf(&what, "searching below \"%s\"", base);
    enum im_err err = im_ldap_answer_error(answer, uri, im_buf_str(&what), e);
    im_buf_free(&what);
    return err;
}

/* Waits for one event. *err takes the first error of the searches; the return value is one of the connection. */
static enum im_err take_event(struct lookups *l, enum im_err *err, struct im_error *e) {
    struct im_event event;
    enum im_err lost = im_directory_next(l->directory, &event, e);
    if (lost != IM_OK)
        return lost;
    const struct im_lookup *lookup = event.token;
    if (event.kind == IM_EVENT_ENTRY) {
        if (*err == IM_OK)
            *err = l->fn(l->user, lookup, event.entry, e);
        return IM_OK;
    }
    l->in_flight--;
    if (*err == IM_OK)
        *err = judge_answer(l, lookup, &event.answer, e);
    return IM_OK;
}

enum im_err im_lookup_all(struct im_directory *d, const struct im_lookup *lookups, size_t count, im_lookup_fn *fn, void *user,
                          struct im_error *e) {
    struct lookups l = {.directory = d, .items = lookups, .count = count, .fn = fn, .user = user};
    enum im_err err = start_more(&l, e);
    /* After an error the rest is still read, so that no answer turns up in somebody else's wait. */
    while (l.in_flight) {
        enum im_err lost = take_event(&l, &err, e);
        if (lost != IM_OK)
            return err != IM_OK ? err : lost;
        if (err == IM_OK)
            err = start_more(&l, e);
    }
    return err;
}

static void add_escaped(struct im_buf *out, const struct berval *value, bool all) {
    for (size_t i = 0; i < value->bv_len; i++) {
        unsigned char c = (unsigned char)value->bv_val[i];
        if (all || c < 0x20 || strchr("*()\\", c) || c == 0x7f) {
            im_buf_addf(out, "\\%02x", (unsigned)c);
        } else {
            im_buf_addc(out, (char)c);
        }
    }
}

/* NULL: the attribute's own rule serves. */
static const char *rule_for(const struct im_schema *schema, const char *attribute) {
    const struct im_schema_attr *attr = schema && !schema->is_ad ? im_schema_attr(schema, attribute) : NULL;
    return !attr || attr->equality ? NULL : im_schema_rule(attr);
}

void im_filter_term(struct im_buf *out, const struct im_schema *schema, const char *attribute, const struct berval *value,
                    bool is_octets) {
    const char *rule = rule_for(schema, attribute);
    if (rule) {
        im_buf_addf(out, "(%s:%s:=", attribute, rule);
    } else {
        im_buf_addf(out, "(%s=", attribute);
    }
    add_escaped(out, value, is_octets);
    im_buf_addc(out, ')');
}

void im_filter_text(struct im_buf *out, const struct im_schema *schema, const char *attribute, const char *value) {
    struct berval bytes = {.bv_len = strlen(value)};
    memcpy(&bytes.bv_val, &value, sizeof bytes.bv_val);
    im_filter_term(out, schema, attribute, &bytes, false);
}

enum im_err im_value_folds_to(const struct berval *a, const struct berval *b, bool *is_same, struct im_error *e) {
    *is_same = im_text_equal_n(a->bv_val, a->bv_len, b->bv_val, b->bv_len);
    if (*is_same || (im_text_is_ascii(a->bv_val, a->bv_len) && im_text_is_ascii(b->bv_val, b->bv_len)))
        return IM_OK;
    struct im_buf one = IM_BUF_INIT;
    struct im_buf two = IM_BUF_INIT;
    im_text_fold(a->bv_val, a->bv_len, &one);
    im_text_fold(b->bv_val, b->bv_len, &two);
    enum im_err err = one.failed || two.failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK)
        *is_same = one.len == two.len && memcmp(im_buf_str(&one), im_buf_str(&two), one.len) == 0;
    im_buf_free(&one);
    im_buf_free(&two);
    return err;
}

const char *im_filter_lower(const char *text, struct im_pool *pool) {
    char *lower = im_pool_strdup(pool, text);
    for (char *p = lower; p && *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
    return lower;
}
