#include "tests/unit/again.h"

struct rendering {
    const struct im_check_format *format;
    struct im_out *out;
    void *state;
    struct im_baseline *baseline;
    struct im_check_summary summary;
};

static enum im_err render_account(void *user, const struct im_checked *checked, struct im_error *e) {
    struct rendering *r = user;
    return r->format->account ? r->format->account(r->out, r->state, checked, e) : IM_OK;
}

static enum im_err render_gone(void *user, const struct im_finding *f, struct im_error *e) {
    struct rendering *r = user;
    im_check_count(&r->summary, f);
    return r->format->finding(r->out, r->state, f, e);
}

static enum im_err render_finding(void *user, const struct im_finding *f, struct im_error *e) {
    struct rendering *r = user;
    struct im_finding now = *f;
    if (!r->baseline)
        return render_gone(r, f, e);
    if (f->state == IM_FINDING_GONE)
        return IM_OK;
    enum im_err err = im_baseline_look(r->baseline, f, &now.state, e);
    return err == IM_OK ? render_gone(r, &now, e) : err;
}

static enum im_err render_findings(struct im_check_file *file, struct rendering *r, struct im_error *e) {
    const struct im_check_visitor visitor = {render_account, render_finding, r};
    struct im_baseline_scope scope = {.is_whole = im_check_file_is_whole(file)};
    enum im_err err = im_check_file_visit(file, &visitor, e);
    if (err != IM_OK || !r->baseline)
        return err;
    scope.rules = im_check_file_rules(file, &scope.rule_count);
    return im_baseline_gone(r->baseline, &scope, render_gone, r, e);
}

enum im_err again_render(struct im_check_file *file, struct im_baseline *baseline, const struct im_check_format *format,
                         struct im_out *out, struct im_check_summary *summary, struct im_error *e) {
    struct rendering r = {.format = format, .out = out, .baseline = baseline};
    const struct im_check_summary *said = im_check_file_summary(file);
    size_t count;
    const struct im_rule_status *rules = im_check_file_rules(file, &count);
    r.summary = (struct im_check_summary){.accounts = said->accounts,
                                          .enabled = said->enabled,
                                          .troubles = said->troubles,
                                          .has_baseline = baseline || said->has_baseline,
                                          .lacks_accounts = said->lacks_accounts,
                                          .seconds = said->seconds,
                                          .picture = said->picture};
    enum im_err err = format->begin(out, im_check_file_info(file), &r.state, e);
    if (err == IM_OK)
        err = render_findings(file, &r, e);
    if (err == IM_OK)
        err = format->end(out, im_check_file_info(file), &r.state, rules, count, &r.summary, e);
    if (format->free)
        format->free(&r.state);
    if (err == IM_OK && summary)
        *summary = r.summary;
    return err;
}
