#include "lib/model/schema.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <string.h>

#define IA5 "1.3.6.1.4.1.1466.115.121.1.26"
#define DIRECTORY_STRING "1.3.6.1.4.1.1466.115.121.1.15"

static const struct im_syntax_row rows[] = {
    [IM_SYNTAX_PRINTABLE] = {IM_SYNTAX_PRINTABLE, "printable", "2.5.5.5", 19, NULL, IA5, "caseIgnoreIA5Match",
                             "caseIgnoreIA5SubstringsMatch"},
    [IM_SYNTAX_UNICODE] = {IM_SYNTAX_UNICODE, "unicode", "2.5.5.12", 64, NULL, DIRECTORY_STRING, "caseIgnoreMatch",
                           "caseIgnoreSubstringsMatch"},
    [IM_SYNTAX_OCTETS] = {IM_SYNTAX_OCTETS, "octets", "2.5.5.10", 4, NULL, "1.3.6.1.4.1.1466.115.121.1.40", "octetStringMatch",
                          NULL},
    [IM_SYNTAX_DN] = {IM_SYNTAX_DN, "dn", "2.5.5.1", 127, "KwwCh3McAIVK", "1.3.6.1.4.1.1466.115.121.1.12",
                      "distinguishedNameMatch", NULL},
    [IM_SYNTAX_INTEGER] = {IM_SYNTAX_INTEGER, "integer", "2.5.5.9", 2, NULL, "1.3.6.1.4.1.1466.115.121.1.27", "integerMatch",
                           NULL},
    [IM_SYNTAX_BOOLEAN] = {IM_SYNTAX_BOOLEAN, "boolean", "2.5.5.8", 1, NULL, "1.3.6.1.4.1.1466.115.121.1.7", "booleanMatch",
                           NULL},
};

const struct im_syntax_row *im_syntax_row(enum im_syntax syntax) {
    return &rows[syntax];
}

/* ---- looking things up ---- */

enum { MAX_DEPTH = 32 }; /* a schema with a loop must not hang us */

static void add_name(struct im_names *names, const char *text, size_t place) {
    if (text)
        (void)im_names_add(names, text, (uint32_t)place);
}

const struct im_schema_attr *im_schema_attr(const struct im_schema *s, const char *name_or_oid) {
    if (s->attr_names.slots) {
        const struct im_name *name = im_names_find(&s->attr_names, name_or_oid);
        return name ? &s->attrs[name->place] : NULL;
    }
    for (size_t i = 0; i < s->attr_count; i++) {
        if (im_text_equal(s->attrs[i].name, name_or_oid) || im_text_equal(s->attrs[i].oid, name_or_oid))
            return &s->attrs[i];
    }
    return NULL;
}

const struct im_schema_class *im_schema_class(const struct im_schema *s, const char *name_or_oid) {
    if (s->class_names.slots) {
        const struct im_name *name = im_names_find(&s->class_names, name_or_oid);
        return name ? &s->classes[name->place] : NULL;
    }
    for (size_t i = 0; i < s->class_count; i++) {
        if (im_text_equal(s->classes[i].name, name_or_oid) || im_text_equal(s->classes[i].oid, name_or_oid))
            return &s->classes[i];
    }
    return NULL;
}

struct texts {
    const char **items;
    size_t count, cap;
};

static bool add_texts(struct texts *texts, const char **names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char **text = im_vec_push(texts);
        if (!text)
            return false;
        *text = names[i];
    }
    return true;
}

/* The same as class_allows looks at. */
static bool collect_allowed(const struct im_schema *s, const struct im_schema_class *class, struct texts *texts, size_t depth) {
    if (!class || depth > MAX_DEPTH)
        return true;
    bool is_fine = add_texts(texts, class->may, class->may_count);
    if (is_fine && depth == 0)
        is_fine = add_texts(texts, class->rule_may, class->rule_may_count);
    for (size_t i = 0; is_fine && i < class->sup_count; i++) {
        const struct im_schema_class *sup = im_schema_class(s, class->sup[i]);
        is_fine = sup == class || collect_allowed(s, sup, texts, depth + 1);
    }
    for (size_t i = 0; is_fine && s->is_ad && i < class->aux_count; i++)
        is_fine = collect_allowed(s, im_schema_class(s, class->aux[i]), texts, depth + 1);
    return is_fine;
}

static bool index_allowed(const struct im_schema *s, struct im_schema_class *class, struct im_pool *pool) {
    struct texts texts = {0};
    bool is_fine = collect_allowed(s, class, &texts, 0) && im_names_make(&class->allowed, texts.count, pool);
    for (size_t i = 0; is_fine && i < texts.count; i++)
        add_name(&class->allowed, texts.items[i], 0);
    im_vec_free(&texts);
    return is_fine;
}

enum im_err im_schema_index(struct im_schema *s, struct im_pool *pool, struct im_error *e) {
    struct im_names attrs, classes;
    if (!im_names_make(&attrs, 2 * s->attr_count, pool) || !im_names_make(&classes, 2 * s->class_count, pool))
        return im_error_nomem(e);
    for (size_t i = 0; i < s->attr_count; i++) {
        add_name(&attrs, s->attrs[i].name, i);
        add_name(&attrs, s->attrs[i].oid, i);
    }
    for (size_t i = 0; i < s->class_count; i++) {
        add_name(&classes, s->classes[i].name, i);
        add_name(&classes, s->classes[i].oid, i);
    }
    s->attr_names = attrs;
    s->class_names = classes;
    for (size_t i = 0; i < s->class_count; i++) {
        if (!index_allowed(s, &s->classes[i], pool))
            return im_error_nomem(e);
    }
    return IM_OK;
}

/* ---- what is allowed ---- */

static bool lists(const char **names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (im_text_equal(names[i], name))
            return true;
    }
    return false;
}

/* Does the class, a superior or a static auxiliary class of it allow the attribute? */
static bool class_allows(const struct im_schema *s, const char *name, const char *attribute, const char *without, size_t depth) {
    const struct im_schema_class *class = im_schema_class(s, name);
    if (!class || depth > MAX_DEPTH || (without && im_text_equal(class->name, without) && depth == 0))
        return false;
    if (depth == 0 && class->allowed.slots)
        return im_names_find(&class->allowed, attribute) != NULL;
    if (lists(class->may, class->may_count, attribute))
        return true;
    if (depth == 0 && lists(class->rule_may, class->rule_may_count, attribute)) /* a rule is not inherited */
        return true;
    for (size_t i = 0; i < class->sup_count; i++) {
        if (!im_text_equal(class->sup[i], name) && class_allows(s, class->sup[i], attribute, without, depth + 1))
            return true;
    }
    /* A content rule of OpenLDAP only permits its auxiliary classes; Active Directory's are part of the class. */
    for (size_t i = 0; s->is_ad && i < class->aux_count; i++) {
        if (class_allows(s, class->aux[i], attribute, NULL, depth + 1))
            return true;
    }
    return false;
}

const char *im_schema_rule(const struct im_schema_attr *attr) {
    static const struct {
        const char *syntax, *rule;
    } rules[] = {
        {"1.3.6.1.4.1.1466.115.121.1.15", "caseIgnoreMatch"}, /* DirectoryString */
        {"1.3.6.1.4.1.1466.115.121.1.44", "caseIgnoreMatch"}, /* PrintableString */
        {"1.3.6.1.4.1.1466.115.121.1.26", "caseIgnoreIA5Match"}, {"1.3.6.1.4.1.1466.115.121.1.12", "distinguishedNameMatch"},
        {"1.3.6.1.4.1.1466.115.121.1.40", "octetStringMatch"},   {"1.3.6.1.4.1.1466.115.121.1.27", "integerMatch"},
        {"1.3.6.1.4.1.1466.115.121.1.7", "booleanMatch"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (im_text_equal(rules[i].syntax, attr->syntax))
            return rules[i].rule;
    }
    return NULL;
}

bool im_schema_allows(const struct im_schema *s, const struct im_attr *object_classes, const char *attribute,
                      const char *without) {
    for (size_t i = object_classes ? object_classes->count : 0; i-- > 0;) { /* the most special class stands last, mostly */
        if (class_allows(s, object_classes->values[i].bv_val, attribute, without, 0))
            return true;
    }
    return false;
}

/* ---- comparing ---- */

struct comparison {
    const struct im_schema *found;
    struct im_pool *pool;
    struct im_error *e;
    struct {
        struct im_def_finding *items;
        size_t count, cap;
    } findings;
};

static enum im_err add(struct comparison *c, enum im_def_kind kind, const char *name, const char *oid, const char *detail,
                       bool is_present) {
    struct im_def_finding *finding = im_vec_push(&c->findings);
    if (!finding)
        return im_error_nomem(c->e);
    *finding = (struct im_def_finding){
        .kind = kind,
        .name = name,
        .oid = oid,
        .detail = detail,
        .state = detail       ? IM_DEF_CONFLICTING
                 : is_present ? IM_DEF_PRESENT
                              : IM_DEF_ABSENT,
    };
    return IM_OK;
}

static bool is_same_syntax(const struct im_schema *found, enum im_syntax syntax, const struct im_schema_attr *attr) {
    const struct im_syntax_row *row = im_syntax_row(syntax);
    if (found->is_ad)
        return im_text_equal(attr->syntax, row->ad_syntax) && (!attr->om || attr->om == row->ad_om);
    if (syntax == IM_SYNTAX_PRINTABLE &&
        (im_text_equal(attr->syntax, "1.3.6.1.4.1.1466.115.121.1.44") || im_text_equal(attr->syntax, DIRECTORY_STRING)))
        return true;
    return im_text_equal(attr->syntax, row->oid);
}

static const char *syntax_detail(const struct comparison *c, enum im_syntax syntax, const struct im_schema_attr *attr) {
    const struct im_syntax_row *row = im_syntax_row(syntax);
    const char *has = attr->syntax ? attr->syntax : "none";
    if (c->found->is_ad) {
        return im_pool_printf(c->pool, "has syntax %s with oMSyntax %d, expected %s with %d", has, attr->om, row->ad_syntax,
                              row->ad_om);
    }
    return im_pool_printf(c->pool, "has syntax %s, expected %s", has, row->oid);
}

/* What attributes and classes have in common, by which they are told apart. */
struct identity {
    const char *name, *oid;
    bool is_defunct;
};

struct identities {
    struct identity by_name, by_oid, by_cn; /* name NULL: nothing was found in this way */
};

/* What stands in the way of a definition; "" = nothing, NULL = out of memory. */
static const char *identity_detail(const struct comparison *c, const struct identities *found, const char *oid) {
    const struct identity *it = &found->by_name;
    if (it->name && !im_text_equal(it->oid, oid))
        return im_pool_printf(c->pool, "has OID %s, expected %s", it->oid, oid);
    if (it->name && it->is_defunct)
        return "is out of use: set its isDefunct to FALSE first";
    if (!it->name && found->by_oid.name)
        return im_pool_printf(c->pool, "its OID %s belongs to %s", oid, found->by_oid.name);
    if (!it->name && found->by_cn.name)
        return im_pool_printf(c->pool, "the place of its definition is taken by %s", found->by_cn.name);
    return "";
}

static struct identity attr_identity(const struct im_schema_attr *attr) {
    return attr ? (struct identity){attr->name, attr->oid, attr->is_defunct} : (struct identity){.name = NULL};
}

static struct identity class_identity(const struct im_schema_class *class) {
    return class ? (struct identity){class->name, class->oid, class->is_defunct} : (struct identity){.name = NULL};
}

static struct identity identity_of_cn(const struct im_schema *found, const char *cn) {
    for (size_t i = 0; found->is_ad && i < found->attr_count; i++) {
        if (im_text_equal(found->attrs[i].cn, cn))
            return attr_identity(&found->attrs[i]);
    }
    for (size_t i = 0; found->is_ad && i < found->class_count; i++) {
        if (im_text_equal(found->classes[i].cn, cn))
            return class_identity(&found->classes[i]);
    }
    return (struct identity){.name = NULL};
}

static enum im_err compare_attr(struct comparison *c, const struct im_attr_def *def) {
    const struct im_schema_attr *attr = im_schema_attr(c->found, def->name);
    const struct identities found = {
        .by_name = attr_identity(attr),
        .by_oid = attr_identity(im_schema_attr(c->found, def->oid)),
        .by_cn = identity_of_cn(c->found, def->cn),
    };
    const char *detail = identity_detail(c, &found, def->oid);
    if (attr && detail && !*detail && !is_same_syntax(c->found, def->syntax, attr))
        detail = syntax_detail(c, def->syntax, attr);
    if (attr && detail && !*detail && attr->single != def->single)
        detail = attr->single ? "is single-valued, expected multi-valued" : "is multi-valued, expected single-valued";
    if (!detail)
        return im_error_nomem(c->e);
    return add(c, IM_DEF_ATTRIBUTE, def->name, def->oid, *detail ? detail : NULL, attr != NULL);
}

static enum im_err compare_class(struct comparison *c, const struct im_class_def *def) {
    const struct im_schema_class *class = im_schema_class(c->found, def->name);
    const struct identities found = {
        .by_name = class_identity(class),
        .by_oid = class_identity(im_schema_class(c->found, def->oid)),
        .by_cn = identity_of_cn(c->found, def->cn),
    };
    const char *detail = identity_detail(c, &found, def->oid);
    for (size_t i = 0; class && detail && !*detail && i < def->may_count; i++) {
        if (!lists(class->may, class->may_count, def->may[i]))
            detail = im_pool_printf(c->pool, "does not allow %s", def->may[i]);
    }
    if (!detail)
        return im_error_nomem(c->e);
    return add(c, IM_DEF_CLASS, def->name, def->oid, *detail ? detail : NULL, class != NULL);
}

static enum im_err compare_attachments(struct comparison *c, const struct im_class_def *def) {
    for (size_t i = 0; i < def->attach_count; i++) {
        const struct im_schema_class *class = im_schema_class(c->found, def->attach[i]);
        const char *name = im_pool_printf(c->pool, "%s on %s", def->name, def->attach[i]);
        if (!name)
            return im_error_nomem(c->e);
        bool is_there =
            class && (lists(class->aux, class->aux_count, def->name) || lists(class->aux, class->aux_count, def->oid));
        enum im_err err = add(c, IM_DEF_ATTACHMENT, name, NULL, NULL, is_there);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

static enum im_schema_state state_of(const struct im_def_finding *items, size_t count) {
    size_t present = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].state == IM_DEF_CONFLICTING)
            return IM_SCHEMA_CONFLICTING;
        present += items[i].state == IM_DEF_PRESENT;
    }
    return present == count ? IM_SCHEMA_COMPLETE : present ? IM_SCHEMA_PARTLY : IM_SCHEMA_ABSENT;
}

enum im_err im_schema_compare(const struct im_schema_defs *defs, const struct im_schema *found, struct im_pool *pool,
                              struct im_schema_report *out, struct im_error *e) {
    struct comparison c = {.found = found, .pool = pool, .e = e};
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < defs->attr_count; i++)
        err = compare_attr(&c, &defs->attrs[i]);
    for (size_t i = 0; err == IM_OK && i < defs->class_count; i++)
        err = compare_class(&c, &defs->classes[i]);
    for (size_t i = 0; err == IM_OK && found->is_ad && i < defs->class_count; i++)
        err = compare_attachments(&c, &defs->classes[i]);
    struct im_def_finding *items = err == IM_OK ? im_pool_array(pool, c.findings.count, sizeof *items) : NULL;
    if (err == IM_OK && !items)
        err = im_error_nomem(e);
    if (err == IM_OK && c.findings.count) {
        memcpy(items, c.findings.items, c.findings.count * sizeof *items);
        *out = (struct im_schema_report){items, c.findings.count, state_of(items, c.findings.count)};
    } else if (err == IM_OK) {
        *out = (struct im_schema_report){items, 0, IM_SCHEMA_COMPLETE};
    }
    im_vec_free(&c.findings);
    return err;
}

const char *im_schema_state_name(enum im_schema_state state) {
    static const char *const names[] = {"complete", "partly", "absent", "conflicting"};
    return names[state];
}

const char *im_def_state_name(enum im_def_state state) {
    static const char *const names[] = {"present", "absent", "conflicting"};
    return names[state];
}

const char *im_def_kind_name(enum im_def_kind kind) {
    static const char *const names[] = {"attribute", "class", "attachment"};
    return names[kind];
}
