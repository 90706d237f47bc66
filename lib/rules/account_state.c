/* Whose account it is, and in which state. */
#include "lib/rules/account_rules.h"

enum im_verdict im_account_not_security_principal(const struct im_facts *f, struct im_judgement *j) {
    if (f->account->has_sid == IM_UNKNOWN)
        return im_account_skip(j, "this directory has no objectSid");
    if (f->account->has_sid == IM_YES || !im_account_counts(f))
        return IM_FINE;
    im_buf_adds(&j->message, "the object has no security identifier (a contact or the like), so that nobody can log on with it");
    im_say_or_disable("use the person's user object", f, &j->remedy);
    return IM_FIRES;
}

/* Is there a SID of another account than this one's own? */
static bool has_master(const struct im_account *a) {
    return a->master_sid == IM_MASTER_OTHER || a->master_sid == IM_MASTER_MALFORMED;
}

static const char *master_text(const struct im_account *a) {
    return a->master_sid_text ? a->master_sid_text : "(its SID is malformed)";
}

/* Both rules about msExchMasterAccountSid need the same. NULL: nothing is missing. */
static const char *no_master(const struct im_facts *f) {
    if (!f->account->is_ad_like)
        return "the account has no userAccountControl";
    if (f->account->master_sid == IM_MASTER_UNKNOWN)
        return "this directory has no msExchMasterAccountSid";
    return NULL;
}

enum im_verdict im_account_linked_external(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    const char *missing = no_master(f);
    if (missing)
        return im_account_skip(j, missing);
    if (a->disabled != IM_YES || !has_master(a) || !im_account_counts(f))
        return IM_FINE;
    im_buf_addf(&j->message, "the account is a placeholder for the external account %s, which cannot use IM", master_text(a));
    im_say_or_disable("give the person a log-on of this forest", f, &j->remedy);
    return IM_FIRES;
}

enum im_verdict im_account_master_sid_leftover(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    const char *missing = no_master(f);
    if (missing)
        return im_account_skip(j, missing);
    if (a->disabled == IM_YES || !has_master(a) || !im_account_counts(f))
        return IM_FINE;
    im_buf_addf(&j->message, "the account is active and names the external account %s as its master as well", master_text(a));
    return IM_FIRES;
}

static bool was_never_logged_on(const struct im_account *a) {
    return a->disabled != IM_YES && a->had_logon == IM_NO;
}

enum im_verdict im_account_sid_history_placeholder(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    if (f->account->has_sid_history == IM_UNKNOWN)
        return im_account_skip(j, "this directory has no sIDHistory");
    if (a->has_sid_history == IM_NO || !im_account_counts(f))
        return IM_FINE;
    if (a->disabled == IM_YES) {
        im_buf_adds(&j->message, "the account is disabled and is reached through its SID history, which IM does not accept");
    } else if (was_never_logged_on(a)) {
        im_buf_adds(&j->message,
                    "the account was never logged on to and is reached through its SID history, which IM does not accept");
    } else {
        return IM_FINE;
    }
    im_say_or_disable("give the account a log-on of its own", f, &j->remedy);
    return IM_FIRES;
}

enum im_verdict im_account_sid_history(const struct im_facts *f, struct im_judgement *j) {
    if (f->account->has_sid_history == IM_UNKNOWN)
        return im_account_skip(j, "this directory has no sIDHistory");
    if (f->account->has_sid_history == IM_NO || !im_account_counts(f))
        return IM_FINE;
    im_buf_adds(&j->message, "the account was migrated: with the log-on of the old account nobody can use IM");
    return IM_FIRES;
}

enum im_verdict im_account_disabled(const struct im_facts *f, struct im_judgement *j) {
    if (f->account->disabled == IM_UNKNOWN)
        return im_account_skip(j, "this directory does not tell whether an account is disabled");
    if (f->account->disabled == IM_NO || !im_account_counts(f))
        return IM_FINE;
    im_buf_adds(&j->message, "the account is disabled");
    im_say_or_disable("enable the account and give it a password of its own", f, &j->remedy);
    return IM_FIRES;
}

enum im_verdict im_account_not_writable(const struct im_facts *f, struct im_judgement *j) {
    if (!f->context->asked_rights)
        return im_account_skip(j, "this directory does not tell which attributes may be written");
    if (!f->account->not_writable || !im_account_counts(f))
        return IM_FINE;
    im_buf_addf(&j->message, "the account that is used may not write %s of this entry", f->account->not_writable);
    return IM_FIRES;
}

enum im_verdict im_account_protected_leftover(const struct im_facts *f, struct im_judgement *j) {
    const struct im_account *a = f->account;
    if (a->admin_count == IM_UNKNOWN)
        return im_account_skip(j, "this directory has no adminCount");
    if (a->admin_count == IM_NO || a->in_protected_group == IM_YES || f->in_protected_group == IM_YES || !im_account_counts(f))
        return IM_FINE;
    if (f->in_protected_group == IM_UNKNOWN)
        return im_account_skip(j, "adminCount is set, but the groups of the account were not looked up");
    im_buf_adds(&j->message, "adminCount is set although the account is in no protected group any more: its rights are still not "
                             "inherited");
    return IM_FIRES;
}
