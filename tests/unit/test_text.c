/* Text: letter case, likeness, and what a terminal must never get. */
#include "lib/base/text.h"
#include "tests/unit/unit.h"

static void ascii_letter_case_is_ignored(void **state) {
    (void)state;
    assert_true(im_text_equal("sAMAccountName", "SAMACCOUNTNAME"));
    assert_false(im_text_equal("a", "ab"));
    assert_false(im_text_equal("ab", "a"));
    assert_true(im_text_equal("", ""));
    assert_true(im_text_equal(NULL, NULL));
    assert_false(im_text_equal(NULL, ""));
    assert_false(im_text_equal("", NULL));
    assert_false(im_text_equal("Ä", "ä"));
    assert_false(im_text_equal("@", "`")); /* neighbours of the letters, 0x20 apart */
    assert_false(im_text_equal("[", "{"));
    assert_true(im_text_equal_n("A\0b", 3, "a\0B", 3));
    assert_false(im_text_equal_n("a\0b", 3, "a\0c", 3));
}

static void the_order_agrees_with_equality(void **state) {
    (void)state;
    static const char *const words[] = {"", "a", "A", "ab", "B", "_", "z", "Zz", "\xc3\xa4"};
    for (size_t i = 0; i < LENGTH(words); i++) {
        for (size_t k = 0; k < LENGTH(words); k++) {
            int order = im_text_compare(words[i], words[k]);
            assert_int_equal(order == 0, im_text_equal(words[i], words[k]));
            assert_int_equal(order<0, im_text_compare(words[k], words[i])> 0);
        }
    }
    assert_true(im_text_compare("a", "B") < 0);
}

static void utf8_is_checked_strictly(void **state) {
    (void)state;
    assert_true(im_text_is_utf8("", 0));
    assert_true(im_text_is_utf8(NULL, 0));
    assert_true(im_text_is_utf8("Müller \xf0\x9f\x98\x80", 12));
    assert_true(im_text_is_utf8("a\0b", 3));
    assert_true(im_text_is_utf8("\xf4\x8f\xbf\xbf", 4));
    static const char *const broken[] = {
        "\xff",
        "\x80",
        "\xc3",
        "\xc0\xaf", /* overlong "/" */
        "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf",
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "M\xfcller",        /* Latin-1 */
        "\xe2\x82",
    };
    for (size_t i = 0; i < LENGTH(broken); i++)
        assert_false(im_text_is_utf8(broken[i], strlen(broken[i])));
}

static void ascii_is_recognised(void **state) {
    (void)state;
    assert_true(im_text_is_ascii("az~\x7f\0", 5));
    assert_true(im_text_is_ascii(NULL, 0));
    assert_false(im_text_is_ascii("ü", 2));
}

static void assert_folds(const char *in, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    im_text_fold(in, strlen(in), &out);
    assert_string_equal(im_buf_str(&out), expect);
    im_buf_free(&out);
}

/* Every byte, at every place of texts that are taken apart in words. */
static void lower_case_touches_ascii_letters_only(void **state) {
    (void)state;
    for (size_t len = 1; len <= 20; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte <= 0xff; byte++) {
                char in[20], out[20];
                memset(in, 0xff, len);
                in[at] = (char)byte;
                im_text_lower(in, len, out);
                assert_int_equal((unsigned char)out[at], byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
                out[at] = (char)0xff;
                in[at] = (char)0xff;
                assert_memory_equal(in, out, len);
            }
        }
    }
}

static void texts_that_are_equal_have_one_hash(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},
        {"a", "A"},
        {"mailbox", "MAILBOX"},
        {"homemdb8", "homeMDB8"},
        {"homeMTA99", "HOMEmta99"},
        {"msExchIMMetaPhysicalURL", "MSEXCHIMMETAPHYSICALURL"},
    };
    for (size_t i = 0; i < LENGTH(pairs); i++)
        assert_int_equal(im_text_hash(pairs[i][0]), im_text_hash(pairs[i][1]));
    for (size_t i = 1; i < LENGTH(pairs); i++)
        assert_int_not_equal(im_text_hash(pairs[i][0]), im_text_hash(pairs[i - 1][0]));
}

static void folding_is_full_and_normalised(void **state) {
    (void)state;
    assert_folds("ABC xyz", "abc xyz");
    assert_folds("MÜLLER", "müller");
    assert_folds("Mu\xcc\x88ller", "müller"); /* u and a combining diaeresis */
    assert_folds("Straße", "strasse");
    assert_folds("ΣΊΣΥΦΟΣ", "σίσυφοσ");
    assert_folds("M\xfcLLER", "M\xfcLLER"); /* not UTF-8: as it is */
    assert_folds("", "");
}

static void likely_words_are_found(void **state) {
    (void)state;
    static const char *const names[] = {"home-server", "im-domain", "profile", "url"};
    assert_string_equal(im_text_nearest("home-sever", names, 4), "home-server");
    assert_string_equal(im_text_nearest("HOME-SERVER", names, 4), "home-server");
    assert_string_equal(im_text_nearest("profiel", names, 4), "profile");
    assert_string_equal(im_text_nearest("ulr", (const char *const[]){"urls", "ur"}, 2), "ur");
    assert_null(im_text_nearest("completely-else", names, 4));
    assert_null(im_text_nearest("cat", (const char *const[]){"bar"}, 1));
    assert_null(im_text_nearest("x", names, 4));
    assert_null(im_text_nearest("", names, 4));
    assert_null(im_text_nearest("profile", names, 0));
    char endless[500];
    memset(endless, 'p', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(im_text_nearest(endless, names, 4));
}

static void assert_escapes(const char *in, size_t len, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    im_text_escape(in, len, &out);
    assert_string_equal(im_buf_str(&out), expect);
    im_buf_free(&out);
}

#define ESCAPES(in, expect) assert_escapes(in, sizeof(in) - 1, expect)

static void a_terminal_gets_nothing_that_moves_it(void **state) {
    (void)state;
    ESCAPES("Müller, Jörg (Ost) #2 😀", "Müller, Jörg (Ost) #2 😀");
    ESCAPES("a\x1b[2Jb", "a\\x1b[2Jb");
    ESCAPES("a\nb\tc\0d", "a\\x0ab\\x09c\\x00d");
    ESCAPES("\x7f", "\\x7f");
    ESCAPES("\xc2\x9b"
            "31m",
            "\\u{009b}31m"); /* the one-character CSI */
    ESCAPES("M\xfcller", "M\\xfcller");
    ESCAPES("\xe2\x82", "\\xe2\\x82");
    ESCAPES("", "");
}

static void text_cannot_run_backwards_or_hide(void **state) {
    (void)state;
    ESCAPES("a\xe2\x80\xaegnp\xe2\x80\xac.exe", "a\\u{202e}gnp\\u{202c}.exe");
    ESCAPES("\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}");
    ESCAPES("ad\u200bmin", "ad\\u{200b}min");
    ESCAPES("\ufeff\u061c\u200f", "\\u{feff}\\u{061c}\\u{200f}");
    ESCAPES("a\u2028b", "a\\u{2028}b");
    ESCAPES("\U000e0041", "\\u{e0041}");
    ESCAPES("\xc2\xad", "\\u{00ad}");
}

static void words_are_quoted_for_a_shell(void **state) {
    (void)state;
    static const struct {
        const char *word, *quoted;
    } rows[] = {
        {"jdoe", "jdoe"},
        {"mail:j.doe_2@corp.example", "mail:j.doe_2@corp.example"},
        {"", "''"},
        {"o'hara", "'o'\\''hara'"},
        {"a;rm -r $HOME", "'a;rm -r $HOME'"},
        {"J\xc3\xb6rg", "'J\xc3\xb6rg'"},
        {"`x`\n", "'`x`\n'"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_buf out = IM_BUF_INIT;
        im_text_quote(rows[i].word, &out);
        assert_string_equal(im_buf_str(&out), rows[i].quoted);
        im_buf_free(&out);
    }
}

static void width_is_in_terminal_columns(void **state) {
    (void)state;
    assert_int_equal(im_text_width(""), 0);
    assert_int_equal(im_text_width("abc"), 3);
    assert_int_equal(im_text_width("Jörg"), 4);
    assert_int_equal(im_text_width("Jo\xcc\x88rg"), 4);
    assert_int_equal(im_text_width("日本"), 4);
    assert_int_equal(im_text_width("M\xfc"), 2);
}

/* Eight at a time, and the rest one by one. */
static void folding_ascii_is_lower_case(void **state) {
    (void)state;
    char text[0x80 + 8];
    for (size_t start = 0; start < 8; start++) {
        struct im_buf out = IM_BUF_INIT;
        for (size_t i = 0; i < 0x80; i++)
            text[start + i] = (char)i;
        im_text_fold(text + start, 0x80, &out);
        assert_int_equal(out.len, 0x80);
        for (size_t i = 0; i < 0x80; i++)
            assert_int_equal(out.data[i], i >= 'A' && i <= 'Z' ? i + 32 : i);
        im_buf_clear(&out);
        im_text_fold(&text[start + 'A'], start, &out);
        assert_int_equal(out.len, start);
        assert_memory_equal(im_buf_str(&out), "abcdefgh", start);
        im_buf_free(&out);
    }
}

static void what_fits_into_columns(void **state) {
    (void)state;
    assert_int_equal(im_text_fit("abc", 2), 2);
    assert_int_equal(im_text_fit("abc", 3), 3);
    assert_int_equal(im_text_fit("abc", 9), 3);
    assert_int_equal(im_text_fit("abc", 0), 0);
    assert_int_equal(im_text_fit("J\xc3\xb6rg", 2), 3);
    assert_int_equal(im_text_fit("Jo\xcc\x88rg", 2), 4);
    assert_int_equal(im_text_fit("日本", 3), 3);
    assert_int_equal(im_text_fit("a\xff"
                                 "b",
                                 2),
                     2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_letter_case_is_ignored),
        cmocka_unit_test(the_order_agrees_with_equality),
        cmocka_unit_test(utf8_is_checked_strictly),
        cmocka_unit_test(ascii_is_recognised),
        cmocka_unit_test(lower_case_touches_ascii_letters_only),
        cmocka_unit_test(texts_that_are_equal_have_one_hash),
        cmocka_unit_test(folding_is_full_and_normalised),
        cmocka_unit_test(folding_ascii_is_lower_case),
        cmocka_unit_test(likely_words_are_found),
        cmocka_unit_test(a_terminal_gets_nothing_that_moves_it),
        cmocka_unit_test(text_cannot_run_backwards_or_hide),
        cmocka_unit_test(words_are_quoted_for_a_shell),
        cmocka_unit_test(width_is_in_terminal_columns),
        cmocka_unit_test(what_fits_into_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
