/* What rules about the organisation share: verdicts that are made of findings, and texts for remedies. */
#ifndef IMDIR_RULES_SAY_H
#define IMDIR_RULES_SAY_H

#include "lib/model/rule.h"

/* Remembers the first reason why a part, or all of it, could not be judged. Returns IM_SKIPPED. */
enum im_verdict im_say_unknown(struct im_sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `before`: how many findings there were when the rule began. Skipped where nothing was found and a part is not known. */
enum im_verdict im_say_verdict(const struct im_sink *s, size_t before);
/* A word for a shell, quoted where it has to be; in the sink's pool, never NULL. */
const char *im_say_quoted(struct im_sink *s, const char *word);
/* "1 user", "7 users": with an s unless there is one. In the sink's pool, never NULL. */
const char *im_say_count(struct im_sink *s, size_t count, const char *noun);
/* The DN in the form of im_dn_normalize, in the sink's pool; what is no DN gives itself. Never NULL. */
const char *im_say_key(struct im_sink *s, const char *dn);

#endif
