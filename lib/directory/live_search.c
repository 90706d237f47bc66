/* Searches on a live directory: controls, pages, and attributes that come in parts. */
#include "lib/directory/decode.h"
#include "lib/directory/live_impl.h"

#include <string.h>

#define EXTENDED_DN "1.2.840.113556.1.4.529"
#define SHOW_DELETED "1.2.840.113556.1.4.417"
#define DOMAIN_SCOPE "1.2.840.113556.1.4.1339"

enum { PAGE_SIZE = 1000, MAX_CONTROLS = 5 };

/* Controls of one request. None is critical: only those that the server lists are sent. */
struct controls {
    LDAPControl *list[MAX_CONTROLS];
    size_t count;
    LDAPControl extended, deleted, domain;
    LDAPControl *paged; /* libldap's memory */
};

/* libldap takes no const, and does not write. */
static char *mutable(const char *text) {
    char *same;
    memcpy(&same, &text, sizeof same);
    return same;
}

static void add_control(const struct im_live *live, struct controls *c, LDAPControl *control, const char *oid) {
    if (!im_rootdse_has_control(&live->rootdse, oid))
        return;
    control->ldctl_oid = mutable(oid);
    c->list[c->count++] = control;
}

static void make_controls(const struct im_live *live, const struct im_search *s, struct controls *c) {
    static const char guids_as_text[] = {0x30, 0x03, 0x02, 0x01, 0x01}; /* SEQUENCE { INTEGER 1 } */
    memset(c, 0, sizeof *c);
    if (s->extended_dn) {
        c->extended.ldctl_value = (struct berval){sizeof guids_as_text, mutable(guids_as_text)};
        add_control(live, c, &c->extended, EXTENDED_DN);
    }
    if (s->show_deleted)
        add_control(live, c, &c->deleted, SHOW_DELETED);
    if (s->scope == IM_SEARCH_SUB)
        add_control(live, c, &c->domain, DOMAIN_SCOPE);
}

static bool needs_paging(const struct im_live *live, const struct im_search *s) {
    return s->scope != IM_SEARCH_BASE && !s->no_paging && im_rootdse_has_control(&live->rootdse, LDAP_CONTROL_PAGEDRESULTS);
}

static int add_paging(struct im_live *live, struct im_live_op *op, struct controls *c) {
    if (!op->is_paged)
        return LDAP_SUCCESS;
    size_t few = op->search.few;
    ber_int_t size = few && few < PAGE_SIZE ? (ber_int_t)few : PAGE_SIZE;
    int rc = ldap_create_page_control(live->c.ld, size, &op->cookie, 0, &c->paged);
    if (rc == LDAP_SUCCESS) {
        c->list[c->count++] = c->paged;
        live->page_left = (size_t)size;
    }
    return rc;
}

static int send_search(struct im_live *live, struct im_live_op *op, int *msgid) {
    static const int scopes[] = {LDAP_SCOPE_BASE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_SUBTREE};
    const struct im_search *s = &op->search;
    struct controls controls;
    char **attributes = NULL;
    memcpy(&attributes, &s->attributes, sizeof attributes); /* as in mutable() */
    make_controls(live, s, &controls);
    int rc = add_paging(live, op, &controls);
    if (rc == LDAP_SUCCESS) {
        rc = ldap_search_ext(live->c.ld, s->base, scopes[s->scope], s->filter ? s->filter : "(objectClass=*)", attributes, 0,
                             controls.list, NULL, NULL, 0, msgid);
    }
    ldap_control_free(controls.paged);
    if (rc == LDAP_SUCCESS) {
        im_live_trace(live, "search \"%s\" %s%s (message %d)", s->base, s->filter ? s->filter : "(objectClass=*)",
                      op->cookie.bv_len ? ", next page" : "", *msgid);
    }
    return rc;
}

static enum im_err send_first(struct im_live *live, struct im_live_op *op, struct im_error *e) {
    const char *filter = op->search.filter;
    int msgid = 0;
    int rc = send_search(live, op, &msgid);
    if (rc != LDAP_FILTER_ERROR)
        return im_live_sent(live, op, rc, msgid, e);
    im_live_table_end(&live->operations, op);
    return im_error_set(e, IM_E_USAGE, "not a search filter (RFC 4515): %s", filter);
}

enum im_err im_live_start_waiting(struct im_live *live, struct im_error *e) {
    struct im_live_op *op = live->operations.waiting.first;
    return op && !live->operations.pages ? send_first(live, op, e) : IM_OK;
}

enum im_err im_live_start_search(void *impl, const struct im_search *search, void *token, struct im_error *e) {
    struct im_live *live = impl;
    struct im_live_op *op = im_live_begin(live, LDAP_RES_SEARCH_RESULT, "the search", token, e);
    if (!op)
        return live->is_lost ? IM_E_LOST : IM_E_NOMEM;
    op->search = *search;
    op->is_paged = needs_paging(live, search);
    if (!op->is_paged || !live->operations.pages)
        return send_first(live, op, e);
    im_live_table_wait(&live->operations, op);
    return IM_OK;
}

enum im_err im_live_next_page(struct im_live *live, struct im_live_op *op, LDAPControl **controls, bool *more,
                              struct im_error *e) {
    LDAPControl *page = controls ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
    ber_int_t estimate;
    struct berval cookie = {0, NULL};
    ber_memfree(op->cookie.bv_val);
    op->cookie = (struct berval){0, NULL};
    *more = page && ldap_parse_pageresponse_control(live->c.ld, page, &estimate, &cookie) == LDAP_SUCCESS && cookie.bv_len;
    if (!*more) {
        ber_memfree(cookie.bv_val);
        return IM_OK;
    }
    op->cookie = cookie;
    int msgid = 0;
    int rc = send_search(live, op, &msgid);
    return im_live_sent(live, op, rc, msgid, e);
}

/* ---- attributes in parts ---- */

static enum im_err only_a_part(const char *dn, const char *attribute, struct im_error *e) {
    return im_error_set_at(e, IM_E_TRUNCATED, dn, 0, 0, "the server gave only a part of %s", attribute);
}

static enum im_err append_values(struct im_attr *attr, const struct im_attr *more, struct im_pool *pool, struct im_error *e) {
    struct berval *joined = im_pool_array(pool, attr->count + more->count, sizeof *joined);
    if (!joined)
        return im_error_nomem(e);
    memcpy(joined, attr->values, attr->count * sizeof *joined);
    for (size_t i = 0; i < more->count; i++) {
        if (im_pool_value(pool, &more->values[i], &joined[attr->count + i]) != 0)
            return im_error_nomem(e);
    }
    attr->values = joined;
    attr->count += more->count;
    return IM_OK;
}

static enum im_err take_part(struct im_live *live, LDAPMessage *message, struct im_attr *attr, size_t *next, struct im_error *e) {
    LDAPMessage *entry = ldap_first_entry(live->c.ld, message);
    struct im_entry part;
    struct im_ranges ranges;
    if (!entry)
        return only_a_part(live->entry.dn, attr->name, e);
    enum im_err err = im_decode_entry(live->c.ld, entry, live->entry_pool, &part, &ranges, e);
    if (err != IM_OK)
        return err;
    const struct im_attr *more = im_entry_attr(&part, attr->name);
    if (!more || (ranges.count && ranges.list[0].next <= *next)) /* the latter would go on for ever */
        return only_a_part(live->entry.dn, attr->name, e);
    *next = ranges.count ? ranges.list[0].next : 0;
    return append_values(attr, more, live->entry_pool, e);
}

/* Fetches one further part of a long attribute; *next is 0 when it was the last. */
static enum im_err read_part(struct im_live *live, const struct im_search *whole, struct im_attr *attr, size_t *next,
                             struct im_error *e) {
    char *name = im_pool_printf(live->entry_pool, "%s;range=%zu-*", attr->name, *next);
    const char *const wanted[] = {name, NULL};
    LDAPMessage *message = NULL;
    struct im_live_op op = {.search = *whole};
    if (!name)
        return im_error_nomem(e);
    op.search.base = live->entry.dn;
    op.search.scope = IM_SEARCH_BASE;
    op.search.filter = NULL;
    op.search.attributes = wanted;
    int msgid = 0;
    if (send_search(live, &op, &msgid) != LDAP_SUCCESS)
        return im_live_lost(live, e);
    enum im_err err = im_live_receive(live, msgid, LDAP_MSG_ALL, im_live_deadline(live), &message, e);
    if (err == IM_OK)
        err = take_part(live, message, attr, next, e);
    (void)ldap_msgfree(message);
    return err;
}

enum im_err im_live_take_entry(struct im_live *live, LDAPMessage *message, const struct im_live_op *op, struct im_error *e) {
    struct im_ranges ranges;
    enum im_err err = im_decode_entry(live->c.ld, message, live->entry_pool, &live->entry, &ranges, e);
    for (size_t i = 0; err == IM_OK && i < ranges.count; i++) {
        struct im_range *range = &ranges.list[i];
        while (err == IM_OK && range->next)
            err = read_part(live, &op->search, &live->entry.attrs[range->attr], &range->next, e);
    }
    return err;
}
