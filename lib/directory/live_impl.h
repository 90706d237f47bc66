/* What the files of the live directory share. Internal to this room. */
#ifndef IMDIR_DIRECTORY_LIVE_IMPL_H
#define IMDIR_DIRECTORY_LIVE_IMPL_H

#include "lib/directory/connect.h"
#include "lib/directory/live_table.h"
#include "lib/directory/moderation.h"

struct im_live {
    struct im_connection c;
    struct im_live_options options;
    struct im_pool *pool;       /* lives as long as the connection */
    struct im_pool *entry_pool; /* of the entry that was handed out last */
    struct im_pool *scratch;    /* of the request that is being made */
    LDAPMessage *message;       /* holds the values of that entry */
    struct im_entry entry;
    char *diagnostic; /* of the answer that was handed out last; libldap's memory */
    struct im_live_table operations;
    size_t page_left; /* entries that may still come of the page in flight */
    struct im_moderation moderation;
    struct im_rootdse rootdse;
    const char *identity;
    bool is_lost;
};

/* A line for -vv; costs nothing without. */
void im_live_trace(const struct im_live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Gives the connection up. */
enum im_err im_live_lost(struct im_live *live, struct im_error *e);
int64_t im_live_deadline(const struct im_live *live); /* of an operation that begins now */
/* A new operation in the table, or NULL with an error (IM_E_LOST, IM_E_NOMEM). */
struct im_live_op *im_live_begin(struct im_live *live, int expected, const char *what, void *token, struct im_error *e);
/* Judges libldap's code for sending it; ends the operation where that failed. */
enum im_err im_live_sent(struct im_live *live, struct im_live_op *op, int rc, int msgid, struct im_error *e);
/* Waits for one message: of one operation or LDAP_RES_ANY; all parts of a search (LDAP_MSG_ALL) or one. */
enum im_err im_live_receive(struct im_live *live, int msgid, int all, int64_t deadline_ms, LDAPMessage **out, struct im_error *e);

void im_live_drop_event(struct im_live *live); /* what was handed out last is no longer needed */
enum im_err im_live_wait(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e);
void im_live_abandon(void *impl, void *token);

/* ---- live_search.c ---- */

enum im_err im_live_start_search(void *impl, const struct im_search *search, void *token, struct im_error *e);
/* Sends a paged search that had to wait for another one: OpenLDAP remembers one cookie a connection, Active Directory few. */
enum im_err im_live_start_waiting(struct im_live *live, struct im_error *e);
/* Decodes an entry into live->entry; attributes that come in parts are fetched to their end. */
enum im_err im_live_take_entry(struct im_live *live, LDAPMessage *message, const struct im_live_op *op, struct im_error *e);
/* Asks for the next page where the result's controls promise one; *more says so. */
enum im_err im_live_next_page(struct im_live *live, struct im_live_op *op, LDAPControl **controls, bool *more,
                              struct im_error *e);

/* ---- live_change.c ---- */

enum im_err im_live_start_modify(void *impl, const struct im_change *change, void *token, struct im_error *e);
enum im_err im_live_start_add(void *impl, const struct im_entry *entry, void *token, struct im_error *e);

#endif
