/* Schema definitions: loading, comparing with what a directory has, printing, and what object classes allow. */
#include "lib/model/schema.h"

#include "lib/data/ldif.h"
#include "lib/model/profile.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { ATTRS = 5, USER = 1, GROUP = 2 };

/* A directory that has everything; tests spoil it. */
struct fixture {
    struct im_profile *profile;
    struct im_pool *pool;
    struct im_schema_attr attrs[ATTRS];
    struct im_schema_class classes[3];
    struct im_schema found;
    const char *aux[1];
};

static void make_complete(struct fixture *f, bool is_ad) {
    const struct im_schema_defs *defs = &f->profile->schema;
    f->aux[0] = "msExchIMRecipient";
    for (size_t i = 0; i < ATTRS; i++) {
        const struct im_attr_def *def = &defs->attrs[i];
        const struct im_syntax_row *row = im_syntax_row(def->syntax);
        f->attrs[i] = (struct im_schema_attr){.name = def->name, .oid = def->oid, .single = def->single};
        f->attrs[i].syntax = is_ad ? row->ad_syntax : row->oid;
        f->attrs[i].om = is_ad ? row->ad_om : 0;
        f->attrs[i].cn = is_ad ? def->cn : NULL;
    }
    const struct im_class_def *class = &defs->classes[0];
    f->classes[0] = (struct im_schema_class){.name = class->name, .oid = class->oid, .cn = is_ad ? class->cn : NULL};
    f->classes[0].may = class->may;
    f->classes[0].may_count = class->may_count;
    f->classes[USER] = (struct im_schema_class){.name = "user", .oid = "1.2.840.113556.1.5.9", .aux = f->aux, .aux_count = 1};
    f->classes[GROUP] = (struct im_schema_class){.name = "group", .oid = "1.2.840.113556.1.5.8", .aux = f->aux, .aux_count = 1};
    f->found =
        (struct im_schema){.is_ad = is_ad, .attrs = f->attrs, .attr_count = ATTRS, .classes = f->classes, .class_count = 3};
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || im_profile_load("exchange2000", &f->profile, NULL) != IM_OK || !(f->pool = im_pool_new()))
        return -1;
    make_complete(f, true);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static struct im_schema_report compare(struct fixture *f) {
    struct im_schema_report report = {0};
    struct im_error e = {0};
    assert_int_equal(im_schema_compare(&f->profile->schema, &f->found, f->pool, &report, &e), IM_OK);
    return report;
}

static const struct im_def_finding *finding(const struct im_schema_report *report, const char *name) {
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->items[i].name, name) == 0)
            return &report->items[i];
    }
    fail_msg("there is no finding of %s", name);
    return NULL;
}

static struct im_schema_attr *attr(struct fixture *f, const char *name) {
    for (size_t i = 0; i < ATTRS; i++) {
        if (strcmp(f->attrs[i].name, name) == 0)
            return &f->attrs[i];
    }
    fail_msg("there is no attribute %s", name);
    return NULL;
}

/* ---- comparing ---- */

static void all_there_is_complete(void **state) {
    struct fixture *f = *state;
    struct im_schema_report report = compare(f);
    assert_int_equal(report.state, IM_SCHEMA_COMPLETE);
    assert_int_equal(report.count, 8); /* with the two attachments */
    assert_int_equal(finding(&report, "msExchIMRecipient on user")->kind, IM_DEF_ATTACHMENT);
    assert_int_equal(finding(&report, "msExchIMRecipient on group")->state, IM_DEF_PRESENT);
    make_complete(f, false);
    report = compare(f);
    assert_int_equal(report.state, IM_SCHEMA_COMPLETE);
    assert_int_equal(report.count, 6); /* OpenLDAP has no attachments */
}

static void nothing_there_is_absent(void **state) {
    struct fixture *f = *state;
    f->found.attr_count = 0;
    f->found.class_count = 0;
    struct im_schema_report report = compare(f);
    assert_int_equal(report.state, IM_SCHEMA_ABSENT);
    for (size_t i = 0; i < report.count; i++) {
        assert_int_equal(report.items[i].state, IM_DEF_ABSENT);
        assert_null(report.items[i].detail);
    }
}

static void one_missing_is_partly(void **state) {
    struct fixture *f = *state;
    f->classes[GROUP].aux_count = 0;
    struct im_schema_report report = compare(f);
    assert_int_equal(report.state, IM_SCHEMA_PARTLY);
    assert_int_equal(finding(&report, "msExchIMRecipient on group")->state, IM_DEF_ABSENT);
    assert_int_equal(finding(&report, "msExchIMRecipient on user")->state, IM_DEF_PRESENT);
    make_complete(f, true);
    f->found.attr_count--;
    report = compare(f);
    assert_int_equal(report.state, IM_SCHEMA_PARTLY);
    assert_int_equal(finding(&report, f->attrs[ATTRS - 1].name)->state, IM_DEF_ABSENT);
}

static void names_differ_by_letter_case_only(void **state) {
    struct fixture *f = *state;
    attr(f, "msExchIMAddress")->name = "MSEXCHIMADDRESS";
    f->classes[0].name = "msexchimrecipient";
    f->aux[0] = "MsExchImRecipient";
    assert_int_equal(compare(f).state, IM_SCHEMA_COMPLETE);
    f->aux[0] = "1.2.840.113556.1.5.7000.62.7008";
    assert_int_equal(compare(f).state, IM_SCHEMA_COMPLETE);
}

static void assert_conflict(struct fixture *f, const char *name, const char *words) {
    struct im_schema_report report = compare(f);
    const struct im_def_finding *item = finding(&report, name);
    assert_int_equal(report.state, IM_SCHEMA_CONFLICTING);
    assert_int_equal(item->state, IM_DEF_CONFLICTING);
    assert_mentions(item->detail, words);
    size_t conflicts = 0;
    for (size_t i = 0; i < report.count; i++)
        conflicts += report.items[i].state == IM_DEF_CONFLICTING;
    assert_int_equal(conflicts, 1);
}

static void each_difference_is_a_conflict(void **state) {
    struct fixture *f = *state;
    attr(f, "msExchIMAddress")->oid = "1.2.3";
    assert_conflict(f, "msExchIMAddress", "has OID 1.2.3, expected 1.2.840.113556.1.4.7000.102.7038");
    make_complete(f, true);
    attr(f, "msExchIMAddress")->name = "somethingElse";
    assert_conflict(f, "msExchIMAddress", "its OID 1.2.840.113556.1.4.7000.102.7038 belongs to somethingElse");
    make_complete(f, true);
    attr(f, "msExchIMAddress")->syntax = "2.5.5.12";
    assert_conflict(f, "msExchIMAddress", "has syntax 2.5.5.12 with oMSyntax 19, expected 2.5.5.5 with 19");
    make_complete(f, true);
    attr(f, "msExchIMAddress")->om = 22;
    assert_conflict(f, "msExchIMAddress", "oMSyntax 22, expected 2.5.5.5 with 19");
    make_complete(f, true);
    attr(f, "msExchIMAddress")->single = false;
    assert_conflict(f, "msExchIMAddress", "is multi-valued, expected single-valued");
    make_complete(f, true);
    attr(f, "msExchIMACL")->single = true;
    assert_conflict(f, "msExchIMACL", "is single-valued, expected multi-valued");
    make_complete(f, true);
    attr(f, "msExchIMACL")->is_defunct = true;
    assert_conflict(f, "msExchIMACL", "isDefunct");
    make_complete(f, true);
    *attr(f, "msExchIMACL") = (struct im_schema_attr){.name = "other", .oid = "1.2.3", .cn = "ms-Exch-IM-ACL"};
    assert_conflict(f, "msExchIMACL", "taken by other");
}

static void classes_conflict_too(void **state) {
    struct fixture *f = *state;
    f->classes[0].oid = "1.2.3";
    assert_conflict(f, "msExchIMRecipient", "has OID 1.2.3");
    make_complete(f, true);
    f->classes[0].may_count = 4; /* the list ends with msExchIMACL */
    assert_conflict(f, "msExchIMRecipient", "does not allow msExchIMACL");
    make_complete(f, true);
    f->classes[0].is_defunct = true;
    assert_conflict(f, "msExchIMRecipient", "isDefunct");
    make_complete(f, false);
    f->classes[0].name = "elsewhere";
    assert_conflict(f, "msExchIMRecipient", "belongs to elsewhere");
}

static void openldap_has_several_string_syntaxes(void **state) {
    struct fixture *f = *state;
    static const char *const fine[] = {"1.3.6.1.4.1.1466.115.121.1.44", "1.3.6.1.4.1.1466.115.121.1.15",
                                       "1.3.6.1.4.1.1466.115.121.1.26"};
    make_complete(f, false);
    for (size_t i = 0; i < LENGTH(fine); i++) {
        attr(f, "msExchIMAddress")->syntax = fine[i];
        assert_int_equal(compare(f).state, IM_SCHEMA_COMPLETE);
    }
    attr(f, "msExchIMAddress")->syntax = "1.3.6.1.4.1.1466.115.121.1.40";
    assert_conflict(f, "msExchIMAddress", "has syntax 1.3.6.1.4.1.1466.115.121.1.40, expected 1.3.6.1.4.1.1466.115.121.1.26");
    attr(f, "msExchIMAddress")->syntax = NULL;
    assert_conflict(f, "msExchIMAddress", "has syntax none");
    make_complete(f, false);
    attr(f, "msExchIMVirtualServer")->syntax = "1.3.6.1.4.1.1466.115.121.1.15";
    assert_conflict(f, "msExchIMVirtualServer", "1.3.6.1.4.1.1466.115.121.1.12");
}

static void no_definitions_are_complete(void **state) {
    struct fixture *f = *state;
    struct im_schema_defs none = {0};
    struct im_schema_report report;
    assert_int_equal(im_schema_compare(&none, &f->found, f->pool, &report, NULL), IM_OK);
    assert_int_equal(report.state, IM_SCHEMA_COMPLETE);
    assert_int_equal(report.count, 0);
}

static enum im_err compare_once(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_pool *pool = im_pool_new();
    struct im_schema_report report;
    enum im_err err = pool ? im_schema_compare(&f->profile->schema, &f->found, pool, &report, e) : im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    struct fixture *f = *state;
    attr(f, "msExchIMAddress")->syntax = "2.5.5.12";
    assert_true(oom_every_allocation(compare_once, f) > 1);
}

static void states_have_names(void **state) {
    (void)state;
    assert_string_equal(im_schema_state_name(IM_SCHEMA_COMPLETE), "complete");
    assert_string_equal(im_schema_state_name(IM_SCHEMA_PARTLY), "partly");
    assert_string_equal(im_schema_state_name(IM_SCHEMA_ABSENT), "absent");
    assert_string_equal(im_schema_state_name(IM_SCHEMA_CONFLICTING), "conflicting");
    assert_string_equal(im_def_state_name(IM_DEF_PRESENT), "present");
    assert_string_equal(im_def_kind_name(IM_DEF_ATTACHMENT), "attachment");
}

/* ---- printing ---- */

/* The one record of the text. */
static struct im_entry *read_record(struct fixture *f, struct im_buf *text) {
    struct im_ldif_reader *reader = NULL;
    struct im_entry *entry = NULL;
    FILE *stream = fmemopen(text->data, text->len, "r");
    assert_non_null(stream);
    assert_int_equal(im_ldif_reader_new(stream, "test", &reader, NULL), IM_OK);
    assert_int_equal(im_ldif_read(reader, f->pool, &entry, NULL), IM_OK);
    assert_non_null(entry);
    im_ldif_reader_free(&reader);
    fclose(stream);
    return entry;
}

static const struct im_attr_def *def_of(struct fixture *f, const char *name) {
    for (size_t i = 0; i < f->profile->schema.attr_count; i++) {
        if (strcmp(f->profile->schema.attrs[i].name, name) == 0)
            return &f->profile->schema.attrs[i];
    }
    fail_msg("there is no definition of %s", name);
    return NULL;
}

static void an_attribute_as_active_directory_wants_it(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"objectClass", "attributeSchema"},
        {"cn", "ms-Exch-IM-Virtual-Server"},
        {"lDAPDisplayName", "msExchIMVirtualServer"},
        {"attributeID", "1.2.840.113556.1.4.7000.102.7037"},
        {"attributeSyntax", "2.5.5.1"},
        {"oMSyntax", "127"},
        {"isSingleValued", "TRUE"},
        {"searchFlags", "1"},
        {"isMemberOfPartialAttributeSet", "TRUE"},
        {"showInAdvancedViewOnly", "TRUE"},
    };
    struct im_buf text = IM_BUF_INIT;
    im_schema_record_attr(def_of(f, "msExchIMVirtualServer"), "CN=Schema,CN=Configuration,DC=x", &text);
    const struct im_entry *entry = read_record(f, &text);
    assert_string_equal(entry->dn, "CN=ms-Exch-IM-Virtual-Server,CN=Schema,CN=Configuration,DC=x");
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_string_equal(im_entry_string(entry, rows[i].name), rows[i].value);
    /* The octets, least significant first where Active Directory has it so (MS-DTYP 2.3.4.2). */
    assert_mentions(im_buf_str(&text), "\nschemaIDGUID:: gv3oQTePVk6kSjOj5rdSbA==\n");
    assert_mentions(im_buf_str(&text), "\nattributeSecurityGUID:: VAGN5Pi80RGHAgDAT7lgUA==\n");
    assert_mentions(im_buf_str(&text), "\noMObjectClass:: KwwCh3McAIVK\n");
    assert_null(im_entry_attr(entry, "rangeLower"));
    im_buf_free(&text);
}

static void every_guid_is_the_documented_one(void **state) {
    struct fixture *f = *state;
    static const char *const rows[][2] = {
        {"msExchIMACL", "EBBVBkUo0xGqaADAT47t2A=="},         {"msExchIMMetaPhysicalURL", "o5N6jnxa0xGqeADAT47t2A=="},
        {"msExchIMPhysicalURL", "qJN6jnxa0xGqeADAT47t2A=="}, {"msExchIMVirtualServer", "gv3oQTePVk6kSjOj5rdSbA=="},
        {"msExchIMAddress", "Uje9y9i43EeS7qtIjBr5aQ=="},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_buf text = IM_BUF_INIT;
        im_schema_record_attr(def_of(f, rows[i][0]), "CN=x", &text);
        assert_mentions(im_buf_str(&text), rows[i][1]);
        im_buf_free(&text);
    }
    struct im_buf text = IM_BUF_INIT;
    im_schema_record_class(&f->profile->schema.classes[0], "CN=x", &text);
    assert_mentions(im_buf_str(&text), "schemaIDGUID:: 9AKFAoGp0hGp/wDAT47t2A==");
    im_buf_free(&text);
}

static void limits_are_printed_where_there_are_some(void **state) {
    struct fixture *f = *state;
    struct im_attr_def def = *def_of(f, "msExchIMACL");
    struct im_buf text = IM_BUF_INIT;
    memset(def.security_guid, 0, sizeof def.security_guid);
    def.lower = 0;
    def.upper = 1024;
    def.in_gc = false;
    im_schema_record_attr(&def, "CN=x", &text);
    assert_mentions(im_buf_str(&text), "\nrangeLower: 0\nrangeUpper: 1024\n");
    assert_mentions(im_buf_str(&text), "\nisMemberOfPartialAttributeSet: FALSE\n");
    assert_mentions(im_buf_str(&text), "\nisSingleValued: FALSE\n");
    assert_null(strstr(im_buf_str(&text), "attributeSecurityGUID"));
    assert_null(strstr(im_buf_str(&text), "oMObjectClass"));
    im_buf_free(&text);
}

static size_t place_of(const char *text, const char *part) {
    const char *at = strstr(text, part);
    if (!at)
        fail_msg("\"%s\" is missing", part);
    return (size_t)(at - text);
}

static void steps_for_active_directory_come_in_order(void **state) {
    struct fixture *f = *state;
    static const char update[] = "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n-\n\n";
    struct im_buf out = IM_BUF_INIT;
    im_schema_ldif_ad(&f->profile->schema, "CN=Schema,CN=Configuration,DC=corp,DC=example", &out);
    const char *text = im_buf_str(&out);
    size_t class = place_of(text, "dn: CN=ms-Exch-IM-Recipient,");
    size_t user = place_of(text, "dn: CN=User,CN=Schema,CN=Configuration,DC=corp,DC=example\nchangetype: modify\n"
                                 "add: auxiliaryClass\nauxiliaryClass: msExchIMRecipient\n-\n\n");
    size_t group = place_of(text, "dn: CN=Group,");
    for (size_t i = 0; i < ATTRS; i++) {
        char dn[128];
        snprintf(dn, sizeof dn, "dn: CN=%s,CN=Schema", f->profile->schema.attrs[i].cn);
        assert_true(place_of(text, dn) < place_of(text, update));
    }
    assert_true(place_of(text, update) < class);
    assert_true(class < class + place_of(text + class, update) && class + place_of(text + class, update) < user);
    assert_true(user < group);
    assert_non_null(strstr(text + group, update));
    assert_null(strstr(text, "DC=X"));
    im_buf_free(&out);
    im_schema_ldif_ad(&f->profile->schema, NULL, &out);
    assert_mentions(im_buf_str(&out), "dn: CN=User,CN=Schema,CN=Configuration,DC=X\n");
    assert_mentions(im_buf_str(&out), "ldifde");
    im_buf_free(&out);
}

static void the_entry_for_openldap(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    im_schema_ldif_openldap(&f->profile->schema, "exchange2000-im", &text);
    const struct im_entry *entry = read_record(f, &text);
    assert_string_equal(entry->dn, "cn=exchange2000-im,cn=schema,cn=config");
    assert_int_equal(im_entry_attr(entry, "olcAttributeTypes")->count, 5);
    assert_string_equal(im_entry_attr(entry, "olcAttributeTypes")->values[4].bv_val,
                        "( 1.2.840.113556.1.4.7000.102.7038 NAME 'msExchIMAddress' DESC 'Address of an instant messaging user' "
                        "EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch "
                        "SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )");
    assert_string_equal(im_entry_attr(entry, "olcAttributeTypes")->values[0].bv_val,
                        "( 1.2.840.113556.1.4.7000.102.7031 NAME 'msExchIMACL' DESC 'Privacy list of an instant messaging user' "
                        "EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )");
    assert_string_equal(im_entry_string(entry, "olcObjectClasses"),
                        "( 1.2.840.113556.1.5.7000.62.7008 NAME 'msExchIMRecipient' DESC 'A recipient of instant messages' "
                        "SUP top AUXILIARY MAY ( msExchIMVirtualServer $ msExchIMAddress $ msExchIMPhysicalURL $ "
                        "msExchIMMetaPhysicalURL $ msExchIMACL ) )");
    im_buf_free(&text);
}

/* ---- loading ---- */

#define ATTR "attributes:\n- {name: a, cn: A, oid: 1.2.3, description: d, "
#define GUID "guid: 06551010-2845-11d3-aa68-00c04f8eedd8"
#define CLASS "classes:\n- {name: a, cn: A, oid: 1.2.3, description: d, superior: top, " GUID

static void wrong_definitions_name_their_place(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *yaml;
        size_t line, column;
        const char *words;
    } rows[] = {
        {"attribute: []\n", 1, 1, "did you mean \"attributes\"?"},
        {"attributes: x\n", 1, 13, "list of definitions"},
        {"classes: {}\n", 1, 10, "list of definitions"},
        {"attributes:\n- x\n", 2, 3, "map"},
        {ATTR "single: true, gc: true, " GUID "}\n", 2, 3, "\"syntax\" is missing"},
        {ATTR "syntax: ia5, single: true, gc: true, " GUID "}\n", 2, 56, "expected printable, unicode"},
        {ATTR "syntax: dn, gc: true, " GUID "}\n", 2, 3, "\"single\" is missing"},
        {ATTR "syntax: dn, single: maybe, gc: true, " GUID "}\n", 2, 68, "true"},
        {ATTR "syntax: dn, single: true, gc: true}\n", 2, 3, "\"guid\" is missing"},
        {ATTR "syntax: dn, single: true, gc: true, guid: 12}\n", 2, 90, "\"12\" is not a GUID"},
        {ATTR "syntax: dn, single: true, gc: true, lower: -1, " GUID "}\n", 2, 91, "0"},
        {ATTR "syntax: dn, single: true, gc: true, link: 1, " GUID "}\n", 2, 84, "unknown key \"link\""},
        {"classes:\n- {name: a, cn: A, oid: 1.2.3, description: d, " GUID "}\n", 2, 3, "\"superior\" is missing"},
        {CLASS ", may: a}\n", 2, 112, "list of names"},
        {CLASS ", attach: [[a]]}\n", 2, 116, "text"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_yaml *doc = NULL;
        struct im_schema_defs defs = {0};
        struct im_error e = {0};
        assert_int_equal(im_yaml_load_text("test", rows[i].yaml, strlen(rows[i].yaml), &doc, &e), IM_OK);
        if (im_schema_defs_load(doc, f->pool, &defs, &e) != IM_E_CONFIG)
            fail_msg("accepted: %s", rows[i].yaml);
        if (e.line != rows[i].line || e.column != rows[i].column) {
            fail_msg("%zu:%zu instead of %zu:%zu, \"%s\": %s", e.line, e.column, rows[i].line, rows[i].column, e.text,
                     rows[i].yaml);
        }
        assert_mentions(e.text, rows[i].words);
        assert_int_equal(defs.attr_count + defs.class_count, 0);
        im_yaml_free(&doc);
    }
}

static void no_definitions_at_all(void **state) {
    struct fixture *f = *state;
    struct im_yaml *doc = NULL;
    struct im_schema_defs defs = {0};
    assert_int_equal(im_yaml_load_text("test", "", 0, &doc, NULL), IM_OK);
    assert_int_equal(im_schema_defs_load(doc, f->pool, &defs, NULL), IM_OK);
    assert_int_equal(defs.attr_count + defs.class_count, 0);
    im_yaml_free(&doc);
}

/* ---- what object classes allow ---- */

#define NAMES(...)                                                                                                               \
    (const char *[]) {                                                                                                           \
        __VA_ARGS__                                                                                                              \
    }

static struct im_schema_class allowing[] = {
    {.name = "top", .oid = "1", .may = NAMES("cn"), .may_count = 1, .sup = NAMES("top"), .sup_count = 1},
    {.name = "person", .oid = "2", .may = NAMES("sn"), .may_count = 1, .sup = NAMES("top"), .sup_count = 1},
    {.name = "user",
     .oid = "3",
     .sup = NAMES("person"),
     .sup_count = 1,
     .aux = NAMES("im"),
     .aux_count = 1,
     .rule_may = NAMES("byRule"),
     .rule_may_count = 1},
    {.name = "inetOrgPerson", .oid = "4", .sup = NAMES("user"), .sup_count = 1},
    {.name = "im", .oid = "5", .may = NAMES("imAddress"), .may_count = 1, .sup = NAMES("imBase"), .sup_count = 1},
    {.name = "imBase", .oid = "6", .may = NAMES("imBaseAttr"), .may_count = 1, .sup = NAMES("top"), .sup_count = 1},
    {.name = "loopA", .oid = "7", .sup = NAMES("loopB"), .sup_count = 1},
    {.name = "loopB", .oid = "8", .sup = NAMES("loopA"), .sup_count = 1},
};

static bool allows(bool is_ad, const char *class, const char *attribute, const char *without) {
    struct im_schema schema = {.is_ad = is_ad, .classes = allowing, .class_count = LENGTH(allowing)};
    struct berval value = value_of(class, strlen(class));
    struct im_attr classes = {"objectClass", &value, 1};
    return im_schema_allows(&schema, &classes, attribute, without);
}

static void superiors_allow(void **state) {
    (void)state;
    assert_true(allows(true, "inetOrgPerson", "sn", NULL));
    assert_true(allows(true, "INETORGPERSON", "CN", NULL));
    assert_true(allows(false, "4", "sn", NULL));
    assert_false(allows(true, "inetOrgPerson", "mail", NULL));
    assert_false(allows(true, "unknown", "cn", NULL));
}

static void static_auxiliary_classes_allow_on_active_directory(void **state) {
    (void)state;
    assert_true(allows(true, "user", "imAddress", NULL));
    assert_true(allows(true, "inetOrgPerson", "imBaseAttr", NULL));
    assert_false(allows(true, "person", "imAddress", NULL));
    /* A content rule elsewhere says that the class may be added, not that it is there. */
    assert_false(allows(false, "user", "imAddress", NULL));
}

static void content_rules_allow_for_their_own_class(void **state) {
    (void)state;
    assert_true(allows(false, "user", "byRule", NULL));
    assert_false(allows(false, "inetOrgPerson", "byRule", NULL));
}

static void one_class_can_be_left_out(void **state) {
    (void)state;
    assert_true(allows(false, "im", "imAddress", NULL));
    assert_false(allows(false, "im", "imAddress", "IM"));
    /* What the class gives as a static auxiliary class stays. */
    assert_true(allows(true, "user", "imAddress", "im"));
}

static void loops_end(void **state) {
    (void)state;
    assert_false(allows(true, "loopA", "cn", NULL));
    assert_false(im_schema_allows(&(struct im_schema){0}, NULL, "cn", NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_there_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_there_is_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_missing_is_partly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_differ_by_letter_case_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_difference_is_a_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(classes_conflict_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(openldap_has_several_string_syntaxes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_definitions_are_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_an_error, set_up, tear_down),
        cmocka_unit_test(states_have_names),
        cmocka_unit_test_setup_teardown(an_attribute_as_active_directory_wants_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_guid_is_the_documented_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_are_printed_where_there_are_some, set_up, tear_down),
        cmocka_unit_test_setup_teardown(steps_for_active_directory_come_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_entry_for_openldap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_definitions_name_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_definitions_at_all, set_up, tear_down),
        cmocka_unit_test(superiors_allow),
        cmocka_unit_test(static_auxiliary_classes_allow_on_active_directory),
        cmocka_unit_test(content_rules_allow_for_their_own_class),
        cmocka_unit_test(one_class_can_be_left_out),
        cmocka_unit_test(loops_end),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
