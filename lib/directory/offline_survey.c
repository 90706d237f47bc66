/* The first pass: what the export is of. */
#include "lib/directory/offline_impl.h"

#include "lib/base/set.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"

#include <string.h>

enum { MOST_TREES = 64, MOST_HEADS = 256, MOST_DEFINITIONS = 1 << 16, BETWEEN_LOOKS = 256 };
enum { DEFINITIONS = 2 }; /* the first wanted attribute that has some */

struct looking {
    struct im_offline_survey *s;
    const struct im_profile *profile;
    const char *address; /* the profile's attribute; or NULL */
    struct im_set *classes;
    struct im_buf ordinary; /* classes of the last entry of which nothing was to be noted, with a NUL behind each */
    struct im_buf normal;
    const struct im_entry *entry;
    const char *name; /* of the file */
    struct im_error *e;
};

bool im_offline_lies_below(const char *normal, const char *base_normal) {
    size_t len = strlen(normal);
    size_t base_len = strlen(base_normal);
    return base_len == 0 || (len >= base_len && memcmp(normal + len - base_len, base_normal, base_len) == 0 &&
                             (len == base_len || normal[len - base_len - 1] == ','));
}

static enum im_err add_name(struct im_offline_survey *s, struct im_offline_names *list, const char *text, struct im_error *e) {
    const char **slot = im_vec_push(list);
    if (!slot || !(*slot = im_pool_strdup(s->pool, text)))
        return im_error_nomem(e);
    return IM_OK;
}

/* ---- trees ---- */

/* In a canonical form commas within values are escaped. */
static size_t depth_of(const char *normal) {
    size_t depth = *normal != '\0';
    for (; *normal; normal++)
        depth += *normal == ',';
    return depth;
}

/* The domain components at the end, or the last part. */
static const char *suffix_of(const char *normal) {
    const char *suffix = strrchr(normal, ',');
    suffix = suffix ? suffix + 1 : normal;
    if (strncmp(suffix, "dc=", 3) != 0)
        return suffix;
    while (suffix > normal) {
        const char *before = suffix - 1;
        while (before > normal && before[-1] != ',')
            before--;
        if (strncmp(before, "dc=", 3) != 0)
            break;
        suffix = before;
    }
    return suffix;
}

/* Where OpenLDAP keeps what is no data. */
static bool is_of_the_server(const char *suffix) {
    static const char *const names[] = {"cn=config", "cn=schema", "cn=subschema", "cn=monitor", "cn=accesslog", "cn=changelog"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(suffix, names[i]) == 0)
            return true;
    }
    return false;
}

/* The name without its first parts, as it is spelled; in pool. */
static enum im_err strip(const char *dn, size_t parts, struct im_pool *pool, const char **out, struct im_error *e) {
    struct im_buf at = IM_BUF_INIT;
    struct im_buf above = IM_BUF_INIT;
    im_buf_adds(&at, dn);
    for (; parts; parts--) {
        im_buf_clear(&above);
        (void)im_dn_parent(im_buf_str(&at), &above);
        struct im_buf swap = at;
        at = above;
        above = swap;
    }
    *out = at.failed || above.failed ? NULL : im_pool_strdup(pool, im_buf_str(&at));
    im_buf_free(&at);
    im_buf_free(&above);
    return *out ? IM_OK : im_error_nomem(e);
}

/* What both lie below. */
static const char *common_of(const char *a, const char *b) {
    for (const char *at = a;;) {
        if (im_offline_lies_below(b, at))
            return at;
        at = strchr(at, ',');
        if (!at)
            return "";
        at++;
    }
}

static enum im_err set_common(struct looking *l, struct im_offline_tree *tree, const char *common) {
    const char *normal = im_buf_str(&l->normal);
    tree->common = im_pool_strdup(l->s->pool, common);
    if (!tree->common)
        return im_error_nomem(l->e);
    return strip(l->entry->dn, depth_of(normal) - depth_of(common), l->s->pool, &tree->shown, l->e);
}

static enum im_err note_tree(struct looking *l) {
    struct im_offline_survey *s = l->s;
    const char *normal = im_buf_str(&l->normal);
    const char *suffix = suffix_of(normal);
    for (size_t i = 0; i < s->trees.count; i++) {
        struct im_offline_tree *tree = &s->trees.items[i];
        if (strcmp(tree->suffix, suffix) != 0)
            continue;
        return im_offline_lies_below(normal, tree->common) ? IM_OK : set_common(l, tree, common_of(tree->common, normal));
    }
    s->has_config = s->has_config || strcmp(suffix, "cn=config") == 0;
    if (is_of_the_server(suffix) || s->trees.count == MOST_TREES)
        return IM_OK;
    struct im_offline_tree *tree = im_vec_push(&s->trees);
    if (!tree || !(tree->suffix = im_pool_strdup(s->pool, suffix)))
        return im_error_nomem(l->e);
    return set_common(l, tree, normal);
}

/* ---- classes ---- */

static enum im_err note_head(struct looking *l, const char *class) {
    static const char *const classes[] = {
        [IM_HEAD_DOMAIN] = "domainDNS", [IM_HEAD_CONFIGURATION] = "configuration", [IM_HEAD_SCHEMA] = "dMD"};
    struct im_offline_survey *s = l->s;
    size_t kind = 0;
    while (kind < sizeof classes / sizeof classes[0] && !im_text_equal(classes[kind], class))
        kind++;
    if (kind == sizeof classes / sizeof classes[0] || s->heads.count == MOST_HEADS)
        return IM_OK;
    struct im_offline_context *head = im_vec_push(&s->heads);
    if (!head)
        return im_error_nomem(l->e);
    head->kind = (enum im_offline_head)kind;
    head->dn = im_pool_strdup(s->pool, l->entry->dn);
    head->normal = im_pool_strdup(s->pool, im_buf_str(&l->normal));
    return head->dn && head->normal ? IM_OK : im_error_nomem(l->e);
}

static enum im_err note_class(struct looking *l, const char *class) {
    struct im_offline_survey *s = l->s;
    enum im_err err = note_head(l, class);
    s->has_cross_refs = s->has_cross_refs || im_text_equal(class, "crossRef");
    s->has_schema_attrs = s->has_schema_attrs || im_text_equal(class, "attributeSchema");
    if (err == IM_OK && !s->schema_nc && im_text_equal(class, "classSchema"))
        err = strip(l->entry->dn, 1, s->pool, &s->schema_nc, l->e);
    bool is_new = false;
    if (err == IM_OK && im_set_count(l->classes) < IM_OFFLINE_CLASSES)
        err = im_set_add(l->classes, class, strlen(class), NULL, &is_new, l->e);
    return err == IM_OK && is_new ? add_name(s, &s->classes, class, l->e) : err;
}

/* Classes of an entry that has the address, but not the class that would bring it. */
static enum im_err note_static(struct looking *l, const struct im_attr *classes) {
    struct im_offline_survey *s = l->s;
    enum im_err err = IM_OK;
    if (!l->profile->aux_class || im_entry_has_value(l->entry, "objectClass", l->profile->aux_class))
        return IM_OK;
    for (size_t i = 0; err == IM_OK && i < classes->count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < s->static_classes.count; k++)
            is_known = is_known || im_text_equal(s->static_classes.items[k], classes->values[i].bv_val);
        if (!is_known && s->static_classes.count < IM_OFFLINE_CLASSES)
            err = add_name(s, &s->static_classes, classes->values[i].bv_val, l->e);
    }
    return err;
}

/* Most entries have the classes of the one before. */
static bool are_ordinary(const struct looking *l, const struct im_attr *classes) {
    size_t at = 0;
    for (size_t i = 0; i < classes->count; i++) {
        const struct berval *class = &classes->values[i];
        if (l->ordinary.len - at <= class->bv_len || memcmp(l->ordinary.data + at, class->bv_val, class->bv_len + 1) != 0)
            return false;
        at += class->bv_len + 1;
    }
    return at == l->ordinary.len;
}

/* Only what may begin something is looked at more than once. */
static enum im_err note_new_classes(struct looking *l, const struct im_attr *classes) {
    enum im_err err = IM_OK;
    bool is_special = false;
    im_buf_clear(&l->ordinary);
    for (size_t i = 0; err == IM_OK && i < classes->count; i++) {
        const struct berval *class = &classes->values[i];
        bool may_begin = class->bv_len > 2 && strchr("dcaDCA", class->bv_val[0]);
        is_special = is_special || may_begin;
        if (may_begin || !im_set_has(l->classes, class->bv_val, class->bv_len))
            err = note_class(l, class->bv_val);
        im_buf_add(&l->ordinary, class->bv_val, class->bv_len + 1);
    }
    if (err == IM_OK && l->ordinary.failed)
        return im_error_nomem(l->e);
    if (is_special)
        im_buf_clear(&l->ordinary);
    return err;
}

static enum im_err note_classes(struct looking *l) {
    const struct im_attr *classes = im_entry_attr(l->entry, "objectClass");
    if (!classes)
        return IM_OK;
    enum im_err err = are_ordinary(l, classes) ? IM_OK : note_new_classes(l, classes);
    if (err == IM_OK && l->address && im_entry_attr(l->entry, l->address))
        err = note_static(l, classes);
    return err;
}

/* ---- definitions ---- */

/* cn=config numbers its values: "{0}( 1.2.3 NAME ... )". */
static enum im_err note_definitions(struct looking *l, const struct im_attr *attr, struct im_offline_names *list) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < attr->count && list->count < MOST_DEFINITIONS; i++) {
        const char *text = attr->values[i].bv_val;
        const char *behind = *text == '{' ? strchr(text, '}') : NULL;
        err = add_name(l->s, list, behind ? behind + 1 : text, l->e);
    }
    return err;
}

/* In the order of `wanted`; what is before has no definitions. */
static struct im_offline_names *definitions_of(struct im_offline_survey *s, size_t wanted) {
    struct im_offline_names *const lists[] = {&s->types,         &s->types,         &s->object_classes, &s->object_classes,
                                              &s->content_rules, &s->content_rules, &s->macros};
    return wanted < DEFINITIONS ? NULL : lists[wanted - DEFINITIONS];
}

static enum im_err note_schema(struct looking *l, const size_t *numbers) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < l->entry->count; i++) {
        struct im_offline_names *list = definitions_of(l->s, numbers[i]);
        if (list)
            err = note_definitions(l, &l->entry->attrs[i], list);
    }
    return err;
}

/* ---- the pass ---- */

static enum im_err note_entry(struct looking *l, const size_t *numbers) {
    im_buf_clear(&l->normal);
    if (!im_dn_normalize(l->entry->dn, &l->normal)) {
        if (l->normal.failed)
            return im_error_nomem(l->e);
        return im_error_set_at(l->e, IM_E_INPUT, l->name, l->entry->line, 1, "\"%s\" is not a DN", l->entry->dn);
    }
    if (!l->normal.len) /* a root DSE: ours is deduced */
        return IM_OK;
    l->s->entries++;
    enum im_err err = note_tree(l);
    if (err == IM_OK)
        err = note_classes(l);
    return err == IM_OK ? note_schema(l, numbers) : err;
}

static bool has_name(const struct im_offline_names *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (im_text_equal(list->items[i], name))
            return true;
    }
    return false;
}

static enum im_err note_attributes(struct looking *l, const struct im_ldif_reader *reader) {
    struct im_offline_survey *s = l->s;
    enum im_err err = IM_OK;
    const char *name;
    for (size_t i = 0; err == IM_OK && (name = im_ldif_name(reader, i)); i++) {
        if (!has_name(&s->attributes, name))
            err = add_name(s, &s->attributes, name, l->e);
    }
    bool is_domain = has_name(&s->classes, "domainDNS");
    s->is_openldap = has_name(&s->attributes, "entryUUID") || has_name(&s->attributes, "entryCSN");
    s->is_ad = !s->is_openldap && (is_domain || has_name(&s->attributes, "objectGUID") || has_name(&s->attributes, "objectSid") ||
                                   has_name(&s->attributes, "instanceType"));
    return err;
}

static enum im_err go_through(struct looking *l, struct im_ldif_reader *reader, const atomic_int *stop) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK; i++) {
        if (stop && *stop && i % BETWEEN_LOOKS == 0)
            return im_error_set(l->e, IM_E_INTERRUPTED, "stopped on request");
        err = im_ldif_next(reader, &l->entry, l->e);
        if (err != IM_OK || !l->entry)
            break;
        err = note_entry(l, im_ldif_wanted(reader));
    }
    return err == IM_OK ? note_attributes(l, reader) : err;
}

enum im_err im_offline_survey(struct im_ldif_file *file, const char *name, const struct im_profile *profile,
                              const atomic_int *stop, struct im_offline_survey *s, struct im_error *e) {
    const struct im_profile_attr *address = im_profile_role(profile, IM_ROLE_ADDRESS);
    const char *const wanted[] = {"objectClass",        address ? address->name : "objectClass",
                                  "attributeTypes",     "olcAttributeTypes",
                                  "objectClasses",      "olcObjectClasses",
                                  "dITContentRules",    "olcDitContentRules",
                                  "olcObjectIdentifier"};
    struct looking l = {
        .s = s, .name = name, .profile = profile, .address = address ? address->name : NULL, .e = e, .classes = im_set_new()};
    struct im_ldif_reader *reader = NULL;
    const struct im_ldif_source source = im_ldif_file_source(file);
    enum im_err err = l.classes ? im_ldif_reader_open(&source, name, &reader, e) : im_error_nomem(e);
    if (err == IM_OK) {
        im_ldif_reader_want(reader, wanted, sizeof wanted / sizeof wanted[0]);
        err = go_through(&l, reader, stop);
    }
    im_buf_free(&l.ordinary);
    im_buf_free(&l.normal);
    im_set_free(&l.classes);
    im_ldif_reader_free(&reader);
    return err;
}
