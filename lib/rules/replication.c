#include "lib/base/buf.h"
#include "lib/model/replica_facts.h"
#include "lib/rules/rows.h"

#define NOT_COMPARED "the accounts were not compared with other servers: --replicas does"

static bool is_catalog(const struct im_replica_facts *r, size_t replica) {
    return r->replicas.items[replica].kind == IM_REPLICA_CATALOG;
}

static const char *when(const char *time) {
    return time ? time : "an unknown time";
}

/* What makes this one server catch up. */
static void say_remedy(struct im_sink *s, struct im_finding *f, const struct im_replica *replica) {
    const char *name = replica->name;
    if (replica->no_inbound) {
        im_sink_remedy(s, f,
                       "turn its replication on again: repadmin /options %s -DISABLE_INBOUND_REPL, or samba-tool drs options %s "
                       "--dsa-option=-DISABLE_INBOUND_REPL",
                       name, name);
    } else if (replica->kind == IM_REPLICA_CONFIGURED) {
        im_sink_remedy(s, f, "wait until %s has caught up with the server that it copies, then look again with --replicas", name);
    } else if (replica->kind != IM_REPLICA_CATALOG) {
        im_sink_remedy(
            s, f,
            "wait, or replicate now: repadmin /syncall %s /Ade, or samba-tool drs replicate %s FROM CONTEXT; then look "
            "again with --replicas",
            name, name);
    }
}

static void add_value(struct im_buf *out, const char *value) {
    if (value) {
        im_buf_addf(out, "\"%s\"", value);
    } else {
        im_buf_adds(out, "nothing");
    }
}

static void tell_values(struct im_sink *s, struct im_finding *f, const struct im_replica_difference *d) {
    im_sink_evidence(s, f, "attribute", "%s", d->attribute);
    im_sink_evidence(s, f, "here", "%s", d->here ? d->here : "");
    im_sink_evidence(s, f, "there", "%s", d->there ? d->there : "");
}

static void tell_difference(struct im_sink *s, const struct im_replica_facts *r, const struct im_replica_difference *d) {
    const struct im_replica *replica = &r->replicas.items[d->replica];
    struct im_buf text = IM_BUF_INIT;
    if (d->attribute) {
        im_buf_addf(&text, "%s is ", d->attribute);
        add_value(&text, d->here);
        im_buf_adds(&text, " here and ");
        add_value(&text, d->there);
        im_buf_addf(&text, " on %s (changed here at %s, there at %s)", replica->name, when(d->when_here), when(d->when_there));
    } else {
        im_buf_addf(&text, "the account is not there on %s (changed here at %s)", replica->name, when(d->when_here));
    }
    struct im_finding *f = im_sink_find(s, replica->name, "%s", im_buf_str(&text));
    s->failed = s->failed || text.failed;
    im_buf_free(&text);
    f->account = d->account;
    f->dn = d->dn;
    say_remedy(s, f, replica);
    if (d->attribute)
        tell_values(s, f, d);
    im_sink_evidence(s, f, "when_here", "%s", when(d->when_here));
    if (d->when_there)
        im_sink_evidence(s, f, "when_there", "%s", d->when_there);
}

static enum im_verdict tell_differences(const struct im_survey *survey, struct im_sink *s, bool of_catalog) {
    const struct im_replica_facts *r = survey->replicas;
    size_t before = s->count;
    bool is_asked = false;
    if (survey->is_offline)
        return (enum im_verdict)im_sink_skip(s, "an export is all there is");
    if (!r || !r->is_compared)
        return (enum im_verdict)im_sink_skip(s, NOT_COMPARED);
    for (size_t i = 0; i < r->replicas.count; i++)
        is_asked = is_asked || (is_catalog(r, i) == of_catalog && !r->troubles[i]);
    for (size_t i = 0; i < r->differences.count; i++) { /* also of one that failed later */
        if (is_catalog(r, r->differences.items[i].replica) == of_catalog)
            tell_difference(s, r, &r->differences.items[i]);
    }
    if (r->left_out && !of_catalog)
        im_sink_find(s, "replicas", "further differences are not listed: %zu", r->left_out);
    if (s->count > before)
        return IM_FIRES;
    if (is_asked)
        return IM_FINE;
    return (enum im_verdict)im_sink_skip(s, of_catalog ? "there is no global catalog of several domains that was asked"
                                                       : "no other server could be asked");
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
            if (r->replicas.items[i].kind != IM_REPLICA_READ_ONLY) /* those are often out of reach on purpose */
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
     .needs = IM_NEEDS_CENSUS,
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
