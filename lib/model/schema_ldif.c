#include "lib/data/guid.h"
#include "lib/data/ldif.h"
#include "lib/model/schema.h"

#include <string.h>

#define CHANGE "changetype: add\n"

static void line(struct im_buf *out, const char *name, const char *value) {
    im_buf_addf(out, "%s: %s\n", name, value);
}

static void octets(struct im_buf *out, const char *name, const unsigned char guid[static IM_GUID_BYTES_SIZE]) {
    char bytes[IM_GUID_BYTES_SIZE];
    memcpy(bytes, guid, sizeof bytes);
    struct berval value = {.bv_len = sizeof bytes, .bv_val = bytes};
    /* Always base64, also where all octets happen to be printable. */
    im_ldif_write_value(out, name, &value);
}

static bool has_guid(const unsigned char guid[static IM_GUID_BYTES_SIZE]) {
    static const unsigned char none[IM_GUID_BYTES_SIZE];
    return memcmp(guid, none, sizeof none) != 0;
}

/* head: "changetype: add\n" or nothing. */
static void record_attr(const struct im_attr_def *def, const char *nc, const char *head, struct im_buf *out) {
    const struct im_syntax_row *syntax = im_syntax_row(def->syntax);
    im_buf_addf(out, "dn: CN=%s,%s\n%sobjectClass: attributeSchema\n", def->cn, nc, head);
    line(out, "cn", def->cn);
    line(out, "lDAPDisplayName", def->name);
    line(out, "adminDisplayName", def->cn);
    line(out, "adminDescription", def->description);
    line(out, "attributeID", def->oid);
    line(out, "attributeSyntax", syntax->ad_syntax);
    im_buf_addf(out, "oMSyntax: %d\n", syntax->ad_om);
    if (syntax->ad_om_class)
        im_buf_addf(out, "oMObjectClass:: %s\n", syntax->ad_om_class);
    line(out, "isSingleValued", def->single ? "TRUE" : "FALSE");
    if (def->lower >= 0)
        im_buf_addf(out, "rangeLower: %ld\n", def->lower);
    if (def->upper >= 0)
        im_buf_addf(out, "rangeUpper: %ld\n", def->upper);
    im_buf_addf(out, "searchFlags: %ld\n", def->search_flags);
    line(out, "isMemberOfPartialAttributeSet", def->in_gc ? "TRUE" : "FALSE");
    line(out, "showInAdvancedViewOnly", "TRUE");
    octets(out, "schemaIDGUID", def->guid);
    if (has_guid(def->security_guid))
        octets(out, "attributeSecurityGUID", def->security_guid);
    im_buf_addc(out, '\n');
}

static void record_class(const struct im_class_def *def, const char *nc, const char *head, struct im_buf *out) {
    im_buf_addf(out, "dn: CN=%s,%s\n%sobjectClass: classSchema\n", def->cn, nc, head);
    line(out, "cn", def->cn);
    line(out, "lDAPDisplayName", def->name);
    line(out, "adminDisplayName", def->cn);
    line(out, "adminDescription", def->description);
    line(out, "governsID", def->oid);
    line(out, "objectClassCategory", "3"); /* auxiliary */
    line(out, "rDNAttID", "cn");
    line(out, "subClassOf", def->sup);
    for (size_t i = 0; i < def->may_count; i++)
        line(out, "mayContain", def->may[i]);
    line(out, "showInAdvancedViewOnly", "TRUE");
    octets(out, "schemaIDGUID", def->guid);
    im_buf_addc(out, '\n');
}

void im_schema_record_attr(const struct im_attr_def *def, const char *schema_nc, struct im_buf *out) {
    record_attr(def, schema_nc, "", out);
}

void im_schema_record_class(const struct im_class_def *def, const char *schema_nc, struct im_buf *out) {
    record_class(def, schema_nc, "", out);
}

static void update_now(struct im_buf *out) {
    im_buf_adds(out, "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n-\n\n");
}

void im_schema_ldif_ad(const struct im_schema_defs *defs, const char *schema_nc, struct im_buf *out) {
    const char *nc = schema_nc ? schema_nc : "CN=Schema,CN=Configuration,DC=X";
    if (!schema_nc) {
        im_buf_adds(out, "# Put the forest's root for DC=X: ldifde -i -f FILE -c DC=X \"DC=corp,DC=example\"\n"
                         "# or: sed 's/DC=X/DC=corp,DC=example/' FILE | ldapmodify -H ldap://SCHEMA-MASTER ...\n\n");
    }
    for (size_t i = 0; i < defs->attr_count; i++)
        record_attr(&defs->attrs[i], nc, CHANGE, out);
    if (defs->attr_count)
        update_now(out);
    for (size_t i = 0; i < defs->class_count; i++)
        record_class(&defs->classes[i], nc, CHANGE, out);
    if (defs->class_count)
        update_now(out);
    for (size_t i = 0; i < defs->class_count; i++) {
        for (size_t k = 0; k < defs->classes[i].attach_count; k++) {
            const char *target = defs->classes[i].attach[k];
            im_buf_addf(out, "dn: CN=%c%s,%s\nchangetype: modify\nadd: auxiliaryClass\nauxiliaryClass: %s\n-\n\n",
                        target[0] - 'a' + 'A', target + 1, nc, defs->classes[i].name);
        }
        if (defs->classes[i].attach_count)
            update_now(out);
    }
}

/* Long values are folded where a reader may unfold them: inside the value, after a blank. */
static void folded(struct im_buf *out, const char *name, const struct im_buf *text) {
    struct berval value = im_buf_value(text);
    if (text->failed) {
        out->failed = true;
    } else {
        im_ldif_write_value(out, name, &value);
    }
}

void im_schema_ldif_openldap(const struct im_schema_defs *defs, const char *name, struct im_buf *out) {
    im_buf_addf(out, "dn: cn=%s,cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: %s\n", name, name);
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; i < defs->attr_count; i++) {
        im_buf_clear(&text);
        im_schema_describe_attr(&defs->attrs[i], &text);
        folded(out, "olcAttributeTypes", &text);
    }
    for (size_t i = 0; i < defs->class_count; i++) {
        im_buf_clear(&text);
        im_schema_describe_class(&defs->classes[i], &text);
        folded(out, "olcObjectClasses", &text);
    }
    im_buf_free(&text);
}

void im_schema_describe_attr(const struct im_attr_def *def, struct im_buf *out) {
    const struct im_syntax_row *syntax = im_syntax_row(def->syntax);
    im_buf_addf(out, "( %s NAME '%s' DESC '%s' EQUALITY %s", def->oid, def->name, def->description, syntax->equality);
    if (syntax->substr)
        im_buf_addf(out, " SUBSTR %s", syntax->substr);
    im_buf_addf(out, " SYNTAX %s%s )", syntax->oid, def->single ? " SINGLE-VALUE" : "");
}

void im_schema_describe_class(const struct im_class_def *def, struct im_buf *out) {
    im_buf_addf(out, "( %s NAME '%s' DESC '%s' SUP %s AUXILIARY MAY (", def->oid, def->name, def->description, def->sup);
    for (size_t i = 0; i < def->may_count; i++)
        im_buf_addf(out, "%s %s", i ? " $" : "", def->may[i]);
    im_buf_adds(out, " ) )");
}
