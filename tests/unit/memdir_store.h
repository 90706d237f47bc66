/* What the files of the directory in memory share. */
#ifndef IMDIR_TESTS_MEMDIR_STORE_H
#define IMDIR_TESTS_MEMDIR_STORE_H

#include "lib/base/vec.h"
#include "lib/data/filter_match.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

enum memdir_code {
    MEMDIR_SUCCESS = 0,
    MEMDIR_UNAVAILABLE_CRITICAL = 12,
    MEMDIR_NO_SUCH_ATTRIBUTE = 16,
    MEMDIR_INAPPROPRIATE_MATCHING = 18,
    MEMDIR_CONSTRAINT_VIOLATION = 19,
    MEMDIR_VALUE_EXISTS = 20,
    MEMDIR_NO_SUCH_OBJECT = 32,
    MEMDIR_INVALID_DN = 34,
    MEMDIR_ALREADY_EXISTS = 68,
    MEMDIR_ASSERTION_FAILED = 122,
};

/* An entry as it is stored. Its attributes are never altered in place, so that a search may go on holding them. */
struct memdir_record {
    struct im_entry entry;
    bool is_deleted;
};

struct memdir_hooked {
    enum memdir_kind kind;
    size_t nth;
    memdir_hook *fn;
    void *user;
};

struct memdir {
    struct im_pool *pool; /* everything that was ever stored */
    const struct memdir_attr *attrs;
    struct {
        struct memdir_record *items;
        size_t count, cap;
    } records;
    struct {
        struct memdir_hooked *items;
        size_t count, cap;
    } hooks;
    struct {
        struct memdir_fault *items;
        size_t count, cap;
    } faults;
    struct im_rootdse rootdse;
    size_t counts[MEMDIR_KINDS];
    size_t most_in_flight;
    size_t next_id;
    int64_t paused_ms;
    bool in_reverse;
};

/* The store itself never runs out of memory: what a test makes fail are the allocations of the code under test. */
#define SOLID(expression) memdir_solid((expression), #expression)
void *memdir_solid(void *pointer, const char *what);

/* By DN or, on Active Directory, by <GUID=...>. *code is why there is none. */
struct memdir_record *memdir_find(const struct memdir *m, const char *dn, int *code);
void memdir_store(struct memdir *m, const struct im_entry *from); /* a copy of it */
unsigned memdir_flags(const struct memdir *m, const char *attribute);
/* Is `value` what the stored value of a DN attribute is matched by? */
bool memdir_dn_value_matches(const struct berval *stored, const struct berval *value);
/* How a stored DN value is read: its target's present name. In pool. */
struct berval memdir_dn_value_shown(const struct memdir *m, const struct berval *stored, bool is_extended, struct im_pool *pool);
/* In pool, but im_matcher_free is for the rest. Fails the test where it is not a filter. */
struct im_matcher *memdir_filter_new(const struct memdir *m, const char *filter, struct im_pool *pool);
bool memdir_filter_matches(struct im_matcher *matcher, const struct im_entry *entry);

#endif
