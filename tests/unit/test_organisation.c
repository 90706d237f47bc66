/* Facts about an organisation as a forest of two domains has them: each search may fail for itself, and is a reason then. */
#include "lib/directory/organisation.h"

#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <stdio.h>

#define BASE "DC=corp,DC=example"
#define CHILD "DC=west,DC=example" /* another tree of the forest */
#define CONFIG "CN=Configuration," BASE
#define SCHEMA "CN=Schema," CONFIG
#define MACHINES "CN=Servers,CN=Org," CONFIG
#define SITE "CN=Servers,CN=Site,CN=Sites," CONFIG
#define VIRTUAL(machine) "CN=1,CN=IM,CN=Protocols,CN=" machine "," MACHINES

#define ROOT ROOT_OF("dnsHostName: dc1.corp.example")
#define ROOT_OF(name)                                                                                                            \
    "dn:\nobjectClass: top\nnamingContexts: " BASE "\nnamingContexts: " CHILD "\nnamingContexts: " CONFIG                        \
    "\ndefaultNamingContext: " BASE "\nconfigurationNamingContext: " CONFIG "\nschemaNamingContext: " SCHEMA "\n" name           \
    "\ndsServiceName: CN=NTDS Settings,CN=DC1," SITE                                                                             \
    "\nsupportedCapabilities: 1.2.840.113556.1.4.800\nsupportedControl: 1.2.840.113556.1.4.319\n\n"
#define DOMAIN(dn, age, length, properties)                                                                                      \
    "dn: " dn "\nobjectClass: domainDNS\nmaxPwdAge: " age "\nminPwdLength: " length "\npwdProperties: " properties "\n\n"
#define MACHINE(name, more) "dn: CN=" name "," MACHINES "\nobjectClass: server\nobjectClass: msExchExchangeServer\n" more "\n"
#define COMPUTER(name, host, more)                                                                                               \
    "dn: CN=" name "," BASE "\nobjectClass: user\nobjectClass: computer\ndNSHostName: " host "\n" more "\n"
#define ATTRIBUTE(name, more) "dn: CN=" name "," SCHEMA "\nobjectClass: attributeSchema\nlDAPDisplayName: " name "\n" more "\n"
#define PERSON(cn, base, more)                                                                                                   \
    "dn: CN=" cn "," base "\nobjectClass: user\nobjectCategory: person\nsAMAccountName: " cn "\n" more "\n"
#define RIGHT(name) "allowedAttributesEffective: " name "\n"
#define ALL_RIGHTS                                                                                                               \
    RIGHT("msExchIMAddress")                                                                                                     \
    RIGHT("msExchIMMetaPhysicalURL") RIGHT("msExchIMPhysicalURL") RIGHT("msExchIMVirtualServer") RIGHT("mail")

static const char forest[] = DOMAIN(BASE, "-36288000000000", "7", "17") DOMAIN(
    CHILD, "-9223372036854775808", "0",
    "1") "dn: " CONFIG "\nobjectClass: configuration\n\n"
         "dn: " SCHEMA "\nobjectClass: dMD\nfSMORoleOwner: CN=NTDS Settings,CN=DC2," SITE "\n\n"
         "dn: CN=DC2," SITE "\nobjectClass: server\ndNSHostName: dc2.corp.example\n\n" MACHINE(
             "MAIL1", "serialNumber: Version 6.0 (Build 6249.4: Service Pack 3)\nnetworkAddress: netbios:MAIL1\n"
                      "networkAddress: ncacn_ip_tcp:mail1.corp.example\n") MACHINE("MAIL2", "dNSHostName: mail2.corp.example\n")
             MACHINE(
                 "MAIL3",
                 "") "dn: CN=Mailboxes,CN=Store,CN=MAIL1," MACHINES "\nobjectClass: msExchMDB\nobjectClass: msExchPrivateMDB\n\n"
                     "dn: CN=Global," CONFIG "\nobjectClass: container\nobjectClass: msExchIMGlobalSettingsContainer\n\n"
                     "dn: CN=Firewall,CN=Global," CONFIG "\nobjectClass: msExchIMFirewall\nmsExchIMProxy: proxy\n"
                     "msExchIMIPRange: 720575940379279360\nmsExchIMIPRange: -12\nmsExchIMIPRange: 10.0.0.0-10.0.0.9\n\n" COMPUTER(
                         "DC1", "dc1.corp.example", "")
                         COMPUTER("MAIL1", "MAIL1.corp.example",
                                  "userAccountControl: 4096\nservicePrincipalName: HOST/mail1.corp.example\n"
                                  "servicePrincipalName: SMTP/x.corp.example\n")
                             COMPUTER("MAIL2", "mail2.corp.example",
                                      "userAccountControl: 4098\nservicePrincipalName: HTTP/mail2.corp.example\n")
                                 COMPUTER("OTHER", "other.corp.example",
                                          "") "dn: CN=svc," CHILD
                                              "\nobjectClass: user\nservicePrincipalName: HTTP/im1.corp.example:80\n"
                                              "servicePrincipalName: HTTP/im1.corp.example\n\n" ATTRIBUTE(
                                                  "msExchIMAddress", "isMemberOfPartialAttributeSet: TRUE\n")
                                                  ATTRIBUTE("msExchIMPhysicalURL", "isMemberOfPartialAttributeSet: FALSE\n")
                                                      ATTRIBUTE("msExchIMACL", "")
                                                          ATTRIBUTE("mail", "isMemberOfPartialAttributeSet: TRUE\n")
                                                              PERSON("ann", BASE, ALL_RIGHTS) PERSON("bob", BASE, RIGHT("mail"))
                                                                  PERSON("cid", CHILD, RIGHT("mail")) PERSON("dee", CHILD, "")
                                                                      PERSON("root", CHILD, "adminCount: 1\n" ALL_RIGHTS);

static const struct memdir_attr attrs[] = {{"allowedAttributesEffective", MEMDIR_HIDDEN}, {NULL, 0}};

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct world *w; /* profile and schema */
    struct im_config config;
    struct im_gather g;
    struct im_gathered known;
    struct im_server servers[2];
    struct im_pool *pool;
    struct im_organisation o;
    struct im_error e;
};

/* The world's schema, and Exchange's classes. */
static void extend_schema(struct fixture *f) {
    static const char *const names[] = {"msExchExchangeServer", "msExchMDB", "msExchIMFirewall"};
    struct im_schema *s = &f->known.schema;
    struct im_schema_class *classes = im_pool_array(f->pool, f->w->schema.class_count + LENGTH(names), sizeof *classes);
    *s = f->w->schema;
    memcpy(classes, s->classes, s->class_count * sizeof *classes);
    for (size_t i = 0; i < LENGTH(names); i++)
        classes[s->class_count++] = (struct im_schema_class){.name = names[i], .oid = names[i]};
    s->classes = classes;
}

static struct fixture *open_fixture(const char *root, const char *facts, const char *const *domains) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    f->m = memdir_new(attrs, im_pool_printf(f->pool, "%s%s", root, forest));
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    f->w = world_from_text(facts);
    extend_schema(f);
    f->servers[0] =
        (struct im_server){.name = "MAIL1", .host = "im1.corp.example:80", .dn = VIRTUAL("MAIL1"), .hosts_users = true};
    f->servers[1] = (struct im_server){.name = "ours", .hosts_users = true};
    f->known.servers = (struct im_servers){.items = f->servers, .count = 2};
    f->known.domains = domains;
    f->g = (struct im_gather){.directory = f->d, .config = &f->config, .profile = f->w->profile};
    return f;
}

static int set_up(void **state) {
    static const char *const domains[] = {BASE, CHILD, NULL};
    *state = open_fixture(ROOT, "knows: [allowedAttributesEffective]", domains);
    return 0;
}

static int set_up_unnamed(void **state) {
    static const char *const domains[] = {BASE, CHILD, NULL};
    *state = open_fixture(ROOT_OF("ldapServiceName: x"), "knows: [allowedAttributesEffective]", domains);
    return 0;
}

static int set_up_openldap(void **state) {
    static const char *const contexts[] = {CONFIG, CHILD, NULL};
    *state = open_fixture("dn:\nobjectClass: OpenLDAProotDSE\nnamingContexts: " BASE "\n\n", "directory: openldap", contexts);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    memdir_free(&f->m);
    world_free(&f->w);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void reads(struct fixture *f) {
    if (im_organisation_read(&f->g, &f->known, f->pool, &f->o, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
}

static const struct im_machine *machine(const struct fixture *f, const char *name) {
    for (size_t i = 0; i < f->o.machines.count; i++) {
        if (strcmp(f->o.machines.items[i].name, name) == 0)
            return &f->o.machines.items[i];
    }
    fail_msg("no machine %s", name);
    return NULL;
}

/* Letters of what is not known; each must say why, and what is known must not. */
static const char *unknown(const struct fixture *f) {
    static char letters[16];
    const struct im_organisation *o = &f->o;
    const struct {
        char letter;
        bool is_known;
        const char *why_not;
    } groups[] = {
        {'p', o->policy.is_known, o->policy.why_not},
        {'m', o->machines.is_known, o->machines.why_not},
        {'s', o->stores.is_known, o->stores.why_not},
        {'c', o->computers.is_known, o->computers.why_not},
        {'f', o->settings.is_known, o->settings.why_not},
        {'r', o->schema_role.is_known, o->schema_role.why_not},
        {'g', o->gc.is_known, o->gc.why_not},
        {'1', o->domains[0].is_known, o->domains[0].why_not},
        {'2', o->domains[1].is_known, o->domains[1].why_not},
    };
    size_t count = 0;
    for (size_t i = 0; i < LENGTH(groups); i++) {
        if (groups[i].is_known == (groups[i].why_not != NULL))
            fail_msg("%c: %s", groups[i].letter, groups[i].why_not ? groups[i].why_not : "there is no reason");
        if (!groups[i].is_known)
            letters[count++] = groups[i].letter;
    }
    letters[count] = '\0';
    return letters;
}

/* ---- facts ---- */

static void machines_and_what_they_hold(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_string_equal(unknown(f), "");
    assert_int_equal(f->o.machines.count, 3);
    assert_string_equal(machine(f, "MAIL1")->host, "mail1.corp.example");
    assert_string_equal(machine(f, "MAIL1")->version, "Version 6.0 (Build 6249.4: Service Pack 3)");
    assert_true(machine(f, "MAIL1")->has_stores && machine(f, "MAIL1")->is_described);
    assert_string_equal(machine(f, "MAIL2")->host, "mail2.corp.example");
    assert_null(machine(f, "MAIL2")->version);
    assert_true(!machine(f, "MAIL2")->has_stores && machine(f, "MAIL2")->is_described);
    assert_false(machine(f, "MAIL3")->is_described);
    struct im_buf key = IM_BUF_INIT;
    assert_true(im_dn_normalize("cn=1, CN=im,CN=Protocols,CN=mail2," MACHINES, &key));
    assert_ptr_equal(im_organisation_machine(&f->o, im_buf_str(&key)), machine(f, "MAIL2"));
    assert_ptr_equal(im_organisation_machine(&f->o, machine(f, "MAIL2")->key), machine(f, "MAIL2"));
    assert_null(im_organisation_machine(&f->o, machine(f, "MAIL2")->key + 1));
    im_buf_free(&key);
}

static void computers_by_their_names(void **state) {
    struct fixture *f = *state;
    reads(f);
    const struct im_computer *found = im_organisation_computer(&f->o, "mail1.corp.example");
    assert_non_null(found);
    assert_false(found->is_disabled);
    assert_true(im_organisation_computer(&f->o, "mail2.CORP.example")->is_disabled);
    assert_null(im_organisation_computer(&f->o, "other.corp.example")); /* nobody asked */
    assert_int_equal(f->o.computers.count, 4);
    assert_true(im_organisation_answers_for(&f->o, "IM1.corp.example"));
    assert_true(im_organisation_answers_for(&f->o, "mail1.corp.example"));
    assert_false(im_organisation_answers_for(&f->o, "mail2.corp.example")); /* disabled */
    assert_false(im_organisation_answers_for(&f->o, "x.corp.example"));     /* for mail only */
    assert_false(im_organisation_answers_for(&f->o, "mail1.corp.exampl"));
}

static void policy_of_the_domain_with_the_accounts(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_int_equal(f->o.policy.max_password_age_s, 42 * 86400);
    assert_int_equal(f->o.policy.min_password_length, 7);
    assert_true(f->o.policy.stores_reversible);
    f->config.base = "OU=people,dc=west,DC=example";
    reads(f);
    assert_int_equal(f->o.policy.max_password_age_s, 0);
    assert_false(f->o.policy.stores_reversible);
    memdir_set(f->m, CHILD, "pwdProperties", NULL);
    reads(f);
    assert_string_equal(unknown(f), "p");
    assert_mentions(f->o.policy.why_not, "pwdProperties");
    static const char *const nested[] = {BASE, CONFIG, NULL}; /* the innermost counts */
    f->known.domains = nested;
    f->config.base = "CN=x,cn=configuration," BASE;
    memdir_set(f->m, CONFIG, "pwdProperties", "1");
    memdir_set(f->m, CONFIG, "minPwdLength", "12");
    reads(f);
    assert_int_equal(f->o.policy.min_password_length, 12);
}

static void settings_that_can_be_read(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_int_equal(f->o.settings.container_count, 1);
    assert_int_equal(f->o.settings.count, 1);
    const struct im_firewall *firewall = &f->o.settings.firewalls[0];
    assert_true(firewall->has_proxy);
    assert_int_equal(firewall->proxy_octets, 5);
    assert_int_equal(firewall->range_count, 3);
    assert_int_equal(firewall->ranges.count, 1);
    assert_string_equal(firewall->ranges.items[0], "10.0.0.0-10.0.0.9");
    memdir_set(f->m, "CN=Firewall,CN=Global," CONFIG, "msExchIMProxy", NULL);
    memdir_set(f->m, "CN=Firewall,CN=Global," CONFIG, "msExchIMIPRange", NULL);
    reads(f);
    assert_false(f->o.settings.firewalls[0].has_proxy);
    assert_int_equal(f->o.settings.firewalls[0].range_count, 0);
}

static void schema_master_and_global_catalog(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_false(f->o.schema_role.is_here);
    assert_string_equal(f->o.schema_role.host, "dc2.corp.example");
    assert_int_equal(f->o.gc.count, 3); /* those of the profile */
    for (size_t i = 0; i < f->o.gc.count; i++)
        assert_int_equal(f->o.gc.items[i].is_in_gc, strcmp(f->o.gc.items[i].name, "msExchIMAddress") == 0);
    memdir_set(f->m, SCHEMA, "fSMORoleOwner", "cn=ntds settings,CN=DC1," SITE);
    reads(f);
    assert_true(f->o.schema_role.is_here);
    memdir_set(f->m, SCHEMA, "fSMORoleOwner", NULL);
    reads(f);
    assert_string_equal(unknown(f), "r");
    assert_mentions(f->o.schema_role.why_not, "fSMORoleOwner");
}

static void rights_on_people_of_each_domain(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_int_equal(f->o.domain_count, 2);
    assert_string_equal(f->o.domains[1].domain, CHILD);
    assert_int_equal(f->o.domains[0].sampled, 2);
    assert_int_equal(f->o.domains[0].can_enable, 1);
    assert_int_equal(f->o.domains[0].can_write, 2);
    assert_int_equal(f->o.domains[1].sampled, 2); /* not the protected one */
    assert_int_equal(f->o.domains[1].can_enable, 0);
    assert_int_equal(f->o.domains[1].can_write, 1);
}

static void some_people_are_enough(void **state) {
    struct fixture *f = *state;
    char dn[64];
    for (int i = 0; i < 20; i++) {
        snprintf(dn, sizeof dn, "CN=more%d," CHILD, i);
        struct berval values[] = {VALUE("person")};
        struct im_attr list[] = {{.name = "objectCategory", .values = values, .count = 1},
                                 {.name = "objectClass", .values = (struct berval[]){VALUE("user")}, .count = 1}};
        struct im_entry entry = {.dn = dn, .attrs = list, .count = 2};
        assert_int_equal(im_directory_add(f->d, &entry, &f->e), IM_OK);
    }
    reads(f);
    assert_string_equal(unknown(f), "");
    assert_int_equal(f->o.domains[1].sampled, 8);
}

/* All of the first round at once, then all of the second. */
static void two_round_trips(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 8 + 7);
    assert_int_equal(memdir_in_flight(f->m), 8);
}

static void answers_in_any_order(void **state) {
    struct fixture *f = *state;
    memdir_answer_in_reverse(f->m, true);
    machines_and_what_they_hold(state);
    assert_int_equal(f->o.domains[0].can_enable, 1);
    assert_int_equal(f->o.domains[1].can_enable, 0);
}

/* ---- what fails ---- */

/* Machines, stores, settings, policy, people of two domains, schema master, global catalog; then computers of two domains, rights
 * on four people, and the master's name. One person, or the name, may be missing. */
static void each_search_fails_for_itself(void **state) {
    struct fixture *f = *state;
    static const char *const lost[] = {"m", "s", "f", "p", "1", "2", "r", "g", "c", "c", "", "", "", "", ""};
    for (size_t i = 0; i < LENGTH(lost); i++) {
        size_t nth = memdir_count(f->m, MEMDIR_SEARCH) + i + 1;
        memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = nth, .code = 50, .diagnostic = "closed"});
        reads(f);
        if (strcmp(unknown(f), lost[i]) != 0)
            fail_msg("search %zu: %s is unknown instead of %s", i + 1, unknown(f), lost[i]);
        assert_true(f->o.domains[0].sampled + f->o.domains[1].sampled <= 4);
    }
    assert_string_equal(f->o.identity, "cn=tester");
}

static void the_reason_is_what_the_server_said(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 50, .diagnostic = "closed"});
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 4, .code = 32});
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 6, .code = 10});
    reads(f);
    assert_string_equal(unknown(f), "pm2");
    assert_mentions(f->o.machines.why_not, "insufficientAccessRights");
    assert_mentions(f->o.machines.why_not, CONFIG);
    assert_mentions(f->o.policy.why_not, "does not exist, or ");
    assert_mentions(f->o.domains[1].why_not, "refers to another server");
    assert_int_equal(f->o.machines.count, 0);
}

static void a_short_answer_is_asked_for_in_pages(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 4, .entries = 1});
    reads(f);
    assert_string_equal(unknown(f), "");
    assert_int_equal(f->o.machines.count, 3);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 8 + 7 + 1);
}

static void a_second_short_answer_is_a_reason(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 4, .entries = 1});
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 9, .code = 4, .entries = 1});
    reads(f);
    assert_string_equal(unknown(f), "m");
    assert_int_equal(f->o.machines.count, 0);
}

static void a_lost_connection_is_an_error(void **state) {
    struct fixture *f = *state;
    for (size_t nth = 1; nth <= 15; nth += 7) {
        struct fixture *once;
        set_up((void **)&once);
        memdir_fault(once->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = nth, .error = IM_E_LOST});
        assert_int_equal(im_organisation_read(&once->g, &once->known, once->pool, &once->o, &once->e), IM_E_LOST);
        assert_null(once->o.identity); /* nothing was touched */
        tear_down((void **)&once);
    }
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 3, .error = IM_E_INTERRUPTED});
    assert_int_equal(im_organisation_read(&f->g, &f->known, f->pool, &f->o, &f->e), IM_E_INTERRUPTED);
    im_error_clear(&f->e);
    reads(f); /* nothing of the first attempt turns up in this one */
    assert_string_equal(unknown(f), "");
}

static void computers_that_cannot_be_seen_are_not_missing(void **state) {
    struct fixture *f = *state;
    memdir_delete(f->m, "CN=DC1," BASE);
    reads(f);
    assert_string_equal(unknown(f), "c");
    assert_mentions(f->o.computers.why_not, "dc1.corp.example");
    assert_non_null(im_organisation_computer(&f->o, "mail1.corp.example")); /* what is seen is known all the same */
}

/* An export does not say which domain controller it is from. */
static void any_computer_will_do_where_no_controller_is_named(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_string_equal(unknown(f), "");
    memdir_delete(f->m, "CN=MAIL1," BASE);
    memdir_delete(f->m, "CN=MAIL2," BASE);
    reads(f);
    assert_string_equal(unknown(f), "c");
}

static void domains_without_people(void **state) {
    struct fixture *f = *state;
    memdir_delete(f->m, "CN=cid," CHILD);
    memdir_delete(f->m, "CN=dee," CHILD);
    reads(f);
    assert_string_equal(unknown(f), "2");
}

static void what_the_schema_does_not_have_is_not_asked_for(void **state) {
    struct fixture *f = *state;
    f->known.schema = f->w->schema;
    f->known.schema.classes[3].aux_count = 0; /* the class is not attached to users: no rights are shown */
    reads(f);
    assert_string_equal(unknown(f), "msf12");
    assert_mentions(f->o.machines.why_not, "msExchExchangeServer");
    assert_mentions(f->o.stores.why_not, "msExchMDB");
    assert_mentions(f->o.settings.why_not, "msExchIMFirewall");
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 3 + 3);
}

static void other_directories_tell_less(void **state) {
    struct fixture *f = *state;
    reads(f);
    assert_string_equal(unknown(f), "pcrg12");
    assert_mentions(f->o.computers.why_not, "Active Directory");
    assert_int_equal(f->o.machines.count, 3); /* one naming context has them */
    assert_int_equal(f->o.settings.count, 1);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 6);
}

static enum im_err attempt(void *user, struct im_error *e) {
    struct fixture *f = user;
    size_t left = oom_pause();
    struct im_pool *pool = im_pool_new();
    assert_non_null(pool);
    oom_fail_at(left);
    enum im_err err = im_organisation_read(&f->g, &f->known, pool, &f->o, e);
    left = oom_pause();
    if (err == IM_OK)
        assert_string_equal(unknown(f), "");
    im_pool_free(&pool);
    oom_fail_at(left);
    return err;
}

static void out_of_memory(void **state) {
    struct fixture *f = *state;
    assert_true(oom_every_allocation(attempt, f) > 30);
}

/* ---- versions ---- */

static void builds_of_a_release(void **state) {
    (void)state;
    static const struct {
        const char *version;
        long build;
    } rows[] = {
        {"Version 6.0 (Build 6249.4: Service Pack 3)", 6249},
        {"Version 6.0 (Build 4417.5)", 4417},
        {"Version 6.5 (Build 7638.2: Service Pack 2)", 0},
        {"Version 6.01 (Build 4417.5)", 0},
        {"Version 6.0", 0},
        {"Version 6.0 (Build )", 0},
        {"Version 6.0 (Build -3)", 0},
        {"Version 6.0 (Build 12x)", 0},
        {"6.0 (Build 4417.5)", 0},
        {"", 0},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        if (im_version_build(rows[i].version, "6.0") != rows[i].build)
            fail_msg("\"%s\" is build %ld", rows[i].version, im_version_build(rows[i].version, "6.0"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(machines_and_what_they_hold),
        TEST(computers_by_their_names),
        TEST(policy_of_the_domain_with_the_accounts),
        TEST(settings_that_can_be_read),
        TEST(schema_master_and_global_catalog),
        TEST(rights_on_people_of_each_domain),
        TEST(some_people_are_enough),
        TEST(two_round_trips),
        TEST(answers_in_any_order),
        TEST(each_search_fails_for_itself),
        TEST(the_reason_is_what_the_server_said),
        TEST(a_short_answer_is_asked_for_in_pages),
        TEST(a_second_short_answer_is_a_reason),
        TEST(a_lost_connection_is_an_error),
        TEST(computers_that_cannot_be_seen_are_not_missing),
        TEST(domains_without_people),
        TEST(what_the_schema_does_not_have_is_not_asked_for),
        TEST(out_of_memory),
        cmocka_unit_test_setup_teardown(any_computer_will_do_where_no_controller_is_named, set_up_unnamed, tear_down),
        cmocka_unit_test_setup_teardown(other_directories_tell_less, set_up_openldap, tear_down),
        cmocka_unit_test(builds_of_a_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
