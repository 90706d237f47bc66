/* Searches side by side of which each may fail for itself. */
#include "lib/directory/organisation_read.h"

#include "lib/base/vec.h"

enum { SUCCESS = 0, SIZE_LIMIT = 4, NO_SUCH_OBJECT = 32 };

enum im_err im_inquiries_add(struct im_inquiries *q, const struct im_search *search, struct im_inquiry **out,
                             struct im_error *e) {
    struct im_inquiry *inquiry = im_pool_alloc(q->pool, sizeof *inquiry);
    struct im_inquiry **slot = inquiry ? im_vec_push(&q->list) : NULL;
    if (!slot)
        return im_error_nomem(e);
    inquiry->search = *search;
    *slot = inquiry;
    *out = inquiry;
    return IM_OK;
}

void im_inquiries_free(struct im_inquiries *q) {
    for (size_t i = 0; i < q->list.count; i++)
        im_vec_free(&q->list.items[i]->found);
    im_vec_free(&q->list);
}

static enum im_err send(struct im_inquiries *q, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < q->list.count && q->in_flight < IM_LOOKUP_WINDOW; i++) {
        struct im_inquiry *inquiry = q->list.items[i];
        if (inquiry->state != IM_INQUIRY_WAITS)
            continue;
        err = im_directory_start_search(q->directory, &inquiry->search, inquiry, e);
        if (err != IM_OK)
            return err;
        inquiry->state = IM_INQUIRY_IN_FLIGHT;
        q->in_flight++;
    }
    return err;
}

static enum im_err take_entry(struct im_inquiries *q, struct im_inquiry *inquiry, const struct im_entry *entry,
                              struct im_error *e) {
    struct im_entry **slot = im_vec_push(&inquiry->found);
    if (!slot || !(*slot = im_entry_copy(entry, q->pool)))
        return im_error_nomem(e);
    if (inquiry->found.count == inquiry->enough) {
        im_directory_abandon(q->directory, inquiry);
        inquiry->state = IM_INQUIRY_DONE;
        q->in_flight--;
    }
    return IM_OK;
}

static const char *reason(const struct im_inquiries *q, const struct im_inquiry *inquiry, const struct im_answer *answer) {
    const char *base = inquiry->search.base;
    struct im_error e = {.code = IM_OK};
    if (answer->code == NO_SUCH_OBJECT)
        return im_pool_printf(q->pool, "\"%s\" does not exist, or %s may not see it", base, im_directory_identity(q->directory));
    im_ldap_answer_error(answer, im_directory_uri(q->directory), "searching", &e);
    return im_pool_printf(q->pool, "\"%s\": %s", base, e.text);
}

static enum im_err take_answer(struct im_inquiries *q, struct im_inquiry *inquiry, const struct im_answer *answer,
                               struct im_error *e) {
    q->in_flight--;
    inquiry->state = IM_INQUIRY_DONE;
    if (answer->code == SUCCESS)
        return IM_OK;
    inquiry->found.count = 0;
    if (answer->code == SIZE_LIMIT && inquiry->search.no_paging) {
        inquiry->search.no_paging = false;
        inquiry->state = IM_INQUIRY_WAITS;
        return IM_OK;
    }
    inquiry->why_not = reason(q, inquiry, answer);
    return inquiry->why_not ? IM_OK : im_error_nomem(e);
}

static void abandon_all(struct im_inquiries *q) {
    for (size_t i = 0; i < q->list.count; i++) {
        if (q->list.items[i]->state == IM_INQUIRY_IN_FLIGHT)
            im_directory_abandon(q->directory, q->list.items[i]);
        q->list.items[i]->state = IM_INQUIRY_DONE;
    }
    q->in_flight = 0;
}

enum im_err im_inquiries_run(struct im_inquiries *q, struct im_error *e) {
    for (;;) {
        struct im_event event;
        enum im_err err = send(q, e);
        if (err == IM_OK && !q->in_flight)
            return IM_OK;
        if (err == IM_OK)
            err = im_directory_next(q->directory, &event, e);
        if (err == IM_OK && event.kind == IM_EVENT_ENTRY) {
            err = take_entry(q, event.token, event.entry, e);
        } else if (err == IM_OK && event.kind == IM_EVENT_DONE) {
            err = take_answer(q, event.token, &event.answer, e);
        }
        if (err != IM_OK) {
            abandon_all(q);
            return err;
        }
    }
}
