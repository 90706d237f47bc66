/* What the chosen rules say. */
#include "lib/engine/audit.h"

#include <string.h>

static enum im_err note_skipped(const struct im_audit *a, struct im_choice_row *row, const char *reason, struct im_error *e) {
    row->skipped++;
    if (!row->reason && !(row->reason = im_pool_strdup(a->pool, reason)))
        return im_error_nomem(e);
    return IM_OK;
}

/* An account without a name is named by its DN: what is written must be found again. */
static enum im_err keep_finding(const struct im_facts *facts, const struct im_choice_row *row, struct im_judgement *j,
                                struct im_pool *pool, struct im_finding *out, struct im_error *e) {
    *out = (struct im_finding){
        .rule = row->rule,
        .severity = row->has_severity ? row->severity : j->severity,
        .account = facts->account->name ? facts->account->name : facts->account->dn,
        .dn = facts->account->dn,
        .guid = facts->account->guid,
        .message = im_pool_strdup(pool, im_buf_str(&j->message)),
        .remedy = j->remedy.len ? im_pool_strdup(pool, im_buf_str(&j->remedy)) : row->rule->remedy,
    };
    return j->message.failed || j->remedy.failed || !out->message || !out->remedy ? im_error_nomem(e) : IM_OK;
}

static bool is_in(const struct im_rule *rule, const struct im_judge_limits *limits) {
    if (!rule->check || (rule->needs & limits->without))
        return false;
    return !limits->only || (rule->needs & limits->only);
}

static enum im_err evaluate(struct im_audit *a, struct im_choice_row *row, const struct im_facts *facts, struct im_judgement *j,
                            struct im_pool *pool, struct im_finding *found, size_t *count, struct im_error *e) {
    im_buf_clear(&j->message);
    im_buf_clear(&j->remedy);
    j->severity = row->rule->severity;
    switch (row->rule->check(facts, j)) {
    case IM_SKIPPED:
        return note_skipped(a, row, im_buf_str(&j->message), e);
    case IM_FIRES:
        row->checked++;
        return keep_finding(facts, row, j, pool, &found[(*count)++], e);
    case IM_FINE:
        break;
    }
    row->checked++;
    return IM_OK;
}

enum im_err im_audit_evaluate(struct im_audit *a, const struct im_facts *facts, const struct im_judge_limits *limits,
                              struct im_pool *pool, struct im_finding *found, size_t *count, struct im_error *e) {
    struct im_judgement j = {.message = IM_BUF_INIT, .remedy = IM_BUF_INIT};
    enum im_err err = IM_OK;
    *count = 0;
    for (size_t i = 0; err == IM_OK && i < a->choice->count && *count < IM_FINDINGS_MOST; i++) {
        struct im_choice_row *row = &a->choice->items[i];
        if (is_in(row->rule, limits))
            err = evaluate(a, row, facts, &j, pool, found, count, e);
    }
    im_buf_free(&j.message);
    im_buf_free(&j.remedy);
    *count = im_findings_hide(found, *count);
    return err;
}

enum im_err im_audit_tell(struct im_audit *a, const struct im_finding *found, size_t count, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        im_choice_find(a->choice, found[i].rule)->findings++;
        err = a->on_finding(a->user, &found[i], e);
    }
    return err;
}

/* ---- the organisation ---- */

static enum im_err ask_rule(struct im_audit *a, struct im_choice_row *row, struct im_sink *sink, struct im_error *e) {
    size_t first = sink->count;
    sink->rule = row->rule;
    sink->reason = NULL;
    bool is_skipped = row->rule->survey(a->survey, sink) == IM_SKIPPED;
    for (size_t i = first; row->has_severity && i < sink->count; i++)
        sink->items[i].severity = row->severity;
    if (is_skipped || sink->reason) /* perhaps only for a part of what there is: what was found is told all the same */
        return note_skipped(a, row, sink->reason ? sink->reason : "", e);
    row->checked++;
    return IM_OK;
}

enum im_err im_audit_scope(struct im_audit *a, enum im_scope scope, struct im_error *e) {
    struct im_sink sink = {.pool = a->pool};
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < a->choice->count; i++) {
        struct im_choice_row *row = &a->choice->items[i];
        if (row->rule->scope == scope && row->rule->survey)
            err = ask_rule(a, row, &sink, e);
    }
    if (err == IM_OK && sink.failed)
        err = im_error_nomem(e);
    if (err == IM_OK && sink.count)
        err = im_audit_tell(a, sink.items, im_findings_hide(sink.items, sink.count), e);
    im_sink_free(&sink);
    return err;
}
