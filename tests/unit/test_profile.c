/* Profiles: the built-in one, files of one's own, and every mistake with its place. */
#include "lib/model/profile.h"

#include "lib/model/rule.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#define ACCOUNTS "account-names: [uid]\nalias: [uid]\n"
#define ADDRESS "address: \"{alias}@{domain}\"\n"
#define HEAD "name: site\n" ACCOUNTS ADDRESS /* lines 1 to 4 */
#define LIST "attributes:\n"                 /* line 5 */
#define ONE "  - name: imAddress\n    role: address\n    enabled: \"{address}\"\n"
#define GOOD HEAD LIST ONE /* ends with line 8 */

struct file {
    char path[64];
};

static int set_up(void **state) {
    static struct file file;
    strcpy(file.path, "/tmp/imdir-profile-XXXXXX.yaml");
    int fd = mkstemps(file.path, 5);
    *state = &file;
    return fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state) {
    struct file *file = *state;
    return unlink(file->path);
}

static enum im_err load(const struct file *file, const char *yaml, struct im_profile **out, struct im_error *e) {
    FILE *stream = fopen(file->path, "w");
    assert_non_null(stream);
    assert_true(fputs(yaml, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    return im_profile_load(file->path, out, e);
}

static void the_built_in_profile_is_complete(void **state) {
    (void)state;
    struct im_profile *p = NULL;
    struct im_error e = {0};
    assert_int_equal(im_profile_load("exchange2000", &p, &e), IM_OK);
    assert_string_equal(p->name, "exchange2000");
    assert_int_equal(p->attr_count, 5);
    assert_string_equal(im_profile_role(p, IM_ROLE_ADDRESS)->name, "msExchIMAddress");
    assert_string_equal(im_profile_role(p, IM_ROLE_ADDRESS)->enabled, "{address}");
    assert_string_equal(im_profile_role(p, IM_ROLE_LOGICAL_URL)->enabled, "http://{im-domain}/instmsg/aliases/{im-alias}");
    assert_string_equal(im_profile_role(p, IM_ROLE_PHYSICAL_URL)->enabled,
                        "http://{home-host}/instmsg/local/{im-domain}/instmsg/aliases/{im-alias}");
    assert_string_equal(im_profile_role(p, IM_ROLE_HOME)->enabled, "{home-dn}");
    assert_null(im_profile_role(p, IM_ROLE_OPAQUE)->enabled);
    assert_null(im_profile_role(p, IM_ROLE_VALUE));
    assert_string_equal(im_profile_attr(p, "MSEXCHIMACL")->name, "msExchIMACL");
    assert_null(im_profile_attr(p, "mail"));
    assert_string_equal(p->aux_class, "msExchIMRecipient");
    assert_string_equal(p->schema_name, "exchange2000-im");
    assert_int_equal(p->schema.attr_count, 5);
    assert_int_equal(p->schema.class_count, 1);
    assert_string_equal(p->servers.object_class, "msExchProtocolCfgIMVirtualServer");
    assert_int_equal(p->srv_count, 1);
    assert_string_equal(p->srv[0].label, "_rvp._tcp");
    assert_int_equal(p->srv[0].port, 80);
    assert_string_equal(p->http.path, "/instmsg/");
    assert_string_equal(p->http.header, "RVP-Notifications-Version");
    assert_string_equal(p->http.version, "0.2");
    assert_int_equal(im_rules_check_profile(p, &e), IM_OK);
    im_profile_free(&p);
    assert_null(p);
    im_profile_free(&p);
}

static void a_file_may_leave_things_out(void **state) {
    struct im_profile *p = NULL;
    struct im_error e = {0};
    if (load(*state, GOOD, &p, &e) != IM_OK)
        fail_msg("%zu:%zu: %s", e.line, e.column, e.text);
    assert_string_equal(p->name, "site");
    assert_null(p->title);
    assert_null(p->aux_class);
    assert_null(p->servers.object_class);
    assert_int_equal(p->srv_count, 0);
    assert_int_equal(p->rule_count, 0);
    assert_int_equal(p->schema.attr_count, 0);
    assert_null(p->schema_name);
    im_profile_free(&p);
}

static void clients_may_look_for_several_srv_records(void **state) {
    struct im_profile *p = NULL;
    struct im_error e = {0};
    assert_int_equal(load(*state, GOOD "srv: [{name: _sip._tls, port: 443}, {name: _s-1._tcp, port: 65535}]\n", &p, &e), IM_OK);
    assert_int_equal(p->srv_count, 2);
    assert_string_equal(p->srv[0].label, "_sip._tls");
    assert_int_equal(p->srv[0].port, 443);
    assert_string_equal(p->srv[1].label, "_s-1._tcp");
    assert_int_equal(p->srv[1].port, 65535);
    im_profile_free(&p);
}

static void a_site_variant_keeps_the_schema(void **state) {
    struct im_profile *p = NULL;
    struct im_error e = {0};
    assert_int_equal(load(*state, "name: exchange2000\n" ACCOUNTS ADDRESS LIST ONE, &p, &e), IM_OK);
    assert_int_equal(p->schema.attr_count, 5);
    assert_string_equal(p->schema_name, "exchange2000-im");
    im_profile_free(&p);
}

static void mistakes_name_place_and_what_is_allowed(void **state) {
    static const struct {
        const char *yaml;
        size_t line, column;
        const char *words;
    } rows[] = {
        {"", 1, 1, "empty"},
        {"- a\n", 1, 1, "map"},
        {ACCOUNTS ADDRESS LIST ONE, 1, 1, "\"name\" is missing"},
        {"name: [a]\n", 1, 7, "text"},
        {"name: two words\n", 1, 7, "\"two words\" is not a name"},
        {"name: site\nalias: [uid]\n" ADDRESS LIST ONE, 1, 1, "\"account-names\" is missing"},
        {"name: site\naccount-names: uid\n", 2, 16, "list with at least one name"},
        {"name: site\naccount-names: []\n", 2, 16, "list with at least one name"},
        {"name: site\naccount-names: [uid, \"u)(id\"]\n", 2, 22, "\"u)(id\" is not a name"},
        {"name: site\naccount-names: [uid, [x]]\n", 2, 22, "text"},
        {"name: site\naccount-names: [uid, UID]\n", 2, 22, "UID is listed twice"},
        {"name: site\naccount-names: [uid]\n" ADDRESS LIST ONE, 1, 1, "\"alias\" is missing"},
        {"name: site\n" ACCOUNTS LIST ONE, 1, 1, "\"address\" is missing"},
        {"name: site\n" ACCOUNTS "address: \"{alais}@x\"\n", 4, 10, "did you mean {alias}?"},
        {"name: site\n" ACCOUNTS "address: \"{alias\"\n", 4, 10, "brace"},
        {"name: site\n" ACCOUNTS "address: \"{home-dn}\"\n", 4, 10, "{home-dn}"},
        {GOOD "adress: x\n", 9, 1, "did you mean \"address\"?"},
        {GOOD "rules: [a]\nrules: [b]\n", 10, 1, "rules"},
        {GOOD "title: {a: b}\n", 9, 8, "text"},
        {HEAD, 1, 1, "\"attributes\" is missing"},
        {HEAD "attributes: {}\n", 5, 13, "list of name, role and enabled"},
        {HEAD "attributes: []\n", 5, 13, "list of name, role and enabled"},
        {HEAD LIST "  - imAddress\n", 6, 5, "map"},
        {HEAD LIST "  - role: address\n", 6, 5, "\"name\" is missing"},
        {HEAD LIST "  - name: \"im address\"\n", 6, 11, "is not a name"},
        {HEAD LIST "  - name: imAddress\n", 6, 5, "\"role\" is missing"},
        {HEAD LIST "  - name: imAddress\n    role: adress\n", 7, 11, "expected address, logical-url"},
        {HEAD LIST "  - name: imAddress\n    role: [a]\n", 7, 11, "text"},
        {HEAD LIST "  - name: imAddress\n    role: address\n", 6, 5, "\"enabled\" is missing"},
        {HEAD LIST "  - name: imAddress\n    role: address\n    enabled: \"{adress}\"\n", 8, 14, "did you mean {address}?"},
        {HEAD LIST "  - name: imAddress\n    role: opaque\n    enabled: x\n", 8, 14, "opaque attribute is never written"},
        {HEAD LIST "  - name: imAddress\n    role: value\n    enabld: x\n", 8, 5, "did you mean \"enabled\"?"},
        {GOOD "  - name: IMADDRESS\n    role: value\n    enabled: x\n", 9, 11, "IMADDRESS is listed twice"},
        {GOOD "  - name: other\n    role: address\n    enabled: x\n", 10, 11, "imAddress has this role already"},
        {GOOD "auxiliary-class: \"a b\"\n", 9, 18, "is not a name"},
        {GOOD "servers: [a]\n", 9, 10, "map"},
        {GOOD "servers: {class: a, name: b}\n", 9, 10, "\"hosts-users\" is missing"},
        {GOOD "servers: {class: a, name: b, hosts-user: c}\n", 9, 30, "did you mean \"hosts-users\"?"},
        {GOOD "servers: {class: \"*\", name: b, hosts-users: c}\n", 9, 18, "is not a name"},
        {GOOD "srv: _rvp._tcp\n", 9, 6, "list of name and port"},
        {GOOD "srv: []\n", 9, 6, "list of name and port"},
        {GOOD "srv: [{port: 80}]\n", 9, 7, "\"name\" is missing"},
        {GOOD "srv: [{name: _rvp._tcp}]\n", 9, 7, "\"port\" is missing"},
        {GOOD "srv: [{name: rvp._tcp, port: 80}]\n", 9, 14, "\"rvp._tcp\" is not of the form _service._tcp"},
        {GOOD "srv: [{name: _rvp._tcp.x, port: 80}]\n", 9, 14, "not of the form"},
        {GOOD "srv: [{name: _rvp_tcp, port: 80}]\n", 9, 14, "not of the form"},
        {GOOD "srv: [{name: _._tcp, port: 80}]\n", 9, 14, "not of the form"},
        {GOOD "srv: [{name: _rvp._, port: 80}]\n", 9, 14, "not of the form"},
        {GOOD "srv: [{name: _rvp._tcp, port: 0}]\n", 9, 31, "1"},
        {GOOD "srv: [{name: _rvp._tcp, port: 65536}]\n", 9, 31, "65535"},
        {GOOD "srv: [{name: _rvp._tcp, prt: 1}]\n", 9, 25, "did you mean \"port\"?"},
        {GOOD "http: [a]\n", 9, 7, "map"},
        {GOOD "http: {path: /im/, header: X-IM}\n", 9, 7, "\"version\" is missing"},
        {GOOD "http: {path: /im/, header: X-IM, version: 1, port: 8}\n", 9, 46, "unknown key"},
        {GOOD "http: {path: /im, header: X-IM, version: 1}\n", 9, 14, "no path such as /instmsg/"},
        {GOOD "http: {path: im/, header: X-IM, version: 1}\n", 9, 14, "no path"},
        {GOOD "http: {path: /../, header: X-IM, version: 1}\n", 9, 14, "no path"},
        {GOOD "http: {path: \"/a\\r\\nb/\", header: X-IM, version: 1}\n", 9, 14, "no path"},
        {GOOD "http: {path: /im/, header: \"a: b\", version: 1}\n", 9, 28, "is not a name"},
        {GOOD "http: {path: /im/, header: X-IM, version: \"1\\n2\"}\n", 9, 43, "no version"},
        {GOOD "rules: account-disabled\n", 9, 8, "list"},
        {GOOD "rules: [account-disabled, \"\"]\n", 9, 27, "is not a name"},
        {"name: &x site\naddress: *x\n", 1, 7, "aliases"},
        {"name: \"site\n", 0, 0, ""},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_profile *p = NULL;
        struct im_error e = {0};
        if (load(*state, rows[i].yaml, &p, &e) != IM_E_CONFIG || p != NULL)
            fail_msg("accepted: %s", rows[i].yaml);
        if (rows[i].line && (e.line != rows[i].line || e.column != rows[i].column)) {
            fail_msg("%zu:%zu instead of %zu:%zu, \"%s\": %s", e.line, e.column, rows[i].line, rows[i].column, e.text,
                     rows[i].yaml);
        }
        assert_mentions(e.text, rows[i].words);
        assert_string_equal(e.where, ((struct file *)*state)->path);
    }
}

static void names_that_lead_nowhere(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum im_err code;
        const char *words;
    } rows[] = {
        {"exchange", IM_E_CONFIG, "expected exchange2000"},
        {"", IM_E_CONFIG, "expected exchange2000"},
        {"../exchange2000", IM_E_IO, ""},
        {"nothing-here.yaml", IM_E_IO, ""},
        {"nothing-here.yml", IM_E_IO, ""},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_profile *p = NULL;
        struct im_error e = {0};
        assert_int_equal(im_profile_load(rows[i].name, &p, &e), rows[i].code);
        assert_null(p);
        assert_mentions(e.text, rows[i].words);
    }
}

static void unknown_rules_are_refused_with_their_place(void **state) {
    struct im_profile *p = NULL;
    struct im_error e = {0};
    assert_int_equal(load(*state, GOOD "rules: [account-disabled, acount-not-writable]\n", &p, &e), IM_OK);
    assert_int_equal(im_rules_check_profile(p, &e), IM_E_CONFIG);
    assert_int_equal(e.line, 9);
    assert_int_equal(e.column, 27);
    assert_mentions(e.text, "\"acount-not-writable\": did you mean \"account-not-writable\"?");
    assert_string_equal(e.where, ((struct file *)*state)->path);
    im_profile_free(&p);
}

static void the_address_knows_less_than_the_attributes(void **state) {
    (void)state;
    size_t few;
    size_t all;
    const char *const *names = im_profile_variables(false, &all);
    im_profile_variables(true, &few);
    assert_true(few < all);
    assert_string_equal(names[all - 1], "home-dn");
}

static enum im_err load_built_in(void *user, struct im_error *e) {
    (void)user;
    struct im_profile *p = NULL;
    enum im_err err = im_profile_load("exchange2000", &p, e);
    im_profile_free(&p);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    assert_true(oom_every_allocation(load_built_in, NULL) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_profile_is_complete),
        cmocka_unit_test_setup_teardown(a_file_may_leave_things_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_may_look_for_several_srv_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_site_variant_keeps_the_schema, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_name_place_and_what_is_allowed, set_up, tear_down),
        cmocka_unit_test(names_that_lead_nowhere),
        cmocka_unit_test_setup_teardown(unknown_rules_are_refused_with_their_place, set_up, tear_down),
        cmocka_unit_test(the_address_knows_less_than_the_attributes),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
