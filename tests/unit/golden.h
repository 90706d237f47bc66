/* Golden folders: each holds account.ldif, facts.yaml (tests/unit/world.h) and expect. Adding a case is adding a folder.
 * With GOLDEN_WRITE=1 in the environment the program writes what it got into the expect files: read the difference. */
#ifndef IMDIR_TESTS_GOLDEN_H
#define IMDIR_TESTS_GOLDEN_H

#include "lib/base/buf.h"
#include "tests/unit/world.h"

typedef void golden_tell(struct world *w, const struct im_entry *entry, struct im_buf *out);

/* Runs every folder below `top` (from the top of the source) as one test. A folder in which a file is missing or too much, and a
 * top without folders, are failures. Returns what cmocka returns. */
int golden_run(const char *top, golden_tell *tell);

/* The same for rules about the organisation: each folder holds facts.yaml and expect only. */
typedef void golden_survey_tell(const char *facts_path, struct im_buf *out);
int golden_run_surveys(const char *top, golden_survey_tell *tell);

/* Is there a folder whose name begins with `prefix` and whose expect file has, or has not, a line that begins with `line`? */
bool golden_has(const char *top, const char *prefix, const char *line, bool has);
size_t golden_count(const char *top, const char *prefix);

#endif
