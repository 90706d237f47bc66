#include "lib/directory/certificate.h"

#include "tests/unit/unit.h"

/* Pieces of a certificate: the names of issuer and subject, then subjectAltName with a DNS name, a mail address, an IPv4 address.
 */
#define ISSUER "\x06\x03\x55\x04\x03\x0c\x07Test CA"
#define SUBJECT "\x06\x03\x55\x04\x03\x0c\x03old"
#define OID "\x06\x03\x55\x1d\x11"
#define NAMES                                                                                                                    \
    "\x82\x0b"                                                                                                                   \
    "dc1.example\x81\x03"                                                                                                        \
    "m@x\x87\x04\x0a\x01\x02\x03\x82\x02"                                                                                        \
    "xy" /* 13 + 5 + 6 + 4 = 28 bytes */
#define EXTENSION OID "\x04\x1e\x30\x1c" NAMES

static void check(const char *label, struct berval der, const char *names) {
    struct im_buf out = IM_BUF_INIT;
    char *exact = malloc(der.bv_len ? der.bv_len : 1); /* so that the sanitizer sees a byte too far */
    assert_non_null(exact);
    memcpy(exact, der.bv_val, der.bv_len);
    struct berval copy = {der.bv_len, exact};
    im_certificate_names(&copy, &out);
    if (strcmp(im_buf_str(&out), names) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", label, im_buf_str(&out), names);
    im_buf_free(&out);
    free(exact);
}

static void test_names(void **state) {
    (void)state;
    check("names", VALUE(ISSUER SUBJECT EXTENSION), "dc1.example, 10.1.2.3, xy");
    check("critical", VALUE(SUBJECT OID "\x01\x01\xff\x04\x1e\x30\x1c" NAMES), "dc1.example, 10.1.2.3, xy");
    check("long lengths", VALUE(OID "\x04\x81\x1f\x30\x81\x1c" NAMES), "dc1.example, 10.1.2.3, xy");
    check("common name", VALUE(ISSUER SUBJECT), "old");
    check("nothing", VALUE(""), "");
    check("no names in it", VALUE(SUBJECT OID "\x04\x02\x30\x00"), "");
    check("an IPv6 address",
          VALUE(OID "\x04\x14\x30\x12\x87\x10"
                    "0123456789abcdef"),
          "");
}

/* Whatever is cut off, nothing behind the end is read. */
static void test_cut(void **state) {
    (void)state;
    static const char whole[] = ISSUER SUBJECT EXTENSION;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct im_buf out = IM_BUF_INIT;
        char *part = malloc(len + 1);
        assert_non_null(part);
        memcpy(part, whole, len);
        struct berval der = {len, part};
        im_certificate_names(&der, &out);
        assert_null(strstr(im_buf_str(&out), "xy"));
        im_buf_free(&out);
        free(part);
    }
}

static void test_lengths_that_lie(void **state) {
    (void)state;
    check("longer than what is there", VALUE(OID "\x04\x7f\x30\x1c" NAMES), "");
    check("indefinite", VALUE(OID "\x04\x80\x30\x1c" NAMES), "");
    check("four octets of length", VALUE(OID "\x04\x84\xff\xff\xff\xff" NAMES), "");
    check("a common name that is cut", VALUE("\x06\x03\x55\x04\x03\x0c\x7fold"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_lengths_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
