#include "lib/directory/directory.h"

#include "lib/directory/ldap_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct im_directory {
    const struct im_directory_ops *ops;
    void *impl;
    const struct im_rootdse *rootdse;
    const char *uri, *identity;
};

/* Codes of RFC 4511 that mean something special to us. */
enum {
    TIME_LIMIT = 3,
    SIZE_LIMIT = 4,
    REFERRAL = 10,
    ADMIN_LIMIT = 11,
    NO_SUCH_ATTRIBUTE = 16,
    VALUE_EXISTS = 20,
    NO_SUCH_OBJECT = 32,
    ASSERTION_FAILED = 122,
};

enum { MANY_SEARCHES = 1 << 14 };

struct im_directory *im_directory_new_take(const struct im_directory_ops *ops, void *impl, const struct im_rootdse *rootdse,
                                           const char *uri, const char *identity) {
    struct im_directory *d = calloc(1, sizeof *d);
    if (!d) {
        ops->free(impl);
        return NULL;
    }
    *d = (struct im_directory){.ops = ops, .impl = impl, .rootdse = rootdse, .uri = uri, .identity = identity};
    return d;
}

void im_directory_free(struct im_directory **d) {
    if (!d || !*d)
        return;
    (*d)->ops->free((*d)->impl);
    free(*d);
    *d = NULL;
}

const struct im_rootdse *im_directory_rootdse(const struct im_directory *d) {
    return d->rootdse;
}

size_t im_directory_window(const struct im_directory *d, size_t usual) {
    return d->rootdse && d->rootdse->is_offline ? MANY_SEARCHES : usual;
}

const char *im_directory_uri(const struct im_directory *d) {
    return d->uri;
}

const char *im_directory_identity(const struct im_directory *d) {
    return d->identity;
}

enum im_err im_directory_start_search(struct im_directory *d, const struct im_search *search, void *token, struct im_error *e) {
    return d->ops->start_search(d->impl, search, token, e);
}

enum im_err im_directory_start_modify(struct im_directory *d, const struct im_change *change, void *token, struct im_error *e) {
    return d->ops->start_modify(d->impl, change, token, e);
}

enum im_err im_directory_start_add(struct im_directory *d, const struct im_entry *entry, void *token, struct im_error *e) {
    return d->ops->start_add(d->impl, entry, token, e);
}

enum im_err im_directory_next(struct im_directory *d, struct im_event *event, struct im_error *e) {
    return d->ops->wait(d->impl, -1, event, e);
}

enum im_err im_directory_wait(struct im_directory *d, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    return d->ops->wait(d->impl, wait_ms, event, e);
}

int64_t im_directory_now_ms(const struct im_directory *d) {
    return d->ops->now_ms(d->impl);
}

int im_directory_fd(const struct im_directory *d) {
    return d->ops->fd(d->impl);
}

enum im_err im_directory_reopen(struct im_directory *d, struct im_error *e) {
    return d->ops->reopen(d->impl, e);
}

void im_directory_abandon(struct im_directory *d, void *token) {
    d->ops->abandon(d->impl, token);
}

static enum im_err error_of(int code) {
    switch (code) {
    case TIME_LIMIT:
    case SIZE_LIMIT:
    case REFERRAL:
    case ADMIN_LIMIT:
        return IM_E_TRUNCATED;
    case NO_SUCH_ATTRIBUTE:
    case VALUE_EXISTS:
    case ASSERTION_FAILED:
        return IM_E_CONFLICT;
    case NO_SUCH_OBJECT:
        return IM_E_NOT_FOUND;
    default:
        return IM_E_SERVER;
    }
}

enum im_err im_ldap_answer_error(const struct im_answer *answer, const char *where, const char *what, struct im_error *e) {
    struct im_buf words = IM_BUF_INIT;
    im_ldap_explain(answer->code, answer->diagnostic, &words);
    const char *text = answer->diagnostic ? answer->diagnostic : "";
    size_t len = strlen(text);
    while (len && strchr(" \r\n", text[len - 1])) /* Samba ends its texts with a newline */
        len--;
    enum im_err code = im_error_set_at(e, error_of(answer->code), where, 0, 0, "%s: %s [%s %d%s%.*s]", what, im_buf_str(&words),
                                       im_ldap_code_name(answer->code), answer->code, len ? ": " : "", (int)len, text);
    im_buf_free(&words);
    if (e && e->code == code && e->origin == IM_ORIGIN_NONE) {
        e->origin = IM_ORIGIN_LDAP;
        e->system = answer->code;
    }
    return code;
}

static enum im_err search_error(const struct im_directory *d, const struct im_search *search, const struct im_answer *answer,
                                struct im_error *e) {
    char what[256];
    (void)snprintf(what, sizeof what, "searching below \"%s\"", search->base);
    return im_ldap_answer_error(answer, d->uri, what, e);
}

enum im_err im_directory_search(struct im_directory *d, const struct im_search *search, im_entry_fn *fn, void *user,
                                struct im_error *e) {
    int token;
    enum im_err err = im_directory_start_search(d, search, &token, e);
    if (err != IM_OK)
        return err;
    for (;;) {
        struct im_event event;
        err = im_directory_next(d, &event, e);
        if (err == IM_OK && event.kind == IM_EVENT_DONE)
            return event.answer.code == 0 ? IM_OK : search_error(d, search, &event.answer, e);
        if (err == IM_OK)
            err = fn(user, event.entry, e);
        if (err != IM_OK) {
            im_directory_abandon(d, &token);
            return err;
        }
    }
}

struct reading {
    struct im_pool *pool;
    struct im_entry *entry;
    const char *base;
};

static enum im_err keep_entry(void *user, const struct im_entry *entry, struct im_error *e) {
    struct reading *r = user;
    if (r->entry)
        return im_error_set_at(e, IM_E_PROTOCOL, r->base, 0, 0, "more than one entry where one was expected");
    r->entry = im_entry_copy(entry, r->pool);
    return r->entry ? IM_OK : im_error_nomem(e);
}

enum im_err im_directory_read(struct im_directory *d, const struct im_search *search, struct im_pool *pool, struct im_entry **out,
                              struct im_error *e) {
    struct reading r = {.pool = pool, .base = search->base};
    struct im_error inner = {.code = IM_OK};
    enum im_err err = im_directory_search(d, search, keep_entry, &r, &inner);
    if (err == IM_E_NOT_FOUND) {
        *out = NULL;
        return IM_OK;
    }
    if (err == IM_OK) {
        *out = r.entry;
    } else if (e && e->code == IM_OK) {
        *e = inner;
    }
    return err;
}

/* Waits for the end of the only operation in flight. */
static enum im_err wait_done(struct im_directory *d, struct im_answer *answer, struct im_error *e) {
    struct im_event event;
    do {
        enum im_err err = im_directory_next(d, &event, e);
        if (err != IM_OK)
            return err;
    } while (event.kind != IM_EVENT_DONE);
    *answer = event.answer;
    return IM_OK;
}

enum im_err im_directory_modify(struct im_directory *d, const struct im_change *change, struct im_answer *answer,
                                struct im_error *e) {
    struct im_answer got;
    enum im_err err = im_directory_start_modify(d, change, NULL, e);
    if (err == IM_OK)
        err = wait_done(d, &got, e);
    if (err != IM_OK)
        return err;
    if (answer)
        *answer = got;
    return got.code == 0 ? IM_OK : im_ldap_answer_error(&got, change->dn, "changing the entry", e);
}

enum im_err im_directory_add(struct im_directory *d, const struct im_entry *entry, struct im_error *e) {
    struct im_answer answer;
    enum im_err err = im_directory_start_add(d, entry, NULL, e);
    if (err == IM_OK)
        err = wait_done(d, &answer, e);
    if (err != IM_OK)
        return err;
    return answer.code == 0 ? IM_OK : im_ldap_answer_error(&answer, entry->dn, "adding the entry", e);
}
