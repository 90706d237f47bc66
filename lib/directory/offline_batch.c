/* Searches that one pass over an export answers: who gets an entry is found by hash where a search asks for values, so that many
 * searches cost little more than one. */
#include "lib/directory/offline_impl.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"

#include <stdlib.h>
#include <string.h>

enum { NO_SUCH_OBJECT = 32, INVALID_DN = 34 };

/* ---- what is known of attributes ---- */

static enum im_match_kind kind_of(const void *user, const char *attribute) {
    static const struct {
        const char *name;
        enum im_match_kind kind;
    } known[] = {
        {"objectGUID", IM_MATCH_GUID},
        {"schemaIDGUID", IM_MATCH_GUID},
        {"msExchMailboxGuid", IM_MATCH_GUID},
        {"objectSid", IM_MATCH_SID},
        {"sIDHistory", IM_MATCH_SID},
        {"securityIdentifier", IM_MATCH_SID},
        {"msExchMasterAccountSid", IM_MATCH_SID},
    };
    const struct im_offline_batch *b = user;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (im_text_equal(known[i].name, attribute))
            return known[i].kind;
    }
    return b->is_ad && im_text_equal(attribute, "objectCategory") ? IM_MATCH_CATEGORY : IM_MATCH_LOOSE;
}

/* ---- beginning and end ---- */

enum im_err im_offline_batch_new(const struct im_offline_survey *survey, bool is_ad, struct im_offline_batch **out,
                                 struct im_error *e) {
    struct im_offline_batch *b = calloc(1, sizeof *b);
    if (!b)
        return im_error_nomem(e);
    b->survey = survey;
    b->is_ad = is_ad;
    b->pool = im_pool_new();
    b->by_dn = im_index_new();
    b->by_value = im_index_new();
    im_hash_seed(b->key);
    *out = b;
    return b->pool && b->by_dn && b->by_value ? IM_OK : im_error_nomem(e);
}

void im_offline_batch_free(struct im_offline_batch **batch) {
    struct im_offline_batch *b = batch ? *batch : NULL;
    if (!b)
        return;
    for (size_t i = 0; i < b->searches.count; i++)
        im_matcher_free(&b->searches.items[i].matcher);
    im_vec_free(&b->searches);
    im_vec_free(&b->bases);
    im_vec_free(&b->lists);
    im_vec_free(&b->links);
    im_vec_free(&b->deep);
    im_vec_free(&b->others);
    im_vec_free(&b->hits);
    free(b->names.items);
    im_index_free(&b->by_dn);
    im_index_free(&b->by_value);
    im_buf_free(&b->normal);
    im_buf_free(&b->value);
    free(b->view.attrs);
    im_pool_free(&b->pool);
    free(b);
    *batch = NULL;
}

void im_offline_search_end(struct im_offline_batch *b, struct im_offline_search *s) {
    b->left -= !s->is_done;
    s->is_done = true;
}

static enum im_err add_number(struct im_offline_numbers *list, size_t number, struct im_error *e) {
    size_t *slot = im_vec_push(list);
    if (!slot)
        return im_error_nomem(e);
    *slot = number;
    return IM_OK;
}

/* ---- bases ---- */

/* What has another length is not looked up. */
static uint64_t length_bit(size_t len) {
    return UINT64_C(1) << (len & 63);
}

static uint64_t hash_of(const struct im_offline_batch *b, const void *bytes, size_t len) {
    uint64_t hash = im_hash(bytes, len, b->key);
    return hash ? hash : 1;
}

/* Heads that lie below the base are other naming contexts. */
static enum im_err make_cut(const struct im_offline_batch *b, struct im_offline_base *base, struct im_error *e) {
    const struct im_offline_survey *s = b->survey;
    bool *cut = im_pool_array(b->pool, s->heads.count, sizeof *cut);
    if (!cut)
        return im_error_nomem(e);
    for (size_t i = 0; i < s->heads.count; i++) {
        const char *head = s->heads.items[i].normal;
        cut[i] = strcmp(head, base->normal) != 0 && im_offline_lies_below(head, base->normal);
        if (cut[i])
            base->cut = cut;
    }
    return IM_OK;
}

static enum im_err find_base(struct im_offline_batch *b, const char *normal, size_t len, size_t *out, struct im_error *e) {
    bool is_new;
    struct im_index_item *item = im_index_put(b->by_dn, hash_of(b, normal, len), &is_new);
    if (!item)
        return im_error_nomem(e);
    if (!is_new) {
        *out = (size_t)item->a;
        return IM_OK;
    }
    struct im_offline_base *base = im_vec_push(&b->bases);
    if (!base || !(base->normal = im_pool_strndup(b->pool, normal, len)))
        return im_error_nomem(e);
    base->len = len;
    *out = b->bases.count - 1;
    item->a = (uint32_t)*out;
    return b->is_ad ? make_cut(b, base, e) : IM_OK;
}

static enum im_err link_search(struct im_offline_batch *b, size_t search, size_t *first, struct im_error *e) {
    struct im_offline_link *link = im_vec_push(&b->links);
    if (!link)
        return im_error_nomem(e);
    *link = (struct im_offline_link){.search = search, .next = *first};
    *first = b->links.count;
    return IM_OK;
}

/* "<GUID=...>": the octets; false: it is none. */
static bool guid_of(const char *base, unsigned char out[static IM_GUID_BYTES_SIZE]) {
    char text[64];
    size_t len = strlen(base);
    if (len < 8 || len - 7 >= sizeof text || !im_text_equal_n(base, 6, "<GUID=", 6) || base[len - 1] != '>')
        return false;
    memcpy(text, base + 6, len - 7);
    text[len - 7] = '\0';
    return im_guid_from_text(text, out);
}

static enum im_err set_base(struct im_offline_batch *b, size_t number, struct im_error *e) {
    struct im_offline_search *s = &b->searches.items[number];
    unsigned char guid[IM_GUID_BYTES_SIZE];
    const char *dn = s->search.base ? s->search.base : "";
    if (guid_of(dn, guid)) {
        s->is_guid = true;
        s->base = SIZE_MAX;
        return IM_OK;
    }
    im_buf_clear(&b->normal);
    if (!im_dn_normalize(dn, &b->normal)) {
        s->code = INVALID_DN;
        return b->normal.failed ? im_error_nomem(e) : IM_OK;
    }
    enum im_err err = find_base(b, im_buf_str(&b->normal), b->normal.len, &s->base, e);
    if (err != IM_OK)
        return err;
    struct im_offline_base *base = &b->bases.items[s->base];
    if (s->search.scope == IM_SEARCH_BASE) {
        b->base_lengths |= length_bit(base->len);
        return link_search(b, number, &base->searches, e);
    }
    if (base->goes_deeper)
        return IM_OK;
    base->goes_deeper = true;
    return add_number(&b->deep, s->base, e);
}

/* ---- what needs no pass ---- */

static bool is_context(const struct im_offline_survey *s, const char *normal) {
    for (size_t i = 0; i < s->trees.count; i++) {
        if (strcmp(s->trees.items[i].common, normal) == 0)
            return true;
    }
    for (size_t i = 0; i < s->heads.count; i++) {
        if (strcmp(s->heads.items[i].normal, normal) == 0)
            return true;
    }
    return false;
}

/* A class that no entry has, below a base that is known to be there: nothing is found. */
static bool finds_nothing(struct im_offline_batch *b, const struct im_offline_search *s) {
    size_t count = 0;
    const struct im_match_term *term = s->matcher ? im_matcher_alternatives(s->matcher, &count) : NULL;
    const struct im_offline_names *classes = &b->survey->classes;
    bool is_asked = count == 1 && s->search.scope == IM_SEARCH_SUB && !s->code && !s->is_guid &&
                    im_text_equal(term->attribute, "objectClass") && classes->count < IM_OFFLINE_CLASSES;
    if (!is_asked || !is_context(b->survey, b->bases.items[s->base].normal))
        return false;
    for (size_t i = 0; i < classes->count; i++) {
        if (im_text_equal_n(classes->items[i], strlen(classes->items[i]), term->value.bv_val, term->value.bv_len))
            return false;
    }
    b->bases.items[s->base].sees = true;
    return true;
}

/* ---- adding a search ---- */

static enum im_err make_matcher(struct im_offline_batch *b, struct im_offline_search *s, struct im_error *e) {
    const struct im_matching matching = {.kind = kind_of, .user = b};
    const char *filter = s->search.filter;
    if (!filter || im_text_equal(filter, "(objectClass=*)")) /* also where the export was made without it */
        return IM_OK;
    enum im_err err = im_matcher_new(filter, &matching, b->pool, &s->matcher, e);
    if (err == IM_OK && im_matcher_unknown(s->matcher)) {
        err = im_error_set(e, IM_E_USAGE, "the condition %s cannot be answered from an export: nothing is known of its rule",
                           im_matcher_unknown(s->matcher));
    }
    return err;
}

enum im_err im_offline_batch_add(struct im_offline_batch *b, const struct im_search *search, void *token, struct im_error *e) {
    struct im_offline_search *s = im_vec_push(&b->searches);
    if (!s)
        return im_error_nomem(e);
    *s = (struct im_offline_search){.search = *search, .token = token};
    enum im_err err = make_matcher(b, s, e);
    if (err == IM_OK)
        err = set_base(b, b->searches.count - 1, e);
    s = &b->searches.items[b->searches.count - 1];
    if (err == IM_OK) {
        s->is_done = finds_nothing(b, s);
        b->left += !s->is_done;
    } else { /* links to it are followed in vain */
        s->is_done = s->is_told = true;
    }
    return err;
}

/* ---- closing ---- */

static enum im_err find_name(struct im_offline_batch *b, const char *name, size_t *out, struct im_error *e) {
    for (*out = 0; *out < b->names.count; ++*out) {
        if (im_text_equal(b->names.items[*out], name))
            return IM_OK;
    }
    const char **slot = im_vec_push(&b->names);
    if (!slot)
        return im_error_nomem(e);
    *slot = name;
    return IM_OK;
}

/* Lists are shared by the searches of a kind: most are known by their address. */
static enum im_err find_list(struct im_offline_batch *b, struct im_offline_search *s, struct im_error *e) {
    const char *const *names = s->search.attributes;
    for (s->attributes = 0; s->attributes < b->lists.count; s->attributes++) {
        if (b->lists.items[s->attributes].names == names)
            return IM_OK;
    }
    struct im_offline_list *list = im_vec_push(&b->lists);
    if (!list)
        return im_error_nomem(e);
    list->names = names;
    list->is_all = !names;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && names && names[i]; i++) {
        size_t number;
        bool is_special = strcmp(names[i], "*") == 0 || strcmp(names[i], "+") == 0;
        list->is_all = list->is_all || is_special;
        if (!is_special && strcmp(names[i], "1.1") != 0)
            err = find_name(b, names[i], &number, e);
    }
    b->wants_all = b->wants_all || list->is_all;
    return err;
}

static enum im_err take_names(struct im_offline_batch *b, struct im_offline_search *s, struct im_error *e) {
    size_t count = 0;
    size_t number;
    const char *const *names = s->matcher ? im_matcher_attributes(s->matcher, &count) : NULL;
    enum im_err err = find_list(b, s, e);
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = find_name(b, names[i], &number, e);
    if (err == IM_OK && s->is_guid)
        err = find_name(b, "objectGUID", &number, e);
    b->shows_deleted = b->shows_deleted || s->search.show_deleted;
    return err;
}

static enum im_err fill_lists(struct im_offline_batch *b, struct im_error *e) {
    for (size_t i = 0; i < b->lists.count; i++) {
        struct im_offline_list *list = &b->lists.items[i];
        size_t found = 0;
        list->wants = im_pool_array(b->pool, b->names.count, sizeof *list->wants);
        if (!list->wants)
            return im_error_nomem(e);
        for (size_t k = 0; list->names && list->names[k]; k++) {
            for (size_t n = 0; n < b->names.count; n++)
                list->wants[n] = list->wants[n] || im_text_equal(b->names.items[n], list->names[k]);
        }
        for (size_t n = 0; n < b->names.count; n++)
            found += list->wants[n];
        list->is_whole = list->is_all || (!b->wants_all && found == b->names.count);
    }
    return IM_OK;
}

/* attribute, kind and value as one text, and its hash. */
static uint64_t hash_term(struct im_offline_batch *b, size_t name, enum im_match_kind kind) {
    uint32_t head[2] = {(uint32_t)name, (uint32_t)kind};
    im_buf_add(&b->value, head, sizeof head);
    return hash_of(b, im_buf_str(&b->value), b->value.len);
}

static enum im_err index_term(struct im_offline_batch *b, size_t search, const char *attribute, enum im_match_kind kind,
                              const struct berval *key, struct im_error *e) {
    size_t name;
    bool is_new;
    enum im_err err = find_name(b, attribute, &name, e);
    if (err != IM_OK)
        return err;
    im_buf_clear(&b->value);
    im_buf_add(&b->value, key->bv_val, key->bv_len);
    uint64_t hash = hash_term(b, name, kind);
    struct im_index_item *item = b->value.failed ? NULL : im_index_put(b->by_value, hash, &is_new);
    if (!item)
        return im_error_nomem(e);
    b->kinds[name] |= 1U << kind;
    b->lengths[name] |= length_bit(key->bv_len);
    size_t first = (size_t)item->a;
    err = link_search(b, search, &first, e);
    item->a = (uint32_t)first;
    return err;
}

static enum im_err index_search(struct im_offline_batch *b, size_t number, struct im_error *e) {
    struct im_offline_search *s = &b->searches.items[number];
    unsigned char guid[IM_GUID_BYTES_SIZE];
    if (s->is_guid && guid_of(s->search.base, guid)) {
        const struct berval key = {.bv_len = sizeof guid, .bv_val = (char *)guid};
        s->is_indexed = true;
        return index_term(b, number, "objectGUID", IM_MATCH_GUID, &key, e);
    }
    size_t count = 0;
    const struct im_match_term *terms = s->matcher ? im_matcher_alternatives(s->matcher, &count) : NULL;
    s->is_indexed = terms != NULL || s->search.scope == IM_SEARCH_BASE;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && s->search.scope != IM_SEARCH_BASE && terms && i < count; i++)
        err = index_term(b, number, terms[i].attribute, terms[i].kind, &terms[i].key, e);
    return err == IM_OK && !s->is_indexed ? add_number(&b->others, number, e) : err;
}

enum im_err im_offline_batch_close(struct im_offline_batch *b, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < b->searches.count; i++) {
        if (!b->searches.items[i].is_done)
            err = take_names(b, &b->searches.items[i], e);
    }
    if (err == IM_OK)
        err = fill_lists(b, e);
    b->kinds = im_pool_array(b->pool, b->names.count + 1, sizeof *b->kinds);
    b->lengths = im_pool_array(b->pool, b->names.count + 1, sizeof *b->lengths);
    if (err == IM_OK && !(b->kinds && b->lengths))
        err = im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < b->searches.count; i++) {
        if (!b->searches.items[i].is_done && !b->searches.items[i].code)
            err = index_search(b, i, e);
    }
    return err;
}

/* ---- one entry ---- */

struct look {
    struct im_offline_batch *b;
    const struct im_entry *entry;
    const size_t *numbers;
    bool is_deleted, is_assumed;
    struct im_error *e;
};

static size_t number_of(const struct im_offline_batch *b, const struct im_entry *entry, const size_t *numbers, size_t attr) {
    size_t name = 0;
    if (numbers && !b->wants_all)
        return numbers[attr];
    while (name < b->names.count && !im_text_equal(b->names.items[name], entry->attrs[attr].name))
        name++;
    return name;
}

/* Is it to be given to the search, once its base and its terms fit? */
static enum im_err offer(const struct look *l, size_t number) {
    struct im_offline_batch *b = l->b;
    struct im_offline_search *s = &b->searches.items[number];
    enum im_truth truth = IM_TRUE;
    if (s->is_done || s->entry == b->entry || (l->is_deleted && !s->search.show_deleted))
        return IM_OK;
    s->entry = b->entry;
    enum im_err err = s->matcher ? im_matcher_ask(s->matcher, l->entry, &truth, l->e) : IM_OK;
    if (err != IM_OK || truth != IM_TRUE)
        return err;
    return add_number(&b->hits, number, l->e);
}

/* Below the base, in its naming context, and at the right depth? */
static bool is_in_scope(const struct look *l, const struct im_offline_search *s) {
    const struct im_offline_batch *b = l->b;
    if (s->is_guid)
        return true;
    const struct im_offline_base *base = &b->bases.items[s->base];
    if (!base->covers || (l->is_assumed && !base->len))
        return false;
    if (s->search.scope == IM_SEARCH_SUB)
        return true;
    const char *normal = b->normal.data;
    size_t above = base->len ? base->len + 1 : 0;
    return b->normal.len > above && !memchr(normal, ',', b->normal.len - above);
}

static bool is_cut(const struct im_offline_batch *b, const struct im_offline_base *base, const char *normal) {
    for (size_t i = 0; base->cut && i < b->survey->heads.count; i++) {
        if (base->cut[i] && im_offline_lies_below(normal, b->survey->heads.items[i].normal))
            return true;
    }
    return false;
}

static void cover(const struct look *l) {
    struct im_offline_batch *b = l->b;
    const char *normal = im_buf_str(&b->normal);
    for (size_t i = 0; i < b->deep.count; i++) {
        struct im_offline_base *base = &b->bases.items[b->deep.items[i]];
        base->covers = base->len <= b->normal.len && im_offline_lies_below(normal, base->normal) && !is_cut(b, base, normal);
        base->sees = base->sees || base->covers;
    }
}

static enum im_err offer_links(const struct look *l, size_t link, bool is_by_name) {
    struct im_offline_batch *b = l->b;
    enum im_err err = IM_OK;
    for (; err == IM_OK && link; link = b->links.items[link - 1].next) {
        size_t number = b->links.items[link - 1].search;
        struct im_offline_search *s = &b->searches.items[number];
        if (is_by_name || s->is_guid)
            s->is_found = s->is_found || !l->is_deleted || s->search.show_deleted;
        if (is_by_name || is_in_scope(l, s))
            err = offer(l, number);
    }
    return err;
}

static enum im_err look_by_name(const struct look *l) {
    struct im_offline_batch *b = l->b;
    if (!(b->base_lengths & length_bit(b->normal.len)))
        return IM_OK;
    const struct im_index_item *item = im_index_find(b->by_dn, hash_of(b, im_buf_str(&b->normal), b->normal.len));
    return item ? offer_links(l, b->bases.items[item->a].searches, true) : IM_OK;
}

static enum im_err look_by_value(const struct look *l, const struct berval *value, size_t name) {
    struct im_offline_batch *b = l->b;
    enum im_err err = IM_OK;
    for (enum im_match_kind kind = IM_MATCH_LOOSE; err == IM_OK && b->kinds[name] >> kind; kind++) {
        bool is_asked = b->kinds[name] >> kind & 1;
        bool may_fit = !im_match_keeps_length(kind, value) || b->lengths[name] & length_bit(value->bv_len);
        if (!is_asked || !may_fit)
            continue;
        im_buf_clear(&b->value);
        im_match_key(kind, value, &b->value);
        uint64_t hash = hash_term(b, name, kind);
        if (b->value.failed)
            return im_error_nomem(l->e);
        const struct im_index_item *item = im_index_find(b->by_value, hash);
        if (item)
            err = offer_links(l, (size_t)item->a, false);
    }
    return err;
}

static enum im_err look_by_values(const struct look *l) {
    const struct im_offline_batch *b = l->b;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < l->entry->count; i++) {
        const struct im_attr *attr = &l->entry->attrs[i];
        size_t name = number_of(b, l->entry, l->numbers, i);
        for (size_t v = 0; err == IM_OK && name < b->names.count && b->kinds[name] && v < attr->count; v++)
            err = look_by_value(l, &attr->values[v], name);
    }
    return err;
}

static enum im_err ask_the_others(const struct look *l) {
    struct im_offline_batch *b = l->b;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < b->others.count; i++) {
        if (is_in_scope(l, &b->searches.items[b->others.items[i]]))
            err = offer(l, b->others.items[i]);
    }
    return err;
}

/* Parsing tells; most names do not even look like it. */
static bool is_deleted(const struct im_offline_batch *b, const char *dn) {
    return b->is_ad && im_dn_is_deleted(dn);
}

enum im_err im_offline_batch_look(struct im_offline_batch *b, const struct im_entry *entry, const size_t *numbers,
                                  bool is_assumed, struct im_error *e) {
    struct look l = {.b = b, .entry = entry, .numbers = numbers, .is_assumed = is_assumed, .e = e};
    b->hits.count = 0;
    b->entry++;
    im_buf_clear(&b->normal);
    if (!im_dn_normalize(entry->dn, &b->normal))
        return im_error_nomem(e); /* the survey has seen that it is a DN */
    l.is_deleted = is_deleted(b, entry->dn);
    if ((l.is_deleted && !b->shows_deleted) || (!b->normal.len && !is_assumed))
        return IM_OK;
    cover(&l);
    enum im_err err = look_by_name(&l);
    if (err == IM_OK && im_index_count(b->by_value))
        err = look_by_values(&l);
    return err == IM_OK ? ask_the_others(&l) : err;
}

/* ---- what a search gets ---- */

enum im_err im_offline_batch_view(struct im_offline_batch *b, const struct im_offline_search *s, const struct im_entry *entry,
                                  const size_t *numbers, struct im_entry **out, struct im_error *e) {
    const struct im_offline_list *list = &b->lists.items[s->attributes];
    if (b->view_cap < entry->count) {
        struct im_attr *more = realloc(b->view.attrs, entry->count * sizeof *more);
        if (!more)
            return im_error_nomem(e);
        b->view.attrs = more;
        b->view_cap = entry->count;
    }
    b->view.dn = entry->dn;
    b->view.line = entry->line;
    b->view.count = 0;
    for (size_t i = 0; i < entry->count; i++) {
        size_t name = list->is_whole ? 0 : number_of(b, entry, numbers, i);
        if (list->is_whole || (name < b->names.count && list->wants[name]))
            b->view.attrs[b->view.count++] = entry->attrs[i];
    }
    *out = &b->view;
    return IM_OK;
}

int im_offline_batch_code(const struct im_offline_batch *b, const struct im_offline_search *s) {
    if (s->code)
        return s->code;
    bool is_met = s->is_guid || s->search.scope == IM_SEARCH_BASE ? s->is_found : b->bases.items[s->base].sees;
    return is_met || (!s->is_guid && !b->bases.items[s->base].len) ? 0 : NO_SUCH_OBJECT;
}
