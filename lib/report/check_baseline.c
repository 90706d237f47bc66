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
    struct im_index *index; /* by identity; a: it was looked at, or given as gone; b: all that have it have a GUID as well */
    uint64_t key[2];
};

/* How a finding is known: once or twice. */
struct identity {
    uint64_t guid; /* 0: it has none */
    uint64_t name; /* by DN, or name */
};

static void add_name(const struct im_finding *f, struct im_buf *text) {
    if (f->dn && im_dn_is_valid(f->dn)) {
        text->failed = !im_dn_normalize(f->dn, text) || text->failed;
    } else if (f->account) {
        im_buf_addc(text, '=');
        im_text_fold(f->account, strlen(f->account), text);
    }
}

static enum im_err identify_by(const struct im_baseline *b, const struct im_finding *f, const char *guid, uint64_t *out,
                               struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_add(&text, f->rule->id, strlen(f->rule->id) + 1);
    if (guid) {
        im_buf_addc(&text, '<');
        im_text_fold(guid, strlen(guid), &text);
    } else {
        add_name(f, &text);
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

static enum im_err identify(const struct im_baseline *b, const struct im_finding *f, struct identity *out, struct im_error *e) {
    *out = (struct identity){.guid = 0};
    enum im_err err = f->guid ? identify_by(b, f, f->guid, &out->guid, e) : IM_OK;
    return err == IM_OK ? identify_by(b, f, NULL, &out->name, e) : err;
}

/* Another account may have got the DN of one that was moved away: where both have a GUID, that tells. NULL: it is new. */
static struct im_index_item *find(const struct im_baseline *b, const struct identity *id) {
    struct im_index_item *item = id->guid ? im_index_find(b->index, id->guid) : NULL;
    if (item)
        return item;
    item = im_index_find(b->index, id->name);
    return item && id->guid && item->b ? NULL : item;
}

static enum im_err put(const struct im_baseline *b, const struct identity *id, struct im_error *e) {
    bool is_new;
    if (id->guid && !im_index_put(b->index, id->guid, &is_new))
        return im_error_nomem(e);
    struct im_index_item *item = im_index_put(b->index, id->name, &is_new);
    if (!item)
        return im_error_nomem(e);
    item->b = id->guid && (is_new || item->b);
    return IM_OK;
}

static enum im_err remember(void *user, const struct im_finding *f, struct im_error *e) {
    const struct im_baseline *b = user;
    struct identity id;
    if (f->state == IM_FINDING_GONE)
        return IM_OK;
    enum im_err err = identify(b, f, &id, e);
    return err == IM_OK ? put(b, &id, e) : err;
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
    struct identity id;
    enum im_err err = identify(b, f, &id, e);
    if (err != IM_OK)
        return err;
    struct im_index_item *item = find(b, &id);
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

/* It was found again by its GUID, or by something that has none by its DN. */
static bool was_seen(const struct im_baseline *b, const struct identity *id) {
    const struct im_index_item *by_guid = id->guid ? im_index_find(b->index, id->guid) : NULL;
    const struct im_index_item *by_name = im_index_find(b->index, id->name);
    return (by_guid && by_guid->a) || !by_name || by_name->a;
}

static enum im_err give_unseen(void *user, const struct im_finding *f, struct im_error *e) {
    const struct search *s = user;
    struct im_finding gone = *f;
    struct identity id;
    if (f->state == IM_FINDING_GONE || !was_checked(s->scope, f))
        return IM_OK;
    enum im_err err = identify(s->baseline, f, &id, e);
    if (err != IM_OK || was_seen(s->baseline, &id))
        return err;
    find(s->baseline, &id)->a = 1;
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
