#include "lib/data/filter_match.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/filter.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"
#include "lib/data/times.h"

#include <string.h>

enum node_kind { AND, OR, NOT, PRESENT, EQUAL, PARTS, AT_LEAST, AT_MOST, ALL_BITS, ANY_BIT, NEVER_KNOWN };

struct node {
    enum node_kind kind;
    struct node *first, *next; /* conditions of AND, OR and NOT */
    struct im_match_term term; /* of the others */
    int64_t number;            /* of the value */
    bool is_number;
    /* PARTS: folded pieces; an empty first or last one is not bound to that end */
    struct berval *pieces;
    size_t piece_count;
};

struct im_matcher {
    struct im_pool *pool;
    struct im_matching matching;
    struct im_filter filter;
    struct node *root;
    const char *unknown;
    struct im_match_term *terms; /* of one OR of equalities */
    size_t term_count;
    struct im_buf scratch;
    bool has_failed; /* a scratch that was cleared since */
    struct im_error *e;
};

static void clear_scratch(struct im_matcher *m) {
    m->has_failed = m->has_failed || m->scratch.failed;
    im_buf_clear(&m->scratch);
}

/* ---- equality ---- */

static bool is_number(const struct berval *value, int64_t *out) {
    return value->bv_len && !memchr(value->bv_val, '\0', value->bv_len) &&
           im_int_from_text(value->bv_val, INT64_MIN, INT64_MAX, out);
}

static void add_dn(const struct berval *value, struct im_buf *out) {
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    size_t before = out->len;
    im_dn_split_extended(value->bv_val, value->bv_len, &guid, &dn);
    if (!dn.failed && (memchr(im_buf_str(&dn), '\0', dn.len) || !im_dn_normalize(im_buf_str(&dn), out))) {
        out->len = before; /* not a DN */
        im_text_fold(value->bv_val, value->bv_len, out);
    }
    out->failed = out->failed || dn.failed || guid.failed;
    im_buf_free(&guid);
    im_buf_free(&dn);
}

/* "person" asks for CN=Person,CN=Schema,... as "user" does, whose category it is (MS-ADTS 3.1.1.3.1.3.5). */
static void add_category(const struct berval *value, struct im_buf *out) {
    static const char *const persons[] = {"user", "contact", "inetorgperson", "organizationalperson"};
    struct im_buf name = IM_BUF_INIT;
    bool is_dn = memchr(value->bv_val, '=', value->bv_len) && im_dn_first_value(value->bv_val, &name);
    if (!is_dn && !name.failed)
        im_buf_add(&name, value->bv_val, value->bv_len);
    size_t before = out->len;
    im_text_fold(im_buf_str(&name), name.len, out);
    size_t kept = before;
    for (size_t i = before; i < out->len; i++) { /* the class organizationalUnit is CN=Organizational-Unit */
        if (out->data[i] != '-')
            out->data[kept++] = out->data[i];
    }
    out->len = kept;
    for (size_t i = 0; !is_dn && i < sizeof persons / sizeof persons[0]; i++) {
        if (im_text_equal_n(persons[i], strlen(persons[i]), out->data + before, out->len - before)) {
            out->len = before;
            im_buf_adds(out, "person");
            break;
        }
    }
    out->failed = out->failed || name.failed;
    im_buf_free(&name);
}

void im_match_key(enum im_match_kind kind, const struct berval *value, struct im_buf *out) {
    int64_t number;
    bool may_be_dn =
        kind == IM_MATCH_DN || (kind == IM_MATCH_LOOSE && value->bv_len && memchr(value->bv_val, '=', value->bv_len));
    if (may_be_dn) {
        add_dn(value, out);
    } else if (kind == IM_MATCH_CATEGORY) {
        add_category(value, out);
    } else if (kind == IM_MATCH_LOOSE || kind == IM_MATCH_TEXT) {
        im_text_fold(value->bv_val, value->bv_len, out);
    } else if (kind == IM_MATCH_INTEGER && is_number(value, &number)) {
        im_buf_addf(out, "%lld", (long long)number);
    } else {
        im_buf_add(out, value->bv_val, value->bv_len);
    }
}

bool im_match_keeps_length(enum im_match_kind kind, const struct berval *value) {
    switch (kind) {
    case IM_MATCH_DN:
    case IM_MATCH_INTEGER:
    case IM_MATCH_CATEGORY:
        return false;
    case IM_MATCH_TEXT:
        return im_text_is_ascii(value->bv_val, value->bv_len);
    case IM_MATCH_LOOSE:
        return im_text_is_ascii(value->bv_val, value->bv_len) && !(value->bv_len && memchr(value->bv_val, '=', value->bv_len));
    default:
        return true;
    }
}

/* What needs no key. */
static bool is_plainly_equal(const struct im_match_term *term, const struct berval *has) {
    bool folds = term->kind == IM_MATCH_LOOSE || term->kind == IM_MATCH_TEXT || term->kind == IM_MATCH_DN;
    return folds ? im_text_equal_n(has->bv_val, has->bv_len, term->value.bv_val, term->value.bv_len)
                 : im_value_equal(has, &term->value);
}

/* Can only their keys tell? */
static bool needs_key(const struct im_match_term *term, const struct berval *has) {
    switch (term->kind) {
    case IM_MATCH_DN:
    case IM_MATCH_INTEGER:
    case IM_MATCH_CATEGORY:
        return true;
    case IM_MATCH_TEXT:
        return !term->is_ascii || !im_text_is_ascii(has->bv_val, has->bv_len);
    case IM_MATCH_LOOSE:
        return !term->is_ascii || !im_text_is_ascii(has->bv_val, has->bv_len) || memchr(has->bv_val, '=', has->bv_len);
    default:
        return false;
    }
}

static bool is_equal(struct im_matcher *m, const struct im_match_term *term, const struct berval *has) {
    if (term->kind == IM_MATCH_DN && m->matching.same_dn)
        return m->matching.same_dn(has, &term->value);
    if (is_plainly_equal(term, has))
        return true;
    if (!needs_key(term, has))
        return false;
    clear_scratch(m);
    im_match_key(term->kind, has, &m->scratch);
    const struct berval key = {.bv_len = m->scratch.len, .bv_val = m->scratch.data};
    return !m->scratch.failed && im_value_equal(&key, &term->key);
}

/* ---- other conditions ---- */

static bool is_folded(enum im_match_kind kind) {
    return kind != IM_MATCH_EXACT && kind != IM_MATCH_GUID && kind != IM_MATCH_SID;
}

static void fold(enum im_match_kind kind, const struct berval *value, struct im_buf *out) {
    if (is_folded(kind)) {
        im_text_fold(value->bv_val, value->bv_len, out);
    } else {
        im_buf_add(out, value->bv_val, value->bv_len);
    }
}

/* Each piece where it comes first behind the one before; the last one at the end. */
static bool has_parts(struct im_matcher *m, const struct node *n, const struct berval *has) {
    clear_scratch(m);
    fold(n->term.kind, has, &m->scratch);
    const char *rest = im_buf_str(&m->scratch);
    size_t left = m->scratch.len;
    for (size_t i = 0; i < n->piece_count; i++) {
        const struct berval *piece = &n->pieces[i];
        bool is_last = i + 1 == n->piece_count;
        if (piece->bv_len > left)
            return false;
        const char *found = !piece->bv_len ? rest : memmem(rest, left, piece->bv_val, piece->bv_len);
        if (is_last && piece->bv_len)
            found = rest + left - piece->bv_len;
        if (!found || (i == 0 && found != rest) || (piece->bv_len && memcmp(found, piece->bv_val, piece->bv_len) != 0))
            return false;
        left -= (size_t)(found - rest) + piece->bv_len;
        rest = found + piece->bv_len;
    }
    return true;
}

/* < 0, 0, > 0: as numbers where both are, else as text. */
static int compare(struct im_matcher *m, const struct node *n, const struct berval *has) {
    int64_t number;
    if (n->is_number && is_number(has, &number))
        return (number > n->number) - (number < n->number);
    clear_scratch(m);
    fold(n->term.kind, has, &m->scratch);
    size_t shorter = m->scratch.len < n->term.key.bv_len ? m->scratch.len : n->term.key.bv_len;
    int order = shorter ? memcmp(m->scratch.data, n->term.key.bv_val, shorter) : 0;
    return order ? order : (m->scratch.len > n->term.key.bv_len) - (m->scratch.len < n->term.key.bv_len);
}

static bool value_matches(struct im_matcher *m, const struct node *n, const struct berval *has) {
    int64_t number;
    switch (n->kind) {
    case EQUAL:
        return is_equal(m, &n->term, has);
    case PARTS:
        return has_parts(m, n, has);
    case AT_LEAST:
        return compare(m, n, has) >= 0;
    case AT_MOST:
        return compare(m, n, has) <= 0;
    case ALL_BITS:
        return is_number(has, &number) && (number & n->number) == n->number;
    case ANY_BIT:
        return is_number(has, &number) && (number & n->number) != 0;
    default:
        return true; /* PRESENT */
    }
}

static enum im_truth evaluate_item(struct im_matcher *m, const struct node *n, const struct im_entry *entry) {
    if (n->kind == NEVER_KNOWN)
        return IM_UNDEFINED;
    const struct im_attr *attr = im_entry_attr(entry, n->term.attribute);
    for (size_t i = 0; attr && i < attr->count; i++) {
        if (value_matches(m, n, &attr->values[i]))
            return IM_TRUE;
    }
    return IM_FALSE;
}

static enum im_truth evaluate(struct im_matcher *m, const struct node *n, const struct im_entry *entry);

/* & is false where one is false, | is true where one is true; else undefined beats the neutral value. */
static enum im_truth evaluate_list(struct im_matcher *m, const struct node *n, const struct im_entry *entry) {
    enum im_truth decisive = n->kind == AND ? IM_FALSE : IM_TRUE;
    enum im_truth truth = n->kind == AND ? IM_TRUE : IM_FALSE;
    for (const struct node *c = n->first; c; c = c->next) {
        enum im_truth one = evaluate(m, c, entry);
        if (one == decisive)
            return decisive;
        if (one == IM_UNDEFINED)
            truth = IM_UNDEFINED;
    }
    return truth;
}

static enum im_truth evaluate(struct im_matcher *m, const struct node *n, const struct im_entry *entry) {
    if (n->kind == AND || n->kind == OR)
        return evaluate_list(m, n, entry);
    if (n->kind != NOT)
        return evaluate_item(m, n, entry);
    enum im_truth one = evaluate(m, n->first, entry);
    return one == IM_UNDEFINED ? IM_UNDEFINED : one == IM_TRUE ? IM_FALSE : IM_TRUE;
}

enum im_err im_matcher_ask(struct im_matcher *m, const struct im_entry *entry, enum im_truth *out, struct im_error *e) {
    im_buf_clear(&m->scratch);
    m->has_failed = false;
    enum im_truth truth = evaluate(m, m->root, entry);
    clear_scratch(m);
    if (m->has_failed)
        return im_error_nomem(e);
    *out = truth;
    return IM_OK;
}

/* ---- from text to a tree; the text is known to be a filter ---- */

static int hex(char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Unescapes up to `end`; in pool. */
static enum im_err take_value(struct im_matcher *m, const char *at, const char *end, struct berval *out) {
    char *bytes = im_pool_alloc(m->pool, (size_t)(end - at) + 1);
    if (!bytes)
        return im_error_nomem(m->e);
    size_t len = 0;
    for (; at < end; at++) {
        if (*at == '\\') {
            bytes[len++] = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
        } else {
            bytes[len++] = *at;
        }
    }
    *out = (struct berval){.bv_len = len, .bv_val = bytes};
    return IM_OK;
}

static enum im_err take_buffer(struct im_matcher *m, struct im_buf *buffer, struct berval *out) {
    const struct berval value = {.bv_len = buffer->len, .bv_val = buffer->data};
    bool failed = buffer->failed || im_pool_value(m->pool, &value, out) != 0;
    im_buf_free(buffer);
    return failed ? im_error_nomem(m->e) : IM_OK;
}

/* Identifiers may be asked for as text. */
static void take_identifier(struct im_match_term *term, struct im_pool *pool, bool *failed) {
    unsigned char bytes[(size_t)IM_SID_BYTES_SIZE + IM_GUID_BYTES_SIZE]; /* room for either */
    size_t len = IM_GUID_BYTES_SIZE;
    bool is_binary = memchr(term->value.bv_val, '\0', term->value.bv_len) != NULL;
    bool is_text = !is_binary && ((term->kind == IM_MATCH_GUID && im_guid_from_text(term->value.bv_val, bytes)) ||
                                  (term->kind == IM_MATCH_SID && im_sid_from_text(term->value.bv_val, bytes, &len)));
    const struct berval octets = {.bv_len = len, .bv_val = (char *)bytes};
    *failed = is_text && im_pool_value(pool, &octets, &term->value) != 0;
}

static enum im_err make_term(struct im_matcher *m, struct node *n, const char *at, const char *end) {
    struct im_buf key = IM_BUF_INIT;
    bool failed = false;
    enum im_err err = take_value(m, at, end, &n->term.value);
    if (err != IM_OK)
        return err;
    take_identifier(&n->term, m->pool, &failed);
    if (failed)
        return im_error_nomem(m->e);
    n->is_number = is_number(&n->term.value, &n->number);
    n->term.is_ascii = im_text_is_ascii(n->term.value.bv_val, n->term.value.bv_len);
    if (n->kind == EQUAL) {
        im_match_key(n->term.kind, &n->term.value, &key);
    } else {
        fold(n->term.kind, &n->term.value, &key);
    }
    bool wants_number = n->kind == ALL_BITS || n->kind == ANY_BIT || n->term.kind == IM_MATCH_INTEGER;
    if (n->term.kind == IM_MATCH_NONE || (wants_number && !n->is_number))
        n->kind = NEVER_KNOWN;
    return take_buffer(m, &key, &n->term.key);
}

static enum im_err make_parts(struct im_matcher *m, struct node *n, const char *at, const char *end) {
    size_t most = 1;
    for (const char *c = at; c < end; c++)
        most += *c == '*';
    n->kind = PARTS;
    n->pieces = im_pool_array(m->pool, most, sizeof *n->pieces);
    enum im_err err = n->pieces ? IM_OK : im_error_nomem(m->e);
    while (err == IM_OK && n->piece_count < most) {
        const char *star = memchr(at, '*', (size_t)(end - at));
        struct im_buf folded = IM_BUF_INIT;
        struct berval piece = {0};
        err = take_value(m, at, star ? star : end, &piece);
        if (err != IM_OK)
            break;
        fold(n->term.kind, &piece, &folded);
        err = take_buffer(m, &folded, &n->pieces[n->piece_count++]);
        at = star ? star + 1 : end;
    }
    if (n->term.kind == IM_MATCH_NONE)
        n->kind = NEVER_KNOWN;
    return err;
}

static const struct {
    const char *name, *number;
    enum node_kind node;
    enum im_match_kind kind;
} rules[] = {
    {"caseIgnoreMatch", "2.5.13.2", EQUAL, IM_MATCH_TEXT},
    {"caseIgnoreIA5Match", "1.3.6.1.4.1.1466.109.114.2", EQUAL, IM_MATCH_TEXT},
    {"caseExactMatch", "2.5.13.5", EQUAL, IM_MATCH_EXACT},
    {"caseExactIA5Match", "1.3.6.1.4.1.1466.109.114.1", EQUAL, IM_MATCH_EXACT},
    {"distinguishedNameMatch", "2.5.13.1", EQUAL, IM_MATCH_DN},
    {"octetStringMatch", "2.5.13.17", EQUAL, IM_MATCH_EXACT},
    {"integerMatch", "2.5.13.14", EQUAL, IM_MATCH_INTEGER},
    {"booleanMatch", "2.5.13.13", EQUAL, IM_MATCH_TEXT},
    {"objectIdentifierMatch", "2.5.13.0", EQUAL, IM_MATCH_TEXT},
    {"UUIDMatch", "1.3.6.1.1.16.2", EQUAL, IM_MATCH_TEXT},
    {"integerBitAndMatch", "1.2.840.113556.1.4.803", ALL_BITS, IM_MATCH_INTEGER},
    {"integerBitOrMatch", "1.2.840.113556.1.4.804", ANY_BIT, IM_MATCH_INTEGER},
};

/* ":rule:=" and ":=", from the first colon; *at is then behind it. */
static enum im_err take_rule(struct im_matcher *m, struct node *n, const char **at) {
    const char *end = strstr(*at, ":=");
    const char *name = *at + 1;
    size_t len = end > *at ? (size_t)(end - name) : 0;
    bool is_known = end == *at;
    for (size_t i = 0; !is_known && i < sizeof rules / sizeof rules[0]; i++) {
        is_known = im_text_equal_n(rules[i].name, strlen(rules[i].name), name, len) ||
                   im_text_equal_n(rules[i].number, strlen(rules[i].number), name, len);
        if (is_known) {
            n->kind = rules[i].node;
            n->term.kind = rules[i].kind;
        }
    }
    *at = end + 2;
    if (!is_known || !*n->term.attribute) {
        const char *open = name - strlen(n->term.attribute) - 1;
        n->kind = NEVER_KNOWN;
        if (!m->unknown)
            m->unknown = im_pool_printf(m->pool, "(%.*s)", (int)strcspn(open, ")"), open);
        return m->unknown ? IM_OK : im_error_nomem(m->e);
    }
    return IM_OK;
}

static enum im_err take_attribute(struct im_matcher *m, struct node *n, const char **at) {
    size_t len = strcspn(*at, "=<>~:");
    size_t plain = strcspn(*at, "=<>~:;");
    n->term.attribute = im_pool_strndup(m->pool, *at, plain);
    if (!n->term.attribute)
        return im_error_nomem(m->e);
    *at += len;
    n->term.kind = m->matching.kind ? m->matching.kind(m->matching.user, n->term.attribute) : IM_MATCH_LOOSE;
    return IM_OK;
}

static enum im_err build_item(struct im_matcher *m, struct node *n, const char **at) {
    n->kind = EQUAL;
    enum im_err err = take_attribute(m, n, at);
    if (err != IM_OK)
        return err;
    bool takes_stars = **at == '=';
    if (**at == ':') {
        err = take_rule(m, n, at);
    } else {
        n->kind = **at == '>' ? AT_LEAST : **at == '<' ? AT_MOST : EQUAL;
        *at += takes_stars ? 1 : 2;
    }
    const char *end = *at + strcspn(*at, ")");
    const char *start = *at;
    *at = end;
    if (err != IM_OK || n->kind == NEVER_KNOWN)
        return err;
    if (takes_stars && end == start + 1 && *start == '*') {
        n->kind = PRESENT;
        return IM_OK;
    }
    bool has_star = takes_stars && memchr(start, '*', (size_t)(end - start));
    return has_star ? make_parts(m, n, start, end) : make_term(m, n, start, end);
}

static enum im_err build(struct im_matcher *m, const char **at, struct node **out);

static enum im_err build_list(struct im_matcher *m, struct node *n, const char **at) {
    struct node **next = &n->first;
    enum im_err err = IM_OK;
    while (err == IM_OK && **at == '(') {
        err = build(m, at, next);
        next = err == IM_OK ? &(*next)->next : next;
    }
    return err;
}

/* Nesting is bounded by im_filter_parse. */
static enum im_err build(struct im_matcher *m, const char **at, struct node **out) {
    struct node *n = im_pool_alloc(m->pool, sizeof *n);
    if (!n)
        return im_error_nomem(m->e);
    ++*at;
    char c = **at;
    bool is_list = c == '&' || c == '|' || c == '!';
    n->kind = c == '&' ? AND : c == '|' ? OR : NOT;
    *at += is_list;
    enum im_err err = is_list ? build_list(m, n, at) : build_item(m, n, at);
    ++*at;
    *out = n;
    return err;
}

/* ---- the matcher ---- */

static enum im_err list_alternatives(struct im_matcher *m) {
    const struct node *first = m->root->kind == OR ? m->root->first : m->root;
    size_t count = 0;
    for (const struct node *n = first; n; n = m->root->kind == OR ? n->next : NULL) {
        if (n->kind != EQUAL)
            return IM_OK;
        count++;
    }
    m->terms = im_pool_array(m->pool, count, sizeof *m->terms);
    if (!m->terms)
        return im_error_nomem(m->e);
    for (const struct node *n = first; n && m->term_count < count; n = n->next)
        m->terms[m->term_count++] = n->term;
    return IM_OK;
}

enum im_err im_matcher_new(const char *filter, const struct im_matching *matching, struct im_pool *pool, struct im_matcher **out,
                           struct im_error *e) {
    struct im_matcher *m = im_pool_alloc(pool, sizeof *m);
    if (!m)
        return im_error_nomem(e);
    m->pool = pool;
    m->e = e;
    if (matching)
        m->matching = *matching;
    enum im_err err = im_filter_parse(filter, pool, &m->filter, e);
    const char *at = m->filter.text;
    if (err == IM_OK)
        err = build(m, &at, &m->root);
    if (err == IM_OK)
        err = list_alternatives(m);
    if (err == IM_OK)
        *out = m;
    return err;
}

const char *im_matcher_unknown(const struct im_matcher *m) {
    return m->unknown;
}

const char *const *im_matcher_attributes(const struct im_matcher *m, size_t *count) {
    *count = m->filter.attribute_count;
    return m->filter.attributes;
}

const struct im_match_term *im_matcher_alternatives(const struct im_matcher *m, size_t *count) {
    *count = m->term_count;
    return m->terms;
}

void im_matcher_free(struct im_matcher **m) {
    if (m && *m)
        im_buf_free(&(*m)->scratch);
    if (m)
        *m = NULL;
}
