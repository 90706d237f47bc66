#include "lib/directory/parts.h"

#include "lib/base/vec.h"

#include <stdlib.h>

enum { DEPTH = 4 }; /* how far down containers that do not branch are followed */

struct parting {
    struct im_directory *directory;
    const struct im_search *whole;
    struct im_pool *pool;
    const char *containers, *others; /* filters */
    struct im_lookup *items;
    size_t count, cap;
};

struct level {
    struct im_pool *pool;
    const char **items; /* DNs of containers */
    size_t count, cap;
};

/* Whatever has entries below it: Active Directory allows accounts in these classes only (MS-ADSC, possSuperiors of user), others
 * tell it of each entry (RFC 3712 has no say in it: hasSubordinates is X.501's). */
static const char *containers_of(const struct im_directory *d) {
    return im_directory_rootdse(d)->is_ad ? "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)"
                                            "(objectClass=lostAndFound)(objectClass=domainDNS))"
                                          : "(hasSubordinates=TRUE)";
}

static enum im_err take_container(void *user, const struct im_entry *entry, struct im_error *e) {
    struct level *level = user;
    const char **place = im_vec_push(level);
    if (!place || !(*place = im_pool_strdup(level->pool, entry->dn)))
        return im_error_nomem(e);
    return IM_OK;
}

static enum im_err add(struct parting *p, const char *base, enum im_search_scope scope, const char *filter, struct im_error *e) {
    struct im_lookup *part = im_vec_push(p);
    if (!part || !filter)
        return im_error_nomem(e);
    part->search = *p->whole;
    part->search.base = base;
    part->search.scope = scope;
    part->search.filter = filter;
    part->search.on_any = true;
    return IM_OK;
}

/* The base itself, what lies directly below it, and each container. Where there is only one container, that is divided. */
static enum im_err divide(struct parting *p, const char *base, int depth, struct im_error *e) {
    struct level level = {.pool = p->pool};
    const struct im_search search = {
        .base = base, .scope = IM_SEARCH_ONE, .filter = p->containers, .attributes = (const char *const[]){"1.1", NULL}};
    enum im_err err = im_directory_search(p->directory, &search, take_container, &level, e);
    if (err == IM_OK)
        err = add(p, base, IM_SEARCH_BASE, p->whole->filter, e);
    if (err == IM_OK)
        err = add(p, base, IM_SEARCH_ONE, p->others, e);
    if (err == IM_OK && level.count == 1 && depth < DEPTH) {
        err = divide(p, level.items[0], depth + 1, e);
    } else {
        for (size_t i = 0; err == IM_OK && i < level.count; i++)
            err = add(p, level.items[i], IM_SEARCH_SUB, p->whole->filter, e);
    }
    im_vec_free(&level);
    return err;
}

static enum im_err search_parts(struct parting *p, im_lookup_fn *fn, void *user, struct im_error *e) {
    p->containers = containers_of(p->directory);
    p->others = im_pool_printf(p->pool, "(&%s(!%s))", p->whole->filter, p->containers);
    enum im_err err = p->others ? divide(p, p->whole->base, 0, e) : im_error_nomem(e);
    return err == IM_OK ? im_lookup_all(p->directory, p->items, p->count, fn, user, e) : err;
}

enum im_err im_parts_search(struct im_directory *d, const struct im_search *search, size_t most, im_lookup_fn *fn, void *user,
                            struct im_error *e) {
    struct im_lookup one = {.search = *search};
    struct parting p = {.directory = d, .whole = search};
    if (most <= 1)
        return im_lookup_all(d, &one, 1, fn, user, e);
    p.pool = im_pool_new();
    enum im_err err = p.pool ? search_parts(&p, fn, user, e) : im_error_nomem(e);
    im_vec_free(&p);
    im_pool_free(&p.pool);
    return err;
}
