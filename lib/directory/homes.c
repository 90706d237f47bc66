#include "lib/directory/homes.h"

#include "lib/data/dn.h"
#include "lib/directory/lookup.h"
#include "lib/directory/targets.h"

#include <stdlib.h>

struct scan {
    const struct im_profile *profile;
    struct im_homes *homes;
};

const char *im_homes_filter(const struct im_profile *profile, bool with_urls, struct im_pool *pool) {
    const struct im_profile_attr *home = im_profile_role(profile, IM_ROLE_HOME);
    const struct im_profile_attr *url = im_profile_role(profile, IM_ROLE_PHYSICAL_URL);
    if (!home)
        return "";
    if (with_urls && url)
        return im_pool_printf(pool, "(|(%s=*)(%s=*))", home->name, url->name);
    return im_pool_printf(pool, "(%s=*)", home->name);
}

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    const struct scan *s = user;
    (void)lookup;
    return im_homes_add(s->homes, s->profile, entry, e);
}

/* A global catalog gives everything below a base, also what belongs to another domain of the list. */
static bool is_covered(const struct im_directory *d, const char *const *bases, size_t index) {
    for (size_t i = 0; im_directory_rootdse(d)->is_gc && bases[i]; i++) {
        if (i != index && im_dn_is_under(bases[index], bases[i]) && (i < index || !im_dn_is_under(bases[i], bases[index])))
            return true;
    }
    return false;
}

static enum im_err scan(struct im_directory *d, const struct scan *s, const char *const *bases, const char *filter,
                        const char *const *attributes, struct im_error *e) {
    size_t count = 0;
    size_t used = 0;
    while (bases[count])
        count++;
    struct im_lookup *lookups = calloc(count + 1, sizeof *lookups);
    if (!lookups)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        if (is_covered(d, bases, i))
            continue;
        lookups[used++].search = (struct im_search){.base = bases[i],
                                                    .scope = IM_SEARCH_SUB,
                                                    .filter = filter,
                                                    .attributes = attributes,
                                                    .extended_dn = im_directory_rootdse(d)->is_ad};
    }
    struct scan own = *s;
    enum im_err err = im_lookup_all(d, lookups, used, take, &own, e);
    free(lookups);
    return err;
}

enum im_err im_homes_scan(struct im_directory *d, const struct im_profile *profile, const char *const *bases, bool with_urls,
                          struct im_homes *out, struct im_error *e) {
    const struct im_profile_attr *home = im_profile_role(profile, IM_ROLE_HOME);
    const struct im_profile_attr *url = im_profile_role(profile, IM_ROLE_PHYSICAL_URL);
    const struct scan s = {.profile = profile, .homes = out};
    const char *attributes[] = {home ? home->name : NULL, with_urls && url ? url->name : NULL, NULL};
    struct im_pool *pool = im_pool_new();
    const char *filter = pool ? im_homes_filter(profile, with_urls, pool) : NULL;
    enum im_err err = filter ? IM_OK : im_error_nomem(e);
    if (err == IM_OK && home)
        err = scan(d, &s, bases, filter, attributes, e);
    im_pool_free(&pool);
    return err;
}

enum im_err im_homes_look(struct im_directory *d, const struct im_profile *profile, struct im_homes *homes, struct im_error *e) {
    struct im_census census = {.homes = calloc(homes->count + 1, sizeof *census.homes)};
    size_t *places = calloc(homes->count + 1, sizeof *places);
    enum im_err err = census.homes && places ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < homes->count; i++) {
        struct im_home *home = &homes->items[i];
        bool is_open = !home->server && home->dn && home->target == IM_TARGET_UNKNOWN;
        if (is_open && im_dn_is_deleted(home->dn)) {
            home->target = IM_TARGET_DELETED;
        } else if (is_open && !im_dn_is_valid(home->dn)) {
            home->target = IM_TARGET_MISSING;
        } else if (is_open) {
            census.homes[census.home_count].dn = home->dn;
            places[census.home_count++] = i;
        }
    }
    if (err == IM_OK)
        err = im_targets_read(d, profile, &census, e);
    for (size_t i = 0; err == IM_OK && i < census.home_count; i++)
        homes->items[places[i]].target = census.homes[i].target;
    free(census.homes);
    free(places);
    return err;
}
