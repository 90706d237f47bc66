/* Connections to a directory in memory: operations are carried out when they are started, and answered one by one. */
#include "tests/unit/memdir_store.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#define EXTENDED_DN "1.2.840.113556.1.4.529"
#define SHOW_DELETED "1.2.840.113556.1.4.417"

/* An operation that was carried out and whose answers are not fetched yet. */
struct operation {
    void *token;
    struct im_search search;
    struct im_entry *entries;
    size_t entry_count, given;
    int code;
    const char *diagnostic;
    enum im_err error;
};

struct connection {
    struct memdir *m;
    struct im_pool *pool;  /* operations */
    struct im_pool *event; /* what was handed out last: freed at the next call, so that a late look is caught */
    struct {
        struct operation *items;
        size_t count, cap;
    } operations;
    bool is_lost;
};

static const struct memdir_fault *begin(struct memdir *m, enum memdir_kind kind) {
    size_t nth = ++m->counts[kind];
    for (size_t i = 0; i < m->hooks.count; i++) {
        struct memdir_hooked hook = m->hooks.items[i];
        if (hook.kind == kind && (hook.nth == 0 || hook.nth == nth))
            hook.fn(m, nth, hook.user);
    }
    for (size_t i = 0; i < m->faults.count; i++) {
        const struct memdir_fault *fault = &m->faults.items[i];
        if (fault->kind == kind && (fault->nth == 0 || fault->nth == nth))
            return fault;
    }
    return NULL;
}

static enum im_err lost(struct connection *c, struct im_error *e) {
    c->is_lost = true;
    return im_error_set_at(e, IM_E_LOST, "ldap://memory", 0, 0, "the connection to the server was lost");
}

static void enqueue(struct connection *c, const struct operation *operation) {
    struct operation *slot = SOLID(im_vec_push(&c->operations));
    *slot = *operation;
    if (c->operations.count > c->m->most_in_flight)
        c->m->most_in_flight = c->operations.count;
}

static struct operation answer_of(const struct memdir_fault *fault, void *token) {
    struct operation operation = {.token = token};
    if (fault) {
        operation.code = fault->code;
        operation.diagnostic = fault->diagnostic;
        operation.error = fault->error;
    }
    return operation;
}

static bool in_scope(const struct memdir_record *record, const struct memdir_record *base, enum im_search_scope scope) {
    struct im_buf parent = IM_BUF_INIT;
    bool is_in = record == base;
    if (scope == IM_SEARCH_ONE) {
        is_in = im_dn_parent(record->entry.dn, &parent) && im_dn_equal(im_buf_str(&parent), base->entry.dn);
    } else if (scope == IM_SEARCH_SUB) {
        is_in = *record->entry.dn && (!*base->entry.dn || im_dn_is_under(record->entry.dn, base->entry.dn));
    }
    im_buf_free(&parent);
    return is_in;
}

static void search(struct connection *c, const struct im_search *s, struct operation *operation) {
    struct memdir *m = c->m;
    bool sees_deleted = s->show_deleted && im_rootdse_has_control(&m->rootdse, SHOW_DELETED);
    const struct memdir_record *base = memdir_find(m, s->base, &operation->code);
    if (!base || (base->is_deleted && !sees_deleted)) {
        operation->code = base ? MEMDIR_NO_SUCH_OBJECT : operation->code;
        return;
    }
    operation->code = MEMDIR_SUCCESS;
    operation->entries = SOLID(im_pool_array(c->pool, m->records.count, sizeof *operation->entries));
    struct im_matcher *matcher = memdir_filter_new(m, s->filter ? s->filter : "(objectClass=*)", c->pool);
    for (size_t i = 0; i < m->records.count; i++) {
        const struct memdir_record *record = &m->records.items[i];
        if (record->is_deleted && !sees_deleted)
            continue;
        if (memdir_filter_matches(matcher, &record->entry) && in_scope(record, base, s->scope)) /* the slower one comes second */
            operation->entries[operation->entry_count++] = record->entry;
    }
    im_matcher_free(&matcher);
}

static enum im_err start_search(void *impl, const struct im_search *s, void *token, struct im_error *e) {
    struct connection *c = impl;
    if (c->is_lost)
        return lost(c, e);
    size_t countdown = oom_pause();
    const struct memdir_fault *fault = begin(c->m, MEMDIR_SEARCH);
    struct operation operation = answer_of(fault, token);
    struct operation done = {.code = MEMDIR_SUCCESS};
    operation.search = *s;
    search(c, s, &done);
    operation.entries = done.entries;
    operation.entry_count = done.entry_count;
    if (!fault) {
        operation.code = done.code;
    } else if (fault->entries < done.entry_count) {
        operation.entry_count = fault->entries;
    }
    enqueue(c, &operation);
    oom_fail_at(countdown);
    return IM_OK;
}

static enum im_err start_modify(void *impl, const struct im_change *change, void *token, struct im_error *e) {
    struct connection *c = impl;
    if (c->is_lost)
        return lost(c, e);
    size_t countdown = oom_pause();
    const struct memdir_fault *fault = begin(c->m, MEMDIR_MODIFY);
    struct operation operation = answer_of(fault, token);
    if (!fault || fault->is_done)
        operation.code = memdir_modify(c->m, change);
    enqueue(c, &operation);
    oom_fail_at(countdown);
    return IM_OK;
}

static enum im_err start_add(void *impl, const struct im_entry *entry, void *token, struct im_error *e) {
    struct connection *c = impl;
    if (c->is_lost)
        return lost(c, e);
    size_t countdown = oom_pause();
    const struct memdir_fault *fault = begin(c->m, MEMDIR_ADD);
    struct operation operation = answer_of(fault, token);
    struct im_buf parent = IM_BUF_INIT;
    int code;
    if (!fault || fault->is_done) {
        if (memdir_find(c->m, entry->dn, &code)) {
            operation.code = MEMDIR_ALREADY_EXISTS;
        } else if (!im_dn_parent(entry->dn, &parent) || !memdir_find(c->m, im_buf_str(&parent), &code)) {
            operation.code = MEMDIR_NO_SUCH_OBJECT;
        } else {
            memdir_store(c->m, entry);
        }
    }
    im_buf_free(&parent);
    enqueue(c, &operation);
    oom_fail_at(countdown);
    return IM_OK;
}

/* ---- answers ---- */

static bool is_wanted(const struct memdir *m, const char *const *wanted, const char *name) {
    bool is_hidden = memdir_flags(m, name) & MEMDIR_HIDDEN;
    if (!wanted)
        return !is_hidden;
    for (; *wanted; wanted++) {
        if (im_text_equal(*wanted, name) || (strcmp(*wanted, "*") == 0 && !is_hidden) || (strcmp(*wanted, "+") == 0 && is_hidden))
            return true;
    }
    return false;
}

static struct im_entry *shown_entry(const struct connection *c, const struct operation *operation) {
    const struct memdir *m = c->m;
    const struct im_entry *from = &operation->entries[operation->given];
    bool is_extended = operation->search.extended_dn && im_rootdse_has_control(&m->rootdse, EXTENDED_DN);
    struct im_entry *shown = SOLID(im_entry_copy(from, c->event));
    size_t count = 0;
    for (size_t a = 0; a < shown->count; a++) {
        struct im_attr attr = shown->attrs[a];
        if (!attr.count || !is_wanted(m, operation->search.attributes, attr.name))
            continue;
        for (size_t v = 0; memdir_flags(m, attr.name) & MEMDIR_DN && v < attr.count; v++)
            attr.values[v] = memdir_dn_value_shown(m, &attr.values[v], is_extended, c->event);
        shown->attrs[count++] = attr;
    }
    shown->count = count;
    shown->line = 0;
    return shown;
}

static void finish(struct connection *c, struct operation *operation) {
    size_t index = (size_t)(operation - c->operations.items);
    memmove(operation, operation + 1, (c->operations.count - index - 1) * sizeof *operation);
    c->operations.count--;
}

/* Whatever was started is answered at once: waiting passes the time only where nothing was. */
static enum im_err wait_event(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    struct connection *c = impl;
    if (!c->operations.count && wait_ms >= 0) {
        c->m->paused_ms += wait_ms;
        *event = (struct im_event){.kind = IM_EVENT_NONE};
        return IM_OK;
    }
    if (c->is_lost)
        return lost(c, e);
    if (!c->operations.count)
        fail_msg("waiting while nothing is in flight");
    size_t countdown = oom_pause();
    im_pool_free(&c->event);
    c->event = SOLID(im_pool_new());
    struct operation *operation = &c->operations.items[c->m->in_reverse ? c->operations.count - 1 : 0];
    enum im_err err = operation->error;
    *event = (struct im_event){.token = operation->token};
    if (err == IM_OK && operation->given < operation->entry_count) {
        event->kind = IM_EVENT_ENTRY;
        event->entry = shown_entry(c, operation);
        operation->given++;
    } else if (err == IM_OK) {
        event->kind = IM_EVENT_DONE;
        event->answer.code = operation->code;
        event->answer.diagnostic = SOLID(im_pool_strdup(c->event, operation->diagnostic ? operation->diagnostic : ""));
        finish(c, operation);
    } else if (err == IM_E_INTERRUPTED) {
        operation->error = IM_OK;
    } else {
        c->is_lost = true;
    }
    oom_fail_at(countdown);
    return err == IM_OK ? IM_OK : im_error_set_at(e, err, "ldap://memory", 0, 0, "scripted: %s", im_err_row(err)->text);
}

static void abandon(void *impl, void *token) {
    struct connection *c = impl;
    for (size_t i = 0; i < c->operations.count; i++) {
        if (c->operations.items[i].token == token) {
            finish(c, &c->operations.items[i]);
            return;
        }
    }
}

static int64_t now_ms(void *impl) {
    const struct connection *c = impl;
    return c->m->paused_ms;
}

static int fd(void *impl) {
    (void)impl;
    return -1;
}

static enum im_err reopen(void *impl, struct im_error *e) {
    struct connection *c = impl;
    size_t countdown = oom_pause();
    const struct memdir_fault *fault = begin(c->m, MEMDIR_OPEN);
    oom_fail_at(countdown);
    c->operations.count = 0;
    c->is_lost = fault != NULL;
    if (!fault)
        return IM_OK;
    enum im_err err = fault->error == IM_OK ? IM_E_CONNECT : fault->error;
    return im_error_set_at(e, err, "ldap://memory", 0, 0, "scripted: %s", im_err_row(err)->text);
}

static void free_connection(void *impl) {
    struct connection *c = impl;
    im_vec_free(&c->operations);
    im_pool_free(&c->event);
    im_pool_free(&c->pool);
    free(c);
}

enum im_err memdir_open(struct memdir *m, struct im_directory **out, struct im_error *e) {
    static const struct im_directory_ops ops = {.start_search = start_search,
                                                .start_modify = start_modify,
                                                .start_add = start_add,
                                                .wait = wait_event,
                                                .now_ms = now_ms,
                                                .fd = fd,
                                                .reopen = reopen,
                                                .abandon = abandon,
                                                .free = free_connection};
    size_t countdown = oom_pause();
    struct connection *c = SOLID(calloc(1, sizeof *c));
    c->m = m;
    c->pool = SOLID(im_pool_new());
    oom_fail_at(countdown);
    *out = im_directory_new_take(&ops, c, &m->rootdse, "ldap://memory", "cn=tester");
    return *out ? IM_OK : im_error_nomem(e);
}
