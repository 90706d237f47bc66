/* Findings against an earlier result. */
#include "lib/base/hash.h"
#include "lib/base/index.h"
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/report/check_read.h"

#include <stdlib.h>
#include <string.h>

struct im_baseline {
    struct im_check_file *file;
    struct im_index *index; /* by identity; a: it was looked at, or given as gone */
    uint64_t key[2];
};

static enum im_err identify(const struct im_baseline *b, const struct im_finding *f, uint64_t *out, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_add(&text, f->rule->id, strlen(f->rule->id) + 1);
    if (f->dn && im_dn_is_valid(f->dn)) {
        text.failed = !im_dn_normalize(f->dn, &text) || text.failed;
    } else if (f->account) {
        im_buf_addc(&text, '=');
        im_text_fold(f->account, strlen(f->account), &text);
    }
    im_buf_addc(&text, '\0');
    if (f->subject)
        im_text_fold(f->subject, strlen(f->subject), &text);
    uint64_t hash = text.failed ? 0 : im_hash(text.data, text.len, b->key);
    bool failed = text.failed;
    im_buf_free(&text);
    if (failed)
        return im_error_nomem(e);
    *out = hash ? hash : 1; /* 0 is no hash */
    return IM_OK;
}

static enum im_err remember(void *user, const struct im_finding *f, struct im_error *e) {
    const struct im_baseline *b = user;
    uint64_t hash;
    bool is_new;
    if (f->state == IM_FINDING_GONE)
        return IM_OK;
    enum im_err err = identify(b, f, &hash, e);
    if (err != IM_OK)
        return err;
    return im_index_put(b->index, hash, &is_new) ? IM_OK : im_error_nomem(e);
}

enum im_err im_baseline_load(const char *path, struct im_baseline **out, struct im_error *e) {
    struct im_baseline *b = calloc(1, sizeof *b);
    if (!b)
        return im_error_nomem(e);
    const struct im_check_visitor visitor = {.finding = remember, .user = b};
    im_hash_seed(b->key);
    b->index = im_index_new();
    enum im_err err = b->index ? im_check_file_open(path, &b->file, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_check_file_visit(b->file, &visitor, e);
    if (err == IM_OK) {
        *out = b;
    } else {
        im_baseline_free(&b);
    }
    return err;
}

void im_baseline_free(struct im_baseline **baseline) {
    if (!baseline || !*baseline)
        return;
    im_check_file_close(&(*baseline)->file);
    im_index_free(&(*baseline)->index);
    free(*baseline);
    *baseline = NULL;
}

enum im_err im_baseline_look(struct im_baseline *b, const struct im_finding *f, enum im_finding_state *state,
                             struct im_error *e) {
    uint64_t hash;
    enum im_err err = identify(b, f, &hash, e);
    if (err != IM_OK)
        return err;
    struct im_index_item *item = im_index_find(b->index, hash);
    *state = item ? IM_FINDING_KNOWN : IM_FINDING_NEW;
    if (item)
        item->a = 1;
    return IM_OK;
}

struct search {
    struct im_baseline *baseline;
    const struct im_baseline_scope *scope;
    enum im_err (*give)(void *user, const struct im_finding *finding, struct im_error *e);
    void *user;
};

static bool was_checked(const struct im_baseline_scope *scope, const struct im_finding *f) {
    if (!scope->is_whole && (f->account || f->dn))
        return false;
    for (size_t i = 0; i < scope->rule_count; i++) {
        if (strcmp(scope->rules[i].rule->id, f->rule->id) == 0)
            return !scope->rules[i].skipped;
    }
    return false;
}

static enum im_err give_unseen(void *user, const struct im_finding *f, struct im_error *e) {
    const struct search *s = user;
    struct im_finding gone = *f;
    uint64_t hash;
    if (f->state == IM_FINDING_GONE || !was_checked(s->scope, f))
        return IM_OK;
    enum im_err err = identify(s->baseline, f, &hash, e);
    if (err != IM_OK)
        return err;
    struct im_index_item *item = im_index_find(s->baseline->index, hash);
    if (!item || item->a)
        return IM_OK;
    item->a = 1;
    gone.state = IM_FINDING_GONE;
    gone.silenced = NULL;
    return s->give(s->user, &gone, e);
}

enum im_err im_baseline_gone(struct im_baseline *b, const struct im_baseline_scope *scope,
                             enum im_err (*give)(void *user, const struct im_finding *finding, struct im_error *e), void *user,
                             struct im_error *e) {
    struct search search = {b, scope, give, user};
    const struct im_check_visitor visitor = {.finding = give_unseen, .user = &search};
    return im_check_file_visit(b->file, &visitor, e);
}
