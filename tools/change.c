#include "tools/change.h"

#include "tools/changes.h"
#include "tools/selection.h"

#include <string.h>
#include <time.h>

struct im_change_options im_change_options;

/* Everything of one run. */
struct changing {
    struct im_command *c;
    struct im_selection selection;
    size_t at;
    struct im_profile *profile;
    struct im_directory *directory, *gc;
    struct im_schema schema;
    struct im_account_context context;
    struct im_servers servers;
    struct im_request request;
    struct im_changes changes;
    struct im_out out;
    struct im_run_info info;
    const struct im_report_format *format;
};

static enum im_err check_allow(struct im_command *c) {
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < im_change_options.allow.count; i++) {
        const char *id = im_change_options.allow.items[i];
        const struct im_rule *rule = im_rule_find(id);
        if (rule && (rule->blocks & IM_BLOCKS_ENABLE)) {
            continue;
        }
        struct im_buf list = IM_BUF_INIT;
        const char *names[64];
        size_t blocking = 0;
        for (size_t r = 0; r < count && blocking < 64; r++) {
            if (rules[r].blocks & IM_BLOCKS_ENABLE) {
                names[blocking++] = rules[r].id;
                im_buf_addf(&list, "%s%s", list.len ? ", " : "", rules[r].id);
            }
        }
        const char *nearest = im_text_nearest(id, names, blocking);
        im_error_set(&c->error, IM_E_USAGE, "--allow: no rule \"%s\" blocks enabling%s%s%s; rules that do: %s", id,
                     nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "", im_buf_str(&list));
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

static enum im_err check_templates(struct im_command *c) {
    enum im_err err = check_template(c, "--address", im_change_options.address);
    return err == IM_OK ? check_template(c, "enable.address", c->config->enable_address) : err;
}

/* The attributes must be known before anything is planned: an unknown one would be refused account by account. */
static enum im_err check_schema(struct changing *x) {
    for (size_t i = 0; i < x->profile->attr_count; i++) {
        if (!im_schema_attr(&x->schema, x->profile->attrs[i].name)) {
            return im_error_set(&x->c->error, IM_E_SCHEMA,
                                "%s: the schema has no %s (schema-missing): extend it first with imschema --extend",
                                im_directory_uri(x->directory), x->profile->attrs[i].name);
        }
    }
    return IM_OK;
}

static enum im_err find_base(struct changing *x, const char **base) {
    const struct im_rootdse *root = im_directory_rootdse(x->directory);
    *base = x->c->config->base ? x->c->config->base : root->default_nc;
    if (*base) {
        return IM_OK;
    }
    return im_error_set(&x->c->error, IM_E_USAGE, "%s has several naming contexts and no default: choose one with --base",
                        im_directory_uri(x->directory));
}

static bool wants_auto(const struct im_config *config) {
    return im_text_equal(im_change_options.home, "auto") ||
           (!im_change_options.home && im_text_equal(config->enable_home, "auto"));
}

static enum im_err gather_servers(struct changing *x, const char *const *domains) {
    struct im_command *c = x->c;
    enum im_err err = im_topology_servers(x->directory, x->profile, &x->schema, c->pool, &x->servers, &c->error);
    if (err == IM_OK) {
        err = im_servers_merge_config(&x->servers, c->config, c->pool, &c->error);
    }
    if (err == IM_OK) {
        err = im_topology_check_servers(x->directory, &x->servers, &c->error);
    }
    if (err == IM_OK && wants_auto(c->config)) {
        err = im_topology_count_users(x->directory, x->profile, domains, &x->servers, &c->error);
    }
    return err;
}

/* Where the forest has several domains, an address is unique only if the global catalog says so. Without one, the server's own
 * domain is all that can be searched. */
static enum im_err open_gc(struct changing *x, const char *const **domains) {
    const struct im_rootdse *root = im_directory_rootdse(x->directory);
    if (!root->is_ad || !(*domains)[0] || !(*domains)[1]) {
        return IM_OK;
    }
    if (root->is_gc) {
        return im_live_open_gc(&x->c->live, x->directory, &x->gc, &x->c->error);
    }
    const char **own = im_pool_array(x->c->pool, 2, sizeof *own);
    if (!own) {
        return im_error_nomem(&x->c->error);
    }
    own[0] = root->default_nc;
    *domains = own;
    im_command_note(x->c, 0,
                    "%s is no global catalog: that addresses are unique is verified in its own domain only, not in the forest",
                    im_directory_uri(x->directory));
    return IM_OK;
}

static enum im_err make_request(struct changing *x, enum im_action action) {
    const struct im_config *config = x->c->config;
    struct im_error *e = &x->c->error;
    x->request = (struct im_request){
        .action = action,
        .address = im_change_options.address,
        .domain = im_change_options.domain,
        .keep_opaque = im_change_options.keep_acl,
        .home_auto = im_text_equal(im_change_options.home, "auto"),
        .allow = im_change_options.allow.items,
        .allow_count = im_change_options.allow.count,
        .default_home = config->enable_home,
        .default_domain = config->enable_domain,
        .default_address = config->enable_address,
    };
    enum im_err err = IM_OK;
    if (im_change_options.home && !x->request.home_auto) {
        err = im_servers_find(&x->servers, im_change_options.home, &x->request.home, e);
    }
    bool is_lifted = false;
    for (size_t i = 0; i < im_change_options.allow.count; i++) {
        is_lifted = is_lifted || strcmp(im_change_options.allow.items[i], "account-domain-unknown") == 0;
    }
    const char *known;
    if (err == IM_OK && im_change_options.domain && !is_lifted) {
        err = im_servers_default_domain(&x->servers, im_change_options.domain, NULL, &known, e);
    }
    return err;
}

static enum im_err on_result(void *user, const struct im_input *input, const struct im_result *result, struct im_error *e) {
    struct changing *x = user;
    (void)input;
    return x->format->account(&x->out, &x->info, result, e);
}

static enum im_err on_change(void *user, const struct im_change *change, struct im_error *e) {
    struct changing *x = user;
    return im_changes_add(&x->changes, change, e);
}

static enum im_err next_input(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e) {
    struct changing *x = user;
    (void)pool, (void)e;
    *is_end = x->at == x->selection.count;
    if (!*is_end) {
        *out = x->selection.items[x->at++];
    }
    return IM_OK;
}

static enum im_err rewind_inputs(void *user, struct im_error *e) {
    struct changing *x = user;
    (void)e;
    x->at = 0;
    return IM_OK;
}

static enum im_err prepare(struct changing *x, enum im_action action, struct im_run *run) {
    struct im_command *c = x->c;
    const char *templates[] = {im_change_options.address, c->config->enable_address};
    const char *const *domains = NULL;
    bool enables = action == IM_ENABLE;
    enum im_err err = im_command_connect(c, &x->directory);
    if (err == IM_OK) {
        err = im_schema_read(x->directory, x->profile, c->pool, &x->schema, &c->error);
    }
    if (err == IM_OK) {
        err = check_schema(x);
    }
    if (err == IM_OK) {
        err = find_base(x, &run->resolver.base);
    }
    if (err == IM_OK) {
        err = im_topology_domains(x->directory, c->pool, &domains, &c->error);
    }
    if (err == IM_OK && enables) {
        err = gather_servers(x, domains);
    }
    if (err == IM_OK && enables) {
        err = open_gc(x, &domains);
    }
    if (err != IM_OK) {
        return err;
    }
    bool is_ad = im_directory_rootdse(x->directory)->is_ad;
    x->context = (struct im_account_context){
        .profile = x->profile, .schema = &x->schema, .is_ad = is_ad, .asked_rights = is_ad, .now = time(NULL)};
    run->resolver.directory = x->directory;
    run->resolver.context = &x->context;
    run->resolver.domains = domains;
    run->resolver.gc = x->gc;
    err = im_resolver_learn_domain(&run->resolver, c->pool, &c->error);
    if (err != IM_OK) {
        return err;
    }
    err = im_account_context_templates(&x->context, templates, 2, c->pool, &c->error);
    return err == IM_OK ? make_request(x, action) : err;
}

static bool left_something(const struct im_summary *summary) {
    return summary->counts[IM_CHANGED] + summary->counts[IM_UNCHANGED] < summary->total;
}

static enum im_err work(struct changing *x, enum im_action action, struct im_summary *summary) {
    struct im_command *c = x->c;
    struct im_inputs inputs = {.user = x, .next = next_input, .rewind = rewind_inputs};
    struct im_run run = {.request = &x->request,
                         .servers = &x->servers,
                         .inputs = &inputs,
                         .dry_run = im_common.dry_run,
                         .on_result = on_result,
                         .on_change = on_change,
                         .user = x,
                         .stop = im_command_stop()};
    enum im_err err = prepare(x, action, &run);
    if (err != IM_OK) {
        return err;
    }
    x->info.directory = im_directory_uri(x->directory);
    x->out = im_command_out(c);
    err = x->format->begin(&x->out, &x->info, &c->error);
    if (err == IM_OK) {
        err = im_run_accounts(&run, summary, &c->wrote, &c->error);
        /* The report is whole also when the run was not. */
        struct im_error closing = {.code = IM_OK};
        enum im_err end = x->format->end(&x->out, &x->info, summary, &closing);
        if (err == IM_OK && end != IM_OK) {
            c->error = closing;
            err = end;
        }
    }
    if (c->wrote || err == IM_OK) {
        struct im_error file = {.code = IM_OK};
        enum im_err committed = im_changes_commit(&x->changes, &file);
        if (err == IM_OK && committed != IM_OK) {
            c->error = file;
            err = committed;
        }
    }
    return err;
}

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

int im_change_main(struct im_command *c, enum im_action action) {
    struct changing x = {.c = c, .format = find_format(c->output)};
    struct im_summary summary = {0};
    x.info = (struct im_run_info){
        .command = c->table->command, .version = IMDIR_VERSION, .dry_run = im_common.dry_run, .started = time(NULL)};
    enum im_err err = check_allow(c);
    if (err == IM_OK) {
        err = check_templates(c);
    }
    if (err == IM_OK) {
        err = im_selection_read(c, im_change_options.list, &x.selection);
    }
    if (err == IM_OK) {
        err = im_profile_load(c->config->profile, &x.profile, &c->error);
        if (err == IM_OK)
            err = im_rules_check_profile(x.profile, &c->error);
    }
    if (err == IM_OK) {
        x.info.profile = x.profile->name;
        err = im_changes_open(&x.changes, im_change_options.changes, &c->error);
    }
    if (err == IM_OK) {
        err = work(&x, action, &summary);
    }
    im_changes_discard(&x.changes);
    im_vec_free(&x.servers);
    im_selection_free(&x.selection);
    im_directory_free(&x.gc);
    im_directory_free(&x.directory);
    im_profile_free(&x.profile);
    if (err != IM_OK) {
        return im_command_fail(c);
    }
    return left_something(&summary) ? 1 : 0;
}
