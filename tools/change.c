#include "tools/change.h"

#include "tools/changes.h"
#include "tools/clash.h"
#include "tools/consent.h"
#include "tools/facts.h"
#include "tools/limits.h"
#include "tools/moving.h"
#include "tools/progress.h"
#include "tools/recording.h"
#include "tools/rejects.h"
#include "tools/replay.h"
#include "tools/replicas.h"
#include "tools/sources.h"
#include "tools/table.h"

#include <string.h>
#include <time.h>

struct im_change_options im_change_options;

enum { NAMES = 3 };

/* Everything of one run. */
struct changing {
    struct im_command *c;
    struct im_sources *sources;
    struct im_records *records; /* of imapply and imundo, instead of sources */
    struct im_limits limits;
    struct im_facts_gathered facts;
    struct im_request request;
    struct im_moving moving; /* of imhome */
    struct im_output_file changes;
    struct im_rejects rejects;
    struct im_journal *journal;
    struct im_spreading *spreading; /* --wait, --replicate; or NULL */
    bool is_spreading;              /* everything is written, and others are asked for it */
    const char *names[NAMES];       /* some that would change, for the question */
    size_t name_count;
    struct im_out out;
    struct im_run_info info;
    const struct im_report_format *format;
};

static enum im_err check_allow(struct im_command *c, enum im_action action) {
    unsigned blocks = action == IM_MOVE ? IM_BLOCKS_MOVE : IM_BLOCKS_ENABLE;
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < im_change_options.allow.count; i++) {
        const char *id = im_change_options.allow.items[i];
        const struct im_rule *rule = im_rule_find(id);
        if (rule && (rule->blocks & blocks)) {
            continue;
        }
        struct im_buf list = IM_BUF_INIT;
        const char *names[64];
        size_t blocking = 0;
        for (size_t r = 0; r < count && blocking < 64; r++) {
            if (rules[r].blocks & blocks) {
                names[blocking++] = rules[r].id;
                im_buf_addf(&list, "%s%s", list.len ? ", " : "", rules[r].id);
            }
        }
        const char *nearest = im_text_nearest(id, names, blocking);
        im_error_set(&c->error, IM_E_USAGE, "--allow: no rule \"%s\" blocks %s%s%s%s that do: %s", id,
                     action == IM_MOVE ? "moving" : "enabling", nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"? Rules" : "; rules", im_buf_str(&list));
        im_buf_free(&list);
        return IM_E_USAGE;
    }
    return IM_OK;
}

/* A variable that does not exist would refuse every account, one by one. */
static enum im_err check_template(struct im_command *c, const char *name, const char *text) {
    struct im_error inner = {.code = IM_OK};
    size_t count;
    const char *const *variables = im_profile_variables(true, &count);
    if (!text || im_template_check(text, variables, count, &inner) == IM_OK) {
        return IM_OK;
    }
    return im_error_set(&c->error, IM_E_USAGE, "%s: %s", name, inner.text);
}

enum im_err im_change_check_templates(struct im_command *c) {
    enum im_err err = check_template(c, "--address", im_change_options.address);
    return err == IM_OK ? check_template(c, "enable.address", c->config->enable_address) : err;
}

static struct im_table *table_of(const struct im_sources *sources) {
    return sources ? im_sources_table(sources) : NULL;
}

bool im_change_wants_auto(const struct im_command *c, const struct im_sources *sources) {
    const struct im_table *table = table_of(sources);
    return im_text_equal(im_change_options.home, "auto") ||
           (!im_change_options.home && im_text_equal(c->config->enable_home, "auto")) || (table && im_table_wants_auto(table));
}

static bool is_allowed(const char *rule) {
    for (size_t i = 0; i < im_change_options.allow.count; i++) {
        if (strcmp(im_change_options.allow.items[i], rule) == 0) {
            return true;
        }
    }
    return false;
}

enum im_err im_change_request(struct im_command *c, const struct im_sources *sources, const struct im_facts_gathered *facts,
                              enum im_action action, struct im_request *out) {
    const struct im_config *config = c->config;
    struct im_table *table = table_of(sources);
    bool is_lifted = is_allowed("account-domain-unknown");
    *out = (struct im_request){
        .action = action,
        .address = im_change_options.address,
        .domain = im_change_options.domain,
        .keep_opaque = im_change_options.keep_acl,
        .suspends = im_change_options.suspend,
        .home_auto = im_text_equal(im_change_options.home, "auto"),
        .allow = im_change_options.allow.items,
        .allow_count = im_change_options.allow.count,
        .default_home = config->enable_home,
        .default_domain = config->enable_domain,
        .default_address = config->enable_address,
    };
    enum im_err err = IM_OK;
    if (im_change_options.home && !out->home_auto) {
        err = im_servers_find(&facts->servers, im_change_options.home, &out->home, &c->error);
    }
    const char *known;
    if (err == IM_OK && im_change_options.domain && !is_lifted) {
        err = im_servers_default_domain(&facts->servers, im_change_options.domain, NULL, &known, &c->error);
    }
    if (err == IM_OK && table && (action == IM_ENABLE || action == IM_MOVE)) {
        err = im_table_check_servers(table, &facts->servers, is_lifted || action == IM_MOVE, &c->error);
    }
    return err;
}

/* ---- what the run tells ---- */

static enum im_err on_result(void *user, const struct im_input *input, const struct im_result *result, struct im_error *e) {
    struct changing *x = user;
    im_progress_hide(x->c);
    enum im_err err = x->format->account(&x->out, &x->info, result, e);
    if (err == IM_OK && x->request.action == IM_MOVE && im_common.dry_run) {
        err = im_preview_add(&x->moving.preview, result, e);
    }
    enum im_err kept = im_rejects_add(&x->rejects, input, result, e);
    if (err == IM_OK) {
        err = kept;
    }
    return err == IM_OK ? im_spreading_add(x->spreading, result, e) : err;
}

static enum im_err on_rehearsed(void *user, const struct im_input *input, const struct im_result *result, struct im_error *e) {
    struct changing *x = user;
    (void)input;
    if (result->outcome == IM_CHANGED && x->name_count < NAMES) {
        x->names[x->name_count] = im_pool_strdup(x->c->pool, result->account ? result->account : result->dn);
        if (!x->names[x->name_count++]) {
            return im_error_nomem(e);
        }
    }
    return x->request.action == IM_MOVE ? im_preview_add(&x->moving.preview, result, e) : IM_OK;
}

static void on_progress(void *user, size_t done, size_t failed) {
    struct changing *x = user;
    im_progress_update(x->c, done, failed, im_common.dry_run ? "planning" : "writing");
}

static void on_rehearsal(void *user, size_t done, size_t failed) {
    struct changing *x = user;
    im_progress_update(x->c, done, failed, "planning");
}

static enum im_err on_change(void *user, const struct im_change *change, struct im_error *e) {
    struct changing *x = user;
    return im_changes_add(&x->changes, change, e);
}

static void on_note(void *user, int level, const char *text) {
    struct changing *x = user;
    im_command_log(x->c, level, text);
}

/* ---- planning first ---- */

/* Homes and domains of accounts that have none: where they are unclear, nothing must have been written when that turns out. */
static bool is_clear(const struct changing *x) {
    const struct im_request *r = &x->request;
    const struct im_server *home = r->home;
    const char *domain;
    if (r->action != IM_ENABLE) {
        return true;
    }
    if (!home && !r->home_auto && im_servers_default_home(&x->facts.servers, r->default_home, NULL, &home, NULL) != IM_OK) {
        return false;
    }
    return r->domain || im_servers_default_domain(&x->facts.servers, r->default_domain, home, &domain, NULL) == IM_OK;
}

static enum im_err check_max_changes(struct changing *x, const struct im_summary *planned) {
    size_t changes = planned->counts[IM_CHANGED];
    size_t most = im_amount_of(&x->limits.max_changes, planned->total);
    if (!x->limits.limits_changes || changes <= most) {
        return IM_OK;
    }
    return im_error_set(&x->c->error, IM_E_LIMIT,
                        "%zu of %zu accounts would change, and --max-changes allows %zu: nothing was written", changes,
                        planned->total, most);
}

/* Plans everything where that has to be known before the first change: for a question, a limit, or an unclear home. *yes: go on.
 */
static enum im_err rehearse(struct changing *x, const struct im_run *run, bool *yes) {
    struct im_run rehearsal = *run;
    struct im_summary planned = {0};
    bool wrote = false;
    bool asks = x->sources && im_sources_are_by_condition(x->sources) && !im_common.yes;
    *yes = true;
    if (im_common.dry_run || !(asks || x->limits.limits_changes || !is_clear(x))) {
        return IM_OK;
    }
    rehearsal.dry_run = true;
    rehearsal.on_result = on_rehearsed;
    rehearsal.on_change = NULL;
    rehearsal.on_progress = on_rehearsal;
    enum im_err err = im_run_accounts(&rehearsal, &planned, &wrote, &x->c->error);
    if (err == IM_OK) {
        err = check_max_changes(x, &planned);
    }
    if (err == IM_OK && asks && x->request.action == IM_MOVE) {
        err = im_preview_print(x->c, &x->moving.preview);
    }
    if (err == IM_OK && asks) {
        err = im_consent_ask(x->c, &planned, x->names, x->name_count, yes);
    }
    /* Where the run ends here, its report tells of each account that it was not attempted. */
    enum im_err back = run->inputs->rewind(run->inputs->user, &x->c->error);
    return err == IM_OK ? back : err;
}

/* ---- the run ---- */

static enum im_err find_base(struct changing *x, struct im_run *run) {
    if (x->records) {
        return im_replay_check(x->c, x->records, x->facts.directory, &run->resolver.base);
    }
    run->resolver.base = x->facts.base;
    if (run->resolver.base) {
        return IM_OK;
    }
    return im_error_set(&x->c->error, IM_E_USAGE, "%s has several naming contexts and no default: choose one with --base",
                        im_directory_uri(x->facts.directory));
}

/* Those of addresses, wherever they are given. */
static enum im_err list_templates(struct changing *x, struct im_strings *out) {
    struct im_command *c = x->c;
    struct im_strings cells = {.count = 0};
    enum im_err err = table_of(x->sources) ? im_table_templates(table_of(x->sources), c->pool, &cells, &c->error) : IM_OK;
    const char **items = err == IM_OK ? im_pool_array(c->pool, cells.count + 2, sizeof *items) : NULL;
    if (!items) {
        return im_error_nomem(&c->error);
    }
    items[0] = im_change_options.address;
    items[1] = c->config->enable_address;
    for (size_t i = 0; i < cells.count; i++) {
        items[i + 2] = cells.items[i];
    }
    *out = (struct im_strings){.items = items, .count = cells.count + 2};
    return IM_OK;
}

/* What the command did that made a plan: its accounts are judged in the same way. */
static enum im_action action_of(const char *command) {
    return strcmp(command, "imhome") == 0 ? IM_MOVE : strcmp(command, "imdisable") == 0 ? IM_DISABLE : IM_ENABLE;
}

/* The only account that is asked for, where it is named; else NULL. */
static const struct im_identity *only_one(const struct changing *x) {
    struct im_input *one = im_pool_alloc(x->c->pool, sizeof *one);
    bool is_end = true;
    if (!one || !x->sources || im_sources_are_by_condition(x->sources) || im_sources_count(x->sources) != 1) {
        return NULL;
    }
    struct im_inputs inputs = im_sources_inputs(x->sources);
    enum im_err err = inputs.next(inputs.user, x->c->pool, one, &is_end, NULL);
    enum im_err back = inputs.rewind(inputs.user, NULL);
    return err == IM_OK && back == IM_OK && !is_end && !one->bad ? &one->identity : NULL;
}

static enum im_err prepare(struct changing *x, enum im_action action, struct im_run *run) {
    struct im_command *c = x->c;
    struct im_strings templates = {.count = 0};
    enum im_err err = list_templates(x, &templates);
    if (err == IM_OK) {
        const struct im_facts_wanted wanted = {.one = only_one(x),
                                               .needs_servers = action != IM_DISABLE || im_change_options.suspend,
                                               .keeps_gone = action != IM_ENABLE,
                                               .counts_users = action == IM_ENABLE && im_change_wants_auto(x->c, x->sources),
                                               .connections = x->limits.pace.connections,
                                               .templates = templates.items,
                                               .template_count = templates.count};
        err = im_facts_gather(c, &wanted, &x->facts);
    }
    if (err == IM_OK) {
        run->early = &x->facts.early;
        run->resolver = (struct im_resolver){
            .directory = x->facts.directory, .context = &x->facts.context, .domains = x->facts.domains, .gc = x->facts.gc};
        run->resolver.netbios = x->facts.netbios;
        err = find_base(x, run);
    }
    if (err == IM_OK && x->sources && im_sources_have_domain_names(x->sources)) {
        err = im_resolver_learn_domain(&run->resolver, c->pool, &c->error);
    }
    if (err == IM_OK) {
        err = im_change_request(c, x->sources, &x->facts, action, &x->request);
    }
    if (err == IM_OK && x->records) {
        x->request.recorded = action_of(im_journal_head(im_records_reader(x->records))->command);
    }
    if (err == IM_OK && action == IM_MOVE) {
        err = im_moving_begin(c, &x->facts, x->sources, &x->request, &x->moving);
    }
    if (err == IM_OK) {
        err = im_spreading_find(x->spreading, x->facts.directory, run->resolver.base);
    }
    return err == IM_OK && x->sources ? im_sources_choose(c, x->sources, &run->resolver) : err;
}

static enum im_err open_journal(struct changing *x, const struct im_run *run) {
    struct im_journal_head head = {.directory = im_directory_uri(x->facts.directory),
                                   .base = run->resolver.base,
                                   .identity = im_directory_identity(x->facts.directory),
                                   .keep_opaque = x->request.keep_opaque,
                                   .allow = x->request.allow,
                                   .allow_count = x->request.allow_count,
                                   .started = x->info.started};
    return im_recording_open(x->c, &head, &x->journal);
}

/* The first error stays. */
static enum im_err keep_first(struct changing *x, enum im_err err, enum im_err other, const struct im_error *why) {
    if (err == IM_OK && other != IM_OK) {
        x->c->error = *why;
        err = other;
    }
    return err;
}

/* What was written is on record before the others are waited for, and what becomes of that is reported. */
static enum im_err spread(struct changing *x, enum im_err err, struct im_summary *summary) {
    enum im_err recorded = im_recording_close(x->c, &x->journal, summary, err == IM_OK);
    if (err != IM_OK || recorded != IM_OK) {
        return err != IM_OK ? err : recorded;
    }
    x->is_spreading = true;
    return im_spreading_finish(x->spreading, x->facts.directory, summary);
}

/* The report is whole also when the run was not. */
static enum im_err report_run(struct changing *x, struct im_run *run, enum im_err err, struct im_summary *summary) {
    struct im_command *c = x->c;
    struct im_error why = {.code = IM_OK};
    enum im_err begun = x->format->begin(&x->out, &x->info, &why);
    err = keep_first(x, err, begun, &why);
    if (err == IM_OK) {
        err = im_run_accounts(run, summary, &c->wrote, &c->error);
    } else if (begun == IM_OK) {
        im_run_leave(run, err, summary);
    }
    im_progress_end(c);
    err = spread(x, err, summary);
    enum im_err end = x->format->end(&x->out, &x->info, summary, &why);
    return keep_first(x, err, end, &why);
}

/* Rejects are also kept of a run that was stopped before its first change, once each row has its outcome. */
static enum im_err commit(struct changing *x, enum im_err err, const struct im_summary *summary) {
    struct im_error why = {.code = IM_OK};
    bool is_told = x->sources && summary->total == im_sources_count(x->sources);
    if (err == IM_OK || x->c->wrote) {
        err = keep_first(x, err, im_output_file_commit(&x->changes, &why), &why);
    } else if (!is_told) {
        return err;
    }
    im_error_clear(&why);
    return keep_first(x, err, im_rejects_commit(&x->rejects, &why), &why);
}

static enum im_err work(struct changing *x, enum im_action action, struct im_summary *summary) {
    struct im_command *c = x->c;
    struct im_inputs inputs = x->records ? im_records_inputs(x->records) : im_sources_inputs(x->sources);
    bool yes = true;
    struct im_run run = {.request = &x->request,
                         .servers = &x->facts.servers,
                         .inputs = &inputs,
                         .pace = x->limits.pace,
                         .dry_run = im_common.dry_run,
                         .on_result = on_result,
                         .on_change = on_change,
                         .on_progress = on_progress,
                         .on_note = on_note,
                         .user = x,
                         .stop = im_command_stop()};
    enum im_err err = prepare(x, action, &run);
    if (err != IM_OK) {
        return err;
    }
    x->info.directory = im_directory_uri(x->facts.directory);
    x->out = im_command_out(c);
    im_progress_begin(c, x->sources ? im_sources_count(x->sources) : im_journal_reader_count(im_records_reader(x->records)));
    err = rehearse(x, &run, &yes);
    if (err == IM_OK && !yes) {
        summary->total = 1; /* said no: something is left */
        im_command_note(c, 0, "nothing was written");
        return IM_OK;
    }
    if (err == IM_OK) {
        err = open_journal(x, &run);
    }
    run.journal = x->journal;
    err = report_run(x, &run, err, summary);
    if (err == IM_OK && action == IM_MOVE) {
        err = im_moving_end(c, &x->facts, &x->moving, summary);
    }
    return commit(x, err, summary);
}

static bool left_something(const struct changing *x, const struct im_summary *summary) {
    return im_spreading_left(x->spreading, summary) ||
           summary->counts[IM_CHANGED] + summary->counts[IM_UNCHANGED] < summary->total;
}

/* ---- the command ---- */

static const struct im_report_format *find_format(const char *name) {
    size_t count;
    const struct im_report_format *const *formats = im_report_formats(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return formats[0];
}

/* An export is planned on and never altered: that is a dry run, which must have something to show. */
static enum im_err check_offline(struct changing *x) {
    struct im_command *c = x->c;
    if (!im_offline_is_wanted(c->config) || im_common.dry_run) {
        return IM_OK;
    }
    if (!im_change_options.changes) {
        return im_error_set(&c->error, IM_E_USAGE,
                            "%s is an export, which is never altered: give --changes FILE for what ldapmodify is to write, or "
                            "--dry-run",
                            c->config->uris.items[0]);
    }
    im_common.dry_run = true;
    x->info.dry_run = true;
    return IM_OK;
}

/* Who is meant; nobody is asked yet. */
static enum im_err open_inputs(struct changing *x, enum im_action action) {
    struct im_command *c = x->c;
    if (action == IM_APPLY || action == IM_UNDO) {
        return im_replay_open(c, action == IM_APPLY ? IM_PLAN_FILE : IM_JOURNAL, &x->records);
    }
    enum im_err err =
        x->sources ? IM_OK : im_sources_open(c, action == IM_ENABLE ? IM_COLUMNS_ALL : IM_COLUMNS_NAMES, &x->sources);
    return err == IM_OK && im_sources_are_by_condition(x->sources) && !im_common.dry_run ? im_command_can_ask(c) : err;
}

/* Everything that can be wrong before a server is asked. */
static enum im_err check_words(struct changing *x, enum im_action action) {
    struct im_command *c = x->c;
    enum im_err err = check_allow(c, action);
    if (err == IM_OK) {
        err = im_change_check_templates(c);
    }
    if (err == IM_OK) {
        err = im_limits_parse(&x->limits, &c->error);
    }
    if (err == IM_OK) {
        err = im_recording_check(c);
    }
    if (err == IM_OK) {
        err = check_offline(x);
    }
    if (err == IM_OK) {
        bool is_recorded = (action == IM_APPLY || action == IM_UNDO) && c->arguments.count > 0;
        err = im_clash_check(c, is_recorded ? c->arguments.items[0] : NULL);
    }
    if (err == IM_OK) {
        err = im_recording_check_place(c);
    }
    if (err == IM_OK) {
        err = open_inputs(x, action);
    }
    if (err == IM_OK) {
        err = im_profile_load(c->config->profile, &x->facts.profile, &c->error);
    }
    if (err == IM_OK) {
        x->info.profile = x->facts.profile->name;
        if (im_change_options.suspend && !im_profile_can_suspend(x->facts.profile)) {
            return im_error_set(&c->error, IM_E_USAGE, "--suspend: the profile \"%s\" has no suspended state", x->info.profile);
        }
        err = im_rules_check_profile(x->facts.profile, &c->error);
    }
    if (err == IM_OK && x->records) {
        err = im_records_check(x->records, x->facts.profile, &c->error);
    }
    if (err == IM_OK) {
        err = im_spreading_open(c, x->facts.profile, &x->spreading);
    }
    if (err == IM_OK) {
        err = im_output_file_open(&x->changes, "--changes", im_change_options.changes, &c->error);
    }
    struct im_table *table = table_of(x->sources);
    if (err == IM_OK && table) {
        const struct im_table_form form = im_table_form(table);
        err = im_rejects_open(&x->rejects, im_source_options.rejects, &form, &c->error);
    }
    return err;
}

/* What was read from there is gone. */
static bool is_from_stdin(void) {
    const struct im_source_options *o = &im_source_options;
    return (o->list && strcmp(o->list, "-") == 0) || (o->csv && strcmp(o->csv, "-") == 0);
}

int im_change_main(struct im_command *c, enum im_action action) {
    return im_change_main_take(c, action, NULL);
}

int im_change_main_take(struct im_command *c, enum im_action action, struct im_sources *sources) {
    struct changing x = {.c = c, .sources = sources, .format = find_format(c->output)};
    struct im_summary summary = {0};
    x.info = (struct im_run_info){
        .command = c->table->command, .version = IMDIR_VERSION, .dry_run = im_common.dry_run, .started = time(NULL)};
    enum im_err err = check_words(&x, action);
    if (err == IM_OK) {
        err = work(&x, action, &summary);
    }
    bool is_left = left_something(&x, &summary);
    im_output_file_discard(&x.changes);
    im_rejects_discard(&x.rejects);
    im_moving_free(&x.moving);
    im_spreading_free(&x.spreading);
    im_sources_free(&x.sources);
    im_records_close(&x.records);
    im_facts_free(&x.facts);
    if (err != IM_OK) {
        bool goes_on = c->wrote && !x.is_spreading && !is_from_stdin() &&
                       (err == IM_E_INTERRUPTED || err == IM_E_LOST || err == IM_E_TIMEOUT);
        int status = im_command_fail(c);
        if (goes_on) {
            im_command_note_again(c, "--journal"); /* that file exists now */
        }
        return status;
    }
    return is_left ? 1 : 0;
}
