#include "lib/directory/bind.h"
#include "lib/directory/decode.h"
#include "lib/directory/live_uri.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENDED_DN "1.2.840.113556.1.4.529"
#define SHOW_DELETED "1.2.840.113556.1.4.417"
#define DOMAIN_SCOPE "1.2.840.113556.1.4.1339"

enum { PAGE_SIZE = 1000, MAX_CONTROLS = 5 };

/* An operation in flight. */
struct operation {
    int msgid;
    int expected; /* type of the final message */
    void *token;
    int64_t deadline_ms;
    struct im_search search; /* for the next page */
    struct berval cookie;
    size_t references;
    const char *what; /* for messages */
};

struct live {
    struct im_connection c;
    struct im_live_options options;
    struct im_pool *pool;       /* lives as long as the connection */
    struct im_pool *entry_pool; /* of the entry that was handed out last */
    LDAPMessage *message;       /* holds the values of that entry */
    struct im_entry entry;
    char *diagnostic; /* of the answer that was handed out last; libldap's memory */
    struct {
        struct operation *items;
        size_t count, cap;
    } operations;
    struct im_rootdse rootdse;
    const char *identity;
    bool is_lost;
};

static void trace(const struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void trace(const struct live *live, const char *format, ...) {
    if (!live->options.log)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    live->options.log(live->options.log_user, 2, text);
}

static enum im_err lost(struct live *live, struct im_error *e) {
    live->is_lost = true; /* libldap never recovers a handle; it would come back anonymous */
    return im_error_set_at(e, IM_E_LOST, live->c.uri, 0, 0, "the connection to the server was lost");
}

static int64_t new_deadline(const struct live *live) {
    return im_clock_ms() + live->options.config->timeout_s * 1000;
}

/* ---- searches ---- */

static bool offers(const struct live *live, const char *oid) {
    return im_rootdse_has_control(&live->rootdse, oid);
}

/* SEQUENCE { INTEGER 1 }: GUIDs and SIDs as text. */
static char extended_dn_value[] = {0x30, 0x03, 0x02, 0x01, 0x01};

static enum im_err send_search(struct live *live, struct operation *op, struct im_error *e) {
    const struct im_search *s = &op->search;
    LDAPControl extended = {(char[]){EXTENDED_DN}, {sizeof extended_dn_value, extended_dn_value}, 0};
    LDAPControl deleted = {(char[]){SHOW_DELETED}, {0, NULL}, 0};
    LDAPControl domain = {(char[]){DOMAIN_SCOPE}, {0, NULL}, 0};
    LDAPControl *paged = NULL;
    LDAPControl *controls[MAX_CONTROLS] = {NULL};
    size_t count = 0;
    bool pages = s->scope != IM_SEARCH_BASE && !s->no_paging && offers(live, LDAP_CONTROL_PAGEDRESULTS);
    int rc = pages ? ldap_create_page_control(live->c.ld, PAGE_SIZE, &op->cookie, 0, &paged) : LDAP_SUCCESS;
    if (rc != LDAP_SUCCESS)
        return im_error_set(e, IM_E_INTERNAL, "cannot make the paging control: %s", ldap_err2string(rc));
    if (paged)
        controls[count++] = paged;
    if (s->extended_dn && offers(live, EXTENDED_DN))
        controls[count++] = &extended;
    if (s->show_deleted && offers(live, SHOW_DELETED))
        controls[count++] = &deleted;
    if (s->scope == IM_SEARCH_SUB && offers(live, DOMAIN_SCOPE))
        controls[count++] = &domain;
    static const int scopes[] = {LDAP_SCOPE_BASE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_SUBTREE};
    char **attributes = NULL;
    memcpy(&attributes, &s->attributes, sizeof attributes); /* libldap takes no const, and does not write */
    rc = ldap_search_ext(live->c.ld, s->base, scopes[s->scope], s->filter ? s->filter : "(objectClass=*)", attributes, 0,
                         controls, NULL, NULL, 0, &op->msgid);
    ldap_control_free(paged);
    if (rc == LDAP_FILTER_ERROR)
        return im_error_set(e, IM_E_USAGE, "not a search filter (RFC 4515): %s", s->filter);
    if (rc == LDAP_SERVER_DOWN)
        return lost(live, e);
    if (rc != LDAP_SUCCESS)
        return im_error_set_at(e, IM_E_INTERNAL, live->c.uri, 0, 0, "the search cannot be sent: %s", ldap_err2string(rc));
    trace(live, "search \"%s\" %s (message %d)", s->base, s->filter ? s->filter : "", op->msgid);
    op->deadline_ms = new_deadline(live);
    return IM_OK;
}

static enum im_err start_search(void *impl, const struct im_search *search, void *token, struct im_error *e) {
    struct live *live = impl;
    struct operation *op = im_vec_push(&live->operations);
    if (!op)
        return im_error_nomem(e);
    *op = (struct operation){.expected = LDAP_RES_SEARCH_RESULT, .token = token, .search = *search, .what = "the search"};
    enum im_err err = live->is_lost ? lost(live, e) : send_search(live, op, e);
    if (err != IM_OK)
        live->operations.count--;
    return err;
}

/* ---- changes ---- */

static LDAPMod *make_mod(struct im_pool *pool, int kind, const char *attribute, const struct berval *values, size_t count) {
    LDAPMod *mod = im_pool_alloc(pool, sizeof *mod);
    struct berval **list = im_pool_array(pool, count + 1, sizeof *list);
    struct berval *copies = im_pool_array(pool, count, sizeof *copies);
    if (!mod || !list || !copies)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        copies[i] = values[i];
        list[i] = &copies[i];
    }
    mod->mod_op = kind | LDAP_MOD_BVALUES;
    mod->mod_type = im_pool_strdup(pool, attribute);
    mod->mod_bvalues = count ? list : NULL;
    return mod->mod_type ? mod : NULL;
}

static enum im_err sent(struct live *live, struct operation *op, int rc, struct im_error *e) {
    if (rc == LDAP_SUCCESS) {
        op->deadline_ms = new_deadline(live);
        return IM_OK;
    }
    live->operations.count--;
    if (rc == LDAP_SERVER_DOWN)
        return lost(live, e);
    return im_error_set_at(e, IM_E_INTERNAL, live->c.uri, 0, 0, "%s cannot be sent: %s", op->what, ldap_err2string(rc));
}

static enum im_err start_modify(void *impl, const struct im_change *change, void *token, struct im_error *e) {
    static const int kinds[] = {[IM_OP_ADD] = LDAP_MOD_ADD, [IM_OP_DELETE] = LDAP_MOD_DELETE, [IM_OP_REPLACE] = LDAP_MOD_REPLACE};
    struct live *live = impl;
    LDAPControl assertion = {(char[]){LDAP_CONTROL_ASSERT}, {0, NULL}, 1};
    LDAPControl *controls[] = {change->assertion ? &assertion : NULL, NULL};
    if (live->is_lost)
        return lost(live, e);
    struct im_pool *pool = im_pool_new();
    LDAPMod **mods = pool ? im_pool_array(pool, change->count + 1, sizeof(LDAPMod *)) : NULL;
    struct operation *op = mods ? im_vec_push(&live->operations) : NULL;
    enum im_err err = op ? IM_OK : im_error_nomem(e);
    if (err == IM_OK)
        *op = (struct operation){.expected = LDAP_RES_MODIFY, .token = token, .what = "the change"};
    for (size_t i = 0; err == IM_OK && i < change->count; i++) {
        const struct im_op *from = &change->ops[i];
        mods[i] = make_mod(pool, kinds[from->kind], from->attribute, from->values, from->count);
        if (!mods[i])
            err = im_error_nomem(e);
    }
    int rc = LDAP_SUCCESS;
    if (err == IM_OK && change->assertion) {
        char *filter = im_pool_strdup(pool, change->assertion);
        rc = filter ? ldap_create_assertion_control_value(live->c.ld, filter, &assertion.ldctl_value) : LDAP_NO_MEMORY;
    }
    if (err == IM_OK && rc == LDAP_SUCCESS) {
        rc = ldap_modify_ext(live->c.ld, change->dn, mods, controls, NULL, &op->msgid);
        trace(live, "modify \"%s\", %zu parts (message %d)", change->dn, change->count, op->msgid);
    }
    if (err == IM_OK) {
        err = sent(live, op, rc, e);
    } else if (op) {
        live->operations.count--;
    }
    ber_memfree(assertion.ldctl_value.bv_val);
    im_pool_free(&pool);
    return err;
}

static enum im_err start_add(void *impl, const struct im_entry *entry, void *token, struct im_error *e) {
    struct live *live = impl;
    if (live->is_lost)
        return lost(live, e);
    struct im_pool *pool = im_pool_new();
    LDAPMod **mods = pool ? im_pool_array(pool, entry->count + 1, sizeof(LDAPMod *)) : NULL;
    struct operation *op = mods ? im_vec_push(&live->operations) : NULL;
    enum im_err err = op ? IM_OK : im_error_nomem(e);
    if (err == IM_OK)
        *op = (struct operation){.expected = LDAP_RES_ADD, .token = token, .what = "the new entry"};
    for (size_t i = 0; err == IM_OK && i < entry->count; i++) {
        mods[i] = make_mod(pool, LDAP_MOD_ADD, entry->attrs[i].name, entry->attrs[i].values, entry->attrs[i].count);
        if (!mods[i])
            err = im_error_nomem(e);
    }
    if (err == IM_OK) {
        int rc = ldap_add_ext(live->c.ld, entry->dn, mods, NULL, NULL, &op->msgid);
        trace(live, "add \"%s\" (message %d)", entry->dn, op->msgid);
        err = sent(live, op, rc, e);
    } else if (op) {
        live->operations.count--;
    }
    im_pool_free(&pool);
    return err;
}

/* ---- answers ---- */

/* What was sent to be written is waited for, up to its deadline: a stop request must not make its outcome unknown. */
static bool awaits_change(const struct live *live) {
    for (size_t i = 0; i < live->operations.count; i++) {
        if (live->operations.items[i].expected != LDAP_RES_SEARCH_RESULT)
            return true;
    }
    return false;
}

/* Waits for one message; LDAP_RES_ANY or one id. All parts of a search, or one by one. */
static enum im_err receive(struct live *live, int msgid, int all, int64_t deadline_ms, LDAPMessage **out, struct im_error *e) {
    for (;;) {
        /* TLS and SASL layers may hold whole messages that poll cannot see: look first, wait then. */
        struct timeval now = {0, 0};
        int rc = ldap_result(live->c.ld, msgid, all, &now, out);
        if (rc > 0)
            return IM_OK;
        if (rc < 0)
            return lost(live, e);
        enum im_err err = im_wait_readable(&live->c, deadline_ms, awaits_change(live) ? NULL : live->options.stop, e);
        if (err == IM_E_TIMEOUT)
            live->is_lost = true; /* an answer that comes late would be taken for another's */
        if (err != IM_OK)
            return err;
    }
}

static struct operation *find_operation(struct live *live, int msgid) {
    for (size_t i = 0; i < live->operations.count; i++) {
        if (live->operations.items[i].msgid == msgid)
            return &live->operations.items[i];
    }
    return NULL;
}

static int64_t earliest_deadline(const struct live *live) {
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < live->operations.count; i++) {
        if (live->operations.items[i].deadline_ms < earliest)
            earliest = live->operations.items[i].deadline_ms;
    }
    return earliest;
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

/* Fetches one further part of a long attribute; *next is 0 when it was the last. */
static enum im_err read_range(struct live *live, const char *dn, struct im_attr *attr, size_t *next, struct im_error *e) {
    char *name = im_pool_printf(live->entry_pool, "%s;range=%zu-*", attr->name, *next);
    LDAPMessage *message = NULL;
    int msgid;
    if (!name)
        return im_error_nomem(e);
    int rc = ldap_search_ext(live->c.ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", (char *[]){name, NULL}, 0, NULL, NULL, NULL, 0,
                             &msgid);
    if (rc != LDAP_SUCCESS)
        return lost(live, e);
    enum im_err err = receive(live, msgid, LDAP_MSG_ALL, new_deadline(live), &message, e);
    LDAPMessage *entry = err == IM_OK ? ldap_first_entry(live->c.ld, message) : NULL;
    struct im_entry part;
    struct im_range ranges[IM_MAX_RANGES];
    size_t count = 0;
    if (err == IM_OK && !entry)
        err = im_error_set_at(e, IM_E_TRUNCATED, dn, 0, 0, "the server gave only a part of %s", attr->name);
    if (err == IM_OK)
        err = im_decode_entry(live->c.ld, entry, live->entry_pool, &part, ranges, &count, e);
    const struct im_attr *more = err == IM_OK ? im_entry_attr(&part, attr->name) : NULL;
    if (err == IM_OK && (!more || (count && ranges[0].next <= *next)))
        err = im_error_set_at(e, IM_E_TRUNCATED, dn, 0, 0, "the server gave only a part of %s", attr->name);
    if (err == IM_OK)
        err = append_values(attr, more, live->entry_pool, e);
    if (err == IM_OK)
        *next = count ? ranges[0].next : 0;
    (void)ldap_msgfree(message);
    return err;
}

static enum im_err take_entry(struct live *live, LDAPMessage *message, struct operation *op, struct im_event *event,
                              struct im_error *e) {
    struct im_range ranges[IM_MAX_RANGES];
    size_t count;
    enum im_err err = im_decode_entry(live->c.ld, message, live->entry_pool, &live->entry, ranges, &count, e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        while (err == IM_OK && ranges[i].next)
            err = read_range(live, live->entry.dn, &live->entry.attrs[ranges[i].attr], &ranges[i].next, e);
    }
    *event = (struct im_event){.kind = IM_EVENT_ENTRY, .token = op->token, .entry = &live->entry};
    return err;
}

/* *more: the search goes on with another page. */
static enum im_err next_page(struct live *live, struct operation *op, LDAPControl **controls, bool *more, struct im_error *e) {
    LDAPControl *page = controls ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
    ber_int_t estimate;
    struct berval cookie = {0, NULL};
    ber_memfree(op->cookie.bv_val);
    op->cookie = (struct berval){0, NULL};
    if (page && ldap_parse_pageresponse_control(live->c.ld, page, &estimate, &cookie) == LDAP_SUCCESS && cookie.bv_len) {
        op->cookie = cookie;
        *more = true;
        return send_search(live, op, e);
    }
    ber_memfree(cookie.bv_val);
    return IM_OK;
}

static void forget(struct live *live, struct operation *op) {
    ber_memfree(op->cookie.bv_val);
    *op = live->operations.items[--live->operations.count];
}

static enum im_err take_result(struct live *live, LDAPMessage *message, struct operation *op, struct im_event *event,
                               bool *is_event, struct im_error *e) {
    int code = LDAP_OTHER;
    LDAPControl **controls = NULL;
    bool more = false;
    ldap_memfree(live->diagnostic);
    live->diagnostic = NULL;
    enum im_err err = IM_OK;
    int rc = ldap_parse_result(live->c.ld, message, &code, NULL, &live->diagnostic, NULL, &controls, 0);
    /* Whatever its type, it ends the operation: Samba answers an unknown critical control with the wrong one. */
    if (rc != LDAP_SUCCESS || (code == LDAP_SUCCESS && ldap_msgtype(message) != op->expected)) {
        err = im_error_set_at(e, IM_E_PROTOCOL, live->c.uri, 0, 0, "the answer to %s makes no sense", op->what);
    } else if (code == LDAP_SUCCESS && op->expected == LDAP_RES_SEARCH_RESULT) {
        err = next_page(live, op, controls, &more, e);
    }
    ldap_controls_free(controls);
    if (err != IM_OK || more)
        return err;
    trace(live, "message %d ended with %d %s", op->msgid, code, live->diagnostic ? live->diagnostic : "");
    *event = (struct im_event){
        .kind = IM_EVENT_DONE,
        .token = op->token,
        .answer = {.code = code, .diagnostic = live->diagnostic ? live->diagnostic : "", .references = op->references},
    };
    forget(live, op);
    *is_event = true;
    return IM_OK;
}

static enum im_err disconnected(struct live *live, LDAPMessage *message, struct im_error *e) {
    char *text = NULL;
    live->is_lost = true;
    (void)ldap_parse_result(live->c.ld, message, &(int){0}, NULL, &text, NULL, NULL, 0);
    im_error_set_at(e, IM_E_LOST, live->c.uri, 0, 0, "the server ended the connection%s%s", text && *text ? ": " : "",
                    text ? text : "");
    ldap_memfree(text);
    return IM_E_LOST;
}

static enum im_err next(void *impl, struct im_event *event, struct im_error *e) {
    struct live *live = impl;
    bool is_event = false;
    enum im_err err = live->is_lost ? lost(live, e) : IM_OK;
    while (err == IM_OK && !is_event) {
        (void)ldap_msgfree(live->message);
        live->message = NULL;
        im_pool_reset(live->entry_pool);
        err = receive(live, LDAP_RES_ANY, LDAP_MSG_ONE, earliest_deadline(live), &live->message, e);
        if (err != IM_OK)
            break;
        int msgid = ldap_msgid(live->message);
        int type = ldap_msgtype(live->message);
        if (msgid == LDAP_RES_UNSOLICITED)
            return disconnected(live, live->message, e);
        struct operation *op = find_operation(live, msgid);
        if (!op)
            continue;
        op->deadline_ms = new_deadline(live);
        if (type == LDAP_RES_SEARCH_ENTRY) {
            err = take_entry(live, live->message, op, event, e);
            is_event = true;
        } else if (type == LDAP_RES_SEARCH_REFERENCE) {
            op->references++;
        } else if (type != LDAP_RES_INTERMEDIATE) {
            err = take_result(live, live->message, op, event, &is_event, e);
        }
    }
    return err;
}

static void abandon(void *impl, void *token) {
    struct live *live = impl;
    for (size_t i = 0; i < live->operations.count; i++) {
        struct operation *op = &live->operations.items[i];
        if (op->token != token)
            continue;
        if (!live->is_lost)
            (void)ldap_abandon_ext(live->c.ld, op->msgid, NULL, NULL);
        trace(live, "message %d is abandoned", op->msgid);
        forget(live, op);
        return;
    }
}

static void live_free(void *impl) {
    struct live *live = impl;
    if (!live)
        return;
    (void)ldap_msgfree(live->message);
    ldap_memfree(live->diagnostic);
    for (size_t i = 0; i < live->operations.count; i++)
        ber_memfree(live->operations.items[i].cookie.bv_val);
    im_vec_free(&live->operations);
    im_disconnect(&live->c);
    im_pool_free(&live->entry_pool);
    im_pool_free(&live->pool);
    free(live);
}

static const struct im_directory_ops ops = {.start_search = start_search,
                                            .start_modify = start_modify,
                                            .start_add = start_add,
                                            .next = next,
                                            .abandon = abandon,
                                            .free = live_free};

enum im_err im_live_open_uri(const struct im_live_options *options, const char *uri, struct im_directory **out,
                             struct im_error *e) {
    struct live *live = calloc(1, sizeof *live);
    struct im_entry *entry = NULL;
    enum im_err err = live ? IM_OK : im_error_nomem(e);
    if (err != IM_OK)
        return err;
    live->options = *options;
    live->c.fd = -1;
    live->pool = im_pool_new();
    live->entry_pool = im_pool_new();
    const char *kept_uri = live->pool ? im_pool_strdup(live->pool, uri) : NULL;
    err = kept_uri && live->entry_pool ? im_connect(&live->options, kept_uri, &live->c, e) : im_error_nomem(e);
    if (err == IM_OK)
        trace(live, "connected to %s%s", uri, live->c.has_tls ? " with TLS" : "");
    if (err == IM_OK)
        err = im_bind(&live->c, &live->options, live->pool, &live->identity, e);
    if (err != IM_OK) {
        live_free(live);
        return err;
    }
    trace(live, "bound as %s", live->identity);
    struct im_directory *d = im_directory_new_take(&ops, live, &live->rootdse, kept_uri, live->identity);
    if (!d)
        return im_error_nomem(e);
    struct im_search search = {.base = "", .scope = IM_SEARCH_BASE, .attributes = im_rootdse_attributes};
    err = im_directory_read(d, &search, live->pool, &entry, e);
    if (err == IM_OK && !entry)
        err = im_error_set_at(e, IM_E_PROTOCOL, kept_uri, 0, 0, "the server shows no root DSE to %s", live->identity);
    if (err == IM_OK)
        err = im_rootdse_decode(entry, live->pool, &live->rootdse, e);
    if (err == IM_OK) {
        *out = d;
    } else {
        im_directory_free(&d);
    }
    return err;
}
