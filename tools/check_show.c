/* What imcheck shows without a directory: its rules, and earlier results. */
#include "tools/change.h"
#include "tools/check_output.h"
#include "tools/sources.h"

/* ---- rules ---- */

static enum im_err explain(struct im_command *c, struct im_out *out) {
    const char *id = im_check_options.explain;
    enum im_err err = im_choice_check_rule(id, "--explain", &c->error);
    return err == IM_OK ? im_report_rule(out, c->output, im_rule_find(id), &c->error) : err;
}

int im_check_show_rules(struct im_command *c) {
    struct im_out out = im_command_out(c);
    enum im_err err = IM_OK;
    if (im_sources_are_given(c)) {
        err = im_error_set(&c->error, IM_E_USAGE, "--list-rules and --explain are about rules: no account can be named");
    } else {
        err = im_check_options.list_rules ? im_report_rules(&out, c->output, &c->error) : explain(c, &out);
    }
    return err == IM_OK ? 0 : im_check_fail(c);
}

/* ---- an earlier result ---- */

/* What was found then is shown as it is: nothing is looked at again that these could choose. */
static enum im_err check_show_words(struct im_command *c) {
    const struct im_check_options *o = &im_check_options;
    const struct {
        bool is_given;
        const char *name;
    } others[] = {
        {o->scopes.count > 0, "scope"},
        {o->rules.count > 0, "rule"},
        {o->skip.count > 0, "skip"},
        {o->probe, "probe"},
        {o->dns_servers.count > 0, "dns-server"},
        {o->external, "external"},
        {o->replicas, "replicas"},
        {o->scan_connections != NULL, "scan-connections"},
        {im_change_options.home != NULL, "home"},
        {im_change_options.domain != NULL, "domain"},
        {im_change_options.address != NULL, "address"},
        {o->list_rules, "list-rules"},
        {o->explain != NULL, "explain"},
    };
    if (im_sources_are_given(c)) {
        return im_error_set(&c->error, IM_E_USAGE, "--input shows an earlier result: no account can be named");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].is_given) {
            return im_error_set(&c->error, IM_E_USAGE, "--input shows an earlier result as it is: leave out --%s",
                                others[i].name);
        }
    }
    return IM_OK;
}

static enum im_err show(struct im_command *c, struct im_check_output **output) {
    struct im_check_file *file = NULL;
    enum im_err err = check_show_words(c);
    if (err == IM_OK) {
        err = im_check_output_open(c, output);
    }
    if (err == IM_OK) {
        err = im_check_file_open(im_check_options.input, &file, &c->error);
    }
    if (err == IM_OK) {
        err = im_check_output_again(*output, file, &c->error);
    }
    im_check_file_close(&file);
    return err;
}

int im_check_show_again(struct im_command *c) {
    struct im_check_output *output = NULL;
    enum im_err err = show(c, &output);
    int status = err == IM_OK ? im_check_output_status(output) : im_check_fail(c);
    im_check_output_free(&output);
    return status;
}
