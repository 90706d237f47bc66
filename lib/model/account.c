#include "lib/model/account.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"
#include "lib/data/times.h"
#include "lib/model/account_reader.h"
#include "lib/model/protected.h"

#include <string.h>

#define LOCKED_FOR_EVER "000001010000Z" /* pwdAccountLockedTime of an account that an administrator locked */

#define GUID_FRONT "<GUID="

enum { COMPUTED_LOCKOUT = 0x10, COMPUTED_EXPIRED = 0x800000 };

struct decoding {
    const struct im_account_reader *reader;
    const struct im_account_context *context;
    const struct im_attr **found; /* what the entry has, by place; NULL: nothing */
    struct im_pool *pool;
    struct im_error *e;
};

/* The first place of the name, which is seldom to be looked for: it stands where it stood in the entry before. */
static int find_place(const struct im_account_reader *r, struct im_account_place *before, const char *name) {
    if (before->next != IM_AT_NONE && strcmp(r->places[before->next].name, name) == 0)
        return before->next;
    const struct im_name *found = im_names_find(&r->names, name);
    if (found)
        before->next = (int)found->place;
    return found ? (int)found->place : IM_AT_NONE;
}

/* Goes through the entry once, and not for each of the some fifty times that it is looked at. */
static enum im_err find_attributes(struct decoding *d, const struct im_entry *entry) {
    const struct im_account_reader *r = d->reader;
    struct im_account_place *before = &r->places[r->count];
    d->found = im_pool_array(d->pool, r->count, sizeof(const struct im_attr *));
    if (!d->found)
        return im_error_nomem(d->e);
    for (size_t i = 0; i < entry->count; i++) {
        const struct im_attr *attr = &entry->attrs[i];
        int at = attr->count ? find_place(r, before, attr->name) : IM_AT_NONE;
        if (at == IM_AT_NONE || d->found[at])
            continue;
        before = &r->places[at];
        for (; at != IM_AT_NONE; at = r->places[at].also)
            d->found[at] = attr;
    }
    return IM_OK;
}

static const struct berval *value_at(const struct decoding *d, size_t place) {
    return d->found[place] ? &d->found[place]->values[0] : NULL;
}

static const char *text_at(const struct decoding *d, size_t place) {
    return d->found[place] ? d->found[place]->values[0].bv_val : NULL;
}

/* IM_UNKNOWN: this directory has no such attribute. */
static enum im_tri has(const struct decoding *d, enum im_at at) {
    return d->found[at] ? IM_YES : d->reader->in_schema[at] ? IM_NO : IM_UNKNOWN;
}

static const char *first_text(const struct decoding *d, size_t place, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *text = text_at(d, place + i);
        if (text && *text)
            return text;
    }
    return NULL;
}

static enum im_err decode_guid(const struct decoding *d, struct im_account *a) {
    char ref[sizeof GUID_FRONT + IM_GUID_TEXT_SIZE] = GUID_FRONT;
    char *text = ref + strlen(GUID_FRONT);
    const struct berval *guid = value_at(d, IM_AT_GUID);
    a->guid = text_at(d, IM_AT_UUID);
    a->ref = a->dn;
    if (!guid || !im_guid_to_text(guid, text))
        return IM_OK;
    a->guid = im_pool_strdup(d->pool, text);
    memcpy(text + strlen(text), ">", sizeof ">");
    a->ref = d->context->is_ad ? im_pool_strdup(d->pool, ref) : a->dn;
    return a->guid && a->ref ? IM_OK : im_error_nomem(d->e);
}

static enum im_err decode_names(const struct decoding *d, struct im_account *a) {
    const struct im_profile *p = d->context->profile;
    a->name = first_text(d, d->reader->account_names_at, p->account_name_count);
    a->alias = first_text(d, d->reader->alias_sources_at, p->alias_source_count);
    a->mail = text_at(d, IM_AT_MAIL);
    a->upn = text_at(d, IM_AT_UPN);
    a->given = text_at(d, IM_AT_GIVEN);
    a->sn = text_at(d, IM_AT_SN);
    a->has_sid = has(d, IM_AT_SID);
    a->has_sid_history = has(d, IM_AT_SID_HISTORY);
    return decode_guid(d, a);
}

static enum im_err decode_master_sid(const struct decoding *d, struct im_account *a) {
    const struct berval *value = value_at(d, IM_AT_MASTER_SID);
    char text[IM_SID_TEXT_SIZE];
    unsigned char octets[IM_SID_BYTES_SIZE];
    size_t len;
    a->master_sid = d->reader->in_schema[IM_AT_MASTER_SID] ? IM_MASTER_NONE : IM_MASTER_UNKNOWN;
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
    a->master_sid_text = im_pool_strdup(d->pool, sid);
    return a->master_sid_text ? IM_OK : im_error_nomem(d->e);
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

static enum im_log_on log_on_of(const struct decoding *d, struct im_account *a) {
    const struct im_account_context *c = d->context;
    const char *computed = text_at(d, IM_AT_COMPUTED);
    const char *lockout = text_at(d, IM_AT_LOCKOUT);
    const char *expires = text_at(d, IM_AT_EXPIRES);
    const char *password_set = text_at(d, IM_AT_PASSWORD_SET);
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

static void decode_state(const struct decoding *d, struct im_account *a) {
    const char *uac = text_at(d, IM_AT_UAC);
    const char *locked = text_at(d, IM_AT_LOCKED_TIME);
    const char *password_set = text_at(d, IM_AT_PASSWORD_SET);
    const bool *in_schema = d->reader->in_schema;
    int64_t number;
    /* The value is a signed 32-bit number, but some tools print it unsigned. */
    if (uac && im_int_from_text(uac, INT32_MIN, UINT32_MAX, &number)) {
        a->is_ad_like = true;
        a->uac = (int32_t)(uint32_t)(uint64_t)number;
        a->disabled = a->uac & IM_UAC_DISABLED ? IM_YES : IM_NO;
    }
    if (!a->is_ad_like && (in_schema[IM_AT_LOCKED_TIME] || in_schema[IM_AT_NS_LOCK]))
        a->disabled = IM_NO;
    if ((locked && strcmp(locked, LOCKED_FOR_EVER) == 0) || im_text_equal(text_at(d, IM_AT_NS_LOCK), "true"))
        a->disabled = IM_YES;
    bool has_password = password_set && strcmp(password_set, "0") != 0;
    a->had_logon = has_password || d->found[IM_AT_LAST_LOGON] ? IM_YES : password_set ? IM_NO : has(d, IM_AT_PASSWORD_SET);
    a->log_on = log_on_of(d, a);
    if (a->log_on <= IM_LOG_ON_FINE && locked) /* by OpenLDAP's password policy, for some time or until somebody unlocks it */
        a->log_on = IM_LOG_ON_LOCKED;
}

static void decode_protection(const struct decoding *d, struct im_account *a) {
    const char *admin_count = text_at(d, IM_AT_ADMIN_COUNT);
    int64_t number;
    if (admin_count) {
        a->admin_count = im_int_from_text(admin_count, 1, INT32_MAX, &number) ? IM_YES : IM_NO;
    } else {
        a->admin_count = d->context->is_check ? has(d, IM_AT_ADMIN_COUNT) : IM_UNKNOWN;
    }
    if (a->admin_count == IM_YES)
        a->in_protected_group = im_protected_by_entry(a->entry);
}

static enum im_err decode_home(const struct decoding *d, const struct berval *value, struct im_account *a) {
    struct berval guid, dn;
    im_dn_pieces(value, &guid, &dn);
    a->home = dn.bv_val;
    a->home_guid = guid.bv_len ? im_pool_strndup(d->pool, guid.bv_val, guid.bv_len) : NULL;
    return guid.bv_len && !a->home_guid ? im_error_nomem(d->e) : IM_OK;
}

static enum im_err decode_im(const struct decoding *d, struct im_account *a) {
    const struct im_profile *p = d->context->profile;
    a->attrs = d->found + IM_AT_PROFILE;
    for (size_t i = 0; i < p->attr_count; i++) {
        const struct berval *value = a->attrs[i] ? &a->attrs[i]->values[0] : NULL;
        enum im_role role = p->attrs[i].role;
        if (!value)
            continue;
        if (role == IM_ROLE_OPAQUE) {
            a->has_opaque = true;
            continue;
        }
        a->im_count++;
        if (role == IM_ROLE_ADDRESS) {
            a->address = value->bv_val;
        } else if (role == IM_ROLE_LOGICAL_URL) {
            a->logical_url = value->bv_val;
            im_url_split(a->logical_url, role, &a->logical);
        } else if (role == IM_ROLE_PHYSICAL_URL) {
            a->physical_url = value->bv_val;
            im_url_split(a->physical_url, role, &a->physical);
        } else if (role == IM_ROLE_HOME && decode_home(d, value, a) != IM_OK) {
            return IM_E_NOMEM;
        }
    }
    return IM_OK;
}

/* Does the server say so? It lists hundreds of names, for each entry of a kind the same ones. */
static bool may_write(const struct decoding *d, size_t index) {
    const struct im_attr *rights = d->found[IM_AT_RIGHTS];
    const char *name = d->context->profile->attrs[index].name;
    size_t len = strlen(name);
    size_t count = rights ? rights->count : 0;
    size_t *listed_at = &d->reader->rights_at[index];
    for (size_t i = 0; i < count; i++) {
        size_t at = (*listed_at + i) % count;
        if (im_text_equal_n(rights->values[at].bv_val, rights->values[at].bv_len, name, len)) {
            *listed_at = at;
            return true;
        }
    }
    return false;
}

static const char *first_not_writable(const struct decoding *d) {
    const struct im_account_context *c = d->context;
    for (size_t i = 0; c->asked_rights && i < c->profile->attr_count; i++) {
        const char *name = c->profile->attrs[i].name;
        if (may_write(d, i))
            continue;
        bool comes_with_class =
            c->profile->aux_class && c->schema && !im_schema_allows(c->schema, d->found[IM_AT_CLASSES], name, NULL);
        if (!comes_with_class)
            return name;
    }
    return NULL;
}

enum im_err im_account_decode(struct im_account_reader *reader, const struct im_entry *entry, struct im_pool *pool,
                              struct im_account *out, struct im_error *e) {
    struct decoding d = {.reader = reader, .context = reader->context, .pool = pool, .e = e};
    struct im_account a = {.entry = entry, .dn = entry->dn};
    enum im_err err = find_attributes(&d, entry);
    if (err == IM_OK)
        err = decode_names(&d, &a);
    if (err == IM_OK)
        err = decode_master_sid(&d, &a);
    if (err == IM_OK)
        err = decode_im(&d, &a);
    if (err != IM_OK)
        return err;
    decode_state(&d, &a);
    decode_protection(&d, &a);
    a.not_writable = first_not_writable(&d);
    *out = a;
    return IM_OK;
}
