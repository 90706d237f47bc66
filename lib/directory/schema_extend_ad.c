/* Active Directory: attributes, class and attachment are steps of their own, and each is enforced only after the server has read
 * its schema again (MS-ADTS 3.1.1.2.5, 3.1.1.3.3.13). */
#include "lib/directory/schema_extend.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/data/ldif.h"
#include "lib/directory/connect.h"
#include "lib/directory/schema_read.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 200 };

static const struct im_schema_defs *defs_of(const struct im_schema_run *run) {
    return &run->x->profile->schema;
}

/* Sends the one record of an LDIF text: what is printed is what is added. */
static enum im_err add_record(struct im_schema_run *run, struct im_buf *ldif) {
    struct im_ldif_reader *reader = NULL;
    struct im_entry *entry = NULL;
    FILE *stream = ldif->failed ? NULL : fmemopen(ldif->data, ldif->len, "r");
    if (!stream)
        return im_error_nomem(run->e);
    enum im_err err = im_ldif_reader_new(stream, "definition", &reader, run->e);
    if (err == IM_OK)
        err = im_ldif_read(reader, run->pool, &entry, run->e);
    if (err == IM_OK)
        err = im_schema_run_add(run, entry);
    im_ldif_reader_free(&reader);
    (void)fclose(stream);
    return err;
}

static enum im_err modify_one(struct im_schema_run *run, const char *dn, const char *attribute, const char *text) {
    struct berval value = {.bv_len = strlen(text)};
    memcpy(&value.bv_val, &text, sizeof text); /* only read */
    struct im_op op = {.kind = IM_OP_ADD, .attribute = attribute, .values = &value, .count = 1};
    struct im_change change = {.dn = dn, .ops = &op, .count = 1};
    return im_schema_run_modify(run, &change);
}

/* ---- waiting ---- */

/* What a step is for, as the subschema shows it. */
typedef bool is_active_fn(const struct im_schema_defs *defs, const struct im_schema *active);

static bool attrs_are_active(const struct im_schema_defs *defs, const struct im_schema *active) {
    for (size_t i = 0; i < defs->attr_count; i++) {
        if (!im_schema_attr(active, defs->attrs[i].name))
            return false;
    }
    return true;
}

static bool classes_are_active(const struct im_schema_defs *defs, const struct im_schema *active) {
    for (size_t i = 0; i < defs->class_count; i++) {
        if (!im_schema_class(active, defs->classes[i].name))
            return false;
    }
    return true;
}

static bool lists(const char **names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (im_text_equal(names[i], name))
            return true;
    }
    return false;
}

/* The target's content rule names the class, or what the class brings. */
static bool is_attached(const struct im_class_def *def, const struct im_schema_class *target) {
    return target && (lists(target->aux, target->aux_count, def->name) ||
                      (def->may_count && lists(target->rule_may, target->rule_may_count, def->may[0])));
}

static bool attachments_are_active(const struct im_schema_defs *defs, const struct im_schema *active) {
    for (size_t i = 0; i < defs->class_count; i++) {
        const struct im_class_def *def = &defs->classes[i];
        for (size_t k = 0; k < def->attach_count; k++) {
            if (!is_attached(def, im_schema_class(active, def->attach[k])))
                return false;
        }
    }
    return true;
}

/* Asks the server to read its schema again, and waits until the step shows. */
static enum im_err activate(struct im_schema_run *run, const char *what, is_active_fn *is_active) {
    int64_t deadline_ms = im_clock_ms() + run->x->timeout_s * 1000;
    enum im_err err = modify_one(run, "", "schemaUpdateNow", "1");
    im_schema_run_tell(run, "waiting for %s to become active", what);
    for (struct im_pool *pool = NULL; err == IM_OK;) {
        struct im_schema active;
        pool = im_pool_new();
        err = pool ? im_schema_read_active(run->d, pool, &active, run->e) : im_error_nomem(run->e);
        bool is_done = err == IM_OK && is_active(defs_of(run), &active);
        im_pool_free(&pool);
        if (is_done || err != IM_OK)
            break;
        if (run->x->stop && *run->x->stop) {
            err = im_error_set(run->e, IM_E_INTERRUPTED, "stopped on request; imschema --extend goes on from here");
        } else if (im_clock_ms() > deadline_ms) {
            err = im_error_set_at(run->e, IM_E_TIMEOUT, im_directory_uri(run->d), 0, 0,
                                  "%s written, but not active after %ld s: run imschema --extend again later", what,
                                  run->x->timeout_s);
        } else {
            (void)nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
        }
    }
    return err;
}

/* ---- steps ---- */

static enum im_err add_attrs(struct im_schema_run *run, const struct im_schema_report *report) {
    const struct im_schema_defs *defs = defs_of(run);
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < defs->attr_count; i++) {
        struct im_buf ldif = IM_BUF_INIT;
        if (!im_schema_is_absent(report, IM_DEF_ATTRIBUTE, defs->attrs[i].name))
            continue;
        im_schema_run_tell(run, "adding attribute %s", defs->attrs[i].name);
        im_schema_record_attr(&defs->attrs[i], im_directory_rootdse(run->d)->schema_nc, &ldif);
        err = add_record(run, &ldif);
        im_buf_free(&ldif);
    }
    /* Also where all were there: an earlier run may have been stopped before they were active. */
    return err == IM_OK ? activate(run, "the attributes", attrs_are_active) : err;
}

static enum im_err add_classes(struct im_schema_run *run, const struct im_schema_report *report) {
    const struct im_schema_defs *defs = defs_of(run);
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < defs->class_count; i++) {
        struct im_buf ldif = IM_BUF_INIT;
        if (!im_schema_is_absent(report, IM_DEF_CLASS, defs->classes[i].name))
            continue;
        im_schema_run_tell(run, "adding class %s", defs->classes[i].name);
        im_schema_record_class(&defs->classes[i], im_directory_rootdse(run->d)->schema_nc, &ldif);
        err = add_record(run, &ldif);
        im_buf_free(&ldif);
    }
    return err == IM_OK ? activate(run, "the class", classes_are_active) : err;
}

/* The DN of a class's definition; its CN need not be the display name. */
static enum im_err find_class(struct im_schema_run *run, const char *class, const char **dn) {
    struct im_entry *entry = NULL;
    const char *filter = im_pool_printf(run->pool, "(&(objectClass=classSchema)(lDAPDisplayName=%s))", class);
    struct im_search search = {.base = im_directory_rootdse(run->d)->schema_nc,
                               .scope = IM_SEARCH_ONE,
                               .filter = filter,
                               .attributes = (const char *const[]){"lDAPDisplayName", NULL}};
    enum im_err err = filter ? im_directory_read(run->d, &search, run->pool, &entry, run->e) : im_error_nomem(run->e);
    if (err == IM_OK && !entry)
        err = im_error_set_at(run->e, IM_E_SCHEMA, search.base, 0, 0, "the schema has no class \"%s\"", class);
    if (err == IM_OK)
        *dn = entry->dn;
    return err;
}

static enum im_err attach(struct im_schema_run *run, const char *class, const char *target,
                          const struct im_schema_report *report) {
    const char *dn = NULL;
    const char *name = im_pool_printf(run->pool, "%s on %s", class, target);
    if (!name)
        return im_error_nomem(run->e);
    if (!im_schema_is_absent(report, IM_DEF_ATTACHMENT, name))
        return IM_OK;
    im_schema_run_tell(run, "attaching class %s", name);
    enum im_err err = find_class(run, target, &dn);
    return err == IM_OK ? modify_one(run, dn, "auxiliaryClass", class) : err;
}

static enum im_err add_attachments(struct im_schema_run *run, const struct im_schema_report *report) {
    const struct im_schema_defs *defs = defs_of(run);
    enum im_err err = IM_OK;
    for (size_t i = 0; i < defs->class_count; i++) {
        for (size_t k = 0; err == IM_OK && k < defs->classes[i].attach_count; k++)
            err = attach(run, defs->classes[i].name, defs->classes[i].attach[k], report);
    }
    return err == IM_OK ? activate(run, "the attachment of the class", attachments_are_active) : err;
}

static enum im_err check_master(struct im_schema_run *run) {
    const char *host = NULL;
    enum im_err err = im_schema_master(run->d, run->pool, &host, run->e);
    if (err == IM_OK && host) {
        err = im_error_set_at(run->e, IM_E_SCHEMA, im_directory_uri(run->d), 0, 0,
                              "this server is not the schema master, nothing was changed: run imschema --extend --uri ldap://%s",
                              host);
    }
    return err;
}

enum im_err im_schema_extend_ad(struct im_schema_run *run, const struct im_schema_report *report) {
    enum im_err err = check_master(run);
    if (run->x->dry_run)
        return err;
    if (err == IM_OK)
        err = add_attrs(run, report);
    if (err == IM_OK)
        err = add_classes(run, report);
    if (err == IM_OK)
        err = add_attachments(run, report);
    return err;
}
