/* A directory that is an export: what is deduced, which entries a search gets, and how searches share a pass. */
#include "lib/base/text.h"
#include "lib/directory/offline.h"
#include "lib/directory/schema.h"
#include "lib/directory/schema_read.h"
#include "lib/directory/topology.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct fixture {
    char path[32];
    char uri[64];
    const char *uris[1];
    struct im_config config;
    struct im_live_options options;
    atomic_int stop;
    struct im_directory *d;
    struct im_pool *pool;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (!f || !(f->pool = im_pool_new()))
        return -1;
    strcpy(f->path, "/tmp/imdir-unit-XXXXXX");
    int fd = mkstemp(f->path);
    if (fd < 0 || close(fd) != 0)
        return -1;
    (void)snprintf(f->uri, sizeof f->uri, "ldif:%s", f->path);
    f->uris[0] = f->uri;
    f->config.uris.items = f->uris;
    f->config.uris.count = 1;
    f->config.profile = "exchange2000";
    f->options = (struct im_live_options){.config = &f->config, .stop = &f->stop};
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    im_pool_free(&f->pool);
    (void)unlink(f->path);
    free(f);
    return 0;
}

static void write_export(struct fixture *f, const char *text) {
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    (void)fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void open_export(struct fixture *f, const char *text) {
    im_directory_free(&f->d);
    write_export(f, text);
    if (im_offline_open(&f->options, &f->d, &f->e) != IM_OK)
        fail_msg("%zu: %s", f->e.line, f->e.text);
}

#define AD                                                                                                                       \
    "dn: DC=corp,DC=example\nobjectClass: domainDNS\nobjectGUID:: AAAAAAAAAAAAAAAAAAAAAA==\n\n"                                  \
    "dn: CN=Configuration,DC=corp,DC=example\nobjectClass: configuration\n\n"                                                    \
    "dn: CN=Partitions,CN=Configuration,DC=corp,DC=example\nobjectClass: crossRefContainer\n\n"                                  \
    "dn: CN=CORP,CN=Partitions,CN=Configuration,DC=corp,DC=example\nobjectClass: crossRef\nnCName: DC=corp,DC=example\n"         \
    "systemFlags: 3\nnETBIOSName: CORP\n\n"                                                                                      \
    "dn: CN=Users,DC=corp,DC=example\nobjectClass: container\n\n"                                                                \
    "dn: CN=a,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: a\nmail: A@x\n"                                    \
    "objectGUID:: AQIDBAUGBwgJCgsMDQ4PEA==\n\n"                                                                                  \
    "dn: CN=M\xc3\xbcller\\, B,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: b\nmanager: cn=A, "               \
    "CN=users,DC=corp,DC=example\n\n"                                                                                            \
    "dn: CN=c\\0ADEL:1,CN=Deleted Objects,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: c\n\n"                          \
    "dn: CN=conf,CN=Configuration,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: conf\n\n"

#define OPENLDAP                                                                                                                 \
    "dn: dc=corp\nobjectClass: domain\ndc: corp\nentryUUID: 1\n\ndn: ou=p,dc=corp\nobjectClass: organizationalUnit\nou: p\n\n"   \
    "dn: uid=a,ou=p,dc=corp\nobjectClass: person\nuid: a\n\n"

struct found {
    struct im_buf names;
};

static enum im_err take_name(void *user, const struct im_entry *entry, struct im_error *e) {
    struct found *found = user;
    (void)e;
    im_buf_addf(&found->names, "%s%.*s", found->names.len ? " " : "", (int)strcspn(entry->dn, ","), entry->dn);
    return IM_OK;
}

/* First RDNs of what a search gives; an error gives its text. */
static void assert_finds(struct fixture *f, const struct im_search *search, const char *expect) {
    struct found found = {.names = IM_BUF_INIT};
    im_error_clear(&f->e);
    if (im_directory_search(f->d, search, take_name, &found, &f->e) != IM_OK) {
        assert_mentions(f->e.text, expect);
    } else {
        assert_string_equal(im_buf_str(&found.names), expect);
    }
    im_buf_free(&found.names);
}

#define FIND(scope_, base_, filter_) (&(const struct im_search){.base = (base_), .scope = (scope_), .filter = (filter_)})

/* ---- what is deduced ---- */

static void families_are_known_by_their_attributes(void **state) {
    struct fixture *f = *state;
    open_export(f, AD);
    const struct im_rootdse *root = im_directory_rootdse(f->d);
    assert_true(root->is_ad && root->is_offline && root->has_assumed_schema && !root->is_gc);
    assert_string_equal(root->default_nc, "DC=corp,DC=example");
    assert_string_equal(root->config_nc, "CN=Configuration,DC=corp,DC=example");
    open_export(f, OPENLDAP);
    root = im_directory_rootdse(f->d);
    assert_true(!root->is_ad && root->family == IM_FAMILY_OPENLDAP);
    assert_string_equal(root->default_nc, "dc=corp");
    assert_null(root->config_nc);
    open_export(f, "dn: o=x\no: x\n");
    assert_int_equal(im_directory_rootdse(f->d)->family, IM_FAMILY_OTHER);
    /* as slapd with a schema like Active Directory's shows it */
    open_export(f, "dn: dc=x\nobjectClass: domainDNS\nobjectGUID:: AAAA\nentryUUID: 1\n");
    assert_false(im_directory_rootdse(f->d)->is_ad);
}

static void contexts_are_what_all_lies_below(void **state) {
    static const struct {
        const char *text, *expect;
    } rows[] = {
        {"dn: uid=a,ou=p,dc=corp\nuid: a\n\ndn: uid=b,ou=p,dc=corp\nuid: b\n", "ou=p,dc=corp"},
        {"dn: uid=a,ou=p,dc=corp\nuid: a\n\ndn: uid=b,ou=q,dc=corp\nuid: b\n", "dc=corp"},
        {"dn: uid=a,OU=P,DC=Corp\nuid: a\n\ndn: ou=p,dc=corp\nuid: b\n", "OU=P,DC=Corp"},
        {"dn: o=a\no: a\n\ndn: o=b\no: b\n", NULL},
        {"dn: cn=config\ncn: config\n\ndn: cn=x,o=a\ncn: x\n\ndn: cn=y,o=a\ncn: y\n", "o=a"},
        {"dn: dc=b,dc=a\ndc: b\n\ndn: dc=a\ndc: a\n", "dc=a"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        open_export(f, rows[i].text);
        const char *nc = im_directory_rootdse(f->d)->default_nc;
        if (!im_text_equal(nc, rows[i].expect))
            fail_msg("%zu: %s", i, nc ? nc : "none");
    }
}

static void facts_are_gathered_as_from_a_server(void **state) {
    struct fixture *f = *state;
    struct im_profile *profile = NULL;
    struct im_schema schema;
    struct im_schema_report report;
    const char *netbios = NULL;
    assert_int_equal(im_profile_load("exchange2000", &profile, NULL), IM_OK);
    open_export(f, AD);
    assert_int_equal(im_topology_netbios(f->d, "CN=a,DC=corp,DC=example", f->pool, &netbios, &f->e), IM_OK);
    assert_string_equal(netbios, "CORP");
    assert_int_equal(im_schema_read(f->d, profile, f->pool, &schema, &f->e), IM_OK);
    assert_int_equal(im_schema_compare(&profile->schema, &schema, f->pool, &report, &f->e), IM_OK);
    assert_int_equal(report.state, IM_SCHEMA_COMPLETE);
    struct berval user = VALUE("user");
    const struct im_attr users = {.name = "objectClass", .values = &user, .count = 1};
    assert_true(schema.is_ad && im_schema_allows(&schema, &users, "msExchIMAddress", NULL));
    assert_null(im_schema_attr(&schema, "pwdLastSet")); /* nobody has it */
    open_export(f, OPENLDAP);
    assert_int_equal(im_schema_read(f->d, profile, f->pool, &schema, &f->e), IM_OK);
    assert_int_equal(im_schema_compare(&profile->schema, &schema, f->pool, &report, &f->e), IM_OK);
    assert_int_equal(report.state, IM_SCHEMA_COMPLETE);
    assert_true(im_schema_attr(&schema, "uid") && im_schema_class(&schema, "person"));
    struct berval class = VALUE("person");
    const struct im_attr classes = {.name = "objectClass", .values = &class, .count = 1};
    assert_false(im_schema_allows(&schema, &classes, "msExchIMAddress", NULL));
    open_export(f, OPENLDAP "dn: uid=b,ou=p,dc=corp\nobjectClass: person\nuid: b\nmsExchIMAddress: b@im\n");
    assert_int_equal(im_schema_read(f->d, profile, f->pool, &schema, &f->e), IM_OK);
    assert_true(im_schema_allows(&schema, &classes, "msExchIMAddress", NULL)); /* somebody has it so */
    im_profile_free(&profile);
}

static void definitions_of_the_export_come_first(void **state) {
    struct fixture *f = *state;
    struct im_schema schema;
    open_export(f, OPENLDAP "dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\nolcObjectIdentifier: {0}my 1.2.3\n"
                            "olcObjectIdentifier: {1}mine my:4\nolcAttributeTypes: {0}( mine:5 NAME ( 'uid' 'x' ) SYNTAX 1.1 )\n"
                            "olcObjectClasses: {0}( my:6 NAME 'person' SUP top MAY x )\n");
    assert_false(im_directory_rootdse(f->d)->has_assumed_schema);
    assert_int_equal(im_schema_read_active(f->d, f->pool, &schema, &f->e), IM_OK);
    assert_string_equal(im_schema_attr(&schema, "uid")->oid, "1.2.3.4.5");
    assert_string_equal(im_schema_class(&schema, "person")->oid, "1.2.3.6");
    assert_non_null(im_schema_attr(&schema, "ou")); /* entries have it */
    assert_null(im_schema_attr(&schema, "msExchIMAddress"));
}

/* ---- searches ---- */

static void base_and_scope_say_where(void **state) {
    struct fixture *f = *state;
    open_export(f, AD);
    assert_finds(f, FIND(IM_SEARCH_BASE, "cn=A,cn=users, DC=corp,DC=example", NULL), "CN=a");
    assert_finds(f, FIND(IM_SEARCH_BASE, "CN=a,CN=Users,DC=corp,DC=example", "(mail=b@x)"), "");
    assert_finds(f, FIND(IM_SEARCH_BASE, "CN=m\xc3\xbcller\\2c b,CN=Users,DC=corp,DC=example", NULL), "CN=M\xc3\xbcller\\");
    assert_finds(f, FIND(IM_SEARCH_ONE, "CN=Users,DC=corp,DC=example", NULL), "CN=a CN=M\xc3\xbcller\\");
    assert_finds(f, FIND(IM_SEARCH_ONE, "DC=corp,DC=example", NULL), "CN=Users");
    assert_finds(f, FIND(IM_SEARCH_SUB, "DC=corp,DC=example", "(objectClass=user)"), "CN=a CN=M\xc3\xbcller\\");
    assert_finds(f, FIND(IM_SEARCH_SUB, "CN=Configuration,DC=corp,DC=example", "(objectClass=user)"), "CN=conf");
    assert_finds(f, FIND(IM_SEARCH_SUB, "", "(objectClass=user)"), "");
    assert_finds(f, FIND(IM_SEARCH_BASE, "CN=none,DC=corp,DC=example", NULL), "noSuchObject");
    assert_finds(f, FIND(IM_SEARCH_SUB, "CN=none,DC=corp,DC=example", NULL), "noSuchObject");
    assert_finds(f, FIND(IM_SEARCH_SUB, "nonsense", NULL), "invalidDNSyntax");
    assert_finds(f, FIND(IM_SEARCH_BASE, "<GUID=04030201-0605-0807-090a-0b0c0d0e0f10>", NULL), "CN=a");
    assert_finds(f, FIND(IM_SEARCH_BASE, "<GUID=14030201-0605-0807-090a-0b0c0d0e0f10>", NULL), "noSuchObject");
    open_export(f, OPENLDAP);
    assert_finds(f, FIND(IM_SEARCH_SUB, "", NULL), "dc=corp ou=p uid=a");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(|(uid=A)(ou=P)(cn=x))"), "ou=p uid=a");
    assert_finds(f, FIND(IM_SEARCH_SUB, "ou=p,dc=corp", "(|(uid=A)(dc=corp))"), "uid=a");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(|(uid=A)(objectClass=person)(uid=a))"), "uid=a");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(uid:caseExactMatch:=A)"), "");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(objectClass=unheard-of)"), "");
    assert_finds(f, FIND(IM_SEARCH_SUB, "ou=p,dc=corp", "(objectClass=unheard-of)"), "");
    assert_finds(f, FIND(IM_SEARCH_SUB, "ou=q,dc=corp", "(objectClass=unheard-of)"), "noSuchObject");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(objectClass=PERSON)"), "uid=a");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(uid:1.2.3:=A)"), "cannot be answered from an export");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", "(uid=a"), "not closed");
}

/* One behind the other, with the same classes. */
static void domains_are_not_searched_from_above(void **state) {
    struct fixture *f = *state;
    open_export(f, "dn: DC=corp\nobjectClass: domainDNS\nobjectGUID:: AAAA\n\ndn: DC=kid,DC=corp\nobjectClass: domainDNS\n\n"
                   "dn: CN=a,DC=corp\nobjectClass: user\n\ndn: CN=k,DC=kid,DC=corp\nobjectClass: user\n");
    assert_finds(f, FIND(IM_SEARCH_SUB, "DC=corp", "(objectClass=user)"), "CN=a");
    assert_finds(f, FIND(IM_SEARCH_SUB, "DC=kid,DC=corp", "(objectClass=user)"), "CN=k");
}

static void deleted_objects_are_shown_where_asked(void **state) {
    struct fixture *f = *state;
    open_export(f, AD);
    struct im_search search = {.base = "DC=corp,DC=example", .scope = IM_SEARCH_SUB, .filter = "(sAMAccountName=c)"};
    assert_finds(f, &search, "");
    search.show_deleted = true;
    assert_finds(f, &search, "CN=c\\0ADEL:1");
    struct im_search base = {.base = "CN=c\\0ADEL:1,CN=Deleted Objects,DC=corp,DC=example", .scope = IM_SEARCH_BASE};
    assert_finds(f, &base, "noSuchObject");
    base.show_deleted = true;
    assert_finds(f, &base, "CN=c\\0ADEL:1");
}

static void a_search_gets_what_it_asked_for(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"MAIL", NULL};
    static const char *const none[] = {"1.1", NULL};
    struct im_search search = {.base = "CN=a,CN=Users,DC=corp,DC=example", .scope = IM_SEARCH_BASE, .attributes = names};
    struct im_entry *entry = NULL;
    open_export(f, AD);
    search.filter = "(sAMAccountName=a)";
    assert_int_equal(im_directory_read(f->d, &search, f->pool, &entry, &f->e), IM_OK);
    assert_int_equal(entry->count, 1);
    assert_string_equal(im_entry_string(entry, "mail"), "A@x");
    search.attributes = none;
    assert_int_equal(im_directory_read(f->d, &search, f->pool, &entry, &f->e), IM_OK);
    assert_int_equal(entry->count, 0);
    search.attributes = NULL;
    assert_int_equal(im_directory_read(f->d, &search, f->pool, &entry, &f->e), IM_OK);
    assert_int_equal(entry->count, 4);
}

/* Tokens are numbers; each search must get the entry that has its number, and its end, from one pass. */
enum { PEOPLE = 500 };

static void start(struct fixture *f, size_t *tokens, char (*filters)[96], size_t i, struct im_search *searches) {
    static const char *const names[] = {"uid", NULL};
    bool is_tree = i % 7 == 0;
    (void)snprintf(filters[i], sizeof filters[i],
                   is_tree ? "(&(uid=U%zu)(objectClass=person))" : "(|(cn=none)(uid=U%zu)(mail=u%zu@x))", i, i);
    searches[i] = (struct im_search){.base = i % 3 ? "dc=corp" : "ou=p,dc=corp", .scope = IM_SEARCH_SUB, .filter = filters[i]};
    searches[i].attributes = i % 5 ? names : NULL;
    tokens[i] = i;
    assert_int_equal(im_directory_start_search(f->d, &searches[i], &tokens[i], &f->e), IM_OK);
}

static void many_searches_share_a_pass(void **state) {
    struct fixture *f = *state;
    static size_t tokens[PEOPLE], entries[PEOPLE], ends[PEOPLE];
    static char filters[PEOPLE][96];
    static struct im_search searches[PEOPLE];
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, OPENLDAP);
    for (size_t i = 0; i < PEOPLE; i++)
        im_buf_addf(&text, "dn: uid=u%zu,ou=p,dc=corp\nobjectClass: person\nuid: u%zu\nmail: u%zu@x\n\n", i, i, (i + 1) % PEOPLE);
    open_export(f, im_buf_str(&text));
    im_buf_free(&text);
    memset(entries, 0, sizeof entries);
    memset(ends, 0, sizeof ends);
    for (size_t i = 0; i < PEOPLE; i++)
        start(f, tokens, filters, i, searches);
    im_directory_abandon(f->d, &tokens[11]);
    for (size_t left = PEOPLE - 1; left;) {
        struct im_event event;
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
        size_t i = *(const size_t *)event.token;
        assert_int_not_equal(i, 11);
        if (event.kind == IM_EVENT_DONE) {
            assert_int_equal(event.answer.code, 0);
            ends[i]++;
            left--;
            continue;
        }
        assert_int_equal(ends[i], 0);
        entries[i]++;
        assert_int_equal(event.entry->count, i % 5 ? 1 : 3);
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        if (i != 11 && (ends[i] != 1 || entries[i] != (i % 7 ? 2 : 1))) /* its own entry, and the one with its mail */
            fail_msg("search %zu: %zu entries, %zu ends", i, entries[i], ends[i]);
    }
    struct im_event event;
    assert_int_equal(im_directory_wait(f->d, 0, &event, &f->e), IM_OK);
    assert_int_equal(event.kind, IM_EVENT_NONE);
}

static void nothing_is_ever_written(void **state) {
    struct fixture *f = *state;
    const struct im_change change = {.dn = "dc=corp"};
    const struct im_entry entry = {.dn = "dc=x"};
    open_export(f, OPENLDAP);
    assert_int_equal(im_directory_modify(f->d, &change, NULL, &f->e), IM_E_USAGE);
    assert_mentions(f->e.text, "never altered");
    assert_int_equal(im_directory_add(f->d, &entry, NULL), IM_E_USAGE);
    assert_true(im_directory_window(f->d, 16) > 1000);
}

static void a_stop_is_heard_between_entries(void **state) {
    struct fixture *f = *state;
    open_export(f, OPENLDAP);
    f->stop = 1;
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", NULL), "stopped on request");
    struct im_event event;
    assert_int_equal(im_directory_wait(f->d, 10, &event, NULL), IM_E_INTERRUPTED);
    im_directory_free(&f->d);
    im_error_clear(&f->e);
    assert_int_equal(im_offline_open(&f->options, &f->d, &f->e), IM_E_INTERRUPTED);
}

static void a_file_that_changes_meanwhile_is_told(void **state) {
    struct fixture *f = *state;
    open_export(f, OPENLDAP);
    write_export(f, OPENLDAP "dn: uid=b,dc=corp\nuid: b\n");
    assert_finds(f, FIND(IM_SEARCH_SUB, "dc=corp", NULL), "changed while it was read");
}

static void an_export_stands_alone(void **state) {
    struct fixture *f = *state;
    write_export(f, OPENLDAP);
    f->config.server = "dc1";
    assert_true(im_offline_is_wanted(&f->config));
    assert_int_equal(im_offline_open(&f->options, &f->d, &f->e), IM_E_USAGE);
    f->uris[0] = "ldap://dc1";
    assert_false(im_offline_is_wanted(&f->config));
}

static enum im_err open_and_search(void *user, struct im_error *e) {
    struct fixture *f = user;
    static const char *const names[] = {"mail", NULL};
    const struct im_search search = {.base = "DC=corp,DC=example",
                                     .scope = IM_SEARCH_SUB,
                                     .filter = "(|(manager=CN=a,CN=Users,DC=corp,DC=example)(mail=a@x))",
                                     .attributes = names};
    struct im_directory *d = NULL;
    struct found found = {.names = IM_BUF_INIT};
    enum im_err err = im_offline_open(&f->options, &d, e);
    if (err == IM_OK)
        err = im_directory_search(d, &search, take_name, &found, e);
    if (err == IM_OK && found.names.failed)
        err = im_error_nomem(e);
    if (err == IM_OK)
        assert_string_equal(im_buf_str(&found.names), "CN=a CN=M\xc3\xbcller\\");
    im_buf_free(&found.names);
    im_directory_free(&d);
    return err;
}

static void running_out_of_memory_is_told(void **state) {
    struct fixture *f = *state;
    write_export(f, AD);
    assert_true(oom_every_allocation(open_and_search, f) > 50);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILE(families_are_known_by_their_attributes),
        WITH_FILE(contexts_are_what_all_lies_below),
        WITH_FILE(facts_are_gathered_as_from_a_server),
        WITH_FILE(definitions_of_the_export_come_first),
        WITH_FILE(base_and_scope_say_where),
        WITH_FILE(domains_are_not_searched_from_above),
        WITH_FILE(deleted_objects_are_shown_where_asked),
        WITH_FILE(a_search_gets_what_it_asked_for),
        WITH_FILE(many_searches_share_a_pass),
        WITH_FILE(nothing_is_ever_written),
        WITH_FILE(a_stop_is_heard_between_entries),
        WITH_FILE(a_file_that_changes_meanwhile_is_told),
        WITH_FILE(an_export_stands_alone),
        WITH_FILE(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
