#include "lib/directory/organisation_read.h"

#include "lib/data/dn.h"

enum im_err im_organisation_key(struct im_pool *pool, const char *dn, const char **out, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    bool is_dn = im_dn_normalize(dn, &text);
    *out = text.failed ? NULL : im_pool_strdup(pool, is_dn ? im_buf_str(&text) : dn);
    im_buf_free(&text);
    return *out ? IM_OK : im_error_nomem(e);
}

static const char *base_at(const struct im_organisation_reading *r, size_t index) {
    const char *config_nc = im_directory_rootdse(r->g->directory)->config_nc;
    return r->is_ad && config_nc ? config_nc : r->known->domains[index];
}

enum im_err im_organisation_ask_bases(struct im_organisation_reading *r, const char *filter, const char *const *attributes,
                                      struct im_inquiry ***out, struct im_error *e) {
    struct im_inquiry **all = im_pool_array(r->pool, r->base_count, sizeof(struct im_inquiry *));
    enum im_err err = all ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < r->base_count; i++) {
        struct im_search search = {
            .base = base_at(r, i), .scope = IM_SEARCH_SUB, .filter = filter, .attributes = attributes, .no_paging = true};
        err = im_inquiries_add(&r->first, &search, &all[i], e);
    }
    *out = all;
    return err;
}

static enum im_err ask_first(struct im_organisation_reading *r, struct im_error *e) {
    enum im_err err = im_machines_ask_first(r, e);
    if (err == IM_OK)
        err = im_settings_ask_first(r, e);
    if (err == IM_OK)
        err = im_domain_facts_ask_first(r, e);
    return err == IM_OK ? im_schema_facts_ask_first(r, e) : err;
}

static enum im_err ask_then(struct im_organisation_reading *r, struct im_error *e) {
    enum im_err err = im_machines_ask_then(r, e);
    if (err == IM_OK)
        err = im_domain_facts_ask_then(r, e);
    return err == IM_OK ? im_schema_facts_ask_then(r, e) : err;
}

static enum im_err conclude(struct im_organisation_reading *r, struct im_error *e) {
    enum im_err err = im_machines_conclude(r, e);
    if (err == IM_OK)
        err = im_settings_conclude(r, e);
    if (err == IM_OK)
        err = im_domain_facts_conclude(r, e);
    return err == IM_OK ? im_schema_facts_conclude(r, e) : err;
}

static enum im_err read_all(struct im_organisation_reading *r, struct im_error *e) {
    enum im_err err = ask_first(r, e);
    if (err == IM_OK)
        err = im_inquiries_run(&r->first, e);
    if (err == IM_OK)
        err = ask_then(r, e);
    if (err == IM_OK)
        err = im_inquiries_run(&r->second, e);
    return err == IM_OK ? conclude(r, e) : err;
}

enum im_err im_organisation_read(const struct im_gather *g, const struct im_gathered *known, struct im_pool *pool,
                                 struct im_organisation *out, struct im_error *e) {
    struct im_organisation found = {.identity = im_pool_strdup(pool, im_directory_identity(g->directory))};
    struct im_organisation_reading r = {
        .g = g,
        .known = known,
        .pool = pool,
        .out = &found,
        .first = {.directory = g->directory, .pool = pool},
        .second = {.directory = g->directory, .pool = pool},
        .is_ad = im_directory_rootdse(g->directory)->is_ad,
        .base_count = 1,
    };
    while (known->domains[r.domain_count])
        r.domain_count++;
    if (!r.is_ad || !im_directory_rootdse(g->directory)->config_nc)
        r.base_count = r.domain_count;
    enum im_err err = found.identity ? read_all(&r, e) : im_error_nomem(e);
    im_inquiries_free(&r.first);
    im_inquiries_free(&r.second);
    if (err == IM_OK)
        *out = found;
    return err;
}
