#include "lib/directory/rootdse.h"

#include "lib/base/text.h"

#include <string.h>

#define CAPABILITY_AD "1.2.840.113556.1.4.800" /* MS-ADTS 3.1.1.3.4.3 */

const char *const im_rootdse_attributes[] = {
    "*",
    "+",
    "namingContexts",
    "subschemaSubentry",
    "supportedControl",
    "supportedExtension",
    "supportedCapabilities",
    "vendorName",
    "defaultNamingContext",
    "rootDomainNamingContext",
    "configurationNamingContext",
    "schemaNamingContext",
    "configContext",
    "dnsHostName",
    "dsServiceName",
    "isGlobalCatalogReady",
    NULL,
};

static enum im_family family_of(const struct im_entry *entry) {
    const char *vendor = im_entry_string(entry, "vendorName");
    if (im_entry_has_value(entry, "supportedCapabilities", CAPABILITY_AD))
        return vendor && strstr(vendor, "Samba") ? IM_FAMILY_SAMBA : IM_FAMILY_AD;
    if (im_entry_has_value(entry, "objectClass", "OpenLDAProotDSE"))
        return IM_FAMILY_OPENLDAP;
    if (vendor && strstr(vendor, "389 Project"))
        return IM_FAMILY_389;
    return IM_FAMILY_OTHER;
}

enum im_err im_rootdse_decode(const struct im_entry *entry, struct im_pool *pool, struct im_rootdse *out, struct im_error *e) {
    const struct im_entry *kept = im_entry_copy(entry, pool);
    if (!kept)
        return im_error_nomem(e);
    const struct im_attr *contexts = im_entry_attr(kept, "namingContexts");
    *out = (struct im_rootdse){
        .entry = kept,
        .family = family_of(kept),
        .default_nc = im_entry_string(kept, "defaultNamingContext"),
        .root_domain_nc = im_entry_string(kept, "rootDomainNamingContext"),
        .config_nc = im_entry_string(kept, "configurationNamingContext"),
        .schema_nc = im_entry_string(kept, "schemaNamingContext"),
        .subschema = im_entry_string(kept, "subschemaSubentry"),
        .config_context = im_entry_string(kept, "configContext"),
        .dns_host_name = im_entry_string(kept, "dnsHostName"),
        .ds_service_name = im_entry_string(kept, "dsServiceName"),
        .is_gc = im_text_equal(im_entry_string(kept, "isGlobalCatalogReady"), "TRUE"),
    };
    out->is_ad = out->family == IM_FAMILY_AD || out->family == IM_FAMILY_SAMBA;
    if (!out->default_nc && contexts && contexts->count == 1)
        out->default_nc = contexts->values[0].bv_val;
    return IM_OK;
}

bool im_rootdse_has_control(const struct im_rootdse *r, const char *oid) {
    return r->entry && im_entry_has_value(r->entry, "supportedControl", oid);
}

static bool may_be_same(const char *a, const char *b) {
    return !a || !b || im_text_equal(a, b);
}

static bool have_same_contexts(const struct im_rootdse *a, const struct im_rootdse *b) {
    static const char name[] = "namingContexts";
    const struct im_attr *ours = im_entry_attr(a->entry, name);
    const struct im_attr *theirs = im_entry_attr(b->entry, name);
    bool is_same = !ours || !theirs || ours->count == theirs->count;
    for (size_t i = 0; is_same && ours && theirs && i < ours->count; i++)
        is_same = im_entry_has_value(b->entry, name, ours->values[i].bv_val);
    return is_same;
}

bool im_rootdse_is_same_server(const struct im_rootdse *a, const struct im_rootdse *b) {
    return a->family == b->family && may_be_same(a->dns_host_name, b->dns_host_name) &&
           may_be_same(a->ds_service_name, b->ds_service_name) && have_same_contexts(a, b);
}

const char *im_family_name(enum im_family family) {
    static const char *const names[] = {"LDAP server", "Active Directory", "Samba AD", "OpenLDAP", "389 Directory Server"};
    return names[family];
}
