#include "tools/check.h"

#include "tools/change.h"
#include "tools/check_choose.h"
#include "tools/check_facts.h"
#include "tools/check_output.h"
#include "tools/progress.h"
#include "tools/sources.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct im_check_options im_check_options;

enum { CONNECTIONS_MOST = 16 };

/* Everything of one check. */
struct checking {
    struct im_command *c;
    struct im_sources *sources; /* NULL: the whole directory */
    struct im_facts_gathered directory;
    struct im_check_facts facts;
    struct im_choice choice;
    struct im_counter *counter;
    struct im_audit audit;
    struct im_request request;
    struct im_run_info info;
    struct im_check_output *output;
    size_t connections;
    bool walks;        /* something that was asked for needs accounts */
    bool has_accounts; /* all of them were seen */
    bool is_partial;   /* rules that can say who will not sign in were left out */
    bool is_stopped;   /* before the end, but after the beginning of the report */
};

/* ---- the words of the options ---- */

static enum im_err read_connections(struct checking *x) {
    const char *text = im_check_options.scan_connections;
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : 1;
    if (text && (*end != '\0' || number < 1 || number > CONNECTIONS_MOST)) {
        return im_error_set(&x->c->error, IM_E_USAGE, "--scan-connections takes a number from 1 to %d, not \"%s\"",
                            CONNECTIONS_MOST, text);
    }
    x->connections = (size_t)number;
    return IM_OK;
}

static enum im_err check_words(struct checking *x) {
    struct im_command *c = x->c;
    enum im_err err = IM_OK;
    if (im_sources_are_given(c)) {
        err = im_sources_open(c, IM_COLUMNS_ALL, &x->sources);
    } else if (im_change_options.home || im_change_options.domain || im_change_options.address) {
        err = im_error_set(&c->error, IM_E_USAGE,
                           "--home, --domain and --address say how selected accounts would be enabled: name some");
    } else {
        err = im_sources_check(c);
    }
    if (err == IM_OK) {
        err = im_change_check_templates(c);
    }
    if (err == IM_OK) {
        err = read_connections(x);
    }
    if (err == IM_OK) {
        err = im_profile_load(c->config->profile, &x->directory.profile, &c->error);
    }
    if (err == IM_OK) {
        err = im_rules_check_profile(x->directory.profile, &c->error);
    }
    if (err == IM_OK) {
        err = im_rules_check_config(c->config, &c->error);
    }
    if (err == IM_OK) {
        err = im_check_choose(c, x->directory.profile, x->sources != NULL, &x->choice, &x->is_partial);
        x->walks = x->sources || im_check_options.report || im_choice_needs_accounts(&x->choice); /* the page draws them */
    }
    return err == IM_OK ? im_check_output_open(c, &x->output) : err;
}

/* ---- the directory ---- */

static enum im_err connect(struct checking *x) {
    struct im_command *c = x->c;
    const char *templates[] = {im_change_options.address, c->config->enable_address};
    const struct im_facts_wanted wanted = {.needs_servers = true,
                                           .counts_users = x->sources && im_change_wants_auto(c, x->sources),
                                           .is_check = true,
                                           .keeps_gone = true,
                                           .connections = x->connections,
                                           .templates = templates,
                                           .template_count = sizeof templates / sizeof templates[0]};
    return im_facts_gather(c, &wanted, &x->directory);
}

static enum im_err on_finding(void *user, const struct im_finding *finding, struct im_error *e) {
    struct checking *x = user;
    im_progress_hide(x->c);
    return im_check_output_finding(x->output, finding, e);
}

static enum im_err on_mail_domain(void *user, const char *domain, struct im_error *e) {
    struct checking *x = user;
    return im_check_facts_mail_domain(&x->facts, domain, e);
}

static enum im_err on_account(void *user, const struct im_account *account, struct im_error *e) {
    struct checking *x = user;
    return im_check_facts_account(&x->facts, account, e);
}

static void on_progress(void *user, size_t done) {
    struct checking *x = user;
    im_progress_update(x->c, done, 0, "reading");
}

static void on_note(void *user, int level, const char *text) {
    struct checking *x = user;
    im_command_log(x->c, level, text);
}

/* What the bind may see and change, before anything is judged by it. */
static enum im_err tell_rights(struct checking *x) {
    struct im_command *c = x->c;
    struct im_rights rights;
    if (x->facts.survey.is_offline || !x->audit.resolver.base || !x->walks) {
        return IM_OK;
    }
    enum im_err err = im_rights_try(&x->audit.resolver, c->pool, &rights, &c->error);
    if (err != IM_OK) {
        return err;
    }
    const char *who = im_directory_identity(x->directory.directory);
    im_command_note(c, 1, "%s sees the state of %zu and IM values of %zu of %zu accounts looked at", who, rights.states,
                    rights.values, rights.sampled);
    if (!rights.tells) {
        im_command_note(c, 1, "this directory does not tell what %s may write", who);
    } else if (rights.writable < rights.sampled) {
        im_command_note(c, 0, "%s may write the IM attributes of %zu of %zu accounts looked at, not of %s", who, rights.writable,
                        rights.sampled, rights.example);
    } else {
        im_command_note(c, 1, "%s may write the IM attributes of all %zu accounts looked at", who, rights.sampled);
    }
    if (rights.sampled > 0 && rights.states == 0) {
        im_command_note(c, 0, "%s sees of no account whether it is disabled: rules about that are skipped", who);
    }
    return IM_OK;
}

static bool is_catalog_port(const char *uri) {
    const char *colon = strrchr(uri, ':');
    return colon && (strcmp(colon, ":3268") == 0 || strcmp(colon, ":3269") == 0);
}

static size_t count_domains(const struct im_facts_gathered *d) {
    size_t count = 0;
    while (d->domains && d->domains[count]) {
        count++;
    }
    return count;
}

static enum im_err prepare(struct checking *x) {
    const struct im_facts_gathered *d = &x->directory;
    struct im_command *c = x->c;
    x->facts = (struct im_check_facts){.c = c, .choice = &x->choice, .directory = d, .is_selection = x->sources != NULL};
    x->facts.survey = (struct im_survey){.config = c->config,
                                         .profile = d->profile,
                                         .schema = &d->schema,
                                         .servers = &d->servers,
                                         .server = im_directory_uri(d->directory),
                                         .is_bound_to_gc = is_catalog_port(im_directory_uri(d->directory)),
                                         .domain_count = count_domains(d),
                                         .is_ad = d->context.is_ad,
                                         .is_offline = im_directory_rootdse(d->directory)->is_offline,
                                         .is_external = im_check_options.external,
                                         .now = x->info.started};
    x->audit = (struct im_audit){
        .resolver = {.directory = d->directory, .context = &d->context, .base = d->base, .domains = d->domains, .gc = d->gc},
        .servers = &d->servers,
        .survey = &x->facts.survey,
        .choice = &x->choice,
        .pool = c->pool,
        .parts = x->connections,
        .on_finding = on_finding,
        .on_mail_domain = on_mail_domain,
        .on_account = on_account,
        .on_progress = on_progress,
        .user = x};
    x->counter = im_counter_new(&d->servers);
    if (!x->counter) {
        return im_error_nomem(&c->error);
    }
    x->info.directory = im_directory_uri(d->directory);
    enum im_err err = tell_rights(x);
    return err == IM_OK ? im_check_facts_begin(&x->facts) : err;
}

/* ---- accounts ---- */

/* Whom imenable would refuse cannot sign in, however much the configuration says that the rule weighs. */
static const struct im_finding *why_not(const struct im_result *r) {
    for (size_t i = 0; i < r->finding_count; i++) {
        if (r->findings[i].severity == IM_ERROR || (r->findings[i].rule->blocks & IM_BLOCKS_ENABLE)) {
            return &r->findings[i];
        }
    }
    return NULL;
}

static enum im_err on_checked(void *user, const struct im_input *input, const struct im_result *r, struct im_error *e) {
    struct checking *x = user;
    bool is_known = r->outcome == IM_UNCHANGED;
    const struct im_checked checked = {.input = r->input,
                                       .source = input->source,
                                       .account = r->account,
                                       .dn = r->dn,
                                       .is_enabled = r->address != NULL,
                                       .is_partial = x->is_partial,
                                       .why = why_not(r),
                                       .trouble = is_known     ? NULL
                                                  : r->message ? r->message
                                                               : im_outcome_name(r->outcome)};
    im_progress_hide(x->c);
    enum im_err err = im_check_output_account(x->output, &checked, e);
    return err == IM_OK ? im_audit_tell(&x->audit, r->findings, r->finding_count, e) : err;
}

static enum im_err preflight(struct checking *x) {
    struct im_command *c = x->c;
    struct im_run run = {.resolver = x->audit.resolver,
                         .request = &x->request,
                         .servers = &x->directory.servers,
                         .on_note = on_note,
                         .stop = im_command_stop()};
    enum im_err err = IM_OK;
    if (!run.resolver.base) {
        return im_error_set(&c->error, IM_E_USAGE, "%s has several naming contexts and no default: choose one with --base",
                            im_directory_uri(x->directory.directory));
    }
    if (im_sources_have_domain_names(x->sources)) {
        err = im_resolver_learn_domain(&run.resolver, c->pool, &c->error);
    }
    if (err == IM_OK) {
        err = im_change_request(c, x->sources, &x->directory, IM_ENABLE, &x->request);
    }
    if (err == IM_OK) {
        err = im_sources_choose(c, x->sources, &run.resolver);
    }
    if (err != IM_OK) {
        return err;
    }
    struct im_inputs inputs = im_sources_inputs(x->sources);
    run.inputs = &inputs;
    im_progress_begin(c, im_sources_count(x->sources));
    return im_preflight(&x->audit, &run, x->counter, on_checked, x, &c->error);
}

/* A result that was cut off is a finding, whatever was chosen: the rest is judged all the same. */
static enum im_err look_at_accounts(struct checking *x) {
    struct im_command *c = x->c;
    im_progress_begin(c, 0);
    enum im_err err = x->sources ? preflight(x) : im_audit_accounts(&x->audit, x->counter, &c->error);
    if (err != IM_E_TRUNCATED) {
        return err;
    }
    if (!im_check_choose_truncated(c->config, &x->choice)) {
        im_command_note(c, 0, "not all accounts were seen: %s", c->error.text);
    }
    x->facts.survey.truncated = im_pool_strdup(c->pool, c->error.text);
    const char *reason = im_pool_printf(c->pool, "not all accounts were seen: %s", c->error.text);
    im_error_clear(&c->error);
    if (!x->facts.survey.truncated || !reason) {
        return im_error_nomem(&c->error);
    }
    im_choice_cut_accounts(&x->choice, reason);
    return IM_OK;
}

/* ---- sign-in, step by step ---- */

static enum im_err tell_sign_ins(struct checking *x) {
    struct im_command *c = x->c;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < x->facts.accounts.count; i++) {
        struct im_sign_in steps;
        const struct im_account *account = &x->facts.accounts.items[i];
        err = im_sign_in(&x->facts.survey, account, c->pool, &steps, &c->error);
        if (err == IM_OK) {
            err = im_check_output_steps(x->output, account->name, &steps, &c->error);
        }
    }
    return err;
}

/* ---- the check ---- */

static enum im_err finish(struct checking *x) {
    struct im_command *c = x->c;
    const struct im_census *census = x->walks ? im_counter_census(x->counter) : NULL;
    struct im_rule_status *rules = im_pool_array(c->pool, x->choice.count + 1, sizeof *rules);
    if (!rules) {
        return im_error_nomem(&c->error);
    }
    for (size_t i = 0; i < x->choice.count; i++) {
        const struct im_choice_row *row = &x->choice.items[i];
        rules[i] = (struct im_rule_status){
            .rule = row->rule, .findings = row->findings, .skipped = row->checked == 0 && row->skipped > 0 ? row->reason : NULL};
    }
    return im_check_output_end(x->output, rules, x->choice.count, census, &c->error);
}

static enum im_err look(struct checking *x) {
    struct im_command *c = x->c;
    enum im_err err = x->walks ? look_at_accounts(x) : IM_OK;
    im_progress_end(c);
    if (err != IM_OK) {
        return err;
    }
    x->has_accounts = true;
    err = im_check_facts_end(&x->facts, x->walks ? im_counter_census(x->counter) : NULL);
    if (err == IM_OK) {
        err = tell_sign_ins(x);
    }
    for (int scope = 0; err == IM_OK && scope < IM_SCOPE_COUNT; scope++) {
        err = im_audit_scope(&x->audit, (enum im_scope)scope, &c->error);
    }
    return err;
}

static bool is_nagios(const struct im_command *c) {
    return strcmp(c->output, "nagios") == 0;
}

/* A report that was begun is ended, and says how far it came; but one line for a monitoring system says that it is not known. */
static void finish_stopped(struct checking *x) {
    struct im_command *c = x->c;
    struct im_error first = c->error;
    const char *reason = im_pool_printf(c->pool, "the check ended before: %s", first.text);
    x->is_stopped = true;
    if (is_nagios(c) || !reason) {
        return;
    }
    if (!x->has_accounts) {
        im_choice_cut_accounts(&x->choice, reason);
    }
    im_choice_cut_rest(&x->choice, reason);
    im_error_clear(&c->error);
    if (finish(x) == IM_OK) {
        c->error = first;
    }
}

static enum im_err work(struct checking *x) {
    struct im_command *c = x->c;
    enum im_err err = connect(x);
    if (err == IM_OK) {
        err = prepare(x);
    }
    if (err == IM_OK) {
        err = im_check_output_begin(x->output, &x->info, &c->error);
    }
    if (err != IM_OK) {
        return err;
    }
    err = look(x);
    if (err == IM_OK) {
        return finish(x);
    }
    if (err == IM_E_INTERRUPTED || err == IM_E_LOST || err == IM_E_TIMEOUT) {
        finish_stopped(x);
    }
    return err;
}

/* "-o nagios", "-qonagios", "--output=nagios"... */
bool im_check_is_plugin(char *const *argv) {
    static const char format[] = "nagios";
    for (char *const *word = argv; *word && strcmp(*word, "--") != 0; word++) {
        size_t len = strlen(*word);
        bool is_short = (*word)[0] == '-' && (*word)[1] != '-';
        bool is_split = (is_short && (*word)[len - 1] == 'o') || strcmp(*word, "--output") == 0;
        if (is_split && word[1] && strcmp(word[1], format) == 0) {
            return true;
        }
        if (strcmp(*word, "--output=nagios") == 0 || (is_short && len > 7 && strcmp(*word + len - 7, "onagios") == 0)) {
            return true;
        }
    }
    return false;
}

int im_check_failed(int status, bool is_plugin, const char *why) {
    struct im_buf line = IM_BUF_INIT;
    if (!is_plugin || status == 0) {
        return status;
    }
    im_buf_adds(&line, "IMDIR UNKNOWN - ");
    im_text_escape(why, strcspn(why, "\n|"), &line);
    (void)printf("%s\n", im_buf_str(&line));
    im_buf_free(&line);
    return IM_CHECK_UNKNOWN;
}

int im_check_fail(struct im_command *c) {
    return im_check_failed(im_command_fail(c), is_nagios(c), c->error.text);
}

/* Stopped part-way is another status than not to have begun. */
static int fail_work(struct checking *x) {
    int status = im_check_fail(x->c);
    return x->is_stopped && !is_nagios(x->c) ? im_err_row(IM_E_INTERRUPTED)->exit_status : status;
}

int im_check_main(struct im_command *c) {
    struct checking x = {.c = c};
    if (im_check_options.input) {
        return im_check_show_again(c);
    }
    if (im_check_options.list_rules || im_check_options.explain) {
        return im_check_show_rules(c);
    }
    x.info = (struct im_run_info){.command = c->table->command, .version = IMDIR_VERSION, .started = time(NULL)};
    enum im_err err = check_words(&x);
    if (err == IM_OK) {
        x.info.profile = x.directory.profile->name;
        err = work(&x);
    }
    int status = err == IM_OK ? im_check_output_status(x.output) : fail_work(&x);
    im_check_output_free(&x.output);
    im_counter_free(&x.counter);
    im_check_facts_free(&x.facts);
    im_sources_free(&x.sources);
    im_facts_free(&x.directory);
    return status;
}
