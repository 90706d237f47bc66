#include "lib/directory/live_table.h"

#include <stdlib.h>

enum { SLOTS_AT_FIRST = 64 };

/* ---- lists ---- */

static void append(struct im_live_list *list, struct im_live_op *op) {
    op->before = list->last;
    op->after = NULL;
    if (list->last) {
        list->last->after = op;
    } else {
        list->first = op;
    }
    list->last = op;
}

static void unlink_op(struct im_live_list *list, struct im_live_op *op) {
    if (op->before) {
        op->before->after = op->after;
    } else {
        list->first = op->after;
    }
    if (op->after) {
        op->after->before = op->before;
    } else {
        list->last = op->before;
    }
    op->before = op->after = NULL;
}

/* ---- by message number ---- */

/* Numbers are given out one after the other: side by side they would make one long run, which every removal would have to look
 * through. The golden ratio spreads them evenly. */
static size_t home_of(const struct im_live_table *t, int msgid) {
    return ((uint32_t)msgid * UINT32_C(2654435769) >> 8) & (t->slot_count - 1);
}

static size_t place_of(const struct im_live_table *t, int msgid) {
    size_t mask = t->slot_count - 1;
    size_t place = home_of(t, msgid);
    while (t->slots[place] && t->slots[place]->msgid != msgid)
        place = (place + 1) & mask;
    return place;
}

static void fill_slot(struct im_live_table *t, struct im_live_op *op) {
    t->slots[place_of(t, op->msgid)] = op;
}

/* Those behind the hole move up where it would hide them. */
static void empty_slot(struct im_live_table *t, const struct im_live_op *op) {
    size_t mask = t->slot_count - 1;
    size_t hole = place_of(t, op->msgid);
    if (t->slots[hole] != op)
        return;
    for (size_t next = (hole + 1) & mask; t->slots[next]; next = (next + 1) & mask) {
        size_t home = home_of(t, t->slots[next]->msgid);
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            t->slots[hole] = t->slots[next];
            hole = next;
        }
    }
    t->slots[hole] = NULL;
}

static bool make_room(struct im_live_table *t) {
    if (t->count < t->slot_count / 2)
        return true;
    size_t count = t->slot_count ? t->slot_count * 2 : SLOTS_AT_FIRST;
    struct im_live_op **slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->slot_count = count;
    for (struct im_live_op *op = t->sent.first; op; op = op->after)
        fill_slot(t, op);
    return true;
}

struct im_live_op *im_live_table_find(const struct im_live_table *t, int msgid) {
    return t->slot_count ? t->slots[place_of(t, msgid)] : NULL;
}

/* ---- operations ---- */

struct im_live_op *im_live_table_begin(struct im_live_table *t) {
    if (!make_room(t))
        return NULL;
    struct im_live_op *op = t->unused;
    if (op) {
        t->unused = op->after;
        *op = (struct im_live_op){.state = IM_LIVE_BEGUN};
    } else {
        op = im_pool_alloc(t->pool, sizeof *op);
        if (!op)
            return NULL;
    }
    t->count++;
    return op;
}

/* Out of the list and the slot that it is in. */
static void take_out(struct im_live_table *t, struct im_live_op *op) {
    if (op->state == IM_LIVE_WAITS)
        unlink_op(&t->waiting, op);
    if (op->state == IM_LIVE_SENT) {
        empty_slot(t, op);
        unlink_op(&t->sent, op);
        t->in_flight--;
        t->changes -= op->is_change;
        t->pages -= op->is_paged;
    }
    op->state = IM_LIVE_BEGUN;
}

void im_live_table_wait(struct im_live_table *t, struct im_live_op *op) {
    take_out(t, op);
    op->state = IM_LIVE_WAITS;
    append(&t->waiting, op);
}

void im_live_table_sent(struct im_live_table *t, struct im_live_op *op, int msgid, int64_t deadline_ms) {
    take_out(t, op);
    op->state = IM_LIVE_SENT;
    op->msgid = msgid;
    op->deadline_ms = deadline_ms;
    fill_slot(t, op);
    append(&t->sent, op);
    t->in_flight++;
    t->changes += op->is_change;
    t->pages += op->is_paged;
}

void im_live_table_moved(struct im_live_table *t, struct im_live_op *op, int64_t deadline_ms) {
    op->deadline_ms = deadline_ms;
    if (t->sent.last == op)
        return;
    unlink_op(&t->sent, op);
    append(&t->sent, op);
}

void im_live_table_end(struct im_live_table *t, struct im_live_op *op) {
    take_out(t, op);
    ber_memfree(op->cookie.bv_val);
    op->cookie.bv_val = NULL;
    op->after = t->unused;
    t->unused = op;
    t->count--;
}

void im_live_table_clear(struct im_live_table *t) {
    while (t->sent.first)
        im_live_table_end(t, t->sent.first);
    while (t->waiting.first)
        im_live_table_end(t, t->waiting.first);
}

void im_live_table_free(struct im_live_table *t) {
    im_live_table_clear(t);
    free(t->slots);
    *t = (struct im_live_table){.pool = t->pool};
}

struct im_live_op *im_live_table_find_token(const struct im_live_table *t, const void *token) {
    for (struct im_live_op *op = t->sent.first; op; op = op->after) {
        if (op->token == token)
            return op;
    }
    for (struct im_live_op *op = t->waiting.first; op; op = op->after) {
        if (op->token == token)
            return op;
    }
    return NULL;
}
