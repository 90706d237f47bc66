#include "lib/directory/lookup.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/directory/ldap_error.h"

#include <string.h>

enum { SUCCESS = 0, NO_SUCH_OBJECT = 32, INVALID_DN = 34 };

struct im_lookup *im_lookup_list_take(struct im_lookup_list *list, struct im_pool *pool) {
    struct im_lookup *items = im_pool_array(pool, list->count, sizeof *items);
    if (items && list->count)
        memcpy(items, list->items, list->count * sizeof *items);
    im_vec_free(list);
    return items;
}

static enum im_err judge_answer(const struct im_lookups *l, const struct im_lookup *lookup, const struct im_answer *answer,
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

static void wait_again(struct im_lookups *l, struct im_lookup *lookup) {
    size_t index = (size_t)(lookup - l->items);
    lookup->state = IM_LOOKUP_WAITS;
    lookup->found.count = 0;
    if (index < l->next)
        l->next = index;
}

static enum im_err take_entry(struct im_lookups *l, struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    if (!l->pool)
        return l->fn(l->user, lookup, entry, e);
    struct im_entry **slot = im_vec_push(&lookup->found);
    if (!slot || !(*slot = im_entry_copy(entry, l->pool)))
        return im_error_nomem(e);
    return IM_OK;
}

static enum im_err take(void *token, const struct im_event *event, struct im_error *e) {
    struct im_lookup *lookup = token;
    struct im_lookups *l = lookup->of;
    if (event->kind == IM_EVENT_ENTRY)
        return take_entry(l, lookup, event->entry, e);
    l->in_flight--;
    if (l->pool && im_ldap_is_busy(event->answer.code)) {
        wait_again(l, lookup);
        l->is_busy = true;
        return IM_OK;
    }
    lookup->state = IM_LOOKUP_DONE;
    l->done++;
    enum im_err err = judge_answer(l, lookup, &event->answer, e);
    for (size_t i = 0; err == IM_OK && i < lookup->found.count; i++)
        err = l->fn(l->user, lookup, lookup->found.items[i], e);
    im_vec_free(&lookup->found);
    return err;
}

enum im_err im_lookups_start(struct im_lookups *l, struct im_lookup *lookup, struct im_error *e) {
    lookup->of = l;
    lookup->token.take = take;
    enum im_err err = im_directory_start_search(l->directory, &lookup->search, lookup, e);
    if (err != IM_OK)
        return err;
    lookup->state = IM_LOOKUP_IN_FLIGHT;
    l->in_flight++;
    return IM_OK;
}

enum im_err im_lookups_send(struct im_lookups *l, size_t room, size_t *sent, struct im_error *e) {
    enum im_err err = IM_OK;
    *sent = 0;
    for (; err == IM_OK && l->next < l->count && *sent < room; l->next++) {
        struct im_lookup *lookup = &l->items[l->next];
        if (lookup->state != IM_LOOKUP_WAITS)
            continue;
        err = im_lookups_start(l, lookup, e);
        if (err != IM_OK)
            return err;
        ++*sent;
    }
    return err;
}

bool im_lookups_wait(const struct im_lookups *l) {
    return l->done + l->in_flight < l->count;
}

bool im_lookups_are_done(const struct im_lookups *l) {
    return l->done == l->count;
}

void im_lookups_again(struct im_lookups *l) {
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].state == IM_LOOKUP_IN_FLIGHT)
            wait_again(l, &l->items[i]);
    }
    l->in_flight = 0;
}

void im_lookups_abandon(struct im_lookups *l) {
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].state != IM_LOOKUP_IN_FLIGHT)
            continue;
        im_directory_abandon(l->directory, &l->items[i]);
        l->items[i].state = IM_LOOKUP_DONE;
    }
    l->in_flight = 0;
}

void im_lookups_free(struct im_lookups *l) {
    for (size_t i = 0; i < l->count; i++)
        im_vec_free(&l->items[i].found);
}

enum im_err im_lookup_all(struct im_directory *d, struct im_lookup *lookups, size_t count, im_lookup_fn *fn, void *user,
                          struct im_error *e) {
    struct im_lookups l = {.directory = d, .items = lookups, .count = count, .fn = fn, .user = user};
    enum im_err err = IM_OK;
    /* After an error the rest is still read, so that no answer turns up in somebody else's wait. */
    for (;;) {
        size_t sent;
        struct im_event event;
        if (err == IM_OK)
            err = im_lookups_send(&l, im_directory_window(d, IM_LOOKUP_WINDOW) - l.in_flight, &sent, e);
        if (!l.in_flight)
            return err;
        enum im_err lost = im_directory_next(d, &event, e);
        if (lost != IM_OK)
            return err != IM_OK ? err : lost;
        if (err == IM_OK) {
            err = take(event.token, &event, e);
        } else if (event.kind == IM_EVENT_DONE) {
            l.in_flight--;
        }
    }
}

static bool is_plain(char c) {
    unsigned char u = (unsigned char)c;
    return u >= 0x20 && u != 0x7f && c != '*' && c != '(' && c != ')' && c != '\\';
}

static void add_escape(struct im_buf *out, unsigned char c) {
    static const char digits[] = "0123456789abcdef";
    const char escape[] = {'\\', digits[c >> 4], digits[c & 0xf]};
    im_buf_add(out, escape, sizeof escape);
}

static void add_escaped(struct im_buf *out, const struct berval *value, bool all) {
    for (size_t i = 0; i < value->bv_len;) {
        size_t plain = i;
        while (!all && plain < value->bv_len && is_plain(value->bv_val[plain]))
            plain++;
        im_buf_add(out, value->bv_val + i, plain - i);
        if (plain < value->bv_len)
            add_escape(out, (unsigned char)value->bv_val[plain++]);
        i = plain;
    }
}

const char *im_filter_rule(const struct im_schema *schema, const char *attribute) {
    const struct im_schema_attr *attr = schema && !schema->is_ad ? im_schema_attr(schema, attribute) : NULL;
    return !attr || attr->equality ? NULL : im_schema_rule(attr);
}

static bool are_plain(const struct berval *value) {
    bool are = true;
    for (size_t i = 0; i < value->bv_len; i++)
        are &= is_plain(value->bv_val[i]);
    return are;
}

/* In one piece: each account of a run has some of them. */
static void add_plain_term(struct im_buf *out, const char *attribute, const struct berval *value) {
    size_t len = strlen(attribute);
    char *at = im_buf_room(out, len + value->bv_len + 3);
    if (!at)
        return;
    *at++ = '(';
    at = mempcpy(at, attribute, len);
    *at++ = '=';
    if (value->bv_len)
        memcpy(at, value->bv_val, value->bv_len);
    at[value->bv_len] = ')';
}

void im_filter_by_rule(struct im_buf *out, const char *attribute, const char *rule, const struct berval *value, bool is_octets) {
    if (!rule && !is_octets && are_plain(value)) {
        add_plain_term(out, attribute, value);
        return;
    }
    im_buf_addc(out, '(');
    im_buf_adds(out, attribute);
    if (rule)
        im_buf_addf(out, ":%s:", rule);
    im_buf_addc(out, '=');
    add_escaped(out, value, is_octets);
    im_buf_addc(out, ')');
}

void im_filter_term(struct im_buf *out, const struct im_schema *schema, const char *attribute, const struct berval *value,
                    bool is_octets) {
    im_filter_by_rule(out, attribute, im_filter_rule(schema, attribute), value, is_octets);
}

void im_filter_text(struct im_buf *out, const struct im_schema *schema, const char *attribute, const char *value) {
    struct berval bytes = {.bv_len = strlen(value)};
    memcpy(&bytes.bv_val, &value, sizeof bytes.bv_val);
    im_filter_term(out, schema, attribute, &bytes, false);
}

/* Do both begin with ASCII, and not with the same letter? Neither folding nor composing makes those one text. Each entry is
 * compared with the fifty identities of its batch. */
static bool begin_apart(const struct berval *a, const struct berval *b) {
    if (!a->bv_len || !b->bv_len)
        return a->bv_len != b->bv_len;
    char x = a->bv_val[0];
    char y = b->bv_val[0];
    return (unsigned char)x < 0x80 && (unsigned char)y < 0x80 && ((x ^ y) & ~('a' ^ 'A')) != 0;
}

enum im_err im_value_folds_to(const struct berval *a, const struct berval *b, bool *is_same, struct im_error *e) {
    *is_same = false;
    if (begin_apart(a, b))
        return IM_OK;
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

static const char *keep_filter(struct im_buf *filter, struct im_pool *pool) {
    im_buf_addc(filter, ')');
    const char *text = filter->failed ? NULL : im_pool_strdup(pool, im_buf_str(filter));
    im_buf_free(filter);
    return text;
}

const char *im_filter_any_value(const struct im_profile *profile, struct im_pool *pool) {
    struct im_buf filter = IM_BUF_INIT;
    im_buf_adds(&filter, "(|");
    for (size_t i = 0; i < profile->attr_count; i++)
        im_buf_addf(&filter, "(%s=*)", profile->attrs[i].name);
    return keep_filter(&filter, pool);
}

const char *im_filter_any_account(const struct im_profile *profile, struct im_pool *pool) {
    struct im_buf filter = IM_BUF_INIT;
    im_buf_adds(&filter, "(|");
    for (size_t i = 0; i < profile->account_name_count; i++)
        im_buf_addf(&filter, "(%s=*)", profile->account_names[i]);
    return keep_filter(&filter, pool);
}
