/* From messages to entries: what servers send, in the lengths that they use, and what no server should. */
#include "lib/directory/decode.h"

#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <openldap.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define DN "cn=Zhang,dc=corp"

struct fixture {
    LDAP *ld;
    int other; /* end of the connection */
    LDAPMessage *message;
    BerElement *made;   /* elements of attributes */
    struct berval list; /* the same, with one byte behind that may be written */
    struct im_pool *pool;
    struct im_entry entry;
    struct im_ranges ranges;
    struct im_error e;
};

static int begin(void **state) {
    int ends[2];
    int version = LDAP_VERSION3;
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(ldap_init_fd(ends[0], LDAP_PROTO_IPC, "ldapi://", &f->ld), LDAP_SUCCESS);
    assert_int_equal(ldap_set_option(f->ld, LDAP_OPT_PROTOCOL_VERSION, &version), LDAP_OPT_SUCCESS);
    f->other = ends[1];
    f->made = ber_alloc_t(LBER_USE_DER);
    f->pool = im_pool_new();
    assert_true(f->made && f->pool);
    *state = f;
    return 0;
}

static int end(void **state) {
    struct fixture *f = *state;
    (void)ldap_msgfree(f->message);
    (void)ldap_unbind_ext(f->ld, NULL, NULL);
    (void)close(f->other);
    ber_free(f->made, 1);
    free(f->list.bv_val);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

/* ---- attributes ---- */

static void add(struct fixture *f, const char *name, struct berval *values) {
    assert_int_not_equal(ber_printf(f->made, "{s[W]}", name, values), -1);
}

static void add_one(struct fixture *f, const char *name, struct berval value) {
    add(f, name, (struct berval[]){value, {.bv_val = NULL}});
}

static void add_none(struct fixture *f, const char *name) {
    assert_int_not_equal(ber_printf(f->made, "{s[]}", name), -1);
}

/* No more memory than that, so that the sanitizer sees what goes beyond. */
static void take(struct fixture *f, struct berval bytes) {
    free(f->list.bv_val);
    f->list = (struct berval){.bv_len = bytes.bv_len, .bv_val = malloc(bytes.bv_len + 1)};
    assert_non_null(f->list.bv_val);
    memcpy(f->list.bv_val, bytes.bv_val, bytes.bv_len);
    f->list.bv_val[bytes.bv_len] = 'x';
}

static void take_made(struct fixture *f) {
    struct berval bytes;
    assert_int_equal(ber_flatten2(f->made, &bytes, 0), 0);
    take(f, bytes);
}

static enum im_err decode(struct fixture *f) {
    im_error_clear(&f->e);
    f->entry = (struct im_entry){.dn = DN};
    return im_decode_attributes(&f->list, f->pool, &f->entry, &f->ranges, &f->e);
}

static void decodes(struct fixture *f, size_t count) {
    if (decode(f) != IM_OK)
        fail_msg("%s", f->e.text);
    assert_int_equal(f->entry.count, count);
}

static const struct im_attr *attr_at(const struct fixture *f, size_t i) {
    const struct im_attr *attr = i < f->entry.count ? &f->entry.attrs[i] : NULL;
    if (!attr)
        fail_msg("there is no attribute %zu", i);
    return attr;
}

static void has(const struct fixture *f, size_t i, const char *name, size_t count) {
    assert_string_equal(attr_at(f, i)->name, name);
    assert_int_equal(attr_at(f, i)->count, count);
}

static void is(const struct fixture *f, size_t i, size_t value, struct berval wanted) {
    const struct berval *got = &attr_at(f, i)->values[value];
    assert_int_equal(got->bv_len, wanted.bv_len);
    assert_memory_equal(got->bv_val, wanted.bv_val, wanted.bv_len);
    assert_int_equal(got->bv_val[got->bv_len], '\0');
}

static void test_values_are_what_they_were(void **state) {
    struct fixture *f = *state;
    static char longer[300], longest[70000];
    memset(longer, 'l', sizeof longer);
    memset(longest, 'L', sizeof longest);
    struct berval values[] = {
        VALUE(""),  VALUE("a\0b"),   value_of(longer, sizeof longer), VALUE(""), value_of(longest, sizeof longest),
        VALUE("z"), {.bv_val = NULL}};
    add_one(f, "cn", VALUE("Zhang"));
    add(f, "description", values);
    add_one(f, "sn", VALUE("L\xC3\xA1szlo"));
    take_made(f);
    decodes(f, 3);
    has(f, 0, "cn", 1);
    has(f, 1, "description", 6);
    has(f, 2, "sn", 1);
    is(f, 0, 0, VALUE("Zhang"));
    for (size_t i = 0; i < 6; i++)
        is(f, 1, i, values[i]);
    is(f, 2, 0, VALUE("L\xC3\xA1szlo"));
    assert_int_equal(f->ranges.count, 0);
    assert_string_equal(f->entry.dn, DN);
}

/* Active Directory writes each length of something that holds other things in four bytes. */
static void test_lengths_may_be_longer_than_needed(void **state) {
    struct fixture *f = *state;
    take(f, VALUE("\x30\x84\0\0\0\x13\x04\x02"
                  "cn\x31\x84\0\0\0\x09\x04\x81\x01"
                  "A\x04\x82\0\x01"
                  "B"
                  "\x30\x88\0\0\0\0\0\0\0\x06\x04\x02"
                  "sn\x31\0"));
    decodes(f, 2);
    has(f, 0, "cn", 2);
    is(f, 0, 0, VALUE("A"));
    is(f, 0, 1, VALUE("B"));
    has(f, 1, "sn", 0);
}

static void test_there_need_be_none(void **state) {
    struct fixture *f = *state;
    take(f, VALUE(""));
    decodes(f, 0);
    add_none(f, "member");
    add_none(f, "MEMBER");
    take_made(f);
    decodes(f, 1);
    has(f, 0, "member", 0);
}

/* ---- options ---- */

static void test_options(void **state) {
    struct fixture *f = *state;
    add_one(f, "member;range=0-1499", VALUE("a"));
    add_one(f, "memberOf;Range=1500-*", VALUE("b"));
    add_one(f, "userCertificate;binary", VALUE("c"));
    add_one(f, "cn;lang-hu", VALUE("d"));
    add_one(f, "sn;x-own;range=0-9", VALUE("e"));
    take_made(f);
    decodes(f, 5);
    has(f, 0, "member", 1);
    has(f, 1, "memberOf", 1);
    has(f, 2, "userCertificate", 1);
    has(f, 3, "cn;lang-hu", 1);
    has(f, 4, "sn;x-own;range=0-9", 1);
    assert_int_equal(f->ranges.count, 2);
    assert_int_equal(f->ranges.list[0].attr, 0);
    assert_int_equal(f->ranges.list[0].next, 1500);
    assert_int_equal(f->ranges.list[1].attr, 4);
    assert_int_equal(f->ranges.list[1].next, 10);
}

/* As Active Directory lists it, and the other way about. */
static void test_a_part_takes_the_place_of_none(void **state) {
    struct fixture *f = *state;
    add_one(f, "cn", VALUE("c"));
    add_none(f, "member");
    add_one(f, "member;range=0-0", VALUE("a"));
    add_one(f, "memberOf;range=0-0", VALUE("b"));
    add_none(f, "memberof");
    take_made(f);
    decodes(f, 3);
    has(f, 1, "member", 1);
    has(f, 2, "memberOf", 1);
    is(f, 1, 0, VALUE("a"));
    is(f, 2, 0, VALUE("b"));
    assert_int_equal(f->ranges.count, 2);
    assert_int_equal(f->ranges.list[0].attr, 1);
    assert_int_equal(f->ranges.list[1].attr, 2);
}

static void test_not_more_parts_than_some(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < IM_MAX_RANGES; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "member%d;range=0-1", i);
        add_one(f, name, VALUE("a"));
    }
    take_made(f);
    decodes(f, IM_MAX_RANGES);
    add_one(f, "last;range=0-1", VALUE("a"));
    take_made(f);
    assert_int_equal(decode(f), IM_E_TRUNCATED);
}

/* ---- what no server should send ---- */

static void fails(struct fixture *f) {
    struct berval before = {.bv_len = f->list.bv_len + 1};
    before.bv_val = malloc(before.bv_len);
    assert_non_null(before.bv_val);
    memcpy(before.bv_val, f->list.bv_val, before.bv_len);
    assert_int_equal(decode(f), IM_E_PROTOCOL);
    assert_mentions(f->e.text, "attribute that cannot be decoded");
    assert_string_equal(f->e.where, DN);
    assert_int_equal(f->entry.count, 0);
    assert_memory_equal(f->list.bv_val, before.bv_val, before.bv_len);
    free(before.bv_val);
}

static void test_cut_off(void **state) {
    struct fixture *f = *state;
    add(f, "description", (struct berval[]){VALUE("one"), VALUE("two"), {.bv_val = NULL}});
    take_made(f);
    const struct berval whole = f->list;
    f->list.bv_val = NULL;
    for (size_t len = 1; len < whole.bv_len; len++) {
        take(f, (struct berval){.bv_len = len, .bv_val = whole.bv_val});
        fails(f);
    }
    free(whole.bv_val);
}

static void test_lengths_that_cannot_be(void **state) {
    struct fixture *f = *state;
    const struct berval lists[] = {
        VALUE("\x30\x80\x04\x01s\x31\0\0\0"), /* without an end */
        VALUE("\x30\x05\x04\x01s\x31\x80"),
        VALUE("\x30\x05\x04\x01s\x31\x82"),                               /* of two bytes that are not there */
        VALUE("\x30\x89\0\0\0\0\0\0\0\0\x05\x04\x01s\x31\0"),             /* of nine bytes */
        VALUE("\x30\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x04\x01s\x31\0"), /* round the end of the address space */
        VALUE("\x30\xFF\x04\x01s\x31\0"),
        VALUE("\x30\x05\x04\x7Fs\x31\0"),         /* a name longer than the attribute */
        VALUE("\x30\x03\x04\x01s\x31\0"),         /* values behind the attribute */
        VALUE("\x30\x05\x04\x01s\x31\x02\x04\0"), /* longer than the attribute, but not than the list */
        VALUE("\x30\x08\x04\x01s\x31\x03\x04\x02v"),
        VALUE("\x30\x08\x04\x01s\x31\x02\x04\x01v"), /* a value behind the values */
        VALUE("\x30\x06\x04\x01s\x31\x01\x04"),
        VALUE("\x30\0"),
        VALUE("\x30\x03\x04\x01s"), /* no values at all */
    };
    for (size_t i = 0; i < LENGTH(lists); i++) {
        take(f, lists[i]);
        fails(f);
    }
    take(f, VALUE("\x30\x05\x04\x01s\x31\0"));
    decodes(f, 1);
}

static enum im_err attempt(void *user, struct im_error *e) {
    struct fixture *f = user;
    im_pool_free(&f->pool);
    f->pool = im_pool_new();
    enum im_err err = f->pool ? decode(f) : im_error_nomem(&f->e);
    *e = f->e;
    return err;
}

static void test_out_of_memory(void **state) {
    struct fixture *f = *state;
    add_one(f, "cn", VALUE("c"));
    take_made(f);
    assert_int_equal(oom_every_allocation(attempt, f), 2);
    has(f, 0, "cn", 1);
}

/* ---- messages ---- */

/* What came from the other end as the answer to a search: an entry of these bytes, and a control behind it. */
static void receive(struct fixture *f, struct berval dn, struct berval attributes) {
    int msgid = 0;
    struct berval bytes;
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    assert_non_null(ber);
    assert_int_equal(ldap_search_ext(f->ld, "", LDAP_SCOPE_BASE, NULL, NULL, 0, NULL, NULL, NULL, 0, &msgid), LDAP_SUCCESS);
    assert_int_not_equal(ber_printf(ber, "{it{o{", msgid, (ber_tag_t)LDAP_RES_SEARCH_ENTRY, dn.bv_val, dn.bv_len), -1);
    assert_int_equal(ber_write(ber, attributes.bv_val, attributes.bv_len, 0), (ber_slen_t)attributes.bv_len);
    assert_int_not_equal(ber_printf(ber, "}}t{{s}}}", (ber_tag_t)LDAP_TAG_CONTROLS, "1.2.3"), -1);
    assert_int_equal(ber_flatten2(ber, &bytes, 0), 0);
    assert_int_equal(write(f->other, bytes.bv_val, bytes.bv_len), (ssize_t)bytes.bv_len);
    ber_free(ber, 1);
    (void)ldap_msgfree(f->message);
    assert_int_equal(ldap_result(f->ld, msgid, LDAP_MSG_ONE, NULL, &f->message), LDAP_RES_SEARCH_ENTRY);
}

static enum im_err decode_message(struct fixture *f) {
    im_error_clear(&f->e);
    return im_decode_entry(f->ld, f->message, f->pool, &f->entry, &f->ranges, &f->e);
}

static void test_messages(void **state) {
    static const char extended[] = "<GUID=3d5d4f5b7f2f4d4aa5a5f5b7f2f4d4aa>;" DN;
    struct fixture *f = *state;
    add_one(f, "cn", VALUE("Zhang"));
    add_one(f, "sn", VALUE("L\xC3\xA1szlo"));
    take_made(f);
    const char *const dns[] = {DN, "", extended};
    const char *const plain[] = {DN, "", DN};
    for (size_t i = 0; i < LENGTH(dns); i++) {
        receive(f, value_of(dns[i], strlen(dns[i])), f->list);
        assert_int_equal(decode_message(f), IM_OK);
        assert_string_equal(f->entry.dn, plain[i]);
        assert_int_equal(f->entry.count, 2);
        has(f, 1, "sn", 1);
        is(f, 1, 0, VALUE("L\xC3\xA1szlo"));
    }
    receive(f, VALUE(DN), VALUE(""));
    assert_int_equal(decode_message(f), IM_OK);
    assert_string_equal(f->entry.dn, DN);
    assert_int_equal(f->entry.count, 0);
}

static void test_messages_that_cannot_be(void **state) {
    struct fixture *f = *state;
    const struct berval lists[] = {VALUE("\x30"), VALUE("\x30\x7F\x04\x01s\x31\0"), VALUE("\x30\x05\x04\x7Fs\x31\0")};
    for (size_t i = 0; i < LENGTH(lists); i++) {
        receive(f, VALUE(DN), lists[i]);
        assert_int_equal(decode_message(f), IM_E_PROTOCOL);
        assert_mentions(f->e.text, "attribute that cannot be decoded");
        assert_string_equal(f->e.where, DN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_are_what_they_were, begin, end),
        cmocka_unit_test_setup_teardown(test_lengths_may_be_longer_than_needed, begin, end),
        cmocka_unit_test_setup_teardown(test_there_need_be_none, begin, end),
        cmocka_unit_test_setup_teardown(test_options, begin, end),
        cmocka_unit_test_setup_teardown(test_a_part_takes_the_place_of_none, begin, end),
        cmocka_unit_test_setup_teardown(test_not_more_parts_than_some, begin, end),
        cmocka_unit_test_setup_teardown(test_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(test_lengths_that_cannot_be, begin, end),
        cmocka_unit_test_setup_teardown(test_out_of_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_messages, begin, end),
        cmocka_unit_test_setup_teardown(test_messages_that_cannot_be, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
