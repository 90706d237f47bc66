/* Results of imcheck that are read again: what was written comes back, and what makes no sense is refused with its place. */
#include "tests/unit/again.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include "lib/data/json_stream.h"
#include "lib/report/check_read.h"

#include <stdio.h>
#include <unistd.h>

struct fixture {
    char path[64];
    struct im_check_file *file;
    struct im_error error;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    strcpy(f->path, "/tmp/imdir-result-XXXXXX");
    int fd = mkstemp(f->path);
    *state = f;
    return fd >= 0 && close(fd) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_check_file_close(&f->file);
    unlink(f->path);
    free(f);
    return 0;
}

static void put(const struct fixture *f, const char *text) {
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static enum im_err open_text(struct fixture *f, const char *text) {
    put(f, text);
    im_check_file_close(&f->file);
    im_error_clear(&f->error);
    return im_check_file_open(f->path, &f->file, &f->error);
}

#define HEAD                                                                                                                     \
    "\"command\":\"imcheck\",\"version\":\"0.1.0\",\"profile\":\"exchange2000\",\"directory\":\"ldaps://dc1\","                  \
    "\"started\":\"2025-11-25T19:46:40Z\""
#define ALIAS                                                                                                                    \
    "{\"rule\":\"account-alias-unsafe\",\"severity\":\"warning\",\"scope\":\"account\",\"account\":\"jdoe\","                    \
    "\"dn\":\"CN=J,DC=c\",\"message\":{\"base64\":\"TfxsbGVy\"},\"remedy\":\"choose\",\"silenced\":{\"reason\":\"kiosk\","       \
    "\"until\":\"2027-03-31\"}}"
#define OTHER                                                                                                                    \
    "{\"rule\":\"server-from-the-future\",\"severity\":\"error\",\"scope\":\"server\",\"subject\":\"im\\u001B1\","               \
    "\"message\":\"m\",\"remedy\":\"r \\\"}]\\\\\",\"evidence\":{\"users\":\"8112\",\"limit\":\"7500\"}}"
#define ACCOUNTS                                                                                                                 \
    "{\"input\":\"jdoe\",\"account\":\"jdoe\",\"dn\":\"CN=J,DC=c\",\"signs_in\":\"yes\"},\n"                                     \
    "{\"input\":\"new\",\"account\":\"new\",\"dn\":\"CN=N,DC=c\",\"signs_in\":\"yes\",\"message\":\"once enabled\"},\n"          \
    "{\"input\":\"mm\",\"source\":\"a.csv:3\",\"account\":\"mm\",\"signs_in\":\"no\",\"rule\":\"account-disabled\","             \
    "\"message\":\"the account is disabled\"},\n"                                                                                \
    "{\"input\":\"who\",\"signs_in\":\"unknown\",\"message\":\"no entry has this name\"}"
#define RULES                                                                                                                    \
    "{\"rule\":\"account-alias-unsafe\",\"status\":\"checked\",\"findings\":1},\n"                                               \
    "{\"rule\":\"server-from-the-future\",\"status\":\"checked\",\"findings\":1},\n"                                             \
    "{\"rule\":\"account-disabled\",\"status\":\"skipped\",\"findings\":0,\"reason\":\"no uac\"}"
#define SUMMARY                                                                                                                  \
    "\"accounts\":20,\"enabled\":12,\"errors\":1,\"warnings\":0,\"infos\":0,\"silenced\":1,\"unknown\":1,\"homes\":[{\"name\":"  \
    "\"imhome1\",\"count\":12}],\"seconds\":0.250"
#define DOCUMENT                                                                                                                 \
    "{" HEAD ",\n\"findings\":[\n" ALIAS ",\n" OTHER "\n],\n\"accounts\":[\n" ACCOUNTS "\n],\n\"rules\":[\n" RULES               \
    "\n],\n\"summary\":{" SUMMARY "}}\n"

/* In the format, in memory that the caller frees. */
static char *rendered(struct fixture *f, struct im_baseline *baseline, const char *format) {
    char *text = NULL;
    size_t size;
    struct im_out out = {.stream = open_memstream(&text, &size)};
    struct im_check_summary summary = {.errors = 99};
    assert_non_null(out.stream);
    assert_int_equal(again_render(f->file, baseline, im_check_format(format), &out, &summary, &f->error), IM_OK);
    assert_int_not_equal(summary.errors, 99);
    (void)fclose(out.stream);
    return text;
}

static void what_was_written_comes_back(void **state) {
    struct fixture *f = *state;
    assert_int_equal(open_text(f, DOCUMENT), IM_OK);
    char *text = rendered(f, NULL, "json");
    assert_string_equal(text, DOCUMENT);
    free(text);
    text = rendered(f, NULL, "jsonl");
    assert_int_equal(open_text(f, text), IM_OK);
    free(text);
    text = rendered(f, NULL, "json");
    assert_string_equal(text, DOCUMENT);
    free(text);
}

/* As jq -S prints it: keys in another order, and blanks everywhere. */
static void order_and_blanks_do_not_matter(void **state) {
    struct fixture *f = *state;
    assert_int_equal(open_text(f, " { \"accounts\" : [ " ACCOUNTS " ] , \"findings\":[" ALIAS " , " OTHER " ],\r\n"
                                  "\"new key\": [1, {\"a\":[]}, -2.5e3], \"other\":null,\"n\" : -12 ,\"rules\":[" RULES "],"
                                  "\"summary\":{" SUMMARY "}," HEAD " } \n"),
                     IM_OK);
    char *text = rendered(f, NULL, "json");
    assert_string_equal(text, DOCUMENT);
    free(text);
}

static void accounts_that_nobody_looked_at(void **state) {
    struct fixture *f = *state;
    assert_int_equal(open_text(f, "{" HEAD ",\"findings\":[],\"rules\":[],\"summary\":{\"errors\":0,\"seconds\":1}}"), IM_OK);
    char *text = rendered(f, NULL, "json");
    assert_mentions(text, "\"summary\":{\"errors\":0,");
    free(text);
}

static void what_the_file_says_as_a_whole(void **state) {
    struct fixture *f = *state;
    size_t count;
    assert_int_equal(open_text(f, DOCUMENT), IM_OK);
    const struct im_run_info *info = im_check_file_info(f->file);
    const struct im_rule_status *rules = im_check_file_rules(f->file, &count);
    const struct im_check_summary *summary = im_check_file_summary(f->file);
    assert_string_equal(info->directory, "ldaps://dc1");
    assert_int_equal(info->started, 1764100000);
    assert_int_equal(count, 3);
    assert_ptr_equal(rules[0].rule, im_rule_find("account-alias-unsafe"));
    assert_string_equal(rules[1].rule->id, "server-from-the-future");
    assert_string_equal(rules[1].rule->title, "");
    assert_int_equal(rules[1].rule->severity, IM_ERROR);
    assert_int_equal(rules[1].rule->scope, IM_SCOPE_SERVER);
    assert_string_equal(rules[2].skipped, "no uac");
    assert_int_equal(summary->errors, 1);
    assert_int_equal(summary->silenced, 1);
    assert_int_equal(summary->troubles, 1);
    assert_int_equal(summary->accounts, 20);
    assert_int_equal(summary->picture->home_count, 1);
    assert_false(im_check_file_is_whole(f->file));
    assert_false(summary->lacks_accounts);
    char *text = rendered(f, NULL, "text");
    assert_mentions(text, "mm can sign in: no, because the account is disabled (account-disabled)\n");
    assert_mentions(text, "new can sign in: yes, once enabled\n");
    assert_mentions(text, "ERROR    server-from-the-future: 1 finding\n         im\\x1b1  m\n");
    free(text);
}

#define WITH(finding) "{" HEAD ",\n\"findings\":[\n" finding "],\"summary\":{}}"
#define BASIC "\"rule\":\"a\",\"scope\":\"dns\",\"severity\":\"info\""

static const struct {
    const char *text;
    size_t line;
    const char *words;
} bad_files[] = {
    {"[]", 1, "this is something else: a result that imcheck wrote"},
    {"", 1, "the file is empty: a result that imcheck wrote"},
    {"{}", 1, "no JSON"},
    {"{\"a\" 1}", 1, "'1' stands where ':'"},
    {"{" HEAD "}", 1, "no summary"},
    {"{\"summary\":{}}", 1, "command"},
    {"{" HEAD ",\"findings\":[],\"summary\":{}", 1, "ends where"},
    {"{" HEAD ",\"findings\":[],\"summary\":{}}\n{}", 2, "behind the result"},
    {"{\"command\":\"imenable\",\"summary\":{}}", 1, "imcheck"},
    {"{\"command\":\"imcheck\",\"summary\":{}}", 1, "version, profile and directory"},
    {"{" HEAD ",\"findings\":{},\"summary\":{}}", 1, "'{' stands where '['"},
    {WITH("[]"), 3, "an object"},
    {WITH("{}"), 3, "severity"},
    {WITH("{" BASIC "} {" BASIC "}"), 3, "where ','"},
    {WITH("{\"rule\":\"a\",\"scope\":\"dns\",\"severity\":\"fatal\"}"), 3, "info, warning or error"},
    {WITH("{\"rule\":\"a\",\"scope\":\"moon\",\"severity\":\"info\"}"), 3, "account, server, dns"},
    {WITH("{\"rule\":\"A b\",\"scope\":\"dns\",\"severity\":\"info\"}"), 3, "name of a rule"},
    {WITH("{\"scope\":\"dns\",\"severity\":\"info\"}"), 3, "name of a rule"},
    {WITH("{" BASIC ",\"message\":1}"), 3, "\"message\": a text"},
    {WITH("{" BASIC ",\"message\":\"a\\u0000b\"}"), 3, "no JSON"},
    {WITH("{" BASIC ",\"message\":{\"base64\":\"YQBi\"}}"), 3, "base64"},
    {WITH("{" BASIC ",\"message\":{\"base64\":\"*\"}}"), 3, "base64"},
    {WITH("{" BASIC ",\"state\":\"old\"}"), 3, "new, known or gone"},
    {WITH("{" BASIC ",\"silenced\":{}}"), 3, "a reason"},
    {WITH("{" BASIC ",\"silenced\":{\"reason\":\"a\",\"until\":\"soon\"}}"), 3, "a day"},
    {WITH("{" BASIC ",\"evidence\":[]}"), 3, "evidence"},
    {WITH("{" BASIC ",\"evidence\":{\"a\":1}}"), 3, "\"a\": a text"},
    {WITH("{" BASIC ",\"rule\":\"b\"}"), 3, "no JSON"},
    {"{" HEAD ",\"accounts\":[{}],\"summary\":{}}", 1, "input"},
    {"{" HEAD ",\"accounts\":[{\"input\":\"a\",\"signs_in\":\"maybe\"}],\"summary\":{}}", 1, "yes, no or unknown"},
    {"{" HEAD ",\"accounts\":[{\"input\":\"a\",\"signs_in\":\"no\"}],\"summary\":{}}", 1, "name of a rule"},
    {"{" HEAD ",\"rules\":[{\"rule\":\"a\",\"status\":\"passed\"}],\"summary\":{}}", 1, "checked or skipped"},
    {"{" HEAD ",\"summary\":{\"accounts\":-1}}", 1, "not negative"},
    {"{" HEAD ",\"summary\":{\"seconds\":\"1\"}}", 1, "not negative"},
    {"{" HEAD ",\"summary\":{\"homes\":{}}}", 1, "names and counts"},
    {"{" HEAD ",\"summary\":{\"homes\":[{\"count\":1}]}}", 1, "needs a name"},
    {"{\"type\":\"run\"," HEAD "}\n{\"type\":\"moon\"}\n", 2, "run, account, finding"},
    {"{\"type\":\"run\"," HEAD "}\n{\"type\":\"finding\"," BASIC "}\n", 3, "did not come to its end"},
    {"{\"type\":\"summary\"}\n", 2, "nothing says of which run"},
};

static void mistakes_are_named_with_their_line(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(bad_files); i++) {
        if (open_text(f, bad_files[i].text) != IM_E_INPUT)
            fail_msg("taken: %s", bad_files[i].text);
        if (f->error.line != bad_files[i].line || strcmp(f->error.where, f->path) != 0)
            fail_msg("%s: wrong at line %zu: %s", bad_files[i].text, f->error.line, f->error.text);
        assert_mentions(f->error.text, bad_files[i].words);
    }
    assert_int_equal(im_check_file_open("/nonexistent/x", &f->file, NULL), IM_E_IO);
}

/* What cannot be held in memory is refused before it is. */
static void sizes_are_bounded(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "{" HEAD ",\"findings\":[{" BASIC ",\"message\":\"");
    for (int i = 0; i < IM_JSON_VALUE_MAX; i++)
        im_buf_addc(&text, 'x');
    im_buf_adds(&text, "\"}],\"summary\":{}}");
    assert_int_equal(open_text(f, im_buf_str(&text)), IM_E_INPUT);
    assert_mentions(f->error.text, "longer than 1 MiB");
    im_buf_clear(&text);
    im_buf_adds(&text, "{" HEAD ",\"rules\":[{\"rule\":\"a\",\"status\":\"checked\"}");
    for (int i = 0; i < 300; i++)
        im_buf_addf(&text, ",{\"rule\":\"x%d\",\"status\":\"checked\"}", i);
    im_buf_adds(&text, "],\"summary\":{}}");
    assert_int_equal(open_text(f, im_buf_str(&text)), IM_E_INPUT);
    assert_mentions(f->error.text, "more than 256 rules");
    im_buf_clear(&text);
    im_buf_adds(&text, "{" HEAD ",\"other\":");
    for (int i = 0; i < 100000; i++)
        im_buf_addc(&text, '[');
    assert_int_equal(open_text(f, im_buf_str(&text)), IM_E_INPUT);
    im_buf_free(&text);
}

/* ---- baselines ---- */

#define FINDING(account, dn)                                                                                                     \
    "{\"rule\":\"account-disabled\",\"severity\":\"error\",\"scope\":\"account\",\"account\":\"" account "\",\"dn\":\"" dn       \
    "\",\"message\":\"m\"}"
#define ABOUT(subject)                                                                                                           \
    "{\"rule\":\"server-x\",\"severity\":\"warning\",\"scope\":\"server\",\"subject\":\"" subject "\",\"message\":\"m\"}"
#define RESULT(findings)                                                                                                         \
    "{" HEAD ",\"findings\":[" findings                                                                                          \
    "],\"rules\":[{\"rule\":\"account-disabled\",\"status\":\"checked\"},{\"rule\":\"server-x\",\"status\":\"checked\"}],"       \
    "\"summary\":{\"accounts\":5}}"

static struct im_baseline *load(struct fixture *f, const char *text) {
    struct im_baseline *b = NULL;
    put(f, text);
    assert_int_equal(im_baseline_load(f->path, &b, &f->error), IM_OK);
    return b;
}

static void findings_are_compared(void **state) {
    struct fixture *f = *state;
    struct im_baseline *b = NULL;
    char before[] = "/tmp/imdir-result-XXXXXX";
    int fd = mkstemp(before);
    static const char old[] = RESULT(FINDING("a", "CN=A, DC=c") "," FINDING("b", "CN=B,DC=c") "," ABOUT("im1") "," ABOUT("im2"));
    assert_true(fd >= 0 && write(fd, old, sizeof old - 1) == (ssize_t)sizeof old - 1 && close(fd) == 0);
    assert_int_equal(open_text(f, RESULT(FINDING("renamed", "cn=a,dc=C") "," FINDING("c", "CN=C,DC=c") "," ABOUT("IM1"))), IM_OK);
    assert_int_equal(im_baseline_load(before, &b, &f->error), IM_OK);
    char *text = rendered(f, b, "text");
    assert_mentions(text, "2 accounts (account-disabled)");
    assert_mentions(text, "         renamed  m\n         c        [new] m\n");
    assert_mentions(text, "GONE     since the baseline:\n         account-disabled  b\n         server-x  im2\n");
    assert_mentions(text, "2 errors, 1 warning, 0 infos; 5 accounts checked, 0 enabled; 1 new, 2 known, 2 gone");
    free(text);
    im_baseline_free(&b);
    unlink(before);
}

static enum im_err count_gone(void *user, const struct im_finding *f, struct im_error *e) {
    (void)e;
    assert_int_equal(f->state, IM_FINDING_GONE);
    ++*(size_t *)user;
    return IM_OK;
}

static size_t gone(struct im_baseline *b, const struct im_rule_status *rules, size_t count, bool is_whole) {
    const struct im_baseline_scope scope = {rules, count, is_whole};
    struct im_error e = {.code = IM_OK};
    size_t found = 0;
    assert_int_equal(im_baseline_gone(b, &scope, count_gone, &found, &e), IM_OK);
    return found;
}

#define WITH_GUID(dn, guid)                                                                                                      \
    "{\"rule\":\"account-disabled\",\"severity\":\"error\",\"scope\":\"account\",\"account\":\"a\",\"dn\":\"" dn                 \
    "\",\"guid\":\"" guid "\",\"message\":\"m\"}"
#define ONE "11111111-2222-3333-4444-555555555555"
#define TWO "11111111-2222-3333-4444-555555555556"

/* Who was moved is the same; who got the DN of somebody else is not; where one side has no GUID the DN tells. */
static void accounts_are_the_same_by_their_guid(void **state) {
    static const struct {
        const char *before;
        const char *dn, *guid; /* of the finding now */
        enum im_finding_state is;
        size_t gone; /* of the baseline */
    } rows[] = {
        {RESULT(WITH_GUID("CN=A,DC=c", ONE)), "CN=B,OU=x,DC=c", ONE, IM_FINDING_KNOWN, 0},
        {RESULT(WITH_GUID("CN=A,DC=c", ONE)), "CN=A,DC=c", TWO, IM_FINDING_NEW, 1},
        {RESULT(WITH_GUID("CN=A,DC=c", ONE)), "cn=a,dc=C", NULL, IM_FINDING_KNOWN, 0},
        {RESULT(FINDING("a", "CN=A,DC=c")), "CN=A,DC=c", ONE, IM_FINDING_KNOWN, 0},
        {RESULT(FINDING("a", "CN=A,DC=c")), "CN=B,DC=c", ONE, IM_FINDING_NEW, 1},
        {RESULT(WITH_GUID("CN=A,DC=c", ONE) "," FINDING("a", "CN=A,DC=c")), "CN=A,DC=c", TWO, IM_FINDING_KNOWN, 0},
        {RESULT(FINDING("a", "CN=A,DC=c") "," WITH_GUID("CN=A,DC=c", ONE)), "CN=A,DC=c", TWO, IM_FINDING_KNOWN, 0},
        {RESULT(WITH_GUID("CN=A,DC=c", ONE) "," WITH_GUID("CN=A,DC=c", ONE)), "CN=Q,DC=c", TWO, IM_FINDING_NEW, 1},
        {RESULT(WITH_GUID("CN=A,DC=c", ONE) "," WITH_GUID("CN=A,DC=c", TWO)), "CN=Q,DC=c", TWO, IM_FINDING_KNOWN, 1},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_finding finding = {
            .rule = im_rule_find("account-disabled"), .account = "z", .dn = rows[i].dn, .guid = rows[i].guid};
        const struct im_rule_status rule = {finding.rule, 0, NULL};
        struct im_baseline *b = load(f, rows[i].before);
        enum im_finding_state is = IM_FINDING_PLAIN;
        assert_int_equal(im_baseline_look(b, &finding, &is, &f->error), IM_OK);
        size_t found = gone(b, &rule, 1, true);
        if (is != rows[i].is || found != rows[i].gone)
            fail_msg("row %zu: state %d, %zu gone", i, (int)is, found);
        im_baseline_free(&b);
    }
}

/* What was not looked for is not gone. */
static void only_what_was_checked_can_be_gone(void **state) {
    struct fixture *f = *state;
    static const struct im_rule server = {.id = "server-x"};
    static const char text[] = RESULT(FINDING("a", "CN=A,DC=c") "," FINDING("a", "CN=A,DC=c") "," ABOUT("im1"));
    const struct im_rule *disabled = im_rule_find("account-disabled");
    const struct im_rule_status all[] = {{disabled, 0, NULL}, {&server, 0, NULL}};
    const struct im_rule_status skipped[] = {{disabled, 0, "no right"}, {&server, 0, NULL}};
    struct im_baseline *b = load(f, text);
    assert_int_equal(gone(b, NULL, 0, true), 0);
    assert_int_equal(gone(b, skipped, 2, true), 1);
    assert_int_equal(gone(b, all, 2, true), 1);
    assert_int_equal(gone(b, all, 2, true), 0); /* each is told once */
    im_baseline_free(&b);
    b = load(f, text);
    assert_int_equal(gone(b, all, 2, false), 1);
    im_baseline_free(&b);
}

/* A finding that was gone then is new when it comes back; one that was silenced is known. */
static void states_of_the_baseline(void **state) {
    struct fixture *f = *state;
    struct im_baseline *b = load(
        f,
        RESULT(
            "{\"rule\":\"account-disabled\",\"severity\":\"error\",\"scope\":\"account\",\"account\":\"a\",\"state\":\"gone\"},"
            "{\"rule\":\"account-disabled\",\"severity\":\"error\",\"scope\":\"account\",\"account\":\"b\",\"silenced\":"
            "{\"reason\":\"r\"}}"));
    struct im_finding finding = {.rule = im_rule_find("account-disabled"), .account = "a"};
    enum im_finding_state is;
    assert_int_equal(im_baseline_look(b, &finding, &is, &f->error), IM_OK);
    assert_int_equal(is, IM_FINDING_NEW);
    finding.account = "B";
    assert_int_equal(im_baseline_look(b, &finding, &is, &f->error), IM_OK);
    assert_int_equal(is, IM_FINDING_KNOWN);
    finding.subject = "other";
    assert_int_equal(im_baseline_look(b, &finding, &is, &f->error), IM_OK);
    assert_int_equal(is, IM_FINDING_NEW);
    finding.subject = NULL;
    finding.rule = im_rule_find("account-alias-unsafe");
    assert_int_equal(im_baseline_look(b, &finding, &is, &f->error), IM_OK);
    assert_int_equal(is, IM_FINDING_NEW);
    im_baseline_free(&b);
}

static enum im_err read_all(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_baseline *b = NULL;
    struct im_check_file *file = NULL;
    struct im_out out = {.stream = NULL};
    size_t left = oom_pause();
    out.stream = fopen("/dev/null", "w");
    oom_fail_at(left);
    enum im_err err = im_baseline_load(f->path, &b, e);
    if (err == IM_OK)
        err = im_check_file_open(f->path, &file, e);
    if (err == IM_OK)
        err = again_render(file, b, im_check_format("csv"), &out, NULL, e);
    im_check_file_close(&file);
    im_baseline_free(&b);
    (void)fclose(out.stream);
    return err;
}

static void out_of_memory(void **state) {
    struct fixture *f = *state;
    put(f, DOCUMENT);
    assert_true(oom_every_allocation(read_all, f) > 10);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_comes_back),
        TEST(order_and_blanks_do_not_matter),
        TEST(what_the_file_says_as_a_whole),
        TEST(accounts_that_nobody_looked_at),
        TEST(mistakes_are_named_with_their_line),
        TEST(sizes_are_bounded),
        TEST(findings_are_compared),
        TEST(accounts_are_the_same_by_their_guid),
        TEST(only_what_was_checked_can_be_gone),
        TEST(states_of_the_baseline),
        TEST(out_of_memory),
    };
    return cmocka_run_group_tests_name("check_read", tests, NULL, NULL);
}
