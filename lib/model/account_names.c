/* The attributes of accounts by their names: which are asked for, and where decoding finds them. */
#include "lib/base/text.h"
#include "lib/data/template.h"
#include "lib/model/account_reader.h"

#include <string.h>

#define ATTR_PREFIX "attr:"

/* Groups are not among them: they are many, and matter where adminCount is set only. */
static const struct known_row {
    const char *name;
    enum { ALWAYS, BY_CHECK, FOR_RIGHTS } asked; /* BY_CHECK: only the rules of imcheck look at it */
} known[IM_AT_PROFILE] = {
    [IM_AT_CLASSES] = {"objectClass", ALWAYS},
    [IM_AT_GUID] = {"objectGUID", ALWAYS},
    [IM_AT_UUID] = {"entryUUID", ALWAYS},
    [IM_AT_SID] = {"objectSid", ALWAYS},
    [IM_AT_SID_HISTORY] = {"sIDHistory", ALWAYS},
    [IM_AT_UAC] = {"userAccountControl", ALWAYS},
    [IM_AT_PASSWORD_SET] = {"pwdLastSet", ALWAYS},
    [IM_AT_LAST_LOGON] = {"lastLogonTimestamp", ALWAYS},
    [IM_AT_MASTER_SID] = {"msExchMasterAccountSid", ALWAYS},
    [IM_AT_MAIL] = {"mail", ALWAYS},
    [IM_AT_UPN] = {"userPrincipalName", ALWAYS},
    [IM_AT_GIVEN] = {"givenName", ALWAYS},
    [IM_AT_SN] = {"sn", ALWAYS},
    [IM_AT_LOCKED_TIME] = {"pwdAccountLockedTime", ALWAYS},
    [IM_AT_NS_LOCK] = {"nsAccountLock", ALWAYS},
    [IM_AT_COMPUTED] = {"msDS-User-Account-Control-Computed", BY_CHECK},
    [IM_AT_LOCKOUT] = {"lockoutTime", BY_CHECK},
    [IM_AT_EXPIRES] = {"accountExpires", BY_CHECK},
    [IM_AT_ADMIN_COUNT] = {"adminCount", BY_CHECK},
    [IM_AT_PRIMARY_GROUP] = {"primaryGroupID", BY_CHECK},
    [IM_AT_RIGHTS] = {"allowedAttributesEffective", FOR_RIGHTS},
};

/* ---- what is asked for ---- */

struct name_list {
    const char **items;
    size_t count, max;
};

static void add_name(struct name_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (im_text_equal(list->items[i], name))
            return;
    }
    if (list->count < list->max)
        list->items[list->count++] = name;
}

/* Collects names while a template is expanded; the value given is of no account. */
struct template_names {
    struct name_list list;
    struct im_pool *pool;
    bool failed;
};

static const char *note_attribute(void *user, const char *variable) {
    struct template_names *names = user;
    if (strncmp(variable, ATTR_PREFIX, strlen(ATTR_PREFIX)) != 0)
        return "-";
    const char *name = im_pool_strdup(names->pool, variable + strlen(ATTR_PREFIX));
    if (name) {
        add_name(&names->list, name);
    } else {
        names->failed = true;
    }
    return "-";
}

static enum im_err note_template(struct template_names *names, const char *template, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = template ? im_template_expand(template, IM_TEMPLATE_PLAIN, note_attribute, names, &text, e) : IM_OK;
    im_buf_free(&text);
    return names->failed ? im_error_nomem(e) : err;
}

/* Each name needs a brace of its own. */
static size_t count_braces(const char *template) {
    size_t count = 0;
    for (const char *c = template; c && *c; c++)
        count += *c == '{';
    return count;
}

enum im_err im_account_context_templates(struct im_account_context *context, const char *const *templates, size_t count,
                                         struct im_pool *pool, struct im_error *e) {
    const struct im_profile *p = context->profile;
    struct template_names names = {.pool = pool, .list.max = count_braces(p->address_template)};
    for (size_t i = 0; i < count; i++)
        names.list.max += count_braces(templates[i]);
    for (size_t i = 0; i < p->attr_count; i++)
        names.list.max += count_braces(p->attrs[i].enabled) + count_braces(p->attrs[i].suspended);
    names.list.items = im_pool_array(pool, names.list.max, sizeof *names.list.items);
    if (!names.list.items)
        return im_error_nomem(e);
    enum im_err err = note_template(&names, p->address_template, e);
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = note_template(&names, templates[i], e);
    for (size_t i = 0; err == IM_OK && i < p->attr_count; i++) {
        err = note_template(&names, p->attrs[i].enabled, e);
        if (err == IM_OK)
            err = note_template(&names, p->attrs[i].suspended, e);
    }
    if (err != IM_OK)
        return err;
    context->extra_attributes = names.list.items;
    context->extra_count = names.list.count;
    return IM_OK;
}

static bool is_asked(const struct im_account_context *context, const struct known_row *row) {
    return row->asked == ALWAYS || (row->asked == BY_CHECK ? context->is_check : context->asked_rights);
}

const char *const *im_account_attributes(const struct im_account_context *context, const char *also, struct im_pool *pool) {
    const struct im_profile *p = context->profile;
    struct name_list list = {.max = IM_AT_PROFILE + p->attr_count + p->account_name_count + p->alias_source_count +
                                    context->extra_count + 1};
    list.items = im_pool_array(pool, list.max + 1, sizeof *list.items);
    if (!list.items)
        return NULL;
    for (size_t i = 0; i < IM_AT_PROFILE; i++) {
        if (is_asked(context, &known[i]))
            add_name(&list, known[i].name);
    }
    for (size_t i = 0; i < p->attr_count; i++)
        add_name(&list, p->attrs[i].name);
    for (size_t i = 0; i < p->account_name_count; i++)
        add_name(&list, p->account_names[i]);
    for (size_t i = 0; i < p->alias_source_count; i++)
        add_name(&list, p->alias_sources[i]);
    for (size_t i = 0; i < context->extra_count; i++)
        add_name(&list, context->extra_attributes[i]);
    if (also)
        add_name(&list, also);
    return list.items;
}

/* ---- where it is found ---- */

static const char *name_at(const struct im_account_reader *r, size_t place) {
    const struct im_profile *p = r->context->profile;
    if (place < IM_AT_PROFILE)
        return known[place].name;
    if (place < r->account_names_at)
        return p->attrs[place - IM_AT_PROFILE].name;
    if (place < r->alias_sources_at)
        return p->account_names[place - r->account_names_at];
    return p->alias_sources[place - r->alias_sources_at];
}

static void add_place(struct im_account_reader *r, size_t at) {
    struct im_account_place *place = &r->places[at];
    *place = (struct im_account_place){.name = name_at(r, at), .also = IM_AT_NONE, .next = IM_AT_NONE};
    const struct im_name *name = im_names_add(&r->names, place->name, (uint32_t)at);
    struct im_account_place *first = &r->places[name->place];
    if (first == place)
        return;
    place->also = first->also;
    first->also = (int)at;
}

struct im_account_reader *im_account_reader_new(const struct im_account_context *context, struct im_pool *pool) {
    const struct im_profile *p = context->profile;
    struct im_account_reader *r = im_pool_alloc(pool, sizeof *r);
    if (!r)
        return NULL;
    r->context = context;
    r->account_names_at = IM_AT_PROFILE + p->attr_count;
    r->alias_sources_at = r->account_names_at + p->account_name_count;
    r->count = r->alias_sources_at + p->alias_source_count;
    r->places = im_pool_array(pool, r->count + 1, sizeof *r->places);
    r->rights_at = im_pool_array(pool, p->attr_count, sizeof *r->rights_at);
    if (!r->places || !r->rights_at || !im_names_make(&r->names, r->count, pool))
        return NULL;
    for (size_t i = 0; i < r->count; i++)
        add_place(r, i);
    r->places[r->count].next = IM_AT_NONE;
    for (size_t i = 0; i < IM_AT_PROFILE; i++)
        r->in_schema[i] = context->schema && im_schema_attr(context->schema, known[i].name);
    return r;
}
