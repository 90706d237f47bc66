#include "lib/directory/fetching.h"

#include "lib/base/buf.h"
#include "lib/directory/ldap_error.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NO_SUCH_ATTRIBUTE = 16, UNDEFINED_TYPE = 17, NO_RIGHTS = 50, UNWILLING = 53 };
enum { AT_ONCE = 16, FIRST_PAUSE_MS = 200, PAUSES_MOST = 6, GLANCE_MS = 200 };

/* One domain controller at work. */
struct fetcher {
    const struct im_to_fetch *what;
    struct im_fetching *f;
    struct im_directory *d;   /* NULL: not connected to yet, or done with */
    const char *const **todo; /* not sent yet, or sent to a busy server; the last one is next */
    size_t left, in_flight;
    bool goes_on; /* there is use in asking for further objects */
    bool is_busy; /* it wants to be left alone for a while, once nothing is in flight */
    int64_t not_before_ms;
    unsigned pauses; /* that were made since something was fetched */
    struct im_error first;
};

struct round {
    const struct im_to_fetch *what;
    struct fetcher *fetchers;
    struct pollfd *polled;
    size_t count, opened;
};

/* ---- one of them ---- */

static enum im_err start_fetch(const struct fetcher *w, const char *const *ref, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addf(&text, "%s:%s", w->what->source, *ref);
    const struct berval value = im_buf_value(&text);
    const struct im_op op = {.kind = IM_OP_REPLACE, .attribute = "replicateSingleObject", .values = &value, .count = 1};
    const struct im_change change = {.dn = "", .ops = &op, .count = 1};
    enum im_err err = text.failed ? im_error_nomem(e) : im_directory_start_modify(w->d, &change, (void *)(uintptr_t)ref, e);
    im_buf_free(&text);
    return err;
}

/* Each pause in a row is twice as long. */
static void leave_alone(struct fetcher *w) {
    w->is_busy = false;
    w->not_before_ms = im_directory_now_ms(w->d) + (FIRST_PAUSE_MS << w->pauses++);
}

/* How long it is still left alone; 0: it is not. */
static int64_t pause_of(const struct fetcher *w) {
    int64_t now_ms = im_directory_now_ms(w->d);
    return w->not_before_ms > now_ms ? w->not_before_ms - now_ms : 0;
}

static enum im_err send_some(struct fetcher *w, struct im_error *e) {
    enum im_err err = IM_OK;
    while (err == IM_OK && w->goes_on && !w->is_busy && w->left && w->in_flight < AT_ONCE && !pause_of(w)) {
        err = start_fetch(w, w->todo[--w->left], e);
        w->in_flight += err == IM_OK;
    }
    return err;
}

/* Samba says 53 and that the attribute is unknown; others say 53 also of objects that they do not want. */
static bool knows_no_fetching(const struct im_answer *answer) {
    bool is_unknown = answer->code == UNWILLING && answer->diagnostic && strstr(answer->diagnostic, "unknown attribute");
    return is_unknown || answer->code == NO_SUCH_ATTRIBUTE || answer->code == UNDEFINED_TYPE;
}

static void take_refusal(struct fetcher *w, const struct im_event *event) {
    const struct im_answer *answer = &event->answer;
    struct im_buf tried = IM_BUF_INIT;
    im_buf_addf(&tried, "fetching %s", *(const char *const *)event->token);
    (void)im_ldap_answer_error(answer, im_directory_uri(w->d), im_buf_str(&tried), &w->first);
    im_buf_free(&tried);
    w->f->failed++;
    w->goes_on = w->goes_on && answer->code != NO_RIGHTS && !im_ldap_is_busy(answer->code);
}

static void take_answer(struct fetcher *w, const struct im_event *event) {
    w->in_flight--;
    if (event->answer.code == 0) {
        w->f->fetched++;
        w->pauses = 0;
    } else if (knows_no_fetching(&event->answer)) {
        w->f->is_unsupported = true;
        w->goes_on = false;
    } else if (im_ldap_is_busy(event->answer.code) && w->pauses < PAUSES_MOST) {
        w->todo[w->left++] = event->token;
        w->is_busy = true;
    } else {
        take_refusal(w, event);
    }
    if (w->is_busy && !w->in_flight)
        leave_alone(w);
}

static bool is_at_work(const struct fetcher *w) {
    return w->d && (w->in_flight || (w->goes_on && w->left));
}

static enum im_err stopped(struct im_error *e) {
    return im_error_set(e, IM_E_INTERRUPTED, "stopped on request while objects were fetched");
}

/* Of an error of the connection, or IM_OK: everything was answered. */
static void end(struct fetcher *w, const struct im_error *why) {
    w->f->why = why->code != IM_OK ? *why : w->first;
    w->f->has_ended = true;
    im_directory_free(&w->d);
}

/* Stopping and running out of memory end all of it; anything else is about this one. */
static enum im_err fail(struct fetcher *w, const struct im_error *why, struct im_error *e) {
    if (why->code == IM_E_INTERRUPTED)
        return stopped(e);
    if (why->code == IM_E_NOMEM)
        return im_error_nomem(e);
    end(w, why);
    return IM_OK;
}

static enum im_err begin(struct fetcher *w, struct im_error *e) {
    struct im_error why = {.code = IM_OK};
    w->todo = calloc(w->what->count + 1, sizeof(const char *const *));
    if (!w->todo)
        return im_error_nomem(e);
    for (w->left = 0; w->left < w->what->count; w->left++)
        w->todo[w->left] = &w->what->refs[w->what->count - 1 - w->left];
    w->goes_on = true;
    if (w->what->open(w->what->options, w->f->replica, &w->d, &why) != IM_OK)
        return fail(w, &why, e);
    w->f->family = im_directory_rootdse(w->d)->family;
    return IM_OK;
}

/* Sends what it may be sent, and takes one answer that is there already. */
static enum im_err advance(struct fetcher *w, bool *is_moving, struct im_error *e) {
    struct im_error why = {.code = IM_OK};
    struct im_event event = {.kind = IM_EVENT_NONE};
    enum im_err err = send_some(w, &why);
    if (err == IM_OK && w->in_flight)
        err = im_directory_wait(w->d, 0, &event, &why);
    if (err != IM_OK)
        return fail(w, &why, e);
    if (event.kind == IM_EVENT_DONE)
        take_answer(w, &event);
    *is_moving = *is_moving || event.kind != IM_EVENT_NONE;
    if (!is_at_work(w))
        end(w, &why);
    return IM_OK;
}

/* ---- side by side ---- */

static bool is_stopped(const struct round *r) {
    const atomic_int *stop = r->what->options->stop;
    return stop && *stop;
}

/* One of those that are not done, where all of them are left alone; NULL: answers are awaited. */
static struct fetcher *find_resting(const struct round *r) {
    struct fetcher *found = NULL;
    for (size_t i = 0; i < r->opened; i++) {
        struct fetcher *w = &r->fetchers[i];
        if (!w->d)
            continue;
        if (w->in_flight)
            return NULL;
        found = w;
    }
    return found;
}

static void poll_all(const struct round *r) {
    for (size_t i = 0; i < r->opened; i++) {
        struct im_directory *d = r->fetchers[i].d;
        r->polled[i] = (struct pollfd){.fd = d ? im_directory_fd(d) : -1, .events = POLLIN};
    }
    (void)poll(r->polled, (nfds_t)r->opened, GLANCE_MS);
}

/* Nothing has come. A directory waits for the answer to a change even where a stop is asked for; what is only fetched can be left
 * alone, so no wait is longer than a glance. */
static enum im_err rest(struct round *r, struct im_error *e) {
    struct im_error why = {.code = IM_OK};
    struct im_event event;
    struct fetcher *w = find_resting(r);
    if (!w) {
        poll_all(r);
        return IM_OK;
    }
    int64_t pause_ms = pause_of(w);
    enum im_err err = im_directory_wait(w->d, pause_ms < GLANCE_MS ? pause_ms : GLANCE_MS, &event, &why);
    return err == IM_OK ? IM_OK : fail(w, &why, e);
}

static bool is_any_at_work(const struct round *r) {
    for (size_t i = 0; i < r->opened; i++) {
        if (is_at_work(&r->fetchers[i]))
            return true;
    }
    return r->opened < r->count;
}

static enum im_err work(struct round *r, struct im_error *e) {
    enum im_err err = IM_OK;
    while (err == IM_OK && is_any_at_work(r)) {
        bool is_moving = r->opened < r->count;
        if (is_stopped(r))
            return stopped(e);
        if (is_moving)
            err = begin(&r->fetchers[r->opened++], e);
        for (size_t i = 0; err == IM_OK && i < r->opened; i++) {
            if (r->fetchers[i].d)
                err = advance(&r->fetchers[i], &is_moving, e);
        }
        if (err == IM_OK && !is_moving)
            err = rest(r, e);
    }
    return err;
}

enum im_err im_replicas_fetch(const struct im_to_fetch *what, struct im_fetching *each, size_t count, struct im_error *e) {
    struct round r = {.what = what, .count = count};
    r.fetchers = calloc(count + 1, sizeof *r.fetchers);
    r.polled = calloc(count + 1, sizeof *r.polled);
    enum im_err err = r.fetchers && r.polled ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        each[i] = (struct im_fetching){.replica = each[i].replica};
        r.fetchers[i] = (struct fetcher){.what = what, .f = &each[i]};
    }
    if (err == IM_OK)
        err = work(&r, e);
    for (size_t i = 0; r.fetchers && i < count; i++) {
        im_directory_free(&r.fetchers[i].d);
        free(r.fetchers[i].todo);
    }
    free(r.fetchers);
    free(r.polled);
    return err;
}
