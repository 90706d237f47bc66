#include "lib/model/account.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"
#include "lib/data/template.h"
#include "lib/data/times.h"
#include "lib/model/protected.h"

#include <string.h>

#define LOCKED_FOR_EVER "000001010000Z" /* pwdAccountLockedTime of an account that an administrator locked */

#define ATTR_PREFIX "attr:"

enum { COMPUTED_LOCKOUT = 0x10, COMPUTED_EXPIRED = 0x800000 };

/* Asked for beside the profile's own attributes. */
static const char *const asked[] = {
    "objectClass",
    "objectGUID",
    "entryUUID",
    "objectSid",
    "sIDHistory",
    "userAccountControl",
    "pwdLastSet",
    "lastLogonTimestamp",
    "msExchMasterAccountSid",
    "mail",
    "userPrincipalName",
    "givenName",
    "sn",
    "pwdAccountLockedTime",
    "nsAccountLock",
    "proxyAddresses",
};

/* The rules of imcheck look at these as well. Groups are not among them: they are many, and matter where adminCount is set only.
 */
static const char *const asked_by_check[] = {
    "msDS-User-Account-Control-Computed", "lockoutTime", "accountExpires", "adminCount", "primaryGroupID",
};

struct name_list {
    const char **items;
    size_t count, max;
};

static void add_name(struct name_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (im_text_equal(list->items[i], name))
            return;
    }
    if (list->count < list->max)
        list->items[list->count++] = name;
}

/* Collects names while a template is expanded; the value given is of no account. */
struct template_names {
    struct name_list list;
    struct im_pool *pool;
    bool failed;
};

static const char *note_attribute(void *user, const char *variable) {
    struct template_names *names = user;
    if (strncmp(variable, ATTR_PREFIX, strlen(ATTR_PREFIX)) != 0)
        return "-";
    const char *name = im_pool_strdup(names->pool, variable + strlen(ATTR_PREFIX));
    if (name) {
        add_name(&names->list, name);
    } else {
        names->failed = true;
    }
    return "-";
}

static enum im_err note_template(struct template_names *names, const char *template, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = template ? im_template_expand(template, IM_TEMPLATE_PLAIN, note_attribute, names, &text, e) : IM_OK;
    im_buf_free(&text);
    return names->failed ? im_error_nomem(e) : err;
}

/* Each name needs a brace of its own. */
static size_t count_braces(const char *template) {
    size_t count = 0;
    for (const char *c = template; c && *c; c++)
        count += *c == '{';
    return count;
}

enum im_err im_account_context_templates(struct im_account_context *context, const char *const *templates, size_t count,
                                         struct im_pool *pool, struct im_error *e) {
    const struct im_profile *p = context->profile;
    struct template_names names = {.pool = pool, .list.max = count_braces(p->address_template)};
    for (size_t i = 0; i < count; i++)
        names.list.max += count_braces(templates[i]);
    for (size_t i = 0; i < p->attr_count; i++)
        names.list.max += count_braces(p->attrs[i].enabled) + count_braces(p->attrs[i].suspended);
    names.list.items = im_pool_array(pool, names.list.max, sizeof *names.list.items);
    if (!names.list.items)
        return im_error_nomem(e);
    enum im_err err = note_template(&names, p->address_template, e);
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = note_template(&names, templates[i], e);
    for (size_t i = 0; err == IM_OK && i < p->attr_count; i++) {
        err = note_template(&names, p->attrs[i].enabled, e);
        if (err == IM_OK)
            err = note_template(&names, p->attrs[i].suspended, e);
    }
    if (err != IM_OK)
        return err;
    context->extra_attributes = names.list.items;
    context->extra_count = names.list.count;
    return IM_OK;
}

const char *const *im_account_attributes(const struct im_account_context *context, struct im_pool *pool) {
    const struct im_profile *p = context->profile;
    size_t fixed = sizeof asked / sizeof asked[0];
    size_t checked = context->is_check ? sizeof asked_by_check / sizeof asked_by_check[0] : 0;
    struct name_list list = {.max = fixed + checked + p->attr_count + p->account_name_count + p->alias_source_count +
                                    context->extra_count + 1};
    list.items = im_pool_array(pool, list.max + 1, sizeof *list.items);
    if (!list.items)
        return NULL;
    for (size_t i = 0; i < fixed; i++)
        add_name(&list, asked[i]);
    for (size_t i = 0; i < checked; i++)
        add_name(&list, asked_by_check[i]);
    for (size_t i = 0; i < p->attr_count; i++)
        add_name(&list, p->attrs[i].name);
    for (size_t i = 0; i < p->account_name_count; i++)
        add_name(&list, p->account_names[i]);
    for (size_t i = 0; i < p->alias_source_count; i++)
        add_name(&list, p->alias_sources[i]);
    for (size_t i = 0; i < context->extra_count; i++)
        add_name(&list, context->extra_attributes[i]);
    if (context->asked_rights)
        add_name(&list, "allowedAttributesEffective");
    return list.items;
}

static const char *first_of(const struct im_entry *entry, const char **names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *value = im_entry_string(entry, names[i]);
        if (value && *value)
            return value;
    }
    return NULL;
}

static enum im_err decode_names(const struct im_account_context *c, struct im_pool *pool, struct im_account *a,
                                struct im_error *e) {
    const struct im_entry *entry = a->entry;
    const struct berval *guid = im_entry_value(entry, "objectGUID");
    const struct berval *sid = im_entry_value(entry, "objectSid");
    char text[IM_GUID_TEXT_SIZE];
    char sid_text[IM_SID_TEXT_SIZE];
    a->dn = entry->dn;
    a->name = first_of(entry, c->profile->account_names, c->profile->account_name_count);
    a->alias = first_of(entry, c->profile->alias_sources, c->profile->alias_source_count);
    a->mail = im_entry_string(entry, "mail");
    a->upn = im_entry_string(entry, "userPrincipalName");
    a->given = im_entry_string(entry, "givenName");
    a->sn = im_entry_string(entry, "sn");
    a->guid = im_entry_string(entry, "entryUUID");
    a->ref = a->dn;
    if (guid && im_guid_to_text(guid, text)) {
        a->guid = im_pool_strdup(pool, text);
        a->ref = c->is_ad ? im_pool_printf(pool, "<GUID=%s>", text) : a->dn;
        if (!a->guid || !a->ref)
            return im_error_nomem(e);
    }
    a->has_sid = sid ? IM_YES : c->schema && im_schema_attr(c->schema, "objectSid") ? IM_NO : IM_UNKNOWN;
    if (sid && im_sid_to_text(sid, sid_text)) {
        a->sid = im_pool_strdup(pool, sid_text);
        if (!a->sid)
            return im_error_nomem(e);
    }
    return IM_OK;
}

static enum im_err decode_master_sid(struct im_pool *pool, struct im_account *a, struct im_error *e) {
    const struct berval *value = im_entry_value(a->entry, "msExchMasterAccountSid");
    char text[IM_SID_TEXT_SIZE];
    unsigned char octets[IM_SID_BYTES_SIZE];
    size_t len;
    if (!value)
        return IM_OK;
    /* Servers store whatever they are given, also the text of a SID. */
    bool is_text = strlen(value->bv_val) == value->bv_len && im_sid_from_text(value->bv_val, octets, &len);
    if (!is_text && !im_sid_to_text(value, text)) {
        a->master_sid = IM_MASTER_MALFORMED;
        return IM_OK;
    }
    const char *sid = is_text ? value->bv_val : text;
    a->master_sid = im_text_equal(sid, IM_SID_SELF) ? IM_MASTER_SELF : IM_MASTER_OTHER;
    a->master_sid_text = im_pool_strdup(pool, sid);
    return a->master_sid_text ? IM_OK : im_error_nomem(e);
}

/* The server itself says whether the account is locked or its password has expired, whatever the policy (MS-ADTS 3.1.1.4.5.17).
 */
static enum im_log_on computed_log_on(const char *computed, bool must_change) {
    int64_t number;
    if (!im_int_from_text(computed, INT32_MIN, UINT32_MAX, &number))
        return IM_LOG_ON_UNKNOWN;
    if (number & COMPUTED_LOCKOUT)
        return IM_LOG_ON_LOCKED;
    if (number & COMPUTED_EXPIRED)
        return must_change ? IM_LOG_ON_MUST_CHANGE : IM_LOG_ON_OLD_PASSWORD;
    return IM_LOG_ON_FINE;
}

static enum im_log_on password_log_on(const struct im_account_context *c, struct im_account *a, const char *password_set) {
    bool never_expires = a->is_ad_like && (a->uac & (IM_UAC_NEVER_EXPIRES | IM_UAC_SMARTCARD));
    int64_t seconds;
    bool never;
    if (never_expires || !im_time_from_filetime(password_set, &seconds, &never))
        return IM_LOG_ON_FINE;
    if (never)
        return IM_LOG_ON_MUST_CHANGE;
    if (!c->max_password_age_s) {
        a->password_set = seconds;
        return IM_LOG_ON_FINE;
    }
    return seconds + c->max_password_age_s <= c->now ? IM_LOG_ON_OLD_PASSWORD : IM_LOG_ON_FINE;
}

static enum im_log_on log_on_of(const struct im_account_context *c, struct im_account *a) {
    const struct im_entry *entry = a->entry;
    const char *computed = im_entry_string(entry, "msDS-User-Account-Control-Computed");
    const char *lockout = im_entry_string(entry, "lockoutTime");
    const char *expires = im_entry_string(entry, "accountExpires");
    const char *password_set = im_entry_string(entry, "pwdLastSet");
    int64_t number;
    bool never;
    enum im_log_on found = IM_LOG_ON_UNKNOWN;
    if (computed)
        found = computed_log_on(computed, password_set && strcmp(password_set, "0") == 0);
    if (!computed && lockout)
        found = im_int_from_text(lockout, 1, INT64_MAX, &number) ? IM_LOG_ON_LOCKED : IM_LOG_ON_FINE;
    if (found > IM_LOG_ON_FINE)
        return found;
    if (expires && im_time_from_filetime(expires, &number, &never)) {
        found = IM_LOG_ON_FINE;
        if (!never && number <= c->now)
            return IM_LOG_ON_EXPIRED;
    }
    return password_set && !computed ? password_log_on(c, a, password_set) : found;
}

static void decode_state(const struct im_account_context *c, struct im_account *a) {
    const struct im_entry *entry = a->entry;
    const char *uac = im_entry_string(entry, "userAccountControl");
    const char *locked = im_entry_string(entry, "pwdAccountLockedTime");
    const char *ns_lock = im_entry_string(entry, "nsAccountLock");
    const char *password_set = im_entry_string(entry, "pwdLastSet");
    int64_t number;
    /* The value is a signed 32-bit number, but some tools print it unsigned. */
    if (uac && im_int_from_text(uac, INT32_MIN, UINT32_MAX, &number)) {
        a->is_ad_like = true;
        a->uac = (int32_t)(uint32_t)(uint64_t)number;
        a->disabled = a->uac & IM_UAC_DISABLED ? IM_YES : IM_NO;
    }
    if (!a->is_ad_like && c->schema &&
        (im_schema_attr(c->schema, "pwdAccountLockedTime") || im_schema_attr(c->schema, "nsAccountLock")))
        a->disabled = IM_NO;
    if ((locked && strcmp(locked, LOCKED_FOR_EVER) == 0) || im_text_equal(ns_lock, "true"))
        a->disabled = IM_YES;
    a->has_sid_history = im_entry_attr(entry, "sIDHistory") != NULL;
    bool has_password = password_set && strcmp(password_set, "0") != 0;
    if (has_password || im_entry_attr(entry, "lastLogonTimestamp")) {
        a->had_logon = IM_YES;
    } else {
        a->had_logon = password_set || (c->schema && im_schema_attr(c->schema, "pwdLastSet")) ? IM_NO : IM_UNKNOWN;
    }
    a->log_on = log_on_of(c, a);
    if (a->log_on <= IM_LOG_ON_FINE && locked) /* by OpenLDAP's password policy, for some time or until somebody unlocks it */
        a->log_on = IM_LOG_ON_LOCKED;
}

static void decode_protection(const struct im_account_context *c, struct im_account *a) {
    const char *admin_count = im_entry_string(a->entry, "adminCount");
    int64_t number;
    if (admin_count) {
        a->admin_count = im_int_from_text(admin_count, 1, INT32_MAX, &number) ? IM_YES : IM_NO;
    } else {
        a->admin_count = c->is_check && c->schema && im_schema_attr(c->schema, "adminCount") ? IM_NO : IM_UNKNOWN;
    }
    if (a->admin_count == IM_YES)
        a->in_protected_group = im_protected_by_entry(a->entry, a->sid);
}

static enum im_err decode_home(const struct berval *value, struct im_pool *pool, struct im_account *a, struct im_error *e) {
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    if (value->bv_len && value->bv_val[0] != '<') { /* not the extended form */
        a->home = value->bv_val;
        a->home_is_deleted = im_dn_is_deleted(a->home);
        return IM_OK;
    }
    im_dn_split_extended(value->bv_val, value->bv_len, &guid, &dn);
    a->home = im_pool_strdup(pool, im_buf_str(&dn));
    a->home_guid = guid.len ? im_pool_strdup(pool, im_buf_str(&guid)) : NULL;
    bool is_broken = guid.failed || dn.failed || !a->home || (guid.len && !a->home_guid);
    a->home_is_deleted = !is_broken && im_dn_is_deleted(a->home);
    im_buf_free(&guid);
    im_buf_free(&dn);
    return is_broken ? im_error_nomem(e) : IM_OK;
}

static enum im_err decode_im(const struct im_account_context *c, struct im_pool *pool, struct im_account *a, struct im_error *e) {
    for (size_t i = 0; i < c->profile->attr_count; i++) {
        const struct im_profile_attr *attr = &c->profile->attrs[i];
        const struct berval *value = im_entry_value(a->entry, attr->name);
        if (!value)
            continue;
        if (attr->role == IM_ROLE_OPAQUE) {
            a->has_opaque = true;
            continue;
        }
        a->im_count++;
        if (attr->role == IM_ROLE_ADDRESS) {
            a->address = value->bv_val;
        } else if (attr->role == IM_ROLE_LOGICAL_URL) {
            a->logical_url = value->bv_val;
        } else if (attr->role == IM_ROLE_PHYSICAL_URL) {
            a->physical_url = value->bv_val;
        } else if (attr->role == IM_ROLE_HOME && decode_home(value, pool, a, e) != IM_OK) {
            return IM_E_NOMEM;
        }
    }
    return IM_OK;
}

static const char *first_not_writable(const struct im_account_context *c, const struct im_entry *entry) {
    const struct im_attr *classes = im_entry_attr(entry, "objectClass");
    for (size_t i = 0; c->asked_rights && i < c->profile->attr_count; i++) {
        const char *name = c->profile->attrs[i].name;
        bool needs_class = c->profile->aux_class && c->schema && !im_schema_allows(c->schema, classes, name, NULL);
        if (!needs_class && !im_entry_has_value(entry, "allowedAttributesEffective", name))
            return name;
    }
    return NULL;
}

enum im_err im_account_decode(const struct im_account_context *context, const struct im_entry *entry, struct im_pool *pool,
                              struct im_account *out, struct im_error *e) {
    struct im_account a = {.entry = entry};
    enum im_err err = decode_names(context, pool, &a, e);
    if (err == IM_OK)
        err = decode_master_sid(pool, &a, e);
    if (err == IM_OK)
        err = decode_im(context, pool, &a, e);
    if (err != IM_OK)
        return err;
    decode_state(context, &a);
    decode_protection(context, &a);
    a.not_writable = first_not_writable(context, entry);
    *out = a;
    return IM_OK;
}
