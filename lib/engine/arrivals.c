#include "lib/engine/arrivals.h"

#include "lib/base/vec.h"
#include "lib/directory/ldap_error.h"
#include "lib/directory/lookup.h"
#include "lib/model/want.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PAUSE_MS = 200, LONGEST_PAUSE_MS = 5000, BATCH = 512 };

/* ---- what was written ---- */

struct expected {
    const char *ref, *account;
    const struct im_attr *values; /* each attribute that was changed, perhaps without any value */
    size_t count;
};

struct im_written {
    const struct im_profile *profile;
    struct im_pool *pool;
    struct {
        struct expected *items;
        size_t count, cap;
    } list;
    struct {
        const char **items;
        size_t count, cap;
    } refs;
};

struct im_written *im_written_new(const struct im_profile *profile) {
    struct im_written *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->profile = profile;
    w->pool = im_pool_new();
    if (!w->pool)
        im_written_free(&w);
    return w;
}

void im_written_free(struct im_written **written) {
    struct im_written *w = written ? *written : NULL;
    if (!w)
        return;
    im_vec_free(&w->list);
    im_vec_free(&w->refs);
    im_pool_free(&w->pool);
    free(w);
    *written = NULL;
}

static enum im_err keep_values(struct im_written *w, const struct im_plan_diff *diff, struct im_attr *out, struct im_error *e) {
    struct berval *values = im_pool_array(w->pool, diff->after_count + 1, sizeof *values);
    out->name = im_pool_strdup(w->pool, diff->attribute);
    if (!values || !out->name)
        return im_error_nomem(e);
    for (size_t i = 0; i < diff->after_count; i++) {
        if (im_pool_value(w->pool, &diff->after[i], &values[i]) < 0)
            return im_error_nomem(e);
    }
    out->values = values;
    out->count = diff->after_count;
    return IM_OK;
}

enum im_err im_written_add(struct im_written *w, const struct im_result *r, struct im_error *e) {
    if (r->outcome != IM_CHANGED)
        return IM_OK;
    struct expected *x = im_vec_push(&w->list);
    const char **ref = im_vec_push(&w->refs);
    struct im_attr *values = im_pool_array(w->pool, r->diff_count + 1, sizeof *values);
    if (!x || !ref || !values)
        return im_error_nomem(e);
    *ref = im_pool_strdup(w->pool, r->ref ? r->ref : r->dn);
    *x = (struct expected){.ref = *ref, .account = im_pool_strdup(w->pool, r->account ? r->account : r->dn), .values = values};
    enum im_err err = x->ref && x->account ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < r->diff_count; i++)
        err = keep_values(w, &r->diffs[i], &values[x->count++], e);
    return err;
}

size_t im_written_count(const struct im_written *w) {
    return w->list.count;
}

const char *const *im_written_refs(const struct im_written *w) {
    return w->refs.items;
}

/* ---- one replica, in a thread of its own ---- */

/* Nothing here is written by two threads: each has its own connection, pool and marks. */
struct watch {
    const struct im_awaited *a;
    const struct im_replica *replica;
    const char *const *attributes;
    struct im_pool *pool;
    struct im_config config; /* with a shorter patience */
    struct im_live_options options;
    bool *has_arrived; /* each account */
    size_t lacking;
    struct im_lookup *lookups;
    bool is_lost;
    double seconds;
    enum im_err err;
    struct im_error e;
    pthread_t thread;
    bool is_running;
};

/* The class comes along with the values; values that only have to be there are compared by their bytes. */
static bool same_value(const struct im_profile *profile, const char *attribute, const struct berval *a, const struct berval *b) {
    const struct im_profile_attr *attr = im_profile_attr(profile, attribute);
    if (im_value_equal(a, b))
        return true;
    return attr && attr->role != IM_ROLE_OPAQUE && im_role_equal(attr->role, a->bv_val, b->bv_val);
}

static bool has_value(const struct im_profile *profile, const struct im_attr *attr, const struct berval *value) {
    for (size_t i = 0; attr && i < attr->count; i++) {
        if (same_value(profile, attr->name, &attr->values[i], value))
            return true;
    }
    return false;
}

static bool shows(const struct im_profile *profile, const struct im_entry *entry, const struct expected *x) {
    for (size_t i = 0; i < x->count; i++) {
        const struct im_attr *wanted = &x->values[i];
        const struct im_attr *found = im_entry_attr(entry, wanted->name);
        if (!im_profile_attr(profile, wanted->name)) /* object classes: others may be there as well */
            continue;
        if ((found ? found->count : 0) != wanted->count)
            return false;
        for (size_t v = 0; v < wanted->count; v++) {
            if (!has_value(profile, found, &wanted->values[v]))
                return false;
        }
    }
    return true;
}

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct watch *w = user;
    size_t at = (size_t)(uintptr_t)lookup->data;
    (void)e;
    if (!w->has_arrived[at] && shows(w->a->written->profile, entry, &w->a->written->list.items[at])) {
        w->has_arrived[at] = true;
        w->lacking--;
    }
    return IM_OK;
}

/* Asks once for those that have not arrived. */
static enum im_err look(struct watch *w, struct im_directory *d) {
    enum im_err err = IM_OK;
    for (size_t at = 0; err == IM_OK && at < w->a->written->list.count;) {
        size_t count = 0;
        for (; at < w->a->written->list.count && count < BATCH; at++) {
            if (w->has_arrived[at])
                continue;
            w->lookups[count++] = (struct im_lookup){.search = {.base = w->a->written->list.items[at].ref,
                                                                .scope = IM_SEARCH_BASE,
                                                                .attributes = w->attributes,
                                                                .no_paging = true},
                                                     .data = (void *)(uintptr_t)at,
                                                     .may_be_missing = true};
        }
        err = im_lookup_all(d, w->lookups, count, take, w, &w->e);
    }
    return err;
}

/* A replica that is started again while it is waited for is asked again. */
static bool may_come_back(enum im_err err) {
    return err == IM_E_LOST || err == IM_E_TIMEOUT || err == IM_E_CONNECT;
}

static bool is_busy(const struct im_error *e) {
    return e->origin == IM_ORIGIN_LDAP && im_ldap_is_busy(e->system);
}

/* One that is busy has not shown everything; what it did show stays. */
static enum im_err visit(struct watch *w, struct im_directory *d) {
    im_error_clear(&w->e);
    enum im_err err = w->is_lost ? im_directory_reopen(d, &w->e) : IM_OK;
    if (err == IM_OK)
        err = look(w, d);
    w->is_lost = may_come_back(err);
    return !w->is_lost && is_busy(&w->e) ? IM_OK : err;
}

static enum im_err poll_replica(struct watch *w, struct im_directory *d) {
    const int64_t began = im_directory_now_ms(d);
    int64_t pause = FIRST_PAUSE_MS;
    enum im_err err = visit(w, d);
    while ((err == IM_OK || w->is_lost) && w->lacking) {
        struct im_event event;
        struct im_error stopped = {.code = IM_OK};
        int64_t left = began + w->a->seconds * 1000 - im_directory_now_ms(d);
        if (left <= 0)
            break;
        enum im_err paused = im_directory_wait(d, pause < left ? pause : left, &event, &stopped);
        pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
        w->is_lost = w->is_lost || may_come_back(paused);
        if (paused != IM_OK && !w->is_lost) {
            w->e = stopped;
            err = paused;
            break;
        }
        err = visit(w, d);
    }
    w->seconds = (double)(im_directory_now_ms(d) - began) / 1000;
    return err;
}

static void *watch_replica(void *user) {
    struct watch *w = user;
    struct im_directory *d = NULL;
    w->err = w->a->open(&w->options, w->replica, &d, &w->e);
    if (w->err == IM_OK)
        w->err = poll_replica(w, d);
    im_directory_free(&d);
    return NULL;
}

/* ---- all of them ---- */

/* Who waits for a second does not want to wait half a minute for one answer. */
static void shorten_patience(struct watch *w) {
    const struct im_config *config = w->a->options->config;
    long most = w->a->seconds > config->connect_timeout_s ? w->a->seconds : config->connect_timeout_s;
    w->config = *config;
    w->config.timeout_s = config->timeout_s < most ? config->timeout_s : most;
    w->options = *w->a->options;
    w->options.config = &w->config;
}

static enum im_err prepare(struct watch *w, struct im_error *e) {
    size_t count = w->a->written->list.count;
    w->pool = im_pool_new();
    w->has_arrived = w->pool ? im_pool_array(w->pool, count + 1, sizeof *w->has_arrived) : NULL;
    w->lookups = w->has_arrived ? im_pool_array(w->pool, BATCH, sizeof *w->lookups) : NULL;
    w->lacking = count;
    shorten_patience(w);
    return w->lookups ? IM_OK : im_error_nomem(e);
}

static enum im_arrival_state state_of(const struct watch *w) {
    if (!w->lacking)
        return IM_ARRIVED;
    return w->err == IM_OK || w->err == IM_E_INTERRUPTED ? IM_LAGGING : IM_UNREACHABLE;
}

/* Why it does not have everything, where that is known. */
static const char *trouble_of(const struct watch *w, enum im_arrival_state state) {
    if (state == IM_LAGGING && w->replica->no_inbound)
        return "its inbound replication is turned off";
    bool is_told = state == IM_UNREACHABLE || (state == IM_LAGGING && is_busy(&w->e));
    return is_told ? w->e.text : NULL;
}

static enum im_err tell(const struct watch *w, struct im_pool *pool, struct im_arrival *out, struct im_error *e) {
    const char **names = im_pool_array(pool, IM_MISSING_SHOWN, sizeof *names);
    enum im_arrival_state state = state_of(w);
    const char *trouble = trouble_of(w, state);
    *out = (struct im_arrival){.replica = w->replica,
                               .state = state,
                               .seconds = w->seconds,
                               .accounts = w->a->written->list.count,
                               .missing = names,
                               .lacking = w->lacking,
                               .trouble = im_pool_strdup(pool, trouble)};
    if (!names || w->err == IM_E_NOMEM || (trouble && !out->trouble))
        return im_error_nomem(e);
    for (size_t i = 0; i < w->a->written->list.count && out->missing_count < IM_MISSING_SHOWN; i++) {
        if (!w->has_arrived[i])
            names[out->missing_count++] = w->a->written->list.items[i].account;
    }
    return IM_OK;
}

/* Signals are for the thread that has the command. */
static void run_all(struct watch *watches, size_t count) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < count; i++) {
        int failure = pthread_create(&watches[i].thread, NULL, watch_replica, &watches[i]);
        watches[i].is_running = failure == 0;
        if (failure)
            watches[i].err = im_error_set_errno(&watches[i].e, IM_E_IO, failure, "no thread could be started");
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < count; i++) {
        if (watches[i].is_running)
            (void)pthread_join(watches[i].thread, NULL);
    }
}

static const char *const *attributes_of(const struct im_profile *profile, struct im_pool *pool) {
    const char **names = im_pool_array(pool, profile->attr_count + 1, sizeof *names);
    for (size_t i = 0; names && i < profile->attr_count; i++)
        names[i] = profile->attrs[i].name;
    return names;
}

static enum im_err watch_all(const struct im_awaited *a, struct watch *watches, struct im_pool *pool, struct im_arrival *arrivals,
                             struct im_error *e) {
    const char *const *attributes = attributes_of(a->written->profile, pool);
    enum im_err err = attributes ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < a->replicas->count; i++) {
        watches[i] = (struct watch){.a = a, .replica = &a->replicas->items[i], .attributes = attributes};
        err = prepare(&watches[i], e);
    }
    if (err == IM_OK)
        run_all(watches, a->replicas->count);
    for (size_t i = 0; err == IM_OK && i < a->replicas->count; i++)
        err = tell(&watches[i], pool, &arrivals[i], e);
    return err;
}

enum im_err im_arrivals_await(const struct im_awaited *a, struct im_pool *pool, struct im_arrival **out, struct im_error *e) {
    size_t count = a->replicas->count;
    struct watch *watches = im_pool_array(pool, count + 1, sizeof *watches);
    struct im_arrival *arrivals = im_pool_array(pool, count + 1, sizeof *arrivals);
    enum im_err err = watches && arrivals ? watch_all(a, watches, pool, arrivals, e) : im_error_nomem(e);
    bool is_stopped = false;
    for (size_t i = 0; watches && i < count; i++) {
        is_stopped = is_stopped || watches[i].err == IM_E_INTERRUPTED;
        im_pool_free(&watches[i].pool);
    }
    if (err != IM_OK)
        return err;
    *out = arrivals;
    return is_stopped ? im_error_set(e, IM_E_INTERRUPTED, "stopped on request while replicas were waited for") : IM_OK;
}
