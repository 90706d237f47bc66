/* What the rules about web servers share. */
#ifndef IMDIR_RULES_HTTP_TELL_H
#define IMDIR_RULES_HTTP_TELL_H

#include "lib/model/http_verdict.h"
#include "lib/model/rule.h"

im_rule_survey im_http_unreachable, im_http_not_rvp, im_http_handler_broken, im_http_directory_exposed, im_http_ssl_required,
    im_http_verb_blocked, im_http_busy, im_http_auth_scheme, im_http_digest_realm, im_http_negotiate_spn, im_http_access_denied,
    im_http_redirect_wrong_home, im_http_user_unknown, im_http_probe_local;

/* Why nothing can be said; NULL: there are answers. */
const char *im_http_rule_why_not(const struct im_survey *s);
/* The next host from *i on that may be at fault, NULL: no more. The web server of a mail domain never is: clients go there only
 * where SRV records are missing. */
const struct im_http_target *im_http_rule_next(const struct im_survey *s, size_t *i);
/* Of a rule that has looked at every host: also says which of them could not be judged. */
enum im_verdict im_http_rule_verdict(const struct im_survey *s, struct im_sink *out);
const char *im_http_rule_answer(struct im_sink *out, const struct im_http_answer *a); /* in words; never NULL */
/* What to do, and the command that shows whether it helped. */
void im_http_rule_remedy(struct im_sink *out, struct im_finding *f, const char *what, const struct im_http_answer *a);
void im_http_rule_evidence(struct im_sink *out, struct im_finding *f, const struct im_http_answer *a);

#endif
