/* Host names as DNS knows them. */
#include "lib/data/hostname.h"

#include "tests/unit/unit.h"

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void names_in_normal_form(void **state) {
    (void)state;
    static const struct {
        const char *name, *ascii; /* NULL: no name */
    } rows[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com.", "example.com"},
        {"_rvp._tcp.example", "_rvp._tcp.example"},
        {"localhost", "localhost"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"BU\xcc\x88"
         "CHER.example",
         "xn--bcher-kva.example"}, /* a combining mark */
        {"stra\xc3\x9f"
         "e.example",
         "xn--strae-oqa.example"}, /* not "strasse": IDNA 2008 */
        {LABEL63 ".example", LABEL63 ".example"},
        {LABEL63 "x.example", NULL},
        {LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, NULL}, /* 255 */
        {LABEL63 "." LABEL63 "." LABEL63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
         LABEL63 "." LABEL63 "." LABEL63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg"}, /* 253 */
        {"", NULL},
        {".", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"a b", NULL},
        {"a;rm -rf.example", NULL},
        {"$(x).example", NULL},
        {"a\nb.example", NULL},
        {"b\xc3\xbc cher.example", NULL},
        {"\xff.example", NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char out[IM_HOSTNAME_SIZE] = "";
        bool is_name = im_hostname_ascii(rows[i].name, out);
        if (is_name != (rows[i].ascii != NULL))
            fail_msg("\"%s\" %s", rows[i].name, is_name ? "was taken" : "was refused");
        if (is_name)
            assert_string_equal(out, rows[i].ascii);
    }
}

static void ports_and_addresses(void **state) {
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool is_address;
    } rows[] = {
        {"im.example", "im.example", 0, false},
        {"IM.example:8080", "im.example", 8080, false},
        {"192.0.2.1", "192.0.2.1", 0, true},
        {"192.0.2.1:53", "192.0.2.1", 53, true},
        {"2001:db8::1", "2001:db8::1", 0, true},
        {"[2001:db8::1]", "2001:db8::1", 0, true},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535, true},
        {"im.example:", NULL, 0, false},
        {"im.example:0", NULL, 0, false},
        {"im.example:65536", NULL, 0, false},
        {"im.example:80x", NULL, 0, false},
        {"im.example:123456", NULL, 0, false},
        {"[im.example]:80", NULL, 0, false},
        {"[::1", NULL, 0, false},
        {"[::1]80", NULL, 0, false},
        {":80", NULL, 0, false},
        {"a:b:c", NULL, 0, false},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char host[IM_HOSTNAME_SIZE] = "";
        uint16_t port = 1;
        bool is_host = im_hostname_split(rows[i].text, host, &port);
        if (is_host != (rows[i].host != NULL))
            fail_msg("\"%s\" %s", rows[i].text, is_host ? "was taken" : "was refused");
        if (!is_host)
            continue;
        assert_string_equal(host, rows[i].host);
        assert_int_equal(port, rows[i].port);
        assert_int_equal(im_hostname_is_address(host), rows[i].is_address);
    }
    assert_true(im_hostname_is_address("[::1]"));
    assert_false(im_hostname_is_address("[192.0.2.1]"));
    assert_false(im_hostname_is_address("192.0.2"));
    assert_false(im_hostname_is_address(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_in_normal_form), cmocka_unit_test(ports_and_addresses)};
    return cmocka_run_group_tests_name("hostname", tests, NULL, NULL);
}
