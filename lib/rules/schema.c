#include "lib/rules/rows.h"
#include "lib/rules/say.h"

#include "lib/base/text.h"
#include "lib/model/organisation.h"

#include <string.h>

#define SOURCE_SCHEMA "MS-ADTS 3.1.1.2 (Active Directory Schema), RFC 4512 section 4"
#define ONLY_AD "only Active Directory has "

static bool know_report(const struct im_survey *survey, struct im_sink *s) {
    if (!survey->schema_report)
        im_say_unknown(s, "the schema was not compared");
    return survey->schema_report != NULL;
}

/* ---- what is missing ---- */

/* Where only groups lack the class, people can be enabled all the same. */
static bool is_for_users(const struct im_def_finding *item) {
    static const char tail[] = " on user";
    size_t len = strlen(item->name);
    return item->kind != IM_DEF_ATTACHMENT || (len >= sizeof tail - 1 && strcmp(item->name + len - (sizeof tail - 1), tail) == 0);
}

static void find_missing(const struct im_def_finding *item, bool is_contradicted, struct im_sink *s) {
    struct im_finding *f = item->kind == IM_DEF_ATTACHMENT
                               ? im_sink_find(s, item->name, "the class is not attached: %s", item->name)
                               : im_sink_find(s, item->name, "the schema has no %s %s", im_def_kind_name(item->kind), item->name);
    if (!is_for_users(item))
        f->severity = IM_INFO;
    if (is_contradicted)
        im_sink_remedy(s, f, "resolve what contradicts the profile, then: imschema --extend");
    if (item->oid)
        im_sink_evidence(s, f, "oid", "%s", item->oid);
}

/* A profile that defines nothing relies on what a product brought. */
static void find_unknown(const struct im_survey *survey, struct im_sink *s) {
    for (size_t i = 0; i < survey->profile->attr_count; i++) {
        const char *name = survey->profile->attrs[i].name;
        if (im_schema_attr(survey->schema, name))
            continue;
        struct im_finding *f = im_sink_find(s, name, "the schema has no attribute %s", name);
        im_sink_remedy(s, f, "extend the schema as the product that uses it demands: the profile %s does not define it",
                       survey->profile->name);
    }
}

static enum im_verdict missing(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    const struct im_schema_report *report = survey->schema_report;
    if (!know_report(survey, s))
        return IM_SKIPPED;
    if (!report->count && survey->schema && survey->profile)
        find_unknown(survey, s);
    if (report->count && report->state == IM_SCHEMA_ABSENT) { /* one line says it */
        im_sink_find(s, survey->profile ? survey->profile->name : "schema",
                     "nothing of the profile's schema is in the directory (%s)", im_say_count(s, report->count, "definition"));
        return im_say_verdict(s, before);
    }
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].state == IM_DEF_ABSENT)
            find_missing(&report->items[i], report->state == IM_SCHEMA_CONFLICTING, s);
    }
    return im_say_verdict(s, before);
}

static enum im_verdict conflict(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!know_report(survey, s))
        return IM_SKIPPED;
    for (size_t i = 0; i < survey->schema_report->count; i++) {
        const struct im_def_finding *item = &survey->schema_report->items[i];
        if (item->state != IM_DEF_CONFLICTING)
            continue;
        struct im_finding *f = im_sink_find(s, item->name, "the %s %s contradicts the profile: %s", im_def_kind_name(item->kind),
                                            item->name, item->detail ? item->detail : "it is another one");
        if (item->oid)
            im_sink_evidence(s, f, "oid", "%s", item->oid);
    }
    return im_say_verdict(s, before);
}

/* ---- where it would be extended ---- */

static enum im_verdict not_master(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    const struct im_organisation *o = survey->organisation;
    if (!survey->is_ad)
        return im_say_unknown(s, ONLY_AD "a schema master");
    if (!know_report(survey, s))
        return IM_SKIPPED;
    if (survey->schema_report->state != IM_SCHEMA_ABSENT && survey->schema_report->state != IM_SCHEMA_PARTLY)
        return IM_FINE; /* nobody is about to extend it */
    if (!o || !o->schema_role.is_known) {
        return im_say_unknown(s, "%s",
                              o && o->schema_role.why_not ? o->schema_role.why_not : "who is schema master was not read");
    }
    if (o->schema_role.is_here)
        return IM_FINE;
    const char *host = o->schema_role.host;
    struct im_finding *f =
        im_sink_find(s, host ? host : o->schema_role.owner,
                     "the schema is to be extended, and the server that was asked is not its master: that is %s",
                     host ? host : o->schema_role.owner);
    if (host)
        im_sink_remedy(s, f, "imschema --extend --uri ldap://%s", im_say_quoted(s, host));
    return im_say_verdict(s, before);
}

/* ---- forests ---- */

static bool is_in_profile(const struct im_profile *profile, const char *name) {
    for (size_t i = 0; i < profile->attr_count; i++) {
        if (im_text_equal(profile->attrs[i].name, name))
            return true;
    }
    return false;
}

static enum im_verdict attr_not_in_gc(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    const struct im_organisation *o = survey->organisation;
    if (!survey->is_ad)
        return im_say_unknown(s, ONLY_AD "a global catalog");
    if (o && o->domain_count == 1)
        return IM_FINE; /* every domain controller has all there is */
    if (!o || !o->gc.is_known) {
        return im_say_unknown(s, "%s",
                              o && o->gc.why_not ? o->gc.why_not : "which attributes a global catalog holds was not read");
    }
    for (size_t i = 0; i < o->gc.count; i++) {
        const struct im_gc_attr *attr = &o->gc.items[i];
        if (attr->is_in_gc || !is_in_profile(survey->profile, attr->name))
            continue;
        struct im_finding *f = im_sink_find(s, attr->name, "global catalogs do not hold %s, and the forest has %zu domains",
                                            attr->name, o->domain_count);
        im_sink_remedy(s, f, "at the schema master set isMemberOfPartialAttributeSet: TRUE on \"%s\"", attr->dn);
        im_sink_evidence(s, f, "dn", "%s", attr->dn);
    }
    return im_say_verdict(s, before);
}

/* Whoever may enable people of another domain, or write other things on several people of this one, is an administrator: then it
 * is the domain that lacks the rights. */
static bool is_administrator(const struct im_organisation *o, const struct im_domain_rights *domain) {
    bool is_one = domain->can_write > 1;
    for (size_t i = 0; i < o->domain_count; i++)
        is_one = is_one || (o->domains[i].is_known && o->domains[i].can_enable);
    return is_one;
}

static void judge_domain(const struct im_survey *survey, const struct im_domain_rights *domain, struct im_sink *s) {
    const struct im_organisation *o = survey->organisation;
    const struct im_profile_attr *address = im_profile_role(survey->profile, IM_ROLE_ADDRESS);
    const char *name = address ? address->name : "the attributes of the profile";
    if (!domain->is_known) {
        im_say_unknown(s, "%s: %s", domain->domain, domain->why_not ? domain->why_not : "rights were not read");
        return;
    }
    if (domain->can_enable)
        return;
    if (!is_administrator(o, domain)) {
        im_say_unknown(s, "%s may write nothing on people of %s: ask as the account that enables people", o->identity,
                       domain->domain);
        return;
    }
    struct im_finding *f = im_sink_find(s, domain->domain,
                                        "%s may not write %s and its like on any of the people of the domain that were "
                                        "looked at (%zu)",
                                        o->identity, name, domain->sampled);
    im_sink_remedy(s, f,
                   "prepare the domain as the product demands (setup /domainprep), or grant the rights: "
                   "dsacls \"%s\" /I:S /G \"GROUP:RPWP;%s;user\" for each attribute",
                   domain->domain, name);
}

static enum im_verdict domain_not_prepared(const struct im_survey *survey, struct im_sink *s) {
    size_t before = s->count;
    if (!survey->is_ad)
        return im_say_unknown(s, "this directory does not tell which attributes may be written");
    if (!survey->organisation || !survey->profile)
        return im_say_unknown(s, "rights on the people of each domain were not read");
    for (size_t i = 0; i < survey->organisation->domain_count; i++)
        judge_domain(survey, &survey->organisation->domains[i], s);
    return im_say_verdict(s, before);
}

const struct im_rule im_schema_rules[] = {
    {.id = "schema-missing",
     .scope = IM_SCOPE_SCHEMA,
     .severity = IM_ERROR,
     .title = "Schema not complete",
     .cause = "Attributes that the schema does not know, or does not allow on users, cannot be written.",
     .remedy = "imschema --extend",
     .source = SOURCE_SCHEMA,
     .survey = missing},
    {.id = "schema-conflict",
     .scope = IM_SCOPE_SCHEMA,
     .severity = IM_ERROR,
     .title = "Schema contradicts the profile",
     .cause =
         "An object identifier or a name is taken by something else, or a definition has another syntax or number of values. "
         "Definitions can be neither changed nor removed.",
     .remedy = "stop, and find out where the definition comes from: imschema shows it; a profile of your own may describe it",
     .source = SOURCE_SCHEMA,
     .survey = conflict},
    {.id = "schema-not-master",
     .scope = IM_SCOPE_SCHEMA,
     .severity = IM_ERROR,
     .title = "Not the schema master",
     .cause = "Only one domain controller of the forest accepts changes of the schema.",
     .remedy = "imschema --extend at the schema master",
     .source = "MS-ADTS 3.1.1.1.11 (FSMO Roles)",
     .survey = not_master},
    {.id = "schema-attr-not-in-gc",
     .scope = IM_SCOPE_SCHEMA,
     .severity = IM_WARNING,
     .title = "Attribute not in the global catalog",
     .cause = "Servers of other domains look people up in a global catalog; what it does not hold is not there for them.",
     .remedy = "set isMemberOfPartialAttributeSet: TRUE on the attribute's definition",
     .source = "Exchange Server SDK, schema reference; MS-ADTS 3.1.1.2.3",
     .survey = attr_not_in_gc},
    {.id = "schema-domain-not-prepared",
     .scope = IM_SCOPE_SCHEMA,
     .severity = IM_ERROR,
     .title = "Domain not prepared",
     .cause =
         "Each domain whose people use IM must grant rights to the attributes; where that was never done nobody there can be "
         "enabled.",
     .remedy = "prepare the domain",
     .source = "Microsoft Knowledge Base article 938290",
     .survey = domain_not_prepared},
};
const size_t im_schema_rule_count = sizeof im_schema_rules / sizeof im_schema_rules[0];
