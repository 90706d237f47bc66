#include "lib/report/check_parts.h"

#include <string.h>

static const struct im_check_format *const formats[] = {&im_check_text, &im_check_json,   &im_check_jsonl,
                                                        &im_check_csv,  &im_check_nagios, &im_check_prometheus};

const struct im_check_format *const *im_check_formats(size_t *count) {
    *count = sizeof formats / sizeof formats[0];
    return formats;
}

const struct im_check_format *im_check_format(const char *name) {
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    return NULL;
}

static void count_severity(enum im_severity severity, size_t *errors, size_t *warnings, size_t *infos) {
    size_t *const counters[] = {[IM_INFO] = infos, [IM_WARNING] = warnings, [IM_ERROR] = errors};
    ++*counters[severity];
}

void im_check_count(struct im_check_summary *s, const struct im_finding *f) {
    if (f->state == IM_FINDING_GONE) {
        s->gone++;
        return;
    }
    if (f->silenced) {
        s->silenced++;
        return;
    }
    count_severity(f->severity, &s->errors, &s->warnings, &s->infos);
    s->known += f->state == IM_FINDING_KNOWN;
    if (f->state != IM_FINDING_NEW)
        return;
    s->fresh++;
    count_severity(f->severity, &s->fresh_errors, &s->fresh_warnings, &s->fresh_infos);
}

size_t im_check_counted(const struct im_check_summary *s, enum im_severity severity) {
    size_t count = s->has_baseline ? s->fresh_errors : s->errors;
    if (severity <= IM_WARNING)
        count += s->has_baseline ? s->fresh_warnings : s->warnings;
    if (severity == IM_INFO)
        count += s->has_baseline ? s->fresh_infos : s->infos;
    return count;
}

int im_check_nagios_status(const struct im_check_summary *s) {
    if (im_check_counted(s, IM_ERROR))
        return 2;
    if (im_check_counted(s, IM_WARNING))
        return 1;
    return s->troubles ? 3 : 0;
}

const char *im_check_state_name(enum im_finding_state state) {
    static const char *const names[] = {
        [IM_FINDING_PLAIN] = NULL, [IM_FINDING_NEW] = "new", [IM_FINDING_KNOWN] = "known", [IM_FINDING_GONE] = "gone"};
    return names[state];
}

const char *im_check_signs_in(const struct im_checked *c) {
    if (c->trouble)
        return "unknown";
    return c->why ? "no" : "yes";
}

void im_check_add_reason(const struct im_checked *c, struct im_buf *out) {
    if (c->trouble) {
        im_buf_adds(out, c->trouble);
    } else if (c->why) {
        im_buf_adds(out, c->why->message ? c->why->message : c->why->rule->title);
    } else {
        im_buf_adds(out, c->is_enabled ? "" : IM_CHECK_ONCE_ENABLED);
        im_buf_adds(out, c->is_enabled || !c->is_partial ? "" : ", ");
        im_buf_adds(out, c->is_partial ? IM_CHECK_AS_CHOSEN : "");
    }
}

const char *im_check_about(const struct im_finding *f) {
    if (f->account)
        return f->account;
    if (f->subject)
        return f->subject;
    return f->dn ? f->dn : "";
}

struct im_check_tally *im_check_tally(struct im_check_tallies *tallies, const struct im_rule *rule) {
    for (size_t i = 0; i < tallies->count; i++) {
        if (tallies->items[i].rule == rule)
            return &tallies->items[i];
    }
    struct im_check_tally *tally = im_vec_push(tallies);
    if (tally)
        tally->rule = rule;
    return tally;
}

enum im_err im_check_tally_add(struct im_check_tallies *tallies, const struct im_finding *f, struct im_error *e) {
    struct im_check_tally *tally = im_check_tally(tallies, f->rule);
    if (!tally)
        return im_error_nomem(e);
    if (f->state != IM_FINDING_GONE)
        ++*(f->silenced ? &tally->silenced : &tally->counts[f->severity]);
    return IM_OK;
}
