#include "lib/engine/compare.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/guid.h"
#include "lib/directory/lookup.h"
#include "lib/engine/tempo.h"
#include "lib/model/want.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE = 256 };

/* Some accounts as the first server has them, and what a replica says of each. */
struct slice {
    struct im_compare *c;
    struct im_pool *pool;
    const char *const *attributes;
    struct im_entry *here[SLICE];
    const char *refs[SLICE]; /* <GUID=...> or DN: an account may have another name there by now */
    const struct im_entry *there[SLICE];
    size_t count;
    struct im_lookup lookups[SLICE];
};

static const char *changed_of(const struct im_entry *entry) {
    const char *when = im_entry_string(entry, "whenChanged");
    return when ? when : im_entry_string(entry, "modifyTimestamp");
}

static const char *const *attributes_of(const struct im_account_context *context, struct im_pool *pool) {
    const struct im_profile *p = context->profile;
    const char **names = im_pool_array(pool, p->attr_count + p->account_name_count + 5, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; names && i < p->attr_count; i++)
        names[count++] = p->attrs[i].name;
    for (size_t i = 0; names && i < p->account_name_count; i++)
        names[count++] = p->account_names[i];
    if (names) {
        names[count++] = "objectGUID";
        names[count++] = "whenChanged";
        names[count++] = "modifyTimestamp";
    }
    return names;
}

/* ---- one attribute ---- */

static bool same_values(const struct im_profile_attr *attr, const struct im_attr *a, const struct im_attr *b) {
    if ((a ? a->count : 0) != (b ? b->count : 0))
        return false;
    for (size_t i = 0; a && i < a->count; i++) {
        bool is_there = false;
        for (size_t k = 0; !is_there && k < b->count; k++) {
            is_there = im_value_equal(&a->values[i], &b->values[k]) ||
                       (attr->role != IM_ROLE_OPAQUE && im_role_equal(attr->role, a->values[i].bv_val, b->values[k].bv_val));
        }
        if (!is_there)
            return false;
    }
    return true;
}

/* NULL in *out: no value. */
static enum im_err show(const struct im_attr *attr, struct im_pool *pool, const char **out, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; attr && i < attr->count; i++) {
        im_buf_adds(&text, i ? ", " : "");
        if (im_text_is_utf8(attr->values[i].bv_val, attr->values[i].bv_len)) {
            im_buf_add(&text, attr->values[i].bv_val, attr->values[i].bv_len);
        } else {
            im_buf_addf(&text, "(%zu bytes)", (size_t)attr->values[i].bv_len);
        }
    }
    *out = attr && attr->count && !text.failed ? im_pool_strdup(pool, im_buf_str(&text)) : NULL;
    bool is_lost = attr && attr->count && !*out;
    im_buf_free(&text);
    return is_lost ? im_error_nomem(e) : IM_OK;
}

static enum im_err keep(const char *text, struct im_pool *pool, const char **out, struct im_error *e) {
    *out = im_pool_strdup(pool, text);
    return text && !*out ? im_error_nomem(e) : IM_OK;
}

static const char *name_of(const struct im_profile *p, const struct im_entry *entry) {
    for (size_t i = 0; i < p->account_name_count; i++) {
        const char *name = im_entry_string(entry, p->account_names[i]);
        if (name)
            return name;
    }
    return NULL;
}

static enum im_err fill_difference(const struct slice *s, size_t at, const char *attribute, struct im_replica_difference *d,
                                   struct im_error *e) {
    struct im_pool *pool = s->c->pool;
    const struct im_entry *here = s->here[at];
    const struct im_entry *there = s->there[at];
    enum im_err err = keep(name_of(s->c->context->profile, here), pool, &d->account, e);
    if (err == IM_OK)
        err = keep(here->dn, pool, &d->dn, e);
    if (err == IM_OK && attribute)
        err = show(im_entry_attr(here, attribute), pool, &d->here, e);
    if (err == IM_OK && attribute)
        err = show(im_entry_attr(there, attribute), pool, &d->there, e);
    if (err == IM_OK)
        err = keep(changed_of(here), pool, &d->when_here, e);
    return err == IM_OK && there ? keep(changed_of(there), pool, &d->when_there, e) : err;
}

static enum im_err add_difference(struct slice *s, size_t replica, size_t at, const char *attribute, struct im_error *e) {
    struct im_replica_facts *facts = s->c->facts;
    if (facts->differences.count >= s->c->most) {
        facts->left_out++;
        return IM_OK;
    }
    struct im_replica_difference *d = im_vec_push(&facts->differences);
    if (!d)
        return im_error_nomem(e);
    *d = (struct im_replica_difference){.replica = replica, .attribute = attribute};
    return fill_difference(s, at, attribute, d, e);
}

static enum im_err compare_entry(struct slice *s, size_t replica, size_t at, struct im_error *e) {
    const struct im_profile *p = s->c->context->profile;
    enum im_err err = IM_OK;
    if (!s->there[at])
        return add_difference(s, replica, at, NULL, e);
    for (size_t i = 0; err == IM_OK && i < p->attr_count; i++) {
        const struct im_attr *here = im_entry_attr(s->here[at], p->attrs[i].name);
        if (!same_values(&p->attrs[i], here, im_entry_attr(s->there[at], p->attrs[i].name)))
            err = add_difference(s, replica, at, p->attrs[i].name, e);
    }
    return err;
}

/* ---- a slice on a replica ---- */

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct slice *s = user;
    const struct im_entry *copy = im_entry_copy(entry, s->pool);
    if (!copy)
        return im_error_nomem(e);
    s->there[(size_t)(uintptr_t)lookup->data] = copy;
    return IM_OK;
}

/* Searches on a server that may be busy. */
struct asking {
    struct im_lookups lookups;
    struct im_tempo tempo;
    struct im_pool *pool; /* of the lookups while there is patience: without one, being busy is an error, in the server's words */
    int64_t patience_ms, until_ms; /* each answer begins it anew */
    size_t done;                   /* when it was begun last */
};

static void note_busy(struct asking *a, int64_t now_ms) {
    struct im_lookups *l = &a->lookups;
    if (l->done > a->done) {
        a->done = l->done;
        a->until_ms = now_ms + a->patience_ms;
        im_tempo_answered(&a->tempo, l->in_flight, now_ms);
    }
    if (l->is_busy)
        im_tempo_busy(&a->tempo, now_ms);
    l->is_busy = false;
}

/* Sends what may be sent; *wait_ms: how long nothing may be (-1: answers come first). When the patience is over, all are asked
 * for once more. */
static enum im_err send_some(struct asking *a, int64_t now_ms, int64_t *wait_ms, struct im_error *e) {
    struct im_lookups *l = &a->lookups;
    size_t sent;
    *wait_ms = -1;
    l->pool = now_ms < a->until_ms ? a->pool : NULL;
    if (!l->pool || !im_tempo_pauses(&a->tempo, now_ms, wait_ms))
        return im_lookups_send(l, im_directory_window(l->directory, IM_LOOKUP_WINDOW) - l->in_flight, &sent, e);
    if (*wait_ms > a->until_ms - now_ms)
        *wait_ms = a->until_ms - now_ms;
    return IM_OK;
}

static enum im_err await_event(struct asking *a, int64_t wait_ms, struct im_error *e) {
    struct im_event event;
    enum im_err err = im_directory_wait(a->lookups.directory, wait_ms, &event, e);
    struct im_token *token = err == IM_OK && event.kind != IM_EVENT_NONE ? event.token : NULL;
    return token ? token->take(token, &event, e) : err;
}

static enum im_err ask_patiently(struct slice *s, struct im_directory *d, struct im_error *e) {
    struct asking a = {
        .lookups = {.directory = d, .items = s->lookups, .count = s->count, .fn = take, .user = s, .pool = s->pool},
        .pool = s->pool,
        .patience_ms = s->c->patience_s * 1000};
    enum im_err err = IM_OK;
    a.until_ms = im_directory_now_ms(d) + a.patience_ms;
    im_tempo_begin(&a.tempo, IM_LOOKUP_WINDOW, IM_LOOKUP_WINDOW, 0);
    while (err == IM_OK && !im_lookups_are_done(&a.lookups)) {
        int64_t now_ms = im_directory_now_ms(d);
        int64_t wait_ms;
        note_busy(&a, now_ms);
        err = send_some(&a, now_ms, &wait_ms, e);
        if (err == IM_OK)
            err = await_event(&a, wait_ms, e);
    }
    im_lookups_abandon(&a.lookups);
    im_lookups_free(&a.lookups);
    return err;
}

static enum im_err ask_replica(struct slice *s, size_t replica, struct im_error *e) {
    struct im_compare *c = s->c;
    for (size_t i = 0; i < s->count; i++) {
        s->there[i] = NULL;
        s->lookups[i] = (struct im_lookup){
            .search = {.base = s->refs[i], .scope = IM_SEARCH_BASE, .attributes = s->attributes, .no_paging = true},
            .data = (void *)(uintptr_t)i,
            .may_be_missing = true};
    }
    struct im_error inner = {.code = IM_OK};
    enum im_err err = ask_patiently(s, c->replicas[replica], &inner);
    if (err == IM_E_NOMEM || err == IM_E_INTERRUPTED) {
        if (e)
            *e = inner;
        return err;
    }
    if (err != IM_OK) { /* what it said so far stays; nothing is said about the rest */
        c->facts->troubles[replica] = im_pool_strdup(c->pool, inner.text);
        return c->facts->troubles[replica] ? IM_OK : im_error_nomem(e);
    }
    for (size_t i = 0; err == IM_OK && i < s->count; i++)
        err = compare_entry(s, replica, i, e);
    return err;
}

static enum im_err flush(struct slice *s, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t r = 0; err == IM_OK && s->count && r < s->c->facts->replicas.count; r++) {
        if (s->c->replicas[r] && !s->c->facts->troubles[r])
            err = ask_replica(s, r, e);
    }
    s->c->facts->compared += s->count;
    s->count = 0;
    im_pool_reset(s->pool);
    return err;
}

static const char *ref_of(const struct slice *s, const struct im_entry *entry) {
    const struct im_attr *guid = s->c->context->is_ad ? im_entry_attr(entry, "objectGUID") : NULL;
    char text[IM_GUID_TEXT_SIZE];
    bool is_known = guid && guid->count && im_guid_to_text(&guid->values[0], text);
    return is_known ? im_pool_printf(s->pool, "<GUID=%s>", text) : entry->dn;
}

static enum im_err collect(void *user, const struct im_entry *entry, struct im_error *e) {
    struct slice *s = user;
    struct im_entry *copy = im_entry_copy(entry, s->pool);
    const char *ref = copy ? ref_of(s, copy) : NULL;
    if (!ref)
        return im_error_nomem(e);
    s->here[s->count] = copy;
    s->refs[s->count] = ref;
    return ++s->count == SLICE ? flush(s, e) : IM_OK;
}

/* ---- all, or some ---- */

static enum im_err begin(struct im_compare *c, struct slice **out, struct im_error *e) {
    struct slice *s = calloc(1, sizeof *s);
    *out = s;
    if (!s)
        return im_error_nomem(e);
    s->c = c;
    s->pool = im_pool_new();
    s->attributes = attributes_of(c->context, c->pool);
    return s->pool && s->attributes ? IM_OK : im_error_nomem(e);
}

static void end(struct slice *s) {
    if (s)
        im_pool_free(&s->pool);
    free(s);
}

enum im_err im_compare_all(struct im_compare *c, const char *base, struct im_error *e) {
    struct slice *s;
    enum im_err err = begin(c, &s, e);
    struct im_search search = {.base = base, .scope = IM_SEARCH_SUB, .filter = im_filter_any_value(c->context->profile, c->pool)};
    if (err == IM_OK && !search.filter)
        err = im_error_nomem(e);
    if (err == IM_OK) {
        search.attributes = s->attributes;
        err = im_directory_search(c->directory, &search, collect, s, e);
    }
    if (err == IM_OK)
        err = flush(s, e);
    end(s);
    return err;
}

static enum im_err collect_one(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    (void)lookup;
    return collect(user, entry, e);
}

enum im_err im_compare_some(struct im_compare *c, const char *const *dns, size_t count, struct im_error *e) {
    struct slice *s;
    enum im_err err = begin(c, &s, e);
    struct im_lookup *lookups = calloc(count + 1, sizeof *lookups);
    if (err == IM_OK && !lookups)
        err = im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        lookups[i] = (struct im_lookup){
            .search = {.base = dns[i], .scope = IM_SEARCH_BASE, .attributes = s->attributes, .no_paging = true},
            .may_be_missing = true};
    }
    if (err == IM_OK)
        err = im_lookup_all(c->directory, lookups, count, collect_one, s, e);
    if (err == IM_OK)
        err = flush(s, e);
    free(lookups);
    end(s);
    return err;
}
