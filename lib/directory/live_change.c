/* Changes on a live directory. */
#include "lib/directory/live_impl.h"

#include <string.h>

/* Attribute and values are those given: libldap takes no const, and does not write. */
static LDAPMod *make_mod(struct im_pool *pool, int kind, const char *attribute, const struct berval *values, size_t count) {
    LDAPMod *mod = im_pool_alloc(pool, sizeof *mod);
    struct berval **list = im_pool_array(pool, count + 1, sizeof(struct berval *));
    if (!mod || !list)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct berval *value = &values[i];
        memcpy(&list[i], &value, sizeof value);
    }
    mod->mod_op = kind | LDAP_MOD_BVALUES;
    memcpy(&mod->mod_type, &attribute, sizeof attribute);
    mod->mod_bvalues = count ? list : NULL;
    return mod;
}

/* NULL-terminated; NULL when out of memory. */
static LDAPMod **mods_of_change(const struct im_change *change, struct im_pool *pool) {
    static const int kinds[] = {[IM_OP_ADD] = LDAP_MOD_ADD, [IM_OP_DELETE] = LDAP_MOD_DELETE, [IM_OP_REPLACE] = LDAP_MOD_REPLACE};
    LDAPMod **mods = im_pool_array(pool, change->count + 1, sizeof(LDAPMod *));
    for (size_t i = 0; mods && i < change->count; i++) {
        const struct im_op *op = &change->ops[i];
        mods[i] = make_mod(pool, kinds[op->kind], op->attribute, op->values, op->count);
        if (!mods[i])
            return NULL;
    }
    return mods;
}

static LDAPMod **mods_of_entry(const struct im_entry *entry, struct im_pool *pool) {
    LDAPMod **mods = im_pool_array(pool, entry->count + 1, sizeof(LDAPMod *));
    for (size_t i = 0; mods && i < entry->count; i++) {
        const struct im_attr *attr = &entry->attrs[i];
        mods[i] = make_mod(pool, LDAP_MOD_ADD, attr->name, attr->values, attr->count);
        if (!mods[i])
            return NULL;
    }
    return mods;
}

static int send_modify(struct im_live *live, const struct im_change *change, LDAPMod **mods, int *msgid) {
    char oid[] = LDAP_CONTROL_ASSERT;
    LDAPControl assertion = {oid, {0, NULL}, 1}; /* critical: where it is ignored, the write would happen all the same */
    LDAPControl *controls[] = {change->assertion ? &assertion : NULL, NULL};
    int rc = LDAP_SUCCESS;
    if (change->assertion) {
        char *filter; /* as in make_mod */
        memcpy(&filter, &change->assertion, sizeof filter);
        rc = ldap_create_assertion_control_value(live->c.ld, filter, &assertion.ldctl_value);
    }
    if (rc == LDAP_SUCCESS)
        rc = ldap_modify_ext(live->c.ld, change->dn, mods, controls, NULL, msgid);
    ber_memfree(assertion.ldctl_value.bv_val);
    return rc;
}

enum im_err im_live_start_modify(void *impl, const struct im_change *change, void *token, struct im_error *e) {
    struct im_live *live = impl;
    int msgid = 0;
    struct im_live_op *op = im_live_begin(live, LDAP_RES_MODIFY, "the change", token, e);
    if (!op)
        return live->is_lost ? IM_E_LOST : IM_E_NOMEM;
    im_pool_reset(live->scratch);
    LDAPMod **mods = mods_of_change(change, live->scratch);
    int rc = mods ? send_modify(live, change, mods, &msgid) : LDAP_NO_MEMORY;
    if (rc == LDAP_SUCCESS)
        im_live_trace(live, "modify \"%s\", %zu parts (message %d)", change->dn, change->count, msgid);
    return im_live_sent(live, op, rc, msgid, e);
}

enum im_err im_live_start_add(void *impl, const struct im_entry *entry, void *token, struct im_error *e) {
    struct im_live *live = impl;
    int msgid = 0;
    struct im_live_op *op = im_live_begin(live, LDAP_RES_ADD, "the new entry", token, e);
    if (!op)
        return live->is_lost ? IM_E_LOST : IM_E_NOMEM;
    im_pool_reset(live->scratch);
    LDAPMod **mods = mods_of_entry(entry, live->scratch);
    int rc = mods ? ldap_add_ext(live->c.ld, entry->dn, mods, NULL, NULL, &msgid) : LDAP_NO_MEMORY;
    if (rc == LDAP_SUCCESS)
        im_live_trace(live, "add \"%s\" (message %d)", entry->dn, msgid);
    return im_live_sent(live, op, rc, msgid, e);
}
