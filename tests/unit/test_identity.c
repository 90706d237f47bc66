/* How people are named by operators: which form a text has, and what is looked up. */
#include "lib/model/identity.h"
#include "tests/unit/unit.h"

static int set_up(void **state) {
    *state = im_pool_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state) {
    struct im_pool *pool = *state;
    im_pool_free(&pool);
    return 0;
}

static struct im_identity parsed(struct im_pool *pool, const char *text) {
    struct im_identity id = {0};
    struct im_error e = {.code = IM_OK};
    if (im_identity_parse(text, pool, &id, &e) != IM_OK)
        fail_msg("%s: %s", text, e.text);
    return id;
}

static void forms_are_recognised(void **state) {
    static const struct {
        const char *text;
        enum im_identity_kind kind;
        const char *looked_up, *domain;
    } rows[] = {
        {"jdoe", IM_ID_NAME, "jdoe", NULL},
        {"CN=Jane Doe,OU=People,DC=corp,DC=example", IM_ID_DN, "CN=Jane Doe,OU=People,DC=corp,DC=example", NULL},
        {"CN=Müller\\, Jörg,DC=x", IM_ID_DN, "CN=Müller\\, Jörg,DC=x", NULL},
        {"uid=jane@home,dc=x", IM_ID_DN, "uid=jane@home,dc=x", NULL},
        {"S-1-5-21-1-2-3-1104", IM_ID_SID, "S-1-5-21-1-2-3-1104", NULL},
        {"S-1-x", IM_ID_NAME, "S-1-x", NULL},
        {"6f9619ff-8b86-4011-b42d-00cf4fc964ff", IM_ID_GUID, "6f9619ff-8b86-4011-b42d-00cf4fc964ff", NULL},
        {"{6F9619FF-8B86-4011-B42D-00CF4FC964FF}", IM_ID_GUID, "{6F9619FF-8B86-4011-B42D-00CF4FC964FF}", NULL},
        {"6f9619ff-8b86-4011-b42d", IM_ID_NAME, "6f9619ff-8b86-4011-b42d", NULL},
        {"jane.doe@corp.example", IM_ID_ADDRESS, "jane.doe@corp.example", NULL},
        {"@jane", IM_ID_NAME, "@jane", NULL},
        {"jane@", IM_ID_NAME, "jane@", NULL},
        {"CORP\\jdoe", IM_ID_DOMAIN_NAME, "jdoe", "CORP"},
        {"Jörg Müller", IM_ID_NAME, "Jörg Müller", NULL},
        {" \t\xc2\xa0jdoe\xc2\xa0 \r\n", IM_ID_NAME, "jdoe", NULL},
        {"\xc3\xa0", IM_ID_NAME, "\xc3\xa0", NULL}, /* ends in the byte that U+00A0 ends in */
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_identity id = parsed(*state, rows[i].text);
        if (id.kind != rows[i].kind)
            fail_msg("%s is of kind %d", rows[i].text, (int)id.kind);
        assert_string_equal(id.text, rows[i].looked_up);
        if (rows[i].domain) {
            assert_string_equal(id.domain, rows[i].domain);
        } else {
            assert_null(id.domain);
        }
    }
}

static void prefixes_force_a_form(void **state) {
    static const struct {
        const char *text;
        enum im_identity_kind kind;
        const char *looked_up;
    } rows[] = {
        {"dn:cn=a,dc=b", IM_ID_DN, "cn=a,dc=b"},
        {"UPN: jane@corp.example", IM_ID_UPN, "jane@corp.example"},
        {"mail:jane@corp.example", IM_ID_MAIL, "jane@corp.example"},
        {"sam:S-1-5-21-1-2-3-1104", IM_ID_NAME, "S-1-5-21-1-2-3-1104"},
        {"sam:a=b", IM_ID_NAME, "a=b"},
        {"sid:S-1-5-18", IM_ID_SID, "S-1-5-18"},
        {"guid:{6f9619ff-8b86-4011-b42d-00cf4fc964ff}", IM_ID_GUID, "{6f9619ff-8b86-4011-b42d-00cf4fc964ff}"},
        {"im:jane@im.corp.example", IM_ID_IM, "jane@im.corp.example"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_identity id = parsed(*state, rows[i].text);
        if (id.kind != rows[i].kind)
            fail_msg("%s is of kind %d", rows[i].text, (int)id.kind);
        assert_string_equal(id.text, rows[i].looked_up);
    }
}

static void nonsense_is_explained(void **state) {
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "empty"},
        {" \xc2\xa0 ", "empty"},
        {"J\xf6rg", "UTF-8"},
        {"dn:jdoe", "a DN such as"},
        {"sid:jdoe", "a SID such as"},
        {"guid:1234", "32 hexadecimal digits"},
        {"mail:jdoe", "a mail address"},
        {"im:jdoe@", "an IM address"},
        {"sam:", "an account name"},
        {"upn: ", "a user principal name"},
        {"\\jdoe", "DOMAIN\\name"},
        {"CORP\\", "DOMAIN\\name"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_identity id = {.text = "untouched"};
        struct im_error e = {.code = IM_OK};
        assert_int_equal(im_identity_parse(rows[i].text, *state, &id, &e), IM_E_INPUT);
        assert_mentions(e.text, rows[i].says);
        assert_string_equal(id.text, "untouched");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forms_are_recognised, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prefixes_force_a_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nonsense_is_explained, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
