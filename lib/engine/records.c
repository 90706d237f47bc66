#include "lib/engine/records.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/model/want.h"

#include <stdlib.h>
#include <string.h>

/* A change of which nobody knows whether it was made. */
struct unknown {
    uint64_t account; /* hash */
    uint32_t index;
    bool is_done; /* a later change of the account stands for it */
};

struct im_records {
    struct im_journal_reader *reader;
    char *path;
    bool backwards;
    uint64_t seed[2];
    size_t next; /* backwards: one more than its index */
    struct {
        struct unknown *items; /* by account, then by index */
        size_t count, cap;
    } unknown;
};

/* ---- accounts ---- */

/* By what the entry is found by. Equal accounts have equal hashes. */
static enum im_err hash_account(const struct im_records *r, const struct im_record *record, uint64_t *out, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (record->guid) {
        im_text_fold(record->guid, strlen(record->guid), &text);
    } else {
        im_dn_normalize(record->dn, &text);
    }
    if (!text.failed)
        *out = im_hash(im_buf_str(&text), text.len, r->seed);
    enum im_err err = text.failed ? im_error_nomem(e) : IM_OK;
    im_buf_free(&text);
    return err;
}

static bool is_same_account(const struct im_record *a, const struct im_record *b, bool *failed) {
    return a->guid || b->guid ? im_text_equal(a->guid, b->guid) : im_home_equal(a->dn, b->dn, failed);
}

/* ---- several changes of one account ---- */

static const struct im_plan_diff *find(const struct im_record *record, const char *attribute) {
    for (size_t i = 0; i < record->diff_count; i++) {
        if (im_text_equal(record->diffs[i].attribute, attribute))
            return &record->diffs[i];
    }
    return NULL;
}

/* As a directory may give back what was written: other letter case, other spelling of a DN. */
static bool is_same_value(const struct berval *a, const struct berval *b, bool *failed) {
    bool are_texts = strlen(a->bv_val) == a->bv_len && strlen(b->bv_val) == b->bv_len;
    return im_text_equal_n(a->bv_val, a->bv_len, b->bv_val, b->bv_len) ||
           (are_texts && im_home_equal(a->bv_val, b->bv_val, failed));
}

static bool has_value(const struct berval *values, size_t count, const struct berval *value, bool *failed) {
    for (size_t i = 0; i < count; i++) {
        if (is_same_value(&values[i], value, failed))
            return true;
    }
    return false;
}

/* What the earlier change left of the attribute is what the later one found. Either may be NULL: it has no value there. */
static bool is_continued(const struct im_plan_diff *earlier, const struct im_plan_diff *later, bool *failed) {
    size_t count = earlier ? earlier->after_count : 0;
    if (count != (later ? later->before_count : 0))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!has_value(later->before, count, &earlier->after[i], failed))
            return false;
    }
    return true;
}

static bool follows(const struct im_record *earlier, const struct im_record *later, bool *failed) {
    bool is_one = true;
    for (size_t i = 0; is_one && i < earlier->diff_count; i++)
        is_one = is_continued(&earlier->diffs[i], find(later, earlier->diffs[i].attribute), failed);
    for (size_t i = 0; is_one && i < later->diff_count; i++)
        is_one = is_continued(find(earlier, later->diffs[i].attribute), &later->diffs[i], failed);
    return is_one;
}

/* The later record gets the before-image of the earlier one. */
static enum im_err join(const struct im_record *earlier, struct im_record *later, struct im_pool *pool, struct im_error *e) {
    struct im_plan_diff *diffs = im_pool_array(pool, earlier->diff_count + later->diff_count, sizeof *diffs);
    size_t count = later->diff_count;
    if (!diffs)
        return im_error_nomem(e);
    memcpy(diffs, later->diffs, count * sizeof *diffs);
    for (size_t i = 0; i < later->diff_count; i++) {
        const struct im_plan_diff *first = find(earlier, diffs[i].attribute);
        if (first) {
            diffs[i].before = first->before;
            diffs[i].before_count = first->before_count;
        }
    }
    for (size_t i = 0; i < earlier->diff_count; i++) {
        if (!find(later, earlier->diffs[i].attribute))
            diffs[count++] = earlier->diffs[i];
    }
    later->diffs = diffs;
    later->diff_count = count;
    return IM_OK;
}

/* The first of those that have this account. */
static size_t first_unknown(const struct im_records *r, uint64_t account) {
    size_t low = 0;
    for (size_t high = r->unknown.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (r->unknown.items[middle].account < account) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* One of the earlier changes: was it made, so that the record continues it? Else it was not, or somebody else took it back. */
static enum im_err take_earlier(struct im_records *r, struct unknown *u, struct im_record *record, struct im_pool *pool,
                                struct im_error *e) {
    struct im_record earlier;
    bool failed = false;
    enum im_err err = im_journal_read(r->reader, u->index, pool, &earlier, e);
    if (err != IM_OK)
        return err;
    bool is_same = is_same_account(&earlier, record, &failed);
    bool is_one = is_same && follows(&earlier, record, &failed);
    if (failed)
        return im_error_nomem(e);
    u->is_done = u->is_done || is_same;
    return is_one ? join(&earlier, record, pool, e) : IM_OK;
}

/* Joins the record at `index` with the earlier changes of the account. *is_done: it is part of a later one itself. */
static enum im_err gather(struct im_records *r, size_t index, struct im_record *record, struct im_pool *pool, bool *is_done,
                          struct im_error *e) {
    uint64_t account;
    enum im_err err = hash_account(r, record, &account, e);
    if (err != IM_OK)
        return err;
    size_t first = first_unknown(r, account);
    size_t end = first;
    for (; end < r->unknown.count && r->unknown.items[end].account == account; end++) {
        if (r->unknown.items[end].index >= index)
            break;
    }
    *is_done = end < r->unknown.count && r->unknown.items[end].index == index && r->unknown.items[end].is_done;
    for (size_t i = end; err == IM_OK && !*is_done && i > first; i--)
        err = take_earlier(r, &r->unknown.items[i - 1], record, pool, e);
    return err;
}

/* ---- opening ---- */

static int compare_unknown(const void *a, const void *b) {
    const struct unknown *x = a;
    const struct unknown *y = b;
    if (x->account != y->account)
        return x->account < y->account ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static enum im_err list_unknown(struct im_records *r, struct im_pool *scratch, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < im_journal_reader_count(r->reader); i++) {
        struct im_record record;
        if (im_journal_state(r->reader, i) != IM_RECORD_UNKNOWN)
            continue;
        im_pool_reset(scratch);
        struct unknown *u = im_vec_push(&r->unknown);
        err = u ? im_journal_read(r->reader, i, scratch, &record, e) : im_error_nomem(e);
        if (err == IM_OK)
            err = hash_account(r, &record, &u->account, e);
        if (err == IM_OK)
            u->index = (uint32_t)i;
    }
    if (err == IM_OK && r->unknown.count)
        qsort(r->unknown.items, r->unknown.count, sizeof *r->unknown.items, compare_unknown);
    return err;
}

static enum im_err rewind_records(void *user, struct im_error *e) {
    struct im_records *r = user;
    (void)e;
    r->next = r->backwards ? im_journal_reader_count(r->reader) : 0;
    return IM_OK;
}

enum im_err im_records_open(const char *path, enum im_journal_kind kind, struct im_records **out, struct im_error *e) {
    struct im_records *r = calloc(1, sizeof *r);
    struct im_pool *scratch = im_pool_new();
    enum im_err err = r && scratch && (r->path = strdup(path)) ? IM_OK : im_error_nomem(e);
    if (err == IM_OK) {
        im_hash_seed(r->seed);
        err = im_journal_open(path, kind, &r->reader, e);
    }
    if (err == IM_OK)
        err = list_unknown(r, scratch, e);
    im_pool_free(&scratch);
    if (err != IM_OK) {
        im_records_close(&r);
        return err;
    }
    r->backwards = kind == IM_JOURNAL;
    *out = r;
    return rewind_records(r, e);
}

void im_records_close(struct im_records **records) {
    if (!records || !*records)
        return;
    im_journal_close(&(*records)->reader);
    im_vec_free(&(*records)->unknown);
    free((*records)->path);
    free(*records);
    *records = NULL;
}

const struct im_journal_reader *im_records_reader(const struct im_records *r) {
    return r->reader;
}

enum im_err im_records_check(const struct im_records *r, const struct im_profile *profile, struct im_error *e) {
    size_t count;
    const struct im_journal_name *names = im_journal_names(r->reader, &count);
    for (size_t i = 0; i < count; i++) {
        const struct berval *class = names[i].class.bv_val ? &names[i].class : NULL;
        if (im_record_is_ours(profile, names[i].attribute, class))
            continue;
        return im_error_set_at(e, IM_E_INPUT, r->path, names[i].line, 0, "%s is no %s of the profile \"%s\"",
                               class ? class->bv_val : names[i].attribute, class ? "class" : "attribute", profile->name);
    }
    return IM_OK;
}

/* ---- handing out ---- */

static bool step(struct im_records *r, size_t *index) {
    if (!r->backwards) {
        *index = r->next++;
        return *index < im_journal_reader_count(r->reader);
    }
    while (r->next > 0) {
        *index = --r->next;
        if (im_journal_state(r->reader, *index) != IM_RECORD_NOT_MADE)
            return true;
    }
    return false;
}

static enum im_err fill(const struct im_records *r, size_t index, const struct im_record *record, struct im_pool *pool,
                        struct im_input *out, struct im_error *e) {
    *out = (struct im_input){
        .text = record->input     ? record->input
                : record->account ? record->account
                                  : record->dn,
        .source = im_pool_printf(pool, "%s:%zu", r->path, im_journal_line(r->reader, index)),
        .identity = {.kind = record->guid ? IM_ID_GUID : IM_ID_DN, .text = record->guid ? record->guid : record->dn},
        .record = record,
    };
    return out->source ? IM_OK : im_error_nomem(e);
}

static enum im_err next_record(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e) {
    struct im_records *r = user;
    struct im_record *record = im_pool_alloc(pool, sizeof *record);
    enum im_err err = record ? IM_OK : im_error_nomem(e);
    bool is_done = true;
    size_t index = 0;
    *is_end = false;
    while (err == IM_OK && is_done && !*is_end) {
        *is_end = !step(r, &index);
        if (!*is_end)
            err = im_journal_read(r->reader, index, pool, record, e);
        is_done = false;
        if (err == IM_OK && !*is_end && r->unknown.count)
            err = gather(r, index, record, pool, &is_done, e);
    }
    return err == IM_OK && !*is_end ? fill(r, index, record, pool, out, e) : err;
}

struct im_inputs im_records_inputs(struct im_records *r) {
    return (struct im_inputs){.user = r, .next = next_record, .rewind = rewind_records};
}
