#include "lib/directory/rootdse.h"

#include "lib/data/ldif.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct im_entry *parse(const char *ldif, struct im_pool *pool) {
    struct im_ldif_reader *reader = NULL;
    struct im_entry *entry = NULL;
    char *text = im_pool_strdup(pool, ldif);
    FILE *stream = fmemopen(text, strlen(text), "r");
    assert_non_null(stream);
    assert_int_equal(im_ldif_reader_new(stream, "text", &reader, NULL), IM_OK);
    assert_int_equal(im_ldif_read(reader, pool, &entry, NULL), IM_OK);
    im_ldif_reader_free(&reader);
    (void)fclose(stream);
    assert_non_null(entry);
    return entry;
}

static struct im_rootdse decode(const char *ldif, struct im_pool *pool) {
    struct im_rootdse r = {.entry = NULL};
    assert_int_equal(im_rootdse_decode(parse(ldif, pool), pool, &r, NULL), IM_OK);
    return r;
}

static void test_active_directory(void **state) {
    (void)state;
    struct im_pool *pool = im_pool_new();
    static const char text[] = "dn:\ndefaultNamingContext: DC=corp,DC=example\nrootDomainNamingContext: DC=example\n"
                               "configurationNamingContext: CN=Configuration,DC=example\n"
                               "schemaNamingContext: CN=Schema,CN=Configuration,DC=example\n"
                               "namingContexts: DC=corp,DC=example\nnamingContexts: CN=Configuration,DC=example\n"
                               "dnsHostName: dc1.corp.example\ndsServiceName: CN=NTDS Settings,CN=DC1\n"
                               "supportedCapabilities: 1.2.840.113556.1.4.800\nsupportedControl: 1.2.840.113556.1.4.319\n"
                               "isGlobalCatalogReady: TRUE\n";
    struct im_rootdse r = decode(text, pool);
    assert_int_equal(r.family, IM_FAMILY_AD);
    assert_true(r.is_ad);
    assert_true(r.is_gc);
    assert_string_equal(r.default_nc, "DC=corp,DC=example");
    assert_string_equal(r.root_domain_nc, "DC=example");
    assert_string_equal(r.config_nc, "CN=Configuration,DC=example");
    assert_string_equal(r.schema_nc, "CN=Schema,CN=Configuration,DC=example");
    assert_string_equal(r.dns_host_name, "dc1.corp.example");
    assert_string_equal(r.ds_service_name, "CN=NTDS Settings,CN=DC1");
    assert_null(r.config_context);
    assert_true(im_rootdse_has_control(&r, "1.2.840.113556.1.4.319"));
    assert_false(im_rootdse_has_control(&r, "1.2.840.113556.1.4.31"));
    im_pool_free(&pool);
}

static void test_families(void **state) {
    (void)state;
    static const struct {
        const char *ldif;
        enum im_family family;
        const char *name, *default_nc;
    } rows[] = {
        {"dn:\nsupportedCapabilities: 1.2.840.113556.1.4.800\nvendorName: Samba Team (https://www.samba.org)\n", IM_FAMILY_SAMBA,
         "Samba AD", NULL},
        {"dn:\nobjectClass: top\nobjectClass: OpenLDAProotDSE\nnamingContexts: dc=corp,dc=example\nconfigContext: cn=config\n",
         IM_FAMILY_OPENLDAP, "OpenLDAP", "dc=corp,dc=example"},
        {"dn:\nvendorName: 389 Project\nnamingContexts: dc=a\nnamingContexts: dc=b\n", IM_FAMILY_389, "389 Directory Server",
         NULL},
        {"dn:\nvendorName: Somebody\nsupportedCapabilities: 1.2.840.113556.1.4.8000\n", IM_FAMILY_OTHER, "LDAP server", NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_pool *pool = im_pool_new();
        struct im_rootdse r = decode(rows[i].ldif, pool);
        assert_int_equal(r.family, rows[i].family);
        assert_int_equal(r.is_ad, rows[i].family == IM_FAMILY_SAMBA);
        assert_string_equal(im_family_name(r.family), rows[i].name);
        if (rows[i].default_nc) {
            assert_string_equal(r.default_nc, rows[i].default_nc);
        } else {
            assert_null(r.default_nc);
        }
        assert_false(r.is_gc);
        im_pool_free(&pool);
    }
}

static void test_same_server(void **state) {
    (void)state;
    static const char first[] = "dn:\nnamingContexts: dc=a\nnamingContexts: dc=b\ndnsHostName: dc1.corp.example\n"
                                "dsServiceName: CN=NTDS Settings,CN=DC1\n";
    static const struct {
        const char *ldif;
        bool is_same;
    } rows[] = {
        {first, true},
        {"dn:\nnamingContexts: DC=B\nnamingContexts: dc=a\ndnsHostName: DC1.corp.example\nsupportedControl: 1.2.3\n", true},
        {"dn:\nsupportedControl: 1.2.3\n", true}, /* nothing that could differ */
        {"dn:\nnamingContexts: dc=a\nnamingContexts: dc=b\ndnsHostName: dc2.corp.example\n", false},
        {"dn:\nnamingContexts: dc=a\nnamingContexts: dc=b\ndsServiceName: CN=NTDS Settings,CN=DC2\n", false},
        {"dn:\nnamingContexts: dc=a\n", false},
        {"dn:\nnamingContexts: dc=a\nnamingContexts: dc=c\n", false},
        {"dn:\nnamingContexts: dc=a\nnamingContexts: dc=b\nvendorName: 389 Project\n", false},
    };
    struct im_pool *pool = im_pool_new();
    struct im_rootdse a = decode(first, pool);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_rootdse b = decode(rows[i].ldif, pool);
        if (im_rootdse_is_same_server(&a, &b) != rows[i].is_same || im_rootdse_is_same_server(&b, &a) != rows[i].is_same)
            fail_msg("row %zu", i);
    }
    im_pool_free(&pool);
}

static void test_nothing_read_yet(void **state) {
    (void)state;
    struct im_rootdse r = {.entry = NULL};
    assert_false(im_rootdse_has_control(&r, "1.2.840.113556.1.4.319"));
}

/* The root DSE outlives the message that it came in. */
static void test_is_a_copy(void **state) {
    (void)state;
    struct im_pool *message = im_pool_new();
    struct im_pool *pool = im_pool_new();
    struct im_rootdse r;
    struct im_entry *entry = parse("dn:\nsubschemaSubentry: cn=Subschema\n", message);
    assert_int_equal(im_rootdse_decode(entry, pool, &r, NULL), IM_OK);
    im_pool_free(&message);
    assert_string_equal(r.subschema, "cn=Subschema");
    im_pool_free(&pool);
}

static enum im_err attempt(void *user, struct im_error *e) {
    struct im_rootdse r;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_rootdse_decode(user, pool, &r, e) : im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void test_out_of_memory(void **state) {
    (void)state;
    struct im_pool *pool = im_pool_new();
    assert_true(oom_every_allocation(attempt, parse("dn:\nnamingContexts: dc=corp,dc=example\n", pool)) > 0);
    im_pool_free(&pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_active_directory), cmocka_unit_test(test_families),  cmocka_unit_test(test_same_server),
        cmocka_unit_test(test_nothing_read_yet), cmocka_unit_test(test_is_a_copy), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
