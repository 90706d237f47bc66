/* The password policy of a domain, and what may be written on the people of each. */
#include "lib/directory/organisation_read.h"

#include "lib/data/dn.h"
#include "lib/data/times.h"

#include <string.h>

enum { TICKS_PER_SECOND = 10000000, STORES_REVERSIBLE = 0x10, ENOUGH_PEOPLE = 8 }; /* MS-SAMR 2.2.3.1 */

#define RIGHTS "allowedAttributesEffective" /* MS-ADTS 3.1.1.4.5.13: computed for who asks */

static const char *const only_dn[] = {"1.1", NULL};

/* ---- password policy ---- */

/* The domain that accounts are looked for in: the innermost one above the base. NULL: the server does not say. */
static enum im_err find_domain(const struct im_organisation_reading *r, const char **out, struct im_error *e) {
    const char *base;
    size_t longest = 0;
    *out = im_directory_rootdse(r->g->directory)->default_nc;
    if (!r->g->config->base)
        return IM_OK;
    enum im_err err = im_organisation_key(r->pool, r->g->config->base, &base, e);
    for (size_t i = 0; err == IM_OK && i < r->domain_count; i++) {
        const char *domain;
        err = im_organisation_key(r->pool, r->known->domains[i], &domain, e);
        if (err == IM_OK && im_key_is_under(base, domain) && strlen(domain) > longest) {
            longest = strlen(domain);
            *out = r->known->domains[i];
        }
    }
    return err;
}

static enum im_err ask_policy(struct im_organisation_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"maxPwdAge", "minPwdLength", "pwdProperties", NULL};
    struct im_search search = {.scope = IM_SEARCH_BASE, .attributes = attributes, .no_paging = true};
    enum im_err err = find_domain(r, &search.base, e);
    if (err != IM_OK)
        return err;
    if (!search.base) {
        r->out->policy.why_not = "the server does not say which domain it holds";
        return IM_OK;
    }
    return im_inquiries_add(&r->first, &search, &r->policy, e);
}

static enum im_err conclude_policy(struct im_organisation_reading *r, struct im_error *e) {
    struct im_policy *out = &r->out->policy;
    const struct im_entry *entry = r->policy->found.count ? r->policy->found.items[0] : NULL;
    const char *age = entry ? im_entry_string(entry, "maxPwdAge") : NULL;
    const char *length = entry ? im_entry_string(entry, "minPwdLength") : NULL;
    const char *properties = entry ? im_entry_string(entry, "pwdProperties") : NULL;
    int64_t ticks = 0; /* negative; the least number means "never" */
    int64_t least = 0;
    int64_t flags = 0;
    out->why_not = r->policy->why_not;
    if (out->why_not)
        return IM_OK;
    if (!properties || !im_int_from_text(properties, INT32_MIN, UINT32_MAX, &flags)) {
        out->why_not =
            im_pool_printf(r->pool, "pwdProperties of \"%s\" cannot be read by %s", r->policy->search.base, r->out->identity);
        return out->why_not ? IM_OK : im_error_nomem(e);
    }
    out->is_known = true;
    out->stores_reversible = (flags & STORES_REVERSIBLE) != 0;
    out->max_password_age_s = age && im_int_from_text(age, -INT64_MAX, 0, &ticks) ? -ticks / TICKS_PER_SECOND : 0;
    out->min_password_length = length && im_int_from_text(length, 0, INT32_MAX, &least) ? (long)least : 0;
    return IM_OK;
}

/* ---- rights ---- */

/* NULL: people can be asked about. */
static const char *why_no_rights(const struct im_organisation_reading *r) {
    const struct im_schema *schema = &r->known->schema;
    char name[] = "user";
    struct berval class = {.bv_val = name, .bv_len = sizeof name - 1};
    const struct im_attr classes = {.name = "objectClass", .values = &class, .count = 1};
    if (!r->is_ad || !im_schema_attr(schema, RIGHTS))
        return "this directory does not tell which attributes may be written";
    for (size_t i = 0; i < r->g->profile->attr_count; i++) {
        if (!im_schema_allows(schema, &classes, r->g->profile->attrs[i].name, NULL))
            return "the schema does not allow the attributes on every user, so that no rights to them are shown";
    }
    return NULL;
}

/* Protected people have an access list of their own, which says nothing about others. */
static enum im_err ask_people(struct im_organisation_reading *r, const char *domain, struct im_inquiry **out,
                              struct im_error *e) {
    struct im_search search = {.base = domain,
                               .scope = IM_SEARCH_SUB,
                               .filter = "(&(objectCategory=person)(objectClass=user)(!(adminCount=1)))",
                               .attributes = only_dn};
    enum im_err err = im_inquiries_add(&r->first, &search, out, e);
    if (err == IM_OK)
        (*out)->enough = ENOUGH_PEOPLE;
    return err;
}

enum im_err im_domain_facts_ask_first(struct im_organisation_reading *r, struct im_error *e) {
    struct im_domain_rights *list = im_pool_array(r->pool, r->domain_count, sizeof *list);
    const char *why_not = why_no_rights(r);
    enum im_err err = IM_OK;
    r->people = im_pool_array(r->pool, r->domain_count, sizeof(struct im_inquiry *));
    if (!list || !r->people)
        return im_error_nomem(e);
    r->out->domains = r->rights_list = list;
    r->out->domain_count = r->domain_count;
    if (r->is_ad) {
        err = ask_policy(r, e);
    } else {
        r->out->policy.why_not = "only Active Directory has its password policy in the object of the domain";
    }
    for (size_t i = 0; err == IM_OK && i < r->domain_count; i++) {
        list[i] = (struct im_domain_rights){.domain = r->known->domains[i], .why_not = why_not};
        if (!why_not)
            err = ask_people(r, list[i].domain, &r->people[i], e);
    }
    return err;
}

static enum im_err ask_rights(struct im_organisation_reading *r, const struct im_inquiry *people, struct im_error *e) {
    static const char *const attributes[] = {RIGHTS, NULL};
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < people->found.count; i++) {
        struct im_search search = {
            .base = people->found.items[i]->dn, .scope = IM_SEARCH_BASE, .attributes = attributes, .no_paging = true};
        err = im_inquiries_add(&r->second, &search, &r->rights[r->rights_count++], e);
    }
    return err;
}

enum im_err im_domain_facts_ask_then(struct im_organisation_reading *r, struct im_error *e) {
    enum im_err err = IM_OK;
    r->rights = im_pool_array(r->pool, r->domain_count * ENOUGH_PEOPLE, sizeof(struct im_inquiry *));
    if (!r->rights)
        return im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < r->domain_count; i++) {
        if (r->people[i])
            err = ask_rights(r, r->people[i], e);
    }
    return err;
}

static bool can_enable(const struct im_profile *profile, const struct im_entry *entry) {
    for (size_t i = 0; i < profile->attr_count; i++) {
        if (profile->attrs[i].role != IM_ROLE_OPAQUE && !im_entry_has_value(entry, RIGHTS, profile->attrs[i].name))
            return false;
    }
    return profile->attr_count > 0;
}

/* One person who went away in between, or whom nobody may read, is not counted. */
static void conclude_rights(const struct im_organisation_reading *r, size_t domain, size_t *next) {
    struct im_domain_rights *out = &r->rights_list[domain];
    const struct im_inquiry *people = r->people[domain];
    out->why_not = people->why_not;
    for (size_t i = 0; i < people->found.count; i++) {
        const struct im_inquiry *asked = r->rights[(*next)++];
        if (!asked->found.count) {
            out->why_not = asked->why_not;
            continue;
        }
        const struct im_entry *entry = asked->found.items[0];
        out->sampled++;
        out->can_enable += can_enable(r->g->profile, entry);
        out->can_write += im_entry_attr(entry, RIGHTS) != NULL;
    }
    out->is_known = out->sampled > 0;
    if (out->is_known) {
        out->why_not = NULL;
    } else if (!out->why_not) {
        out->why_not = "no user of the domain can be seen";
    }
}

enum im_err im_domain_facts_conclude(struct im_organisation_reading *r, struct im_error *e) {
    size_t next = 0;
    for (size_t i = 0; i < r->domain_count; i++) {
        if (r->people[i])
            conclude_rights(r, i, &next);
    }
    return r->policy ? conclude_policy(r, e) : IM_OK;
}
