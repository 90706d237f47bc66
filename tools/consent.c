#include "tools/consent.h"

#include "tools/amount.h"
#include "tools/progress.h"

static void add_names(const struct im_summary *planned, const char *const *names, size_t count, struct im_buf *out) {
    size_t changed = planned->counts[IM_CHANGED];
    for (size_t i = 0; i < count && i < changed; i++) {
        im_buf_addf(out, "%s%s", i > 0 ? ", " : changed > 1 ? " (first: " : " (", names[i]);
    }
    if (count > 0) {
        im_buf_adds(out, count < changed ? " ...)" : ")");
    }
}

void im_consent_write(const struct im_summary *planned, const char *const *names, size_t count, struct im_buf *out) {
    static const struct {
        enum im_outcome outcome;
        const char *words;
    } rest[] = {
        {IM_REFUSED, "refused"},     {IM_FAILED, "failed"},        {IM_OUT_NOT_FOUND, "not found"},
        {IM_AMBIGUOUS, "ambiguous"}, {IM_CONFLICT, "in conflict"}, {IM_NOT_ATTEMPTED, "not looked at"},
    };
    im_amount_write(planned->counts[IM_CHANGED], out);
    im_buf_adds(out, " of ");
    im_amount_write(planned->total, out);
    im_buf_adds(out, planned->total == 1 ? " account would change" : " accounts would change");
    add_names(planned, names, count, out);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        if (planned->counts[rest[i].outcome] > 0) {
            im_buf_adds(out, ", ");
            im_amount_write(planned->counts[rest[i].outcome], out);
            im_buf_addf(out, " %s", rest[i].words);
        }
    }
    im_buf_adds(out, ". Go on?");
}

enum im_err im_consent_ask(struct im_command *c, const struct im_summary *planned, const char *const *first_names, size_t count,
                           bool *yes) {
    struct im_buf question = IM_BUF_INIT;
    enum im_err err = IM_OK;
    if (planned->counts[IM_CHANGED] == 0) {
        *yes = true; /* there is nothing to ask */
        return IM_OK;
    }
    im_consent_write(planned, first_names, count, &question);
    im_progress_hide(c);
    err = question.failed ? im_error_nomem(&c->error) : im_command_confirm(c, im_buf_str(&question), yes);
    im_buf_free(&question);
    return err;
}
