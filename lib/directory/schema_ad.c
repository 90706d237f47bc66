#include "lib/directory/schema_read.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/times.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static enum im_err unreadable(const struct im_entry *entry, struct im_error *e) {
    return im_error_set_at(e, IM_E_SCHEMA, entry->dn, 0, 0,
                           "the definition cannot be read completely: the account that is used may lack rights");
}

/* Copies texts that every definition has. */
static enum im_err copy_texts(struct im_schema_reading *r, const struct im_entry *entry, const char *const *names,
                              const char **const *out, size_t count, struct im_error *e) {
    for (size_t i = 0; i < count; i++) {
        const char *text = im_entry_string(entry, names[i]);
        if (!text)
            return unreadable(entry, e);
        *out[i] = im_pool_strdup(r->pool, text);
        if (!*out[i])
            return im_error_nomem(e);
    }
    return IM_OK;
}

static enum im_err take_attr(void *user, const struct im_entry *entry, struct im_error *e) {
    static const char *const names[] = {"cn", "lDAPDisplayName", "attributeID", "attributeSyntax"};
    struct im_schema_reading *r = user;
    struct im_schema_attr *attr = im_vec_push(&r->attrs);
    if (!attr)
        return im_error_nomem(e);
    const char *om = im_entry_string(entry, "oMSyntax");
    int64_t number = 0;
    if (om)
        (void)im_int_from_text(om, 0, 1000, &number);
    attr->om = (int)number;
    attr->single = im_text_equal(im_entry_string(entry, "isSingleValued"), "TRUE");
    attr->is_defunct = im_text_equal(im_entry_string(entry, "isDefunct"), "TRUE");
    const char **const out[] = {&attr->cn, &attr->name, &attr->oid, &attr->syntax};
    return copy_texts(r, entry, names, out, COUNT(names), e);
}

static enum im_err take_class(void *user, const struct im_entry *entry, struct im_error *e) {
    static const char *const names[] = {"cn", "lDAPDisplayName", "governsID"};
    static const char *const sups[] = {"subClassOf"};
    static const char *const mays[] = {"mayContain", "systemMayContain", "mustContain", "systemMustContain"};
    static const char *const auxes[] = {"auxiliaryClass", "systemAuxiliaryClass"};
    struct im_schema_reading *r = user;
    struct im_schema_class *class = im_vec_push(&r->classes);
    if (!class)
        return im_error_nomem(e);
    class->is_defunct = im_text_equal(im_entry_string(entry, "isDefunct"), "TRUE");
    const char **const out[] = {&class->cn, &class->name, &class->oid};
    enum im_err err = copy_texts(r, entry, names, out, COUNT(names), e);
    if (err == IM_OK)
        err = im_schema_names(r->pool, entry, sups, COUNT(sups), &class->sup, &class->sup_count, e);
    if (err == IM_OK)
        err = im_schema_names(r->pool, entry, mays, COUNT(mays), &class->may, &class->may_count, e);
    if (err == IM_OK)
        err = im_schema_names(r->pool, entry, auxes, COUNT(auxes), &class->aux, &class->aux_count, e);
    return err;
}

static void add_term(struct im_buf *filter, const char *attribute, const char *value) {
    im_buf_addf(filter, "(%s=%s)", attribute, value);
}

/* The definitions we need by name, and whatever has their OIDs or would stand in their place. In pool. */
static const char *attrs_filter(const struct im_profile *profile, struct im_pool *pool) {
    static const char *const others[] = {"objectSid", "pwdLastSet", "userAccountControl", "allowedAttributesEffective"};
    struct im_buf filter = IM_BUF_INIT;
    im_buf_adds(&filter, "(&(objectClass=attributeSchema)(|");
    for (size_t i = 0; i < profile->schema.attr_count; i++) {
        add_term(&filter, "lDAPDisplayName", profile->schema.attrs[i].name);
        add_term(&filter, "attributeID", profile->schema.attrs[i].oid);
        add_term(&filter, "cn", profile->schema.attrs[i].cn);
    }
    for (size_t i = 0; i < profile->schema.class_count; i++)
        add_term(&filter, "cn", profile->schema.classes[i].cn);
    for (size_t i = 0; i < profile->attr_count; i++)
        add_term(&filter, "lDAPDisplayName", profile->attrs[i].name);
    for (size_t i = 0; i < COUNT(others); i++)
        add_term(&filter, "lDAPDisplayName", others[i]);
    im_buf_adds(&filter, "))");
    const char *text = filter.failed ? NULL : im_pool_strdup(pool, im_buf_str(&filter));
    im_buf_free(&filter);
    return text;
}

static enum im_err ask_attrs(struct im_asks *asks, const struct im_profile *profile, struct im_schema_reading *r,
                             struct im_error *e) {
    static const char *const attributes[] = {"cn",       "lDAPDisplayName", "attributeID", "attributeSyntax",
                                             "oMSyntax", "isSingleValued",  "isDefunct",   NULL};
    struct im_ask ask = {
        .search = {.base = im_directory_rootdse(asks->directory)->schema_nc,
                   .scope = IM_SEARCH_ONE,
                   .filter = attrs_filter(profile, asks->pool),
                   .attributes = attributes,
                   .no_paging = true},
        .take = take_attr,
        .user = r,
    };
    return ask.search.filter ? im_asks_add(asks, &ask, e) : im_error_nomem(e);
}

static enum im_err ask_classes(struct im_asks *asks, struct im_schema_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"cn",
                                             "isDefunct",
                                             "lDAPDisplayName",
                                             "governsID",
                                             "subClassOf",
                                             "mayContain",
                                             "systemMayContain",
                                             "mustContain",
                                             "systemMustContain",
                                             "auxiliaryClass",
                                             "systemAuxiliaryClass",
                                             NULL};
    struct im_ask ask = {
        .search = {.base = im_directory_rootdse(asks->directory)->schema_nc,
                   .scope = IM_SEARCH_ONE,
                   .filter = "(objectClass=classSchema)",
                   .attributes = attributes},
        .take = take_class,
        .user = r,
    };
    return im_asks_add(asks, &ask, e);
}

enum im_err im_schema_ask_ad(struct im_asks *asks, const struct im_profile *profile, struct im_schema_reading *r,
                             struct im_error *e) {
    if (!im_directory_rootdse(asks->directory)->schema_nc) {
        return im_error_set_at(e, IM_E_SCHEMA, im_directory_uri(asks->directory), 0, 0,
                               "the root DSE does not name the schema's naming context");
    }
    enum im_err err = ask_attrs(asks, profile, r, e);
    return err == IM_OK ? ask_classes(asks, r, e) : err;
}

enum im_err im_schema_end_ad(const struct im_asks *asks, const struct im_schema_reading *r, struct im_error *e) {
    if (r->classes.count)
        return IM_OK;
    return im_error_set_at(e, IM_E_SCHEMA, im_directory_rootdse(asks->directory)->schema_nc, 0, 0, "no class can be seen by %s",
                           im_directory_identity(asks->directory));
}

/* fSMORoleOwner names the NTDS settings of the master; its parent is the server object with the host name (MS-ADTS 6.1.5.1). */
static enum im_err host_of(struct im_directory *d, const char *owner, struct im_pool *pool, const char **host,
                           struct im_error *e) {
    struct im_buf parent = IM_BUF_INIT;
    struct im_entry *server = NULL;
    enum im_err err = IM_OK;
    if (im_dn_parent(owner, &parent)) {
        struct im_search search = {
            .base = im_buf_str(&parent), .scope = IM_SEARCH_BASE, .attributes = (const char *const[]){"dNSHostName", NULL}};
        err = im_directory_read(d, &search, pool, &server, e);
    }
    *host = server ? im_entry_string(server, "dNSHostName") : NULL;
    if (err == IM_OK && !*host)
        err = im_error_set_at(e, IM_E_SCHEMA, owner, 0, 0, "the host name of the schema master cannot be read");
    im_buf_free(&parent);
    return err;
}

enum im_err im_schema_master(struct im_directory *d, struct im_pool *pool, const char **host, struct im_error *e) {
    const struct im_rootdse *root = im_directory_rootdse(d);
    struct im_search role = {
        .base = root->schema_nc, .scope = IM_SEARCH_BASE, .attributes = (const char *const[]){"fSMORoleOwner", NULL}};
    struct im_entry *entry = NULL;
    const char *found = NULL;
    enum im_err err = im_directory_read(d, &role, pool, &entry, e);
    const char *owner = entry ? im_entry_string(entry, "fSMORoleOwner") : NULL;
    if (err == IM_OK && !owner)
        err = im_error_set_at(e, IM_E_SCHEMA, root->schema_nc, 0, 0, "the schema master (fSMORoleOwner) cannot be read");
    if (err == IM_OK && !(root->ds_service_name && im_dn_equal(owner, root->ds_service_name)))
        err = host_of(d, owner, pool, &found, e);
    if (err == IM_OK)
        *host = found;
    return err;
}
