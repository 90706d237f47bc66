/* What a server would say of itself: the root DSE, and definitions that no entry of the export holds. They are written as LDIF
 * and read like the rest. */
#include "lib/directory/offline_impl.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SUBSCHEMA "cn=Subschema"

struct assuming {
    const struct im_offline_survey *s;
    const struct im_profile *profile;
    struct im_buf text;
    const char *schema_nc; /* of Active Directory */
    bool has_schema;
};

static bool lists(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (im_text_equal(names[i], name))
            return true;
    }
    return false;
}

static void add_line(struct im_buf *out, const char *name, const char *value) {
    const struct berval bytes = {.bv_len = strlen(value), .bv_val = (char *)(uintptr_t)value};
    im_ldif_write_value(out, name, &bytes);
}

/* What an export calls an attribute or a class need not be one: nothing else goes into definitions. */
static bool is_descriptor(const char *name) {
    return *name && strchr(LETTERS, *name) && !name[strspn(name, LETTERS "0123456789-")];
}

/* ---- naming contexts ---- */

static bool lies_below_a_head(const struct im_offline_survey *s, const char *normal) {
    for (size_t i = 0; i < s->heads.count; i++) {
        if (im_offline_lies_below(normal, s->heads.items[i].normal))
            return true;
    }
    return false;
}

static bool lies_below_another(const struct im_offline_survey *s, size_t i) {
    for (size_t k = 0; k < s->trees.count; k++) {
        if (k != i && im_offline_lies_below(s->trees.items[i].common, s->trees.items[k].common))
            return true;
    }
    return false;
}

/* Zones of DNS are naming contexts of the same class, without people. */
static bool is_zone(const char *normal) {
    return strncmp(normal, "dc=domaindnszones,", 18) == 0 || strncmp(normal, "dc=forestdnszones,", 18) == 0;
}

struct contexts {
    const char *domain, *root_normal, *root, *configuration;
    size_t domains, others;
    const char *other;
};

static void note_head(struct contexts *c, const struct im_offline_context *head) {
    if (head->kind == IM_HEAD_CONFIGURATION)
        c->configuration = head->dn;
    if (head->kind != IM_HEAD_DOMAIN || is_zone(head->normal))
        return;
    c->domains++;
    c->domain = head->dn;
    if (!c->root || strlen(head->normal) < strlen(c->root_normal)) {
        c->root = head->dn;
        c->root_normal = head->normal;
    }
}

/* Writes those that there are. */
static void write_contexts(struct assuming *a, struct contexts *c) {
    const struct im_offline_survey *s = a->s;
    for (size_t i = 0; s->is_ad && i < s->heads.count; i++) {
        add_line(&a->text, "namingContexts", s->heads.items[i].dn);
        note_head(c, &s->heads.items[i]);
    }
    for (size_t i = 0; i < s->trees.count; i++) {
        const struct im_offline_tree *tree = &s->trees.items[i];
        if (lies_below_another(s, i) || (s->is_ad && lies_below_a_head(s, tree->common)))
            continue;
        add_line(&a->text, "namingContexts", tree->shown);
        c->others++;
        c->other = tree->shown;
    }
}

static void write_root_dse(struct assuming *a, struct im_pool *pool) {
    const struct im_offline_survey *s = a->s;
    struct contexts c = {.domain = NULL};
    im_buf_adds(&a->text, "dn:\nobjectClass: top\n");
    if (s->is_openldap)
        add_line(&a->text, "objectClass", "OpenLDAProotDSE");
    write_contexts(a, &c);
    const char *domain = c.domains == 1 ? c.domain : c.domains == 0 && c.others == 1 ? c.other : NULL;
    if (domain)
        add_line(&a->text, "defaultNamingContext", domain);
    if (s->has_config)
        add_line(&a->text, "configContext", "cn=config");
    if (!s->is_ad) {
        add_line(&a->text, "subschemaSubentry", SUBSCHEMA);
    } else {
        add_line(&a->text, "supportedCapabilities", "1.2.840.113556.1.4.800");
        const char *root = c.root ? c.root : domain ? domain : "DC=export";
        a->schema_nc = a->has_schema ? s->schema_nc : im_pool_printf(pool, "CN=Schema,CN=Configuration,%s", root);
        a->text.failed = a->text.failed || !a->schema_nc;
        add_line(&a->text, "rootDomainNamingContext", root);
        add_line(&a->text, "schemaNamingContext", a->schema_nc ? a->schema_nc : "");
        if (s->has_cross_refs && c.configuration)
            add_line(&a->text, "configurationNamingContext", c.configuration);
    }
    im_buf_addc(&a->text, '\n');
}

/* ---- definitions ---- */

static bool defines_attr(const struct im_schema_defs *defs, const char *name) {
    for (size_t i = 0; i < defs->attr_count; i++) {
        if (im_text_equal(defs->attrs[i].name, name))
            return true;
    }
    return false;
}

static bool defines_class(const struct im_schema_defs *defs, const char *name) {
    for (size_t i = 0; i < defs->class_count; i++) {
        if (im_text_equal(defs->classes[i].name, name))
            return true;
    }
    return false;
}

/* Calls fn for each attribute that is there without a definition of the profile: those that the profile names and those that
 * entries have. */
static void for_attributes(struct assuming *a, void (*fn)(struct assuming *a, const char *name)) {
    const struct im_profile *p = a->profile;
    for (size_t i = 0; !a->has_schema && i < p->attr_count; i++) {
        if (!defines_attr(&p->schema, p->attrs[i].name) &&
            !lists(a->s->attributes.items, a->s->attributes.count, p->attrs[i].name))
            fn(a, p->attrs[i].name);
    }
    for (size_t i = 0; i < a->s->attributes.count; i++) {
        const char *name = a->s->attributes.items[i];
        if (is_descriptor(name) && (a->has_schema || !defines_attr(&p->schema, name)))
            fn(a, name);
    }
}

static bool are_octets(const char *name) {
    static const char *const names[] = {"objectGUID", "objectSid", "sIDHistory", "msExchMasterAccountSid", "userPassword"};
    return lists(names, sizeof names / sizeof names[0], name);
}

/* ---- as Active Directory keeps them ---- */

static void record_attr(struct assuming *a, const char *name) {
    bool is_octets = are_octets(name);
    im_buf_addf(&a->text, "dn: CN=%s,%s\nobjectClass: attributeSchema\ncn: %s\nlDAPDisplayName: %s\n", name, a->schema_nc, name,
                name);
    im_buf_addf(&a->text, "attributeID: %s-oid\nattributeSyntax: %s\noMSyntax: %d\nisSingleValued: FALSE\n\n", name,
                is_octets ? "2.5.5.10" : "2.5.5.12", is_octets ? 4 : 64);
}

static void record_class(struct assuming *a, const char *name) {
    const struct im_schema_defs *defs = &a->profile->schema;
    im_buf_addf(&a->text, "dn: CN=%s,%s\nobjectClass: classSchema\ncn: %s\nlDAPDisplayName: %s\ngovernsID: %s-oid\n", name,
                a->schema_nc, name, name, name);
    for (size_t i = 0; i < defs->class_count; i++) {
        if (lists(defs->classes[i].attach, defs->classes[i].attach_count, name))
            add_line(&a->text, "auxiliaryClass", defs->classes[i].name);
    }
    im_buf_addc(&a->text, '\n');
}

static void write_ad(struct assuming *a) {
    const struct im_schema_defs *defs = &a->profile->schema;
    const struct im_offline_survey *s = a->s;
    for (size_t i = 0; i < defs->attr_count; i++)
        im_schema_record_attr(&defs->attrs[i], a->schema_nc, &a->text);
    for_attributes(a, record_attr);
    for (size_t i = 0; i < defs->class_count; i++)
        im_schema_record_class(&defs->classes[i], a->schema_nc, &a->text);
    for (size_t i = 0; i < s->classes.count; i++) {
        if (is_descriptor(s->classes.items[i]) && !defines_class(defs, s->classes.items[i]))
            record_class(a, s->classes.items[i]);
    }
    for (size_t i = 0; i < defs->class_count; i++) {
        for (size_t k = 0; k < defs->classes[i].attach_count; k++) {
            if (!lists(s->classes.items, s->classes.count, defs->classes[i].attach[k]))
                record_class(a, defs->classes[i].attach[k]);
        }
    }
}

/* ---- as a subschema entry shows them ---- */

/* Does one of the definitions have the name? "( 1.2.3 NAME 'x' ...", "( 1.2.3 NAME ( 'x' 'y' ) ..." */
static bool is_named(const char *definition, const char *name) {
    const char *at = strstr(definition, " NAME ");
    at = at ? at + 6 + strspn(at + 6, " ") : "";
    bool is_list = *at == '(';
    at += is_list;
    for (at += strspn(at, " "); *at == '\''; at += strspn(at, " ")) {
        size_t len = strcspn(at + 1, "'");
        if (im_text_equal_n(at + 1, len, name, strlen(name)))
            return true;
        at += len + 1;
        at += *at == '\'';
        if (!is_list)
            break;
    }
    return false;
}

static bool is_defined(const struct im_offline_names *definitions, const char *name) {
    for (size_t i = 0; i < definitions->count; i++) {
        if (is_named(definitions->items[i], name))
            return true;
    }
    return false;
}

static void describe_attr(struct assuming *a, const char *name) {
    const char *equality = are_octets(name) ? "octetStringMatch" : "caseIgnoreMatch";
    if (!is_defined(&a->s->types, name)) {
        im_buf_addf(&a->text, "attributeTypes: ( %s-oid NAME '%s' EQUALITY %s SYNTAX 1.3.6.1.4.1.1466.115.121.1.%d )\n", name,
                    name, equality, are_octets(name) ? 40 : 15);
    }
}

static void describe_class(struct assuming *a, const char *name) {
    if (is_defined(&a->s->object_classes, name))
        return;
    im_buf_addf(&a->text, "objectClasses: ( %s-oid NAME '%s' SUP top STRUCTURAL", name, name);
    if (!a->has_schema && lists(a->s->static_classes.items, a->s->static_classes.count, name)) {
        for (size_t i = 0; i < a->profile->attr_count; i++)
            im_buf_addf(&a->text, "%s%s", i ? " $ " : " MAY ( ", a->profile->attrs[i].name);
        im_buf_adds(&a->text, a->profile->attr_count ? " )" : "");
    }
    im_buf_adds(&a->text, " )\n");
}

static void add_described(struct assuming *a, const char *attribute, struct im_buf *definition) {
    if (definition->failed) {
        a->text.failed = true;
    } else {
        add_line(&a->text, attribute, im_buf_str(definition));
    }
    im_buf_clear(definition);
}

/* The value of a macro of OpenLDAP's configuration; NULL: there is none of that name. */
static const char *macro(const struct assuming *a, const char *name, size_t len) {
    for (size_t i = 0; i < a->s->macros.count; i++) {
        const char *text = a->s->macros.items[i];
        size_t own = strcspn(text, " ");
        if (im_text_equal_n(text, own, name, len))
            return text + own + strspn(text + own, " ");
    }
    return NULL;
}

enum { MOST_MACROS = 8 };

/* An object identifier, which "name" or "name:suffix" may stand for. */
static void add_oid(const struct assuming *a, const char *oid, size_t len, size_t depth, struct im_buf *out) {
    const char *colon = memchr(oid, ':', len);
    const char *value = macro(a, oid, colon ? (size_t)(colon - oid) : len);
    if (!value || depth == MOST_MACROS) {
        im_buf_add(out, oid, len);
        return;
    }
    add_oid(a, value, strcspn(value, " "), depth + 1, out);
    if (colon)
        im_buf_addf(out, ".%.*s", (int)(len - (size_t)(colon - oid) - 1), colon + 1);
}

/* Macros may stand for the definition's own identifier and for its syntax. */
static void expand(const struct assuming *a, const char *definition, struct im_buf *out) {
    const char *syntax = strstr(definition, " SYNTAX ");
    size_t open = strspn(definition, "( ");
    size_t len = strcspn(definition + open, " )");
    const char *rest = definition + open + len;
    im_buf_adds(out, "( ");
    add_oid(a, definition + open, len, 0, out);
    if (syntax && syntax >= rest) {
        const char *at = syntax + strlen(" SYNTAX ");
        size_t name = strcspn(at, "{ )");
        im_buf_add(out, rest, (size_t)(at - rest));
        add_oid(a, at, name, 0, out);
        rest = at + name;
    }
    im_buf_adds(out, rest);
}

static void copy_definitions(struct assuming *a, const char *attribute, const struct im_offline_names *list) {
    struct im_buf definition = IM_BUF_INIT;
    for (size_t i = 0; i < list->count; i++) {
        expand(a, list->items[i], &definition);
        add_described(a, attribute, &definition);
    }
    im_buf_free(&definition);
}

static void write_profile(struct assuming *a) {
    const struct im_schema_defs *defs = &a->profile->schema;
    struct im_buf definition = IM_BUF_INIT;
    for (size_t i = 0; i < defs->attr_count; i++) {
        im_schema_describe_attr(&defs->attrs[i], &definition);
        add_described(a, "attributeTypes", &definition);
    }
    for (size_t i = 0; i < defs->class_count; i++) {
        im_schema_describe_class(&defs->classes[i], &definition);
        add_described(a, "objectClasses", &definition);
    }
    im_buf_free(&definition);
}

static void write_subschema(struct assuming *a) {
    im_buf_adds(&a->text, "dn: " SUBSCHEMA "\nobjectClass: top\nobjectClass: subschema\n");
    copy_definitions(a, "attributeTypes", &a->s->types);
    copy_definitions(a, "objectClasses", &a->s->object_classes);
    copy_definitions(a, "dITContentRules", &a->s->content_rules);
    if (!a->has_schema)
        write_profile(a);
    for_attributes(a, describe_attr);
    describe_class(a, "top");
    for (size_t i = 0; i < a->s->classes.count; i++) {
        const char *name = a->s->classes.items[i];
        bool is_own = !a->has_schema && defines_class(&a->profile->schema, name);
        if (is_descriptor(name) && !is_own && !im_text_equal(name, "top"))
            describe_class(a, name);
    }
    im_buf_addc(&a->text, '\n');
}

/* ---- from text to entries ---- */

struct reading {
    const struct im_buf *text;
    size_t at;
};

static enum im_err read_text(void *user, char *out, size_t size, size_t *len, struct im_error *e) {
    struct reading *r = user;
    size_t left = r->text->len - r->at;
    (void)e;
    *len = left < size ? left : size;
    if (*len)
        memcpy(out, r->text->data + r->at, *len);
    r->at += *len;
    return IM_OK;
}

static enum im_err read_entries(const struct im_buf *text, struct im_pool *pool, struct im_offline_assumed *out,
                                struct im_error *e) {
    struct reading reading = {.text = text};
    const struct im_ldif_source source = {.read = read_text, .user = &reading};
    struct im_ldif_reader *reader = NULL;
    struct {
        struct im_entry **items;
        size_t count, cap;
    } list = {0};
    enum im_err err = im_ldif_reader_open(&source, "the export's own description", &reader, e);
    while (err == IM_OK) {
        struct im_entry *entry = NULL;
        err = im_ldif_read(reader, pool, &entry, e);
        if (err != IM_OK || !entry)
            break;
        struct im_entry **slot = im_vec_push(&list);
        if (slot) {
            *slot = entry;
        } else {
            err = im_error_nomem(e);
        }
    }
    im_ldif_reader_free(&reader);
    out->entries = err == IM_OK ? im_pool_array(pool, list.count, sizeof(struct im_entry *)) : NULL;
    if (out->entries && list.items)
        memcpy(out->entries, list.items, list.count * sizeof(struct im_entry *));
    out->count = list.count;
    im_vec_free(&list);
    return err == IM_OK && !out->entries ? im_error_nomem(e) : err;
}

static bool holds_schema(const struct im_offline_survey *s) {
    return s->is_ad ? s->schema_nc && s->has_schema_attrs : s->types.count && s->object_classes.count;
}

enum im_err im_offline_assume(const struct im_offline_survey *s, const struct im_profile *profile, struct im_pool *pool,
                              struct im_offline_assumed *out, struct im_error *e) {
    struct assuming a = {.s = s, .profile = profile, .has_schema = holds_schema(s)};
    write_root_dse(&a, pool);
    if (!s->is_ad) {
        write_subschema(&a);
    } else if (!a.has_schema) {
        write_ad(&a);
    }
    enum im_err err = a.text.failed ? im_error_nomem(e) : read_entries(&a.text, pool, out, e);
    im_buf_free(&a.text);
    if (err == IM_OK)
        err = im_rootdse_decode(out->entries[0], pool, &out->rootdse, e);
    out->rootdse.is_offline = true;
    out->rootdse.has_assumed_schema = !a.has_schema;
    return err;
}
