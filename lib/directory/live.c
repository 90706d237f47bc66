#include "lib/directory/bind.h"
#include "lib/directory/live_impl.h"
#include "lib/directory/live_uri.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void im_live_trace(const struct im_live *live, const char *format, ...) {
    if (!live->options.log)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    live->options.log(live->options.log_user, 2, text);
}

enum im_err im_live_lost(struct im_live *live, struct im_error *e) {
    live->is_lost = true; /* libldap never recovers a handle; it would come back anonymous */
    return im_error_set_at(e, IM_E_LOST, live->c.uri, 0, 0, "the connection to the server was lost");
}

int64_t im_live_deadline(const struct im_live *live) {
    return im_clock_ms() + live->options.config->timeout_s * 1000;
}

/* ---- operations in flight ---- */

struct im_live_op *im_live_begin(struct im_live *live, int expected, const char *what, void *token, struct im_error *e) {
    if (live->is_lost) {
        (void)im_live_lost(live, e);
        return NULL;
    }
    struct im_live_op *op = im_vec_push(&live->operations);
    if (op) {
        *op = (struct im_live_op){.expected = expected, .what = what, .token = token};
    } else {
        (void)im_error_nomem(e);
    }
    return op;
}

void im_live_forget(struct im_live *live, struct im_live_op *op) {
    ber_memfree(op->cookie.bv_val);
    *op = live->operations.items[--live->operations.count];
}

enum im_err im_live_sent(struct im_live *live, struct im_live_op *op, int rc, struct im_error *e) {
    if (rc == LDAP_SUCCESS) {
        op->deadline_ms = im_live_deadline(live);
        return IM_OK;
    }
    const char *what = op->what;
    im_live_forget(live, op);
    if (rc == LDAP_SERVER_DOWN)
        return im_live_lost(live, e);
    if (rc == LDAP_NO_MEMORY)
        return im_error_nomem(e);
    return im_error_set_at(e, IM_E_INTERNAL, live->c.uri, 0, 0, "%s cannot be sent: %s", what, ldap_err2string(rc));
}

static struct im_live_op *find_operation(struct im_live *live, int msgid) {
    for (size_t i = 0; i < live->operations.count; i++) {
        if (live->operations.items[i].msgid == msgid)
            return &live->operations.items[i];
    }
    return NULL;
}

static int64_t earliest_deadline(const struct im_live *live) {
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < live->operations.count; i++) {
        if (live->operations.items[i].deadline_ms < earliest)
            earliest = live->operations.items[i].deadline_ms;
    }
    return earliest;
}

/* What was sent to be written is waited for, up to its deadline: a stop request must not make its outcome unknown. */
static bool awaits_change(const struct im_live *live) {
    for (size_t i = 0; i < live->operations.count; i++) {
        if (live->operations.items[i].expected != LDAP_RES_SEARCH_RESULT)
            return true;
    }
    return false;
}

static void abandon(void *impl, void *token) {
    struct im_live *live = impl;
    for (size_t i = 0; i < live->operations.count; i++) {
        struct im_live_op *op = &live->operations.items[i];
        if (op->token != token)
            continue;
        if (!live->is_lost && !op->is_waiting)
            (void)ldap_abandon_ext(live->c.ld, op->msgid, NULL, NULL);
        im_live_trace(live, "message %d is abandoned", op->msgid);
        im_live_forget(live, op);
        return;
    }
}

/* ---- answers ---- */

/* *out is NULL where until_ms passed first. */
static enum im_err receive_until(struct im_live *live, int msgid, int all, int64_t until_ms, LDAPMessage **out,
                                 struct im_error *e) {
    *out = NULL;
    for (;;) {
        /* TLS and SASL layers may hold whole messages that poll cannot see: look first, wait then. */
        struct timeval now = {0, 0};
        int rc = ldap_result(live->c.ld, msgid, all, &now, out);
        if (rc > 0)
            return IM_OK;
        if (rc < 0)
            return im_live_lost(live, e);
        enum im_waited waited = im_wait_until(&live->c, until_ms, awaits_change(live) ? NULL : live->options.stop);
        if (waited == IM_WAITED_STOP)
            return im_error_set(e, IM_E_INTERRUPTED, "stopped on request");
        if (waited == IM_WAITED_LONG)
            return IM_OK;
    }
}

static enum im_err too_late(struct im_live *live, struct im_error *e) {
    live->is_lost = true; /* an answer that comes late would be taken for another's */
    return im_too_late(&live->c, e);
}

enum im_err im_live_receive(struct im_live *live, int msgid, int all, int64_t deadline_ms, LDAPMessage **out,
                            struct im_error *e) {
    enum im_err err = receive_until(live, msgid, all, deadline_ms, out, e);
    return err == IM_OK && !*out ? too_late(live, e) : err;
}

/* Where the server sends us instead. */
static void note_referral(struct im_live *live, char **referrals) {
    if (!referrals || !referrals[0] || (live->diagnostic && *live->diagnostic))
        return;
    ldap_memfree(live->diagnostic);
    live->diagnostic = ber_strdup(referrals[0]);
}

/* Ends the operation, unless the search goes on with another page. *is_event: the answer is to be handed out. */
static enum im_err take_result(struct im_live *live, LDAPMessage *message, struct im_live_op *op, struct im_event *event,
                               bool *is_event, struct im_error *e) {
    int code = LDAP_OTHER;
    LDAPControl **controls = NULL;
    char **referrals = NULL;
    bool more = false;
    enum im_err err = IM_OK;
    ldap_memfree(live->diagnostic);
    live->diagnostic = NULL;
    int rc = ldap_parse_result(live->c.ld, message, &code, NULL, &live->diagnostic, &referrals, &controls, 0);
    note_referral(live, referrals);
    /* Whatever its type, it ends the operation: Samba answers an unknown critical control with the wrong one. */
    if (rc != LDAP_SUCCESS || (code == LDAP_SUCCESS && ldap_msgtype(message) != op->expected)) {
        err = im_error_set_at(e, IM_E_PROTOCOL, live->c.uri, 0, 0, "the answer to %s makes no sense", op->what);
        im_live_forget(live, op);
    } else if (code == LDAP_SUCCESS && op->expected == LDAP_RES_SEARCH_RESULT) {
        err = im_live_next_page(live, op, controls, &more, e);
    }
    ldap_controls_free(controls);
    ber_memvfree((void **)referrals);
    if (err != IM_OK || more)
        return err;
    const char *diagnostic = live->diagnostic ? live->diagnostic : "";
    im_live_trace(live, "message %d ended with %d %s", op->msgid, code, diagnostic);
    *event = (struct im_event){.kind = IM_EVENT_DONE,
                               .token = op->token,
                               .answer = {.code = code, .diagnostic = diagnostic, .references = op->references}};
    im_live_forget(live, op);
    *is_event = true;
    return IM_OK;
}

/* What the server says unasked: the notice that it hangs up (RFC 4511 section 4.4.1); anything else may be ignored. */
static enum im_err take_notice(struct im_live *live, LDAPMessage *message, struct im_error *e) {
    char *oid = NULL;
    char *text = NULL;
    bool is_known = ldap_parse_extended_result(live->c.ld, message, &oid, NULL, 0) == LDAP_SUCCESS && oid;
    bool is_end = is_known && strcmp(oid, LDAP_NOTICE_OF_DISCONNECTION) == 0;
    enum im_err err = IM_OK;
    (void)ldap_parse_result(live->c.ld, message, &(int){0}, NULL, &text, NULL, NULL, 0);
    im_live_trace(live, "unasked notice %s %s", is_known ? oid : "without a name", text ? text : "");
    if (is_end) {
        live->is_lost = true;
        err = im_error_set_at(e, IM_E_LOST, live->c.uri, 0, 0, "the server ended the connection%s%s", text && *text ? ": " : "",
                              text ? text : "");
    }
    ldap_memfree(oid);
    ldap_memfree(text);
    return err;
}

static enum im_err take_message(struct im_live *live, struct im_event *event, bool *is_event, struct im_error *e) {
    int type = ldap_msgtype(live->message);
    if (ldap_msgid(live->message) == LDAP_RES_UNSOLICITED)
        return take_notice(live, live->message, e);
    struct im_live_op *op = find_operation(live, ldap_msgid(live->message));
    if (!op)
        return IM_OK;
    op->deadline_ms = im_live_deadline(live);
    if (type == LDAP_RES_SEARCH_ENTRY) {
        *event = (struct im_event){.kind = IM_EVENT_ENTRY, .token = op->token, .entry = &live->entry};
        *is_event = true;
        return im_live_take_entry(live, live->message, op, e);
    }
    if (type == LDAP_RES_SEARCH_REFERENCE)
        op->references++;
    if (type == LDAP_RES_SEARCH_REFERENCE || type == LDAP_RES_INTERMEDIATE)
        return IM_OK;
    return take_result(live, live->message, op, event, is_event, e);
}

static void drop_event(struct im_live *live) {
    (void)ldap_msgfree(live->message);
    live->message = NULL;
    im_pool_reset(live->entry_pool);
}

/* Between two attempts to get a connection. */
static enum im_err rest(const struct im_live *live, int64_t until_ms, struct im_error *e) {
    bool is_stopped = im_wait_until(NULL, until_ms, live->options.stop) == IM_WAITED_STOP;
    return is_stopped ? im_error_set(e, IM_E_INTERRUPTED, "stopped on request") : IM_OK;
}

static enum im_err wait_event(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    struct im_live *live = impl;
    bool is_event = false;
    int64_t until_ms = wait_ms < 0 ? INT64_MAX : im_clock_ms() + wait_ms;
    enum im_err err = IM_OK;
    *event = (struct im_event){.kind = IM_EVENT_NONE};
    drop_event(live);
    if (live->is_lost && !live->operations.count && wait_ms >= 0)
        return rest(live, until_ms, e);
    if (live->is_lost)
        return im_live_lost(live, e);
    while (err == IM_OK && !is_event) {
        drop_event(live);
        err = im_live_start_waiting(live, e);
        if (err != IM_OK)
            break;
        int64_t deadline_ms = earliest_deadline(live);
        err = receive_until(live, LDAP_RES_ANY, LDAP_MSG_ONE, until_ms < deadline_ms ? until_ms : deadline_ms, &live->message, e);
        if (err == IM_OK && !live->message)
            return until_ms < deadline_ms ? IM_OK : too_late(live, e);
        if (err == IM_OK)
            err = take_message(live, event, &is_event, e);
    }
    return err;
}

static int64_t now_ms(void *impl) {
    (void)impl;
    return im_clock_ms();
}

/* ---- opening and closing ---- */

static void forget_all(struct im_live *live) {
    drop_event(live);
    ldap_memfree(live->diagnostic);
    live->diagnostic = NULL;
    while (live->operations.count)
        im_live_forget(live, &live->operations.items[live->operations.count - 1]);
}

static void live_free(void *impl) {
    struct im_live *live = impl;
    forget_all(live);
    im_vec_free(&live->operations);
    im_disconnect(&live->c);
    im_pool_free(&live->entry_pool);
    im_pool_free(&live->pool);
    free(live);
}

static enum im_err reopen(void *impl, struct im_error *e);

static const struct im_directory_ops ops = {
    .start_search = im_live_start_search,
    .start_modify = im_live_start_modify,
    .start_add = im_live_start_add,
    .wait = wait_event,
    .now_ms = now_ms,
    .reopen = reopen,
    .abandon = abandon,
    .free = live_free,
};

/* Connected and bound; the root DSE is still to be read. */
static enum im_err new_live(const struct im_live_options *options, const char *uri, struct im_live **out, struct im_error *e) {
    struct im_live *live = calloc(1, sizeof *live);
    if (!live)
        return im_error_nomem(e);
    live->options = *options;
    live->c.fd = -1;
    live->pool = im_pool_new();
    live->entry_pool = im_pool_new();
    const char *kept_uri = live->pool ? im_pool_strdup(live->pool, uri) : NULL;
    enum im_err err = kept_uri && live->entry_pool ? im_connect(&live->options, kept_uri, &live->c, e) : im_error_nomem(e);
    if (err == IM_OK) {
        im_live_trace(live, "connected to %s%s", uri, live->c.has_tls ? " with TLS" : "");
        err = im_bind(&live->c, &live->options, live->pool, &live->identity, e);
    }
    if (err != IM_OK) {
        live_free(live);
        return err;
    }
    im_live_trace(live, "bound as %s", live->identity);
    *out = live;
    return IM_OK;
}

static enum im_err read_rootdse(struct im_directory *d, struct im_live *live, struct im_error *e) {
    struct im_entry *entry = NULL;
    struct im_search search = {.base = "", .scope = IM_SEARCH_BASE, .attributes = im_rootdse_attributes};
    enum im_err err = im_directory_read(d, &search, live->pool, &entry, e);
    if (err == IM_OK && !entry)
        err = im_error_set_at(e, IM_E_PROTOCOL, live->c.uri, 0, 0, "the server shows no root DSE to %s", live->identity);
    return err == IM_OK ? im_rootdse_decode(entry, live->pool, &live->rootdse, e) : err;
}

/* A second connection, as the first one was opened. */
static enum im_err open_live(const struct im_live_options *options, const char *uri, struct im_live **live,
                             struct im_directory **out, struct im_error *e) {
    enum im_err err = new_live(options, uri, live, e);
    if (err != IM_OK)
        return err;
    struct im_directory *d = im_directory_new_take(&ops, *live, &(*live)->rootdse, (*live)->c.uri, (*live)->identity);
    if (!d)
        return im_error_nomem(e);
    err = read_rootdse(d, *live, e);
    if (err == IM_OK) {
        *out = d;
    } else {
        im_directory_free(&d);
    }
    return err;
}

static enum im_err check_same(const struct im_live *before, const struct im_live *now, struct im_error *e) {
    if (strcmp(before->identity, now->identity) != 0) {
        return im_error_set_at(e, IM_E_AUTH, before->c.uri, 0, 0, "the new connection is bound as %s, the first one was as %s",
                               now->identity, before->identity);
    }
    if (im_rootdse_is_same_server(&before->rootdse, &now->rootdse))
        return IM_OK;
    return im_error_set_at(e, IM_E_PROTOCOL, before->c.uri, 0, 0,
                           "another server answers than before: its name or its naming contexts are not the same");
}

static enum im_err reopen(void *impl, struct im_error *e) {
    struct im_live *live = impl;
    struct im_live *other = NULL;
    struct im_directory *d = NULL;
    const char *uri = live->c.uri;
    forget_all(live);
    im_give_up(&live->c);
    live->is_lost = true;
    enum im_err err = open_live(&live->options, uri, &other, &d, e);
    if (err == IM_OK)
        err = check_same(live, other, e);
    if (err == IM_OK) {
        live->c = other->c;
        live->c.uri = uri;
        live->is_lost = false;
        other->c = (struct im_connection){.fd = -1};
    }
    im_directory_free(&d);
    return err;
}

enum im_err im_live_open_uri(const struct im_live_options *options, const char *uri, struct im_directory **out,
                             struct im_error *e) {
    struct im_live *live = NULL;
    return open_live(options, uri, &live, out, e);
}
