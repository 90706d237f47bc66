/* What an entry says about a person: decoded once, judged by rules, changed by plans. Pure. */
#ifndef IMDIR_MODEL_ACCOUNT_H
#define IMDIR_MODEL_ACCOUNT_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/data/entry.h"
#include "lib/model/profile.h"
#include "lib/model/url.h"

#include <stdbool.h>
#include <stdint.h>

/* MS-ADTS 2.2.16 */
enum { IM_UAC_DISABLED = 0x2, IM_UAC_REVERSIBLE = 0x80, IM_UAC_NEVER_EXPIRES = 0x10000, IM_UAC_SMARTCARD = 0x40000 };

/* A fact that a directory may be unable to tell. */
enum im_tri { IM_UNKNOWN, IM_NO, IM_YES };

/* Whether an account that is not disabled may log on. */
enum im_log_on {
    IM_LOG_ON_UNKNOWN, /* no attribute says so */
    IM_LOG_ON_FINE,    /* as far as the account itself tells: see password_set */
    IM_LOG_ON_LOCKED,
    IM_LOG_ON_EXPIRED,
    IM_LOG_ON_MUST_CHANGE,  /* its password, first */
    IM_LOG_ON_OLD_PASSWORD, /* older than the policy of the domain allows */
};

enum im_master_sid {
    IM_MASTER_UNKNOWN, /* this directory has no msExchMasterAccountSid */
    IM_MASTER_NONE,
    IM_MASTER_SELF,
    IM_MASTER_OTHER,
    IM_MASTER_MALFORMED,
};

struct im_account {
    const struct im_entry *entry;
    const char *dn;
    const char *name;                           /* first account-name attribute with a value; NULL: none */
    const char *alias;                          /* first alias source with a value; NULL: none */
    const char *mail, *upn, *given, *sn, *guid; /* NULL: none; guid as text */
    const char *ref;                            /* what a modify is sent to: "<GUID=...>" on AD, else the DN */
    /* state of the account */
    bool is_ad_like; /* has userAccountControl */
    int32_t uac;
    enum im_tri disabled;        /* userAccountControl, pwdAccountLockedTime or nsAccountLock */
    enum im_tri has_sid;         /* IM_UNKNOWN: the directory has no objectSid */
    enum im_tri has_sid_history; /* IM_UNKNOWN: the directory has no sIDHistory */
    enum im_master_sid master_sid;
    const char *master_sid_text;
    enum im_tri had_logon; /* pwdLastSet set or lastLogonTimestamp present; IM_UNKNOWN: neither attribute known */
    enum im_log_on log_on;
    int64_t password_set;    /* where only the domain's policy tells whether the password is too old: when it was set; else 0 */
    enum im_tri admin_count; /* adminCount is set: rights are not inherited. IM_UNKNOWN: this directory has no such attribute */
    /* IM_YES: the SID, the primary group or a group that the entry names is protected. IM_UNKNOWN: a group in a group might be.
     */
    enum im_tri in_protected_group;
    const struct im_attr *const *attrs; /* what the entry has of each attribute of the profile, in its order; NULL: nothing */
    /* the first value of each */
    const char *address, *logical_url, *physical_url;
    struct im_url logical, physical; /* their parts, where there are such URLs */
    const char *home;                /* plain DN */
    const char *home_guid;           /* "<GUID=...>" where the directory gave it, else NULL */
    size_t im_count;                 /* how many of the attributes that mark enablement have a value */
    bool has_opaque;
    /* First profile attribute that allowedAttributesEffective lacks; NULL: none, or not told. Attributes that the entry's classes
     * do not allow yet are not told of: the auxiliary class comes with them. */
    const char *not_writable;
};

struct im_account_context {
    const struct im_profile *profile;
    const struct im_schema *schema;
    bool is_ad;                          /* Active Directory or Samba */
    bool asked_rights;                   /* allowedAttributesEffective was asked for and is offered */
    bool is_check;                       /* also what only imcheck's rules look at is asked for; changing commands need less */
    int64_t now;                         /* seconds since 1970 */
    int64_t max_password_age_s;          /* domain policy; 0 = none or unknown: see password_set */
    const char *const *extra_attributes; /* that address templates name: {attr:employeeID} */
    size_t extra_count;
};

/* Finds the {attr:NAME} of these templates (NULL ones are passed over) and of the profile's own, and sets extra_attributes to
 * them. */
enum im_err im_account_context_templates(struct im_account_context *context, const char *const *templates, size_t count,
                                         struct im_pool *pool, struct im_error *e);
/* Attributes that decoding needs, and one more or NULL; NULL-terminated, in pool; operational ones by name. */
const char *const *im_account_attributes(const struct im_account_context *context, const char *also, struct im_pool *pool);

/* What decoding finds out once, and not for each entry: where in an entry it looks, and what the schema knows. It learns from
 * each entry where the next one has its attributes. Made when the schema is there; borrows the context. In pool; NULL when out of
 * memory. */
struct im_account_reader;
struct im_account_reader *im_account_reader_new(const struct im_account_context *context, struct im_pool *pool);
enum im_err im_account_decode(struct im_account_reader *reader, const struct im_entry *entry, struct im_pool *pool,
                              struct im_account *out, struct im_error *e);

#endif
