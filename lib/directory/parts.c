#include "lib/directory/parts.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <string.h>

/* How many containers a connection may have to ask about: each costs it a round trip. */
enum { CONTAINERS = 32 };

/* What has entries below it. Active Directory allows accounts in these classes only (MS-ADSC, possSuperiors of user), others tell
 * it of each entry (RFC 3712 has no say in it: hasSubordinates is X.501's). */
struct kind {
    const char *attribute, *filter;
    const char *values[6];
};

static const struct kind telling = {"hasSubordinates", "(hasSubordinates=TRUE)", {"TRUE"}};
static const struct kind classed = {
    "objectClass",
    "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)(objectClass=lostAndFound)"
    "(objectClass=domainDNS))",
    {"organizationalUnit", "container", "builtinDomain", "lostAndFound", "domainDNS"}};

/* A container: its own entry, and what lies directly below it. Containers that are met there are parts in turn, or where they are
 * too many, all that is deeper is one search. Searching the subtrees of some containers at once would be simpler, but OpenLDAP
 * goes through all entries of its database for each. */
struct part {
    struct im_lookup self, below;
    const char *dn;
    bool is_rest; /* what is deeper */
    struct part *found, *next;
    size_t found_count;
};

struct parting {
    struct im_lookups lookups;
    const struct im_search *whole;
    const struct kind *kind;
    struct im_pool *pool;
    const char *filter; /* of accounts and containers */
    const char *const *attributes;
    im_lookup_fn *fn;
    void *user;
    struct part *first, *last; /* that wait to be sent */
    size_t containers, most;   /* met, and how many may be */
    size_t in_flight, window;  /* parts */
    struct im_buf normal, base;
};

/* ---- what an entry is ---- */

static bool is_container(const struct kind *kind, const struct im_entry *entry) {
    for (const char *const *value = kind->values; *value; value++) {
        if (im_entry_has_value(entry, kind->attribute, *value))
            return true;
    }
    return false;
}

/* Did it come when only what lies directly below the container was asked for, or its own entry? In a canonical form commas within
 * values are escaped. */
static enum im_err was_met(struct parting *p, const struct part *part, const struct im_entry *entry, bool *was,
                           struct im_error *e) {
    im_buf_clear(&p->normal);
    im_buf_clear(&p->base);
    bool are_names = im_dn_normalize(entry->dn, &p->normal) && im_dn_normalize(part->dn, &p->base);
    if (p->normal.failed || p->base.failed)
        return im_error_nomem(e);
    const char *comma = strchr(im_buf_str(&p->normal), ',');
    bool is_child = are_names && comma && strcmp(comma + 1, im_buf_str(&p->base)) == 0;
    *was =
        (is_child && !is_container(p->kind, entry)) || (are_names && strcmp(im_buf_str(&p->normal), im_buf_str(&p->base)) == 0);
    return IM_OK;
}

/* ---- parts that wait ---- */

static void wait_all(struct parting *p, struct part *first, struct part *last) {
    last->next = NULL;
    if (p->first) {
        p->last->next = first;
    } else {
        p->first = first;
    }
    p->last = last;
}

static struct part *new_part(struct parting *p, const char *dn, struct im_error *e) {
    struct part *part = im_pool_alloc(p->pool, sizeof *part);
    const char *copy = part ? im_pool_strdup(p->pool, dn) : NULL;
    if (!copy) {
        (void)im_error_nomem(e);
        return NULL;
    }
    part->dn = copy;
    return part;
}

static enum im_err send_next(struct parting *p, struct im_error *e) {
    struct part *part = p->first;
    p->first = part->next;
    part->self = (struct im_lookup){.search = *p->whole};
    part->self.search.base = part->dn;
    part->self.search.scope = IM_SEARCH_BASE;
    part->below = (struct im_lookup){.search = *p->whole, .data = part};
    part->below.search.base = part->dn;
    part->below.search.attributes = p->attributes;
    part->below.search.on_any = true;
    if (!part->is_rest) {
        part->below.search.scope = IM_SEARCH_ONE;
        part->below.search.filter = p->filter;
    }
    p->in_flight++;
    enum im_err err = part->is_rest ? IM_OK : im_lookups_start(&p->lookups, &part->self, e);
    return err == IM_OK ? im_lookups_start(&p->lookups, &part->below, e) : err;
}

/* ---- answers ---- */

static enum im_err take_container(struct parting *p, struct part *part, const char *dn, struct im_error *e) {
    struct part *found = new_part(p, dn, e);
    if (!found)
        return IM_E_NOMEM;
    found->next = part->found;
    part->found = found;
    part->found_count++;
    return IM_OK;
}

static enum im_err take_entry(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct parting *p = user;
    struct part *part = lookup->data; /* NULL: a container's own entry */
    bool was = false;
    enum im_err err = part && part->is_rest ? was_met(p, part, entry, &was, e) : IM_OK;
    if (part && !part->is_rest && is_container(p->kind, entry))
        return take_container(p, part, entry->dn, e);
    return err == IM_OK && !was ? p->fn(p->user, lookup, entry, e) : err;
}

/* All that lies directly below it is known. */
static void end_part(struct parting *p, struct part *part) {
    size_t count = part->found_count;
    struct part *last = part->found;
    p->in_flight--;
    if (part->is_rest || !count)
        return;
    part->is_rest = p->containers + count > p->most;
    if (part->is_rest) {
        wait_all(p, part, part);
        return;
    }
    p->containers += count;
    while (last->next)
        last = last->next;
    wait_all(p, part->found, last);
}

static enum im_err take_event(struct parting *p, const struct im_event *event, struct im_error *e) {
    struct im_lookup *lookup = event->token;
    enum im_err err = lookup->token.take(lookup, event, e);
    if (err == IM_OK && event->kind == IM_EVENT_DONE && lookup->data)
        end_part(p, lookup->data);
    return err;
}

/* As im_lookup_all, but answers bring further searches. */
static enum im_err go_through(struct parting *p, struct im_error *e) {
    enum im_err err = IM_OK;
    for (;;) {
        struct im_event event;
        while (err == IM_OK && p->first && p->in_flight < p->window)
            err = send_next(p, e);
        if (!p->lookups.in_flight)
            return err;
        enum im_err lost = im_directory_next(p->lookups.directory, &event, e);
        if (lost != IM_OK)
            return err != IM_OK ? err : lost;
        if (err == IM_OK) {
            err = take_event(p, &event, e);
        } else if (event.kind == IM_EVENT_DONE) {
            p->lookups.in_flight--;
        }
    }
}

/* ---- the whole ---- */

static enum im_err add_attribute(struct parting *p, struct im_error *e) {
    size_t count = 0;
    while (p->whole->attributes && p->whole->attributes[count])
        count++;
    const char **list = im_pool_array(p->pool, count + 3, sizeof *list);
    if (!list)
        return im_error_nomem(e);
    if (count) {
        memcpy(list, p->whole->attributes, count * sizeof *list);
    } else {
        list[count++] = "*";
    }
    list[count] = p->kind->attribute;
    p->attributes = list;
    return IM_OK;
}

/* Whoever asks for hasSubordinates where the server does not tell it misses entries. */
static enum im_err can_divide(struct parting *p, bool *can, struct im_error *e) {
    static const char *const none[] = {"1.1", NULL};
    const struct im_search search = {
        .base = p->whole->base, .scope = IM_SEARCH_BASE, .filter = telling.filter, .attributes = none};
    struct im_entry *entry = NULL;
    *can = p->kind != &telling;
    enum im_err err = *can ? IM_OK : im_directory_read(p->lookups.directory, &search, p->pool, &entry, e);
    *can = *can || entry;
    return err;
}

static enum im_err search_parts(struct parting *p, struct im_error *e) {
    struct im_directory *d = p->lookups.directory;
    struct im_lookup one = {.search = *p->whole};
    bool can = false;
    p->filter = im_pool_printf(p->pool, "(|%s%s)", p->whole->filter, p->kind->filter);
    enum im_err err = p->filter ? add_attribute(p, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = can_divide(p, &can, e);
    if (err != IM_OK)
        return err;
    if (!can)
        return im_lookup_all(d, &one, 1, p->fn, p->user, e);
    struct part *base = new_part(p, p->whole->base, e);
    if (!base)
        return IM_E_NOMEM;
    wait_all(p, base, base);
    return go_through(p, e);
}

enum im_err im_parts_search(struct im_directory *d, const struct im_search *search, size_t most, im_lookup_fn *fn, void *user,
                            struct im_error *e) {
    struct im_lookup one = {.search = *search};
    const struct im_rootdse *rootdse = im_directory_rootdse(d);
    if (most <= 1 || rootdse->is_offline)
        return im_lookup_all(d, &one, 1, fn, user, e);
    struct parting p = {.lookups = {.directory = d, .fn = take_entry},
                        .whole = search,
                        .kind = rootdse->is_ad ? &classed : &telling,
                        .pool = im_pool_new(),
                        .fn = fn,
                        .user = user,
                        .most = most * CONTAINERS,
                        .window = most};
    p.lookups.user = &p;
    enum im_err err = p.pool ? search_parts(&p, e) : im_error_nomem(e);
    im_buf_free(&p.normal);
    im_buf_free(&p.base);
    im_pool_free(&p.pool);
    return err;
}
