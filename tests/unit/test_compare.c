/* Accounts of one server compared with those of others, all of them in memory. */
#include "lib/engine/compare.h"

#include "lib/base/vec.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#define BASE "DC=corp,DC=example"
#define ADDRESS "msExchIMAddress"
#define HOME "msExchIMVirtualServer"
#define ACL "msExchIMACL"
#define GUID(number) "objectGUID:: AAAAAAAAAAAAAAAAAAAAA" number "==\n" /* 16 octets, but for the last one zero */
#define PERSON(name, number)                                                                                                     \
    "dn: CN=" name "," BASE "\nobjectClass: user\nsAMAccountName: " name "\nwhenChanged: 20261125101500.0Z\n" GUID(number)       \
        ADDRESS ": " name "@im.corp.example\n\n"

enum { SERVERS = 2, MANY = 600 };

static const char people[] = MEMDIR_AD "dn: " BASE "\nobjectClass: domainDNS\n\n" PERSON("ann", "Q")
    PERSON("bob", "g") "dn: CN=eve," BASE "\nobjectClass: user\nsAMAccountName: eve\n" GUID("w") "\n";

struct fixture {
    struct im_profile *profile;
    struct im_pool *pool;
    struct memdir *here, *there[SERVERS];
    struct im_directory *d, *opened[SERVERS];
    struct im_replica replica[SERVERS];
    const char *troubles[SERVERS];
    struct im_replica_facts facts;
    struct im_account_context context;
    struct im_compare c;
    struct im_error e;
};

static void open_on(struct fixture *f, const char *ldif) {
    f->here = memdir_new(NULL, ldif);
    assert_int_equal(memdir_open(f->here, &f->d, &f->e), IM_OK);
    for (size_t i = 0; i < SERVERS; i++) {
        f->there[i] = memdir_new(NULL, ldif);
        assert_int_equal(memdir_open(f->there[i], &f->opened[i], &f->e), IM_OK);
    }
    f->c.directory = f->d;
}

static void close_all(struct fixture *f) {
    im_directory_free(&f->d);
    memdir_free(&f->here);
    for (size_t i = 0; i < SERVERS; i++) {
        im_directory_free(&f->opened[i]);
        memdir_free(&f->there[i]);
    }
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    for (size_t i = 0; i < SERVERS; i++)
        f->replica[i] = (struct im_replica){.name = i ? "two" : "one"};
    f->facts.replicas = (struct im_replicas){.items = f->replica, .count = SERVERS};
    f->facts.troubles = f->troubles;
    f->context = (struct im_account_context){.profile = f->profile, .is_ad = true};
    f->c = (struct im_compare){
        .context = &f->context, .replicas = f->opened, .facts = &f->facts, .pool = f->pool, .most = 1000, .patience_s = 30};
    open_on(f, people);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    close_all(f);
    im_vec_free(&f->facts.differences);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void compare(struct fixture *f) {
    if (im_compare_all(&f->c, BASE, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
}

static const struct im_replica_difference *only_one(const struct fixture *f) {
    assert_int_equal(f->facts.differences.count, 1);
    return &f->facts.differences.items[0];
}

static void equal_servers(void **state) {
    struct fixture *f = *state;
    compare(f);
    assert_int_equal(f->facts.differences.count, 0);
    assert_int_equal(f->facts.compared, 2); /* eve has nothing of ours */
}

static void a_value_differs(void **state) {
    struct fixture *f = *state;
    memdir_set(f->there[1], "CN=bob," BASE, ADDRESS, "old@im.corp.example");
    memdir_set(f->there[1], "CN=bob," BASE, "whenChanged", "20261124000000.0Z");
    compare(f);
    const struct im_replica_difference *d = only_one(f);
    assert_int_equal(d->replica, 1);
    assert_string_equal(d->account, "bob");
    assert_string_equal(d->dn, "CN=bob," BASE);
    assert_string_equal(d->attribute, ADDRESS);
    assert_string_equal(d->here, "bob@im.corp.example");
    assert_string_equal(d->there, "old@im.corp.example");
    assert_string_equal(d->when_here, "20261125101500.0Z");
    assert_string_equal(d->when_there, "20261124000000.0Z");
}

static void a_value_is_missing(void **state) {
    struct fixture *f = *state;
    memdir_set(f->there[0], "CN=ann," BASE, ADDRESS, NULL);
    memdir_set(f->there[0], "CN=ann," BASE, HOME, "CN=1");
    compare(f);
    assert_int_equal(f->facts.differences.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct im_replica_difference *d = &f->facts.differences.items[i];
        bool is_home = strcmp(d->attribute, HOME) == 0;
        assert_true(is_home ? !d->here && strcmp(d->there, "CN=1") == 0 : d->here && !d->there);
    }
}

static void spelling_does_not_count(void **state) {
    struct fixture *f = *state;
    memdir_set(f->there[0], "CN=ann," BASE, ADDRESS, "ANN@im.corp.example");
    memdir_set(f->here, "CN=ann," BASE, ACL, "x");
    memdir_set(f->there[0], "CN=ann," BASE, ACL, "X");
    memdir_set(f->there[1], "CN=ann," BASE, ACL, "x");
    compare(f);
    assert_string_equal(only_one(f)->attribute, ACL);
}

static void octets_are_counted(void **state) {
    struct fixture *f = *state;
    memdir_set(f->here, "CN=ann," BASE, ACL, "\xff\xfe\xfd");
    memdir_set(f->there[0], "CN=ann," BASE, ACL, "\xff\xfe\xfd");
    compare(f);
    assert_string_equal(only_one(f)->here, "(3 bytes)");
    assert_null(only_one(f)->there);
}

static void a_renamed_account_is_found(void **state) {
    struct fixture *f = *state;
    memdir_rename(f->there[0], "CN=ann," BASE, "CN=anna," BASE);
    compare(f);
    assert_int_equal(f->facts.differences.count, 0);
}

static void an_account_that_is_not_there(void **state) {
    struct fixture *f = *state;
    f->context.is_ad = false; /* by DN then */
    memdir_rename(f->there[0], "CN=ann," BASE, "CN=anna," BASE);
    compare(f);
    const struct im_replica_difference *d = only_one(f);
    assert_null(d->attribute);
    assert_true(!d->here && !d->there && !d->when_there);
    assert_string_equal(d->account, "ann");
}

static void a_server_that_was_not_opened(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->opened[0]);
    f->troubles[0] = "closed";
    memdir_set(f->there[1], "CN=bob," BASE, ADDRESS, NULL);
    compare(f);
    assert_int_equal(only_one(f)->replica, 1);
}

static char *crowd(void) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, MEMDIR_OPENLDAP "dn: dc=corp,dc=example\nobjectClass: domain\n\n");
    for (size_t i = 0; i < MANY; i++)
        im_buf_addf(&text, "dn: cn=p%zu,dc=corp,dc=example\nobjectClass: person\n" ADDRESS ": p%zu\n\n", i, i);
    assert_false(text.failed);
    char *copy = strdup(im_buf_str(&text));
    im_buf_free(&text);
    return copy;
}

static void open_crowd(struct fixture *f) {
    char *ldif = crowd();
    close_all(f);
    open_on(f, ldif);
    free(ldif);
    f->context.is_ad = false;
}

/* A connection that fails on the way is left alone, and is its owner's to close. */
static void a_server_that_fails_on_the_way(void **state) {
    struct fixture *f = *state;
    open_crowd(f);
    memdir_set(f->there[0], "cn=p3,dc=corp,dc=example", ADDRESS, "x");
    memdir_set(f->there[0], "cn=p555,dc=corp,dc=example", ADDRESS, "x");
    memdir_set(f->there[1], "cn=p555,dc=corp,dc=example", ADDRESS, "x");
    memdir_fault(f->there[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 400, .error = IM_E_LOST});
    compare(f);
    assert_int_equal(f->facts.compared, MANY);
    assert_true(f->troubles[0] && *f->troubles[0] && !f->troubles[1]);
    assert_non_null(f->opened[0]);
    assert_int_equal(f->facts.differences.count, 2);
    assert_int_equal(f->facts.differences.items[0].replica, 0);
    assert_int_equal(f->facts.differences.items[1].replica, 1);
}

/* ---- a busy server ---- */

static void busy(const struct fixture *f, size_t nth, int code) {
    memdir_fault(f->there[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = nth, .code = code, .diagnostic = "come later"});
}

static void a_busy_server_is_asked_again(void **state) {
    static const int codes[] = {51, 52};
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(codes); i++) {
        close_all(f);
        open_on(f, people);
        memdir_set(f->there[0], "CN=bob," BASE, ADDRESS, "old@im.corp.example");
        for (size_t nth = 1; nth <= 5; nth++)
            busy(f, nth, codes[i]);
        f->facts.differences.count = 0;
        compare(f);
        assert_string_equal(only_one(f)->account, "bob");
        assert_null(f->troubles[0]);
        assert_int_equal(memdir_count(f->there[0], MEMDIR_SEARCH), 2 + 5);
        assert_int_equal(memdir_paused_ms(f->there[0]), 100 + 200 + 400); /* both were refused twice, one of them once more */
    }
}

/* Two accounts that are there and one that is not: answers count, whatever they say, and none is asked for twice. */
static void only_what_was_refused_is_asked_again(void **state) {
    struct fixture *f = *state;
    f->context.is_ad = false;
    memdir_rename(f->there[0], "CN=ann," BASE, "CN=anna," BASE);
    busy(f, 2, 51);
    compare(f);
    assert_null(only_one(f)->attribute);
    assert_int_equal(memdir_count(f->there[0], MEMDIR_SEARCH), 2 + 1);
    assert_int_equal(memdir_paused_ms(f->there[0]), 100);
}

/* Each answer begins the patience, and the pauses, anew. */
static void a_server_that_is_busy_now_and_then(void **state) {
    struct fixture *f = *state;
    open_crowd(f);
    f->c.patience_s = 1;
    memdir_set(f->there[0], "cn=p599,dc=corp,dc=example", ADDRESS, "x");
    for (size_t nth = 10; nth < MANY; nth += 10)
        busy(f, nth, 51);
    compare(f);
    assert_null(f->troubles[0]);
    assert_int_equal(f->facts.differences.count, 1);
    assert_int_equal(memdir_count(f->there[0], MEMDIR_SEARCH), MANY + MANY / 10 - 1);
    assert_true(memdir_paused_ms(f->there[0]) > 2000);
}

/* The last time it is asked when the patience is over. */
static void a_server_that_stays_busy(void **state) {
    struct fixture *f = *state;
    busy(f, 0, 51);
    memdir_set(f->there[1], "CN=bob," BASE, ADDRESS, NULL);
    compare(f);
    assert_mentions(f->troubles[0], "busy");
    assert_mentions(f->troubles[0], "come later");
    assert_int_equal(memdir_paused_ms(f->there[0]), 30000);
    assert_int_equal(only_one(f)->replica, 1);
}

/* An answer at the last moment begins the patience anew, also for the other search that was sent then. */
static void an_answer_at_the_last_moment(void **state) {
    struct fixture *f = *state;
    f->c.patience_s = 1;
    for (size_t nth = 1; nth <= 10; nth++) {
        if (nth != 9)
            busy(f, nth, 51);
    }
    compare(f);
    assert_null(f->troubles[0]);
    assert_int_equal(memdir_count(f->there[0], MEMDIR_SEARCH), 11);
    assert_int_equal(memdir_paused_ms(f->there[0]), 100 + 200 + 400 + 800); /* the last one was cut short, and goes on */
}

/* Whatever else happens meanwhile is as it was. */
static void what_ends_the_waiting(void **state) {
    static const enum im_err errors[] = {IM_E_LOST, IM_E_INTERRUPTED};
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(errors); i++) {
        close_all(f);
        open_on(f, people);
        f->troubles[0] = NULL;
        busy(f, 1, 51);
        memdir_fault(f->there[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 3, .error = errors[i]});
        im_error_clear(&f->e);
        enum im_err err = im_compare_all(&f->c, BASE, &f->e);
        assert_int_equal(err, errors[i] == IM_E_LOST ? IM_OK : IM_E_INTERRUPTED);
        assert_true((errors[i] == IM_E_LOST) == (f->troubles[0] != NULL));
    }
}

static void more_differences_than_are_listed(void **state) {
    struct fixture *f = *state;
    f->c.most = 1;
    for (size_t i = 0; i < SERVERS; i++) {
        memdir_set(f->there[i], "CN=ann," BASE, ADDRESS, "x");
        memdir_set(f->there[i], "CN=bob," BASE, ADDRESS, "x");
    }
    compare(f);
    (void)only_one(f);
    assert_int_equal(f->facts.left_out, 3);
}

static void selected_accounts(void **state) {
    static const char *const dns[] = {"CN=bob," BASE, "CN=nobody," BASE, "CN=eve," BASE};
    struct fixture *f = *state;
    memdir_set(f->there[0], "CN=ann," BASE, ADDRESS, "x");
    memdir_set(f->there[0], "CN=bob," BASE, ADDRESS, "y");
    assert_int_equal(im_compare_some(&f->c, dns, LENGTH(dns), &f->e), IM_OK);
    assert_string_equal(only_one(f)->account, "bob");
    assert_int_equal(f->facts.compared, 2);
}

static void what_is_here_must_be_readable(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->here, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 4});
    assert_int_equal(im_compare_all(&f->c, BASE, &f->e), IM_E_TRUNCATED);
}

static void stopped(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->there[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .error = IM_E_INTERRUPTED});
    assert_int_equal(im_compare_all(&f->c, BASE, &f->e), IM_E_INTERRUPTED);
}

static enum im_err starve(void *user, struct im_error *e) {
    struct fixture *f = user;
    static const char *const dns[] = {"CN=bob," BASE};
    im_vec_free(&f->facts.differences);
    enum im_err err = im_compare_all(&f->c, BASE, e);
    return err == IM_OK ? im_compare_some(&f->c, dns, 1, e) : err;
}

static void without_memory(void **state) {
    struct fixture *f = *state;
    memdir_set(f->there[0], "CN=ann," BASE, ADDRESS, "x");
    memdir_set(f->there[1], "CN=bob," BASE, ADDRESS, NULL);
    assert_true(oom_every_allocation(starve, f) > 10);
    assert_int_equal(f->facts.differences.count, 3);
}

static enum im_err starve_while_busy(void *user, struct im_error *e) {
    struct fixture *f = user;
    size_t left = oom_pause();
    close_all(f);
    open_on(f, people);
    busy(f, 1, 51);
    f->troubles[0] = NULL;
    oom_fail_at(left);
    return im_compare_all(&f->c, BASE, e);
}

static void busy_without_memory(void **state) {
    struct fixture *f = *state;
    assert_true(oom_every_allocation(starve_while_busy, f) > 5);
    assert_null(f->troubles[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(equal_servers),
        TEST(a_value_differs),
        TEST(a_value_is_missing),
        TEST(spelling_does_not_count),
        TEST(octets_are_counted),
        TEST(a_renamed_account_is_found),
        TEST(an_account_that_is_not_there),
        TEST(a_server_that_was_not_opened),
        TEST(a_server_that_fails_on_the_way),
        TEST(a_busy_server_is_asked_again),
        TEST(only_what_was_refused_is_asked_again),
        TEST(a_server_that_is_busy_now_and_then),
        TEST(a_server_that_stays_busy),
        TEST(an_answer_at_the_last_moment),
        TEST(what_ends_the_waiting),
        TEST(more_differences_than_are_listed),
        TEST(selected_accounts),
        TEST(what_is_here_must_be_readable),
        TEST(stopped),
        TEST(without_memory),
        TEST(busy_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
