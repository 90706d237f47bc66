#include "lib/directory/groups.h"

#include "lib/directory/lookup.h"
#include "lib/model/protected.h"

#include <stdlib.h>

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct im_group_question *question = lookup->data;
    (void)user, (void)e;
    question->answer = im_protected_by_groups(im_entry_attr(entry, "tokenGroups"));
    return IM_OK;
}

enum im_err im_groups_read(struct im_directory *d, struct im_group_question *questions, size_t count, struct im_error *e) {
    static const char *const attributes[] = {"tokenGroups", NULL};
    struct im_lookup *lookups = calloc(count + 1, sizeof *lookups);
    if (!lookups)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        lookups[i] = (struct im_lookup){
            .search = {.base = questions[i].dn, .scope = IM_SEARCH_BASE, .attributes = attributes, .no_paging = true},
            .data = &questions[i],
            .may_be_missing = true};
    }
    enum im_err err = count ? im_lookup_all(d, lookups, count, take, NULL, e) : IM_OK;
    free(lookups);
    return err;
}
