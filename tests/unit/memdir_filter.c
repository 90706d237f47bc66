/* Search filters on one entry: the library's own matcher, with what this directory knows of its attributes. */
#include "tests/unit/memdir_store.h"

static enum im_match_kind kind_of(const void *user, const char *attribute) {
    unsigned flags = memdir_flags(user, attribute);
    if (flags & MEMDIR_NO_EQUALITY)
        return IM_MATCH_NONE;
    if (flags & MEMDIR_DN)
        return IM_MATCH_DN;
    return flags & MEMDIR_EXACT ? IM_MATCH_EXACT : IM_MATCH_TEXT;
}

struct im_matcher *memdir_filter_new(const struct memdir *m, const char *filter, struct im_pool *pool) {
    const struct im_matching matching = {.kind = kind_of, .user = m, .same_dn = memdir_dn_value_matches};
    struct im_matcher *matcher = NULL;
    struct im_error e = {.code = IM_OK};
    if (im_matcher_new(filter, &matching, pool, &matcher, &e) != IM_OK)
        fail_msg("%s: %s", filter, e.text);
    return matcher;
}

bool memdir_filter_matches(struct im_matcher *matcher, const struct im_entry *entry) {
    enum im_truth truth = IM_UNDEFINED;
    if (im_matcher_ask(matcher, entry, &truth, NULL) != IM_OK)
        fail_msg("a filter cannot be asked");
    return truth == IM_TRUE;
}
