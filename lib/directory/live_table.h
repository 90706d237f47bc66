/* The operations in flight on one connection: found by message number, ordered by when they last moved. Nothing here depends on
 * how many there are, but im_live_table_find_token. Internal to this room. */
#ifndef IMDIR_DIRECTORY_LIVE_TABLE_H
#define IMDIR_DIRECTORY_LIVE_TABLE_H

#include "lib/base/pool.h"
#include "lib/directory/directory.h"

/* How far an operation is. A search that waits has to let another one end first. */
enum im_live_state { IM_LIVE_BEGUN, IM_LIVE_WAITS, IM_LIVE_SENT };

struct im_live_op {
    int msgid;
    int expected; /* type of the final message */
    void *token;
    int64_t deadline_ms;
    struct im_search search; /* for the next page */
    struct berval cookie;    /* libldap's memory */
    size_t references;
    const char *what; /* for messages: "the search" */
    bool is_paged, is_change;
    /* kept by the table */
    enum im_live_state state;
    struct im_live_op *before, *after;
};

struct im_live_list {
    struct im_live_op *first, *last;
};

struct im_live_table {
    struct im_pool *pool;        /* borrowed: operations, which are used again and never given back */
    struct im_live_list sent;    /* all have the same time-out: the deadline of the first is the earliest */
    struct im_live_list waiting; /* oldest first */
    size_t count;                /* whatever their state */
    size_t in_flight;            /* sent and not answered; of these: */
    size_t changes, pages;       /* changes, paged searches */
    struct im_live_op *unused;
    struct im_live_op **slots; /* by message number, probed linearly; at most half full */
    size_t slot_count;         /* a power of two */
};

struct im_live_op *im_live_table_begin(struct im_live_table *t); /* zeroed; NULL: out of memory */
void im_live_table_wait(struct im_live_table *t, struct im_live_op *op);
/* Sent, for the first time or for another page, with this number. */
void im_live_table_sent(struct im_live_table *t, struct im_live_op *op, int msgid, int64_t deadline_ms);
void im_live_table_moved(struct im_live_table *t, struct im_live_op *op, int64_t deadline_ms); /* a message for it came */
void im_live_table_end(struct im_live_table *t, struct im_live_op *op);                        /* op is no more */
void im_live_table_clear(struct im_live_table *t);
void im_live_table_free(struct im_live_table *t);

struct im_live_op *im_live_table_find(const struct im_live_table *t, int msgid);
struct im_live_op *im_live_table_find_token(const struct im_live_table *t, const void *token);

#endif
