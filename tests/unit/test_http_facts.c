/* What answers of web servers mean: ways to log on, URLs. */
#include "lib/model/http_facts.h"

#include "lib/base/buf.h"
#include "tests/unit/oom.h"
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

/* "NTLM|Digest realm" */
static const char *told(const struct im_http_answer *a, struct im_pool *pool) {
    struct im_buf out = IM_BUF_INIT;
    for (size_t i = 0; i < a->challenge_count; i++) {
        const struct im_http_challenge *c = &a->challenges[i];
        im_buf_addf(&out, "%s%s%s%s", i ? "|" : "", c->scheme, c->realm ? " " : "", c->realm ? c->realm : "");
    }
    const char *text = im_pool_strdup(pool, im_buf_str(&out));
    im_buf_free(&out);
    return text;
}

static void challenges_are_taken_apart(void **state) {
    static const struct {
        const char *header, *expect;
        unsigned schemes;
    } rows[] = {
        {"NTLM", "NTLM", IM_HTTP_NTLM},
        {"ntlm", "ntlm", IM_HTTP_NTLM},
        {"Negotiate", "Negotiate", IM_HTTP_NEGOTIATE},
        {"NTLM TlRMTVNTUAACAAAA==", "NTLM", IM_HTTP_NTLM},
        {"Negotiate, NTLM", "Negotiate|NTLM", IM_HTTP_NEGOTIATE | IM_HTTP_NTLM},
        {"Negotiate YII=, NTLM", "Negotiate|NTLM", IM_HTTP_NEGOTIATE | IM_HTTP_NTLM},
        {",, NTLM ,\t,Basic realm=\"a\" ,", "NTLM|Basic a", IM_HTTP_NTLM | IM_HTTP_BASIC},
        {"Basic realm=\"im.corp.example\"", "Basic im.corp.example", IM_HTTP_BASIC},
        {"Basic realm=im.corp.example", "Basic im.corp.example", IM_HTTP_BASIC},
        {"Basic REALM = \"x\"", "Basic x", IM_HTTP_BASIC},
        {"Digest qop=\"auth,auth-int\", realm=\"im\", nonce=\"NTLM, Basic\"", "Digest im", IM_HTTP_DIGEST},
        {"Digest realm=\"a \\\"b\\\" \\\\c\", NTLM", "Digest a \"b\" \\c|NTLM", IM_HTTP_DIGEST | IM_HTTP_NTLM},
        {"Digest realm=\"one\", realm=\"two\"", "Digest one", IM_HTTP_DIGEST},
        {"Digest realm=\"\", nonce=\"1\"", "Digest ", IM_HTTP_DIGEST},
        {"Digest nonce=\"1\", Digest realm=\"b\"", "Digest|Digest b", IM_HTTP_DIGEST},
        {"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"", "Newauth apps|Basic simple",
         IM_HTTP_OTHER_SCHEME | IM_HTTP_BASIC}, /* the example of RFC 9110 section 11.6.1 */
        {"NTLMSSP", "NTLMSSP", IM_HTTP_OTHER_SCHEME},
        /* hostile */
        {"", "", 0},
        {" , ,", "", 0},
        {"realm=\"a\"", "", 0},
        {"=", "", 0},
        {"\"NTLM\"", "", 0},
        {"Basic realm=\"open", "Basic", IM_HTTP_BASIC},
        {"Basic realm=\"open\\", "Basic", IM_HTTP_BASIC},
        {"Basic realm=", "Basic", IM_HTTP_BASIC},
        {"Basic realm=;, NTLM", "Basic", IM_HTTP_BASIC},
        {"NTLM \x01\xff, Basic", "NTLM", IM_HTTP_NTLM},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_http_answer a = {0};
        struct im_error e = {0};
        assert_int_equal(im_http_add_challenges(&a, rows[i].header, *state, &e), IM_OK);
        if (strcmp(told(&a, *state), rows[i].expect) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].header, told(&a, *state), rows[i].expect);
        assert_int_equal(im_http_answer_schemes(&a), rows[i].schemes);
    }
}

static void several_lines_add_up_to_a_limit(void **state) {
    struct im_http_target t = {.host = "im.corp.example"};
    struct im_error e = {0};
    assert_int_equal(im_http_schemes(&t), 0);
    assert_int_equal(im_http_add_challenges(&t.propfind, "Negotiate", *state, &e), IM_OK);
    assert_int_equal(im_http_add_challenges(&t.propfind, "NTLM", *state, &e), IM_OK);
    assert_int_equal(im_http_add_challenges(&t.propfind, "realm=\"of nobody\"", *state, &e), IM_OK);
    assert_int_equal(im_http_schemes(&t), IM_HTTP_NEGOTIATE | IM_HTTP_NTLM);
    assert_null(t.propfind.challenges[1].realm);
    for (int i = 0; i < 30; i++)
        assert_int_equal(im_http_add_challenges(&t.propfind, "a, b, c", *state, &e), IM_OK);
    assert_int_equal(t.propfind.challenge_count, IM_HTTP_MAX_CHALLENGES);
    assert_int_equal(im_http_add_challenges(&t.propfind, "Basic", *state, &e), IM_OK);
    assert_false(im_http_schemes(&t) & IM_HTTP_BASIC);
}

static void schemes_as_text(void **state) {
    assert_string_equal(im_http_schemes_text(0, *state), "none");
    assert_string_equal(im_http_schemes_text(IM_HTTP_BASIC, *state), "Basic");
    assert_string_equal(im_http_schemes_text(31, *state), "NTLM, Negotiate, Digest, Basic, others");
}

static void targets_are_found_by_name(void **state) {
    (void)state;
    struct im_http_target targets[] = {{.host = "im.corp.example"}, {.host = "imhome1.corp.example"}};
    struct im_http_user users[] = {{.account = "nobody"}, {.dn = "CN=Anna,DC=corp"}};
    const struct im_http_facts facts = {.targets = targets, .target_count = 2, .users = users, .user_count = 2};
    assert_ptr_equal(im_http_target(&facts, "IMHOME1.corp.example."), &targets[1]);
    assert_ptr_equal(im_http_target(&facts, "im.corp.example"), &targets[0]);
    assert_null(im_http_target(&facts, "corp.example"));
    assert_null(im_http_target(&facts, NULL));
    assert_ptr_equal(im_http_user(&facts, "cn=anna,dc=CORP"), &users[1]);
    assert_null(im_http_user(&facts, "nobody"));
    assert_null(im_http_user(&facts, NULL));
}

static void urls_are_taken_apart(void **state) {
    static const struct {
        const char *text, *host, *path;
        long port;
        bool is_tls;
    } rows[] = {
        {"http://IM.Corp.Example/instmsg/aliases/anna", "im.corp.example", "/instmsg/aliases/anna", 80, false},
        {"HTTPS://im.corp.example./", "im.corp.example", "/", 443, true},
        {"http://im.corp.example", "im.corp.example", "/", 80, false},
        {"http://im.corp.example:8080?x", "im.corp.example", "?x", 8080, false},
        {"http://im.corp.example:/a", "im.corp.example", "/a", 80, false},
        {"http://[2001:DB8::1]:81/", "[2001:db8::1]", "/", 81, false},
        {"ftp://im.corp.example/", NULL, NULL, 0, false},
        {"//im.corp.example/", NULL, NULL, 0, false},
        {"/instmsg/", NULL, NULL, 0, false},
        {"", NULL, NULL, 0, false},
        {"http://", NULL, NULL, 0, false},
        {"http:///a", NULL, NULL, 0, false},
        {"http://./a", NULL, NULL, 0, false},
        {"http://im.corp.example../", NULL, NULL, 0, false},
        {"http://[::1", NULL, NULL, 0, false},
        {"http://[::1]a/", NULL, NULL, 0, false},
        {"http://u:p@im.corp.example/", NULL, NULL, 0, false},
        {"http://im.corp.example@evil.example/", NULL, NULL, 0, false},
        {"http://im.corp.example:0/", NULL, NULL, 0, false},
        {"http://im.corp.example:65536/", NULL, NULL, 0, false},
        {"http://im.corp.example:999999999999999999999/", NULL, NULL, 0, false},
        {"http://im.corp.example:80x/", NULL, NULL, 0, false},
        {"http://im.corp.example\\@evil/", NULL, NULL, 0, false},
        {"http://im.corp.example/a b", NULL, NULL, 0, false},
        {"http://im.corp.example/\r\nHost: evil", NULL, NULL, 0, false},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_http_url url;
        struct im_error e = {0};
        assert_int_equal(im_http_url_parse(rows[i].text, *state, &url, &e), IM_OK);
        if (!rows[i].host && url.host)
            fail_msg("accepted: %s", rows[i].text);
        if (!rows[i].host)
            continue;
        if (!url.host)
            fail_msg("refused: %s", rows[i].text);
        assert_string_equal(url.host, rows[i].host);
        assert_string_equal(url.path, rows[i].path);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.is_tls, rows[i].is_tls);
    }
}

static void the_same_place_in_other_words(void **state) {
    (void)state;
    static const char *const same[] = {
        "http://im.corp.example/instmsg/aliases/anna", "HTTP://IM.corp.example/instmsg/Aliases/Anna",
        "http://im.corp.example:80/instmsg/aliases/anna/", "http://im.corp.example./instmsg/aliases/anna"};
    static const char *const other[] = {"https://im.corp.example/instmsg/aliases/anna",
                                        "http://im.corp.example:8080/instmsg/aliases/anna",
                                        "http://im.corp.example/instmsg/aliases/anne",
                                        "http://im.corp.example/instmsg/aliases/anna/x",
                                        "http://im2.corp.example/instmsg/aliases/anna",
                                        "/instmsg/aliases/anna",
                                        ""};
    for (size_t i = 0; i < LENGTH(same); i++)
        assert_true(im_http_url_equal(same[0], same[i]) && im_http_url_equal(same[i], same[0]));
    for (size_t i = 0; i < LENGTH(other); i++)
        assert_false(im_http_url_equal(same[0], other[i]) || im_http_url_equal(other[i], same[0]));
    assert_true(im_http_url_equal("http://im.corp.example", "http://im.corp.example/"));
}

static enum im_err take_apart(void *user, struct im_error *e) {
    (void)user;
    struct im_pool *pool = im_pool_new();
    struct im_http_answer a = {0};
    struct im_http_url url;
    enum im_err err = pool ? IM_OK : im_error_nomem(e);
    if (err == IM_OK)
        err = im_http_add_challenges(&a, "NTLM, Digest realm=\"im.corp.example\", Basic realm=x", pool, e);
    if (err == IM_OK)
        err = im_http_url_parse("http://im.corp.example/instmsg/", pool, &url, e);
    if (err == IM_OK && !im_http_schemes_text(7, pool))
        err = im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    assert_true(oom_every_allocation(take_apart, NULL) > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(challenges_are_taken_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_lines_add_up_to_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schemes_as_text, set_up, tear_down),
        cmocka_unit_test(targets_are_found_by_name),
        cmocka_unit_test_setup_teardown(urls_are_taken_apart, set_up, tear_down),
        cmocka_unit_test(the_same_place_in_other_words),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
