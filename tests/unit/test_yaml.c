/* YAML with positions; what configuration does not need is refused. */
#include "lib/base/buf.h"
#include "lib/data/yaml.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

static struct im_yaml *load_bytes(const char *text, size_t len) {
    struct im_yaml *doc = NULL;
    struct im_error e = {0};
    if (im_yaml_load_text("a.yaml", text, len, &doc, &e) != IM_OK)
        fail_msg("%zu:%zu: %s", e.line, e.column, e.text);
    return doc;
}

static struct im_yaml *load(const char *text) {
    return load_bytes(text, strlen(text));
}

static void nodes_know_their_places(void **state) {
    (void)state;
    struct im_yaml *doc = load("# comment\nserver: ldaps://dc1\nusers:\n  - jane\n  - \"Jörg\"\nlimits: {count: 5, ä: 'x'}\n");
    const struct im_yaml_node *root = im_yaml_root(doc);
    assert_string_equal(im_yaml_name(doc), "a.yaml");
    assert_int_equal(root->kind, IM_YAML_MAP);
    assert_int_equal(root->count, 3);
    assert_string_equal(root->keys[1]->text, "users");
    const struct im_yaml_node *server = im_yaml_get(root, "server");
    assert_string_equal(server->text, "ldaps://dc1");
    assert_int_equal(server->line, 2);
    assert_int_equal(server->column, 9);
    assert_false(server->quoted);
    const struct im_yaml_node *users = im_yaml_get(root, "users");
    assert_int_equal(users->kind, IM_YAML_LIST);
    assert_int_equal(users->count, 2);
    assert_int_equal(users->items[1]->line, 5);
    assert_int_equal(users->items[1]->column, 5);
    assert_true(users->items[1]->quoted);
    const struct im_yaml_node *last = im_yaml_get(im_yaml_get(root, "limits"), "ä");
    assert_string_equal(last->text, "x");
    assert_int_equal(last->column, 23); /* in characters */
    im_yaml_free(&doc);
    assert_null(doc);
}

static void lookups_of_nothing_are_nothing(void **state) {
    (void)state;
    struct im_yaml *doc = load("a: [b]\nA: c\n");
    const struct im_yaml_node *root = im_yaml_root(doc);
    assert_null(im_yaml_get(root, "b"));
    assert_null(im_yaml_get(NULL, "a"));
    assert_null(im_yaml_get(im_yaml_get(root, "a"), "b"));
    assert_string_equal(im_yaml_get(root, "A")->text, "c");
    im_yaml_free(&doc);
    im_yaml_free(&doc);
    im_yaml_free(NULL);
}

static void an_empty_document_has_no_root(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# only a comment\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct im_yaml *doc = load(texts[i]);
        assert_null(im_yaml_root(doc));
        im_yaml_free(&doc);
    }
}

static void a_byte_order_mark_is_no_text(void **state) {
    (void)state;
    struct im_yaml *doc = load("\xef\xbb\xbf"
                               "a: b\n");
    assert_string_equal(im_yaml_get(im_yaml_root(doc), "a")->text, "b");
    im_yaml_free(&doc);
}

static void assert_refused(const char *text, size_t len, size_t line, size_t column, const char *word) {
    struct im_yaml *doc = NULL;
    struct im_error e = {0};
    if (im_yaml_load_text("a.yaml", text, len, &doc, &e) != IM_E_CONFIG)
        fail_msg("accepted, but should have mentioned \"%s\"", word);
    assert_null(doc);
    assert_int_equal(e.code, IM_E_CONFIG);
    assert_string_equal(e.where, "a.yaml");
    assert_mentions(e.text, word);
    assert_int_equal(e.line, line);
    assert_int_equal(e.column, column);
}

static void what_nobody_needs_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t line, column;
        const char *word;
    } rows[] = {
        {"a: 1\nb: 2\na: 3\n", 3, 1, "\"a\" is given twice"},
        {"x: {a: 1, \"a\": 2}\n", 1, 11, "line 1"},
        {"a: &x 1\nb: *x\n", 1, 4, "alias"},
        {"a: &x {k: 1}\nb:\n  <<: *x\n", 1, 4, "alias"},
        {"a: &x [*x]\n", 1, 4, "alias"},
        {"? [a, b]\n: c\n", 1, 3, "plain word"},
        {"a: \"x\\0y\"\n", 1, 4, "NUL"},
        {"a: 1\n---\nb: 2\n", 3, 1, "second document"},
        {"a: [1, 2\nb: 3\n", 2, 2, "not YAML"},
        {"a: b: c\n", 1, 5, "not YAML"},
        {"\ta: b\n", 1, 1, "not YAML"},
        {"a: *nowhere\n", 1, 4, "not YAML"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_refused(rows[i].text, strlen(rows[i].text), rows[i].line, rows[i].column, rows[i].word);
}

static void what_is_not_utf8_is_refused(void **state) {
    (void)state;
    assert_refused("a: M\xfcller\n", 11, 1, 0, "UTF-8");
    assert_refused("a: x\0y\n", 7, 1, 0, "UTF-8");
    assert_refused("a: \x1b[2J\n", 8, 1, 0, "UTF-8");
}

static void bombs_do_not_go_off(void **state) {
    (void)state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        im_buf_addf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1,
                    i - 1, i - 1, i - 1, i - 1);
    }
    struct im_yaml *doc = NULL;
    struct im_error e = {0};
    assert_int_equal(im_yaml_load_text("a.yaml", text.data, text.len, &doc, &e), IM_E_CONFIG);
    assert_mentions(e.text, "alias");
    im_buf_free(&text);
}

static void add_nested(struct im_buf *text, size_t depth) {
    im_buf_clear(text);
    for (size_t i = 0; i < depth; i++)
        im_buf_addc(text, '[');
    for (size_t i = 0; i < depth; i++)
        im_buf_addc(text, ']');
}

static void depth_is_limited(void **state) {
    (void)state;
    struct im_buf text = IM_BUF_INIT;
    add_nested(&text, 33);
    struct im_yaml *doc = load_bytes(text.data, text.len);
    im_yaml_free(&doc);
    add_nested(&text, 34);
    assert_refused(text.data, text.len, 1, 34, "nested too deeply");
    /* At once, however deep: libyaml's own loader would take hours. */
    add_nested(&text, 500000);
    assert_refused(text.data, text.len, 1, 34, "nested too deeply");
    im_buf_clear(&text);
    for (int i = 0; i < 4097; i++)
        im_buf_addf(&text, "- &a%d 1\n", i);
    assert_refused(text.data, text.len, 4097, 3, "4096 anchors");
    im_buf_free(&text);
}

static void size_is_limited(void **state) {
    (void)state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "a: ");
    while (text.len < 1 << 20)
        im_buf_addc(&text, 'x');
    struct im_yaml *doc = load_bytes(text.data, text.len);
    assert_int_equal(strlen(im_yaml_get(im_yaml_root(doc), "a")->text), (1 << 20) - 3);
    im_yaml_free(&doc);
    im_buf_addc(&text, 'x');
    assert_refused(text.data, text.len, 0, 0, "1 MiB");
    im_buf_clear(&text);
    for (int i = 0; i < 4097; i++)
        im_buf_addf(&text, "k%d: 1\n", i);
    assert_refused(text.data, text.len, 1, 1, "4096 keys");
    im_buf_free(&text);
}

static void files_are_read(void **state) {
    (void)state;
    char path[] = "/tmp/imdir-yaml-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: b\n", 5), 5);
    assert_int_equal(close(fd), 0);
    struct im_yaml *doc = NULL;
    struct im_error e = {0};
    assert_int_equal(im_yaml_load_file(path, &doc, &e), IM_OK);
    assert_string_equal(im_yaml_name(doc), path);
    assert_string_equal(im_yaml_get(im_yaml_root(doc), "a")->text, "b");
    im_yaml_free(&doc);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(im_yaml_load_file(path, &doc, &e), IM_E_IO);
    assert_mentions(e.text, path);
    im_error_clear(&e);
    assert_int_equal(im_yaml_load_file("/", &doc, &e), IM_E_IO);
    assert_int_equal(e.origin, IM_ORIGIN_ERRNO);
    im_error_clear(&e);
    assert_int_equal(im_yaml_load_file("/dev/zero", &doc, &e), IM_E_CONFIG); /* endless */
    assert_mentions(e.text, "1 MiB");
    assert_null(doc);
}

static void scalars_have_the_type_that_is_asked_for(void **state) {
    (void)state;
    struct im_yaml *doc = load("yes: yes\noff: Off\nnumber: -5\ntext: 'null'\nword: x y\nempty: ''\n");
    const struct im_yaml_node *root = im_yaml_root(doc);
    bool flag = false;
    long number = 0;
    const char *text = NULL;
    assert_int_equal(im_yaml_bool(doc, im_yaml_get(root, "yes"), &flag, NULL), IM_OK);
    assert_true(flag);
    assert_int_equal(im_yaml_bool(doc, im_yaml_get(root, "off"), &flag, NULL), IM_OK);
    assert_false(flag);
    assert_int_equal(im_yaml_int(doc, im_yaml_get(root, "number"), -5, 5, &number, NULL), IM_OK);
    assert_int_equal(number, -5);
    assert_int_equal(im_yaml_text(doc, im_yaml_get(root, "text"), &text, NULL), IM_OK);
    assert_string_equal(text, "null");
    assert_int_equal(im_yaml_text(doc, im_yaml_get(root, "word"), &text, NULL), IM_OK);
    assert_string_equal(text, "x y");
    assert_int_equal(im_yaml_text(doc, im_yaml_get(root, "empty"), &text, NULL), IM_OK);
    assert_string_equal(text, "");
    im_yaml_free(&doc);
}

static enum im_err read_as(char type, const struct im_yaml *doc, const struct im_yaml_node *node, struct im_error *e) {
    bool flag;
    long number;
    const char *text;
    if (type == 'b')
        return im_yaml_bool(doc, node, &flag, e);
    return type == 'i' ? im_yaml_int(doc, node, 0, 10, &number, e) : im_yaml_text(doc, node, &text, e);
}

static void wrong_types_say_what_is_allowed(void **state) {
    (void)state;
    static const struct {
        const char *value, *word;
        char type;
    } rows[] = {
        {"maybe", "true or false, found \"maybe\"", 'b'},
        {"'true'", "true or false", 'b'},
        {"[true]", "found a list", 'b'},
        {"{a: b}", "found a map", 'b'},
        {"11", "from 0 to 10, found \"11\"", 'i'},
        {"-1", "from 0 to 10", 'i'},
        {"'5'", "whole number", 'i'},
        {"5s", "whole number", 'i'},
        {"99999999999999999999", "whole number", 'i'},
        {"[5]", "found a list", 'i'},
        {"~", "found nothing", 't'},
        {"null", "found nothing", 't'},
        {"", "found nothing", 't'},
        {"[x]", "found a list", 't'},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_buf text = IM_BUF_INIT;
        im_buf_addf(&text, "first: 1\nkey: %s\n", rows[i].value);
        struct im_yaml *doc = load(im_buf_str(&text));
        struct im_error e = {0};
        assert_int_equal(read_as(rows[i].type, doc, im_yaml_get(im_yaml_root(doc), "key"), &e), IM_E_CONFIG);
        assert_mentions(e.text, rows[i].word);
        assert_int_equal(e.line, 2);
        assert_string_equal(e.where, "a.yaml");
        im_yaml_free(&doc);
        im_buf_free(&text);
    }
}

static void unknown_keys_are_pointed_at(void **state) {
    (void)state;
    static const char *const names[] = {"server", "base"};
    struct im_yaml *doc = load("server: x\nbsae: y\n");
    struct im_error e = {0};
    assert_int_equal(im_yaml_only_keys(doc, im_yaml_root(doc), names, 2, &e), IM_E_CONFIG);
    assert_mentions(e.text, "did you mean \"base\"?");
    assert_int_equal(e.line, 2);
    assert_int_equal(e.column, 1);
    im_yaml_free(&doc);

    doc = load("colour: red\n");
    im_error_clear(&e);
    assert_int_equal(im_yaml_only_keys(doc, im_yaml_root(doc), names, 2, &e), IM_E_CONFIG);
    assert_mentions(e.text, "server, base");
    im_yaml_free(&doc);

    doc = load("base: y\n");
    assert_int_equal(im_yaml_only_keys(doc, im_yaml_root(doc), names, 2, NULL), IM_OK);
    im_yaml_free(&doc);

    doc = load("- a\n");
    im_error_clear(&e);
    assert_int_equal(im_yaml_only_keys(doc, im_yaml_root(doc), names, 2, &e), IM_E_CONFIG);
    assert_mentions(e.text, "map");
    im_yaml_free(&doc);
}

static void own_errors_stand_at_their_node(void **state) {
    (void)state;
    struct im_yaml *doc = load("a:\n  b: c\n");
    struct im_error e = {0};
    const struct im_yaml_node *b = im_yaml_get(im_yaml_get(im_yaml_root(doc), "a"), "b");
    assert_int_equal(im_yaml_error(doc, b, &e, "not %s", "good"), IM_E_CONFIG);
    char out[100];
    im_error_format(&e, out, sizeof out);
    assert_string_equal(out, "a.yaml:2:6: not good");
    im_error_clear(&e);
    im_yaml_error(doc, NULL, &e, "somewhere");
    im_error_format(&e, out, sizeof out);
    assert_string_equal(out, "a.yaml: somewhere");
    im_yaml_free(&doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_places),
        cmocka_unit_test(lookups_of_nothing_are_nothing),
        cmocka_unit_test(an_empty_document_has_no_root),
        cmocka_unit_test(a_byte_order_mark_is_no_text),
        cmocka_unit_test(what_nobody_needs_is_refused),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(scalars_have_the_type_that_is_asked_for),
        cmocka_unit_test(wrong_types_say_what_is_allowed),
        cmocka_unit_test(unknown_keys_are_pointed_at),
        cmocka_unit_test(own_errors_stand_at_their_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
