/* Reading and extending a schema, on a directory in memory that shows new definitions late, refuses, or is lost. */
#include "lib/directory/schema.h"

#include "lib/base/text.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define NC "CN=Schema,CN=Configuration,DC=corp,DC=example"
#define SETTINGS(server) "CN=NTDS Settings,CN=" server ",CN=Servers,CN=Site,CN=Sites,CN=Configuration,DC=corp,DC=example"
#define AD                                                                                                                       \
    "dn:\nobjectClass: top\nnamingContexts: DC=corp,DC=example\ndefaultNamingContext: DC=corp,DC=example\n"                      \
    "configurationNamingContext: CN=Configuration,DC=corp,DC=example\nschemaNamingContext: " NC "\n"                             \
    "subschemaSubentry: CN=Aggregate," NC "\ndsServiceName: " SETTINGS(                                                          \
        "DC1") "\n"                                                                                                              \
               "supportedCapabilities: 1.2.840.113556.1.4.800\n\n"                                                               \
               "dn: " NC "\nobjectClass: dMD\ncn: Schema\nfSMORoleOwner: " SETTINGS(                                             \
                   "DC1") "\n\n"                                                                                                 \
                          "dn: CN=Aggregate," NC "\nobjectClass: subSchema\n"                                                    \
                          "attributeTypes: ( 2.5.4.3 NAME 'cn' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n"                         \
                          "objectClasses: ( 1.2.840.113556.1.5.9 NAME 'user' STRUCTURAL )\n\n"                                   \
                          "dn: CN=User," NC                                                                                      \
                          "\nobjectClass: classSchema\ncn: User\nlDAPDisplayName: user\ngovernsID: 1.2.840.113556.1.5.9\n\n"     \
                          "dn: CN=Group," NC                                                                                     \
                          "\nobjectClass: classSchema\ncn: Group\nlDAPDisplayName: group\ngovernsID: 1.2.840.113556.1.5.8\n\n"

#define CORE                                                                                                                     \
    "attributeTypes: ( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )\n"                                                          \
    "attributeTypes: ( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )\n"            \
    "attributeTypes: this is none\n"                                                                                             \
    "objectClasses: ( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )\n"                                                          \
    "objectClasses: ( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY userPassword )\n"                            \
    "dITContentRules: ( 2.5.6.6 NAME 'rule' AUX ( im $ other ) MUST a MAY ( b $ c ) )\n\n"
#define OPENLDAP MEMDIR_OPENLDAP "dn: cn=Subschema\nobjectClass: subschema\n" CORE
#define CONFIG "dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n"

struct fixture {
    struct im_profile *profile;
    struct im_pool *pool;
    struct memdir *m;
    struct im_directory *d;
    struct im_error e;
    struct im_schema_extension x;
    char steps[2048];
    size_t late; /* so many searches of the subschema show nothing new */
};

static void note(void *user, const char *step) {
    struct fixture *f = user;
    size_t len = strlen(f->steps);
    snprintf(f->steps + len, sizeof f->steps - len, "%s\n", step);
}

static void start(struct fixture *f, const char *ldif) {
    f->m = memdir_new(NULL, ldif);
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    f->x = (struct im_schema_extension){.profile = f->profile, .timeout_s = 30, .progress = note, .user = f};
    f->steps[0] = '\0';
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || im_profile_load("exchange2000", &f->profile, NULL) != IM_OK || !(f->pool = im_pool_new()))
        return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void show(struct memdir *m, const char *dn, const char *attribute, const char *text) {
    struct berval value = value_of(text, strlen(text));
    struct im_op op = {.kind = IM_OP_ADD, .attribute = attribute, .values = &value, .count = 1};
    struct im_change change = {.dn = dn, .ops = &op, .count = 1};
    (void)memdir_modify(m, &change); /* 20: shown already */
}

static bool has(const struct memdir *m, const char *dn, const char *attribute) {
    const struct im_entry *entry = memdir_entry(m, dn);
    return entry && im_entry_attr(entry, attribute);
}

/* What the server does with definitions when it gets round to it. */
static void publish_ad(struct memdir *m, size_t nth, void *user) {
    struct fixture *f = user;
    const struct im_schema_defs *defs = &f->profile->schema;
    const char *subschema = "CN=Aggregate," NC;
    char dn[256];
    (void)nth;
    if (f->late > 0) {
        f->late--;
        return;
    }
    for (size_t i = 0; i < defs->attr_count; i++) {
        char text[256];
        snprintf(dn, sizeof dn, "CN=%s," NC, defs->attrs[i].cn);
        snprintf(text, sizeof text, "( %s NAME '%s' SYNTAX 1.2.3 )", defs->attrs[i].oid, defs->attrs[i].name);
        if (memdir_entry(m, dn))
            show(m, subschema, "attributeTypes", text);
    }
    if (memdir_entry(m, "CN=ms-Exch-IM-Recipient," NC))
        show(m, subschema, "objectClasses", "( 1.2.840.113556.1.5.7000.62.7008 NAME 'msExchIMRecipient' AUXILIARY )");
    show(m, subschema, "objectClasses", "( 1.2.840.113556.1.5.8 NAME 'group' STRUCTURAL )");
    if (has(m, "CN=User," NC, "auxiliaryClass"))
        show(m, subschema, "dITContentRules", "( 1.2.840.113556.1.5.9 NAME 'user' AUX ( x $ msExchIMRecipient ) )");
    if (has(m, "CN=Group," NC, "auxiliaryClass"))
        show(m, subschema, "dITContentRules", "( 1.2.840.113556.1.5.8 NAME 'group' MAY msExchIMVirtualServer )");
}

static void start_ad(struct fixture *f, const char *ldif) {
    start(f, ldif);
    memdir_before(f->m, MEMDIR_SEARCH, 0, publish_ad, f);
}

static size_t writes(const struct fixture *f) {
    return memdir_count(f->m, MEMDIR_ADD) + memdir_count(f->m, MEMDIR_MODIFY);
}

/* ---- Active Directory ---- */

static void everything_is_added_in_order(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    if (im_schema_extend(f->d, &f->x, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
    assert_string_equal(f->steps, "adding attribute msExchIMACL\nadding attribute msExchIMMetaPhysicalURL\n"
                                  "adding attribute msExchIMPhysicalURL\nadding attribute msExchIMVirtualServer\n"
                                  "adding attribute msExchIMAddress\nwaiting for the attributes to become active\n"
                                  "adding class msExchIMRecipient\nwaiting for the class to become active\n"
                                  "attaching class msExchIMRecipient on user\nattaching class msExchIMRecipient on group\n"
                                  "waiting for the attachment of the class to become active\n");
    assert_true(f->x.wrote);
    assert_int_equal(memdir_count(f->m, MEMDIR_ADD), 6);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 5); /* three schemaUpdateNow, two attachments */
    const struct im_entry *entry = memdir_entry(f->m, "CN=ms-Exch-IM-Address," NC);
    assert_non_null(entry);
    assert_string_equal(im_entry_string(entry, "attributeSyntax"), "2.5.5.5");
    assert_int_equal(im_entry_value(entry, "schemaIDGUID")->bv_len, 16);
    assert_string_equal(im_entry_string(memdir_entry(f->m, "CN=Group," NC), "auxiliaryClass"), "msExchIMRecipient");
}

static void twice_writes_nothing(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    size_t before = writes(f);
    f->x.wrote = false;
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(writes(f), before);
    assert_false(f->x.wrote);
}

static void what_shows_late_is_waited_for(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    f->late = 6;
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(f->late, 0);
}

static void what_never_shows_is_a_timeout(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    f->late = 1000000;
    f->x.timeout_s = -1; /* passed at once */
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_TIMEOUT);
    assert_mentions(f->e.text, "run imschema --extend again later");
    assert_true(f->x.wrote);
    assert_null(memdir_entry(f->m, "CN=ms-Exch-IM-Recipient," NC));
    /* And the next run goes on from there. */
    f->late = 0;
    im_error_clear(&f->e);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_ADD), 6);
}

static void only_the_master_is_extended(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD "dn: CN=DC2,CN=Servers,CN=Site,CN=Sites,CN=Configuration,DC=corp,DC=example\nobjectClass: server\n"
                   "dNSHostName: dc2.corp.example\n\n");
    memdir_set(f->m, NC, "fSMORoleOwner", SETTINGS("DC2"));
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "not the schema master");
    assert_mentions(f->e.text, "imschema --extend --uri ldap://dc2.corp.example");
    assert_int_equal(writes(f), 0);
    assert_false(f->x.wrote);
    const char *host;
    assert_int_equal(im_schema_master(f->d, f->pool, &host, NULL), IM_OK);
    assert_string_equal(host, "dc2.corp.example");
}

static void a_master_that_cannot_be_named_is_an_error(void **state) {
    struct fixture *f = *state;
    const char *host = "untouched";
    start_ad(f, AD);
    memdir_set(f->m, NC, "fSMORoleOwner", SETTINGS("GONE"));
    assert_int_equal(im_schema_master(f->d, f->pool, &host, &f->e), IM_E_SCHEMA);
    assert_string_equal(f->e.where, SETTINGS("GONE"));
    memdir_set(f->m, NC, "fSMORoleOwner", NULL);
    im_error_clear(&f->e);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "fSMORoleOwner");
    assert_int_equal(writes(f), 0);
    assert_string_equal(host, "untouched");
}

#define TAKEN(cn, name, oid)                                                                                                     \
    "dn: CN=" cn "," NC "\nobjectClass: attributeSchema\ncn: " cn "\nlDAPDisplayName: " name "\nattributeID: " oid               \
    "\nattributeSyntax: 2.5.5.5\noMSyntax: 19\nisSingleValued: TRUE\n\n"

static void every_conflict_is_listed_before_the_first_write(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD TAKEN("other", "other", "1.2.840.113556.1.4.7000.102.7038") TAKEN("ms-Exch-IM-ACL", "third", "1.2.3")
                    TAKEN("x", "msExchIMPhysicalURL", "1.2.4"));
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "nothing was changed");
    assert_mentions(f->e.text, "msExchIMAddress its OID 1.2.840.113556.1.4.7000.102.7038 belongs to other");
    assert_mentions(f->e.text, "msExchIMACL the place of its definition is taken by third");
    assert_mentions(f->e.text, "msExchIMPhysicalURL has OID 1.2.4");
    assert_int_equal(writes(f), 0);
}

static void a_part_is_completed(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD TAKEN("ms-Exch-IM-Address", "msExchIMAddress", "1.2.840.113556.1.4.7000.102.7038"));
    memdir_set(f->m, "CN=User," NC, "auxiliaryClass", "mailRecipient");
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_ADD), 5);
    assert_int_equal(im_entry_attr(memdir_entry(f->m, "CN=User," NC), "auxiliaryClass")->count, 2);
}

static void a_dry_run_writes_nothing(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    f->x.dry_run = true;
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(writes(f), 0);
    memdir_set(f->m, NC, "fSMORoleOwner", SETTINGS("GONE"));
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SCHEMA);
}

static void refusals_say_what_to_do(void **state) {
    struct fixture *f = *state;
    static const struct {
        int code;
        const char *diagnostic, *words;
    } rows[] = {
        {50, "00002098: INSUFF_ACCESS_RIGHTS", "member of Schema Admins"},
        {53, "schema_data_add: updates are not allowed: reject add request", "dsdb:schema update allowed = yes"},
        {53, "something else", "something else"},
        {10, "0000202B: RefErr: DSID-0310082F", "another"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        start_ad(f, AD);
        memdir_fault(f->m, (struct memdir_fault){MEMDIR_ADD, 1, .code = rows[i].code, .diagnostic = rows[i].diagnostic});
        assert_int_not_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
        assert_mentions(f->e.text, rows[i].words);
        assert_mentions(f->e.where, "CN=ms-Exch-IM-ACL");
        assert_false(f->x.wrote);
        assert_int_equal(writes(f), 1);
        im_error_clear(&f->e);
        im_directory_free(&f->d);
        memdir_free(&f->m);
    }
}

static void a_refusal_in_the_middle_is_told_from_one_at_the_start(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    memdir_fault(f->m, (struct memdir_fault){MEMDIR_ADD, 3, .code = 53, .diagnostic = "no"});
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SERVER);
    assert_true(f->x.wrote);
}

static void somebody_quicker_is_no_error(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    memdir_fault(f->m, (struct memdir_fault){MEMDIR_ADD, 2, .code = 68, .is_done = true});
    memdir_fault(f->m, (struct memdir_fault){MEMDIR_MODIFY, 3, .code = 20, .is_done = true});
    if (im_schema_extend(f->d, &f->x, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
}

static void a_lost_connection_may_have_written(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    memdir_fault(f->m, (struct memdir_fault){MEMDIR_ADD, 1, .error = IM_E_LOST, .is_done = true});
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_LOST);
    assert_true(f->x.wrote);
}

static atomic_int stop_flag;

static void stop_now(struct memdir *m, size_t nth, void *user) {
    (void)m, (void)nth, (void)user;
    stop_flag = 1;
}

static void a_request_to_stop_ends_between_steps(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    stop_flag = 0;
    f->x.stop = &stop_flag;
    memdir_before(f->m, MEMDIR_ADD, 2, stop_now, NULL);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_INTERRUPTED);
    assert_int_equal(memdir_count(f->m, MEMDIR_ADD), 2);
    assert_non_null(memdir_entry(f->m, "CN=ms-Exch-IM-Meta-Physical-URL," NC)); /* what was sent was waited for */
    assert_mentions(f->e.text, "goes on from here");
}

static void stopped_while_waiting(void **state) {
    struct fixture *f = *state;
    start_ad(f, AD);
    f->late = 1000000;
    stop_flag = 0;
    f->x.stop = &stop_flag;
    memdir_before(f->m, MEMDIR_SEARCH, 5, stop_now, NULL);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_INTERRUPTED);
}

static void a_definition_that_cannot_be_read_is_not_absent(void **state) {
    struct fixture *f = *state;
    struct im_schema schema;
    start_ad(f, AD);
    memdir_set(f->m, "CN=User," NC, "governsID", NULL);
    assert_int_equal(im_schema_read(f->d, f->profile, f->pool, &schema, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "lack rights");
    memdir_delete(f->m, "CN=User," NC);
    memdir_delete(f->m, "CN=Group," NC);
    im_error_clear(&f->e);
    assert_int_equal(im_schema_read(f->d, f->profile, f->pool, &schema, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "no class can be seen by cn=tester");
}

/* ---- OpenLDAP ---- */

/* slapd shows what is in cn=config at once. */
static void publish_openldap(struct memdir *m, size_t nth, void *user) {
    static const char *const dns[] = {"cn=exchange2000-im,cn=schema,cn=config", "cn={1}exchange2000-im,cn=schema,cn=config"};
    static const char *const pairs[][2] = {{"olcAttributeTypes", "attributeTypes"}, {"olcObjectClasses", "objectClasses"}};
    (void)nth, (void)user;
    for (size_t i = 0; i < LENGTH(dns); i++) {
        for (size_t p = 0; p < LENGTH(pairs); p++) {
            const struct im_entry *entry = memdir_entry(m, dns[i]);
            const struct im_attr *attr = entry ? im_entry_attr(entry, pairs[p][0]) : NULL;
            for (size_t v = 0; attr && v < attr->count; v++)
                show(m, "cn=Subschema", pairs[p][1], attr->values[v].bv_val);
        }
    }
}

static void start_openldap(struct fixture *f, const char *ldif) {
    start(f, ldif);
    memdir_before(f->m, MEMDIR_SEARCH, 0, publish_openldap, f);
}

static void one_entry_is_added(void **state) {
    struct fixture *f = *state;
    start_openldap(f, OPENLDAP CONFIG);
    if (im_schema_extend(f->d, &f->x, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
    assert_int_equal(memdir_count(f->m, MEMDIR_ADD), 1);
    assert_int_equal(writes(f), 1);
    assert_true(f->x.wrote);
    const struct im_entry *entry = memdir_entry(f->m, "cn=exchange2000-im,cn=schema,cn=config");
    assert_int_equal(im_entry_attr(entry, "olcAttributeTypes")->count, 5);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(writes(f), 1);
}

static void our_entry_is_completed(void **state) {
    struct fixture *f = *state;
    start_openldap(f, OPENLDAP CONFIG
                   "dn: cn={0}core,cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: {0}core\n\n"
                   "dn: cn={1}exchange2000-im,cn=schema,cn=config\nobjectClass: olcSchemaConfig\n"
                   "cn: {1}exchange2000-im\nolcAttributeTypes: ( 1.2.840.113556.1.4.7000.102.7031 NAME 'msExchIMACL' "
                   "EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n\n");
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_ADD), 0);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
    const struct im_entry *entry = memdir_entry(f->m, "cn={1}exchange2000-im,cn=schema,cn=config");
    assert_int_equal(im_entry_attr(entry, "olcAttributeTypes")->count, 5);
    assert_int_equal(im_entry_attr(entry, "olcObjectClasses")->count, 1);
}

static void no_sight_of_the_configuration(void **state) {
    struct fixture *f = *state;
    start_openldap(f, OPENLDAP);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_NOT_FOUND);
    assert_mentions(f->e.text, "bound as cn=tester");
    assert_mentions(f->e.text, "ldapi:///");
    assert_int_equal(writes(f), 0);
    assert_false(f->x.wrote);
}

static void no_right_to_the_configuration(void **state) {
    struct fixture *f = *state;
    start_openldap(f, OPENLDAP CONFIG);
    memdir_fault(f->m, (struct memdir_fault){MEMDIR_ADD, 1, .code = 50});
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SERVER);
    assert_mentions(f->e.text, "may not change cn=config");
    assert_false(f->x.wrote);
}

static void an_answer_is_not_believed_without_a_look(void **state) {
    struct fixture *f = *state;
    start(f, OPENLDAP CONFIG); /* never shows anything */
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "does not show it");
    assert_true(f->x.wrote);
}

static void other_servers_are_told_how(void **state) {
    struct fixture *f = *state;
    start(f, "dn:\nobjectClass: top\nvendorName: 389 Project\nsubschemaSubentry: cn=Subschema\n\n"
             "dn: cn=Subschema\nobjectClass: subschema\n" CORE);
    assert_int_equal(im_schema_extend(f->d, &f->x, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "389 Directory Server");
    assert_mentions(f->e.text, "imschema --ldif openldap");
    assert_int_equal(writes(f), 0);
}

static void definitions_are_read(void **state) {
    struct fixture *f = *state;
    struct im_schema s;
    start(f, OPENLDAP);
    assert_int_equal(im_schema_read(f->d, f->profile, f->pool, &s, &f->e), IM_OK);
    assert_false(s.is_ad);
    assert_int_equal(s.attr_count, 3); /* cn under both of its names */
    assert_string_equal(im_schema_attr(&s, "commonName")->oid, "2.5.4.3");
    assert_string_equal(im_schema_attr(&s, "cn")->equality, "caseIgnoreMatch");
    assert_string_equal(im_schema_attr(&s, "cn")->syntax, "1.3.6.1.4.1.1466.115.121.1.15");
    const struct im_schema_class *person = im_schema_class(&s, "person");
    assert_int_equal(person->may_count, 3);
    assert_string_equal(person->sup[0], "top");
    assert_int_equal(person->aux_count, 2);
    assert_string_equal(person->aux[1], "other");
    assert_int_equal(person->rule_may_count, 3);
    assert_string_equal(person->rule_may[0], "a");
}

static void a_subschema_that_cannot_be_read(void **state) {
    struct fixture *f = *state;
    struct im_schema s;
    start(f, MEMDIR_OPENLDAP);
    assert_int_equal(im_schema_read(f->d, f->profile, f->pool, &s, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "not visible to cn=tester");
    im_error_clear(&f->e);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    start(f, MEMDIR_OPENLDAP "dn: cn=Subschema\nobjectClass: subschema\n\n");
    assert_int_equal(im_schema_read(f->d, f->profile, f->pool, &s, &f->e), IM_E_SCHEMA);
    assert_mentions(f->e.text, "shows no definitions");
    memdir_fault(f->m, (struct memdir_fault){MEMDIR_SEARCH, 2, .code = 51});
    im_error_clear(&f->e);
    assert_int_equal(im_schema_read(f->d, f->profile, f->pool, &s, &f->e), IM_E_SERVER);
}

static enum im_err read_once(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_pool *pool = im_pool_new();
    struct im_schema s;
    enum im_err err = pool ? im_schema_read(f->d, f->profile, pool, &s, e) : im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void reading_runs_out_of_memory(void **state) {
    struct fixture *f = *state;
    start(f, OPENLDAP);
    assert_true(oom_every_allocation(read_once, f) > 5);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    start(f, AD);
    assert_true(oom_every_allocation(read_once, f) > 5);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(everything_is_added_in_order),
        TEST(twice_writes_nothing),
        TEST(what_shows_late_is_waited_for),
        TEST(what_never_shows_is_a_timeout),
        TEST(only_the_master_is_extended),
        TEST(a_master_that_cannot_be_named_is_an_error),
        TEST(every_conflict_is_listed_before_the_first_write),
        TEST(a_part_is_completed),
        TEST(a_dry_run_writes_nothing),
        TEST(refusals_say_what_to_do),
        TEST(a_refusal_in_the_middle_is_told_from_one_at_the_start),
        TEST(somebody_quicker_is_no_error),
        TEST(a_lost_connection_may_have_written),
        TEST(a_request_to_stop_ends_between_steps),
        TEST(stopped_while_waiting),
        TEST(a_definition_that_cannot_be_read_is_not_absent),
        TEST(one_entry_is_added),
        TEST(our_entry_is_completed),
        TEST(no_sight_of_the_configuration),
        TEST(no_right_to_the_configuration),
        TEST(an_answer_is_not_believed_without_a_look),
        TEST(other_servers_are_told_how),
        TEST(definitions_are_read),
        TEST(a_subschema_that_cannot_be_read),
        TEST(reading_runs_out_of_memory),
    };
    return cmocka_run_group_tests_name("schema-extend", tests, NULL, NULL);
}
