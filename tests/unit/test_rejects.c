/* Rows that were not done: as they were, with what became of them, fit to be mended and given again. */
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"
#include "tools/rejects.h"
#include "tools/table.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char folder[64], path[128];
    struct im_rejects rejects;
    struct im_error error;
    char text[4096];
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/imdir-rejects-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/rejects.csv", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_rejects_discard(&f->rejects);
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->folder), 0); /* nothing is left */
    free(f);
    return 0;
}

static size_t files(const struct fixture *f) {
    size_t count = 0;
    DIR *folder = opendir(f->folder);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    assert_int_equal(closedir(folder), 0);
    return count;
}

static const char *contents(struct fixture *f) {
    FILE *file = fopen(f->path, "re");
    assert_non_null(file);
    f->text[fread(f->text, 1, sizeof f->text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return f->text;
}

#define ROW(...)                                                                                                                 \
    &(struct im_row) {                                                                                                           \
        .cells = (const char *const[]){__VA_ARGS__}, .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)        \
    }

#define FORM(...)                                                                                                                \
    &(struct im_table_form) {                                                                                                    \
        .encoding = "UTF-8", .separator = ',', .header = ROW(__VA_ARGS__)                                                        \
    }

static void open_as(struct fixture *f, const struct im_table_form *form) {
    im_error_clear(&f->error);
    if (im_rejects_open(&f->rejects, f->path, form, &f->error) != IM_OK)
        fail_msg("%s", f->error.text);
}

static void open_rejects(struct fixture *f, const struct im_row *header, char separator) {
    open_as(f, &(struct im_table_form){.header = header, .encoding = "UTF-8", .separator = separator});
}

static void add(struct fixture *f, const struct im_row *row, enum im_outcome outcome, const char *reason, const char *message) {
    const struct im_input input = {.text = "x", .row = row};
    const struct im_result result = {.input = "x", .outcome = outcome, .reason = reason, .message = message, .ldap_code = -1};
    assert_int_equal(im_rejects_add(&f->rejects, &input, &result, &f->error), IM_OK);
}

static const char *committed(struct fixture *f) {
    assert_int_equal(im_rejects_commit(&f->rejects, &f->error), IM_OK);
    im_rejects_discard(&f->rejects);
    return contents(f);
}

static void rows_that_were_not_done_are_kept(void **state) {
    struct fixture *f = *state;
    open_rejects(f, ROW("account", "home", "phone"), ';');
    add(f, ROW("anna", "x", "+49 30"), IM_CHANGED, NULL, NULL);
    add(f, ROW("ben", "x", "1"), IM_UNCHANGED, NULL, NULL);
    add(f, ROW(" cleo ", "a;b", "+49 30"), IM_REFUSED, "account-disabled", "the account is disabled");
    add(f, ROW("=d", "say \"hi\"", "two\nlines"), IM_FAILED, NULL, "the server said: no");
    add(f, ROW("e", "", "'x"), IM_OUT_NOT_FOUND, NULL, NULL);
    add(f, ROW("f", "", ""), IM_AMBIGUOUS, NULL, "- x; y");
    add(f, ROW("g", "", ""), IM_CONFLICT, NULL, NULL);
    add(f, ROW("h", "", ""), IM_NOT_ATTEMPTED, NULL, NULL);
    assert_string_equal(committed(f), "account;home;phone;outcome;reason\n"
                                      "\" cleo \";\"a;b\";+49 30;refused;account-disabled\n"
                                      "=d;\"say \"\"hi\"\"\";\"two\nlines\";failed;the server said: no\n"
                                      "e;;'x;not-found;\n"
                                      "f;;;ambiguous;\"'- x; y\"\n"
                                      "g;;;conflict;\nh;;;not-attempted;\n");
}

static void columns_of_ours_are_overwritten(void **state) {
    struct fixture *f = *state;
    open_rejects(f, ROW("Reason", "account", " OUTCOME "), ',');
    add(f, ROW("old", "anna", "refused"), IM_FAILED, NULL, "new");
    assert_string_equal(committed(f), "reason,account,outcome\nnew,anna,failed\n");
    open_rejects(f, ROW("outcome", "account"), '\t');
    add(f, ROW("refused", "anna"), IM_FAILED, NULL, "new");
    assert_string_equal(committed(f), "outcome\taccount\treason\nfailed\tanna\tnew\n");
}

static void rows_of_another_length_lose_nothing(void **state) {
    struct fixture *f = *state;
    open_rejects(f, ROW("account", "home"), ',');
    const struct im_input bad = {.text = "", .row = ROW("a", "b", "c"), .bad = "column 5: the row has 3 cells"};
    const struct im_result result = {
        .input = "", .outcome = IM_REFUSED, .reason = "bad-row", .message = "other", .ldap_code = -1};
    assert_int_equal(im_rejects_add(&f->rejects, &bad, &result, &f->error), IM_OK);
    add(f, ROW("a"), IM_REFUSED, "bad-row", NULL);
    assert_string_equal(committed(f), "account,home,outcome,reason\n"
                                      "a,b,c,refused,column 5: the row has 3 cells\n"
                                      "a,refused,bad-row\n");
    open_rejects(f, ROW("account", "home", "domain", "outcome", "reason"), ','); /* given again, it does not begin to fit */
    add(f, ROW("a", "refused", "bad-row"), IM_REFUSED, "bad-row", NULL);
    add(f, ROW("a", "b", "c", "d", "refused", "bad-row"), IM_NOT_ATTEMPTED, NULL, NULL);
    add(f, ROW("a", "b"), IM_REFUSED, "bad-row", NULL);
    add(f, ROW("a"), IM_REFUSED, "bad-row", NULL);
    add(f, ROW("a", "b", "c", "d", "e", "f"), IM_REFUSED, "bad-row", NULL);
    add(f, ROW("a", "b", "c", "failed", "it fits"), IM_REFUSED, "account-x", NULL);
    assert_string_equal(committed(f), "account,home,domain,outcome,reason\n"
                                      "a,refused,bad-row\na,b,c,d,not-attempted,\na,b,refused,bad-row\na,refused,bad-row\n"
                                      "a,b,c,d,e,f,refused,bad-row\na,b,c,refused,account-x\n");
}

static void who_has_no_row_is_named(void **state) {
    struct fixture *f = *state;
    open_rejects(f, ROW("home", "Account"), ',');
    add(f, NULL, IM_OUT_NOT_FOUND, NULL, "nobody");
    const struct im_input chosen = {.text = NULL};
    const struct im_result result = {.dn = "CN=b,DC=c", .outcome = IM_REFUSED, .reason = "account-x", .ldap_code = -1};
    assert_int_equal(im_rejects_add(&f->rejects, &chosen, &result, &f->error), IM_OK);
    assert_string_equal(committed(f), "home,Account,outcome,reason\n,x,not-found,nobody\n,\"CN=b,DC=c\",refused,account-x\n");
    open_rejects(f, ROW("Login"), ',');
    add(f, NULL, IM_OUT_NOT_FOUND, NULL, "nobody");
    assert_string_equal(committed(f), "Login,outcome,reason\n,not-found,x: nobody\n");
}

static void the_file_is_there_when_it_is_done(void **state) {
    struct fixture *f = *state;
    struct stat st;
    open_rejects(f, ROW("account"), ',');
    assert_int_equal(files(f), 1);
    assert_int_not_equal(access(f->path, F_OK), 0);
    im_rejects_discard(&f->rejects);
    assert_int_equal(files(f), 0);
    open_rejects(f, ROW("account"), ',');
    assert_string_equal(committed(f), "account,outcome,reason\n");
    assert_int_equal(files(f), 1);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    open_rejects(f, ROW("account"), ','); /* takes the place of another */
    add(f, ROW("b"), IM_FAILED, NULL, NULL);
    assert_string_equal(contents(f), "account,outcome,reason\n");
    assert_string_equal(committed(f), "account,outcome,reason\nb,failed,\n");
}

static void places_that_cannot_be(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *path, *word;
        enum im_err code;
    } rows[] = {
        {"-", "\"-\"", IM_E_USAGE},
        {"/dev/null", "no regular file", IM_E_USAGE},
        {"/tmp", "no regular file", IM_E_USAGE},
        {"/nonexistent/x", "/nonexistent/x", IM_E_IO},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        im_error_clear(&f->error);
        assert_int_equal(im_rejects_open(&f->rejects, rows[i].path, FORM("account"), &f->error), rows[i].code);
        assert_mentions(f->error.text, "--rejects");
        assert_mentions(f->error.text, rows[i].word);
        im_rejects_discard(&f->rejects);
    }
}

static void none_is_wanted(void **state) {
    struct fixture *f = *state;
    assert_int_equal(im_rejects_open(&f->rejects, NULL, FORM("account"), &f->error), IM_OK);
    add(f, ROW("a"), IM_FAILED, NULL, NULL);
    assert_int_equal(im_rejects_commit(&f->rejects, &f->error), IM_OK);
    assert_int_equal(files(f), 0);
}

static void a_mended_file_is_a_table(void **state) {
    struct fixture *f = *state;
    open_rejects(f, ROW("Login", "home", "note"), '|');
    add(f, ROW("anna", "x", "1,2;3"), IM_REFUSED, "account-disabled", NULL);
    add(f, ROW("'=ben", "", "\"q\"|\n"), IM_FAILED, NULL, "=1");
    assert_non_null(committed(f));
    const char *words[] = {"account=login"};
    const struct im_table_options options = {.path = f->path, .columns = {.items = words, .count = 1}};
    struct im_table *table = NULL;
    if (im_table_open(&options, &table, &f->error) != IM_OK)
        fail_msg("%s", f->error.text);
    struct im_pool *pool = im_pool_new();
    struct im_inputs all = im_table_inputs(table);
    struct im_input input = {.text = NULL};
    bool is_end;
    assert_int_equal(im_table_form(table).separator, '|');
    assert_int_equal(all.next(all.user, pool, &input, &is_end, &f->error), IM_OK);
    assert_string_equal(input.text, "anna");
    assert_string_equal(input.home, "x");
    assert_string_equal(input.row->cells[2], "1,2;3");
    assert_int_equal(all.next(all.user, pool, &input, &is_end, &f->error), IM_OK);
    assert_string_equal(input.text, "=ben");
    assert_string_equal(input.row->cells[2], "\"q\"|\n");
    assert_string_equal(input.row->cells[4], "'=1");
    im_pool_free(&pool);
    im_table_free(&table);
}

/* The options that read the table read its rejects. */
static void encodings_are_those_of_the_table(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *encoding, *row;
        bool has_bom;
    } rows[] = {
        {"UTF-8", "ä,Ł,x?,failed,Ž\n", false},
        {"UTF-8", "ä,Ł,x?,failed,Ž\n", true},
        {"windows-1252", "\xe4,?,x?,failed,\x8e\n", false},
        {"ISO-8859-2", "\xe4,\xa3,x?,failed,\xae\n", false},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_table_form form = {.header = ROW("account", "a", "b"), .separator = ','};
        form.encoding = rows[i].encoding;
        form.has_bom = rows[i].has_bom;
        open_as(f, &form);
        add(f, ROW("ä", "Ł", "x\xfe"), IM_FAILED, NULL, "Ž");
        const char *text = committed(f);
        assert_int_equal(strncmp(text, "\ufeff", 3) == 0, form.has_bom);
        assert_string_equal(strchr(text, '\n') + 1, rows[i].row);
        im_rejects_discard(&f->rejects);
    }
}

static enum im_err attempt(void *user, struct im_error *e) {
    struct im_rejects rejects;
    const struct im_result result = {.input = "x", .outcome = IM_FAILED, .message = "=m", .ldap_code = -1};
    const struct im_input row = {.row = ROW("a,b", "c")}, argument = {.text = "x"};
    enum im_err err = im_rejects_open(&rejects, user, FORM("Login", "home"), e);
    if (err == IM_OK)
        err = im_rejects_add(&rejects, &row, &result, e);
    if (err == IM_OK)
        err = im_rejects_add(&rejects, &argument, &result, e);
    if (err == IM_OK)
        err = im_rejects_commit(&rejects, e);
    im_rejects_discard(&rejects);
    return err;
}

static void running_out_of_memory_is_told(void **state) {
    struct fixture *f = *state;
    assert_true(oom_every_allocation(attempt, f->path) > 5);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_that_were_not_done_are_kept),
        TEST(columns_of_ours_are_overwritten),
        TEST(rows_of_another_length_lose_nothing),
        TEST(who_has_no_row_is_named),
        TEST(the_file_is_there_when_it_is_done),
        TEST(places_that_cannot_be),
        TEST(none_is_wanted),
        TEST(a_mended_file_is_a_table),
        TEST(encodings_are_those_of_the_table),
        TEST(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
