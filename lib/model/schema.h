/* Schema: what the profile needs, what a directory has, and the difference. Pure. */
#ifndef IMDIR_MODEL_SCHEMA_H
#define IMDIR_MODEL_SCHEMA_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/names.h"
#include "lib/base/pool.h"
#include "lib/data/entry.h"
#include "lib/data/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- definitions: schema/NAME/schema.yaml ---- */

enum im_syntax { IM_SYNTAX_PRINTABLE, IM_SYNTAX_UNICODE, IM_SYNTAX_OCTETS, IM_SYNTAX_DN, IM_SYNTAX_INTEGER, IM_SYNTAX_BOOLEAN };

/* Row of the table of syntaxes: how each kind is written on either directory. */
struct im_syntax_row {
    enum im_syntax syntax;
    const char *name;        /* in schema.yaml: "printable" */
    const char *ad_syntax;   /* attributeSyntax "2.5.5.5" */
    int ad_om;               /* oMSyntax 19 */
    const char *ad_om_class; /* oMObjectClass, base64, or NULL */
    const char *oid;         /* OpenLDAP syntax OID (PrintableString becomes IA5String: slapd's refuses "@") */
    const char *equality, *substr;
};
const struct im_syntax_row *im_syntax_row(enum im_syntax syntax);

struct im_attr_def {
    const char *name, *cn, *oid, *description;
    enum im_syntax syntax;
    bool single, in_gc;
    long search_flags;
    long lower, upper;               /* value length; -1 = none */
    unsigned char guid[16];          /* schemaIDGUID octets */
    unsigned char security_guid[16]; /* attributeSecurityGUID octets; all zero = none */
};

struct im_class_def {
    const char *name, *cn, *oid, *description, *sup; /* auxiliary classes only */
    const char **may;
    size_t may_count;
    unsigned char guid[16];
    const char **attach; /* AD: classes that get it as a static auxiliary class */
    size_t attach_count;
};

struct im_schema_defs {
    const struct im_attr_def *attrs;
    size_t attr_count;
    const struct im_class_def *classes;
    size_t class_count;
};

enum im_err im_schema_defs_load(const struct im_yaml *doc, struct im_pool *pool, struct im_schema_defs *out, struct im_error *e);
/* The LDIF that `imschema --ldif` prints. AD: placeholder DC=X as ldifde expects it where schema_nc is NULL. */
void im_schema_ldif_ad(const struct im_schema_defs *defs, const char *schema_nc, struct im_buf *out);
void im_schema_ldif_openldap(const struct im_schema_defs *defs, const char *name, struct im_buf *out);

/* One definition as an LDIF record of the schema partition (AD), changetype left out. */
void im_schema_record_attr(const struct im_attr_def *def, const char *schema_nc, struct im_buf *out);
void im_schema_record_class(const struct im_class_def *def, const char *schema_nc, struct im_buf *out);
/* One definition as RFC 4512 writes it: a value of olcAttributeTypes or olcObjectClasses. */
void im_schema_describe_attr(const struct im_attr_def *def, struct im_buf *out);
void im_schema_describe_class(const struct im_class_def *def, struct im_buf *out);

/* ---- what a directory has ---- */

struct im_schema_attr {
    const char *name, *oid;
    const char *cn;     /* AD: the name of the definition's object; else NULL */
    const char *syntax; /* RFC 4512 syntax OID, or AD's attributeSyntax */
    int om;             /* AD's oMSyntax; 0 elsewhere */
    bool single;
    bool is_defunct;      /* AD: taken out of use; name and OID stay taken */
    const char *equality; /* matching rule, inherited from superiors; NULL = none (always NULL on AD) */
};

struct im_schema_class {
    const char *name, *oid;
    const char *cn;  /* AD: the name of the definition's object; else NULL */
    bool is_defunct; /* as of attributes */
    const char **sup;
    size_t sup_count;
    const char **may; /* must and may together */
    size_t may_count;
    const char **aux; /* static auxiliary classes (AD) or those of a DIT content rule */
    size_t aux_count;
    const char **rule_may; /* attributes that a DIT content rule allows by itself */
    size_t rule_may_count;
    struct im_names allowed; /* all that entries of the class may have; made by im_schema_index */
};

struct im_schema {
    bool is_ad;
    struct im_schema_attr *attrs;
    size_t attr_count;
    struct im_schema_class *classes;
    size_t class_count;
    struct im_names attr_names, class_names; /* names and OIDs; not made: everything is gone through */
};

/* Makes the names, in pool, when all is there: a run asks some fifty times for each account. */
enum im_err im_schema_index(struct im_schema *s, struct im_pool *pool, struct im_error *e);
const struct im_schema_attr *im_schema_attr(const struct im_schema *s, const char *name_or_oid); /* NULL: not there */
const struct im_schema_class *im_schema_class(const struct im_schema *s, const char *name_or_oid);
/* A matching rule that goes with the attribute's syntax (RFC 4517 section 4.2), for attributes without one of their own; or NULL.
 */
const char *im_schema_rule(const struct im_schema_attr *attr);
/* Do these object classes, their superiors, their static auxiliary classes or content rules allow the attribute? `without` (or
 * NULL) names a class that is taken as not listed. */
bool im_schema_allows(const struct im_schema *s, const struct im_attr *object_classes, const char *attribute,
                      const char *without);

/* ---- the difference ---- */

enum im_def_state { IM_DEF_PRESENT, IM_DEF_ABSENT, IM_DEF_CONFLICTING };
enum im_def_kind { IM_DEF_ATTRIBUTE, IM_DEF_CLASS, IM_DEF_ATTACHMENT };

struct im_def_finding {
    enum im_def_kind kind;
    const char *name; /* attachments: "msExchIMRecipient on user" */
    const char *oid;
    enum im_def_state state;
    const char *detail; /* what differs, or NULL */
};

enum im_schema_state { IM_SCHEMA_COMPLETE, IM_SCHEMA_PARTLY, IM_SCHEMA_ABSENT, IM_SCHEMA_CONFLICTING };

struct im_schema_report {
    const struct im_def_finding *items;
    size_t count;
    enum im_schema_state state;
};

/* Same OID under another name, or same name with other OID, syntax or single-valued flag, is a conflict; on AD also an object
 * name (CN) that belongs to something else, and a definition out of use. On OpenLDAP IA5String, DirectoryString and
 * PrintableString are all accepted for a printable attribute, and attachments do not apply. */
enum im_err im_schema_compare(const struct im_schema_defs *defs, const struct im_schema *found, struct im_pool *pool,
                              struct im_schema_report *out, struct im_error *e);
const char *im_schema_state_name(enum im_schema_state state); /* "complete" */
const char *im_def_state_name(enum im_def_state state);       /* "present" */
const char *im_def_kind_name(enum im_def_kind kind);          /* "attribute" */

#endif
