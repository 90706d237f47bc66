#include "lib/directory/targets.h"

#include "lib/directory/lookup.h"

#include <stdlib.h>

struct reading {
    const struct im_profile *profile;
};

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    const struct reading *r = user;
    struct im_census_home *home = lookup->data;
    const char *class = r->profile->servers.object_class;
    const char *hosts = r->profile->servers.hosts_users_attribute;
    (void)e;
    if (!class || !im_entry_has_value(entry, "objectClass", class)) {
        home->target = IM_TARGET_NO_SERVER;
    } else {
        home->target = hosts && im_entry_has_value(entry, hosts, "TRUE") ? IM_TARGET_HOST : IM_TARGET_NO_HOST;
    }
    return IM_OK;
}

enum im_err im_targets_read(struct im_directory *d, const struct im_profile *profile, struct im_census *census,
                            struct im_error *e) {
    struct reading r = {.profile = profile};
    const char *attributes[] = {"objectClass", profile->servers.hosts_users_attribute, NULL};
    struct im_lookup *lookups = calloc(census->home_count + 1, sizeof *lookups);
    size_t count = 0;
    if (!lookups)
        return im_error_nomem(e);
    for (size_t i = 0; i < census->home_count; i++) {
        struct im_census_home *home = &census->homes[i];
        if (home->target != IM_TARGET_UNKNOWN)
            continue;
        home->target = IM_TARGET_MISSING; /* unless an entry comes */
        lookups[count++] =
            (struct im_lookup){.search = {.base = home->dn, .scope = IM_SEARCH_BASE, .attributes = attributes, .no_paging = true},
                               .data = home,
                               .may_be_missing = true};
    }
    enum im_err err = count ? im_lookup_all(d, lookups, count, take, &r, e) : IM_OK;
    for (size_t i = 0; err != IM_OK && i < count; i++)
        ((struct im_census_home *)lookups[i].data)->target = IM_TARGET_UNKNOWN;
    free(lookups);
    return err;
}
