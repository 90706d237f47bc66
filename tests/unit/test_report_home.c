/* What imhome's list and show print in each format, byte for byte. */
#include "tests/unit/unit.h"

#include "lib/report/home.h"

#include <stdio.h>

static const struct im_run_info info = {.command = "imhome",
                                        .version = "0.1.0",
                                        .profile = "exchange2000",
                                        .directory = "ldaps://dc1.corp.example",
                                        .started = 1764100000};
#define HEAD                                                                                                                     \
    "\"command\":\"imhome\",\"version\":\"0.1.0\",\"profile\":\"exchange2000\",\"directory\":\"ldaps://dc1.corp.example\","      \
    "\"started\":\"2025-11-25T19:46:40Z\""

static const char *const two_domains[] = {"im.corp.example", "im.shop.example"};
static const char *const full[] = {"overfull"};
static const char *const gone[] = {"its object is deleted", "still homes 3 people"};
static const char *const odd[] = {"\x1b[31m; =x"};

static const struct im_home_row servers[] = {
    {.name = "imhome1",
     .host = "imhome1.corp.example",
     .dn = "CN=1",
     .kind = "home",
     .domains = two_domains,
     .domain_count = 2,
     .users = 7600,
     .capacity = 7500,
     .remarks = full,
     .remark_count = 1},
    {.name = "=router\x1b", .kind = "router", .users = -1},
    {.name = "old", .dn = "CN=old", .kind = "home", .users = 3, .remarks = gone, .remark_count = 2},
};

static const struct im_homed_row people[] = {
    {.input = "jdoe", .account = "jdoe", .dn = "CN=Jane", .home = "imhome1", .tells = true, .agrees = true},
    {.input = "a", .account = "adam", .dn = "CN=Adam", .home = "CN=x", .tells = true, .remarks = odd, .remark_count = 1},
    {.input = "nobody", .source = "a.csv:3", .remarks = gone, .remark_count = 1},
    {.input = "", .source = "a.csv:4", .remarks = gone, .remark_count = 1},
};

static void check_list(const char *format, size_t count, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    struct im_error e = {.code = IM_OK};
    struct im_out out = {.stream = open_memstream(&text, &size)};
    assert_non_null(out.stream);
    assert_int_equal(im_report_homes(&out, format, &info, servers, count, &e), IM_OK);
    (void)fclose(out.stream);
    assert_string_equal(text, expected);
    free(text);
}

static void check_show(const char *format, size_t count, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    struct im_error e = {.code = IM_OK};
    struct im_out out = {.stream = open_memstream(&text, &size)};
    assert_non_null(out.stream);
    assert_int_equal(im_report_homed_begin(&out, format, &info, &e), IM_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(im_report_homed(&out, format, &people[i], &e), IM_OK);
    assert_int_equal(im_report_homed_end(&out, format, &e), IM_OK);
    (void)fclose(out.stream);
    assert_string_equal(text, expected);
    free(text);
}

#define SERVERS_JSON                                                                                                             \
    "\"name\":\"imhome1\",\"host\":\"imhome1.corp.example\",\"dn\":\"CN=1\",\"kind\":\"home\","                                  \
    "\"domains\":[\"im.corp.example\",\"im.shop.example\"],\"users\":7600,\"capacity\":7500,\"remarks\":[\"overfull\"]}"

static void servers_are_listed(void **state) {
    (void)state;
    check_list(
        "text", 3,
        "NAME         HOST                  KIND    IM DOMAINS                       USERS  CAPACITY  REMARKS\n"
        "imhome1      imhome1.corp.example  home    im.corp.example im.shop.example   7600      7500  overfull\n"
        "=router\\x1b  -                     router  -                                    -         -\n"
        "old          -                     home    any                                  3         -  its object is deleted; "
        "still homes 3 people\n");
    check_list("csv", 3,
               "name,host,kind,domains,users,capacity,remarks\n"
               "imhome1,imhome1.corp.example,home,im.corp.example im.shop.example,7600,7500,overfull\n"
               "'=router\x1b,,router,,,,\n"
               "old,,home,,3,,\"its object is deleted; still homes 3 people\"\n");
    check_list("json", 1, "{" HEAD ",\"servers\":[{" SERVERS_JSON "]}\n");
    check_list("json", 0, "{" HEAD ",\"servers\":[]}\n");
    check_list("jsonl", 1, "{\"type\":\"run\"," HEAD "}\n{\"type\":\"server\"," SERVERS_JSON "\n");
    check_list("text", 0, "no server is known, and nobody is homed anywhere\n");
}

static void people_are_shown(void **state) {
    (void)state;
    check_show("text", 4,
               "jdoe                    imhome1           agrees\n"
               "adam                    CN=x              \\x1b[31m; =x\n"
               "nobody                  -                 its object is deleted (a.csv:3)\n"
               "a.csv:4                 -                 its object is deleted\n");
    check_show("csv", 3,
               "account,dn,home,agrees,remarks\n"
               "jdoe,CN=Jane,imhome1,true,\n"
               "adam,CN=Adam,CN=x,false,\"\x1b[31m; =x\"\n"
               "nobody,,,,its object is deleted\n");
    check_show("json", 3,
               "{" HEAD ",\n\"accounts\":[\n"
               "{\"account\":\"jdoe\",\"dn\":\"CN=Jane\",\"home\":\"imhome1\",\"agrees\":true,\"remarks\":[]},\n"
               "{\"account\":\"adam\",\"dn\":\"CN=Adam\",\"home\":\"CN=x\",\"agrees\":false,\"remarks\":[\"\\u001B[31m; =x\"]},\n"
               "{\"account\":\"nobody\",\"remarks\":[\"its object is deleted\"]}\n]}\n");
    check_show("json", 0, "{" HEAD ",\n\"accounts\":[]}\n");
    check_show(
        "jsonl", 1,
        "{\"type\":\"run\"," HEAD "}\n"
        "{\"type\":\"account\",\"account\":\"jdoe\",\"dn\":\"CN=Jane\",\"home\":\"imhome1\",\"agrees\":true,\"remarks\":[]}\n");
}

static void a_full_disk_is_noticed(void **state) {
    static const char *const formats[] = {"text", "csv", "json", "jsonl"};
    (void)state;
    for (size_t i = 0; i < LENGTH(formats); i++) {
        struct im_error e = {.code = IM_OK};
        struct im_out out = {.stream = fopen("/dev/full", "w")};
        assert_non_null(out.stream);
        setvbuf(out.stream, NULL, _IONBF, 0);
        assert_int_equal(im_report_homes(&out, formats[i], &info, servers, 3, &e), IM_E_OUTPUT);
        (void)fclose(out.stream);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_are_listed),
        cmocka_unit_test(people_are_shown),
        cmocka_unit_test(a_full_disk_is_noticed),
    };
    return cmocka_run_group_tests_name("report_home", tests, NULL, NULL);
}
