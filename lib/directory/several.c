#include "lib/directory/several.h"

#include "lib/base/pool.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICE_MS = 100, /* between two looks at a stop request */
    STREAK = 64     /* entries of one part, while it has some: to ask one that has none costs a system call */
};

struct part {
    struct im_directory *d;
    size_t changes, searches; /* in flight; searches that any part could do */
    bool is_lost;
};

/* What a part is given as token. */
struct operation {
    void *token;
    struct part *part;
    size_t *counter; /* of the part; NULL: it is not counted */
    struct operation *before, *after;
};

struct several {
    struct im_pool *pool;
    struct part *parts;
    struct pollfd *polled;
    size_t count, turn; /* the part that is looked at first */
    size_t streak;      /* entries that it gave one after the other */
    bool is_lost;
    struct operation *in_flight, *unused;
};

/* ---- operations in flight ---- */

static bool is_change(const struct operation *o) {
    return o->counter == &o->part->changes;
}

static struct operation *begin(struct several *s, struct part *part, size_t *counter, void *token) {
    struct operation *o = s->unused;
    if (o) {
        s->unused = o->after;
    } else {
        o = im_pool_alloc(s->pool, sizeof *o);
    }
    if (!o)
        return NULL;
    *o = (struct operation){.token = token, .part = part, .counter = counter, .after = s->in_flight};
    if (o->after)
        o->after->before = o;
    s->in_flight = o;
    if (counter)
        ++*counter;
    return o;
}

static void end(struct several *s, struct operation *o) {
    if (o->counter)
        --*o->counter;
    if (o->after)
        o->after->before = o->before;
    if (o->before) {
        o->before->after = o->after;
    } else {
        s->in_flight = o->after;
    }
    o->after = s->unused;
    s->unused = o;
}

static bool awaits_change(const struct several *s) {
    for (size_t i = 0; i < s->count; i++) {
        if (s->parts[i].changes)
            return true;
    }
    return false;
}

static enum im_err lost(struct several *s, struct part *part, enum im_err err) {
    if (err == IM_E_LOST || err == IM_E_TIMEOUT || err == IM_E_PROTOCOL)
        s->is_lost = part->is_lost = true;
    return err;
}

static enum im_err is_lost_already(const struct several *s, struct im_error *e) {
    return im_error_set_at(e, IM_E_LOST, im_directory_uri(s->parts[0].d), 0, 0, "the connection to the server was lost");
}

/* ---- starting ---- */

/* NULL: *err says why. */
static struct operation *prepare(struct several *s, struct part *part, size_t *counter, void *token, enum im_err *err,
                                 struct im_error *e) {
    struct operation *o = s->is_lost ? NULL : begin(s, part, counter, token);
    if (!o)
        *err = s->is_lost ? is_lost_already(s, e) : im_error_nomem(e);
    return o;
}

static enum im_err started(struct several *s, struct operation *o, enum im_err err) {
    if (err != IM_OK) {
        (void)lost(s, o->part, err);
        end(s, o);
    }
    return err;
}

static struct part *least_busy(struct several *s) {
    struct part *least = &s->parts[0];
    for (size_t i = 1; i < s->count; i++) {
        if (s->parts[i].changes < least->changes)
            least = &s->parts[i];
    }
    return least;
}

static struct part *part_for(struct several *s, const struct im_search *search) {
    struct part *least = &s->parts[0];
    for (size_t i = 1; search->on_any && i < s->count; i++) {
        if (s->parts[i].searches < least->searches)
            least = &s->parts[i];
    }
    return least;
}

static enum im_err start_search(void *impl, const struct im_search *search, void *token, struct im_error *e) {
    struct several *s = impl;
    enum im_err err = IM_OK;
    struct part *part = part_for(s, search);
    struct operation *o = prepare(s, part, search->on_any ? &part->searches : NULL, token, &err, e);
    return o ? started(s, o, im_directory_start_search(o->part->d, search, o, e)) : err;
}

static enum im_err start_modify(void *impl, const struct im_change *change, void *token, struct im_error *e) {
    struct several *s = impl;
    enum im_err err = IM_OK;
    struct part *part = least_busy(s);
    struct operation *o = prepare(s, part, &part->changes, token, &err, e);
    return o ? started(s, o, im_directory_start_modify(o->part->d, change, o, e)) : err;
}

static enum im_err start_add(void *impl, const struct im_entry *entry, void *token, struct im_error *e) {
    struct several *s = impl;
    enum im_err err = IM_OK;
    struct operation *o = prepare(s, &s->parts[0], &s->parts[0].changes, token, &err, e);
    return o ? started(s, o, im_directory_start_add(o->part->d, entry, o, e)) : err;
}

static void abandon(void *impl, void *token) {
    struct several *s = impl;
    struct operation *o = s->in_flight;
    while (o && (o->token != token || is_change(o)))
        o = o->after;
    if (!o)
        return;
    im_directory_abandon(o->part->d, o);
    end(s, o);
}

/* ---- waiting ---- */

static void hand_out(struct several *s, struct im_event *event) {
    struct operation *o = event->token;
    event->token = o->token;
    if (event->kind == IM_EVENT_DONE)
        end(s, o);
}

/* Where the next look begins: while a part has entries, there. */
static void turn_on(struct several *s, size_t part, enum im_event_kind kind) {
    bool is_streak = kind == IM_EVENT_ENTRY && s->streak < STREAK;
    s->streak = is_streak ? s->streak + 1 : 0;
    s->turn = is_streak ? part : (part + 1) % s->count;
}

/* Looks at each part once, without waiting: what a layer of TLS holds already is not seen by poll. A part that is asked to stop
 * does not know that another one still awaits a change. */
static enum im_err look(struct several *s, struct im_event *event, struct im_error *e) {
    for (size_t i = 0; i < s->count; i++) {
        struct part *part = &s->parts[(s->turn + i) % s->count];
        struct im_error inner = {.code = IM_OK};
        enum im_err err = im_directory_wait(part->d, 0, event, &inner);
        if (err == IM_E_INTERRUPTED && awaits_change(s)) {
            event->kind = IM_EVENT_NONE;
            continue;
        }
        if (err != IM_OK) {
            if (e && e->code == IM_OK)
                *e = inner;
            return lost(s, part, err);
        }
        if (event->kind == IM_EVENT_NONE)
            continue;
        hand_out(s, event);
        turn_on(s, (s->turn + i) % s->count, event->kind);
        return IM_OK;
    }
    return IM_OK;
}

static void poll_all(const struct several *s, int64_t wait_ms) {
    for (size_t i = 0; i < s->count; i++)
        s->polled[i] = (struct pollfd){.fd = im_directory_fd(s->parts[i].d), .events = POLLIN};
    (void)poll(s->polled, (nfds_t)s->count, wait_ms >= 0 && wait_ms < SLICE_MS ? (int)wait_ms : SLICE_MS);
}

/* Nothing is in flight. A first part that is lost in between does not end the rest of one who waits to open all again. */
static enum im_err rest(struct several *s, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    struct part *first = &s->parts[0];
    int64_t until_ms = im_directory_now_ms(first->d) + wait_ms;
    bool was_lost = s->is_lost;
    struct im_error inner = {.code = IM_OK};
    enum im_err err = lost(s, first, im_directory_wait(first->d, wait_ms, event, &inner));
    if (was_lost && err == IM_E_LOST) {
        int64_t left_ms = until_ms - im_directory_now_ms(first->d);
        im_error_clear(&inner);
        err = im_directory_wait(first->d, left_ms > 0 ? left_ms : 0, event, &inner);
    }
    if (err != IM_OK && e && e->code == IM_OK)
        *e = inner;
    return err;
}

static enum im_err wait_event(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    struct several *s = impl;
    *event = (struct im_event){.kind = IM_EVENT_NONE};
    if (!s->in_flight && wait_ms >= 0)
        return rest(s, wait_ms, event, e);
    if (s->is_lost)
        return is_lost_already(s, e);
    int64_t until_ms = im_directory_now_ms(s->parts[0].d) + wait_ms;
    for (;;) {
        enum im_err err = look(s, event, e);
        int64_t left_ms = wait_ms < 0 ? -1 : until_ms - im_directory_now_ms(s->parts[0].d);
        if (err != IM_OK || event->kind != IM_EVENT_NONE || (wait_ms >= 0 && left_ms <= 0))
            return err;
        poll_all(s, left_ms);
    }
}

static int64_t now_ms(void *impl) {
    const struct several *s = impl;
    return im_directory_now_ms(s->parts[0].d);
}

static int fd(void *impl) {
    (void)impl;
    return -1;
}

/* ---- opening again ---- */

static void drain(struct several *s, struct part *part) {
    while (!part->is_lost && part->changes) {
        struct im_event event;
        enum im_err err = im_directory_wait(part->d, -1, &event, NULL);
        if (err == IM_OK) {
            hand_out(s, &event);
        } else if (err != IM_E_INTERRUPTED) {
            part->is_lost = true;
        }
    }
}

static void forget_searches(struct several *s) {
    for (struct operation *o = s->in_flight, *after; o; o = after) {
        after = o->after;
        if (is_change(o))
            continue;
        im_directory_abandon(o->part->d, o);
        end(s, o);
    }
}

static enum im_err reopen(void *impl, struct im_error *e) {
    struct several *s = impl;
    enum im_err err = IM_OK;
    forget_searches(s);
    for (size_t i = 0; i < s->count; i++)
        drain(s, &s->parts[i]);
    while (s->in_flight)
        end(s, s->in_flight);
    s->is_lost = true;
    for (size_t i = 0; err == IM_OK && i < s->count; i++) {
        struct part *part = &s->parts[i];
        if (!part->is_lost)
            continue;
        err = im_directory_reopen(part->d, e);
        part->is_lost = err != IM_OK;
    }
    s->is_lost = err != IM_OK;
    return err;
}

/* ---- joining ---- */

static void free_several(void *impl) {
    struct several *s = impl;
    for (size_t i = 0; i < s->count; i++)
        im_directory_free(&s->parts[i].d);
    free(s->parts);
    free(s->polled);
    im_pool_free(&s->pool);
    free(s);
}

static const struct im_directory_ops ops = {
    .start_search = start_search,
    .start_modify = start_modify,
    .start_add = start_add,
    .wait = wait_event,
    .now_ms = now_ms,
    .fd = fd,
    .reopen = reopen,
    .abandon = abandon,
    .free = free_several,
};

static enum im_err check_parts(struct im_directory *const *parts, size_t count, struct im_error *e) {
    const struct im_directory *first = parts[0];
    for (size_t i = 1; i < count; i++) {
        if (strcmp(im_directory_identity(first), im_directory_identity(parts[i])) != 0) {
            return im_error_set_at(e, IM_E_AUTH, im_directory_uri(parts[i]), 0, 0,
                                   "one connection is bound as %s, another one as %s", im_directory_identity(first),
                                   im_directory_identity(parts[i]));
        }
        if (!im_rootdse_is_same_server(im_directory_rootdse(first), im_directory_rootdse(parts[i]))) {
            return im_error_set_at(e, IM_E_PROTOCOL, im_directory_uri(parts[i]), 0, 0,
                                   "the connections lead to different servers: name one with --server");
        }
    }
    return IM_OK;
}

static enum im_err new_several(size_t count, struct several **out, struct im_error *e) {
    struct several *s = calloc(1, sizeof *s);
    if (!s)
        return im_error_nomem(e);
    s->pool = im_pool_new();
    s->parts = calloc(count, sizeof *s->parts);
    s->polled = calloc(count, sizeof *s->polled);
    if (s->pool && s->parts && s->polled) {
        *out = s;
        return IM_OK;
    }
    free_several(s);
    return im_error_nomem(e);
}

enum im_err im_several_join(struct im_directory **parts, size_t count, struct im_directory **out, struct im_error *e) {
    struct several *s = NULL;
    if (count < 2) {
        *out = parts[0];
        return IM_OK;
    }
    enum im_err err = check_parts(parts, count, e);
    if (err == IM_OK)
        err = new_several(count, &s, e);
    if (err != IM_OK) {
        for (size_t i = 0; i < count; i++)
            im_directory_free(&parts[i]);
        return err;
    }
    s->count = count;
    for (size_t i = 0; i < count; i++)
        s->parts[i].d = parts[i];
    const struct im_directory *first = parts[0];
    *out = im_directory_new_take(&ops, s, im_directory_rootdse(first), im_directory_uri(first), im_directory_identity(first));
    return *out ? IM_OK : im_error_nomem(e);
}
