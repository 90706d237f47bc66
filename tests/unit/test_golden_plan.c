/* Plans, on the folders of tests/golden/plan: what is written, and what a report says of it. */
#include "lib/base/text.h"
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

static void tell_value(const struct berval *value, struct im_buf *out) {
    im_text_escape(value->bv_val, value->bv_len, out);
}

/* Not as LDIF: there <GUID=...> would be base64, which nobody can read. */
static void tell_change(const char *title, const struct im_change *change, struct im_buf *out) {
    static const char *const kinds[] = {"add", "delete", "replace"};
    if (!change->count)
        return;
    im_buf_addf(out, "%s %s\n", title, change->dn);
    if (change->assertion)
        im_buf_addf(out, "only if %s\n", change->assertion);
    for (size_t i = 0; i < change->count; i++) {
        im_buf_addf(out, "  %s %s\n", kinds[change->ops[i].kind], change->ops[i].attribute);
        for (size_t k = 0; k < change->ops[i].count; k++) {
            im_buf_adds(out, "    ");
            tell_value(&change->ops[i].values[k], out);
            im_buf_addc(out, '\n');
        }
    }
}

static void tell_values(const struct berval *values, size_t count, struct im_buf *out) {
    im_buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        im_buf_adds(out, i ? ", " : "");
        tell_value(&values[i], out);
    }
    im_buf_addc(out, ']');
}

static void tell_plan(const struct im_plan *plan, struct im_buf *out) {
    for (size_t i = 0; i < plan->step_count; i++)
        tell_change(plan->step_count == 1 ? "change" : i ? "second step" : "first step", &plan->steps[i], out);
    tell_change("rollback", &plan->rollback, out);
    for (size_t i = 0; i < plan->diff_count; i++) {
        const struct im_plan_diff *d = &plan->diffs[i];
        im_buf_addf(out, "shown %s: ", d->attribute);
        tell_values(d->before, d->before_count, out);
        im_buf_adds(out, " -> ");
        tell_values(d->after, d->after_count, out);
        im_buf_addc(out, '\n');
    }
    if (!plan->step_count)
        im_buf_adds(out, "nothing to do\n");
}

static void tell_error(const struct im_error *e, struct im_buf *out) {
    im_buf_addf(out, "%s: %s\n", im_err_row(e->code)->name, e->text);
}

static void tell(struct world *w, const struct im_entry *entry, struct im_buf *out) {
    struct im_account account = world_account(w, entry);
    struct im_want want = {0};
    struct im_plan plan = {0};
    struct im_error e = {.code = IM_OK};
    enum im_err err = im_want_build(&w->context, &account, &w->request, &w->servers, w->pool, &want, &e);
    if (err == IM_OK) {
        err = im_plan_make(&w->context, &account, &want, w->request.keep_opaque, w->has_assertion, w->pool, &plan, &e);
    }
    if (err == IM_OK) {
        tell_plan(&plan, out);
    } else {
        tell_error(&e, out);
    }
}

int main(void) {
    return golden_run("tests/golden/plan", tell);
}
