#include "tools/check_output.h"

#include "tools/output_file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NEVER = IM_ERROR + 1 };

/* A report that is being written: the one on standard output, or the page. */
struct sheet {
    const struct im_check_format *format; /* NULL: there is none */
    struct im_out out;
    void *state;
    bool is_begun;
};

struct im_check_output {
    struct im_command *c;
    struct sheet main, page;
    struct im_output_file file; /* of the page */
    struct im_baseline *baseline;
    const struct im_run_info *info;
    struct im_check_summary summary;
    int fail_on;                  /* enum im_severity, or NEVER */
    struct im_hashes *flagged[3]; /* accounts with a finding of at least that severity; for the page */
    uint64_t seed[2];
    double started;
};

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- opening ---- */

static int threshold(const char *word) {
    enum im_severity severity = IM_ERROR;
    if (word && strcmp(word, "never") == 0) {
        return NEVER;
    }
    return word && im_severity_find(word, &severity) ? (int)severity : IM_ERROR;
}

static enum im_err open_page(struct im_check_output *o) {
    enum im_err err = im_output_file_open(&o->file, "--report", im_check_options.report, &o->c->error);
    if (err != IM_OK || !im_check_options.report) {
        return err;
    }
    im_hash_seed(o->seed);
    for (size_t i = 0; err == IM_OK && i < 3; i++) {
        o->flagged[i] = im_hashes_new();
        err = o->flagged[i] ? IM_OK : im_error_nomem(&o->c->error);
    }
    o->page = (struct sheet){.format = &im_check_html, .out = {.stream = o->file.stream}};
    return err;
}

enum im_err im_check_output_open(struct im_command *c, struct im_check_output **out) {
    struct im_check_output *o = calloc(1, sizeof *o);
    if (!o) {
        return im_error_nomem(&c->error);
    }
    *out = o;
    o->c = c;
    o->fail_on = threshold(im_check_options.fail_on);
    o->main = (struct sheet){.format = im_check_format(c->output), .out = im_command_out(c)};
    o->started = seconds_now();
    o->summary.has_baseline = im_check_options.baseline != NULL;
    enum im_err err = IM_OK;
    if (im_check_options.baseline) {
        err = im_baseline_load(im_check_options.baseline, &o->baseline, &c->error);
    }
    return err == IM_OK ? open_page(o) : err;
}

static void close_sheet(struct sheet *s) {
    if (s->state && s->format->free) {
        s->format->free(&s->state);
    }
}

void im_check_output_free(struct im_check_output **out) {
    struct im_check_output *o = out ? *out : NULL;
    if (!o) {
        return;
    }
    close_sheet(&o->main);
    close_sheet(&o->page);
    im_output_file_discard(&o->file);
    im_baseline_free(&o->baseline);
    for (size_t i = 0; i < 3; i++) {
        im_hashes_free(&o->flagged[i]);
    }
    free(o);
    *out = NULL;
}

/* ---- writing ---- */

static enum im_err begin_sheet(struct sheet *s, const struct im_run_info *info, struct im_error *e) {
    return s->format ? s->format->begin(&s->out, info, &s->state, e) : IM_OK;
}

enum im_err im_check_output_begin(struct im_check_output *o, const struct im_run_info *info, struct im_error *e) {
    o->info = info;
    enum im_err err = begin_sheet(&o->main, info, e);
    return err == IM_OK ? begin_sheet(&o->page, info, e) : err;
}

static enum im_err put_account(struct sheet *s, const struct im_checked *checked, struct im_error *e) {
    return s->format && s->format->account ? s->format->account(&s->out, s->state, checked, e) : IM_OK;
}

enum im_err im_check_output_account(struct im_check_output *o, const struct im_checked *checked, struct im_error *e) {
    o->summary.troubles += checked->trouble != NULL;
    enum im_err err = put_account(&o->main, checked, e);
    return err == IM_OK ? put_account(&o->page, checked, e) : err;
}

static enum im_err put_finding(struct sheet *s, const struct im_finding *finding, struct im_error *e) {
    return s->format ? s->format->finding(&s->out, s->state, finding, e) : IM_OK;
}

/* Which accounts something was found about, for the shares that the page draws. */
static enum im_err flag(struct im_check_output *o, const struct im_finding *f, struct im_error *e) {
    bool is_new;
    if (!o->page.format || !f->dn || f->silenced || f->state == IM_FINDING_GONE) {
        return IM_OK;
    }
    uint64_t hash = im_hash(f->dn, strlen(f->dn), o->seed);
    for (int i = 0; i <= (int)f->severity; i++) {
        if (!im_hashes_add(o->flagged[i], hash, &is_new)) {
            return im_error_nomem(e);
        }
    }
    return IM_OK;
}

static enum im_err put(struct im_check_output *o, const struct im_finding *f, struct im_error *e) {
    im_check_count(&o->summary, f);
    enum im_err err = flag(o, f, e);
    if (err == IM_OK) {
        err = put_finding(&o->main, f, e);
    }
    return err == IM_OK ? put_finding(&o->page, f, e) : err;
}

enum im_err im_check_output_finding(struct im_check_output *o, const struct im_finding *finding, struct im_error *e) {
    struct im_finding f = *finding;
    const struct im_silence_target target = {.rule = f.rule->id, .account = f.account, .dn = f.dn, .subject = f.subject};
    const struct im_silence *silence = im_silence_match(&o->c->config->silences, &target, o->info->started);
    if (silence) {
        f.silenced = silence->reason;
        f.until = silence->until;
    }
    enum im_err err = o->baseline ? im_baseline_look(o->baseline, &f, &f.state, e) : IM_OK;
    return err == IM_OK ? put(o, &f, e) : err;
}

enum im_err im_check_output_steps(struct im_check_output *o, const char *account, const struct im_sign_in *steps,
                                  struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (o->main.format != &im_check_text) {
        return IM_OK;
    }
    im_buf_adds(&text, "How ");
    im_text_escape(account, strlen(account), &text);
    im_buf_adds(&text, " signs in:\n");
    for (size_t i = 0; i < steps->count; i++) {
        im_buf_adds(&text, "  ");
        im_step_text(&steps->steps[i], &text);
        im_buf_addc(&text, '\n');
    }
    im_buf_addc(&text, '\n');
    bool is_written = !text.failed && fwrite(text.data, 1, text.len, o->main.out.stream) == text.len;
    bool is_whole = !text.failed;
    im_buf_free(&text);
    return is_written ? IM_OK : is_whole ? im_error_set(e, IM_E_OUTPUT, "standard output cannot be written") : im_error_nomem(e);
}

/* ---- the end ---- */

static enum im_err put_gone(void *user, const struct im_finding *finding, struct im_error *e) {
    return put(user, finding, e);
}

/* Before the sheets end: what the baseline has and was not found again. */
static enum im_err look_for_gone(struct im_check_output *o, const struct im_baseline_scope *scope, struct im_error *e) {
    return o->baseline ? im_baseline_gone(o->baseline, scope, put_gone, o, e) : IM_OK;
}

static enum im_err draw_homes(struct im_check_output *o, const struct im_census *census, struct im_check_picture *picture) {
    struct im_check_share *homes = im_pool_array(o->c->pool, census->home_count + 1, sizeof *homes);
    if (!homes) {
        return im_error_nomem(&o->c->error);
    }
    for (size_t i = 0; i < census->home_count; i++) {
        const struct im_census_home *home = &census->homes[i];
        homes[i] = (struct im_check_share){.name = home->server ? home->server->name : home->dn, .count = home->users};
    }
    picture->homes = homes;
    picture->home_count = census->home_count;
    return IM_OK;
}

static enum im_err draw_states(struct im_check_output *o, const struct im_census *census, struct im_check_picture *picture) {
    struct im_check_share *states = im_pool_array(o->c->pool, 4, sizeof *states);
    if (!states) {
        return im_error_nomem(&o->c->error);
    }
    size_t errors = im_hashes_count(o->flagged[IM_ERROR]);
    size_t warnings = im_hashes_count(o->flagged[IM_WARNING]) - errors;
    size_t infos = im_hashes_count(o->flagged[IM_INFO]) - warnings - errors;
    size_t flagged = errors + warnings + infos;
    states[0] =
        (struct im_check_share){.name = "nothing found", .count = census->accounts > flagged ? census->accounts - flagged : 0};
    states[1] = (struct im_check_share){.name = "information", .count = infos};
    states[2] = (struct im_check_share){.name = "warnings", .count = warnings};
    states[3] = (struct im_check_share){.name = "errors", .count = errors};
    picture->states = states;
    picture->state_count = 4;
    return IM_OK;
}

static enum im_err end_sheet(struct im_check_output *o, struct sheet *s, const struct im_rule_status *rules, size_t count,
                             struct im_error *e) {
    return s->format ? s->format->end(&s->out, o->info, &s->state, rules, count, &o->summary, e) : IM_OK;
}

static enum im_err end_sheets(struct im_check_output *o, const struct im_rule_status *rules, size_t count, struct im_error *e) {
    enum im_err err = end_sheet(o, &o->main, rules, count, e);
    if (err == IM_OK) {
        err = end_sheet(o, &o->page, rules, count, e);
    }
    return err == IM_OK ? im_output_file_commit(&o->file, e) : err;
}

enum im_err im_check_output_end(struct im_check_output *o, const struct im_rule_status *rules, size_t count,
                                const struct im_census *census, struct im_error *e) {
    const struct im_census none = {.is_whole = false};
    const struct im_baseline_scope scope = {rules, count, census && census->is_whole};
    struct im_check_picture picture = {.home_count = 0};
    enum im_err err = look_for_gone(o, &scope, e);
    o->summary.seconds = seconds_now() - o->started;
    o->summary.lacks_accounts = !census;
    census = census ? census : &none;
    o->summary.accounts = census->accounts;
    o->summary.enabled = census->enabled;
    if (err == IM_OK) {
        err = draw_homes(o, census, &picture);
    }
    if (err == IM_OK && o->page.format) {
        err = draw_states(o, census, &picture);
    }
    o->summary.picture = &picture;
    if (err == IM_OK) {
        err = end_sheets(o, rules, count, e);
    }
    o->summary.picture = NULL; /* it does not outlive the call */
    return err;
}

/* ---- an earlier result ---- */

static enum im_err put_account_again(void *user, const struct im_checked *checked, struct im_error *e) {
    return im_check_output_account(user, checked, e);
}

/* What was gone then is nothing to compare with anything. */
static enum im_err put_finding_again(void *user, const struct im_finding *finding, struct im_error *e) {
    const struct im_check_output *o = user;
    if (finding->state == IM_FINDING_GONE) {
        return o->baseline ? IM_OK : put(user, finding, e);
    }
    return im_check_output_finding(user, finding, e);
}

enum im_err im_check_output_again(struct im_check_output *o, struct im_check_file *file, struct im_error *e) {
    const struct im_check_visitor visitor = {put_account_again, put_finding_again, o};
    const struct im_check_summary *said = im_check_file_summary(file);
    struct im_baseline_scope scope = {.is_whole = im_check_file_is_whole(file)};
    scope.rules = im_check_file_rules(file, &scope.rule_count);
    o->summary.has_baseline = o->summary.has_baseline || said->has_baseline;
    enum im_err err = im_check_output_begin(o, im_check_file_info(file), e);
    if (err == IM_OK) {
        err = im_check_file_visit(file, &visitor, e);
    }
    if (err == IM_OK) {
        err = look_for_gone(o, &scope, e);
    }
    o->summary.lacks_accounts = said->lacks_accounts;
    o->summary.accounts = said->accounts;
    o->summary.enabled = said->enabled;
    o->summary.seconds = said->seconds;
    o->summary.picture = said->picture;
    return err == IM_OK ? end_sheets(o, scope.rules, scope.rule_count, e) : err;
}

int im_check_output_status(const struct im_check_output *o) {
    if (strcmp(o->c->output, "nagios") == 0) {
        return im_check_nagios_status(&o->summary);
    }
    bool fails = o->fail_on != NEVER && im_check_counted(&o->summary, (enum im_severity)o->fail_on) > 0;
    return fails || o->summary.troubles > 0 ? 1 : 0;
}
