#include "lib/directory/schema_read.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <ldap_schema.h>
#include <stdlib.h>
#include <string.h>

static enum im_err copy_names(struct im_pool *pool, char **from, const char ***out, size_t *count, struct im_error *e) {
    size_t n = 0;
    while (from && from[n])
        n++;
    const char **names = im_pool_array(pool, *count + n, sizeof *names);
    if (!names)
        return im_error_nomem(e);
    if (*count)
        memcpy(names, *out, *count * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[*count + i] = im_pool_strdup(pool, from[i]);
        if (!names[*count + i])
            return im_error_nomem(e);
    }
    *out = names;
    *count += n;
    return IM_OK;
}

static const char *first_name(struct im_pool *pool, char **names, const char *oid) {
    return im_pool_strdup(pool, names && names[0] ? names[0] : oid);
}

/* An attribute with two names is listed under each: look-ups are by name. */
static enum im_err add_attr(struct im_schema_reading *r, const LDAPAttributeType *type, const char *name, struct im_error *e) {
    struct im_schema_attr *attr = im_vec_push(&r->attrs);
    if (!attr)
        return im_error_nomem(e);
    attr->name = im_pool_strdup(r->pool, name);
    attr->oid = im_pool_strdup(r->pool, type->at_oid);
    attr->syntax = im_pool_strdup(r->pool, type->at_syntax_oid);
    attr->equality = im_pool_strdup(r->pool, type->at_equality_oid);
    attr->single = type->at_single_value;
    bool is_broken =
        !attr->name || !attr->oid || (type->at_syntax_oid && !attr->syntax) || (type->at_equality_oid && !attr->equality);
    return is_broken ? im_error_nomem(e) : IM_OK;
}

static enum im_err parse_attr(struct im_schema_reading *r, const char *text, struct im_error *e) {
    int code;
    const char *at;
    LDAPAttributeType *type = ldap_str2attributetype(text, &code, &at, LDAP_SCHEMA_ALLOW_ALL);
    if (!type)
        return IM_OK; /* a definition that we do not understand is none that we need */
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && type->at_names && type->at_names[i]; i++) {
        err = add_attr(r, type, type->at_names[i], e);
        if (err == IM_OK && type->at_sup_oid) {
            struct im_schema_heir *heir = im_vec_push(&r->heirs);
            const char *sup = im_pool_strdup(r->pool, type->at_sup_oid);
            if (heir && sup) {
                *heir = (struct im_schema_heir){r->attrs.count - 1, sup};
            } else {
                err = im_error_nomem(e);
            }
        }
    }
    ldap_attributetype_free(type);
    return err;
}

static struct im_schema_attr *find_attr(struct im_schema_reading *r, const char *name) {
    for (size_t i = 0; i < r->attrs.count; i++) {
        if (im_text_equal(r->attrs.items[i].name, name) || im_text_equal(r->attrs.items[i].oid, name))
            return &r->attrs.items[i];
    }
    return NULL;
}

enum { MAX_SUPERIORS = 8 };

static void inherit(struct im_schema_reading *r) {
    for (size_t round = 0; round < MAX_SUPERIORS; round++) {
        for (size_t i = 0; i < r->heirs.count; i++) {
            struct im_schema_attr *attr = &r->attrs.items[r->heirs.items[i].attr];
            const struct im_schema_attr *sup = attr->syntax && attr->equality ? NULL : find_attr(r, r->heirs.items[i].sup);
            if (sup && !attr->syntax)
                attr->syntax = sup->syntax;
            if (sup && !attr->equality)
                attr->equality = sup->equality;
        }
    }
}

static enum im_err parse_class(struct im_schema_reading *r, const char *text, struct im_error *e) {
    int code;
    const char *at;
    LDAPObjectClass *parsed = ldap_str2objectclass(text, &code, &at, LDAP_SCHEMA_ALLOW_ALL);
    if (!parsed)
        return IM_OK;
    struct im_schema_class *class = im_vec_push(&r->classes);
    enum im_err err = class ? IM_OK : im_error_nomem(e);
    if (err == IM_OK) {
        class->name = first_name(r->pool, parsed->oc_names, parsed->oc_oid);
        class->oid = im_pool_strdup(r->pool, parsed->oc_oid);
        if (!class->name || !class->oid)
            err = im_error_nomem(e);
    }
    if (err == IM_OK)
        err = copy_names(r->pool, parsed->oc_sup_oids, &class->sup, &class->sup_count, e);
    if (err == IM_OK)
        err = copy_names(r->pool, parsed->oc_at_oids_must, &class->may, &class->may_count, e);
    if (err == IM_OK)
        err = copy_names(r->pool, parsed->oc_at_oids_may, &class->may, &class->may_count, e);
    ldap_objectclass_free(parsed);
    return err;
}

/* A content rule has the OID of the structural class that it belongs to (RFC 4512 section 4.1.6). */
static enum im_err parse_rule(struct im_schema_reading *r, const char *text, struct im_error *e) {
    int code;
    const char *at;
    LDAPContentRule *rule = ldap_str2contentrule(text, &code, &at, LDAP_SCHEMA_ALLOW_ALL);
    if (!rule)
        return IM_OK;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < r->classes.count; i++) {
        struct im_schema_class *class = &r->classes.items[i];
        if (!im_text_equal(class->oid, rule->cr_oid))
            continue;
        err = copy_names(r->pool, rule->cr_oc_oids_aux, &class->aux, &class->aux_count, e);
        if (err == IM_OK)
            err = copy_names(r->pool, rule->cr_at_oids_must, &class->rule_may, &class->rule_may_count, e);
        if (err == IM_OK)
            err = copy_names(r->pool, rule->cr_at_oids_may, &class->rule_may, &class->rule_may_count, e);
    }
    ldap_contentrule_free(rule);
    return err;
}

static enum im_err parse_all(void *user, const struct im_entry *entry, struct im_error *e) {
    struct im_schema_reading *r = user;
    const struct im_attr *types = im_entry_attr(entry, "attributeTypes");
    const struct im_attr *classes = im_entry_attr(entry, "objectClasses");
    const struct im_attr *rules = im_entry_attr(entry, "dITContentRules");
    enum im_err err = IM_OK;
    r->is_seen = true;
    if (!types || !classes) {
        return im_error_set_at(e, IM_E_SCHEMA, entry->dn, 0, 0,
                               "the subschema shows no definitions: the account that is used may lack rights");
    }
    for (size_t i = 0; err == IM_OK && i < types->count; i++)
        err = parse_attr(r, types->values[i].bv_val, e);
    for (size_t i = 0; err == IM_OK && i < classes->count; i++)
        err = parse_class(r, classes->values[i].bv_val, e);
    for (size_t i = 0; err == IM_OK && rules && i < rules->count; i++)
        err = parse_rule(r, rules->values[i].bv_val, e);
    return err;
}

static const char *subschema_of(const struct im_asks *asks) {
    const char *subschema = im_directory_rootdse(asks->directory)->subschema;
    return subschema ? subschema : "cn=Subschema";
}

enum im_err im_schema_ask_rfc(struct im_asks *asks, struct im_schema_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"attributeTypes", "objectClasses", "dITContentRules", NULL};
    struct im_ask ask = {
        .search = {.base = subschema_of(asks), .scope = IM_SEARCH_BASE, .filter = "(objectClass=*)", .attributes = attributes},
        .may_be_missing = true,
        .take = parse_all,
        .user = r,
    };
    return im_asks_add(asks, &ask, e);
}

enum im_err im_schema_end_rfc(const struct im_asks *asks, struct im_schema_reading *r, struct im_error *e) {
    if (!r->is_seen) {
        return im_error_set_at(e, IM_E_SCHEMA, subschema_of(asks), 0, 0, "the subschema is not visible to %s",
                               im_directory_identity(asks->directory));
    }
    inherit(r);
    return IM_OK;
}
