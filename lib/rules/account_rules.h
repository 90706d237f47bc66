/* The account rules by subject, and what they share. Internal to this room; the rows are in account.c. */
#ifndef IMDIR_RULES_ACCOUNT_RULES_H
#define IMDIR_RULES_ACCOUNT_RULES_H

#include "lib/model/rule.h"

/* account_state.c: whose account it is, and in which state */
im_rule_check im_account_not_security_principal, im_account_linked_external, im_account_sid_history_placeholder,
    im_account_disabled, im_account_not_writable, im_account_master_sid_leftover, im_account_sid_history,
    im_account_protected_leftover;

/* account_log_on.c: whether somebody can log on with it, and with which password */
im_rule_check im_account_cannot_log_on, im_account_digest_password, im_account_password_length;

/* account_home.c: where it is homed */
im_rule_check im_account_home_not_host, im_account_home_dangling, im_account_home_url_mismatch;

/* account_values.c: the IM attributes */
im_rule_check im_account_domain_unknown, im_account_address_duplicate, im_account_alias_unsafe, im_account_url_malformed,
    im_account_not_enabled, im_account_attrs_partial, im_account_attr_multivalued, im_account_address_not_mail;

/* account_acl.c: the privacy list */
im_rule_check im_account_acl_bad_principal;

/* Rules of the kind "enabled for IM, and ..." look at accounts that are, or are about to be. */
bool im_account_counts(const struct im_facts *f);
/* The schema has the attribute. Without a schema nothing is known of it. */
bool im_account_knows(const struct im_facts *f, const char *attribute);
/* Says why; returns IM_SKIPPED. */
enum im_verdict im_account_skip(struct im_judgement *j, const char *reason);
/* The same of a sentence that names something: nothing is put together before somebody reads it. */
enum im_verdict im_account_skip_for(struct im_judgement *j, const char *before, const char *what, const char *after);
/* The server that the home attribute names; NULL: none that is known. */
const struct im_server *im_account_home(const struct im_facts *f);

/* The account as a command line names it: its name where that can mean nothing else, else its DN; quoted for a shell. */
void im_say_account(const struct im_facts *f, struct im_buf *out);
/* "imenable jdoe" */
void im_say_command(const char *command, const struct im_facts *f, struct im_buf *out);
/* "imhome jdoe --to imhome1"; server NULL: the only home server that would do, else "auto". */
void im_say_move(const struct im_facts *f, const struct im_server *server, struct im_buf *out);
/* What the row says, and for an account that has IM attributes how they are taken away: "..., or: imdisable jdoe". */
void im_say_or_disable(const char *otherwise, const struct im_facts *f, struct im_buf *out);

#endif
