/* What each format prints, byte for byte. */
#include "tests/unit/unit.h"

#include "lib/report/report.h"
#include "lib/report/write.h"

#include <stdio.h>

static const struct im_run_info info = {.command = "imenable",
                                        .version = "0.1.0",
                                        .profile = "exchange2000",
                                        .directory = "ldaps://dc1.corp.example",
                                        .started = 1764100000};

struct printed {
    char *text;
    size_t size;
    struct im_out out;
};

static void open_printed(struct printed *p) {
    *p = (struct printed){.text = NULL};
    p->out.stream = open_memstream(&p->text, &p->size);
    assert_non_null(p->out.stream);
}

/* Prints all results in a format and compares. */
static void check(const struct im_report_format *format, const struct im_out *like, const struct im_run_info *run,
                  const struct im_result *results, size_t count, const char *expected) {
    struct printed p;
    struct im_error e = {.code = IM_OK};
    struct im_summary summary = {.total = count, .seconds = 0.25};
    open_printed(&p);
    p.out.color = like->color;
    p.out.width = like->width;
    p.out.verbose = like->verbose;
    for (size_t i = 0; i < count; i++)
        summary.counts[results[i].outcome]++;
    assert_int_equal(format->begin(&p.out, run, &e), IM_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(format->account(&p.out, run, &results[i], &e), IM_OK);
    assert_int_equal(format->end(&p.out, run, &summary, &e), IM_OK);
    (void)fclose(p.out.stream);
    assert_string_equal(p.text, expected);
    free(p.text);
}

static const struct im_out plain;

static struct im_result changed(void) {
    return (struct im_result){.input = "jdoe",
                              .source = "joiners.txt:3",
                              .dn = "CN=Jane Doe,DC=corp,DC=example",
                              .account = "jdoe",
                              .outcome = IM_CHANGED,
                              .address = "jdoe@im.corp.example",
                              .home = "imhome1",
                              .ldap_code = -1};
}

static struct im_result refused(void) {
    return (struct im_result){.input = "svc-lobby",
                              .dn = "CN=Lobby,DC=corp,DC=example",
                              .account = "svc-lobby",
                              .outcome = IM_REFUSED,
                              .reason = "account-disabled",
                              .message = "the account is disabled",
                              .ldap_code = -1};
}

static struct im_result nobody(void) {
    return (struct im_result){.input = "nobody", .outcome = IM_OUT_NOT_FOUND, .message = "no entry, \"really\"", .ldap_code = -1};
}

static struct im_result failed(void) {
    return (struct im_result){.input = "eve",
                              .dn = "CN=Eve,DC=corp,DC=example",
                              .account = "eve",
                              .outcome = IM_FAILED,
                              .message = "no right",
                              .ldap_code = 50,
                              .ldap_name = "insufficientAccessRights",
                              .ldap_diagnostic = "00002098: SecErr"};
}

static void text_lines(void **state) {
    (void)state;
    const struct im_result results[] = {changed(), refused(), nobody(), failed()};
    check(&im_report_text, &plain, &info, results, LENGTH(results),
          "changed        jdoe                    jdoe@im.corp.example on imhome1\n"
          "refused        svc-lobby               account-disabled: the account is disabled\n"
          "not-found      nobody                  no entry, \"really\"\n"
          "failed         eve                     no right\n"
          "1 changed, 0 unchanged, 1 refused, 1 failed, 1 not-found (4 accounts)\n");
}

/* Of what is left to do it is told in which line it stands; a row may have no name. */
static void text_of_lines_that_were_not_done(void **state) {
    (void)state;
    struct im_result results[] = {changed(), refused(), nobody(), nobody()};
    results[1].source = "a.csv:3";
    results[2].source = "a.csv:4";
    results[3] = (struct im_result){.input = "",
                                    .source = "a.csv:5",
                                    .outcome = IM_REFUSED,
                                    .reason = "bad-row",
                                    .message = "column 1: empty",
                                    .ldap_code = -1};
    check(&im_report_text, &plain, &info, results, LENGTH(results),
          "changed        jdoe                    jdoe@im.corp.example on imhome1\n"
          "refused        svc-lobby               account-disabled: the account is disabled (a.csv:3)\n"
          "not-found      nobody                  no entry, \"really\" (a.csv:4)\n"
          "refused        a.csv:5                 bad-row: column 1: empty\n"
          "1 changed, 0 unchanged, 2 refused, 1 not-found (4 accounts)\n");
}

static void text_of_a_dry_run(void **state) {
    (void)state;
    struct im_run_info dry = info;
    dry.dry_run = true;
    struct berval after = VALUE("jdoe@im.corp.example");
    struct berval before[] = {VALUE("a"), VALUE("b\x1b[2J")};
    struct berval octets = VALUE("\xff\x00\x01");
    const struct im_plan_diff diffs[] = {
        {.attribute = "msExchIMAddress", .after = &after, .after_count = 1},
        {.attribute = "msExchIMMetaPhysicalURL", .before = before, .before_count = 2},
        {.attribute = "msExchIMACL", .before = &octets, .before_count = 1},
    };
    struct im_result result = changed();
    result.diffs = diffs;
    result.diff_count = LENGTH(diffs);
    check(&im_report_text, &plain, &dry, &result, 1,
          "Dry run: nothing is written.\n"
          "changed        jdoe                    jdoe@im.corp.example on imhome1\n"
          "               msExchIMAddress: - -> jdoe@im.corp.example\n"
          "               msExchIMMetaPhysicalURL: a, b\\x1b[2J -> -\n"
          "               msExchIMACL: 0xff0001 -> -\n"
          "Dry run: 1 changed, 0 unchanged (1 account)\n");
}

static void text_shows_values_only_when_asked(void **state) {
    (void)state;
    const struct im_out verbose = {.verbose = true};
    struct berval after = VALUE("x");
    const struct im_plan_diff diff = {.attribute = "msExchIMAddress", .after = &after, .after_count = 1};
    struct im_result result = changed();
    result.diffs = &diff;
    result.diff_count = 1;
    check(&im_report_text, &plain, &info, &result, 1,
          "changed        jdoe                    jdoe@im.corp.example on imhome1\n1 changed, 0 unchanged (1 account)\n");
    check(&im_report_text, &verbose, &info, &result, 1,
          "changed        jdoe                    jdoe@im.corp.example on imhome1\n               msExchIMAddress: - -> x\n"
          "1 changed, 0 unchanged (1 account)\n");
}

static void text_fits_a_terminal(void **state) {
    (void)state;
    const struct im_out terminal = {.width = 60};
    struct berval after = VALUE("http://im.corp.example/instmsg/aliases/jdoe");
    const struct im_plan_diff diff = {.attribute = "msExchIMMetaPhysicalURL", .after = &after, .after_count = 1};
    struct im_run_info dry = info;
    struct im_result result = refused();
    result.message = "the account is disabled and is reached through its SID history";
    result.diffs = &diff;
    result.diff_count = 1;
    dry.dry_run = true;
    check(&im_report_text, &terminal, &dry, &result, 1,
          "Dry run: nothing is written.\n"
          "refused        svc-lobby               account-disabled: the\n"
          "               account is disabled and is reached through\n"
          "               its SID history\n"
          "               msExchIMMetaPhysicalURL: - -> http://im.corp…\n"
          "Dry run: 0 changed, 0 unchanged, 1 refused (1 account)\n");
}

/* Where nothing is left of the line beside a name, what is told of it begins below. */
static void text_goes_below_long_names(void **state) {
    (void)state;
    const struct im_out terminal = {.width = 60};
    struct im_result results[] = {refused(), changed()};
    results[0].input = "CN=Somebody With A Long Name,OU=People,DC=x";
    results[0].message = "the account is disabled and is reached through its SID history";
    results[1].input = "CN=Somebody,OU=People";
    results[1].address = "x@y";
    check(&im_report_text, &terminal, &info, results, LENGTH(results),
          "refused        CN=Somebody With A Long Name,OU=People,DC=x\n"
          "               account-disabled: the account is disabled and\n"
          "               is reached through its SID history\n"
          "changed        CN=Somebody,OU=People   x@y on imhome1\n"
          "1 changed, 0 unchanged, 1 refused (2 accounts)\n");
}

static void text_in_colour(void **state) {
    (void)state;
    const struct im_out colour = {.color = true};
    struct im_result result = changed();
    check(&im_report_text, &colour, &info, &result, 1,
          "\x1b[32mchanged\x1b[0m        jdoe                    jdoe@im.corp.example on imhome1\n"
          "1 changed, 0 unchanged (1 account)\n");
}

/* Names are columns wide, not bytes; what a directory or a file says cannot steer the terminal. */
static void text_is_safe_and_aligned(void **state) {
    (void)state;
    char evil[] = "evil\x1b]0;x\x07...";
    memcpy(strchr(evil, '.'), (const char[]){(char)0xe2, (char)0x80, (char)0xae}, 3); /* right-to-left override */
    struct im_result results[] = {refused(), nobody()};
    results[0].input = "J\xc3\xb6rg";
    results[1].input = evil;
    results[1].message = "broken \xff";
    check(&im_report_text, &plain, &info, results, LENGTH(results),
          "refused        J\xc3\xb6rg                    account-disabled: the account is disabled\n"
          "not-found      evil\\x1b]0;x\\x07\\u{202e}  broken \\xff\n"
          "0 changed, 0 unchanged, 1 refused, 1 not-found (2 accounts)\n");
}

static void csv_rows(void **state) {
    (void)state;
    struct im_result results[] = {changed(), refused(), nobody(), changed(), changed()};
    results[3].account = "=cmd()";
    results[4].account = "x@y";
    check(&im_report_csv, &plain, &info, results, LENGTH(results),
          "account,dn,outcome,reason,message,address,home\n"
          "jdoe,\"CN=Jane Doe,DC=corp,DC=example\",changed,,,jdoe@im.corp.example,imhome1\n"
          "svc-lobby,\"CN=Lobby,DC=corp,DC=example\",refused,account-disabled,the account is disabled,,\n"
          "nobody,,not-found,,\"no entry, \"\"really\"\"\",,\n"
          "'=cmd(),\"CN=Jane Doe,DC=corp,DC=example\",changed,,,jdoe@im.corp.example,imhome1\n"
          "sam:x@y,\"CN=Jane Doe,DC=corp,DC=example\",changed,,,jdoe@im.corp.example,imhome1\n");
}

#define INFO                                                                                                                     \
    "\"command\":\"imenable\",\"version\":\"0.1.0\",\"profile\":\"exchange2000\",\"directory\":\"ldaps://dc1.corp.example\","    \
    "\"dry_run\":false,\"started\":\"2025-11-25T19:46:40Z\""
#define SUMMARY(total, changed, failed)                                                                                          \
    "\"total\":" total ",\"changed\":" changed ",\"unchanged\":0,\"refused\":0,\"failed\":" failed ",\"not_found\":0,"           \
    "\"ambiguous\":0,\"conflict\":0,\"not_attempted\":0,\"seconds\":0.25"
#define CHANGED                                                                                                                  \
    "\"input\":\"jdoe\",\"source\":\"joiners.txt:3\",\"dn\":\"CN=Jane Doe,DC=corp,DC=example\",\"account\":\"jdoe\","            \
    "\"outcome\":\"changed\",\"address\":\"jdoe@im.corp.example\",\"home\":\"imhome1\",\"changes\":[{\"attribute\":"             \
    "\"msExchIMAddress\",\"before\":[],\"after\":[\"jdoe@im.corp.example\"]},{\"attribute\":\"msExchIMACL\",\"before\":"         \
    "[{\"base64\":\"/wAB\"}],\"after\":[]}]"
#define FAILED                                                                                                                   \
    "\"input\":\"eve\",\"dn\":\"CN=Eve,DC=corp,DC=example\",\"account\":\"eve\",\"outcome\":\"failed\",\"message\":\"no "        \
    "right\","                                                                                                                   \
    "\"ldap\":{\"code\":50,\"name\":\"insufficientAccessRights\",\"diagnostic\":\"00002098: SecErr\"}"

static void json_and_lines(void **state) {
    (void)state;
    struct berval after = VALUE("jdoe@im.corp.example");
    struct berval octets = VALUE("\xff\x00\x01");
    const struct im_plan_diff diffs[] = {
        {.attribute = "msExchIMAddress", .after = &after, .after_count = 1},
        {.attribute = "msExchIMACL", .before = &octets, .before_count = 1},
    };
    struct im_result results[] = {changed(), failed()};
    results[0].diffs = diffs;
    results[0].diff_count = LENGTH(diffs);
    check(&im_report_json, &plain, &info, results, LENGTH(results),
          "{" INFO ",\n\"accounts\":[\n{" CHANGED "},\n{" FAILED "}\n],\n\"summary\":{" SUMMARY("2", "1", "1") "}}\n");
    check(&im_report_json, &plain, &info, NULL, 0, "{" INFO ",\n\"accounts\":[],\n\"summary\":{" SUMMARY("0", "0", "0") "}}\n");
    check(&im_report_jsonl, &plain, &info, results, LENGTH(results),
          "{\"type\":\"run\"," INFO "}\n{\"type\":\"account\"," CHANGED "}\n{\"type\":\"account\"," FAILED
          "}\n{\"type\":\"summary\"," SUMMARY("2", "1", "1") "}\n");
}

static void formats_are_listed(void **state) {
    (void)state;
    size_t count;
    const struct im_report_format *const *formats = im_report_formats(&count);
    static const char *const names[] = {"text", "json", "jsonl", "csv"};
    assert_int_equal(count, LENGTH(names));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(formats[i]->name, names[i]);
}

static void a_full_disk_is_noticed_at_once(void **state) {
    (void)state;
    size_t count;
    const struct im_report_format *const *formats = im_report_formats(&count);
    struct im_result result = changed();
    for (size_t i = 0; i < count; i++) {
        struct im_error e = {.code = IM_OK};
        struct im_out out = {.stream = fopen("/dev/full", "w")};
        assert_non_null(out.stream);
        assert_int_equal(formats[i]->account(&out, &info, &result, &e), IM_E_OUTPUT);
        assert_mentions(e.text, "No space left");
        (void)fclose(out.stream);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines),
        cmocka_unit_test(text_of_lines_that_were_not_done),
        cmocka_unit_test(text_of_a_dry_run),
        cmocka_unit_test(text_shows_values_only_when_asked),
        cmocka_unit_test(text_fits_a_terminal),
        cmocka_unit_test(text_goes_below_long_names),
        cmocka_unit_test(text_in_colour),
        cmocka_unit_test(text_is_safe_and_aligned),
        cmocka_unit_test(csv_rows),
        cmocka_unit_test(json_and_lines),
        cmocka_unit_test(formats_are_listed),
        cmocka_unit_test(a_full_disk_is_noticed_at_once),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
