/* What the formats of imcheck print, whatever findings say. */
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include "lib/data/json.h"
#include "lib/report/check.h"
#include "lib/report/spool.h"
#include "lib/report/write.h"

#include <stdio.h>

#define EVIL "\x1b]0;x\x07 \"<b>&'|\\ \xe2\x80\xa8"
#define BROKEN "M\xfcller"

static const struct im_run_info info = {.command = "imcheck",
                                        .version = "0.1.0",
                                        .profile = "exchange2000",
                                        .directory = "ldaps://dc1.corp.example",
                                        .started = 1764100000};

static const struct im_rule disabled = {.id = "account-disabled",
                                        .scope = IM_SCOPE_ACCOUNT,
                                        .severity = IM_ERROR,
                                        .title = "Account is disabled",
                                        .cause = "IM needs an active account.",
                                        .remedy = "enable it"};
static const struct im_rule partial = {.id = "account-attrs-partial",
                                       .scope = IM_SCOPE_ACCOUNT,
                                       .severity = IM_ERROR,
                                       .title = "Half enabled",
                                       .cause = "Attributes are missing.",
                                       .remedy = "imenable"};
static const struct im_rule overfull = {.id = "server-overfull",
                                        .scope = IM_SCOPE_SERVER,
                                        .severity = IM_WARNING,
                                        .title = "Too many users",
                                        .cause = "It becomes slow.",
                                        .remedy = "add a server"};
static const struct im_rule leftover = {.id = "account-protected-leftover",
                                        .scope = IM_SCOPE_ACCOUNT,
                                        .severity = IM_WARNING,
                                        .title = "Leftover",
                                        .cause = "",
                                        .remedy = "",
                                        .source = ""};

/* A report to be printed: what imcheck would hand to a format. */
struct report {
    const struct im_checked *checked;
    size_t checked_count;
    const struct im_finding *findings;
    size_t finding_count;
    size_t copies; /* of the first finding, with names of their own */
    bool has_baseline, lacks_accounts;
    struct im_out out;
};

static struct im_finding of(const struct im_rule *rule, const char *account, const char *message) {
    return (struct im_finding){
        .rule = rule, .severity = rule->severity, .account = account, .message = message, .remedy = rule->remedy};
}

static enum im_err print_copies(const struct im_check_format *format, struct im_out *out, void *state, const struct report *r,
                                struct im_check_summary *summary, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < r->copies; i++) {
        struct im_finding f = r->findings[0];
        char name[32];
        (void)snprintf(name, sizeof name, "user%05zu", i);
        f.account = name;
        im_check_count(summary, &f);
        err = format->finding(out, state, &f, e);
    }
    return err;
}

static enum im_err print_middle(const struct im_check_format *format, struct im_out *out, void *state, const struct report *r,
                                struct im_check_summary *summary, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && format->account && i < r->checked_count; i++)
        err = format->account(out, state, &r->checked[i], e);
    for (size_t i = 0; err == IM_OK && i < r->finding_count; i++) {
        im_check_count(summary, &r->findings[i]);
        err = format->finding(out, state, &r->findings[i], e);
    }
    return err == IM_OK ? print_copies(format, out, state, r, summary, e) : err;
}

static enum im_err print(const struct im_check_format *format, struct im_out *out, const struct report *r, struct im_error *e) {
    struct im_rule_status rules[] = {
        {&disabled, 0, NULL}, {&partial, 0, NULL}, {&overfull, 0, NULL}, {&leftover, 0, "no adminCount " EVIL}};
    static const struct im_check_share homes[] = {{"imhome1", 10}, {EVIL, 2}};
    static const struct im_check_share states[] = {{"enabled", 12}, {BROKEN, 8}};
    static const struct im_check_picture picture = {homes, 2, states, 2};
    struct im_check_summary summary = {
        .accounts = 20, .enabled = 12, .seconds = 0.25, .has_baseline = r->has_baseline, .picture = &picture};
    summary.lacks_accounts = r->lacks_accounts;
    void *state = NULL;
    for (size_t i = 0; i < r->checked_count; i++)
        summary.troubles += r->checked[i].trouble != NULL;
    for (size_t i = 0; i < r->finding_count; i++) {
        for (size_t k = 0; k < LENGTH(rules); k++)
            rules[k].findings += r->findings[i].rule == rules[k].rule;
    }
    rules[0].findings += r->copies;
    enum im_err err = format->begin(out, &info, &state, e);
    if (err == IM_OK)
        err = print_middle(format, out, state, r, &summary, e);
    if (err == IM_OK)
        err = format->end(out, &info, &state, rules, LENGTH(rules), &summary, e);
    if (format->free)
        format->free(&state);
    return err;
}

/* In memory that the caller frees. */
static char *printed(const char *name, const struct report *r) {
    char *text = NULL;
    size_t size;
    struct im_error e = {.code = IM_OK};
    struct im_out out = r->out;
    out.stream = open_memstream(&text, &size);
    assert_non_null(out.stream);
    assert_int_equal(print(im_check_format(name), &out, r, &e), IM_OK);
    (void)fclose(out.stream);
    return text;
}

static void check(const char *name, const struct report *r, const char *expected) {
    char *text = printed(name, r);
    assert_string_equal(text, expected);
    free(text);
}

static const struct im_evidence evidence[] = {{"users", "8112"}, {"limit", "7500"}};

/* One of each kind. */
static struct report usual(void) {
    static struct im_finding findings[5];
    static struct im_finding why;
    static struct im_checked checked[4];
    why = of(&disabled, "mm", "the account is disabled");
    checked[0] = (struct im_checked){.input = "jdoe", .account = "jdoe", .dn = "CN=J", .is_enabled = true};
    checked[1] =
        (struct im_checked){.input = "mm", .source = "a.csv:3", .account = "mm", .dn = "CN=M", .is_enabled = true, .why = &why};
    checked[2] = (struct im_checked){.input = "new", .account = "new", .dn = "CN=N"};
    checked[3] = (struct im_checked){.input = EVIL, .trouble = "no entry has this name"};
    findings[0] = of(&disabled, "mm", "the account is disabled");
    findings[0].dn = "CN=M\xc3\xbcller\\, M,DC=corp";
    findings[1] = of(&disabled, "kk", "the account is disabled");
    findings[2] = of(&overfull, NULL, "imhome1 has 8112 users");
    findings[2].subject = "imhome1";
    findings[2].remedy = "imhome --from imhome1 --to auto";
    findings[2].evidence = evidence;
    findings[2].evidence_count = LENGTH(evidence);
    findings[3] = of(&partial, EVIL, "lacks " BROKEN);
    findings[3].remedy = NULL;
    findings[4] = of(&disabled, "lobby", "the account is disabled");
    findings[4].silenced = "kiosk";
    findings[4].until = 1806451200;
    return (struct report){checked, LENGTH(checked), findings, LENGTH(findings), 0, false, false, {.stream = NULL}};
}

#define SAFE "\\x1b]0;x\\x07 \"<b>&'|\\ \\u{2028}"

static void text_for_people(void **state) {
    struct report r = usual();
    (void)state;
    check("text", &r,
          "jdoe can sign in: yes\n"
          "mm can sign in: no, because the account is disabled (account-disabled)\n"
          "new can sign in: yes, once enabled\n" SAFE " can sign in: unknown, because no entry has this name\n"
          "\n"
          "ERROR    Account is disabled: 2 accounts (account-disabled)\n"
          "         IM needs an active account.\n"
          "         the account is disabled: mm, kk\n"
          "         To do: enable it\n"
          "\n"
          "ERROR    Half enabled: 1 account (account-attrs-partial)\n"
          "         Attributes are missing.\n"
          "         " SAFE "  lacks M\\xfcller\n"
          "\n"
          "WARNING  Too many users: 1 finding (server-overfull)\n"
          "         It becomes slow.\n"
          "         imhome1  imhome1 has 8112 users\n"
          "         To do: imhome --from imhome1 --to auto\n"
          "\n"
          "SKIPPED  1 rule could not be evaluated, which is not the same as passed:\n"
          "         no adminCount " SAFE ": account-protected-leftover\n"
          "\n"
          "3 errors, 1 warning, 0 infos; 20 accounts checked, 12 enabled; 1 silenced; nothing known of 1 account; 1 rule skipped "
          "(0.2 s)\n");
}

static void verbose_text_keeps_nothing_back(void **state) {
    struct report r = usual();
    (void)state;
    r.checked_count = 0;
    r.out.verbose = true;
    char *text = printed("text", &r);
    assert_mentions(text, "         lobby  [silenced until 2027-03-31: kiosk] the account is disabled\n");
    assert_mentions(text, "           users: 8112, limit: 7500\n");
    assert_null(strstr(text, "can sign in"));
    free(text);
    r.finding_count = 1;
    r.copies = 5000;
    text = printed("text", &r);
    assert_mentions(text, "user04999");
    assert_null(strstr(text, "more:"));
    free(text);
}

static void text_lists_the_first_of_many(void **state) {
    struct report r = usual();
    (void)state;
    r.finding_count = 1;
    r.copies = 5000;
    r.out.width = 60;
    char *text = printed("text", &r);
    assert_mentions(text, "5,001 accounts");
    assert_mentions(text, "user00018");
    assert_null(strstr(text, "user00019"));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (strcspn(line, "\n") > 60 && !strstr(line, "u{2028}"))
            fail_msg("wider than the terminal: %.100s", line);
    }
    assert_mentions(text, "and 4,981 more: -v");
    free(text);
}

static void each_remedy_where_they_differ(void **state) {
    struct im_finding findings[] = {of(&partial, "a", "one"), of(&partial, "b", "two")};
    struct report r = {.findings = findings, .finding_count = 2};
    (void)state;
    findings[0].remedy = "imenable a";
    char *text = printed("text", &r);
    assert_mentions(text, "         a  one\n           to do: imenable a\n         b  two\n           to do: imenable\n\n");
    free(text);
    findings[0].remedy = "imenable";
    text = printed("text", &r);
    assert_mentions(text, "         a  one\n         b  two\n         To do: imenable\n\n");
    free(text);
}

static void lines_that_name_nobody_say_where_they_stand(void **state) {
    const struct im_checked checked[] = {{.input = "nobody", .source = "a.csv:3", .trouble = "no entry"},
                                         {.input = "", .source = "a.csv:4", .trouble = "no name"}};
    (void)state;
    char *text = printed("text", &(struct report){.checked = checked, .checked_count = 2});
    assert_mentions(text, "nobody can sign in: unknown, because no entry (a.csv:3)\n");
    assert_mentions(text, "a.csv:4 can sign in: unknown, because no name\n");
    free(text);
}

static void text_in_colour(void **state) {
    struct report r = usual();
    (void)state;
    r.out.color = true;
    char *text = printed("text", &r);
    assert_mentions(text, "\x1b[31mERROR\x1b[0m    Account");
    assert_mentions(text, "sign in: \x1b[32myes\x1b[0m\n");
    assert_mentions(text, "\x1b[31m3 errors\x1b[0m, \x1b[33m1 warning\x1b[0m, 0 infos;");
    free(text);
}

/* "0 accounts" would say that there is none. */
static void accounts_that_nobody_looked_at_are_not_counted(void **state) {
    static const struct {
        const char *format, *words;
    } rows[] = {{"text", "20 accounts checked, 12 enabled"}, {"json", "\"accounts\":20,\"enabled\":12"},
                {"jsonl", "\"accounts\":20,\"enabled\":12"}, {"nagios", "accounts=20 enabled=12"},
                {"prometheus", "imdir_accounts 20\n"},       {"prometheus", "imdir_accounts_enabled 12\n"}};
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char *with = printed(rows[i].format, &(struct report){.checked_count = 0});
        char *without = printed(rows[i].format, &(struct report){.lacks_accounts = true});
        assert_mentions(with, rows[i].words);
        if (strstr(without, rows[i].words) || strstr(without, "accounts\":0") || strstr(without, "0 accounts"))
            fail_msg("%s", without);
        free(with);
        free(without);
    }
}

static void against_a_baseline(void **state) {
    struct im_finding findings[] = {of(&disabled, "a", "x"), of(&disabled, "b", "x"), of(&disabled, "c", "x")};
    struct report r = {.findings = findings, .finding_count = 3, .has_baseline = true};
    (void)state;
    findings[0].state = IM_FINDING_NEW;
    findings[1].state = IM_FINDING_KNOWN;
    findings[2].state = IM_FINDING_GONE;
    char *text = printed("text", &r);
    assert_mentions(text, "2 accounts (account-disabled)");
    assert_mentions(text, "         a  [new] x\n         b  x\n");
    assert_mentions(text, "GONE     since the baseline:\n         account-disabled  c\n");
    assert_mentions(text, "2 errors, 0 warnings, 0 infos; 20 accounts checked, 12 enabled; 1 new, 1 known, 1 gone;");
    free(text);
    check("nagios", &r,
          "IMDIR CRITICAL - new: 1 error, 0 warnings, 1 rule skipped | errors=2 warnings=0 infos=0 silenced=0 skipped=1 new=1 "
          "known=1 gone=1 accounts=20 enabled=12 time=0.250s\n");
    text = printed("csv", &r);
    assert_null(strstr(text, ",c,"));
    free(text);
    findings[0].state = IM_FINDING_KNOWN;
    text = printed("nagios", &r);
    assert_mentions(text, "IMDIR OK - new: 0 errors");
    free(text);
}

static void csv_rows(void **state) {
    struct im_finding findings[] = {of(&disabled, "jdoe", "m"),    of(&disabled, "x@y", "m"),  of(&disabled, "=1+1", "a, \"b\""),
                                    of(&disabled, "sam:sue", "m"), of(&disabled, " sp", "m"),  of(&disabled, NULL, "m"),
                                    of(&overfull, NULL, "m"),      of(&disabled, "quiet", "m")};
    struct report r = {.findings = findings, .finding_count = LENGTH(findings)};
    (void)state;
    findings[4].dn = findings[5].dn = "CN=S,DC=c";
    findings[6].subject = "-imhome1";
    findings[7].silenced = "known";
    check("csv", &r,
          "rule,severity,scope,account,dn,subject,message,remedy\n"
          "account-disabled,error,account,jdoe,,,m,enable it\n"
          "account-disabled,error,account,sam:x@y,,,m,enable it\n"
          "account-disabled,error,account,'=1+1,,,\"a, \"\"b\"\"\",enable it\n"
          "account-disabled,error,account,sam:sam:sue,,,m,enable it\n"
          "account-disabled,error,account,\"CN=S,DC=c\",\"CN=S,DC=c\",,m,enable it\n"
          "account-disabled,error,account,\"CN=S,DC=c\",\"CN=S,DC=c\",,m,enable it\n"
          "server-overfull,warning,server,,,'-imhome1,m,add a server\n");
}

static void nagios_line(void **state) {
    struct report r = usual();
    (void)state;
    check("nagios", &r,
          "IMDIR CRITICAL - 3 errors, 1 warning, 1 unknown account, 1 rule skipped | errors=3 warnings=1 infos=0 silenced=1 "
          "skipped=1 "
          "accounts=20 enabled=12 time=0.250s\n");
}

static void exit_status(void **state) {
    struct im_check_summary s = {.errors = 1, .warnings = 1, .infos = 1};
    (void)state;
    assert_int_equal(im_check_nagios_status(&s), 2);
    assert_int_equal(im_check_counted(&s, IM_INFO), 3);
    assert_int_equal(im_check_counted(&s, IM_WARNING), 2);
    assert_int_equal(im_check_counted(&s, IM_ERROR), 1);
    s.errors = 0;
    s.troubles = 1;
    assert_int_equal(im_check_nagios_status(&s), 1);
    s.warnings = 0;
    assert_int_equal(im_check_nagios_status(&s), 3);
    s.troubles = 0;
    assert_int_equal(im_check_nagios_status(&s), 0);
    s.errors = 9;
    s.has_baseline = true;
    assert_int_equal(im_check_nagios_status(&s), 0);
    assert_int_equal(im_check_counted(&s, IM_INFO), 0);
    s.fresh_warnings = 1;
    assert_int_equal(im_check_nagios_status(&s), 1);
}

static void samples(void **state) {
    struct report r = usual();
    (void)state;
    char *text = printed("prometheus", &r);
    assert_mentions(text, "# TYPE imdir_findings gauge\n"
                          "imdir_findings{rule=\"account-disabled\",severity=\"error\",scope=\"account\"} 2\n"
                          "imdir_findings{rule=\"account-attrs-partial\",severity=\"error\",scope=\"account\"} 1\n"
                          "imdir_findings{rule=\"server-overfull\",severity=\"warning\",scope=\"server\"} 1\n# HELP");
    assert_mentions(text, "imdir_findings_silenced{rule=\"account-disabled\"} 1\n");
    assert_mentions(text, "imdir_rule_skipped{rule=\"server-overfull\"} 0\n");
    assert_mentions(text, "imdir_rule_skipped{rule=\"account-protected-leftover\"} 1\n");
    assert_mentions(text, "\nimdir_accounts 20\n");
    assert_mentions(text, "\nimdir_check_start_time_seconds 1764100000\n");
    free(text);
    r.finding_count = 0;
    text = printed("prometheus", &r);
    assert_mentions(text, "imdir_findings{rule=\"account-disabled\",severity=\"error\",scope=\"account\"} 0\n");
    assert_null(strstr(text, "imdir_findings{rule=\"account-protected-leftover\""));
    free(text);
}

/* ---- JSON ---- */

static json_t *parsed(const char *text) {
    json_error_t why;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!json)
        fail_msg("%s in line %d: %s", why.text, why.line, text);
    return json;
}

static void same(const json_t *json, const char *expected) {
    json_t *want = parsed(expected);
    struct im_buf text = IM_BUF_INIT;
    if (!json_equal(json, want)) {
        im_json_dump(json, &text);
        fail_msg("%s is not %s", im_buf_str(&text), expected);
    }
    json_decref(want);
}

static const char finding_of_a_server[] =
    "{\"rule\":\"server-overfull\",\"severity\":\"warning\",\"scope\":\"server\",\"subject\":\"imhome1\",\"message\":\"imhome1 "
    "has "
    "8112 users\",\"remedy\":\"imhome --from imhome1 --to auto\",\"evidence\":{\"users\":\"8112\",\"limit\":\"7500\"}}";
static const char silenced_finding[] =
    "{\"rule\":\"account-disabled\",\"severity\":\"error\",\"scope\":\"account\",\"account\":\"lobby\",\"message\":\"the account "
    "is "
    "disabled\",\"remedy\":\"enable it\",\"silenced\":{\"reason\":\"kiosk\",\"until\":\"2027-03-31\"}}";
static const char summary_of_all[] =
    "{\"accounts\":20,\"enabled\":12,\"errors\":3,\"warnings\":1,\"infos\":0,\"silenced\":1,\"unknown\":1,\"homes\":[{\"name\":"
    "\"imhome1\",\"count\":10},{\"name\":\"\\u001b]0;x\\u0007 \\\"<b>&'|\\\\ \\u2028\",\"count\":2}],\"states\":[{\"name\":"
    "\"enabled\",\"count\":12},{\"name\":{\"base64\":\"TfxsbGVy\"},\"count\":8}],\"seconds\":0.25}";

static void json_document(void **state) {
    struct report r = usual();
    (void)state;
    char *text = printed("json", &r);
    json_t *json = parsed(text);
    json_t *findings = json_object_get(json, "findings");
    assert_string_equal(json_string_value(json_object_get(json, "started")), "2025-11-25T19:46:40Z");
    assert_int_equal(json_array_size(findings), 5);
    same(json_array_get(findings, 2), finding_of_a_server);
    same(json_array_get(findings, 4), silenced_finding);
    assert_string_equal(json_string_value(json_object_get(json_array_get(findings, 3), "account")), EVIL);
    same(json_object_get(json_array_get(findings, 3), "message"), "{\"base64\":\"bGFja3MgTfxsbGVy\"}");
    same(json_array_get(json_object_get(json, "accounts"), 1),
         "{\"input\":\"mm\",\"source\":\"a.csv:3\",\"account\":\"mm\",\"dn\":\"CN=M\",\"signs_in\":\"no\",\"rule\":"
         "\"account-disabled\",\"message\":\"the account is disabled\"}");
    same(json_array_get(json_object_get(json, "accounts"), 0),
         "{\"input\":\"jdoe\",\"account\":\"jdoe\",\"dn\":\"CN=J\",\"signs_in\":\"yes\"}");
    assert_int_equal(json_array_size(json_object_get(json, "accounts")), 4);
    same(json_array_get(json_object_get(json, "rules"), 0),
         "{\"rule\":\"account-disabled\",\"status\":\"checked\",\"findings\":3}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(json, "rules"), 3), "status")),
                        "skipped");
    same(json_object_get(json, "summary"), summary_of_all);
    json_decref(json);
    free(text);
}

static void json_of_nothing(void **state) {
    struct report r = {.checked_count = 0};
    (void)state;
    char *text = printed("json", &r);
    json_t *json = parsed(text);
    assert_int_equal(json_array_size(json_object_get(json, "findings")), 0);
    assert_null(json_object_get(json, "accounts"));
    assert_null(json_object_get(json_object_get(json, "summary"), "unknown"));
    assert_null(json_object_get(json_object_get(json, "summary"), "new"));
    json_decref(json);
    free(text);
}

static void json_states(void **state) {
    struct im_finding finding = of(&disabled, "a", "x");
    struct report r = {.findings = &finding, .finding_count = 1, .has_baseline = true};
    (void)state;
    finding.state = IM_FINDING_GONE;
    char *text = printed("json", &r);
    json_t *json = parsed(text);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(json, "findings"), 0), "state")),
                        "gone");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "summary"), "gone")), 1);
    json_decref(json);
    free(text);
}

/* Each line says what it is, and holds what the document holds. */
static void json_lines(void **state) {
    static const char *const types[] = {"run",     "account", "account", "account", "account", "finding", "finding", "finding",
                                        "finding", "finding", "rule",    "rule",    "rule",    "rule",    "summary"};
    struct report r = usual();
    size_t count = 0;
    (void)state;
    char *text = printed("jsonl", &r);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *json = parsed(line);
        assert_true(count < LENGTH(types));
        assert_string_equal(json_string_value(json_object_get(json, "type")), types[count]);
        json_object_del(json, "type");
        if (count == 7)
            same(json, finding_of_a_server);
        if (count == 14)
            same(json, summary_of_all);
        count++;
        json_decref(json);
    }
    assert_int_equal(count, LENGTH(types));
    free(text);
}

/* More than a block of the spool. */
static void many_accounts(void **state) {
    enum { COUNT = 3000 };
    static struct im_checked checked[COUNT];
    struct report r = {.checked = checked, .checked_count = COUNT};
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        checked[i] = (struct im_checked){.input = "somebody", .account = i % 2 ? "odd" : "even", .is_enabled = true};
    char *text = printed("json", &r);
    json_t *json = parsed(text);
    json_t *accounts = json_object_get(json, "accounts");
    assert_int_equal(json_array_size(accounts), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(accounts, i), "account")), i % 2 ? "odd" : "even");
    json_decref(json);
    free(text);
}

/* ---- HTML ---- */

static char *page_of(const struct report *r) {
    char *text = NULL;
    size_t size;
    struct im_error e = {.code = IM_OK};
    struct im_out out = {.stream = open_memstream(&text, &size)};
    assert_non_null(out.stream);
    assert_int_equal(print(&im_check_html, &out, r, &e), IM_OK);
    (void)fclose(out.stream);
    return text;
}

static size_t times(const char *text, const char *word) {
    size_t count = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

/* Nothing that a directory says is markup, and nothing is loaded: one style, one script, no address but those within the page. */
static void page_is_safe(void **state) {
    static const char *const never[] = {EVIL,   "<b>",     "&#34;<",  "\x1b", "\xe2\x80\xa8", "\xfc",    " src=",    "<link",
                                        "<img", "<iframe", " style=", "url(", "@import",      "http://", "https://", "<form"};
    static const struct im_evidence evil[] = {{EVIL, EVIL}};
    struct im_rule rule = disabled;
    struct im_finding finding = of(&rule, EVIL, EVIL);
    struct im_checked checked = {.input = EVIL, .source = EVIL, .dn = EVIL, .trouble = EVIL};
    struct report r = {&checked, 1, &finding, 1, 0, false, false, {.stream = NULL}};
    (void)state;
    rule.title = rule.cause = rule.remedy = EVIL;
    finding.dn = finding.subject = finding.remedy = finding.silenced = EVIL;
    finding.evidence = evil;
    finding.evidence_count = 1;
    char *text = page_of(&r);
    char *script = strstr(text, "\n<script>");
    assert_non_null(script);
    for (size_t i = 0; i < LENGTH(never); i++) {
        const char *found = strstr(text, never[i]);
        if (found && found < script)
            fail_msg("the page holds %s: %.60s", never[i], found);
    }
    assert_int_equal(times(text, "<script>"), 1);
    assert_int_equal(times(text, "</script>"), 1);
    assert_int_equal(times(text, "<style>"), 1);
    assert_mentions(text, "default-src 'none'; style-src 'sha256-");
    free(text);
}

/* All rows are there, the worst first; what is silenced says so. */
static void page_holds_everything(void **state) {
    struct report r = usual();
    (void)state;
    r.copies = 3000;
    char *text = page_of(&r);
    assert_int_equal(times(text, "<tr data-kind=\"error\""), 3004);
    assert_int_equal(times(text, "<tr data-kind=\"warning\""), 1);
    assert_int_equal(times(text, "<tr data-kind=\"no\""), 1);
    assert_int_equal(times(text, "<tr data-kind=\"unknown\""), 1);
    assert_int_equal(times(text, "<tr data-kind=\"yes\""), 2);
    assert_true(strstr(text, "user02999") < strstr(text, "<tr data-kind=\"warning\""));
    assert_mentions(text, "data-state=\"silenced\" class=\"off\"");
    assert_mentions(text, "silenced until 2027-03-31: kiosk");
    assert_mentions(text, "users: 8112, limit: 7500");
    assert_mentions(text, "<dt>Errors</dt><dd>3,003</dd>");
    assert_mentions(text, "3,005 findings, the most severe first");
    assert_mentions(text, "Rules that could not be evaluated");
    assert_mentions(text, "Users by home server");
    assert_mentions(text, "60.0 %");
    free(text);
}

static void page_of_nothing(void **state) {
    struct report r = {.checked_count = 0};
    (void)state;
    char *text = page_of(&r);
    assert_mentions(text, "No errors and no warnings");
    assert_mentions(text, "<p>Nothing was found.</p>");
    assert_mentions(text, "3 rules found nothing");
    free(text);
}

/* ---- the spool ---- */

static enum im_err append(void *user, const char *bytes, size_t len, struct im_error *e) {
    struct im_buf *all = user;
    im_buf_add(all, bytes, len);
    return all->failed ? im_error_nomem(e) : IM_OK;
}

static void streams_are_kept_apart(void **state) {
    struct im_spool *spool = im_spool_new();
    struct im_buf expected[3] = {IM_BUF_INIT, IM_BUF_INIT, IM_BUF_INIT};
    struct im_error e = {.code = IM_OK};
    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        struct im_buf record = IM_BUF_INIT;
        im_buf_addf(&record, "%zu,", i);
        if (i == 7000) { /* larger than a block */
            for (int k = 0; k < 20000; k++)
                im_buf_adds(&record, "xx");
        }
        im_buf_add(&expected[i % 3], record.data, record.len);
        assert_int_equal(im_spool_add(spool, i % 3, &record, &e), IM_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        struct im_buf all = IM_BUF_INIT;
        assert_int_equal(im_spool_each(spool, i, append, &all, &e), IM_OK);
        assert_string_equal(im_buf_str(&all), i < 3 ? im_buf_str(&expected[i]) : "");
        im_buf_free(&all);
    }
    for (size_t i = 0; i < 3; i++)
        im_buf_free(&expected[i]);
    im_spool_free(&spool);
}

/* ---- all formats ---- */

static void formats_are_listed(void **state) {
    static const char *const names[] = {"text", "json", "jsonl", "csv", "nagios", "prometheus"};
    size_t count;
    const struct im_check_format *const *formats = im_check_formats(&count);
    (void)state;
    assert_int_equal(count, LENGTH(names));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(formats[i]->name, names[i]);
        assert_ptr_equal(im_check_format(names[i]), formats[i]);
    }
    assert_null(im_check_format("xml"));
}

static void a_full_disk_is_noticed(void **state) {
    size_t count;
    const struct im_check_format *const *formats = im_check_formats(&count);
    struct report r = usual();
    (void)state;
    for (size_t i = 0; i <= count; i++) {
        const struct im_check_format *format = i < count ? formats[i] : &im_check_html;
        struct im_error e = {.code = IM_OK};
        struct im_out out = {.stream = fopen("/dev/full", "w"), .width = 80};
        assert_non_null(out.stream);
        assert_int_equal(print(format, &out, &r, &e), IM_E_OUTPUT);
        (void)fclose(out.stream);
    }
}

static enum im_err print_to_nowhere(void *user, struct im_error *e) {
    struct report r = usual();
    struct im_out out = {.verbose = true};
    size_t left = oom_pause();
    out.stream = fopen("/dev/null", "w");
    oom_fail_at(left);
    enum im_err err = print(user, &out, &r, e);
    (void)fclose(out.stream);
    return err;
}

static void out_of_memory(void **state) {
    size_t count;
    const struct im_check_format *const *formats = im_check_formats(&count);
    (void)state;
    for (size_t i = 0; i <= count; i++) {
        union {
            const struct im_check_format *format;
            void *user;
        } as = {i < count ? formats[i] : &im_check_html};
        assert_true(oom_every_allocation(print_to_nowhere, as.user) > 0);
    }
}

/* ---- the table of rules ---- */

static char *rules_as(const char *format, const struct im_rule *rule, size_t width) {
    char *text = NULL;
    size_t size;
    struct im_error e = {.code = IM_OK};
    struct im_out out = {.stream = open_memstream(&text, &size), .width = width};
    assert_non_null(out.stream);
    assert_int_equal(rule ? im_report_rule(&out, format, rule, &e) : im_report_rules(&out, format, &e), IM_OK);
    (void)fclose(out.stream);
    return text;
}

static void rules_are_explained(void **state) {
    const struct im_rule *rule = im_rule_find("account-not-writable");
    (void)state;
    char *text = rules_as("text", rule, 0);
    assert_mentions(text, "account-not-writable: ");
    assert_mentions(text, "blocks     enabling and moving to another home, unless --allow names the rule\n");
    assert_mentions(text, rule->cause);
    assert_mentions(text, rule->remedy);
    assert_mentions(text, rule->source);
    free(text);
    text = rules_as("json", rule, 0);
    json_t *json = parsed(text);
    assert_string_equal(json_string_value(json_object_get(json, "blocks")), "enable move");
    assert_string_equal(json_string_value(json_object_get(json, "cause")), rule->cause);
    json_decref(json);
    free(text);
}

static void rules_are_listed(void **state) {
    size_t listed = 0;
    (void)state;
    char *text = rules_as("json", NULL, 0);
    json_t *json = parsed(text);
    char *plain = rules_as("text", NULL, 80);
    char *csv = rules_as("csv", NULL, 0);
    for (int scope = 0; scope < IM_SCOPE_COUNT; scope++) {
        size_t count;
        const struct im_rule *rows = im_rules((enum im_scope)scope, &count);
        for (size_t i = 0; i < count; i++, listed++) {
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(json_object_get(json, "rules"), listed), "rule")), rows[i].id);
            assert_mentions(plain, rows[i].id);
            assert_mentions(csv, rows[i].id);
        }
    }
    assert_int_equal(json_array_size(json_object_get(json, "rules")), listed);
    json_decref(json);
    free(text);
    free(plain);
    free(csv);
    text = rules_as("jsonl", NULL, 0);
    json_decref(parsed(strtok(text, "\n")));
    free(text);
}

static void rules_are_no_samples(void **state) {
    struct im_error e = {.code = IM_OK};
    struct im_out out = {.stream = stdout};
    (void)state;
    assert_int_equal(im_report_rules(&out, "nagios", &e), IM_E_USAGE);
    assert_mentions(e.text, "not as nagios");
    assert_int_equal(im_report_rule(&out, "prometheus", im_rule_find("account-disabled"), NULL), IM_E_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_people),
        cmocka_unit_test(verbose_text_keeps_nothing_back),
        cmocka_unit_test(text_lists_the_first_of_many),
        cmocka_unit_test(each_remedy_where_they_differ),
        cmocka_unit_test(lines_that_name_nobody_say_where_they_stand),
        cmocka_unit_test(text_in_colour),
        cmocka_unit_test(accounts_that_nobody_looked_at_are_not_counted),
        cmocka_unit_test(against_a_baseline),
        cmocka_unit_test(csv_rows),
        cmocka_unit_test(nagios_line),
        cmocka_unit_test(exit_status),
        cmocka_unit_test(samples),
        cmocka_unit_test(json_document),
        cmocka_unit_test(json_of_nothing),
        cmocka_unit_test(json_states),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(many_accounts),
        cmocka_unit_test(page_is_safe),
        cmocka_unit_test(page_holds_everything),
        cmocka_unit_test(page_of_nothing),
        cmocka_unit_test(streams_are_kept_apart),
        cmocka_unit_test(formats_are_listed),
        cmocka_unit_test(a_full_disk_is_noticed),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(rules_are_explained),
        cmocka_unit_test(rules_are_listed),
        cmocka_unit_test(rules_are_no_samples),
    };
    return cmocka_run_group_tests_name("check_report", tests, NULL, NULL);
}
