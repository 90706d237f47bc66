/* imschema: what the directory has of the profile's schema; extends it or prints the LDIF that would. */
#include "tools/command.h"

#include <string.h>
#include <time.h>

static bool extend;
static const char *ldif;
static const char *profile_file;
static const char *const ldif_kinds[] = {"ad", "openldap", NULL};

static const struct im_option rows[] = {
    {.long_name = "extend", .kind = IM_OPT_FLAG, .target = &extend, .help = "add the definitions that are absent"},
    {.long_name = "ldif",
     .kind = IM_OPT_TEXT,
     .target = &ldif,
     .argument = "KIND",
     .help = "print the LDIF that would: ad or openldap; connects to nothing",
     .complete = IM_COMPLETE_CHOICES,
     .choices = ldif_kinds},
    {.long_name = "check-profile",
     .kind = IM_OPT_TEXT,
     .target = &profile_file,
     .argument = "FILE",
     .help = "explain a profile file and its mistakes; connects to nothing",
     .complete = IM_COMPLETE_FILE},
    IM_OPTION_DRY_RUN,
    IM_OPTION_YES,
    {.long_name = NULL},
};
static const struct im_option *const groups[] = {rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Schema", "Directory", "Output and behaviour", NULL};
static const struct im_option_table table = {
    .groups = groups,
    .group_titles = titles,
    .command = "imschema",
    .arguments = NULL,
    .summary = "Compare the directory's schema with the profile's, extend it, or print the LDIF that would."};

static int print_ldif(struct im_command *c, const struct im_profile *profile) {
    struct im_buf text = IM_BUF_INIT;
    char name[128];
    (void)snprintf(name, sizeof name, "%s-im", profile->name);
    if (strcmp(ldif, "ad") == 0) {
        im_schema_ldif_ad(&profile->schema, NULL, &text);
    } else {
        im_schema_ldif_openldap(&profile->schema, name, &text);
    }
    int status = 0;
    if (text.failed) {
        im_error_nomem(&c->error);
        status = im_command_fail(c);
    } else {
        (void)fputs(im_buf_str(&text), stdout);
    }
    im_buf_free(&text);
    return status;
}

static int explain_profile(const struct im_profile *p) {
    (void)printf("%s: the profile \"%s\" is correct\n", p->source, p->name);
    for (size_t i = 0; i < p->attr_count; i++) {
        (void)printf("  %-26s %s\n", p->attrs[i].name,
                     p->attrs[i].enabled ? p->attrs[i].enabled : "(kept as it is, never written)");
    }
    (void)printf("  address: %s; auxiliary class: %s; %zu rules\n", p->address_template, p->aux_class ? p->aux_class : "none",
                 p->rule_count);
    return 0;
}

static void tell(void *user, const char *step) {
    im_command_note(user, 1, "%s", step);
}

static enum im_err compare(struct im_command *c, struct im_directory *d, const struct im_profile *profile,
                           struct im_schema_report *report) {
    struct im_schema found;
    enum im_err err = im_schema_read(d, profile, c->pool, &found, &c->error);
    return err == IM_OK ? im_schema_compare(&profile->schema, &found, c->pool, report, &c->error) : err;
}

/* Asks with the list of what would be added. */
static enum im_err ask(struct im_command *c, const struct im_schema_report *report, bool *yes) {
    struct im_buf question = IM_BUF_INIT;
    size_t absent = 0;
    for (size_t i = 0; i < report->count; i++)
        absent += report->items[i].state == IM_DEF_ABSENT;
    im_buf_addf(&question, "Add %zu definitions to the schema of this directory? Schema changes cannot be taken back.", absent);
    enum im_err err = im_command_confirm(c, im_buf_str(&question), yes);
    im_buf_free(&question);
    return err;
}

static enum im_err extend_schema(struct im_command *c, struct im_directory *d, const struct im_profile *profile,
                                 struct im_schema_report *report) {
    bool yes = false;
    if (report->state == IM_SCHEMA_COMPLETE || im_common.dry_run)
        return IM_OK;
    enum im_err err = report->state == IM_SCHEMA_CONFLICTING ? IM_OK : ask(c, report, &yes);
    if (err != IM_OK || (!yes && report->state != IM_SCHEMA_CONFLICTING))
        return err;
    err = im_schema_extend(d, profile, tell, c, &c->error);
    return err == IM_OK ? compare(c, d, profile, report) : err;
}

static int run(struct im_command *c, const struct im_profile *profile) {
    struct im_directory *d = NULL;
    struct im_schema_report report = {0};
    struct im_run_info info = {.command = "imschema",
                               .version = IMDIR_VERSION,
                               .profile = profile->name,
                               .dry_run = im_common.dry_run,
                               .started = time(NULL)};
    enum im_err err = extend && !im_common.dry_run ? im_command_can_ask(c) : IM_OK;
    if (err == IM_OK)
        err = im_command_connect(c, &d);
    if (err == IM_OK)
        err = compare(c, d, profile, &report);
    if (err == IM_OK && extend)
        err = extend_schema(c, d, profile, &report);
    if (err == IM_OK) {
        struct im_out out = im_command_out(c);
        info.directory = im_directory_uri(d);
        err = im_report_schema(&out, c->output, &info, &report, &c->error);
    }
    im_directory_free(&d);
    if (err != IM_OK)
        return im_command_fail(c);
    return report.state == IM_SCHEMA_COMPLETE ? 0 : report.state == IM_SCHEMA_CONFLICTING ? 2 : 1;
}

static enum im_err check_options(struct im_command *c) {
    if (c->arguments.count)
        return im_error_set(&c->error, IM_E_USAGE, "imschema takes no arguments, found \"%s\"", c->arguments.items[0]);
    if ((ldif != NULL) + (profile_file != NULL) + extend > 1)
        return im_error_set(&c->error, IM_E_USAGE, "--extend, --ldif and --check-profile are used one at a time");
    return IM_OK;
}

int main(int argc, char **argv) {
    struct im_command c;
    int status;
    struct im_profile *profile = NULL;
    if (!im_command_begin(&c, &table, true, argc, argv, &status))
        return status;
    c.changes = extend && !im_common.dry_run;
    enum im_err err = check_options(&c);
    if (err == IM_OK)
        err = im_profile_load(profile_file ? profile_file : c.config->profile, &profile, &c.error);
    if (err != IM_OK) {
        status = im_command_fail(&c);
    } else if (profile_file) {
        status = explain_profile(profile);
    } else if (ldif) {
        status = print_ldif(&c, profile);
    } else {
        status = run(&c, profile);
    }
    im_profile_free(&profile);
    return im_command_end(&c, status);
}
