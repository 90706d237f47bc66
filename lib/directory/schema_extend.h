/* Parts of extending a schema. Internal to this room. */
#ifndef IMDIR_DIRECTORY_SCHEMA_EXTEND_H
#define IMDIR_DIRECTORY_SCHEMA_EXTEND_H

#include "lib/directory/schema.h"

/* One run. */
struct im_schema_run {
    struct im_directory *d;
    struct im_schema_extension *x;
    struct im_pool *pool;
    struct im_error *e;
};

/* Adds what the report calls absent. */
enum im_err im_schema_extend_ad(struct im_schema_run *run, const struct im_schema_report *report);
enum im_err im_schema_extend_openldap(struct im_schema_run *run, const struct im_schema_report *report);

enum im_err im_schema_run_compare(const struct im_schema_run *run, struct im_schema_report *report);
void im_schema_run_tell(const struct im_schema_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Add and modify as the directory does, but remembering that something was written, with a refusal explained; what is there
 * already, because somebody was quicker, is no error: the comparison at the end decides. */
enum im_err im_schema_run_add(struct im_schema_run *run, const struct im_entry *entry);
enum im_err im_schema_run_modify(struct im_schema_run *run, const struct im_change *change);

/* Takes over an error, with words for what it means here. */
void im_schema_run_refused(const struct im_schema_run *run, const struct im_error *inner);

/* Is the definition absent by the report? name is as findings spell it. */
bool im_schema_is_absent(const struct im_schema_report *report, enum im_def_kind kind, const char *name);

#endif
