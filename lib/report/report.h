/* Reports of changing commands: one row a format, one file a format. They write through im_out, which remembers a failure. */
#ifndef IMDIR_REPORT_REPORT_H
#define IMDIR_REPORT_REPORT_H

#include "lib/base/error.h"
#include "lib/model/result.h"

#include <stdbool.h>
#include <stdio.h>

struct im_out {
    FILE *stream;
    bool color;         /* text only */
    size_t width;       /* columns of the terminal; 0 = not a terminal: never cut */
    bool verbose;       /* text: also show the attributes that change (always in a dry run) */
    bool first;         /* used by formats between calls */
    long flushed_tenth; /* of a second, on a clock of its own */
};

struct im_report_format {
    const char *name, *help;
    /* Each returns IM_E_OUTPUT when the stream cannot be written. */
    enum im_err (*begin)(struct im_out *out, const struct im_run_info *info, struct im_error *e);
    enum im_err (*account)(struct im_out *out, const struct im_run_info *info, const struct im_result *result,
                           struct im_error *e);
    enum im_err (*end)(struct im_out *out, const struct im_run_info *info, const struct im_summary *summary, struct im_error *e);
};

extern const struct im_report_format im_report_text, im_report_json, im_report_jsonl, im_report_csv;

/* The formats of changing commands, for --output and --help. */
const struct im_report_format *const *im_report_formats(size_t *count);

/* What imschema reports. */
enum im_err im_report_schema(struct im_out *out, const char *format, const struct im_run_info *info,
                             const struct im_schema_report *report, struct im_error *e);

#endif
