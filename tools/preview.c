#include "tools/preview.h"

#include "tools/progress.h"

#include <stdio.h>
#include <string.h>

enum im_err im_preview_begin(struct im_preview *p, const struct im_profile *profile, const struct im_servers *servers,
                             const char *from, struct im_error *e) {
    *p = (struct im_preview){.profile = profile, .servers = servers, .from = from, .pool = im_pool_new()};
    return p->pool ? IM_OK : im_error_nomem(e);
}

void im_preview_free(struct im_preview *p) {
    im_vec_free(&p->ways);
    im_vec_free(&p->reasons);
    im_pool_free(&p->pool);
}

/* ---- counting ---- */

static const struct im_plan_diff *home_diff(const struct im_preview *p, const struct im_result *result) {
    const struct im_profile_attr *attr = im_profile_role(p->profile, IM_ROLE_HOME);
    for (size_t i = 0; attr && i < result->diff_count; i++) {
        if (im_text_equal(result->diffs[i].attribute, attr->name)) {
            return &result->diffs[i];
        }
    }
    return NULL;
}

/* "-": nowhere. The home of one whose URL alone changes is the present one. */
static const char *left_home(const struct im_preview *p, const struct im_result *result) {
    const struct im_plan_diff *diff = home_diff(p, result);
    if (!diff) {
        return result->home ? result->home : "-";
    }
    if (!diff->before_count) {
        return p->from ? p->from : "-";
    }
    const struct im_server *server = im_servers_by_dn(p->servers, diff->before[0].bv_val);
    return server ? server->name : p->from ? p->from : diff->before[0].bv_val;
}

static enum im_err add_way(struct im_preview *p, const char *from, const char *to, struct im_error *e) {
    for (size_t i = 0; i < p->ways.count; i++) {
        struct im_preview_way *way = &p->ways.items[i];
        if (strcmp(way->from, from) == 0 && strcmp(way->to, to) == 0) {
            way->people++;
            return IM_OK;
        }
    }
    struct im_preview_way *way = im_vec_push(&p->ways);
    if (!way) {
        return im_error_nomem(e);
    }
    *way = (struct im_preview_way){.from = im_pool_strdup(p->pool, from), .to = im_pool_strdup(p->pool, to), .people = 1};
    return way->from && way->to ? IM_OK : im_error_nomem(e);
}

static struct im_preview_reason *find_reason(struct im_preview *p, const char *reason) {
    for (size_t i = 0; i < p->reasons.count; i++) {
        if (strcmp(p->reasons.items[i].reason, reason) == 0) {
            return &p->reasons.items[i];
        }
    }
    struct im_preview_reason *found = im_vec_push(&p->reasons);
    if (found) {
        found->reason = im_pool_strdup(p->pool, reason);
    }
    return found && found->reason ? found : NULL;
}

static enum im_err add_reason(struct im_preview *p, const struct im_result *result, struct im_error *e) {
    struct im_preview_reason *reason = find_reason(p, result->reason ? result->reason : im_outcome_name(result->outcome));
    const char *name = result->account ? result->account : result->dn ? result->dn : result->input;
    if (!reason) {
        return im_error_nomem(e);
    }
    if (reason->people < IM_PREVIEW_NAMES) {
        reason->names[reason->people] = im_pool_strdup(p->pool, name ? name : "?");
        if (!reason->names[reason->people]) {
            return im_error_nomem(e);
        }
    }
    reason->people++;
    return IM_OK;
}

enum im_err im_preview_add(struct im_preview *p, const struct im_result *result, struct im_error *e) {
    if (result->outcome == IM_CHANGED) {
        return add_way(p, left_home(p, result), result->home ? result->home : "-", e);
    }
    return result->outcome == IM_UNCHANGED ? IM_OK : add_reason(p, result, e);
}

/* ---- telling ---- */

static const struct im_server *named(const struct im_preview *p, const char *name) {
    for (size_t i = 0; i < p->servers->count; i++) {
        if (strcmp(p->servers->items[i].name, name) == 0) {
            return &p->servers->items[i];
        }
    }
    return NULL;
}

/* Users of a server afterwards; -1: not counted. */
static long users_after(const struct im_preview *p, const struct im_server *server) {
    long users = server->users;
    for (size_t i = 0; users >= 0 && i < p->ways.count; i++) {
        const struct im_preview_way *way = &p->ways.items[i];
        bool arrives = strcmp(way->to, server->name) == 0;
        bool leaves = strcmp(way->from, server->name) == 0;
        users += arrives == leaves ? 0 : arrives ? (long)way->people : -(long)way->people;
    }
    return users;
}

static void add_padded(struct im_buf *out, const char *text, size_t width, bool right) {
    struct im_buf shown = IM_BUF_INIT;
    im_text_escape(text, strlen(text), &shown);
    size_t has = im_text_width(im_buf_str(&shown));
    size_t blanks = has < width ? width - has : 0;
    im_buf_addf(out, "%*s%s%*s", right ? (int)blanks : 0, "", im_buf_str(&shown), right ? 0 : (int)blanks, "");
    out->failed = out->failed || shown.failed;
    im_buf_free(&shown);
}

static void add_number(struct im_buf *out, long number, size_t width) {
    char text[32] = "-";
    if (number >= 0) {
        (void)snprintf(text, sizeof text, "%ld", number);
    }
    add_padded(out, text, width, true);
}

enum { NUMBER_WIDTH = 10 };

static size_t widest(const struct im_preview *p, bool to, size_t least) {
    for (size_t i = 0; i < p->ways.count; i++) {
        const char *text = to ? p->ways.items[i].to : p->ways.items[i].from;
        struct im_buf shown = IM_BUF_INIT;
        im_text_escape(text, strlen(text), &shown);
        size_t width = im_text_width(im_buf_str(&shown));
        least = width > least ? width : least;
        im_buf_free(&shown);
    }
    return least;
}

static void write_ways(const struct im_preview *p, struct im_buf *out) {
    size_t from = widest(p, false, strlen("from"));
    size_t to = widest(p, true, strlen("to"));
    add_padded(out, "from", from + 2, false);
    add_padded(out, "to", to, false);
    add_padded(out, "people", NUMBER_WIDTH, true);
    add_padded(out, "then", NUMBER_WIDTH, true);
    add_padded(out, "capacity", NUMBER_WIDTH, true);
    im_buf_addc(out, '\n');
    for (size_t i = 0; i < p->ways.count; i++) {
        const struct im_preview_way *way = &p->ways.items[i];
        const struct im_server *server = named(p, way->to);
        add_padded(out, way->from, from + 2, false);
        add_padded(out, way->to, to, false);
        add_number(out, (long)way->people, NUMBER_WIDTH);
        add_number(out, server ? users_after(p, server) : -1, NUMBER_WIDTH);
        add_number(out, server && server->capacity ? server->capacity : -1, NUMBER_WIDTH);
        im_buf_addc(out, '\n');
    }
}

void im_preview_write(const struct im_preview *p, struct im_buf *out) {
    if (p->ways.count > 0) {
        write_ways(p, out);
    }
    for (size_t i = 0; i < p->reasons.count; i++) {
        const struct im_preview_reason *r = &p->reasons.items[i];
        im_buf_addf(out, "cannot be moved: %zu, %s (", r->people, r->reason);
        for (size_t n = 0; n < r->people && n < IM_PREVIEW_NAMES; n++) {
            im_buf_adds(out, n > 0 ? ", " : "");
            im_text_escape(r->names[n], strlen(r->names[n]), out);
        }
        im_buf_adds(out, r->people > IM_PREVIEW_NAMES ? ", ...)\n" : ")\n");
    }
}

enum im_err im_preview_print(struct im_command *c, const struct im_preview *p) {
    struct im_buf text = IM_BUF_INIT;
    im_preview_write(p, &text);
    enum im_err err = text.failed ? im_error_nomem(&c->error) : IM_OK;
    if (err == IM_OK && c->verbosity >= 0) {
        im_progress_hide(c);
        (void)fputs(im_buf_str(&text), stderr);
    }
    im_buf_free(&text);
    return err;
}
