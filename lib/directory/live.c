/* Answers of a live directory. */
#include "lib/directory/live_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { TRACE = 2 }; /* -vv */

void im_live_trace(const struct im_live *live, const char *format, ...) {
    if (!live->options.log || live->options.verbosity < TRACE)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    live->options.log(live->options.log_user, TRACE, text);
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
    struct im_live_op *op = im_live_table_begin(&live->operations);
    if (op) {
        op->expected = expected;
        op->what = what;
        op->token = token;
        op->is_change = expected != LDAP_RES_SEARCH_RESULT;
    } else {
        (void)im_error_nomem(e);
    }
    return op;
}

enum im_err im_live_sent(struct im_live *live, struct im_live_op *op, int rc, int msgid, struct im_error *e) {
    if (rc == LDAP_SUCCESS) {
        im_live_table_sent(&live->operations, op, msgid, im_live_deadline(live));
        return IM_OK;
    }
    const char *what = op->what;
    im_live_table_end(&live->operations, op);
    if (rc == LDAP_SERVER_DOWN)
        return im_live_lost(live, e);
    if (rc == LDAP_NO_MEMORY)
        return im_error_nomem(e);
    return im_error_set_at(e, IM_E_INTERNAL, live->c.uri, 0, 0, "%s cannot be sent: %s", what, ldap_err2string(rc));
}

void im_live_abandon(void *impl, void *token) {
    struct im_live *live = impl;
    struct im_live_op *op = im_live_table_find_token(&live->operations, token);
    if (!op)
        return;
    if (!live->is_lost && op->state == IM_LIVE_SENT)
        (void)ldap_abandon_ext(live->c.ld, op->msgid, NULL, NULL);
    im_live_trace(live, "message %d is abandoned", op->msgid);
    im_live_table_end(&live->operations, op);
}

/* ---- answers ---- */

/* Nothing is left to be read. */
static void let_gather(struct im_live *live, int64_t until_ms) {
    int64_t now_us = im_clock_us();
    size_t due = live->operations.in_flight + (live->operations.pages ? live->page_left : 0);
    int64_t rest_us = im_moderation_rest(&live->moderation, due, now_us);
    if (rest_us && (now_us + rest_us) / 1000 < until_ms)
        (void)nanosleep(&(struct timespec){.tv_nsec = rest_us * 1000}, NULL);
}

/* *out is NULL where until_ms passed first. What was sent to be written is waited for, up to its deadline: a stop request must
 * not make its outcome unknown. */
static enum im_err receive_until(struct im_live *live, int msgid, int all, int64_t until_ms, LDAPMessage **out,
                                 struct im_error *e) {
    *out = NULL;
    for (;;) {
        /* TLS and SASL layers may hold whole messages that poll cannot see: look first, wait then. */
        struct timeval now = {0, 0};
        errno = 0;
        int rc = ldap_result(live->c.ld, msgid, all, &now, out);
        if (rc > 0)
            return IM_OK;
        if (rc < 0) {
            im_live_trace(live, "the connection ended: %s", errno ? strerror(errno) : "closed by the server");
            return im_live_lost(live, e);
        }
        if (!im_gathering_flush(live->c.gathering))
            return im_live_lost(live, e);
        if (msgid == LDAP_RES_ANY)
            let_gather(live, until_ms);
        enum im_waited waited = im_wait_until(&live->c, until_ms, live->operations.changes ? NULL : live->options.stop);
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
        im_live_table_end(&live->operations, op);
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
    im_live_table_end(&live->operations, op);
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
    live->moderation.taken++;
    if (ldap_msgid(live->message) == LDAP_RES_UNSOLICITED)
        return take_notice(live, live->message, e);
    struct im_live_op *op = im_live_table_find(&live->operations, ldap_msgid(live->message));
    if (!op)
        return IM_OK;
    im_live_table_moved(&live->operations, op, im_live_deadline(live));
    if (type == LDAP_RES_SEARCH_ENTRY) {
        if (op->is_paged && live->page_left)
            live->page_left--;
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

void im_live_drop_event(struct im_live *live) {
    (void)ldap_msgfree(live->message);
    live->message = NULL;
    if (live->entry_pool)
        im_pool_reset(live->entry_pool);
}

/* Between two attempts to get a connection. */
static enum im_err rest(const struct im_live *live, int64_t until_ms, struct im_error *e) {
    bool is_stopped = im_wait_until(NULL, until_ms, live->options.stop) == IM_WAITED_STOP;
    return is_stopped ? im_error_set(e, IM_E_INTERRUPTED, "stopped on request") : IM_OK;
}

enum im_err im_live_wait(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    struct im_live *live = impl;
    bool is_event = false;
    int64_t until_ms = wait_ms < 0 ? INT64_MAX : im_clock_ms() + wait_ms;
    enum im_err err = IM_OK;
    *event = (struct im_event){.kind = IM_EVENT_NONE};
    im_live_drop_event(live);
    if (live->is_lost && !live->operations.count && wait_ms >= 0)
        return rest(live, until_ms, e);
    if (live->is_lost)
        return im_live_lost(live, e);
    while (err == IM_OK && !is_event) {
        im_live_drop_event(live);
        err = im_live_start_waiting(live, e);
        if (err != IM_OK)
            break;
        const struct im_live_op *oldest = live->operations.sent.first;
        int64_t deadline_ms = oldest ? oldest->deadline_ms : INT64_MAX;
        err = receive_until(live, LDAP_RES_ANY, LDAP_MSG_ONE, until_ms < deadline_ms ? until_ms : deadline_ms, &live->message, e);
        if (err == IM_OK && !live->message)
            return until_ms < deadline_ms ? IM_OK : too_late(live, e);
        if (err == IM_OK)
            err = take_message(live, event, &is_event, e);
    }
    return err;
}
