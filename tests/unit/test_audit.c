/* Auditing a directory and judging selected accounts, on a directory in memory. */
#include "tests/unit/runner.h"

#include "lib/base/hashes.h"
#include "lib/directory/parts.h"
#include "lib/engine/preflight.h"
#include "tests/unit/oom.h"

#include <stdio.h>

#define IM(alias, home)                                                                                                          \
    "msExchIMAddress: " alias "@im.corp.example\n"                                                                               \
    "msExchIMMetaPhysicalURL: http://im.corp.example/instmsg/aliases/" alias "\n"                                                \
    "msExchIMPhysicalURL: http://imhome1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/" alias "\n"                 \
    "msExchIMVirtualServer: " home "\n"
#define GONE "CN=gone,OU=IM," BASE
#define DELETED "CN=1\\0ADEL:4f1e9f0c-0000-4000-8000-0123456789ab,CN=Deleted Objects,DC=corp,DC=example"
#define PRINTER "CN=printer,OU=IM," BASE

struct audited {
    struct fixture *f;
    struct im_choice choice;
    struct im_survey survey;
    struct im_counter *counter;
    struct im_audit audit;
    struct im_buf told; /* "RULE ACCOUNT" a line */
    char domains[200];
    bool tells_guids;
};

static enum im_err on_finding(void *user, const struct im_finding *finding, struct im_error *e) {
    struct audited *a = user;
    size_t left = oom_pause();
    (void)e;
    im_buf_addf(&a->told, "%s %s\n", finding->rule->id, finding->account ? finding->account : finding->dn);
    if (a->tells_guids)
        im_buf_addf(&a->told, "  %s\n", finding->guid ? finding->guid : "no GUID");
    oom_fail_at(left);
    return IM_OK;
}

static enum im_err on_mail_domain(void *user, const char *domain, struct im_error *e) {
    struct audited *a = user;
    (void)e;
    size_t len = strlen(a->domains);
    (void)snprintf(a->domains + len, sizeof a->domains - len, "%s ", domain);
    return IM_OK;
}

static void begin(struct audited *a, struct fixture *f, const char *rules) {
    const char *names[16];
    char list[400];
    struct im_choice_wanted wanted = {.only = {.items = names}};
    *a = (struct audited){.f = f};
    snprintf(list, sizeof list, "%s", rules);
    for (char *word = strtok(list, " "); word; word = strtok(NULL, " "))
        names[wanted.only.count++] = word;
    assert_int_equal(im_choice_make(f->profile, &wanted, f->pool, &a->choice, &f->e), IM_OK);
    assert_int_equal(a->choice.count, wanted.only.count);
    a->counter = im_counter_new(&f->servers);
    assert_non_null(a->counter);
    f->context.is_check = true;
    a->survey = (struct im_survey){.profile = f->profile, .servers = &f->servers, .is_ad = f->context.is_ad};
    a->audit = (struct im_audit){.resolver = f->run.resolver,
                                 .servers = &f->servers,
                                 .survey = &a->survey,
                                 .choice = &a->choice,
                                 .pool = f->pool,
                                 .on_finding = on_finding,
                                 .on_mail_domain = on_mail_domain,
                                 .user = a};
}

static void end(struct audited *a) {
    im_counter_free(&a->counter);
    im_buf_free(&a->told);
}

static void expect(struct audited *a, const char *lines) {
    assert_int_equal(im_audit_accounts(&a->audit, a->counter, &a->f->e), IM_OK);
    assert_string_equal(im_buf_str(&a->told), lines);
}

/* ---- the whole directory ---- */

static void finds_what_one_account_says(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("Half", "half") "msExchIMAddress: half@im.corp.example\n" ACTIVE);
    begin(&a, f, "account-attrs-partial");
    expect(&a, "account-attrs-partial half\n");
    assert_int_equal(a.choice.items[0].findings, 1);
    end(&a);
    tear_down((void **)&f);
}

static void looks_up_homes_that_no_server_is_known_for(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f =
        new_fixture(MEMDIR_AD, "dn: " PRINTER "\nobjectClass: device\n\n" PERSON("A", "aa") IM("aa", GONE)
                                   ACTIVE PERSON("B", "bb") IM("bb", PRINTER) ACTIVE PERSON("C", "cc") IM("cc", HOME1) ACTIVE);
    begin(&a, f, "account-home-dangling account-home-not-host");
    expect(&a, "account-home-dangling aa\naccount-home-not-host bb\n");
    const struct im_census *census = im_counter_census(a.counter);
    assert_int_equal(census->home_count, 3);
    for (size_t i = 0; i < census->home_count; i++) {
        const struct im_census_home *home = &census->homes[i];
        bool is_gone = strcmp(home->dn, GONE) == 0;
        assert_int_equal(home->users, 1);
        assert_int_equal(home->target, is_gone                        ? IM_TARGET_MISSING
                                       : strcmp(home->dn, HOME1) == 0 ? IM_TARGET_HOST
                                                                      : IM_TARGET_NO_SERVER);
        assert_string_equal(home->host, "imhome1.corp.example");
    }
    end(&a);
    tear_down((void **)&f);
}

/* Its name says so: nobody need be asked, and nobody could be. */
static void knows_deleted_homes_by_their_names(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f =
        new_fixture(MEMDIR_AD, PERSON("A", "aa") IM("aa", DELETED) ACTIVE PERSON("B", "bb") IM("bb", DELETED) ACTIVE);
    begin(&a, f, "account-home-dangling account-home-not-host");
    expect(&a, "account-home-dangling aa\naccount-home-dangling bb\n");
    assert_int_equal(im_counter_census(a.counter)->home_count, 1);
    assert_int_equal(im_counter_census(a.counter)->homes[0].target, IM_TARGET_DELETED);
    end(&a);
    tear_down((void **)&f);
}

static void finds_addresses_that_several_have(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("A", "aa") IM("same", HOME1) ACTIVE PERSON("B", "bb") IM("Same", HOME1)
                                                   ACTIVE PERSON("C", "cc") IM("cc", HOME1) ACTIVE);
    begin(&a, f, "account-address-duplicate");
    expect(&a, "account-address-duplicate aa\naccount-address-duplicate bb\n");
    end(&a);
    tear_down((void **)&f);
}

#define GUID(last) "objectGUID:: AAECAwQFBgcICQoLDA0O" last "==\n"
#define DOMAIN_USERS "tokenGroups:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAAQIAAA==\n"

/* Also what is only asked for afterwards: by the GUID an earlier result knows an account that was renamed. */
static void says_the_guid_of_each_account(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("A", "aa") IM("same", HOME1)
                                                   GUID("Dw") "adminCount: 1\n" DOMAIN_USERS ACTIVE PERSON("B", "bb")
                                                       IM("same", HOME1) GUID("Hw") ACTIVE);
    begin(&a, f, "account-address-duplicate account-protected-leftover");
    a.tells_guids = true;
    expect(&a, "account-address-duplicate aa\n  03020100-0504-0706-0809-0a0b0c0d0e0f\n"
               "account-address-duplicate bb\n  03020100-0504-0706-0809-0a0b0c0d0e1f\n"
               "account-protected-leftover aa\n  03020100-0504-0706-0809-0a0b0c0d0e0f\n");
    end(&a);
    tear_down((void **)&f);
}

static void counts_what_accounts_say_together(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("A", "aa") IM("aa", HOME1) ACTIVE PERSON("B", "bb") IM("bb", HOME2)
                                                   ACTIVE PERSON("C", "cc") IM("cc", "CN=IMHOME1, OU=IM," BASE) ACTIVE);
    begin(&a, f, "account-attrs-partial");
    expect(&a, "");
    const struct im_census *census = im_counter_census(a.counter);
    assert_true(census->is_whole);
    assert_int_equal(census->enabled, 3);
    assert_int_equal(census->home_count, 2); /* one of them in two spellings */
    assert_int_equal(census->homes[0].users + census->homes[1].users, 3);
    assert_int_equal(census->im_domain_count, 1);
    assert_string_equal(census->im_domains[0].name, "im.corp.example");
    assert_int_equal(census->im_domains[0].users, 3);
    assert_string_equal(a.domains, "mail.example "); /* once */
    end(&a);
    tear_down((void **)&f);
}

static void nobody_enabled_is_fine_and_nobody_at_all_is_not(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, NULL);
    begin(&a, f, "account-attrs-partial");
    expect(&a, "");
    static const char *const contexts[] = {"OU=IM," BASE, "OU=People," BASE, NULL};
    a.audit.resolver.base = NULL; /* several naming contexts, and none of them was chosen */
    a.audit.resolver.domains = contexts;
    expect(&a, "");
    a.audit.resolver.base = "OU=IM," BASE;
    assert_int_equal(im_audit_accounts(&a.audit, a.counter, &f->e), IM_E_INVISIBLE);
    end(&a);
    tear_down((void **)&f);
}

static void a_result_that_was_cut_off_is_an_error(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("Half", "half") "msExchIMAddress: half@im.corp.example\n" ACTIVE);
    begin(&a, f, "account-attrs-partial");
    memdir_fault(f->m, (struct memdir_fault){
                           .kind = MEMDIR_SEARCH, .nth = memdir_count(f->m, MEMDIR_SEARCH) + 1, .code = 4, .entries = 1});
    assert_int_equal(im_audit_accounts(&a.audit, a.counter, &f->e), IM_E_TRUNCATED);
    end(&a);
    tear_down((void **)&f);
}

/* ---- parts ---- */

static enum im_err count_entry(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct im_buf *names = user;
    (void)lookup, (void)e;
    im_buf_addf(names, "%s\n", entry->dn);
    return IM_OK;
}

/* However a search is divided, each entry comes once: those of containers, those beside them, and the base. */
static void parts_hold_every_entry_once(void **state) {
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, "dn: OU=Deep,OU=People," BASE "\nobjectClass: organizationalUnit\n\n"
                                               "dn: CN=Low,OU=Deep,OU=People," BASE "\nobjectClass: user\nsAMAccountName: low\n\n"
                                               "dn: CN=Top," BASE "\nobjectClass: user\nsAMAccountName: top\n\n");
    const struct im_search search = {.base = BASE, .scope = IM_SEARCH_SUB, .filter = "(sAMAccountName=*)"};
    struct im_buf whole = IM_BUF_INIT;
    struct im_buf parts = IM_BUF_INIT;
    assert_int_equal(im_parts_search(f->d, &search, 1, count_entry, &whole, &f->e), IM_OK);
    size_t before = memdir_count(f->m, MEMDIR_SEARCH);
    assert_int_equal(im_parts_search(f->d, &search, 4, count_entry, &parts, &f->e), IM_OK);
    assert_true(memdir_count(f->m, MEMDIR_SEARCH) > before + 3);
    assert_int_equal(whole.len, parts.len);
    for (char *word = strtok(whole.data, "\n"); word; word = strtok(NULL, "\n")) {
        const char *first = strstr(parts.data, word);
        assert_non_null(first);
        assert_null(strstr(first + 1, word));
    }
    im_buf_free(&whole);
    im_buf_free(&parts);
    tear_down((void **)&f);
}

static void hashes_remember(void **state) {
    (void)state;
    struct im_hashes *hashes = im_hashes_new();
    bool is_new;
    assert_non_null(hashes);
    for (uint64_t i = 0; i < 10000; i++) {
        assert_true(im_hashes_add(hashes, i * 0x9e3779b97f4a7c15u + 2, &is_new) && is_new);
    }
    for (uint64_t i = 0; i < 10000; i++)
        assert_true(im_hashes_add(hashes, i * 0x9e3779b97f4a7c15u + 2, &is_new) && !is_new);
    assert_int_equal(im_hashes_count(hashes), 10000);
    im_hashes_free(&hashes);
}

/* ---- selected accounts ---- */

static enum im_err on_checked(void *user, const struct im_input *input, const struct im_result *r, struct im_error *e) {
    struct audited *a = user;
    (void)e, (void)input;
    im_buf_addf(&a->told, "%s %s", r->input, im_outcome_name(r->outcome));
    for (size_t i = 0; i < r->finding_count; i++)
        im_buf_addf(&a->told, " %s", r->findings[i].rule->id);
    im_buf_addc(&a->told, '\n');
    return a->told.failed ? IM_E_NOMEM : IM_OK;
}

static enum im_err fly(struct audited *a, const char *const *names) {
    struct fixture *f = a->f;
    name(f, names);
    return im_preflight(&a->audit, &f->run, a->counter, on_checked, a, &f->e);
}

static void a_preflight_judges_as_if_they_were_enabled(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("Leaver", "leaver") "userAccountControl: 514\n\n" PERSON("A", "aa")
                                                   IM("jdoe", GONE) ACTIVE);
    f->request.domain = "im.corp.example";
    begin(&a, f, "account-disabled account-home-dangling account-address-duplicate");
    assert_int_equal(fly(&a, (const char *const[]){"leaver", "jdoe", "nobody", "aa", "leaver", NULL}), IM_OK);
    assert_string_equal(im_buf_str(&a.told), "leaver unchanged account-disabled\n"
                                             "jdoe unchanged account-address-duplicate\n"
                                             "nobody not-found\n"
                                             "aa unchanged account-home-dangling\n"
                                             "leaver unchanged account-disabled\n");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    end(&a);
    tear_down((void **)&f);
}

/* As for imenable, which asks for no rights where it writes nothing. */
static void a_preflight_needs_rights_where_something_would_be_written(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("B", "bb") ACTIVE);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    begin(&a, f, "account-not-writable account-disabled");
    f->context.asked_rights = true;
    memdir_set(f->m, JANE, "allowedAttributesEffective", "description");
    memdir_set(f->m, "CN=B,OU=People," BASE, "allowedAttributesEffective", "description");
    f->input_at = 0;
    assert_int_equal(fly(&a, (const char *const[]){"jdoe", "bb", NULL}), IM_OK);
    assert_string_equal(im_buf_str(&a.told), "jdoe unchanged\nbb unchanged account-not-writable\n");
    end(&a);
    tear_down((void **)&f);
}

/* How they would be enabled is not clear: they are judged by what they have. */
static void a_preflight_needs_no_clear_home(void **state) {
    struct audited a;
    (void)state;
    struct fixture *f = new_fixture(MEMDIR_AD, PERSON("A", "aa") IM("aa", GONE) ACTIVE);
    f->request.default_home = NULL;
    begin(&a, f, "account-disabled account-home-dangling");
    assert_int_equal(fly(&a, (const char *const[]){"off", "aa", NULL}), IM_OK);
    assert_string_equal(im_buf_str(&a.told), "off unchanged account-disabled\naa unchanged account-home-dangling\n");
    end(&a);
    tear_down((void **)&f);
}

/* ---- out of memory ---- */

static enum im_err once(void *user, struct im_error *e) {
    struct audited a;
    struct fixture *f = user;
    const char *names[] = {"account-attrs-partial", "account-home-dangling", "account-address-duplicate"};
    const struct im_choice_wanted wanted = {.only = {.items = names, .count = 3}};
    a = (struct audited){.f = f};
    enum im_err err = im_choice_make(f->profile, &wanted, f->pool, &a.choice, e);
    a.survey = (struct im_survey){.profile = f->profile, .servers = &f->servers, .is_ad = true};
    a.counter = im_counter_new(&f->servers);
    a.audit = (struct im_audit){.resolver = f->run.resolver,
                                .servers = &f->servers,
                                .survey = &a.survey,
                                .choice = &a.choice,
                                .pool = f->pool,
                                .on_finding = on_finding,
                                .user = &a};
    if (err == IM_OK)
        err = a.counter ? im_audit_accounts(&a.audit, a.counter, e) : im_error_nomem(e);
    end(&a);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    struct fixture *f =
        new_fixture(MEMDIR_AD, PERSON("A", "aa") IM("same", GONE) ACTIVE PERSON("B", "bb") IM("Same", HOME1) ACTIVE);
    assert_true(oom_every_allocation(once, f) > 20);
    tear_down((void **)&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_one_account_says),
        cmocka_unit_test(looks_up_homes_that_no_server_is_known_for),
        cmocka_unit_test(knows_deleted_homes_by_their_names),
        cmocka_unit_test(finds_addresses_that_several_have),
        cmocka_unit_test(says_the_guid_of_each_account),
        cmocka_unit_test(counts_what_accounts_say_together),
        cmocka_unit_test(nobody_enabled_is_fine_and_nobody_at_all_is_not),
        cmocka_unit_test(a_result_that_was_cut_off_is_an_error),
        cmocka_unit_test(parts_hold_every_entry_once),
        cmocka_unit_test(hashes_remember),
        cmocka_unit_test(a_preflight_judges_as_if_they_were_enabled),
        cmocka_unit_test(a_preflight_needs_rights_where_something_would_be_written),
        cmocka_unit_test(a_preflight_needs_no_clear_home),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
