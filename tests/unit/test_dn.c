/* Distinguished names, as people and Active Directory really write them. */
#include "lib/data/dn.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define MUELLER "CN=Müller\\, Jörg (Ost) #2,OU=People,DC=corp,DC=example"
#define DELETED "CN=Jane Doe\\0ADEL:4f1e9f0c-0000-4000-8000-0123456789ab,CN=Deleted Objects,DC=corp,DC=example"

static void spellings_of_one_name_are_equal(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"CN=Jane,DC=corp,DC=example", "cn=JANE, dc=Corp , dc=EXAMPLE"},
        {"CN=Müller\\, Jörg,DC=x", "cn=M\\C3\\9Cller\\2c j\\c3\\b6RG,dc=x"},
        {"CN=Mu\xcc\x88ller,DC=x", "CN=Müller,DC=x"},
        {"CN=a  b,DC=x", "CN=a b,DC=x"},
        {"CN=\\ a,DC=x", "CN=a,DC=x"},
        {"CN=a+SN=b,DC=x", "sn=B+cn=A,DC=x"},
        {"CN=a\\+b", "CN=a\\2Bb"},
        {DELETED, DELETED},
        {"", ""},
    };
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        if (!im_dn_equal(pairs[i][0], pairs[i][1]))
            fail_msg("%s and %s should be equal", pairs[i][0], pairs[i][1]);
    }
}

/* Most names need no parser; an escape somewhere makes it look at the same name all the same. */
static void with_and_without_the_parser(void **state) {
    (void)state;
    static const struct {
        const char *plain, *escaped;
        bool is_deleted;
    } rows[] = {
        {"CN=Jane,OU=People,DC=corp,DC=example", "CN=\\4aane,OU=People,DC=corp,DC=example", false},
        {"cn=jane.doe-1_x@a/b:(c)'&%*!?,DC=x", "cn=\\4aane.doe-1_x@a/b:(c)'&%*!?,dc=X", false},
        {"CN=Jane A Doe,DC=x", "CN=\\4aane  A  Doe ,DC=x", false},
        {"CN=Jane,CN=Deleted Objects,DC=x", "CN=\\4aane,CN=Deleted Objects,DC=x", true},
        {"CN=Jane,cn=deleted objects,DC=x", "CN=\\4aane,CN=deleted objects,DC=x", true},
        {"CN=Deleted Objects,DC=x", "CN=\\44eleted Objects,DC=x", false},
        {"CN=Jane,OU=Deleted Objects,DC=x", "CN=\\4aane,OU=Deleted Objects,DC=x", false},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_buf plain = IM_BUF_INIT, escaped = IM_BUF_INIT;
        assert_true(im_dn_normalize(rows[i].plain, &plain));
        assert_true(im_dn_normalize(rows[i].escaped, &escaped));
        assert_string_equal(im_buf_str(&plain), im_buf_str(&escaped));
        assert_int_equal(im_dn_is_deleted(rows[i].plain), rows[i].is_deleted);
        assert_int_equal(im_dn_is_deleted(rows[i].escaped), rows[i].is_deleted);
        im_buf_free(&plain);
        im_buf_free(&escaped);
    }
}

/* Each character means the same to both ways, if it may stand there at all. */
static void each_character_with_and_without_the_parser(void **state) {
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        char plain[] = "CN=aXb,DC=x";
        char escaped[] = "CN=a\\00b,DC=x";
        struct im_buf one = IM_BUF_INIT, two = IM_BUF_INIT;
        plain[4] = (char)c;
        (void)snprintf(escaped + 5, 3, "%02X", (unsigned)c);
        escaped[7] = 'b';
        assert_true(im_dn_normalize(escaped, &two));
        bool is_refused = c < ' ' || c == 0x7f || strchr("\"+,;<>\\", c);
        if (im_dn_normalize(plain, &one)) {
            assert_string_equal(im_buf_str(&one), im_buf_str(&two));
        } else {
            assert_true(is_refused);
        }
        assert_false(one.len && c >= ' ' && c != 0x7f && is_refused);
        im_buf_free(&one);
        im_buf_free(&two);
    }
}

static void different_names_are_not(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"CN=a,DC=x", "CN=a,DC=y"},
        {"CN=a,DC=x", "OU=a,DC=x"},
        {"CN=a\\,DC=x", "CN=a,DC=x"},
        {"CN=a\\+SN=b", "CN=a+SN=b"},
        {"CN=a\\00", "CN=a"},
        {"CN=Muller,DC=x", "CN=Müller,DC=x"},
        {"CN=#04024142,DC=x", "CN=\\04\\02AB,DC=x"}, /* BER, not a text of these bytes */
        {"CN=a,DC=x", ""},
        {"nonsense", "nonsense"},
    };
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        if (im_dn_equal(pairs[i][0], pairs[i][1]))
            fail_msg("%s and %s should differ", pairs[i][0], pairs[i][1]);
    }
    assert_false(im_dn_equal(NULL, "CN=a"));
}

static void what_is_no_dn_is_refused(void **state) {
    (void)state;
    static const char *const good[] = {MUELLER, DELETED, "DC=x", "2.5.4.3=a", "CN=", "CN=a\\0ACNF:x,DC=y", "CN=#04024142"};
    static const char *const bad[] = {"",          "jane",   "CN",       "=x",     "CN=a,",     ",CN=a",  "CN=a,,DC=x",
                                      "CN=a;DC=x", "CN=a\\", "CN=\"a\"", "CN=#zz", "<GUID=00>", "CN=a<b", "a@b.example"};
    for (size_t i = 0; i < LENGTH(good); i++) {
        if (!im_dn_is_valid(good[i]))
            fail_msg("\"%s\" is a DN", good[i]);
    }
    for (size_t i = 0; i < LENGTH(bad); i++) {
        if (im_dn_is_valid(bad[i]))
            fail_msg("\"%s\" is no DN", bad[i]);
    }
    assert_false(im_dn_is_valid(NULL));
}

static void under_means_whole_parts(void **state) {
    (void)state;
    assert_true(im_dn_is_under(MUELLER, "dc=corp,dc=example"));
    assert_true(im_dn_is_under(MUELLER, MUELLER));
    assert_true(im_dn_is_under(MUELLER, ""));
    assert_false(im_dn_is_under("DC=corp,DC=example", MUELLER));
    assert_false(im_dn_is_under("CN=a,DC=notcorp,DC=example", "DC=corp,DC=example"));
    assert_false(im_dn_is_under("CN=a\\,DC=x", "DC=x")); /* the comma belongs to the value */
    assert_false(im_dn_is_under("OU=b+DC=x", "DC=x"));
    assert_false(im_dn_is_under("nonsense", "DC=x"));
    assert_false(im_dn_is_under("DC=x", "nonsense"));
}

static void assert_parent(const char *dn, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    assert_int_equal(im_dn_parent(dn, &out), expect != NULL);
    assert_string_equal(im_buf_str(&out), expect ? expect : "");
    im_buf_free(&out);
}

static void the_parent_keeps_its_spelling(void **state) {
    (void)state;
    assert_parent(MUELLER, "OU=People,DC=corp,DC=example");
    assert_parent("CN=a\\2Cb,  ou=X,DC=y", "ou=X,DC=y");
    assert_parent("CN=a\\\\,DC=y", "DC=y");
    assert_parent("CN=a\\\",DC=y", "DC=y");
    assert_parent("DC=example", NULL);
    assert_parent("", NULL);
    assert_parent("CN=a,,", NULL);
}

static void assert_first_value(const char *dn, const char *expect, size_t len) {
    struct im_buf out = IM_BUF_INIT;
    assert_int_equal(im_dn_first_value(dn, &out), expect != NULL);
    assert_int_equal(out.len, len);
    if (len)
        assert_memory_equal(out.data, expect, len);
    im_buf_free(&out);
}

static void the_first_value_is_what_people_call_it(void **state) {
    (void)state;
    assert_first_value(MUELLER, "Müller, Jörg (Ost) #2", 23);
    assert_first_value(DELETED, "Jane Doe\nDEL:4f1e9f0c-0000-4000-8000-0123456789ab", 49);
    assert_first_value("CN=a\\00b,DC=x", "a\0b", 3);
    assert_first_value("CN=,DC=x", "", 0);
    assert_first_value("nonsense", NULL, 0);
    assert_first_value("", NULL, 0);
}

static void assert_escapes(const char *value, size_t len, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    im_dn_escape(value, len, &out);
    assert_string_equal(im_buf_str(&out), expect);
    /* and back */
    struct im_buf dn = IM_BUF_INIT;
    struct im_buf again = IM_BUF_INIT;
    im_buf_addf(&dn, "CN=%s,DC=x", im_buf_str(&out));
    assert_true(im_dn_first_value(im_buf_str(&dn), &again));
    assert_int_equal(again.len, len);
    if (len)
        assert_memory_equal(again.data, value, len);
    im_buf_free(&again);
    im_buf_free(&dn);
    im_buf_free(&out);
}

#define ESCAPES(value, expect) assert_escapes(value, sizeof(value) - 1, expect)

static void escaping_is_reversible_and_readable(void **state) {
    (void)state;
    ESCAPES("Müller, Jörg (Ost) #2", "Müller\\, Jörg (Ost) #2");
    ESCAPES("#1", "\\#1");
    ESCAPES(" a b ", "\\ a b\\ ");
    ESCAPES(" ", "\\ ");
    ESCAPES("a\\b\"c+d;e<f>g=h", "a\\\\b\\\"c\\+d\\;e\\<f\\>g\\=h");
    ESCAPES("a\nDEL:\0", "a\\0ADEL:\\00");
    ESCAPES("\x7f", "\\7F");
    ESCAPES("", "");
}

static void deleted_objects_are_known_by_their_names(void **state) {
    (void)state;
    assert_true(im_dn_is_deleted(DELETED));
    assert_true(im_dn_is_deleted("CN=a,CN=deleted objects,DC=x"));
    assert_false(im_dn_is_deleted("CN=a\\0adel:x,DC=y")); /* the mark is written in capitals */
    assert_true(im_dn_is_deleted("OU=b\\0ADEL:1,DC=y"));
    assert_true(im_dn_is_deleted("CN=kid,OU=b\\0ADEL:1,DC=y"));
    assert_false(im_dn_is_deleted("CN=Deleted Objects,DC=x")); /* the container itself */
    assert_false(im_dn_is_deleted("CN=a,OU=Deleted Objects,DC=x"));
    assert_false(im_dn_is_deleted("CN=a\\0ACNF:1,DC=x"));
    assert_false(im_dn_is_deleted("CN=DEL:1,DC=x"));
    assert_true(im_dn_is_deleted("CN=a, CN = Deleted Objects ,DC=x"));
    assert_true(im_dn_is_deleted("CN=a,CN=Deleted\\20Objects,DC=x"));
    assert_true(im_dn_is_deleted("CN=a,CN=\\44eleted Objects,DC=x"));
    assert_false(im_dn_is_deleted("CN=a,CN=Deleted Objects 2,DC=x"));
    assert_false(im_dn_is_deleted("CN=a,CN=Not Deleted Objects,DC=x"));
    assert_false(im_dn_is_deleted("CN=a,CN= Objects,DC=x"));
    assert_false(im_dn_is_deleted("CN=,DC=x"));
    assert_false(im_dn_is_deleted("nonsense"));
    assert_true(im_dn_is_deleted("CN=a b,CN=deleted OBJECTS,DC=x"));
    assert_false(im_dn_is_deleted("CN=a b,OU=New Objects,DC=x"));
    assert_false(im_dn_is_deleted("CN= objects,DC=x"));
}

static void assert_splits(const char *value, const char *guid, const char *dn) {
    struct im_buf g = IM_BUF_INIT;
    struct im_buf d = IM_BUF_INIT;
    im_dn_split_extended(value, strlen(value), &g, &d);
    assert_string_equal(im_buf_str(&g), guid);
    assert_string_equal(im_buf_str(&d), dn);
    im_buf_free(&g);
    im_buf_free(&d);
}

static void extended_names_are_taken_apart(void **state) {
    (void)state;
    assert_splits("<GUID=0c9f1e4f>;<SID=0105>;" MUELLER, "<GUID=0c9f1e4f>", MUELLER);
    assert_splits("<GUID=0c9f1e4f>;DC=x", "<GUID=0c9f1e4f>", "DC=x");
    assert_splits("<guid=0c9f1e4f>;DC=x", "<guid=0c9f1e4f>", "DC=x");
    assert_splits("<SID=0105>;DC=x", "", "DC=x");
    assert_splits("<RMD_ADDTIME=1>;<GUID=ab>;<RMD_FLAGS=0>;DC=x", "<GUID=ab>", "DC=x");
    assert_splits("<GUID=0c9f1e4f>", "<GUID=0c9f1e4f>", "");
    assert_splits("<GUID=0c9f1e4f>DC=x", "<GUID=0c9f1e4f>", "DC=x");
    assert_splits(MUELLER, "", MUELLER);
    assert_splits("<GUID=broken", "", "<GUID=broken");
    assert_splits("", "", "");
}

static void the_length_is_kept_to(void **state) {
    (void)state;
    struct im_buf g = IM_BUF_INIT;
    struct im_buf d = IM_BUF_INIT;
    im_dn_split_extended("<GUID=ab>;DC=x>", 8, &g, &d);
    assert_string_equal(im_buf_str(&g), "");
    assert_string_equal(im_buf_str(&d), "<GUID=ab");
    im_buf_free(&g);
    im_buf_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_one_name_are_equal),
        cmocka_unit_test(with_and_without_the_parser),
        cmocka_unit_test(each_character_with_and_without_the_parser),
        cmocka_unit_test(different_names_are_not),
        cmocka_unit_test(what_is_no_dn_is_refused),
        cmocka_unit_test(under_means_whole_parts),
        cmocka_unit_test(the_parent_keeps_its_spelling),
        cmocka_unit_test(the_first_value_is_what_people_call_it),
        cmocka_unit_test(escaping_is_reversible_and_readable),
        cmocka_unit_test(deleted_objects_are_known_by_their_names),
        cmocka_unit_test(extended_names_are_taken_apart),
        cmocka_unit_test(the_length_is_kept_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
