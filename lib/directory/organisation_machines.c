/* Machines that virtual servers lie on, whether they hold mailboxes, and the accounts that they log on with. */
#include "lib/directory/organisation_read.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/times.h"
#include "lib/model/account.h"

#include <string.h>

/* Exchange's classes: every store is a msExchMDB. */
#define MACHINE_CLASS "msExchExchangeServer"
#define STORE_CLASS "msExchMDB"

enum { NAMES_PER_SEARCH = IM_LOOKUP_TERMS / 3 }; /* a name is three terms */

/* NULL: objects of the class can be asked for. */
static enum im_err why_not(const struct im_organisation_reading *r, const char *class, const char **out, struct im_error *e) {
    *out = NULL;
    if (!r->known->schema.class_count || im_schema_class(&r->known->schema, class))
        return IM_OK;
    *out = im_pool_printf(r->pool, "the schema of this directory has no class %s", class);
    return *out ? IM_OK : im_error_nomem(e);
}

enum im_err im_machines_ask_first(struct im_organisation_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"cn", "serialNumber", "networkAddress", "dNSHostName", "versionNumber", NULL};
    static const char *const only_dn[] = {"1.1", NULL};
    enum im_err err = why_not(r, MACHINE_CLASS, &r->out->machines.why_not, e);
    if (err == IM_OK && !r->out->machines.why_not)
        err = im_organisation_ask_bases(r, "(objectClass=" MACHINE_CLASS ")", attributes, &r->machines, e);
    if (err == IM_OK)
        err = why_not(r, STORE_CLASS, &r->out->stores.why_not, e);
    if (err == IM_OK && !r->out->stores.why_not)
        err = im_organisation_ask_bases(r, "(objectClass=" STORE_CLASS ")", only_dn, &r->stores, e);
    return err;
}

/* The first reason of several searches; NULL: all succeeded. */
static const char *first_reason(struct im_inquiry *const *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (all[i]->why_not)
            return all[i]->why_not;
    }
    return NULL;
}

static size_t count_found(struct im_inquiry *const *all, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += all[i]->found.count;
    return sum;
}

/* ---- machines ---- */

/* networkAddress has one value for each protocol: "ncacn_ip_tcp:mail1.corp.example", "netbios:MAIL1". */
static const char *host_of(const struct im_entry *entry) {
    static const char tcp[] = "ncacn_ip_tcp:";
    const struct im_attr *addresses = im_entry_attr(entry, "networkAddress");
    for (size_t i = 0; addresses && i < addresses->count; i++) {
        const char *text = addresses->values[i].bv_val;
        size_t len = addresses->values[i].bv_len;
        if (len > sizeof tcp - 1 && im_text_equal_n(text, sizeof tcp - 1, tcp, sizeof tcp - 1))
            return text + sizeof tcp - 1;
    }
    return im_entry_string(entry, "dNSHostName");
}

static enum im_err name_of(const struct im_entry *entry, struct im_pool *pool, const char **out, struct im_error *e) {
    struct im_buf value = IM_BUF_INIT;
    bool is_dn = im_dn_first_value(entry->dn, &value);
    *out = value.failed ? NULL : im_pool_strdup(pool, is_dn ? im_buf_str(&value) : entry->dn);
    im_buf_free(&value);
    return *out ? IM_OK : im_error_nomem(e);
}

static enum im_err describe(const struct im_entry *entry, struct im_pool *pool, struct im_machine *out, struct im_error *e) {
    *out = (struct im_machine){
        .dn = entry->dn,
        .host = host_of(entry),
        .version = im_entry_string(entry, "serialNumber"),
    };
    out->is_described =
        out->host || out->version || im_entry_attr(entry, "networkAddress") || im_entry_attr(entry, "versionNumber");
    enum im_err err = name_of(entry, pool, &out->name, e);
    return err == IM_OK ? im_organisation_key(pool, entry->dn, &out->key, e) : err;
}

static enum im_err conclude_machines(struct im_organisation_reading *r, struct im_error *e) {
    struct im_machines *out = &r->out->machines;
    if (!r->machines)
        return IM_OK;
    out->why_not = first_reason(r->machines, r->base_count);
    out->is_known = !out->why_not;
    struct im_machine *list = im_pool_array(r->pool, count_found(r->machines, r->base_count), sizeof *list);
    enum im_err err = list ? IM_OK : im_error_nomem(e);
    out->items = r->machine_list = list;
    for (size_t b = 0; err == IM_OK && b < r->base_count; b++) {
        const struct im_inquiry *inquiry = r->machines[b];
        for (size_t i = 0; err == IM_OK && i < inquiry->found.count; i++)
            err = describe(inquiry->found.items[i], r->pool, &list[out->count++], e);
    }
    return err;
}

static enum im_err conclude_stores(struct im_organisation_reading *r, struct im_error *e) {
    enum im_err err = IM_OK;
    if (!r->stores)
        return IM_OK;
    r->out->stores.why_not = first_reason(r->stores, r->base_count);
    r->out->stores.is_known = !r->out->stores.why_not;
    for (size_t b = 0; err == IM_OK && b < r->base_count; b++) {
        const struct im_inquiry *inquiry = r->stores[b];
        for (size_t i = 0; err == IM_OK && i < inquiry->found.count; i++) {
            const char *key;
            err = im_organisation_key(r->pool, inquiry->found.items[i]->dn, &key, e);
            const struct im_machine *at = err == IM_OK ? im_organisation_machine(r->out, key) : NULL;
            if (at)
                r->machine_list[at - r->out->machines.items].has_stores = true;
        }
    }
    return err;
}

/* ---- computers ---- */

/* Names that a computer account is looked for by, each once. */
struct names {
    const char **items;
    size_t count;
};

/* Without a port; in pool. */
static enum im_err add_name(struct names *names, const char *host, struct im_pool *pool, struct im_error *e) {
    const char *name = host ? im_pool_strndup(pool, host, strcspn(host, ":")) : "";
    if (!name)
        return im_error_nomem(e);
    for (size_t i = 0; i < names->count; i++) {
        if (im_text_equal(names->items[i], name))
            return IM_OK;
    }
    if (*name)
        names->items[names->count++] = name;
    return IM_OK;
}

/* The domain controller's own name is the first one: it must be found, else computers cannot be seen. */
static enum im_err list_names(struct im_organisation_reading *r, struct names *out, struct im_error *e) {
    const struct im_machines *machines = &r->out->machines;
    const struct im_servers *servers = &r->known->servers;
    *out = (struct names){.items = im_pool_array(r->pool, 1 + machines->count + servers->count, sizeof *out->items)};
    if (!out->items)
        return im_error_nomem(e);
    enum im_err err = add_name(out, im_directory_rootdse(r->g->directory)->dns_host_name, r->pool, e);
    for (size_t i = 0; err == IM_OK && i < machines->count; i++)
        err = add_name(out, machines->items[i].host, r->pool, e);
    for (size_t i = 0; err == IM_OK && i < servers->count; i++)
        err = add_name(out, servers->items[i].host, r->pool, e);
    return err;
}

static const char *computers_filter(const struct names *names, size_t from, struct im_pool *pool) {
    static const char *const classes[] = {"HTTP/", "HOST/"}; /* the second one stands for the first as well */
    size_t to = from + NAMES_PER_SEARCH < names->count ? from + NAMES_PER_SEARCH : names->count;
    struct im_buf filter = IM_BUF_INIT;
    struct im_buf spn = IM_BUF_INIT;
    im_buf_adds(&filter, "(|(&(objectClass=computer)(|");
    for (size_t i = from; i < to; i++)
        im_filter_text(&filter, NULL, "dNSHostName", names->items[i]);
    im_buf_adds(&filter, "))");
    for (size_t i = from * 2; i < to * 2; i++) {
        im_buf_clear(&spn);
        im_buf_addf(&spn, "%s%s", classes[i % 2], names->items[i / 2]);
        im_filter_text(&filter, NULL, "servicePrincipalName", im_buf_str(&spn));
        if (spn.failed)
            filter.failed = true;
    }
    im_buf_addc(&filter, ')');
    const char *text = filter.failed ? NULL : im_pool_strdup(pool, im_buf_str(&filter));
    im_buf_free(&filter);
    im_buf_free(&spn);
    return text;
}

static enum im_err ask_computers(struct im_organisation_reading *r, const struct names *names, struct im_error *e) {
    static const char *const attributes[] = {"objectClass", "dNSHostName", "userAccountControl", "servicePrincipalName", NULL};
    size_t chunks = (names->count + NAMES_PER_SEARCH - 1) / NAMES_PER_SEARCH;
    enum im_err err = IM_OK;
    r->computers = im_pool_array(r->pool, chunks * r->domain_count, sizeof(struct im_inquiry *));
    if (!r->computers)
        return im_error_nomem(e);
    for (size_t from = 0; err == IM_OK && from < names->count; from += NAMES_PER_SEARCH) {
        const char *filter = computers_filter(names, from, r->pool);
        if (!filter)
            return im_error_nomem(e);
        for (size_t d = 0; err == IM_OK && d < r->domain_count; d++) {
            struct im_search search = {.base = r->known->domains[d],
                                       .scope = IM_SEARCH_SUB,
                                       .filter = filter,
                                       .attributes = attributes,
                                       .no_paging = true};
            err = im_inquiries_add(&r->second, &search, &r->computers[r->computer_count++], e);
        }
    }
    return err;
}

enum im_err im_machines_ask_then(struct im_organisation_reading *r, struct im_error *e) {
    struct names names;
    enum im_err err = conclude_machines(r, e);
    if (err == IM_OK)
        err = conclude_stores(r, e);
    if (err != IM_OK || !r->is_ad)
        return err;
    err = list_names(r, &names, e);
    return err == IM_OK ? ask_computers(r, &names, e) : err;
}

static enum im_err take_spns(const struct im_entry *entry, struct im_pool *pool, struct im_strings *out, struct im_error *e) {
    const struct im_attr *attr = im_entry_attr(entry, "servicePrincipalName");
    *out = (struct im_strings){.items = im_pool_array(pool, attr ? attr->count : 0, sizeof *out->items)};
    if (!out->items)
        return im_error_nomem(e);
    for (size_t i = 0; attr && i < attr->count; i++)
        out->items[out->count++] = attr->values[i].bv_val;
    return IM_OK;
}

static enum im_err take_computer(struct im_organisation_reading *r, const struct im_entry *entry, struct im_computer *out,
                                 struct im_error *e) {
    const char *flags = im_entry_string(entry, "userAccountControl");
    int64_t number;
    *out = (struct im_computer){
        .dn = entry->dn,
        .host = im_entry_string(entry, "dNSHostName"),
        .is_computer = im_entry_has_value(entry, "objectClass", "computer"),
        .is_disabled = flags && im_int_from_text(flags, INT32_MIN, UINT32_MAX, &number) && (number & IM_UAC_DISABLED),
    };
    return take_spns(entry, r->pool, &out->spns, e);
}

static bool sees_computer(const struct im_organisation *o, const char *host) {
    for (size_t i = 0; !host && i < o->computers.count; i++) {
        if (o->computers.items[i].is_computer)
            return true;
    }
    return host && im_organisation_computer(o, host);
}

/* Accounts that cannot be seen are not "none": the domain controller has one, and where it is not named, some computer has. */
static enum im_err judge_sight(struct im_organisation_reading *r, struct im_error *e) {
    struct im_computers *out = &r->out->computers;
    const char *here = im_directory_rootdse(r->g->directory)->dns_host_name;
    out->why_not = first_reason(r->computers, r->computer_count);
    if (!out->why_not && !sees_computer(r->out, here)) {
        out->why_not = im_pool_printf(r->pool, "computer accounts cannot be seen by %s%s%s", r->out->identity,
                                      here ? ", not even that of " : "", here ? here : "");
        if (!out->why_not)
            return im_error_nomem(e);
    }
    out->is_known = !out->why_not;
    return IM_OK;
}

enum im_err im_machines_conclude(struct im_organisation_reading *r, struct im_error *e) {
    struct im_computers *out = &r->out->computers;
    if (!r->is_ad) {
        out->why_not = "only Active Directory has accounts of computers";
        return IM_OK;
    }
    struct im_computer *list = im_pool_array(r->pool, count_found(r->computers, r->computer_count), sizeof *list);
    enum im_err err = list ? IM_OK : im_error_nomem(e);
    for (size_t c = 0; err == IM_OK && c < r->computer_count; c++) {
        const struct im_inquiry *inquiry = r->computers[c];
        for (size_t i = 0; err == IM_OK && i < inquiry->found.count; i++)
            err = take_computer(r, inquiry->found.items[i], &list[out->count++], e);
    }
    out->items = list;
    return err == IM_OK ? judge_sight(r, e) : err;
}
