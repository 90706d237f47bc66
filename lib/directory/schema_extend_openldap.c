/* OpenLDAP: one entry of ours below cn=schema,cn=config (slapd-config(5)). */
#include "lib/directory/schema_extend.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <string.h>

/* The definitions that are absent, as values. */
struct values {
    struct berval *items;
    size_t count;
};

static struct berval borrow(const char *text) {
    struct berval value = {.bv_len = strlen(text)};
    memcpy(&value.bv_val, &text, sizeof text); /* only read */
    return value;
}

static enum im_err add_value(struct im_schema_run *run, struct im_buf *text, struct values *list) {
    struct berval view = im_buf_value(text);
    if (text->failed || im_pool_value(run->pool, &view, &list->items[list->count]) != 0)
        return im_error_nomem(run->e);
    list->count++;
    im_buf_clear(text);
    return IM_OK;
}

static enum im_err collect(struct im_schema_run *run, const struct im_schema_report *report, struct values *attrs,
                           struct values *classes) {
    const struct im_schema_defs *defs = &run->x->profile->schema;
    struct im_buf text = IM_BUF_INIT;
    attrs->items = im_pool_array(run->pool, defs->attr_count, sizeof *attrs->items);
    classes->items = im_pool_array(run->pool, defs->class_count, sizeof *classes->items);
    enum im_err err = attrs->items && classes->items ? IM_OK : im_error_nomem(run->e);
    for (size_t i = 0; err == IM_OK && i < defs->attr_count; i++) {
        if (!im_schema_is_absent(report, IM_DEF_ATTRIBUTE, defs->attrs[i].name))
            continue;
        im_schema_describe_attr(&defs->attrs[i], &text);
        err = add_value(run, &text, attrs);
    }
    for (size_t i = 0; err == IM_OK && i < defs->class_count; i++) {
        if (!im_schema_is_absent(report, IM_DEF_CLASS, defs->classes[i].name))
            continue;
        im_schema_describe_class(&defs->classes[i], &text);
        err = add_value(run, &text, classes);
    }
    im_buf_free(&text);
    return err;
}

/* ---- our entry ---- */

struct looking {
    struct im_schema_run *run;
    const char *dn; /* of our entry; NULL: not there */
};

/* slapd numbers the entries: "{4}exchange2000-im". */
static enum im_err look(void *user, const struct im_entry *entry, struct im_error *e) {
    struct looking *looking = user;
    const char *cn = im_entry_string(entry, "cn");
    const char *end = cn && *cn == '{' ? strchr(cn, '}') : NULL;
    if (!cn || !im_text_equal(end ? end + 1 : cn, looking->run->x->profile->schema_name))
        return IM_OK;
    looking->dn = im_pool_strdup(looking->run->pool, entry->dn);
    return looking->dn ? IM_OK : im_error_nomem(e);
}

static enum im_err find_entry(struct im_schema_run *run, const char *base, const char **dn) {
    struct looking looking = {.run = run};
    struct im_search search = {.base = base,
                               .scope = IM_SEARCH_ONE,
                               .filter = "(objectClass=olcSchemaConfig)",
                               .attributes = (const char *const[]){"cn", NULL}};
    struct im_error inner = {.code = IM_OK};
    enum im_err err = im_directory_search(run->d, &search, look, &looking, &inner);
    *dn = looking.dn;
    if (err != IM_OK)
        im_schema_run_refused(run, &inner);
    return err;
}

static enum im_err complete_entry(struct im_schema_run *run, const char *dn, const struct values *attrs,
                                  const struct values *classes) {
    struct im_op ops[2];
    struct im_change change = {.dn = dn, .ops = ops, .count = 0};
    /* Attribute types first: the class names them. */
    if (attrs->count)
        ops[change.count++] = (struct im_op){IM_OP_ADD, "olcAttributeTypes", attrs->items, attrs->count};
    if (classes->count)
        ops[change.count++] = (struct im_op){IM_OP_ADD, "olcObjectClasses", classes->items, classes->count};
    im_schema_run_tell(run, "completing %s", dn);
    return im_schema_run_modify(run, &change);
}

static enum im_err add_entry(struct im_schema_run *run, const char *base, const struct values *attrs,
                             const struct values *classes) {
    const char *name = run->x->profile->schema_name;
    struct berval class = borrow("olcSchemaConfig");
    struct berval cn = borrow(name);
    struct im_attr list[4] = {{"objectClass", &class, 1}, {"cn", &cn, 1}};
    struct im_entry entry = {.dn = im_pool_printf(run->pool, "cn=%s,%s", name, base), .attrs = list, .count = 2};
    if (!entry.dn)
        return im_error_nomem(run->e);
    if (attrs->count)
        list[entry.count++] = (struct im_attr){"olcAttributeTypes", attrs->items, attrs->count};
    if (classes->count)
        list[entry.count++] = (struct im_attr){"olcObjectClasses", classes->items, classes->count};
    im_schema_run_tell(run, "adding %s", entry.dn);
    return im_schema_run_add(run, &entry);
}

enum im_err im_schema_extend_openldap(struct im_schema_run *run, const struct im_schema_report *report) {
    const char *config = im_directory_rootdse(run->d)->config_context;
    const char *base = im_pool_printf(run->pool, "cn=schema,%s", config ? config : "cn=config");
    const char *dn = NULL;
    struct values attrs = {0};
    struct values classes = {0};
    enum im_err err = base ? collect(run, report, &attrs, &classes) : im_error_nomem(run->e);
    if (err == IM_OK)
        err = find_entry(run, base, &dn);
    if (err != IM_OK || run->x->dry_run)
        return err;
    return dn ? complete_entry(run, dn, &attrs, &classes) : add_entry(run, base, &attrs, &classes);
}
