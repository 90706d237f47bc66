#include "lib/model/replica_facts.h"
#include "lib/rules/rows.h"

#define NOT_COMPARED "the accounts were not compared with other servers: --replicas does"

static bool is_catalog(const struct im_replica_facts *r, size_t replica) {
    return r->replicas.items[replica].kind == IM_REPLICA_CATALOG;
}

static const char *when(const char *time) {
    return time ? time : "an unknown time";
}

static void tell_difference(struct im_sink *s, const struct im_replica_facts *r, const struct im_replica_difference *d) {
    const struct im_replica *replica = &r->replicas.items[d->replica];
    struct im_finding *f = im_sink_find(s, replica->name, "%s is \"%s\" here and \"%s\" on %s (changed here at %s, there at %s)",
                                        d->attribute, d->here, d->there, replica->name, when(d->when_here), when(d->when_there));
    f->account = d->account;
    f->dn = d->dn;
    im_sink_evidence(s, f, "attribute", "%s", d->attribute);
    im_sink_evidence(s, f, "here", "%s", d->here);
    im_sink_evidence(s, f, "there", "%s", d->there);
    im_sink_evidence(s, f, "when_here", "%s", when(d->when_here));
    im_sink_evidence(s, f, "when_there", "%s", when(d->when_there));
}

static enum im_verdict tell_differences(const struct im_survey *survey, struct im_sink *s, bool of_catalog) {
    const struct im_replica_facts *r = survey->replicas;
    size_t before = s->count;
    bool is_asked = false;
    if (!r || !r->is_compared)
        return (enum im_verdict)im_sink_skip(s, NOT_COMPARED);
    for (size_t i = 0; i < r->replicas.count; i++)
        is_asked = is_asked || (is_catalog(r, i) == of_catalog && !r->troubles[i]);
    if (!is_asked) {
        return (enum im_verdict)im_sink_skip(s, of_catalog ? "there is no global catalog of several domains that was asked"
                                                           : "no other server could be asked");
    }
    for (size_t i = 0; i < r->differences.count; i++) {
        if (is_catalog(r, r->differences.items[i].replica) == of_catalog)
            tell_difference(s, r, &r->differences.items[i]);
    }
    return s->count > before ? IM_FIRES : IM_FINE;
}

static enum im_verdict attr_differs(const struct im_survey *survey, struct im_sink *s) {
    return tell_differences(survey, s, false);
}

static enum im_verdict gc_stale(const struct im_survey *survey, struct im_sink *s) {
    return tell_differences(survey, s, true);
}

/* Servers that were not asked, one line each where it is known why. */
static enum im_verdict scope_partial(const struct im_survey *survey, struct im_sink *s) {
    const struct im_replica_facts *r = survey->replicas;
    size_t before = s->count;
    if (survey->is_offline)
        return (enum im_verdict)im_sink_skip(s, "an export is all there is");
    if (!r)
        return (enum im_verdict)im_sink_skip(s, "other servers were not looked for");
    if (r->unlisted) {
        im_sink_find(s, "replicas", "other servers could not be listed: %s", r->unlisted);
    } else if (!r->is_compared && r->replicas.count) {
        im_sink_find(s, survey->server, "only one server was asked, of %zu that hold these accounts", r->replicas.count + 1);
    }
    for (size_t i = 0; r->is_compared && i < r->replicas.count; i++) {
        if (r->troubles[i]) {
            struct im_finding *f = im_sink_find(s, r->replicas.items[i].name, "it could not be compared: %s", r->troubles[i]);
            f->severity = IM_WARNING;
        }
    }
    if (survey->domain_count > 1 && survey->is_ad)
        im_sink_find(s, "forest", "accounts of one domain were judged, of %zu in the forest", survey->domain_count);
    return s->count > before ? IM_FIRES : IM_FINE;
}

static enum im_verdict result_truncated(const struct im_survey *survey, struct im_sink *s) {
    if (!survey->truncated)
        return IM_FINE;
    im_sink_find(s, survey->server, "a result was cut off, so that numbers are too small and findings are missing: %s",
                 survey->truncated);
    return IM_FIRES;
}

static enum im_verdict bound_to_gc(const struct im_survey *survey, struct im_sink *s) {
    if (!survey->is_bound_to_gc)
        return IM_FINE;
    im_sink_find(s, survey->server, "%s is the port of a global catalog, which has a part of the attributes and takes no changes",
                 survey->server);
    return IM_FIRES;
}

const struct im_rule im_replication_rules[] = {
    {.id = "replication-result-truncated",
     .scope = IM_SCOPE_REPLICATION,
     .severity = IM_ERROR,
     .title = "Result that was cut off",
     .cause = "A size, time or administrative limit, or a referral that is not followed, hides accounts.",
     .remedy = "raise the limits of the account that is used, or name the server that holds the rest with --uri",
     .source = "RFC 4511 section 4.1.9",
     .survey = result_truncated},
    {.id = "replication-bound-to-gc",
     .scope = IM_SCOPE_REPLICATION,
     .severity = IM_ERROR,
     .title = "Global catalog instead of a domain controller",
     .cause = "The ports 3268 and 3269 give a partial copy that cannot be written.",
     .remedy = "use port 389 or 636 of a domain controller of the accounts' domain",
     .source = "MS-ADTS section 3.1.1.3.1.10",
     .survey = bound_to_gc},
    {.id = "replication-attr-differs",
     .scope = IM_SCOPE_REPLICATION,
     .severity = IM_WARNING,
     .title = "Servers do not agree",
     .cause = "A change has not reached every server yet: who signs in there is sent to the old home.",
     .remedy = "wait, or replicate now: repadmin /syncall, or samba-tool drs replicate; then look again with --replicas",
     .source = "Exchange 2000 product help on instant messaging",
     .survey = attr_differs},
    {.id = "replication-gc-stale",
     .scope = IM_SCOPE_REPLICATION,
     .severity = IM_WARNING,
     .title = "Global catalog is behind",
     .cause = "Routers of other domains read the global catalog, and send to the old home as long as it is behind.",
     .remedy = "wait, or replicate to the global catalog servers; then look again with --replicas",
     .source = "Exchange Server 2003 SDK, schema of the global catalog",
     .survey = gc_stale},
    {.id = "replication-scope-partial",
     .scope = IM_SCOPE_REPLICATION,
     .severity = IM_INFO,
     .title = "Not everything was looked at",
     .cause = "Other servers or domains may say something else than the one that was asked.",
     .remedy = "compare with --replicas, and check the other domains with --uri and --base",
     .source = "MS-ADTS section 3.1.1.1.9",
     .survey = scope_partial},
};
const size_t im_replication_rule_count = sizeof im_replication_rules / sizeof im_replication_rules[0];
