/* The attribute names of an LDIF stream: each spelling is looked at once. Internal to ldif*.c. */
#ifndef IMDIR_DATA_LDIF_NAMES_H
#define IMDIR_DATA_LDIF_NAMES_H

#include "lib/base/error.h"
#include "lib/base/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Words that are no attributes. */
enum im_ldif_word {
    IM_LDIF_ATTRIBUTE,
    IM_LDIF_DN,
    IM_LDIF_VERSION,
    IM_LDIF_INCLUDE,
    IM_LDIF_CHANGE,
    IM_LDIF_CONTROL,
    IM_LDIF_TRAILER
};

enum {
    IM_LDIF_MAX_NAMES = 4096,
    IM_LDIF_MAX_NEW = IM_LDIF_MAX_NAMES + 16, /* spellings that one record may bring: also words that are no attributes */
};

/* One spelling, such as "member;range=0-1499". */
struct im_ldif_name {
    const char *spelled, *plain; /* with and without options */
    size_t len;                  /* of spelled */
    uint64_t hash;
    struct im_ldif_name *first; /* the first spelling of the same attribute; perhaps this one */
    struct im_ldif_name *next;  /* what came behind it last time: entries look alike */
    enum im_ldif_word word;
    bool is_wanted;
    size_t wanted; /* number in the list of wanted names */
    bool is_part;  /* a range that others follow */
    bool is_last;  /* a range that none follows */
    /* of the first spelling: the attribute of the record that is read */
    size_t record, index;
};

struct im_ldif_names {
    struct im_pool *pool;
    uint64_t key[2];
    struct im_ldif_name **slots; /* a hash table, linear probing; a power of two */
    size_t slot_count;
    struct im_ldif_name **list; /* in the order in which they were met */
    size_t count, cap;
    struct im_ldif_name *previous;
    const char *const *wanted; /* NULL: all are */
    size_t wanted_count;
};

/* What the line most likely begins with, before a colon: the name of the line before once more, or what came behind that one last
 * time; NULL: it does not. The line is followed by a NUL. */
static inline struct im_ldif_name *im_ldif_names_guess(struct im_ldif_names *names, const char *line, size_t len) {
    struct im_ldif_name *last = names->previous;
    struct im_ldif_name *next = last ? last->next : NULL;
    if (next && next->len < len && line[next->len] == ':' && memcmp(next->spelled, line, next->len) == 0)
        return names->previous = next;
    return last && last->len < len && line[last->len] == ':' && memcmp(last->spelled, line, last->len) == 0 ? last : NULL;
}

/* *out is NULL where it is no name. */
enum im_err im_ldif_names_find(struct im_ldif_names *names, const char *text, size_t len, struct im_ldif_name **out,
                               struct im_error *e);
/* Between two records: forgets all where there are more than any honest export has. */
void im_ldif_names_trim(struct im_ldif_names *names);
void im_ldif_names_free(struct im_ldif_names *names);

#endif
