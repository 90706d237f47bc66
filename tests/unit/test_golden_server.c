/* The rules about servers, on the folders of tests/golden/server: every rule fires where it should, and only there. */
#include "tests/unit/golden.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

#define TOP "tests/golden/server"

static void tell(const char *facts_path, struct im_buf *out) {
    struct survey_world *w = survey_world_from_file(facts_path);
    survey_tell(IM_SCOPE_SERVER, w, out);
    survey_starve(IM_SCOPE_SERVER, w);
    survey_world_free(&w);
}

static void every_rule_has_folders(void **state) {
    (void)state;
    survey_check_rules(IM_SCOPE_SERVER, TOP);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule_has_folders)};
    int failed = golden_run_surveys(TOP, tell);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
