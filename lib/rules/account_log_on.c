/* Whether somebody can log on with the account, and with which password. */
#include "lib/model/http_facts.h"
#include "lib/model/organisation.h"
#include "lib/rules/account_rules.h"

enum { IM_PASSWORD_MAX = 16 }; /* characters that IM takes */

static const struct im_policy *policy_of(const struct im_facts *f) {
    const struct im_organisation *o = f->survey ? f->survey->organisation : NULL;
    return o && o->policy.is_known ? &o->policy : NULL;
}

#define NO_POLICY "the domain's password policy was not read"

static enum im_verdict skip_policy(const struct im_facts *f, struct im_judgement *j) {
    const struct im_organisation *o = f->survey ? f->survey->organisation : NULL;
    if (!o || !o->policy.why_not)
        return im_account_skip(j, NO_POLICY);
    return im_account_skip_for(j, NO_POLICY, ": ", o->policy.why_not);
}

/* The account itself may not tell whether its password is too old: then the domain's policy does. */
static enum im_log_on log_on_of(const struct im_facts *f) {
    const struct im_account *a = f->account;
    const struct im_policy *policy = policy_of(f);
    bool is_old = a->password_set && policy && policy->max_password_age_s &&
                  a->password_set + policy->max_password_age_s <= f->context->now;
    return is_old ? IM_LOG_ON_OLD_PASSWORD : a->log_on;
}

enum im_verdict im_account_cannot_log_on(const struct im_facts *f, struct im_judgement *j) {
    static const struct {
        const char *state, *remedy;
    } rows[] = {
        [IM_LOG_ON_LOCKED] = {"is locked", NULL},
        [IM_LOG_ON_EXPIRED] = {"has expired", "extend the account (accountExpires: 0 is never)"},
        [IM_LOG_ON_MUST_CHANGE] = {"must change its password first",
                                   "let the person change the password at a computer, or set it"},
        [IM_LOG_ON_OLD_PASSWORD] = {"has an expired password", "let the person change the password at a computer, or set it"},
    };
    enum im_log_on log_on = log_on_of(f);
    bool is_known =
        log_on != IM_LOG_ON_UNKNOWN || im_account_knows(f, "pwdAccountLockedTime") || im_account_knows(f, "lockoutTime");
    if (!im_account_counts(f))
        return IM_FINE;
    if (!is_known)
        return im_account_skip(j, "this directory does not tell whether an account is locked or has expired");
    if (log_on <= IM_LOG_ON_FINE && f->account->password_set && !policy_of(f))
        return skip_policy(f, j);
    if (log_on <= IM_LOG_ON_FINE)
        return IM_FINE;
    im_buf_addf(&j->message, "the account %s", rows[log_on].state);
    if (rows[log_on].remedy) {
        im_buf_adds(&j->remedy, rows[log_on].remedy);
    } else {
        im_buf_addf(&j->remedy, "unlock the account (%s)",
                    f->account->is_ad_like ? "lockoutTime: 0" : "no pwdAccountLockedTime any more");
    }
    return IM_FIRES;
}

/* The home as it was asked over HTTP, or why it was not. */
static const struct im_http_target *asked_home(const struct im_facts *f, const char *host, struct im_judgement *j) {
    const struct im_http_target *target = NULL;
    if (!f->survey || !f->survey->http) {
        (void)im_account_skip(j, "web servers were not asked (--probe)");
    } else if (!host) {
        (void)im_account_skip(j, "the home server's name is not known");
    } else {
        target = im_http_target(f->survey->http, host);
        if (target && target->propfind.outcome == IM_HTTP_ANSWERED)
            return target;
        (void)im_account_skip_for(j, "the home server ", host, " was not asked, or did not answer");
    }
    return NULL;
}

static enum im_verdict no_reversible_password(const struct im_facts *f, const char *host, unsigned schemes,
                                              struct im_judgement *j) {
    const struct im_account *a = f->account;
    const struct im_policy *policy = policy_of(f);
    bool has_others = schemes & (IM_HTTP_NTLM | IM_HTTP_NEGOTIATE);
    if (!a->is_ad_like)
        return im_account_skip(j, "the account has no userAccountControl");
    if (a->uac & IM_UAC_REVERSIBLE)
        return IM_FINE;
    if (!policy)
        return skip_policy(f, j);
    if (policy->stores_reversible)
        return IM_FINE;
    im_buf_addf(&j->message,
                "the home server %s offers Digest%s, which needs a password that is stored reversibly; this one is not", host,
                has_others ? " as well" : " only");
    if (has_others)
        j->severity = IM_WARNING;
    return IM_FIRES;
}

enum im_verdict im_account_digest_password(const struct im_facts *f, struct im_judgement *j) {
    if (!im_account_counts(f))
        return IM_FINE;
    const char *host = f->want->home_host;
    if (!f->is_preflight && !f->account->home)
        return IM_FINE; /* enabled by half: another rule says so */
    const struct im_http_target *home = asked_home(f, host, j);
    if (!home)
        return IM_SKIPPED;
    unsigned schemes = im_http_schemes(home);
    return schemes & IM_HTTP_DIGEST ? no_reversible_password(f, host, schemes, j) : IM_FINE;
}

enum im_verdict im_account_password_length(const struct im_facts *f, struct im_judgement *j) {
    const struct im_policy *policy = policy_of(f);
    if (!im_account_counts(f))
        return IM_FINE;
    if (!policy)
        return skip_policy(f, j);
    if (policy->min_password_length <= IM_PASSWORD_MAX)
        return IM_FINE;
    im_buf_addf(&j->message, "passwords of this domain have at least %ld characters, and IM takes %d at most",
                policy->min_password_length, IM_PASSWORD_MAX);
    return IM_FIRES;
}
