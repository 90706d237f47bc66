#include "tools/facts.h"

#include <time.h>

/* The attributes must be known before anything is planned: an unknown one would be refused account by account. */
static enum im_err check_schema(struct im_command *c, const struct im_facts_gathered *f) {
    for (size_t i = 0; i < f->profile->attr_count; i++) {
        if (!im_schema_attr(&f->schema, f->profile->attrs[i].name)) {
            return im_error_set(&c->error, IM_E_SCHEMA,
                                "%s: the schema has no %s (schema-missing): extend it first with imschema --extend",
                                im_directory_uri(f->directory), f->profile->attrs[i].name);
        }
    }
    return IM_OK;
}

/* Where the forest has several domains, an address is unique only if the global catalog says so. Without one, the server's own
 * domain is all that can be searched. */
static enum im_err open_gc(struct im_command *c, struct im_facts_gathered *f) {
    const struct im_rootdse *root = im_directory_rootdse(f->directory);
    if (!root->is_ad || root->is_offline || !f->domains[0] || !f->domains[1]) {
        return IM_OK;
    }
    if (root->is_gc) {
        return im_live_open_gc(&c->live, f->directory, &f->gc, &c->error);
    }
    const char **own = im_pool_array(c->pool, 2, sizeof *own);
    if (!own) {
        return im_error_nomem(&c->error);
    }
    own[0] = root->default_nc;
    f->domains = own;
    im_command_note(c, 0,
                    "%s is no global catalog: that addresses are unique is verified in its own domain only, not in the forest",
                    im_directory_uri(f->directory));
    return IM_OK;
}

/* One person alone is looked for together with the facts: a round trip less. The schema is not known yet; see im_early_take. */
static enum im_err ask_early(struct im_command *c, const struct im_identity *one, struct im_facts_gathered *f) {
    struct im_resolver r = {.directory = f->directory, .context = &f->context, .base = f->base};
    struct im_resolving *resolving;
    if (!one || one->kind == IM_ID_DOMAIN_NAME || !f->base) {
        return IM_OK;
    }
    enum im_err err = im_resolve_begin(&r, one, 1, c->pool, &f->lookups, &resolving, &c->error);
    return err == IM_OK ? im_early_begin(&f->early, &f->lookups, &c->error) : err;
}

static enum im_err gather(struct im_command *c, const struct im_facts_wanted *wanted, struct im_facts_gathered *f) {
    struct im_gathered gathered = {.netbios = NULL};
    struct im_gather gather = {.directory = f->directory,
                               .config = c->config,
                               .profile = f->profile,
                               .needs_servers = wanted->needs_servers,
                               .keeps_gone = wanted->keeps_gone,
                               .also = f->early.lookups};
    enum im_err err = im_gather(&gather, c->pool, &gathered, &c->error);
    if (err == IM_OK) {
        f->schema = gathered.schema;
        f->servers = gathered.servers;
        f->domains = gathered.domains;
        f->netbios = gathered.netbios;
        err = wanted->is_check ? IM_OK : check_schema(c, f);
    }
    if (err == IM_OK && wanted->needs_servers) {
        err = open_gc(c, f);
    }
    if (err == IM_OK && wanted->counts_users) {
        struct im_directory *all = f->gc ? f->gc : f->directory;
        err = im_topology_count_users(all, f->profile, f->domains, &f->servers, &c->error);
    }
    return err;
}

enum im_err im_facts_gather(struct im_command *c, const struct im_facts_wanted *wanted, struct im_facts_gathered *f) {
    c->connections = wanted->connections;
    enum im_err err = im_command_connect(c, &f->directory);
    if (err != IM_OK) {
        return err;
    }
    const struct im_rootdse *root = im_directory_rootdse(f->directory);
    f->base = c->config->base ? c->config->base : root->default_nc;
    f->context = (struct im_account_context){.profile = f->profile,
                                             .schema = &f->schema,
                                             .is_ad = root->is_ad,
                                             .asked_rights = root->is_ad && !root->is_offline,
                                             .is_check = wanted->is_check,
                                             .now = time(NULL)};
    err = im_account_context_templates(&f->context, wanted->templates, wanted->template_count, c->pool, &c->error);
    if (err == IM_OK) {
        err = ask_early(c, wanted->one, f);
    }
    return err == IM_OK ? gather(c, wanted, f) : err;
}

void im_facts_free(struct im_facts_gathered *f) {
    im_early_free(&f->early);
    im_lookups_free(&f->lookups);
    im_vec_free(&f->servers);
    im_directory_free(&f->gc);
    im_directory_free(&f->directory);
    im_profile_free(&f->profile);
}
