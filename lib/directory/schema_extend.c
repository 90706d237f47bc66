#include "lib/directory/schema_extend.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Codes of RFC 4511. */
enum { VALUE_EXISTS = 20, NO_SUCH_OBJECT = 32, NO_RIGHT = 50, UNWILLING = 53, ENTRY_EXISTS = 68 };

void im_schema_run_tell(const struct im_schema_run *run, const char *format, ...) {
    char text[512];
    if (!run->x->progress)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    run->x->progress(run->x->user, text);
}

enum im_err im_schema_run_compare(const struct im_schema_run *run, struct im_schema_report *report) {
    struct im_schema found;
    enum im_err err = im_schema_read(run->d, run->x->profile, run->pool, &found, run->e);
    return err == IM_OK ? im_schema_compare(&run->x->profile->schema, &found, run->pool, report, run->e) : err;
}

bool im_schema_is_absent(const struct im_schema_report *report, enum im_def_kind kind, const char *name) {
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].kind == kind && im_text_equal(report->items[i].name, name))
            return report->items[i].state == IM_DEF_ABSENT;
    }
    return false;
}

/* ---- writing ---- */

/* What a refusal means here, and what to do. */
static const struct refusal {
    int code;
    bool is_ad;
    const char *part; /* of the server's text, or NULL */
    const char *words;
} refusals[] = {
    {UNWILLING, true, "updates are not allowed",
     "this server does not allow schema changes: put \"dsdb:schema update allowed = yes\" into its smb.conf and restart it"},
    {NO_RIGHT, true, NULL, "this account may not change the schema: use a member of Schema Admins"},
    {NO_RIGHT, false, NULL,
     "this account may not change cn=config (run imschema as root on the server with --uri ldapi:///, or bind as the olcRootDN "
     "of "
     "cn=config, or give the LDIF that imschema --ldif openldap prints to somebody who may)"},
    {NO_SUCH_OBJECT, false, NULL,
     "this account cannot see cn=config: run imschema as root on the server with --uri ldapi:///, or bind as the olcRootDN of "
     "cn=config, or give the LDIF that imschema --ldif openldap prints to somebody who may"},
};

void im_schema_run_refused(const struct im_schema_run *run, const struct im_error *inner) {
    struct im_error *e = run->e;
    if (!e || e->code != IM_OK)
        return;
    *e = *inner;
    if (e->origin != IM_ORIGIN_LDAP)
        return;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *row = &refusals[i];
        if (row->code != e->system || row->is_ad != im_directory_rootdse(run->d)->is_ad ||
            (row->part && !strstr(e->text, row->part)))
            continue;
        (void)snprintf(e->text, sizeof e->text, "%.500s; bound as %.200s: %s", inner->text, im_directory_identity(run->d),
                       row->words);
        return;
    }
}

static enum im_err finish_write(struct im_schema_run *run, enum im_err err, const struct im_error *inner) {
    /* After a refusal nothing was written; after anything else it may have been. */
    if (err == IM_OK || inner->origin != IM_ORIGIN_LDAP)
        run->x->wrote = true;
    if (inner->origin == IM_ORIGIN_LDAP && (inner->system == ENTRY_EXISTS || inner->system == VALUE_EXISTS))
        return IM_OK;
    if (err != IM_OK)
        im_schema_run_refused(run, inner);
    return err;
}

/* Between steps: an operation that was sent is always waited for. */
static enum im_err stop_asked(const struct im_schema_run *run) {
    if (run->x->stop && *run->x->stop)
        return im_error_set(run->e, IM_E_INTERRUPTED, "stopped on request; imschema --extend goes on from here");
    return IM_OK;
}

enum im_err im_schema_run_add(struct im_schema_run *run, const struct im_entry *entry) {
    struct im_error inner = {.code = IM_OK};
    enum im_err err = stop_asked(run);
    if (err != IM_OK)
        return err;
    return finish_write(run, im_directory_add(run->d, entry, &inner), &inner);
}

enum im_err im_schema_run_modify(struct im_schema_run *run, const struct im_change *change) {
    struct im_error inner = {.code = IM_OK};
    enum im_err err = stop_asked(run);
    if (err != IM_OK)
        return err;
    return finish_write(run, im_directory_modify(run->d, change, NULL, &inner), &inner);
}

/* ---- the whole ---- */

static enum im_err refuse_conflicts(const struct im_schema_run *run, const struct im_schema_report *report) {
    struct im_buf list = IM_BUF_INIT;
    enum im_err err = IM_OK;
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].state == IM_DEF_CONFLICTING)
            im_buf_addf(&list, "%s%s %s", list.len ? "; " : "", report->items[i].name, report->items[i].detail);
    }
    if (report->state == IM_SCHEMA_CONFLICTING) {
        err = list.failed ? im_error_nomem(run->e)
                          : im_error_set(run->e, IM_E_SCHEMA, "the schema contradicts the profile, nothing was changed: %s",
                                         im_buf_str(&list));
    }
    im_buf_free(&list);
    return err;
}

static enum im_err add_missing(struct im_schema_run *run, const struct im_schema_report *report) {
    const struct im_rootdse *root = im_directory_rootdse(run->d);
    if (root->is_ad)
        return im_schema_extend_ad(run, report);
    if (root->family == IM_FAMILY_OPENLDAP)
        return im_schema_extend_openldap(run, report);
    return im_error_set_at(run->e, IM_E_SCHEMA, im_directory_uri(run->d), 0, 0,
                           "the schema of %s cannot be extended from here, nothing was changed: load the attribute types and the "
                           "class that imschema --ldif openldap prints by the server's own means",
                           im_family_name(root->family));
}

/* Whatever the server answered: only what is there now counts. */
static enum im_err verify(const struct im_schema_run *run) {
    struct im_schema_report report;
    enum im_err err = im_schema_run_compare(run, &report);
    if (err == IM_OK)
        err = refuse_conflicts(run, &report);
    for (size_t i = 0; err == IM_OK && i < report.count; i++) {
        if (report.items[i].state == IM_DEF_ABSENT) {
            err = im_error_set(run->e, IM_E_SCHEMA, "%s was added, but the server does not show it: run imschema again",
                               report.items[i].name);
        }
    }
    return err;
}

enum im_err im_schema_extend(struct im_directory *d, struct im_schema_extension *extension, struct im_error *e) {
    struct im_schema_report report = {0};
    struct im_schema_run run = {.d = d, .x = extension, .pool = im_pool_new(), .e = e};
    enum im_err err = run.pool ? im_schema_run_compare(&run, &report) : im_error_nomem(e);
    if (err == IM_OK)
        err = refuse_conflicts(&run, &report);
    if (err == IM_OK && report.state != IM_SCHEMA_COMPLETE) {
        err = add_missing(&run, &report);
        if (err == IM_OK && !extension->dry_run)
            err = verify(&run);
    }
    im_pool_free(&run.pool);
    return err;
}
