/* The calls that wait, on the directory in memory; and the directory in memory itself. */
#include "lib/data/dn.h"
#include "lib/directory/directory.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

static const struct memdir_attr attrs[] = {{"msExchIMVirtualServer", MEMDIR_DN | MEMDIR_SINGLE},
                                           {"msExchIMAddress", MEMDIR_SINGLE | MEMDIR_EXACT},
                                           {"plain", MEMDIR_NO_EQUALITY | MEMDIR_SINGLE},
                                           {NULL, 0}};

static const char people[] =
    "dn: DC=corp,DC=example\nobjectClass: domain\n\n"
    "dn: OU=People,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n"
    "dn: CN=M\xc3\xbcller\\, J\xc3\xb6rg,OU=People,DC=corp,DC=example\nobjectClass: user\nsn: M\xc3\xbcller\n"
    "msExchIMAddress: joerg@im.corp.example\nmsExchIMVirtualServer: CN=home1,DC=corp,DC=example\n"
    "plain: old\n\n"
    "dn: CN=ann,OU=People,DC=corp,DC=example\nobjectClass: user\nsn: Ann\nsn: Other\n\n"
    "dn: CN=home1,DC=corp,DC=example\nobjectClass: msExchProtocolCfgIMVirtualServer\n\n";

#define JOERG "CN=M\xc3\xbcller\\, J\xc3\xb6rg,OU=People,DC=corp,DC=example"
#define ANN "CN=ann,OU=People,DC=corp,DC=example"
#define HOME "CN=home1,DC=corp,DC=example"

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_error e;
    struct im_pool *pool;
};

static struct fixture open_ldif(const char *rootdse) {
    struct fixture f = {.e = {.code = IM_OK}, .pool = im_pool_new()};
    assert_non_null(f.pool);
    char *ldif = im_pool_printf(f.pool, "%s%s", rootdse, people);
    f.m = memdir_new(attrs, ldif);
    assert_int_equal(memdir_open(f.m, &f.d, &f.e), IM_OK);
    return f;
}

static void close_all(struct fixture *f) {
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_pool_free(&f->pool);
}

static enum im_err count_entry(void *user, const struct im_entry *entry, struct im_error *e) {
    (void)entry, (void)e;
    ++*(size_t *)user;
    return IM_OK;
}

static size_t matches(struct fixture *f, enum im_search_scope scope, const char *base, const char *filter) {
    size_t count = 0;
    struct im_search search = {.base = base, .scope = scope, .filter = filter};
    im_error_clear(&f->e);
    assert_int_equal(im_directory_search(f->d, &search, count_entry, &count, &f->e), IM_OK);
    return count;
}

static enum im_err change_one(struct fixture *f, const char *dn, struct im_op op, const char *assertion) {
    struct im_change change = {.dn = dn, .ops = &op, .count = 1, .assertion = assertion};
    im_error_clear(&f->e);
    return im_directory_modify(f->d, &change, NULL, &f->e);
}

static void test_scopes(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    assert_int_equal(matches(&f, IM_SEARCH_SUB, "dc=corp, dc=example", NULL), 5);
    assert_int_equal(matches(&f, IM_SEARCH_SUB, "OU=People,DC=corp,DC=example", NULL), 3);
    assert_int_equal(matches(&f, IM_SEARCH_ONE, "OU=People,DC=corp,DC=example", NULL), 2);
    assert_int_equal(matches(&f, IM_SEARCH_ONE, "DC=corp,DC=example", NULL), 2);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, JOERG, NULL), 1);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, "", NULL), 1);
    close_all(&f);
}

static void test_filters(void **state) {
    (void)state;
    static const struct {
        const char *filter;
        size_t count;
    } rows[] = {
        {"(sn=m\xc3\x9cLLER)", 1},
        {"(sn=M\\c3\\bcller)", 1},
        {"(msExchIMAddress=JOERG@im.corp.example)", 0},
        {"(msExchIMAddress:caseIgnoreMatch:=JOERG@im.corp.example)", 1},
        {"(objectClass=USER)", 2},
        {"(!(objectClass=user))", 3},
        {"(&(objectClass=user)(sn=*))", 2},
        {"(|(sn=other)(sn=m\xc3\xbcller)(cn=none))", 2},
        {"(plain=old)", 0},    /* undefined */
        {"(!(plain=old))", 0}, /* which ! does not turn into true */
        {"(plain:caseExactMatch:=old)", 1},
        {"(sn=*ll*r)", 1},
        {"(sn=an*)", 1},
        {"(sn=*x*)", 0},
        {"(msExchIMVirtualServer=cn=HOME1, dc=corp,dc=example)", 1},
    };
    struct fixture f = open_ldif(MEMDIR_AD);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        if (matches(&f, IM_SEARCH_SUB, "DC=corp,DC=example", rows[i].filter) != rows[i].count)
            fail_msg("%s", rows[i].filter);
    }
    close_all(&f);
}

static void test_read(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct im_entry *entry = NULL;
    const char *const wanted[] = {"sn", NULL};
    struct im_search search = {.base = ANN, .scope = IM_SEARCH_BASE, .attributes = wanted};
    assert_int_equal(im_directory_read(f.d, &search, f.pool, &entry, &f.e), IM_OK);
    assert_int_equal(entry->count, 1);
    assert_int_equal(entry->attrs[0].count, 2);
    search.base = "CN=nobody,DC=corp,DC=example";
    assert_int_equal(im_directory_read(f.d, &search, f.pool, &entry, &f.e), IM_OK);
    assert_null(entry);
    assert_int_equal(f.e.code, IM_OK);
    search = (struct im_search){.base = "DC=corp,DC=example", .scope = IM_SEARCH_SUB};
    assert_int_equal(im_directory_read(f.d, &search, f.pool, &entry, &f.e), IM_E_PROTOCOL);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, ANN, NULL), 1); /* nothing of the first search is left in flight */
    close_all(&f);
}

static void test_search_errors(void **state) {
    (void)state;
    static const struct {
        int code;
        enum im_err err;
        const char *words;
    } rows[] = {{3, IM_E_TRUNCATED, "timeLimitExceeded"},
                {4, IM_E_TRUNCATED, "sizeLimitExceeded"},
                {10, IM_E_TRUNCATED, "referral"},
                {11, IM_E_TRUNCATED, "adminLimitExceeded"},
                {32, IM_E_NOT_FOUND, "does not exist"},
                {50, IM_E_SERVER, "no right"},
                {51, IM_E_SERVER, "busy"}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct fixture f = open_ldif(MEMDIR_AD);
        size_t count = 0;
        struct im_search search = {.base = "DC=corp,DC=example", .scope = IM_SEARCH_SUB};
        memdir_fault(f.m, (struct memdir_fault){
                              .kind = MEMDIR_SEARCH, .nth = 1, .code = rows[i].code, .diagnostic = "so it is", .entries = 2});
        assert_int_equal(im_directory_search(f.d, &search, count_entry, &count, &f.e), rows[i].err);
        assert_int_equal(count, 2);
        assert_int_equal(f.e.system, rows[i].code);
        assert_mentions(f.e.text, rows[i].words);
        assert_mentions(f.e.text, "so it is");
        assert_mentions(f.e.text, "DC=corp,DC=example");
        assert_string_equal(f.e.where, "ldap://memory");
        close_all(&f);
    }
}

static void test_modify_is_all_or_nothing(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct berval old = VALUE("joerg@im.corp.example");
    struct berval new = VALUE("jm@im.corp.example");
    struct im_op ops[] = {{IM_OP_DELETE, "msExchIMAddress", &old, 1}, {IM_OP_ADD, "msExchIMAddress", &new, 1}};
    struct im_change change = {.dn = JOERG, .ops = ops, .count = 2};
    struct im_answer answer;
    assert_int_equal(im_directory_modify(f.d, &change, &answer, &f.e), IM_OK);
    assert_int_equal(answer.code, 0);
    char *before = memdir_dump(f.m);
    ops[0] = (struct im_op){IM_OP_REPLACE, "sn", &new, 1};
    ops[1] = (struct im_op){IM_OP_DELETE, "msExchIMAddress", &old, 1};
    assert_int_equal(im_directory_modify(f.d, &change, &answer, &f.e), IM_E_CONFLICT);
    assert_int_equal(answer.code, 16);
    assert_string_equal(f.e.where, JOERG);
    char *after = memdir_dump(f.m);
    assert_string_equal(before, after);
    free(before);
    free(after);
    close_all(&f);
}

static void test_modify_codes(void **state) {
    (void)state;
    const struct berval ann = VALUE("Ann");
    const struct berval upper = VALUE("ANN");
    const struct berval old = VALUE("old");
    struct fixture f = open_ldif(MEMDIR_OPENLDAP);
    const struct {
        const char *dn;
        struct im_op op;
        const char *assertion;
        int code;
    } rows[] = {
        {ANN, {IM_OP_ADD, "sn", &ann, 1}, NULL, 20},
        {ANN, {IM_OP_DELETE, "sn", &upper, 1}, NULL, 16},
        {ANN, {IM_OP_DELETE, "missing", NULL, 0}, NULL, 16},
        {ANN, {IM_OP_REPLACE, "missing", NULL, 0}, NULL, 0},
        {JOERG, {IM_OP_ADD, "plain", &ann, 1}, NULL, 19},
        {JOERG, {IM_OP_DELETE, "plain", &old, 1}, NULL, 18},
        {JOERG, {IM_OP_REPLACE, "plain", &ann, 1}, "(plain:caseExactMatch:=new)", 122},
        {JOERG, {IM_OP_REPLACE, "plain", &ann, 1}, "(plain:caseExactMatch:=old)", 0},
        {"CN=nobody,DC=corp,DC=example", {IM_OP_DELETE, "sn", NULL, 0}, NULL, 32},
        {"nonsense", {IM_OP_DELETE, "sn", NULL, 0}, NULL, 34},
        {"<GUID=00000001-0000-0000-0000-000000000001>", {IM_OP_DELETE, "sn", NULL, 0}, NULL, 34},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        (void)change_one(&f, rows[i].dn, rows[i].op, rows[i].assertion);
        if (f.e.system != rows[i].code)
            fail_msg("row %zu: %d, %s", i, f.e.system, f.e.text);
    }
    close_all(&f);
    f = open_ldif(MEMDIR_AD); /* offers no assertion control */
    assert_int_equal(change_one(&f, JOERG, rows[7].op, rows[7].assertion), IM_E_SERVER);
    assert_int_equal(f.e.system, 12);
    close_all(&f);
}

/* As measured: the name that is read is not the name that is matched. */
static void test_links_of_active_directory(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct im_entry *entry = NULL;
    struct im_search search = {.base = JOERG, .scope = IM_SEARCH_BASE, .extended_dn = true};
    memdir_rename(f.m, HOME, "CN=home9,DC=corp,DC=example");
    assert_int_equal(im_directory_read(f.d, &search, f.pool, &entry, &f.e), IM_OK);
    const char *value = im_entry_string(entry, "msExchIMVirtualServer");
    assert_mentions(value, ">;CN=home9,DC=corp,DC=example");
    char *guid = im_pool_strndup(f.pool, value, strcspn(value, ";"));
    struct berval new_name = VALUE("CN=home9,DC=corp,DC=example");
    struct berval by_guid = value_of(guid, strlen(guid));
    assert_int_equal(change_one(&f, JOERG, (struct im_op){IM_OP_DELETE, "msExchIMVirtualServer", &new_name, 1}, NULL),
                     IM_E_CONFLICT);
    memdir_delete(f.m, "CN=home9,DC=corp,DC=example");
    assert_int_equal(im_directory_read(f.d, &search, f.pool, &entry, &f.e), IM_OK);
    assert_true(im_dn_is_deleted(strchr(im_entry_string(entry, "msExchIMVirtualServer"), ';') + 1));
    assert_int_equal(matches(&f, IM_SEARCH_SUB, "DC=corp,DC=example", "(objectClass=msExchProtocolCfgIMVirtualServer)"), 0);
    assert_int_equal(change_one(&f, JOERG, (struct im_op){IM_OP_DELETE, "msExchIMVirtualServer", &by_guid, 1}, NULL), IM_OK);
    assert_int_equal(matches(&f, IM_SEARCH_SUB, "DC=corp,DC=example", "(msExchIMVirtualServer=*)"), 0);
    close_all(&f);
}

static void rename_surname(struct memdir *m, size_t nth, void *user) {
    assert_int_equal(nth, 2);
    memdir_set(m, ANN, "sn", user);
}

static void test_script(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct berval value = VALUE("Ann");
    struct im_op op = {IM_OP_DELETE, "sn", &value, 1};
    char surname[] = "Somebody";
    memdir_before(f.m, MEMDIR_MODIFY, 2, rename_surname, surname);
    memdir_fault(f.m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 1, .code = 51});
    memdir_fault(f.m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 3, .error = IM_E_LOST, .is_done = true});
    assert_int_equal(change_one(&f, ANN, op, NULL), IM_E_SERVER);
    assert_int_equal(change_one(&f, ANN, op, NULL), IM_E_CONFLICT);
    value = VALUE("Somebody");
    assert_int_equal(change_one(&f, ANN, op, NULL), IM_E_LOST);
    assert_null(im_entry_attr(memdir_entry(f.m, ANN), "sn"));
    assert_int_equal(change_one(&f, ANN, op, NULL), IM_E_LOST); /* the connection stays dead */
    assert_int_equal(memdir_count(f.m, MEMDIR_MODIFY), 3);
    im_directory_free(&f.d);
    assert_int_equal(memdir_open(f.m, &f.d, &f.e), IM_OK);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, ANN, NULL), 1);
    close_all(&f);
}

static void test_order_of_answers(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct im_search search = {.base = ANN, .scope = IM_SEARCH_BASE};
    int tokens[2];
    struct im_event event;
    memdir_answer_in_reverse(f.m, true);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(im_directory_start_search(f.d, &search, &tokens[i], &f.e), IM_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(im_directory_next(f.d, &event, &f.e), IM_OK);
        assert_ptr_equal(event.token, &tokens[i < 2]);
        assert_int_equal(event.kind, i % 2 ? IM_EVENT_DONE : IM_EVENT_ENTRY);
    }
    assert_int_equal(memdir_in_flight(f.m), 2);
    close_all(&f);
}

static void test_pause(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct im_event event;
    struct im_search search = {.base = ANN, .scope = IM_SEARCH_BASE};
    assert_int_equal(im_directory_wait(f.d, 250, &event, &f.e), IM_OK);
    assert_int_equal(event.kind, IM_EVENT_NONE);
    assert_int_equal(im_directory_wait(f.d, 0, &event, &f.e), IM_OK);
    assert_int_equal(im_directory_now_ms(f.d), 250);
    assert_int_equal(im_directory_start_search(f.d, &search, NULL, &f.e), IM_OK);
    assert_int_equal(im_directory_wait(f.d, 1000, &event, &f.e), IM_OK);
    assert_int_equal(event.kind, IM_EVENT_ENTRY);
    assert_int_equal(memdir_paused_ms(f.m), 250); /* what is there is not waited for */
    close_all(&f);
}

static void test_reopen(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct im_event event;
    struct im_search search = {.base = ANN, .scope = IM_SEARCH_BASE};
    memdir_fault(f.m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .error = IM_E_LOST});
    memdir_fault(f.m, (struct memdir_fault){.kind = MEMDIR_OPEN, .nth = 1});
    assert_int_equal(im_directory_start_search(f.d, &search, NULL, &f.e), IM_OK);
    assert_int_equal(im_directory_next(f.d, &event, NULL), IM_E_LOST);
    assert_int_equal(im_directory_wait(f.d, 0, &event, NULL), IM_E_LOST);
    assert_int_equal(im_directory_reopen(f.d, &f.e), IM_E_CONNECT);
    assert_int_equal(im_directory_wait(f.d, 10, &event, NULL), IM_OK); /* nothing is in flight any more: a pause */
    assert_int_equal(im_directory_start_search(f.d, &search, NULL, NULL), IM_E_LOST);
    assert_int_equal(im_directory_reopen(f.d, NULL), IM_OK);
    assert_int_equal(memdir_count(f.m, MEMDIR_OPEN), 2);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, ANN, NULL), 1);
    close_all(&f);
}

static void test_add(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    struct berval value = VALUE("attributeSchema");
    struct im_attr attr = {"objectClass", &value, 1};
    struct im_entry entry = {.dn = "CN=new,DC=corp,DC=example", .attrs = &attr, .count = 1};
    assert_int_equal(im_directory_add(f.d, &entry, &f.e), IM_OK);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, "CN=new,DC=corp,DC=example", "(objectClass=attributeSchema)"), 1);
    assert_int_equal(im_directory_add(f.d, &entry, &f.e), IM_E_SERVER);
    assert_int_equal(f.e.system, 68);
    assert_mentions(f.e.text, "adding");
    im_error_clear(&f.e);
    entry.dn = "CN=new,CN=nowhere,DC=corp,DC=example";
    assert_int_equal(im_directory_add(f.d, &entry, &f.e), IM_E_NOT_FOUND);
    close_all(&f);
}

static enum im_err stop_at_once(void *user, const struct im_entry *entry, struct im_error *e) {
    ++*(size_t *)user;
    return im_error_set_at(e, IM_E_OUTPUT, entry->dn, 0, 0, "enough");
}

static void test_fn_ends_search(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    size_t count = 0;
    struct im_search search = {.base = "DC=corp,DC=example", .scope = IM_SEARCH_SUB};
    assert_int_equal(im_directory_search(f.d, &search, stop_at_once, &count, &f.e), IM_E_OUTPUT);
    assert_int_equal(count, 1);
    assert_int_equal(matches(&f, IM_SEARCH_BASE, ANN, NULL), 1);
    close_all(&f);
}

static enum im_err read_everything(void *user, struct im_error *e) {
    struct memdir *m = user;
    struct im_directory *d = NULL;
    struct im_pool *pool = im_pool_new();
    struct im_entry *entry;
    struct im_search search = {.base = ANN, .scope = IM_SEARCH_BASE};
    enum im_err err = pool ? memdir_open(m, &d, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_directory_read(d, &search, pool, &entry, e);
    im_directory_free(&d);
    im_pool_free(&pool);
    return err;
}

static void test_out_of_memory(void **state) {
    (void)state;
    struct fixture f = open_ldif(MEMDIR_AD);
    assert_true(oom_every_allocation(read_everything, f.m) > 2);
    close_all(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_search_errors),
        cmocka_unit_test(test_modify_is_all_or_nothing),
        cmocka_unit_test(test_modify_codes),
        cmocka_unit_test(test_links_of_active_directory),
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_order_of_answers),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_fn_ends_search),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
