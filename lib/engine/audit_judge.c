/* What the chosen rules say. */
#include "lib/engine/audit.h"

#include <string.h>

/* ---- one account ---- */

/* What the rules say about it, so far. */
struct judging {
    struct im_audit *audit;
    const struct im_facts *facts;
    struct im_pool *pool;
    struct im_judgement said; /* by the rule that was asked last */
    struct im_finding *found;
    size_t count;
    struct im_error *e;
};

static enum im_err keep_reason(const struct judging *j, struct im_choice_row *row) {
    row->skipped++;
    if (!row->reason && !(row->reason = im_judgement_reason(&j->said, j->audit->pool)))
        return im_error_nomem(j->e);
    return IM_OK;
}

/* An account without a name is named by its DN: what is written must be found again. */
static enum im_err keep_finding(struct judging *j, const struct im_choice_row *row) {
    const struct im_account *account = j->facts->account;
    struct im_judgement *said = &j->said;
    struct im_finding *out = &j->found[j->count++];
    *out = (struct im_finding){
        .rule = row->rule,
        .severity = row->has_severity ? row->severity : said->severity,
        .account = account->name ? account->name : account->dn,
        .dn = account->dn,
        .guid = account->guid,
        .message = im_pool_strdup(j->pool, im_buf_str(&said->message)),
        .remedy = said->remedy.len ? im_pool_strdup(j->pool, im_buf_str(&said->remedy)) : row->rule->remedy,
    };
    bool is_whole = !said->message.failed && !said->remedy.failed && out->message && out->remedy;
    im_buf_clear(&said->message);
    im_buf_clear(&said->remedy);
    return is_whole ? IM_OK : im_error_nomem(j->e);
}

static bool is_in(const struct im_rule *rule, const struct im_judge_limits *limits) {
    if (!rule->check || (rule->needs & limits->without))
        return false;
    return !limits->only || (rule->needs & limits->only);
}

static enum im_err ask(struct judging *j, struct im_choice_row *row) {
    j->said.severity = row->rule->severity;
    enum im_verdict verdict = row->rule->check(j->facts, &j->said);
    if (verdict == IM_SKIPPED)
        return keep_reason(j, row);
    row->checked++;
    return verdict == IM_FIRES ? keep_finding(j, row) : IM_OK;
}

enum im_err im_audit_evaluate(struct im_audit *a, const struct im_facts *facts, const struct im_judge_limits *limits,
                              struct im_pool *pool, struct im_finding *found, size_t *count, struct im_error *e) {
    struct judging j = {.audit = a, .facts = facts, .pool = pool, .found = found, .e = e};
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < a->choice->count && j.count < IM_FINDINGS_MOST; i++) {
        struct im_choice_row *row = &a->choice->items[i];
        if (is_in(row->rule, limits))
            err = ask(&j, row);
    }
    im_buf_free(&j.said.message);
    im_buf_free(&j.said.remedy);
    *count = im_findings_hide(found, j.count);
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

static enum im_err note_skipped(const struct im_audit *a, struct im_choice_row *row, const char *reason, struct im_error *e) {
    row->skipped++;
    if (!row->reason && !(row->reason = im_pool_strdup(a->pool, reason)))
        return im_error_nomem(e);
    return IM_OK;
}

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
