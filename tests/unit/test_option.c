/* Parsing by rows: what popt gets wrong on its own, and what people get wrong. */
#include "tests/unit/oom.h"
#include "tools/common_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    bool flag, other, guard;
    int count;
    const char *text, *choice;
    struct im_strings texts;
} got;

static const char *const colours[] = {"red", "green", NULL};

static const struct im_option own_rows[] = {
    {.long_name = "flag", .short_name = 'f', .kind = IM_OPT_FLAG, .target = &got.flag, .help = "it's a flag [or: not]"},
    {.long_name = "other", .short_name = 'g', .kind = IM_OPT_FLAG, .target = &got.other, .help = "another"},
    {.long_name = "count", .short_name = 'c', .kind = IM_OPT_COUNT, .target = &got.count, .help = "counts"},
    {.long_name = "text", .short_name = 't', .kind = IM_OPT_TEXT, .target = &got.text, .argument = "TEXT", .help = "a text"},
    {.long_name = "texts",
     .kind = IM_OPT_TEXTS,
     .target = &got.texts,
     .argument = "LIST",
     .help = "a list whose description is so long that it has to be wrapped, because no terminal is as wide as this sentence is "
             "long"},
    {.long_name = "choice",
     .kind = IM_OPT_TEXT,
     .target = &got.choice,
     .argument = "COLOUR",
     .complete = IM_COMPLETE_CHOICES,
     .choices = colours,
     .help = "a colour"},
    {.long_name = "secret-door", .kind = IM_OPT_FLAG, .target = &got.guard, .help = "hidden", .hidden = true},
    IM_OPTION_END,
};

static const struct im_option *const groups[] = {own_rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Own", "Directory", "Output and behaviour"};
static const struct im_option_table table = {
    .groups = groups, .group_titles = titles, .command = "imtest", .arguments = "[THING...]", .summary = "Tests things."};

struct fixture {
    struct im_pool *pool;
    struct im_parsed parsed;
    struct im_error error;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return -1;
    }
    memset(&got, 0, sizeof got);
    memset(&im_common, 0, sizeof im_common);
    f->pool = im_pool_new();
    *state = f;
    return f->pool == NULL ? -1 : 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

/* Words separated by blanks, in memory that is gone afterwards. */
static enum im_err parse(struct fixture *f, const char *line) {
    char *copy = strdup(line), *save = NULL;
    char *argv[20] = {(char[]){"imtest"}};
    int argc = 1;
    enum im_err err;
    assert_non_null(copy);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = word;
    }
    im_error_clear(&f->error);
    err = im_options_parse(&table, argc, argv, f->pool, &f->parsed, &f->error);
    free(copy);
    return err;
}

static void refused(struct fixture *f, const char *line, const char *words) {
    if (parse(f, line) != IM_E_USAGE) {
        fail_msg("accepted: %s", line);
    }
    if (strstr(f->error.text, words) == NULL) {
        fail_msg("%s gives \"%s\", without \"%s\"", line, f->error.text, words);
    }
}

static void forms(void **state) {
    struct fixture *f = *state;
    assert_int_equal(parse(f, "one -fgcc --count --text=last two -- -three --four"), IM_OK);
    assert_true(got.flag && got.other);
    assert_false(got.guard);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.text, "last");
    assert_int_equal(f->parsed.arguments.count, 4);
    assert_string_equal(f->parsed.arguments.items[0], "one");
    assert_string_equal(f->parsed.arguments.items[2], "-three");
    assert_string_equal(f->parsed.arguments.items[3], "--four");
}

static void a_flag_is_one_byte(void **state) {
    struct fixture *f = *state;
    assert_int_equal(parse(f, "-f"), IM_OK);
    assert_true(got.flag);
    assert_false(got.other);
    assert_false(got.guard);
}

static void lists_grow_and_split(void **state) {
    struct fixture *f = *state;
    assert_int_equal(parse(f, "--texts a,b --texts=c,,d,"), IM_OK);
    assert_int_equal(got.texts.count, 4);
    assert_string_equal(got.texts.items[3], "d");
    refused(f, "--texts=,", "LIST is empty");
}

static void quotes_keep_commas(void **state) {
    struct fixture *f = *state;
    static const char *const words[] = {"account=Name,first", "b", "c,d", "say\"so\"", "in\"side", "x="};
    assert_int_equal(parse(f, "--texts account=\"Name,first\",b,\"c,d\" --texts=\"say\"\"so\"\"\",in\"side,\"\",x=\"\""), IM_OK);
    assert_int_equal(got.texts.count, sizeof words / sizeof words[0]);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_string_equal(got.texts.items[i], words[i]);
    refused(f, "--texts=a,\"b,c", "--texts: a quote is not closed");
}

static void values_may_look_like_options(void **state) {
    struct fixture *f = *state;
    assert_int_equal(parse(f, "-t --flag"), IM_OK);
    assert_string_equal(got.text, "--flag");
    assert_false(got.flag);
    assert_int_equal(parse(f, "-tx"), IM_OK);
    assert_string_equal(got.text, "x");
}

static void mistakes(void **state) {
    struct fixture *f = *state;
    refused(f, "--tekst=x", "did you mean --text?");
    refused(f, "--tekst x", "there is no option --tekst;");
    refused(f, "--zzzzzz", "no option --zzzzzz; --help");
    refused(f, "--secret-doorr", "no option --secret-doorr; --help"); /* what is hidden is not suggested */
    refused(f, "-fzg", "no option -z");
    refused(f, "-t", "needs a value");
    refused(f, "--text", "--text needs a value");
    refused(f, "--text=", "TEXT is empty");
    refused(f, "--flag=yes", "--flag takes no value");
    refused(f, "--choice=gren", "did you mean \"green\"");
    refused(f, "--choice=mauve", "allowed: red, green");
    refused(f, "--text a -t b", "--text is given twice");
    refused(f, "--choice=red --choice=red", "--choice is given twice");
}

static void keys_are_kept_for_the_configuration(void **state) {
    struct fixture *f = *state;
    struct im_config *config = im_config_new();
    assert_non_null(config);
    assert_int_equal(parse(f, "-H ldap://a -H ldap://b --timeout=5 -Z --timeout 7"), IM_OK);
    assert_int_equal(f->parsed.key_count, 5);
    assert_true(im_options_given(&f->parsed, "directory.starttls"));
    assert_false(im_options_given(&f->parsed, "directory.base"));
    assert_int_equal(im_options_apply(&f->parsed, config, &f->error), IM_OK);
    assert_int_equal(config->uris.count, 2);
    assert_int_equal(config->timeout_s, 7);
    assert_true(config->starttls);
    assert_string_equal(im_config_origin(config, "directory.timeout"), "option --timeout");
    assert_int_equal(parse(f, "--timeout=soon"), IM_OK);
    assert_int_equal(im_options_apply(&f->parsed, config, &f->error), IM_E_USAGE);
    im_config_free(&config);
}

static void contradictions(void **state) {
    static const char *const lines[] = {"-x -Y GSSAPI", "-x -U me",        "-D cn=a -Y EXTERNAL",
                                        "-D cn=a -R r", "-W -y f",         "-H ldap://a --dns-domain b",
                                        "-q -v",        "-Z -H ldaps://a", "-Z -H ldapi:///"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        memset(&im_common, 0, sizeof im_common);
        assert_int_equal(parse(f, lines[i]), IM_OK);
        if (im_common_check(&f->parsed, &f->error) != IM_E_USAGE) {
            fail_msg("accepted: %s", lines[i]);
        }
    }
    memset(&im_common, 0, sizeof im_common);
    assert_int_equal(parse(f, "-x -D cn=a -W -v -Z -H ldap://a"), IM_OK);
    assert_int_equal(im_common_check(&f->parsed, &f->error), IM_OK);
}

static void options_imply_the_bind_method(void **state) {
    static const struct {
        const char *line;
        enum im_bind_method method;
    } rows[] = {{"-x", IM_BIND_SIMPLE},
                {"-D cn=a", IM_BIND_SIMPLE},
                {"-Y GSSAPI", IM_BIND_SASL},
                {"-U me", IM_BIND_SASL},
                {"", IM_BIND_DEFAULT}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct im_config *config = im_config_new();
        assert_non_null(config);
        memset(&im_common, 0, sizeof im_common);
        assert_int_equal(parse(f, rows[i].line), IM_OK);
        assert_int_equal(im_common_apply(&f->parsed, config, &f->error), IM_OK);
        assert_int_equal(config->bind_method, rows[i].method);
        im_config_free(&config);
    }
}

/* What a printer writes; the caller frees. */
static char *printed(void (*print)(FILE *)) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    print(stream);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void print_help(FILE *stream) {
    im_options_help(&table, 80, stream);
}

static void help_is_aligned_and_wrapped(void **state) {
    char *text = printed(print_help);
    (void)state;
    assert_non_null(strstr(text, "Usage: imtest [OPTION...] [THING...]\nTests things.\n\nOwn:\n  -f, --flag "));
    assert_non_null(strstr(text, "a colour: red, green\n"));
    assert_non_null(strstr(text, "(default: 30)"));
    assert_null(strstr(text, "secret-door"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 80);
    }
    free(text);
}

static void print_list(FILE *stream) {
    im_options_list(&table, stream);
}

static void the_list_has_what_is_not_hidden(void **state) {
    char *text = printed(print_list);
    (void)state;
    assert_non_null(strstr(text, "--flag\t-f\t\n"));
    assert_non_null(strstr(text, "--texts\t\tLIST\n"));
    assert_null(strstr(text, "--secret-door"));
    free(text);
}

static void completions_of_three_shells(void **state) {
    struct fixture *f = *state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < 3; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        assert_int_equal(im_options_completion(&table, shells[i], stream, &f->error), IM_OK);
        assert_int_equal(fclose(stream), 0);
        assert_non_null(strstr(text, "choice"));
        assert_non_null(strstr(text, "red green"));
        assert_null(strstr(text, "secret-door"));
        free(text);
    }
    assert_int_equal(im_options_completion(&table, "tcsh", stdout, &f->error), IM_E_USAGE);
}

static enum im_err parse_once(void *user, struct im_error *e) {
    char *argv[] = {(char[]){"imtest"}, (char[]){"-fc"}, (char[]){"--texts=a,b"}, (char[]){"-Hldap://a"}, (char[]){"one"}, NULL};
    struct fixture f = {.pool = im_pool_new()};
    enum im_err err = f.pool == NULL ? im_error_nomem(e) : im_options_parse(&table, 5, argv, f.pool, &f.parsed, e);
    (void)user;
    memset(&got, 0, sizeof got);
    im_pool_free(&f.pool);
    return err;
}

static void out_of_memory(void **state) {
    (void)state;
    assert_true(oom_every_allocation(parse_once, NULL) > 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(forms),
        TEST(a_flag_is_one_byte),
        TEST(lists_grow_and_split),
        TEST(quotes_keep_commas),
        TEST(values_may_look_like_options),
        TEST(mistakes),
        TEST(keys_are_kept_for_the_configuration),
        TEST(contradictions),
        TEST(options_imply_the_bind_method),
        TEST(help_is_aligned_and_wrapped),
        TEST(the_list_has_what_is_not_hidden),
        TEST(completions_of_three_shells),
        TEST(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
