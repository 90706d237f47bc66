#include "lib/model/spread.h"

#include "lib/base/text.h"

#include <stdint.h>
#include <string.h>

bool im_spread_has_room(const struct im_server *server) {
    return !server->capacity || server->users < server->capacity;
}

static bool can_take(const struct im_server *server, const char *domain) {
    return server->hosts_users && server->dn && !server->is_gone && (!domain || im_server_serves(server, domain));
}

static bool is_candidate(const struct im_servers *servers, const bool *is_target, size_t i, const char *domain) {
    return (!is_target || is_target[i]) && can_take(&servers->items[i], domain);
}

/* Two servers may have one name, but not one DN. */
static int compare_names(const struct im_server *a, const struct im_server *b) {
    int by_name = im_text_compare(a->name, b->name);
    return by_name ? by_name : strcmp(a->dn, b->dn);
}

/* Users are weighed against capacity only where every candidate has one: otherwise the order would depend on who is compared. */
static bool is_less_loaded(const struct im_server *a, const struct im_server *b, bool by_capacity) {
    int64_t ua = a->users > 0 ? a->users : 0;
    int64_t ub = b->users > 0 ? b->users : 0;
    if (by_capacity && ua * b->capacity != ub * a->capacity)
        return ua * b->capacity < ub * a->capacity;
    if (!by_capacity && ua != ub)
        return ua < ub;
    return compare_names(a, b) < 0;
}

const struct im_server *im_spread_least_loaded(const struct im_servers *servers, const bool *is_target, const char *domain) {
    const struct im_server *best = NULL;
    bool by_capacity = true;
    for (size_t i = 0; i < servers->count; i++) {
        if (is_candidate(servers, is_target, i, domain) && !servers->items[i].capacity)
            by_capacity = false;
    }
    for (size_t i = 0; i < servers->count; i++) {
        const struct im_server *s = &servers->items[i];
        if (!is_candidate(servers, is_target, i, domain) || !im_spread_has_room(s))
            continue;
        if (!best || is_less_loaded(s, best, by_capacity))
            best = s;
    }
    return best;
}

enum im_placing im_spread_place(const struct im_servers *servers, const bool *is_target, const struct im_server *present,
                                const char *domain, const struct im_server **out) {
    bool is_any = false;
    for (size_t i = 0; i < servers->count; i++) {
        if (!is_candidate(servers, is_target, i, domain))
            continue;
        is_any = true;
        if (&servers->items[i] == present) {
            *out = present;
            return IM_PLACED;
        }
    }
    const struct im_server *least = im_spread_least_loaded(servers, is_target, domain);
    if (least)
        *out = least;
    return least ? IM_PLACED : is_any ? IM_PLACE_FULL : IM_PLACE_NONE;
}
