/* Accounts by condition: filters, everybody, and groups with all that can stand in them. */
#include "tests/unit/unit.h"

#include "lib/data/dn.h"
#include "lib/directory/choose.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"

#define BASE "DC=corp,DC=example"
#define PEOPLE "OU=People," BASE
#define GROUPS "OU=Groups," BASE
#define USER(cn, more) "dn: CN=" cn "," PEOPLE "\nobjectClass: user\nsAMAccountName: " cn "\n" more "\n"
#define GROUP(cn, more) "dn: CN=" cn "," GROUPS "\nobjectClass: group\nsAMAccountName: " cn "\n" more "\n"
#define MEMBER(cn) "member: CN=" cn "," PEOPLE "\n"
#define SUBGROUP(cn) "member: CN=" cn "," GROUPS "\n"

/* S-1-5-21-1-2-3-513 and -1200; S-1-5-32-544 */
#define SID_513 "objectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAAQIAAA==\n"
#define SID_1200 "objectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAsAQAAA==\n"
#define SID_BUILTIN "objectSid:: AQIAAAAAAAUgAAAAIAIAAA==\n"

static const char forest[] = MEMDIR_AD
    "dn: " BASE "\nobjectClass: domainDNS\n\n"
    "dn: " PEOPLE "\nobjectClass: organizationalUnit\n\n"
    "dn: " GROUPS "\nobjectClass: organizationalUnit\n\n"
    "dn: OU=Far," BASE "\nobjectClass: organizationalUnit\n\n"
    "dn: CN=ForeignSecurityPrincipals," BASE "\nobjectClass: container\n\n"
    "dn: CN=S-1-5-11,CN=ForeignSecurityPrincipals," BASE "\nobjectClass: foreignSecurityPrincipal\n\n"
    "dn: CN=Schema,CN=Configuration," BASE "\nobjectClass: dMD\n\n"
    "dn: CN=Object-Class,CN=Schema,CN=Configuration," BASE
    "\nobjectClass: attributeSchema\nlDAPDisplayName: objectClass\nattributeID: 2.5.4.0\n\n"
    "dn: CN=Title,CN=Schema,CN=Configuration," BASE
    "\nobjectClass: attributeSchema\nlDAPDisplayName: title\nattributeID: 2.5.4.12\n\n" USER("anna", "title: Clerk\n") USER(
        "ben", "title: clerk\n") USER("cleo", "title: Buyer\nprimaryGroupID: 1200\n") USER("dora", "primaryGroupID: 513\n")
        USER("trust$",
             "title: Clerk\n") "dn: CN=pc1," PEOPLE
                               "\nobjectClass: user\nobjectClass: computer\nsAMAccountName: pc1\ntitle: Clerk\n\n"
                               "dn: CN=carol," PEOPLE "\nobjectClass: contact\ntitle: Clerk\n\n"
                               "dn: CN=frida,OU=Far," BASE "\nobjectClass: user\nsAMAccountName: frida\ntitle: Clerk\n\n" GROUP(
                                   "all", SUBGROUP("inner") MEMBER("anna") SUBGROUP("all"))
                                   GROUP("inner", "title: Clerk\n" MEMBER("ben") MEMBER("anna") SUBGROUP("all") SUBGROUP("deep"))
                                       GROUP("deep", MEMBER("cleo") SUBGROUP("inner")) GROUP("empty", "")
                                           GROUP("mixed",
                                                 MEMBER("pc1") MEMBER("carol")
                                                     MEMBER("anna") "member: CN=frida,OU=Far," BASE
                                                                    "\nmember: CN=S-1-5-11,CN=ForeignSecurityPrincipals," BASE
                                                                    "\n") GROUP("Domain Users", SID_513)
                                               GROUP("outer", SUBGROUP("primary")) GROUP("primary", SID_1200 MEMBER("anna"))
                                                   GROUP("builtin", SID_BUILTIN "member: CN=gone," BASE "\n");

static const struct memdir_attr attrs[] = {{"member", MEMDIR_DN}, {"uniqueMember", MEMDIR_DN}, {NULL, 0}};

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_profile *profile;
    struct im_pool *pool;
    struct im_account_context context;
    struct im_schema schema;
    struct im_resolver r;
    struct im_condition condition;
    struct im_filter filter;
    struct im_buf chosen, remarks;
    struct im_error e;
};

static void remark(void *user, int level, const char *text) {
    struct fixture *f = user;
    assert_int_equal(level, 0);
    im_buf_addf(&f->remarks, "%s\n", text);
}

static struct fixture *open_fixture(const char *ldif, bool is_ad, const char *base) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    assert_non_null(f->pool);
    f->m = memdir_new(attrs, ldif);
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    f->context = (struct im_account_context){.profile = f->profile, .is_ad = is_ad};
    f->r = (struct im_resolver){.directory = f->d, .context = &f->context, .base = base};
    f->condition = (struct im_condition){.remark = remark, .user = f};
    return f;
}

static int set_up(void **state) {
    *state = open_fixture(forest, true, BASE);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_buf_free(&f->chosen);
    im_buf_free(&f->remarks);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void filter(struct fixture *f, const char *text) {
    assert_int_equal(im_filter_parse(text, f->pool, &f->filter, &f->e), IM_OK);
    f->condition.filter = &f->filter;
}

/* Whoever has this GUID or DN: the value of its RDN. */
static void add_name(struct fixture *f, const struct im_identity *identity) {
    struct im_buf name = IM_BUF_INIT;
    const char *text = identity->text;
    if (identity->kind == IM_ID_GUID)
        text = im_pool_printf(f->pool, "<GUID=%s>", text);
    const struct im_entry *entry = memdir_entry(f->m, text);
    if (!entry || !im_dn_first_value(entry->dn, &name))
        fail_msg("nobody is %s", text);
    im_buf_addf(&f->chosen, "%s%s", f->chosen.len ? " " : "", im_buf_str(&name));
    im_buf_free(&name);
}

static enum im_err choose(struct fixture *f) {
    struct im_chosen *chosen = NULL;
    struct im_chosen_place place = {0};
    struct im_identity identity;
    bool is_end = false;
    im_error_clear(&f->e);
    im_buf_clear(&f->chosen);
    im_buf_clear(&f->remarks);
    enum im_err err = im_choose(&f->r, &f->condition, &chosen, &f->e);
    size_t count = err == IM_OK ? im_chosen_count(chosen) : 0;
    while (err == IM_OK) {
        err = im_chosen_next(chosen, &place, f->pool, &identity, &is_end, &f->e);
        if (err != IM_OK || is_end)
            break;
        add_name(f, &identity);
        count--;
    }
    assert_int_equal(count, 0);
    im_chosen_free(&chosen);
    assert_int_equal(err, f->e.code);
    return err;
}

#define assert_chosen(f, names)                                                                                                  \
    do {                                                                                                                         \
        if (choose(f) != IM_OK)                                                                                                  \
            fail_msg("%s", (f)->e.text);                                                                                         \
        assert_string_equal(im_buf_str(&(f)->chosen), names);                                                                    \
    } while (0)

/* ---- filters and everybody ---- */

static void accounts_by_filter(void **state) {
    struct fixture *f = *state;
    filter(f, "title=clerk");
    assert_chosen(f, "anna ben frida"); /* no computer, trust, contact or group */
    filter(f, "(!(title=clerk))");
    assert_chosen(f, "cleo dora");
    filter(f, "(2.5.4.12=x)");
    assert_chosen(f, "");
}

static void everybody(void **state) {
    struct fixture *f = *state;
    f->condition.all = true;
    assert_chosen(f, "anna ben cleo dora frida");
    filter(f, "title=clerk");
    f->condition.group = "CN=all," GROUPS;
    assert_chosen(f, "anna ben cleo dora frida"); /* each once */
    f->r.base = "OU=Far," BASE;
    f->condition = (struct im_condition){.all = true};
    assert_chosen(f, "frida");
}

static void misspelled_attributes_select_nobody_and_are_called_so(void **state) {
    struct fixture *f = *state;
    filter(f, "(&(title=clerk)(departement=x))");
    assert_int_equal(choose(f), IM_E_USAGE);
    assert_mentions(f->e.text, "\"departement\"");
    filter(f, "(1.2.3=x)");
    assert_int_equal(choose(f), IM_E_USAGE);
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = memdir_count(f->m, MEMDIR_SEARCH) + 1});
    filter(f, "(departement=x)"); /* a schema that cannot be seen says nothing */
    assert_chosen(f, "");
}

static void nobody_is_not_the_same_as_nothing_visible(void **state) {
    struct fixture *f = *state;
    filter(f, "title=king");
    assert_chosen(f, "");
    f->r.base = "CN=ForeignSecurityPrincipals," BASE;
    assert_int_equal(choose(f), IM_E_INVISIBLE);
    assert_mentions(f->e.text, "ForeignSecurityPrincipals");
    f->r.base = "OU=missing," BASE;
    assert_int_equal(choose(f), IM_E_INVISIBLE);
    f->condition = (struct im_condition){.group = "CN=empty," GROUPS};
    f->r.base = "CN=ForeignSecurityPrincipals," BASE;
    assert_int_equal(choose(f), IM_E_INVISIBLE);
}

static void what_is_cut_off_is_an_error(void **state) {
    struct fixture *f = *state;
    f->condition.all = true;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 4, .entries = 2});
    assert_int_equal(choose(f), IM_E_TRUNCATED);
    f->condition = (struct im_condition){.group = "CN=all," GROUPS, .remark = remark, .user = f};
    for (size_t nth = 1; nth <= 2; nth++) {
        memdir_fault(f->m,
                     (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = memdir_count(f->m, MEMDIR_SEARCH) + nth, .code = 11});
        assert_int_equal(choose(f), IM_E_TRUNCATED);
    }
}

/* ---- groups ---- */

static void groups_in_groups_end(void **state) {
    struct fixture *f = *state;
    f->condition.group = "CN=all," GROUPS;
    assert_chosen(f, "anna ben cleo"); /* in the order of the groups, once each */
    assert_string_equal(im_buf_str(&f->remarks), "");
    f->condition.group = "cn=DEEP, " GROUPS;
    assert_chosen(f, "cleo ben anna");
    f->condition.group = "CN=empty," GROUPS;
    assert_chosen(f, "");
}

static void members_are_read_in_few_searches(void **state) {
    struct fixture *f = *state;
    f->condition.group = "CN=mixed," GROUPS;
    assert_int_equal(choose(f), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 2);
}

static void who_is_left_out_is_told(void **state) {
    struct fixture *f = *state;
    f->r.base = PEOPLE;
    f->condition.group = "CN=mixed," GROUPS;
    assert_chosen(f, "anna");
    const char *said = im_buf_str(&f->remarks);
    assert_mentions(said, "\"CN=pc1," PEOPLE "\" is a computer");
    assert_mentions(said, "\"CN=carol," PEOPLE "\" has no account name");
    assert_mentions(said, "\"CN=frida,OU=Far," BASE "\" lies outside of the base");
    assert_mentions(said, "\"CN=S-1-5-11,CN=ForeignSecurityPrincipals," BASE "\" is a foreign security principal");
    assert_mentions(said, "the group \"CN=mixed,");
    f->condition.group = "CN=builtin," GROUPS;
    assert_chosen(f, "");
    assert_mentions(im_buf_str(&f->remarks), "\"CN=gone," BASE "\" does not exist or is not visible");
}

static void primary_groups_count(void **state) {
    struct fixture *f = *state;
    f->condition.group = "CN=Domain Users," GROUPS;
    assert_chosen(f, "dora");
    f->condition.group = "CN=outer," GROUPS;
    assert_chosen(f, "anna cleo");
    f->r.base = "OU=Far," BASE;
    assert_chosen(f, "");
    f->r.base = BASE;
    memdir_set(f->m, "CN=ben," PEOPLE, "primaryGroupID", "544");
    f->condition.group = "CN=builtin," GROUPS; /* its number means another group in the domain */
    assert_chosen(f, "");
}

static void what_is_no_group_is_called_so(void **state) {
    struct fixture *f = *state;
    f->condition.group = "CN=nothing," GROUPS;
    assert_int_equal(choose(f), IM_E_INPUT);
    assert_mentions(f->e.text, "does not exist, or ");
    f->condition.group = "CN=anna," PEOPLE;
    assert_int_equal(choose(f), IM_E_INPUT);
    assert_mentions(f->e.text, "no group but of the class user");
    f->condition.group = PEOPLE;
    assert_int_equal(choose(f), IM_E_INPUT);
    assert_mentions(f->e.text, "--base");
}

static void conditions_are_joined(void **state) {
    struct fixture *f = *state;
    filter(f, "(title=Buyer)");
    f->condition.group = "CN=primary," GROUPS; /* cleo by her primary group as well */
    assert_chosen(f, "cleo anna");
}

/* ---- OpenLDAP ---- */

#define LDAP_USER(uid) "dn: uid=" uid ",ou=p,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: " uid "\n\n"
#define P(uid) "uid=" uid ",ou=p,dc=corp,dc=example\n"

static const char openldap[] = MEMDIR_OPENLDAP
    "dn: dc=corp,dc=example\nobjectClass: domain\n\n"
    "dn: ou=p,dc=corp,dc=example\nobjectClass: organizationalUnit\n\n" LDAP_USER("anna") LDAP_USER("ben") LDAP_USER("cleo")
        LDAP_USER("M\xc3\xbcller") LDAP_USER(
            "pc1$") "dn: cn=twin,ou=p,dc=corp,dc=example\nobjectClass: account\nuid: cleo\n\n"
                    "dn: cn=names,dc=corp,dc=example\nobjectClass: groupOfNames\nmember: " P(
                        "anna") "member: uid=ben, ou=P,dc=corp,dc=example\n"
                                "member: cn=unix,dc=corp,dc=example\n\n"
                                "dn: cn=unique,dc=corp,dc=example\nobjectClass: groupOfUniqueNames\nuniqueMember: "
                                "uid=ben,ou=p,dc=corp,dc=example#'01'B\n"
                                "uniqueMember: cn=names,dc=corp,dc=example\n\n"
                                "dn: cn=unix,dc=corp,dc=example\nobjectClass: posixGroup\nmemberUid: M\xc3\x9cLLER\nmemberUid: "
                                "ben\nmemberUid: cleo\n"
                                "memberUid: nobody\nmemberUid: pc1$\n\n"
                                "dn: cn=two,dc=corp,dc=example\nobjectClass: groupOfNames\nmember: "
                                "cn=unix,dc=corp,dc=example\nmember: cn=names,dc=corp,dc=example\n\n"
                                "dn: cn=urls,dc=corp,dc=example\nobjectClass: groupOfURLs\nmemberURL: ldap:///??sub?(uid=*)\n\n"
                                "dn: cn=dynamic,dc=corp,dc=example\nobjectClass: groupOfNames\nmember: "
                                "cn=urls,dc=corp,dc=example\nmember: " P(
                                    "anna") "\n"
                                            "dn: cn=broken,dc=corp,dc=example\nobjectClass: groupOfNames\nmember:\nmember: "
                                            "uid=x,dc=other\nmember: not a DN\n"
                                            "member: uid=1,dc=corp,dc=example\nmember: uid=2,dc=corp,dc=example\nmember: "
                                            "uid=3,dc=corp,dc=example\n"
                                            "member: uid=4,dc=corp,dc=example\nmember: uid=5,dc=corp,dc=example\nmember: " P(
                                                "anna") "\n";

static int set_up_openldap(void **state) {
    struct fixture *f = open_fixture(openldap, false, "dc=corp,dc=example");
    static struct im_schema_attr known[] = {{.name = "uid", .oid = "0.9.2342.19200300.100.1.1"}, {.name = "title"}};
    f->schema = (struct im_schema){.attrs = known, .attr_count = LENGTH(known)};
    *state = f;
    return 0;
}

static void groups_of_all_kinds(void **state) {
    struct fixture *f = *state;
    f->condition.group = "cn=unique,dc=corp,dc=example";
    assert_chosen(f, "ben anna M\xc3\xbcller");
    const char *said = im_buf_str(&f->remarks);
    assert_mentions(said, "\"cleo\" is the name of several accounts");
    assert_mentions(said, "\"nobody\" does not exist or is not visible");
    assert_mentions(said, "\"pc1$\" is a computer");
    f->r.base = "ou=p,dc=corp,dc=example";
    assert_chosen(f, "ben anna M\xc3\xbcller");
}

static void names_and_dns_side_by_side(void **state) {
    struct fixture *f = *state;
    f->condition.group = "cn=two,dc=corp,dc=example";
    assert_chosen(f, "M\xc3\xbcller ben anna");
}

static void dangling_members_are_told_in_short(void **state) {
    struct fixture *f = *state;
    f->condition.group = "cn=broken,dc=corp,dc=example";
    assert_chosen(f, "anna");
    const char *said = im_buf_str(&f->remarks);
    assert_mentions(said, "\"uid=x,dc=other\" is kept by another server");
    assert_mentions(said, "\"uid=1,dc=corp,dc=example\" does not exist");
    assert_mentions(said, "3 more of which each does not exist");
    assert_null(strstr(said, "uid=3,"));
    assert_null(strstr(said, "no account name"));
}

static void dynamic_groups(void **state) {
    struct fixture *f = *state;
    f->condition.group = "cn=dynamic,dc=corp,dc=example";
    assert_chosen(f, "anna");
    assert_mentions(im_buf_str(&f->remarks), "\"cn=urls,dc=corp,dc=example\" is a group whose members");
    f->condition.group = "cn=urls,dc=corp,dc=example";
    assert_int_equal(choose(f), IM_E_INPUT);
    assert_mentions(f->e.text, "--filter");
}

static void filters_and_everybody_without_a_domain(void **state) {
    struct fixture *f = *state;
    f->context.schema = &f->schema;
    f->condition.all = true;
    assert_chosen(f, "anna ben cleo M\xc3\xbcller twin");
    f->condition.all = false;
    filter(f, "UID=b*");
    assert_chosen(f, "ben");
    filter(f, "(0.9.2342.19200300.100.1.1=*)");
    assert_int_equal(choose(f), IM_OK);
    filter(f, "(titel=x)");
    assert_int_equal(choose(f), IM_E_USAGE);
    assert_mentions(f->e.text, "did you mean \"title\"?");
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 4); /* with the one that asks whether anybody is there */
}

/* ---- memory ---- */

static enum im_err choose_once(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_chosen *chosen = NULL;
    enum im_err err = im_choose(&f->r, &f->condition, &chosen, e);
    im_chosen_free(&chosen);
    return err;
}

static void without_memory_it_says_so(void **state) {
    struct fixture *f = *state;
    f->condition.remark = NULL;
    filter(f, "title=clerk");
    f->condition.group = "CN=outer," GROUPS;
    assert_true(oom_every_allocation(choose_once, f) > 20);
}

static void without_memory_it_says_so_of_names(void **state) {
    struct fixture *f = *state;
    f->condition.remark = NULL;
    f->condition.group = "cn=unique,dc=corp,dc=example";
    assert_true(oom_every_allocation(choose_once, f) > 20);
}

#define AD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define OPENLDAP_TEST(function) cmocka_unit_test_setup_teardown(function, set_up_openldap, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        AD_TEST(accounts_by_filter),
        AD_TEST(everybody),
        AD_TEST(misspelled_attributes_select_nobody_and_are_called_so),
        AD_TEST(nobody_is_not_the_same_as_nothing_visible),
        AD_TEST(what_is_cut_off_is_an_error),
        AD_TEST(groups_in_groups_end),
        AD_TEST(members_are_read_in_few_searches),
        AD_TEST(who_is_left_out_is_told),
        AD_TEST(primary_groups_count),
        AD_TEST(what_is_no_group_is_called_so),
        AD_TEST(conditions_are_joined),
        OPENLDAP_TEST(groups_of_all_kinds),
        OPENLDAP_TEST(names_and_dns_side_by_side),
        OPENLDAP_TEST(dangling_members_are_told_in_short),
        OPENLDAP_TEST(dynamic_groups),
        OPENLDAP_TEST(filters_and_everybody_without_a_domain),
        AD_TEST(without_memory_it_says_so),
        OPENLDAP_TEST(without_memory_it_says_so_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
