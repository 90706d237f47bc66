/* A CSV file as accounts: which column means what, what a row asks for, and every way in which a file can be wrong. */
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"
#include "tools/table.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct fixture {
    char path[64];
    struct im_table *table;
    struct im_table_options options;
    struct im_pool *pool;
    struct im_error error;
    struct im_buf seen, notes;
};

static void note(void *user, int level, const char *text) {
    struct fixture *f = user;
    im_buf_addf(&f->notes, "%d %s\n", level, text);
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/imdir-table-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    f->pool = im_pool_new();
    assert_non_null(f->pool);
    f->options = (struct im_table_options){.path = f->path, .note = note, .user = f};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_table_free(&f->table);
    im_pool_free(&f->pool);
    im_buf_free(&f->seen);
    im_buf_free(&f->notes);
    (void)unlink(f->path);
    free(f);
    return 0;
}

static void write_file(const struct fixture *f, const char *bytes, size_t len) {
    int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

static enum im_err open_table(struct fixture *f, const char *bytes, size_t len) {
    write_file(f, bytes, len);
    im_error_clear(&f->error);
    im_buf_clear(&f->notes);
    im_table_free(&f->table);
    return im_table_open(&f->options, &f->table, &f->error);
}

#define OPEN(f, literal) open_table(f, literal, sizeof(literal) - 1)

static void map(struct fixture *f, const char **words, size_t count) {
    f->options.columns = (struct im_strings){.items = words, .count = count};
}

/* One line for each input: "12 NAME text home=... domain=... address=...", or "12 text: why". */
static void add_input(struct fixture *f, const struct im_input *input) {
    static const char *const kinds[] = {
        [IM_ID_DN] = "DN",     [IM_ID_SID] = "SID", [IM_ID_GUID] = "GUID", [IM_ID_ADDRESS] = "ADDRESS",    [IM_ID_UPN] = "UPN",
        [IM_ID_MAIL] = "MAIL", [IM_ID_IM] = "IM",   [IM_ID_NAME] = "NAME", [IM_ID_DOMAIN_NAME] = "DOMAIN",
    };
    const size_t len = strlen(f->path);
    assert_int_equal(strncmp(input->source, f->path, len), 0);
    assert_int_equal(input->source[len], ':');
    assert_non_null(input->row);
    im_buf_addf(&f->seen, "%s ", input->source + len + 1);
    if (input->bad) {
        assert_null(input->identity.text);
        assert_true(!input->home && !input->domain && !input->address);
        im_buf_addf(&f->seen, "%s: %s\n", input->text, input->bad);
        return;
    }
    assert_non_null(input->text);
    im_buf_addf(&f->seen, "%s %s", kinds[input->identity.kind], input->identity.text);
    im_buf_addf(&f->seen, "%s%s", input->home ? " home=" : "", input->home ? input->home : "");
    im_buf_addf(&f->seen, "%s%s", input->domain ? " domain=" : "", input->domain ? input->domain : "");
    im_buf_addf(&f->seen, "%s%s\n", input->address ? " address=" : "", input->address ? input->address : "");
}

static const char *one_pass(struct fixture *f) {
    struct im_inputs all = im_table_inputs(f->table);
    im_buf_clear(&f->seen);
    for (size_t count = 0;; count++) {
        struct im_input input;
        bool is_end = false;
        enum im_err err = all.next(all.user, f->pool, &input, &is_end, &f->error);
        if (err != IM_OK)
            fail_msg("%s", f->error.text);
        if (is_end) {
            assert_int_equal(count, im_table_count(f->table));
            return im_buf_str(&f->seen);
        }
        add_input(f, &input);
    }
}

/* Every pass tells the same. */
static const char *inputs(struct fixture *f) {
    struct im_inputs all = im_table_inputs(f->table);
    char *first = strdup(one_pass(f));
    assert_int_equal(all.rewind(all.user, &f->error), IM_OK);
    assert_string_equal(one_pass(f), first);
    assert_int_equal(all.rewind(all.user, &f->error), IM_OK);
    free(first);
    return im_buf_str(&f->seen);
}

static const char *inputs_of(struct fixture *f, const char *bytes, size_t len) {
    if (open_table(f, bytes, len) != IM_OK)
        fail_msg("%zu:%zu %s", f->error.line, f->error.column, f->error.text);
    return inputs(f);
}

#define INPUTS(f, literal) inputs_of(f, literal, sizeof(literal) - 1)

static void assert_error(const struct fixture *f, enum im_err code, size_t line, size_t column, const char *word) {
    assert_int_equal(f->error.code, code);
    assert_mentions(f->error.text, word);
    assert_int_equal(f->error.line, line);
    assert_int_equal(f->error.column, column);
    if (code == IM_E_INPUT)
        assert_string_equal(f->error.where, f->path);
}

#define FAILS(f, literal, code, ...)                                                                                             \
    do {                                                                                                                         \
        assert_int_equal(OPEN(f, literal), code);                                                                                \
        assert_error(f, code, __VA_ARGS__);                                                                                      \
    } while (0)

/* ---- what columns mean ---- */

static void columns_force_a_form(void **state) {
    struct fixture *f = *state;
    assert_string_equal(INPUTS(f, "sAMAccountName\nanna\na@b\n"), "2 NAME anna\n3 NAME a@b\n");
    assert_string_equal(INPUTS(f, "UID\nS-1-5-21-1-2-3-4\n"), "2 NAME S-1-5-21-1-2-3-4\n");
    assert_string_equal(INPUTS(f, "userprincipalname\na@b\n"), "2 UPN a@b\n");
    assert_string_equal(INPUTS(f, "mail\na@b\n"), "2 MAIL a@b\n");
    assert_string_equal(INPUTS(f, "dn\n\"CN=a,DC=b\"\n"), "2 DN CN=a,DC=b\n");
    assert_string_equal(INPUTS(f, "objectSid\nS-1-5-21-1-2-3-4\n"), "2 SID S-1-5-21-1-2-3-4\n");
    assert_string_equal(INPUTS(f, "objectGUID\n{0a0b0c0d-0102-0304-0506-0708090a0b0c}\n"),
                        "2 GUID {0a0b0c0d-0102-0304-0506-0708090a0b0c}\n");
    assert_string_equal(INPUTS(f, "account\nanna\na@b\nCORP\\ben\nmail:c@d\n"),
                        "2 NAME anna\n3 ADDRESS a@b\n4 DOMAIN ben\n5 MAIL c@d\n");
    assert_true(im_table_has_domain_names(f->table));
    assert_string_equal(INPUTS(f, "account\nanna\n"), "2 NAME anna\n");
    assert_false(im_table_has_domain_names(f->table));
}

static void the_first_that_is_filled_names_the_account(void **state) {
    struct fixture *f = *state;
    assert_string_equal(
        INPUTS(f, "mail;userPrincipalName;uid;sAMAccountName;account;objectSid;objectGUID;dn\n"
                  "m@x;u@x;i;s;a;S-1-5-21-1-2-3-4;0a0b0c0d-0102-0304-0506-0708090a0b0c;CN=d\n"
                  "m@x;u@x;i;s;a;S-1-5-21-1-2-3-4;0a0b0c0d-0102-0304-0506-0708090a0b0c;\n"
                  "m@x;u@x;i;s;a;S-1-5-21-1-2-3-4;;\n"
                  "m@x;u@x;i;s;a;;;\nm@x;u@x;i;s; ;;;\nm@x;u@x;i;;;;;\nm@x;u@x;;;;;;\nm@x;\xc2\xa0;;;;;;\n"),
        "2 DN CN=d\n3 GUID 0a0b0c0d-0102-0304-0506-0708090a0b0c\n4 SID S-1-5-21-1-2-3-4\n5 NAME a\n6 NAME s\n7 NAME i\n"
        "8 UPN u@x\n9 MAIL m@x\n");
}

static void cells_ask_for_things(void **state) {
    struct fixture *f = *state;
    assert_string_equal(
        INPUTS(f, "\xef\xbb\xbf Account ,Home\xc2\xa0,DOMAIN,Address,Notes\r\n"
                  " anna\xc2\xa0, imhome1 ,im.corp.example,{alias}@{domain}, \r\nben,,\t,\xc2\xa0,\"x,\ny\"\r\n\r\nc,,,,"),
        "2 NAME anna home=imhome1 domain=im.corp.example address={alias}@{domain}\n3 NAME ben\n6 NAME c\n");
    assert_mentions(im_buf_str(&f->notes), "1 ");
    assert_mentions(im_buf_str(&f->notes), "UTF-8 with a byte order mark");
    assert_mentions(im_buf_str(&f->notes), "blanks around");
    assert_mentions(im_buf_str(&f->notes), "\",\"");
    assert_null(strstr(im_buf_str(&f->notes), "0 "));
    const struct im_table_form form = im_table_form(f->table);
    assert_int_equal(form.separator, ',');
    assert_int_equal(form.header->count, 5);
    assert_string_equal(form.header->cells[0], " Account "); /* as it stands */
}

static void what_cells_need_is_told(void **state) {
    struct fixture *f = *state;
    struct im_strings templates;
    assert_int_equal(OPEN(f, "account,home,address\nanna,x,a@b\nben,y,{alias}@b\n"), IM_OK);
    assert_false(im_table_wants_auto(f->table));
    assert_int_equal(im_table_templates(f->table, f->pool, &templates, &f->error), IM_OK);
    assert_int_equal(templates.count, 0);
    assert_int_equal(OPEN(f, "account,home,address\nanna,x,{attr:title}.{attr:cn}@b\nben, AUTO ,{attr:title}@b\nc,,{{attr:o@b\n"),
                     IM_OK);
    assert_true(im_table_wants_auto(f->table));
    assert_int_equal(im_table_templates(f->table, f->pool, &templates, &f->error), IM_OK);
    assert_int_equal(templates.count, 2);
    assert_string_equal(templates.items[0], "{attr:title}");
    assert_string_equal(templates.items[1], "{attr:cn}");
}

static void apostrophes_of_spreadsheets_go(void **state) {
    struct fixture *f = *state;
    assert_string_equal(INPUTS(f, "sAMAccountName,address\n'=anna,'+x@y\n'ben,'z@y\n'@c,\n'-,\n"),
                        "2 NAME =anna address=+x@y\n3 NAME 'ben address='z@y\n4 NAME @c\n5 NAME -\n");
}

static void rows_come_as_they_stand(void **state) {
    struct fixture *f = *state;
    assert_int_equal(OPEN(f, "account;x\n anna ;'=1\n"), IM_OK);
    struct im_inputs all = im_table_inputs(f->table);
    struct im_input input;
    bool is_end;
    assert_int_equal(all.next(all.user, f->pool, &input, &is_end, &f->error), IM_OK);
    assert_string_equal(input.text, "anna");
    assert_int_equal(input.row->count, 2);
    assert_string_equal(input.row->cells[0], " anna ");
    assert_string_equal(input.row->cells[1], "'=1");
}

static void windows_1252_is_told(void **state) {
    struct fixture *f = *state;
    assert_string_equal(INPUTS(f, "uid;Stra\xdf"
                                  "e\nM\xfcller;x\n"),
                        "2 NAME M\xc3\xbcller\n");
    assert_mentions(im_buf_str(&f->notes), "0 ");
    assert_mentions(im_buf_str(&f->notes), "--encoding");
    f->options.encoding = "windows-1252"; /* then it is known */
    assert_int_equal(OPEN(f, "uid\nM\xfcller\n"), IM_OK);
    assert_null(strstr(im_buf_str(&f->notes), "0 "));
}

static void foreign_headers_are_mapped(void **state) {
    struct fixture *f = *state;
    const char *words[] = {"account=employee LOGIN", "HOME=Server", " domain = IM "};
    map(f, words, 3);
    assert_string_equal(INPUTS(f, "Employee Login,Server,Home,im\nanna,imhome1,Berlin,d\n"),
                        "2 NAME anna home=imhome1 domain=d\n");
    assert_mentions(im_buf_str(&f->notes), "account is the column \"Employee Login\"");
    FAILS(f, "Employee Logon,Server,IM\nanna,a,b\n", IM_E_USAGE, 0, 0, "; did you mean \"Employee Logon\"? The header has ");
    assert_mentions(f->error.text, "\"Server\", \"IM\"");
    words[0] = "acount=x";
    FAILS(f, "x\ny\n", IM_E_USAGE, 0, 0, "; did you mean \"account\"? The names are dn, ");
    words[0] = "account";
    FAILS(f, "x\ny\n", IM_E_USAGE, 0, 0, "NAME=HEADER");
    words[0] = "home=x";
    FAILS(f, "x,Server,IM,account\ny,,,\n", IM_E_USAGE, 0, 0, "twice");
    map(f, NULL, 0);
    FAILS(f, "login,home\nanna,x\n", IM_E_INPUT, 1, 0, "\"login\", \"home\"");
    assert_mentions(f->error.text, "--column");
    FAILS(f, "account,x,Account\nanna,x,y\n", IM_E_INPUT, 1, 0, "two columns called account");
}

static void findings_without_account_are_passed_over(void **state) {
    struct fixture *f = *state;
    assert_string_equal(INPUTS(f, "rule,severity,scope,account,dn,subject\n"
                                  "account-disabled,error,account,anna,\"CN=anna,DC=x\",\n"
                                  "server-overfull,warning,server,,,imhome1\n"
                                  "account-x,error,account,ben,,\n"
                                  "account-x,error,account,,\"CN=c,DC=x\",\n"),
                        "2 DN CN=anna,DC=x\n4 NAME ben\n5 DN CN=c,DC=x\n");
    FAILS(f, "rule,account,dn\n,,\n", IM_E_INPUT, 2, 3, "empty"); /* dn is looked at first */
    FAILS(f, "rule,account,dn\nserver-x,,\n", IM_E_INPUT, 0, 0, "names no account");
    /* somebody's own column */
    FAILS(f, "uid,rule\n,night shift\n", IM_E_INPUT, 2, 1, "empty");
    assert_string_equal(INPUTS(f, "uid,rule\nben,night shift\n"), "2 NAME ben\n");
    assert_string_equal(INPUTS(f, "account,mail,rule\n,a@b,night shift\n"), "2 MAIL a@b\n");
}

/* ---- what can be wrong ---- */

static void rows_that_cannot_be_used_end_it(void **state) {
    struct fixture *f = *state;
    FAILS(f, "account,home\nanna,x\nben\n", IM_E_INPUT, 3, 1, "1 cells");
    FAILS(f, "account,home\nanna,x\nben,x,y\n", IM_E_INPUT, 3, 7, "3 cells");
    FAILS(f, "home,account\nx,anna\nx,\xc2\xa0 \n", IM_E_INPUT, 3, 3, "empty");
    FAILS(f, "account\nanna\n\n\"\"\n", IM_E_INPUT, 4, 1, "empty");
    FAILS(f, "x,mail\n1,a@b\n\"\n\",anna\n", IM_E_INPUT, 4, 3, "anna");
    FAILS(f, "objectGUID\n123\n", IM_E_INPUT, 2, 1, "GUID");
    FAILS(f, "account,address\nanna,{alias}@{domain}\nben,{alia}\n", IM_E_INPUT, 3, 5, "alia");
    FAILS(f, "account,home\nanna,\"x\nben,y\n", IM_E_INPUT, 2, 6, "never closed");
    FAILS(f, "account,home\nanna,x\0\n", IM_E_INPUT, 2, 7, "NUL");
    FAILS(f, "account,home\n", IM_E_INPUT, 0, 0, "names no account");
    FAILS(f, "", IM_E_INPUT, 1, 0, "empty");
}

static void bad_rows_can_be_skipped(void **state) {
    struct fixture *f = *state;
    f->options.skip_bad_rows = true;
    const char *expect = "2 NAME anna home=x\n"
                         "3 ben: column 1: the row has 1 cells, and the header has 3\n"
                         "4 : column 1: the account cell is empty\n"
                         "5 c: column 4: a NUL character: expected text\n"
                         "6 d: column 4: ";
    const char *seen = INPUTS(f, "account,home,address\nanna,x,\nben\n,x,\nc,y\0,\nd,,{foo}\ne,,\nf,\"");
    assert_int_equal(strncmp(seen, expect, strlen(expect)), 0);
    assert_mentions(seen, "\n7 NAME e\n8 f: column 3: the quote that opens here is never closed\n");
    FAILS(f, "login\nanna\n", IM_E_INPUT, 1, 0, "--column"); /* the file, not a row */
    assert_string_equal(INPUTS(f, "mail\nanna\n"), "2 anna: column 1: \"mail:anna\": after mail: comes a mail address\n");
}

static void contradicting_rows_end_it(void **state) {
    struct fixture *f = *state;
    assert_string_equal(INPUTS(f, "account,home\nanna,x\n ANNA , X \nben,\n"), /* the same, said twice */
                        "2 NAME anna home=x\n3 NAME ANNA home=X\n4 NAME ben\n");
    FAILS(f, "n,account,home\n1,anna,x\n2,ben,x\n3,Anna,y\n", IM_E_INPUT, 4, 3, "line 2 names the same account");
    FAILS(f, "account,home\nanna,x\nanna,\n", IM_E_INPUT, 3, 1, "line 2");
    FAILS(f, "account,domain\nanna,x\nanna,y\n", IM_E_INPUT, 3, 1, "line 2");
    FAILS(f, "account,address\nanna,x\nanna,y\n", IM_E_INPUT, 3, 1, "line 2");
    FAILS(f, "account,home,domain\nanna,x,\nanna,,x\n", IM_E_INPUT, 3, 1, "line 2");
    assert_int_equal(OPEN(f, "account,sAMAccountName,mail,home\n,,a@b,x\na@b,,,y\nCORP\\z,,,x\nSALES\\z,,,y\n"),
                     IM_OK); /* other forms */
    FAILS(f, "account,sAMAccountName,home\n,anna,x\nanna,,y\n", IM_E_INPUT, 3, 1, "line 2");
    FAILS(f, "account,home\nCORP\\anna,x\ncorp\\Anna,y\n", IM_E_INPUT, 3, 1, "line 2");
    f->options.skip_bad_rows = true;
    assert_string_equal(INPUTS(f, "account,home\nanna,x\nanna,y\nben,z\nanna,x\nanna,z\nben,y\n"),
                        "2 NAME anna home=x\n"
                        "3 anna: column 1: line 2 names the same account and asks for something else\n"
                        "4 NAME ben home=z\n5 NAME anna home=x\n"
                        "6 anna: column 1: line 2 names the same account and asks for something else\n"
                        "7 ben: column 1: line 4 names the same account and asks for something else\n");
}

static void homes_and_domains_must_be_known(void **state) {
    struct fixture *f = *state;
    struct im_server items[] = {{.name = "imhome1", .host = "imhome1.corp.example", .hosts_users = true},
                                {.name = "router1", .host = "im.corp.example"}};
    const struct im_servers servers = {.items = items, .count = 2, .cap = 2};
#define TABLE(rows) OPEN(f, "account,home,domain\n" rows)
    assert_int_equal(TABLE("a,IMHOME1,im.corp.example\nb,auto,\nc,imhome1.corp.example,IM.corp.example\n"), IM_OK);
    assert_int_equal(im_table_check_servers(f->table, &servers, false, &f->error), IM_OK);
    assert_int_equal(TABLE("a,imhome1,\nb,imhome2,\nc,imhome2,\n"), IM_OK);
    assert_int_equal(im_table_check_servers(f->table, &servers, false, &f->error), IM_E_INPUT);
    assert_error(f, IM_E_INPUT, 3, 3, "imhome2");
    assert_int_equal(TABLE("a,imhome1,im.corp.example\nb,,im.other.example\n"), IM_OK);
    assert_int_equal(im_table_check_servers(f->table, &servers, true, &f->error), IM_OK);
    assert_int_equal(im_table_check_servers(f->table, &servers, false, &f->error), IM_E_INPUT);
    f->options.skip_bad_rows = true;
    assert_int_equal(TABLE("a,imhome1,im.corp.example\nb,imhome2,\nc,,im.other.example\nd,imhome2,im.corp.example\n"), IM_OK);
    im_error_clear(&f->error);
    assert_int_equal(im_table_check_servers(f->table, &servers, false, &f->error), IM_OK);
    assert_string_equal(inputs(f), "2 NAME a home=imhome1 domain=im.corp.example\n"
                                   "3 b: column 3: \"imhome2\" is not the name of one server\n"
                                   "4 c: column 4: no server serves the IM domain \"im.other.example\"\n"
                                   "5 d: column 3: \"imhome2\" is not the name of one server\n");
#undef TABLE
}

static void a_file_that_changes_ends_the_run(void **state) {
    struct fixture *f = *state;
    assert_int_equal(OPEN(f, "account\nanna\n"), IM_OK);
    write_file(f, "account\nanna\nben\n", 17);
    struct im_inputs all = im_table_inputs(f->table);
    assert_int_equal(all.rewind(all.user, &f->error), IM_E_INPUT);
    assert_mentions(f->error.text, "changed");
}

/* ---- memory ---- */

static enum im_err attempt(void *user, struct im_error *e) {
    const struct im_table_options *options = user;
    struct im_table *table = NULL;
    struct im_server item = {.name = "x", .host = "x"};
    const struct im_servers servers = {.items = &item, .count = 1, .cap = 1};
    struct im_input input;
    struct im_strings templates;
    bool is_end = false;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_table_open(options, &table, e) : im_error_nomem(e);
    size_t left = oom_pause(); /* it allocates only words that nobody reads */
    if (err == IM_OK)
        err = im_table_check_servers(table, &servers, false, e);
    oom_fail_at(left);
    if (err == IM_OK)
        err = im_table_templates(table, pool, &templates, e);
    while (err == IM_OK && !is_end) {
        struct im_inputs all = im_table_inputs(table);
        err = all.next(all.user, pool, &input, &is_end, e);
    }
    im_table_free(&table);
    im_pool_free(&pool);
    return err;
}

static void ignore(void *user, int level, const char *text) {
    (void)user, (void)level, (void)text;
}

static void running_out_of_memory_is_told(void **state) {
    struct fixture *f = *state;
    const char *words[] = {"domain=IM"};
    struct im_table_options options = {.path = f->path, .columns = {.items = words, .count = 1}};
#define TEXT "account,home,im,address,notes\nanna,x,x,{alias}{attr:cn}@{domain},1\n\"CN=b,DC=c\",,,,\nm@x,auto,,,\nA\\b,,,,"
    write_file(f, TEXT, strlen(TEXT));
    assert_true(oom_every_allocation(attempt, &options) > 20);
#define BAD "\nz,\n,,,,\nanna,y,,,\nguid:ben,,w,,\nben,y,,{alias,"
    write_file(f, TEXT BAD, strlen(TEXT BAD));
    options.skip_bad_rows = true;
    options.note = ignore;
    assert_true(oom_every_allocation(attempt, &options) > 20);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(columns_force_a_form),
        TEST(the_first_that_is_filled_names_the_account),
        TEST(cells_ask_for_things),
        TEST(what_cells_need_is_told),
        TEST(apostrophes_of_spreadsheets_go),
        TEST(rows_come_as_they_stand),
        TEST(windows_1252_is_told),
        TEST(foreign_headers_are_mapped),
        TEST(findings_without_account_are_passed_over),
        TEST(rows_that_cannot_be_used_end_it),
        TEST(bad_rows_can_be_skipped),
        TEST(contradicting_rows_end_it),
        TEST(homes_and_domains_must_be_known),
        TEST(a_file_that_changes_ends_the_run),
        TEST(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
