/* Whom a command is about: what is named and what is chosen comes as one stream, twice if wanted. */
#include "tests/unit/unit.h"

#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tools/list.h"
#include "tools/sources.h"

#include <stdio.h>
#include <unistd.h>

#define BASE "DC=corp,DC=example"
#define USER(cn) "dn: CN=" cn "," BASE "\nobjectClass: user\nsAMAccountName: " cn "\n\n"

static const char forest[] = MEMDIR_AD "dn: " BASE "\nobjectClass: domainDNS\n\n" USER("zoe")
    USER("yan") "dn: CN=g," BASE "\nobjectClass: group\nmember: CN=yan," BASE "\n\n";

static const struct memdir_attr attrs[] = {{"member", MEMDIR_DN}, {NULL, 0}};
static const struct im_option_table table = {.command = "imtest"};

struct fixture {
    struct im_command c;
    struct im_sources *sources;
    struct memdir *m;
    struct im_directory *d;
    struct im_profile *profile;
    struct im_account_context context;
    struct im_resolver r;
    char path[64];
    struct im_buf seen;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->c.table = &table;
    f->c.pool = im_pool_new();
    assert_non_null(f->c.pool);
    f->m = memdir_new(attrs, forest);
    assert_int_equal(memdir_open(f->m, &f->d, NULL), IM_OK);
    assert_int_equal(im_profile_load("exchange2000", &f->profile, NULL), IM_OK);
    f->context = (struct im_account_context){.profile = f->profile, .is_ad = true};
    f->r = (struct im_resolver){.directory = f->d, .context = &f->context, .base = BASE};
    im_source_options = (struct im_source_options){.list = NULL};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_sources_free(&f->sources);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_profile_free(&f->profile);
    im_pool_free(&f->c.pool);
    im_buf_free(&f->seen);
    if (*f->path)
        (void)unlink(f->path);
    free(f);
    return 0;
}

static void write_list(struct fixture *f, const void *text, size_t len) {
    (void)snprintf(f->path, sizeof f->path, "/tmp/imdir-list-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
    im_source_options.list = f->path;
}

#define LIST(f, literal) write_list(f, literal, sizeof(literal) - 1)

static enum im_err open_sources(struct fixture *f) {
    im_error_clear(&f->c.error);
    im_sources_free(&f->sources);
    return im_sources_open(&f->c, IM_COLUMNS_ALL, &f->sources);
}

/* "text@line" of each, "(kind)" where nobody named it. */
static const char *inputs(struct fixture *f) {
    struct im_inputs all = im_sources_inputs(f->sources);
    struct im_input input;
    bool is_end = false;
    im_buf_clear(&f->seen);
    for (;;) {
        enum im_err err = all.next(all.user, f->c.pool, &input, &is_end, &f->c.error);
        if (err != IM_OK)
            fail_msg("%s", f->c.error.text);
        if (is_end)
            return im_buf_str(&f->seen);
        const char *line = input.source ? strrchr(input.source, ':') : "";
        if (input.source)
            assert_int_equal(strncmp(input.source, f->path, strlen(f->path)), 0);
        im_buf_addf(&f->seen, "%s%s%s", f->seen.len ? " " : "", input.text ? input.text : "(chosen)", line);
        assert_non_null(input.identity.text);
        assert_null(input.row);
    }
}

static void rewind_all(struct fixture *f) {
    struct im_inputs all = im_sources_inputs(f->sources);
    assert_int_equal(all.rewind(all.user, NULL), IM_OK);
}

static void name(struct fixture *f, const char **words, size_t count) {
    f->c.arguments = (struct im_strings){.items = words, .count = count};
}

static void all_parts_in_order(void **state) {
    struct fixture *f = *state;
    const char *words[] = {"anna", "ben@corp.example"};
    name(f, words, 2);
    LIST(f, "\xef\xbb\xbf# joiners\n\n cleo \r\n\t\n#x\nM\xc3\xbcller\nanna");
    im_source_options.all = true;
    assert_int_equal(open_sources(f), IM_OK);
    assert_true(im_sources_are_by_condition(f->sources));
    assert_false(im_sources_have_domain_names(f->sources));
    assert_string_equal(inputs(f), "anna ben@corp.example cleo:3 M\xc3\xbcller:6 anna:7"); /* before choosing */
    rewind_all(f);
    assert_int_equal(im_sources_choose(&f->c, f->sources, &f->r), IM_OK);
    for (size_t round = 0; round < 2; round++) {
        assert_string_equal(inputs(f), "anna ben@corp.example cleo:3 M\xc3\xbcller:6 anna:7 (chosen) (chosen)");
        assert_string_equal(inputs(f), "");
        rewind_all(f);
    }
}

static void conditions_alone(void **state) {
    struct fixture *f = *state;
    im_source_options.filter = "sAMAccountName=z*";
    assert_int_equal(open_sources(f), IM_OK);
    assert_int_equal(im_sources_choose(&f->c, f->sources, &f->r), IM_OK);
    assert_string_equal(inputs(f), "(chosen)");
    im_source_options.group = "CN=g," BASE;
    assert_int_equal(open_sources(f), IM_OK);
    assert_int_equal(im_sources_choose(&f->c, f->sources, &f->r), IM_OK);
    assert_string_equal(inputs(f), "(chosen) (chosen)");
    assert_int_equal(im_sources_choose(&f->c, f->sources, &f->r), IM_OK); /* again */
    assert_string_equal(inputs(f), "");                                   /* the stream stands where it stood */
    rewind_all(f);
    assert_string_equal(inputs(f), "(chosen) (chosen)");
    im_source_options.group = "CN=missing," BASE;
    assert_int_equal(open_sources(f), IM_OK);
    assert_int_equal(im_sources_choose(&f->c, f->sources, &f->r), IM_E_INPUT);
}

static void names_alone_need_no_search(void **state) {
    struct fixture *f = *state;
    const char *words[] = {"CORP\\anna"};
    name(f, words, 1);
    assert_int_equal(open_sources(f), IM_OK);
    assert_false(im_sources_are_by_condition(f->sources));
    assert_true(im_sources_have_domain_names(f->sources));
    assert_int_equal(im_sources_choose(&f->c, f->sources, &f->r), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 0);
    assert_string_equal(inputs(f), "CORP\\anna");
    name(f, NULL, 0);
    LIST(f, "CORP\\anna\n");
    assert_int_equal(open_sources(f), IM_OK);
    assert_true(im_sources_have_domain_names(f->sources));
}

static void options_that_do_not_go_together(void **state) {
    struct fixture *f = *state;
    static const char *columns[] = {"account=x"};
    static const struct {
        struct im_source_options options;
        const char *word;
    } rows[] = {
        {{.list = NULL}, "no account is named: give ACCOUNT arguments, --list, --csv, --filter, --group or --all"},
        {{.list = "-", .csv = "-"}, "standard input"},
        {{.all = true, .filter = "cn=a"}, "--all chooses every"},
        {{.all = true, .group = "cn=a"}, "--all chooses every"},
        {{.group = "Sales"}, "--group takes the DN"},
        {{.filter = "(cn=a"}, "--filter: the filter is wrong at character 1"},
        {{.all = true, .columns = {columns, 1}}, "--column"},
        {{.all = true, .separator = ";"}, "--separator"},
        {{.all = true, .encoding = "UTF-8"}, "--encoding"},
        {{.all = true, .skip_bad_rows = true}, "--skip-bad-rows"},
        {{.all = true, .rejects = "r.csv"}, "--rejects"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        im_source_options = rows[i].options;
        assert_int_equal(open_sources(f), IM_E_USAGE);
        assert_mentions(f->c.error.text, rows[i].word);
    }
}

static void mistakes_in_lists_have_a_place(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text;
        size_t len, line, column;
        const char *word;
    } rows[] = {
        {"good\nM\xc3\xbcller\xff\n", 14, 2, 7, "UTF-8"},
        {"a\0b\n", 4, 1, 2, "NUL"},
        {"\xff\xfe"
         "a\0",
         4, 1, 1, "UTF-16"},
        {"a\nsid:hello\n", 12, 2, 0, "SID"},
        {"# nobody\n\n", 10, 0, 0, "no account"},
        {"", 0, 0, 0, "no account"},
        {"a\n\xff\0\n", 5, 2, 1, "UTF-8"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        write_list(f, rows[i].text, rows[i].len);
        assert_int_equal(open_sources(f), IM_E_INPUT);
        assert_mentions(f->c.error.text, rows[i].word);
        assert_string_equal(f->c.error.where, f->path);
        assert_int_equal(f->c.error.line, rows[i].line);
        assert_int_equal(f->c.error.column, rows[i].column);
        assert_int_equal(unlink(f->path), 0);
    }
    im_source_options.list = f->path;
    assert_int_equal(open_sources(f), IM_E_IO);
    im_source_options.list = "/";
    assert_int_equal(open_sources(f), IM_E_IO);
    *f->path = '\0';
}

static void wrong_arguments(void **state) {
    struct fixture *f = *state;
    const char *words[] = {"anna", "guid:x"};
    name(f, words, 2);
    assert_int_equal(open_sources(f), IM_E_INPUT);
}

static enum im_err go_through(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_pool *pool = im_pool_new();
    struct im_input input;
    bool is_end = false;
    im_error_clear(&f->c.error);
    enum im_err err = pool ? open_sources(f) : im_error_nomem(&f->c.error);
    if (err == IM_OK)
        err = im_sources_choose(&f->c, f->sources, &f->r);
    while (err == IM_OK && !is_end) {
        struct im_inputs all = im_sources_inputs(f->sources);
        err = all.next(all.user, pool, &input, &is_end, &f->c.error);
    }
    im_sources_free(&f->sources);
    im_pool_free(&pool);
    *e = f->c.error;
    return err;
}

static void without_memory_it_says_so(void **state) {
    struct fixture *f = *state;
    const char *words[] = {"anna"};
    name(f, words, 1);
    LIST(f, "ben\ncleo\n");
    im_source_options.filter = "(sAMAccountName=z*)";
    assert_true(oom_every_allocation(go_through, f) > 15);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_parts_in_order),
        TEST(conditions_alone),
        TEST(names_alone_need_no_search),
        TEST(options_that_do_not_go_together),
        TEST(mistakes_in_lists_have_a_place),
        TEST(wrong_arguments),
        TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
