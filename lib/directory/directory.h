/* A directory that can be asked and changed: one interface, several implementations (live LDAP; in memory for tests).
 *
 * The core is asynchronous: operations are started and their answers come through im_directory_next in any order. The calls that
 * wait are made of it. One connection, one thread. Signals are not needed: `stop` is looked at while waiting, but not while a
 * change is in flight: its answer is waited for, so that what was written is known. */
#ifndef IMDIR_DIRECTORY_DIRECTORY_H
#define IMDIR_DIRECTORY_DIRECTORY_H

#include "lib/base/error.h"
#include "lib/data/entry.h"
#include "lib/data/op.h"
#include "lib/directory/rootdse.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct im_directory;

enum im_search_scope { IM_SEARCH_BASE, IM_SEARCH_ONE, IM_SEARCH_SUB };

struct im_search {
    const char *base; /* may be <GUID=...> on Active Directory */
    enum im_search_scope scope;
    const char *filter;            /* RFC 4515; NULL = (objectClass=*) */
    const char *const *attributes; /* NULL-terminated; NULL = all user attributes */
    bool extended_dn;              /* DN values as <GUID=...>;<SID=...>;dn where the server offers it (else plain) */
    bool show_deleted;             /* where offered */
    bool on_any;                   /* through any of several connections: nothing that it looks at is written meanwhile */
    bool no_paging;                /* for small results: paged searches follow one another, unpaged ones run side by side */
    size_t few;                    /* how many are looked at at most: no page is larger, where it is paged. 0: no matter */
};

/* How one operation ended. */
struct im_answer {
    int code;               /* LDAP result code */
    const char *diagnostic; /* the server's text; valid until the next call; "" = none */
    size_t references;      /* continuation references that were not followed */
};

enum im_event_kind { IM_EVENT_ENTRY, IM_EVENT_DONE, IM_EVENT_NONE };

struct im_event {
    enum im_event_kind kind;
    void *token;             /* as given when the operation was started */
    struct im_entry *entry;  /* IM_EVENT_ENTRY: ranges are already followed; valid until the next call */
    struct im_answer answer; /* IM_EVENT_DONE: all pages are in, or it failed */
};

/* Starts an operation. Failing to send is an error of the connection. Strings and values need not outlive the call, except those
 * of a search, which may be needed for further pages until its IM_EVENT_DONE. */
enum im_err im_directory_start_search(struct im_directory *d, const struct im_search *search, void *token, struct im_error *e);
enum im_err im_directory_start_modify(struct im_directory *d, const struct im_change *change, void *token, struct im_error *e);
enum im_err im_directory_start_add(struct im_directory *d, const struct im_entry *entry, void *token, struct im_error *e);
/* Waits for the next event. IM_E_TIMEOUT: an operation passed its deadline (it is abandoned and the connection given up).
 * IM_E_LOST, IM_E_INTERRUPTED, IM_E_PROTOCOL. Must only be called while something is in flight. */
enum im_err im_directory_next(struct im_directory *d, struct im_event *event, struct im_error *e);

/* The same, but waits no longer than wait_ms (negative: for ever): IM_EVENT_NONE when that time is over. May be called with
 * nothing in flight: then it is a pause, which a stop request ends with IM_E_INTERRUPTED. */
enum im_err im_directory_wait(struct im_directory *d, int64_t wait_ms, struct im_event *event, struct im_error *e);
/* The clock that pauses are measured by, in milliseconds; only differences mean something. */
int64_t im_directory_now_ms(const struct im_directory *d);
/* What becomes readable when an answer comes, for poll; -1: nothing does. An answer may be there already: first wait 0 ms. */
int im_directory_fd(const struct im_directory *d);
/* A new connection to the same server with the same identity, in the place of one that was lost: operations in flight are
 * forgotten, no event has their tokens. One attempt; the errors are those of opening, and the directory stays lost then. */
enum im_err im_directory_reopen(struct im_directory *d, struct im_error *e);

/* Nothing of this search is wanted any more: no further event has its token. */
void im_directory_abandon(struct im_directory *d, void *token);

/* Searches and hands each entry to fn (valid during the call); fn's error ends the search. A result other than success is an
 * error: noSuchObject IM_E_NOT_FOUND; size, time, admin limit and referral IM_E_TRUNCATED; others IM_E_SERVER, in words. */
typedef enum im_err im_entry_fn(void *user, const struct im_entry *entry, struct im_error *e);
enum im_err im_directory_search(struct im_directory *d, const struct im_search *search, im_entry_fn *fn, void *user,
                                struct im_error *e);
/* At most one entry, copied into pool; *out NULL where none matched or the base does not exist. Two or more: IM_E_PROTOCOL. */
enum im_err im_directory_read(struct im_directory *d, const struct im_search *search, struct im_pool *pool, struct im_entry **out,
                              struct im_error *e);
/* *answer is filled whenever the server answered; a result other than success is also returned as an error (IM_E_CONFLICT for
 * noSuchAttribute, attributeOrValueExists and assertionFailed; IM_E_NOT_FOUND; IM_E_SERVER). answer may be NULL. */
enum im_err im_directory_modify(struct im_directory *d, const struct im_change *change, struct im_answer *answer,
                                struct im_error *e);
/* Adds an entry: for schema definitions only. */
enum im_err im_directory_add(struct im_directory *d, const struct im_entry *entry, struct im_error *e);

const struct im_rootdse *im_directory_rootdse(const struct im_directory *d);
/* How many searches at a time are the fastest, where `usual` are for a server: an export answers any number in one pass. */
size_t im_directory_window(const struct im_directory *d, size_t usual);
const char *im_directory_uri(const struct im_directory *d); /* the pinned server */
const char *
im_directory_identity(const struct im_directory *d); /* who we are bound as, for messages: "EXTERNAL", a DN, "anonymous" */
void im_directory_free(struct im_directory **d);

/* ---- for implementations ---- */

struct im_directory_ops {
    enum im_err (*start_search)(void *impl, const struct im_search *search, void *token, struct im_error *e);
    enum im_err (*start_modify)(void *impl, const struct im_change *change, void *token, struct im_error *e);
    enum im_err (*start_add)(void *impl, const struct im_entry *entry, void *token, struct im_error *e);
    enum im_err (*wait)(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e);
    int64_t (*now_ms)(void *impl);
    int (*fd)(void *impl);
    enum im_err (*reopen)(void *impl, struct im_error *e);
    void (*abandon)(void *impl, void *token);
    void (*free)(void *impl);
};

/* Takes impl. rootdse, uri and identity are borrowed from impl. NULL when out of memory (impl is freed then). */
struct im_directory *im_directory_new_take(const struct im_directory_ops *ops, void *impl, const struct im_rootdse *rootdse,
                                           const char *uri, const char *identity);

/* Turns a result code and diagnostic into an error with words; `what` is what was tried ("modify CN=..."). */
enum im_err im_ldap_answer_error(const struct im_answer *answer, const char *where, const char *what, struct im_error *e);

#endif
