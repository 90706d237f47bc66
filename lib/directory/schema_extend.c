#include "lib/directory/schema.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/data/ldif.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXISTS = 68, VALUE_EXISTS = 20, UNWILLING = 53, NO_RIGHT = 50, WAIT_STEPS = 120, WAIT_STEP_MS = 250 };

struct extension {
    struct im_directory *d;
    const struct im_profile *profile;
    im_schema_progress_fn *progress;
    void *user;
    struct im_pool *pool;
    struct im_error *e;
};

static void tell(const struct extension *x, const char *format, const char *name) {
    char text[512];
    if (!x->progress)
        return;
    (void)snprintf(text, sizeof text, "%s%s", format, name);
    x->progress(x->user, text);
}

/* What a refusal means here, and what to do. */
static enum im_err explain(const struct extension *x, enum im_err err) {
    struct im_error *e = x->e;
    if (!e || e->origin != IM_ORIGIN_LDAP)
        return err;
    const char *identity = im_directory_identity(x->d);
    bool is_ad = im_directory_rootdse(x->d)->is_ad;
    if (e->system == UNWILLING && strstr(e->text, "updates are not allowed")) {
        im_error_context(e,
                         "this server does not allow schema changes: set \"dsdb:schema update allowed = yes\" in its smb.conf");
    } else if (e->system == NO_RIGHT && is_ad) {
        im_error_context(e, "%s may not change the schema: use a member of Schema Admins", identity);
    } else if (e->system == NO_RIGHT || e->system == 32) {
        im_error_context(e,
                         "%s may not change cn=config: run it as root on the server with --uri ldapi:///, or bind as the "
                         "configuration's root DN",
                         identity);
    }
    return err;
}

static enum im_err compare(const struct extension *x, struct im_schema_report *report) {
    struct im_schema found;
    enum im_err err = im_schema_read(x->d, x->profile, x->pool, &found, x->e);
    return err == IM_OK ? im_schema_compare(&x->profile->schema, &found, x->pool, report, x->e) : err;
}

static const struct im_def_finding *finding_of(const struct im_schema_report *report, const char *name) {
    for (size_t i = 0; i < report->count; i++) {
        if (im_text_equal(report->items[i].name, name))
            return &report->items[i];
    }
    return NULL;
}

static bool is_absent(const struct im_schema_report *report, const char *name) {
    const struct im_def_finding *finding = finding_of(report, name);
    return finding && finding->state == IM_DEF_ABSENT;
}

static enum im_err refuse_conflicts(const struct extension *x, const struct im_schema_report *report) {
    struct im_buf list = IM_BUF_INIT;
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].state == IM_DEF_CONFLICTING)
            im_buf_addf(&list, "%s%s %s", list.len ? "; " : "", report->items[i].name, report->items[i].detail);
    }
    enum im_err err = IM_OK;
    if (list.len)
        err = im_error_set(x->e, IM_E_SCHEMA, "the schema contradicts the profile, nothing was changed: %s", im_buf_str(&list));
    im_buf_free(&list);
    return err;
}

/* Waits until a definition shows in the schema that the server enforces. */
static enum im_err wait_active(const struct extension *x, const char *name) {
    struct im_schema_report report;
    tell(x, "waiting for ", name);
    for (size_t i = 0; i < WAIT_STEPS; i++) {
        enum im_err err = compare(x, &report);
        if (err != IM_OK)
            return err;
        if (!is_absent(&report, name))
            return IM_OK;
        (void)nanosleep(&(struct timespec){0, WAIT_STEP_MS * 1000000L}, NULL);
    }
    return im_error_set(x->e, IM_E_TIMEOUT, "%s was added, but is not active after %d s", name, WAIT_STEPS * WAIT_STEP_MS / 1000);
}

/* ---- Active Directory ---- */

static enum im_err modify_one(const struct extension *x, const char *dn, enum im_op_kind kind, const char *attribute,
                              const char *text) {
    struct berval value = {.bv_len = strlen(text)};
    memcpy(&value.bv_val, &text, sizeof text); /* only read */
    struct im_op op = {.kind = kind, .attribute = attribute, .values = &value, .count = 1};
    struct im_change change = {.dn = dn, .ops = &op, .count = 1};
    struct im_answer answer = {.code = 0};
    struct im_error inner = {.code = IM_OK};
    enum im_err err = im_directory_modify(x->d, &change, &answer, &inner);
    if (err != IM_OK && answer.code == VALUE_EXISTS && kind == IM_OP_ADD)
        return IM_OK; /* somebody was quicker with the same */
    if (err != IM_OK && x->e && x->e->code == IM_OK)
        *x->e = inner;
    return explain(x, err);
}

static enum im_err update_now(const struct extension *x) {
    return modify_one(x, "", IM_OP_ADD, "schemaUpdateNow", "1");
}

/* Adds the one record of an LDIF text. */
static enum im_err add_record(const struct extension *x, struct im_buf *ldif) {
    FILE *stream = ldif->failed ? NULL : fmemopen(ldif->data, ldif->len, "r");
    struct im_ldif_reader *reader = NULL;
    struct im_entry *entry = NULL;
    if (!stream)
        return im_error_nomem(x->e);
    enum im_err err = im_ldif_reader_new(stream, "definition", &reader, x->e);
    if (err == IM_OK)
        err = im_ldif_read(reader, x->pool, &entry, x->e);
    struct im_error inner = {.code = IM_OK};
    if (err == IM_OK && entry)
        err = im_directory_add(x->d, entry, &inner);
    if (inner.code != IM_OK && inner.system != EXISTS && x->e && x->e->code == IM_OK)
        *x->e = inner;
    if (inner.system == EXISTS)
        err = IM_OK;
    im_ldif_reader_free(&reader);
    (void)fclose(stream);
    return explain(x, err);
}

static enum im_err add_ad_attrs(const struct extension *x, const struct im_schema_report *report) {
    const struct im_schema_defs *defs = &x->profile->schema;
    const char *last = NULL;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < defs->attr_count; i++) {
        struct im_buf ldif = IM_BUF_INIT;
        if (!is_absent(report, defs->attrs[i].name))
            continue;
        last = defs->attrs[i].name;
        tell(x, "adding attribute ", last);
        im_schema_record_attr(&defs->attrs[i], im_directory_rootdse(x->d)->schema_nc, &ldif);
        err = add_record(x, &ldif);
        im_buf_free(&ldif);
    }
    if (err == IM_OK && last)
        err = update_now(x);
    return err == IM_OK && last ? wait_active(x, last) : err;
}

static enum im_err add_ad_classes(const struct extension *x, const struct im_schema_report *report) {
    const struct im_schema_defs *defs = &x->profile->schema;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < defs->class_count; i++) {
        struct im_buf ldif = IM_BUF_INIT;
        if (!is_absent(report, defs->classes[i].name))
            continue;
        tell(x, "adding class ", defs->classes[i].name);
        im_schema_record_class(&defs->classes[i], im_directory_rootdse(x->d)->schema_nc, &ldif);
        err = add_record(x, &ldif);
        im_buf_free(&ldif);
        if (err == IM_OK)
            err = update_now(x);
        if (err == IM_OK)
            err = wait_active(x, defs->classes[i].name);
    }
    return err;
}

static enum im_err keep_dn(void *user, const struct im_entry *entry, struct im_error *e) {
    const struct extension *x = user;
    const char **out = x->user;
    *out = im_pool_strdup(x->pool, entry->dn);
    return *out ? IM_OK : im_error_nomem(e);
}

/* The DN of a class's definition; its CN need not be the display name. */
static enum im_err find_class_dn(const struct extension *x, const char *class, const char **dn) {
    char filter[256];
    struct extension keeping = *x;
    keeping.user = dn;
    (void)snprintf(filter, sizeof filter, "(&(objectClass=classSchema)(lDAPDisplayName=%s))", class);
    struct im_search search = {.base = im_directory_rootdse(x->d)->schema_nc,
                               .scope = IM_SEARCH_ONE,
                               .filter = filter,
                               .attributes = (const char *const[]){"lDAPDisplayName", NULL}};
    *dn = NULL;
    enum im_err err = im_directory_search(x->d, &search, keep_dn, &keeping, x->e);
    if (err == IM_OK && !*dn)
        err = im_error_set(x->e, IM_E_SCHEMA, "the schema has no class %s", class);
    return err;
}

static enum im_err attach(const struct extension *x, const struct im_class_def *def, const char *target,
                          const struct im_schema_report *report) {
    char name[256];
    const char *dn;
    (void)snprintf(name, sizeof name, "%s on %s", def->name, target);
    if (!is_absent(report, name))
        return IM_OK;
    tell(x, "attaching ", name);
    enum im_err err = find_class_dn(x, target, &dn);
    if (err == IM_OK)
        err = modify_one(x, dn, IM_OP_ADD, "auxiliaryClass", def->name);
    if (err == IM_OK)
        err = update_now(x);
    return err == IM_OK ? wait_active(x, name) : err;
}

static enum im_err check_master(const struct extension *x) {
    const char *host = NULL;
    enum im_err err = im_schema_master(x->d, x->pool, &host, x->e);
    if (err == IM_OK && host) {
        err = im_error_set(
            x->e, IM_E_SCHEMA,
            "%s is not the schema master, nothing was changed: run imschema --extend --uri ldap://%s (schema-not-master)",
            im_directory_uri(x->d), host);
    }
    return err;
}

static enum im_err extend_ad(const struct extension *x, const struct im_schema_report *report) {
    const struct im_schema_defs *defs = &x->profile->schema;
    enum im_err err = check_master(x);
    if (err == IM_OK)
        err = add_ad_attrs(x, report);
    if (err == IM_OK)
        err = add_ad_classes(x, report);
    for (size_t i = 0; err == IM_OK && i < defs->class_count; i++) {
        for (size_t k = 0; err == IM_OK && k < defs->classes[i].attach_count; k++)
            err = attach(x, &defs->classes[i], defs->classes[i].attach[k], report);
    }
    return err;
}

/* ---- OpenLDAP ---- */

struct descriptions {
    struct berval *values;
    size_t count;
};

static enum im_err describe(const struct extension *x, const struct im_schema_report *report, struct descriptions *attrs,
                            struct descriptions *classes) {
    const struct im_schema_defs *defs = &x->profile->schema;
    attrs->values = im_pool_array(x->pool, defs->attr_count, sizeof *attrs->values);
    classes->values = im_pool_array(x->pool, defs->class_count, sizeof *classes->values);
    struct im_buf text = IM_BUF_INIT;
    bool is_broken = !attrs->values || !classes->values;
    for (size_t i = 0; !is_broken && i < defs->attr_count + defs->class_count; i++) {
        bool is_attr = i < defs->attr_count;
        struct descriptions *list = is_attr ? attrs : classes;
        if (!is_absent(report, is_attr ? defs->attrs[i].name : defs->classes[i - defs->attr_count].name))
            continue;
        im_buf_clear(&text);
        if (is_attr) {
            im_schema_describe_attr(&defs->attrs[i], &text);
        } else {
            im_schema_describe_class(&defs->classes[i - defs->attr_count], &text);
        }
        struct berval view = im_buf_value(&text);
        is_broken = text.failed || im_pool_value(x->pool, &view, &list->values[list->count++]) != 0;
    }
    im_buf_free(&text);
    return is_broken ? im_error_nomem(x->e) : IM_OK;
}

static enum im_err extend_openldap(const struct extension *x, const struct im_schema_report *report) {
    struct descriptions attrs = {0};
    struct descriptions classes = {0};
    const char *config = im_directory_rootdse(x->d)->config_context;
    char name[128];
    enum im_err err = describe(x, report, &attrs, &classes);
    if (err == IM_OK && !config)
        config = "cn=config";
    (void)snprintf(name, sizeof name, "%s-im", x->profile->name);
    /* The name is what makes a second entry possible where an earlier one holds a part of the definitions. */
    for (size_t i = 0; err == IM_OK && i < 10; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, i ? "%s-%zu" : "%s", name, i + 1);
        struct berval class_name = {14, (char[]){"olcSchemaConfig"}};
        class_name.bv_len = strlen(class_name.bv_val);
        struct berval cn = {strlen(text), text};
        struct im_attr list[4] = {{"objectClass", &class_name, 1}, {"cn", &cn, 1}};
        struct im_entry entry = {.attrs = list, .count = 2};
        if (attrs.count)
            list[entry.count++] = (struct im_attr){"olcAttributeTypes", attrs.values, attrs.count};
        if (classes.count)
            list[entry.count++] = (struct im_attr){"olcObjectClasses", classes.values, classes.count};
        entry.dn = im_pool_printf(x->pool, "cn=%s,cn=schema,%s", text, config);
        if (!entry.dn)
            return im_error_nomem(x->e);
        tell(x, "adding ", entry.dn);
        struct im_error inner = {.code = IM_OK};
        err = im_directory_add(x->d, &entry, &inner);
        if (err == IM_OK)
            return IM_OK;
        if (inner.system == EXISTS) {
            err = IM_OK;
            continue;
        }
        if (x->e && x->e->code == IM_OK)
            *x->e = inner;
    }
    return explain(x, err);
}

enum im_err im_schema_extend(struct im_directory *d, const struct im_profile *profile, im_schema_progress_fn *progress,
                             void *user, struct im_error *e) {
    struct extension x = {.d = d, .profile = profile, .progress = progress, .user = user, .pool = im_pool_new(), .e = e};
    struct im_schema_report report;
    const struct im_rootdse *root = im_directory_rootdse(d);
    enum im_err err = x.pool ? compare(&x, &report) : im_error_nomem(e);
    if (err == IM_OK)
        err = refuse_conflicts(&x, &report);
    if (err == IM_OK && report.state != IM_SCHEMA_COMPLETE) {
        if (root->is_ad) {
            err = extend_ad(&x, &report);
        } else if (root->family == IM_FAMILY_OPENLDAP) {
            err = extend_openldap(&x, &report);
        } else {
            err = im_error_set(e, IM_E_SCHEMA,
                               "the schema of %s cannot be extended from here: load the definitions that imschema --ldif "
                               "openldap prints by the server's own means",
                               im_family_name(root->family));
        }
        if (err == IM_OK)
            err = compare(&x, &report);
        if (err == IM_OK && report.state != IM_SCHEMA_COMPLETE)
            err = im_error_set(e, IM_E_SCHEMA, "the schema is still not complete");
    }
    im_pool_free(&x.pool);
    return err;
}
