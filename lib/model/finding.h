/* What a rule found: about an account, or about the organisation. */
#ifndef IMDIR_MODEL_FINDING_H
#define IMDIR_MODEL_FINDING_H

#include "lib/base/error.h"
#include "lib/base/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum im_severity { IM_INFO, IM_WARNING, IM_ERROR };
enum im_finding_state { IM_FINDING_PLAIN, IM_FINDING_NEW, IM_FINDING_KNOWN, IM_FINDING_GONE }; /* against a baseline */

struct im_rule;

struct im_evidence {
    const char *name, *value;
};

/* All texts are borrowed, mostly from a pool. NULL: does not apply. */
struct im_finding {
    const struct im_rule *rule;
    enum im_severity severity;
    const char *account; /* something that --csv resolves to the same account */
    const char *dn;
    const char *guid;    /* objectGUID or entryUUID, as text: the account stays the same where it is moved or renamed */
    const char *subject; /* what it is about, where that is no account: a server, a domain, a DNS name, an attribute */
    const char *message; /* one sentence */
    const char *remedy;  /* the exact command or record that mends it */
    const struct im_evidence *evidence;
    size_t evidence_count;
    enum im_finding_state state;
    const char *silenced; /* why nobody wants to hear of it; NULL: it counts */
    int64_t until;        /* when that ends, seconds since 1970; 0: never */
};

/* Collects what the rules about the organisation find. Running out of memory is remembered: look at `failed` at the end. */
struct im_sink {
    struct im_pool *pool;
    const struct im_rule *rule; /* that is being asked */
    struct im_finding *items;   /* on the heap */
    size_t count, cap;
    const char *reason; /* why the rule was skipped */
    bool failed;
    struct im_finding spare; /* is filled where there is no memory for another */
};

const char *im_severity_name(enum im_severity severity); /* "warning" */
bool im_severity_find(const char *name, enum im_severity *out);

/* One more finding of the rule, with its severity and remedy, which may be changed; never NULL. Valid until the next one. */
struct im_finding *im_sink_find(struct im_sink *s, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void im_sink_remedy(struct im_sink *s, struct im_finding *f, const char *format, ...) __attribute__((format(printf, 3, 4)));
void im_sink_evidence(struct im_sink *s, struct im_finding *f, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Says why; returns IM_SKIPPED, as an enum im_verdict. */
int im_sink_skip(struct im_sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void im_sink_free(struct im_sink *s);

#endif
