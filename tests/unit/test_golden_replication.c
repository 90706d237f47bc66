/* The rules about replication, on the folders of tests/golden/replication: every rule fires where it should, and only there. */
#include "tests/unit/golden.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

#define TOP "tests/golden/replication"

static void tell(const char *facts_path, struct im_buf *out) {
    struct survey_world *w = survey_world_from_file(facts_path);
    survey_tell(IM_SCOPE_REPLICATION, w, out);
    survey_world_free(&w);
}

static void every_rule_has_folders(void **state) {
    (void)state;
    survey_check_rules(IM_SCOPE_REPLICATION, TOP);
}

static void no_answer_is_wrong_without_memory(void **state) {
    (void)state;
    struct survey_world *w = survey_world_from_text(
        "replication:\n  compared: true\n  domains: 2\n  truncated: x\n  bound-to-gc: true\n  left-out: 1\n  servers:\n"
        "    - { name: a }\n    - { name: b, kind: writable }\n    - { name: c, kind: writable, no-inbound: true, trouble: x }\n"
        "    - { name: d, kind: catalog }\n  differences:\n    - { server: a, dn: CN=x, attribute: y, here: z }\n"
        "    - { server: b, dn: CN=x }\n    - { server: d, dn: CN=x, attribute: y, there: z, when-there: t }\n");
    survey_starve(IM_SCOPE_REPLICATION, w);
    survey_world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule_has_folders),
                                       cmocka_unit_test(no_answer_is_wrong_without_memory)};
    int failed = golden_run_surveys(TOP, tell);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
