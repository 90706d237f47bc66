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
    IM_OPTION_END,
};
static const struct im_option *const groups[] = {rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Schema", "Directory", "Output and behaviour", NULL};
static const struct im_option_table table = {
    .groups = groups,
    .group_titles = titles,
    .command = "imschema",
    .summary = "Compare the directory's schema with the profile's, extend it, or print the LDIF that would.",
};

/* ---- without a directory ---- */

static enum im_err print_ldif(struct im_command *c, const struct im_profile *profile) {
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = IM_OK;
    if (strcmp(ldif, "ad") == 0) {
        im_schema_ldif_ad(&profile->schema, NULL, &text);
    } else {
        im_schema_ldif_openldap(&profile->schema, profile->schema_name, &text);
    }
    if (text.failed) {
        err = im_error_nomem(&c->error);
    } else {
        fputs(im_buf_str(&text), stdout);
    }
    im_buf_free(&text);
    return err;
}

static void add_names(struct im_buf *out, const char *title, const char **names, size_t count) {
    im_buf_addf(out, "%s: ", title);
    for (size_t i = 0; i < count; i++)
        im_buf_addf(out, "%s%s", i > 0 ? ", " : "", names[i]);
    im_buf_adds(out, count > 0 ? "\n" : "none\n");
}

static enum im_err explain_profile(struct im_command *c, const struct im_profile *p) {
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = IM_OK;
    im_buf_addf(&text, "%s: no mistakes; profile %s%s%s\n", p->source, p->name, p->title != NULL ? ": " : "",
                p->title != NULL ? p->title : "");
    add_names(&text, "accounts are named by", p->account_names, p->account_name_count);
    add_names(&text, "the alias is the first of", p->alias_sources, p->alias_source_count);
    im_buf_addf(&text, "address: %s\n", p->address_template);
    for (size_t i = 0; i < p->attr_count; i++) {
        im_buf_addf(&text, "%s: %s\n", p->attrs[i].name,
                    p->attrs[i].enabled != NULL ? p->attrs[i].enabled : "kept as it is, never written");
    }
    im_buf_addf(&text, "auxiliary class: %s\n", p->aux_class != NULL ? p->aux_class : "none");
    im_buf_addf(&text, "server objects: %s\n", p->servers.object_class != NULL ? p->servers.object_class : "none");
    im_buf_addf(&text, "schema definitions: %zu\n", p->schema.attr_count + p->schema.class_count);
    add_names(&text, "rules", p->rules, p->rule_count);
    if (text.failed) {
        err = im_error_nomem(&c->error);
    } else {
        fputs(im_buf_str(&text), stdout);
    }
    im_buf_free(&text);
    return err;
}

/* ---- with a directory ---- */

static void tell(void *user, const char *step) {
    im_command_note(user, 1, "%s", step);
}

static enum im_err check_offline(struct im_command *c) {
    if (!extend || !im_offline_is_wanted(c->config)) {
        return IM_OK;
    }
    return im_error_set(&c->error, IM_E_USAGE, "--extend: an export is never altered; --ldif prints what a directory needs");
}

/* Where definitions were only assumed, there is nothing to compare. */
static enum im_err check_is_told(struct im_command *c, const struct im_directory *d) {
    if (!im_directory_rootdse(d)->has_assumed_schema) {
        return IM_OK;
    }
    return im_error_set_at(
        &c->error, IM_E_SCHEMA, im_directory_uri(d), 0, 0,
        "the export holds no definitions of a schema: export CN=Schema,CN=Configuration (Active Directory), or "
        "cn=Subschema or cn=schema,cn=config (OpenLDAP), too");
}

static enum im_err compare(struct im_command *c, struct im_directory *d, const struct im_profile *profile,
                           struct im_schema_report *report) {
    struct im_schema found;
    enum im_err err = im_schema_read(d, profile, c->pool, &found, &c->error);
    return err == IM_OK ? im_schema_compare(&profile->schema, &found, c->pool, report, &c->error) : err;
}

static enum im_err ask(struct im_command *c, struct im_directory *d, const struct im_schema_report *report, bool *yes) {
    struct im_buf question = IM_BUF_INIT;
    size_t absent = 0;
    enum im_err err;
    for (size_t i = 0; i < report->count; i++) {
        const struct im_def_finding *item = &report->items[i];
        if (item->state != IM_DEF_ABSENT) {
            continue;
        }
        absent++;
        im_command_note(c, im_common.yes ? 1 : 0, "to be added: %s %s%s%s", im_def_kind_name(item->kind), item->name,
                        item->oid != NULL ? ", " : "", item->oid != NULL ? item->oid : "");
    }
    im_buf_addf(&question, "Add %zu definitions to the schema of %s? They cannot be removed again.", absent, im_directory_uri(d));
    err = question.failed ? im_error_nomem(&c->error) : im_command_confirm(c, im_buf_str(&question), yes);
    im_buf_free(&question);
    return err;
}

/* The report becomes what is there afterwards. */
static enum im_err extend_schema(struct im_command *c, struct im_directory *d, const struct im_profile *profile,
                                 struct im_schema_report *report) {
    struct im_schema_extension extension = {
        .profile = profile,
        .timeout_s = c->config->timeout_s,
        .stop = im_command_stop(),
        .progress = tell,
        .user = c,
        .dry_run = true,
    };
    bool yes = false;
    /* Nothing is asked that cannot be done anyway. */
    enum im_err err = im_schema_extend(d, &extension, &c->error);
    if (err != IM_OK || im_common.dry_run) {
        return err;
    }
    err = ask(c, d, report, &yes);
    if (err != IM_OK || !yes) {
        return err;
    }
    extension.dry_run = false;
    err = im_schema_extend(d, &extension, &c->error);
    c->wrote = extension.wrote;
    return err == IM_OK ? compare(c, d, profile, report) : err;
}

static enum im_err print_report(struct im_command *c, const struct im_directory *d, const struct im_profile *profile,
                                const struct im_schema_report *report) {
    struct im_out out = im_command_out(c);
    struct im_run_info info = {
        .command = "imschema",
        .version = IMDIR_VERSION,
        .profile = profile->name,
        .directory = im_directory_uri(d),
        .dry_run = extend && im_common.dry_run,
        .started = time(NULL),
    };
    return im_report_schema(&out, c->output, &info, report, &c->error);
}

static int work(struct im_command *c, const struct im_profile *profile) {
    static const int statuses[] = {
        [IM_SCHEMA_COMPLETE] = 0, [IM_SCHEMA_PARTLY] = 1, [IM_SCHEMA_ABSENT] = 1, [IM_SCHEMA_CONFLICTING] = 2};
    struct im_directory *d = NULL;
    struct im_schema_report report = {0};
    enum im_err err = check_offline(c);
    if (err == IM_OK && extend && !im_common.dry_run) {
        err = im_command_can_ask(c);
    }
    if (err == IM_OK) {
        err = im_command_connect(c, &d);
    }
    if (err == IM_OK) {
        err = check_is_told(c, d);
    }
    if (err == IM_OK) {
        err = compare(c, d, profile, &report);
    }
    /* A conflict is reported like any state: the rows say what clashes. */
    if (err == IM_OK && extend && (report.state == IM_SCHEMA_ABSENT || report.state == IM_SCHEMA_PARTLY)) {
        err = extend_schema(c, d, profile, &report);
    }
    if (err == IM_OK) {
        err = print_report(c, d, profile, &report);
    }
    im_directory_free(&d);
    return err == IM_OK ? statuses[report.state] : im_command_fail(c);
}

static enum im_err check_options(struct im_command *c) {
    if ((ldif != NULL) + (profile_file != NULL) + extend > 1) {
        return im_error_set(&c->error, IM_E_USAGE, "--extend, --ldif and --check-profile do different things: give one of them");
    }
    return IM_OK;
}

static enum im_err load_profile(struct im_command *c, struct im_profile **profile) {
    char path[4096];
    const char *name = c->config->profile;
    enum im_err err;
    if (profile_file != NULL) { /* a file, whatever it is called */
        snprintf(path, sizeof path, "%s%s", strchr(profile_file, '/') != NULL ? "" : "./", profile_file);
        name = path;
    }
    err = im_profile_load(name, profile, &c->error);
    if (err == IM_OK) {
        err = im_rules_check_profile(*profile, &c->error);
    }
    if (err == IM_OK && profile_file == NULL && (*profile)->schema.attr_count == 0) {
        err = im_error_set(&c->error, IM_E_CONFIG, "the profile %s brings no schema definitions: there is nothing to compare",
                           (*profile)->name);
    }
    return err;
}

int main(int argc, char **argv) {
    struct im_command c;
    struct im_profile *profile = NULL;
    enum im_err err;
    int status;
    if (!im_command_begin(&c, &table, false, argc, argv, &status)) {
        return status;
    }
    c.changes = extend && !im_common.dry_run;
    err = check_options(&c);
    if (err == IM_OK) {
        err = load_profile(&c, &profile);
    }
    if (err == IM_OK && profile_file != NULL) {
        err = explain_profile(&c, profile);
    } else if (err == IM_OK && ldif != NULL) {
        err = print_ldif(&c, profile);
    } else if (err == IM_OK) {
        status = work(&c, profile);
        im_profile_free(&profile);
        return im_command_end(&c, status);
    }
    im_profile_free(&profile);
    return im_command_end(&c, err == IM_OK ? 0 : im_command_fail(&c));
}
