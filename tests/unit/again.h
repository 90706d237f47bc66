/* An earlier result of imcheck in another format. */
#ifndef IMDIR_TESTS_AGAIN_H
#define IMDIR_TESTS_AGAIN_H

#include "lib/report/check_read.h"

/* With a baseline, findings are compared with that instead of what the file says. `summary`, which may be NULL, gets what was
 * printed. */
enum im_err again_render(struct im_check_file *file, struct im_baseline *baseline, const struct im_check_format *format,
                         struct im_out *out, struct im_check_summary *summary, struct im_error *e);

#endif
