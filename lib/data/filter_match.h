/* Does a search filter (RFC 4515) match an entry? For where there is no server that says so. Pure. */
#ifndef IMDIR_DATA_FILTER_MATCH_H
#define IMDIR_DATA_FILTER_MATCH_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/data/entry.h"

/* How values of an attribute are compared. */
enum im_match_kind {
    IM_MATCH_LOOSE,   /* nothing is known of it: as DNs where they are, else as text */
    IM_MATCH_TEXT,    /* letter case and composition ignored; what is no UTF-8 by its bytes */
    IM_MATCH_EXACT,   /* by its bytes */
    IM_MATCH_DN,      /* parsed and folded; extended forms (<GUID=...>;) are left out */
    IM_MATCH_INTEGER, /* other text is undefined */
    IM_MATCH_GUID,    /* octets, which may be asked for in their text form */
    IM_MATCH_SID,
    IM_MATCH_CATEGORY, /* objectCategory of Active Directory: a DN, which may be asked for by the name of a class */
    IM_MATCH_NONE,     /* no rule: undefined unless the filter names one */
};

/* What a directory knows of its attributes. */
struct im_matching {
    enum im_match_kind (*kind)(const void *user, const char *attribute); /* NULL: all are loose */
    const void *user;
    bool (*same_dn)(const struct berval *has, const struct berval *wanted); /* NULL: as IM_MATCH_DN says */
};

/* The three values of RFC 4511 section 4.5.1.7. */
enum im_truth { IM_FALSE, IM_TRUE, IM_UNDEFINED };

/* attribute = value, and what equal values have in common. */
struct im_match_term {
    const char *attribute;
    enum im_match_kind kind;
    struct berval value, key;
    bool is_ascii; /* the value */
};

struct im_matcher;

/* Everything in pool. IM_E_USAGE: not a filter, as im_filter_parse says. `matching` may be NULL. */
enum im_err im_matcher_new(const char *filter, const struct im_matching *matching, struct im_pool *pool, struct im_matcher **out,
                           struct im_error *e);
/* IM_E_NOMEM. */
enum im_err im_matcher_ask(struct im_matcher *m, const struct im_entry *entry, enum im_truth *out, struct im_error *e);
/* The condition that is always undefined because nothing is known of its matching rule; NULL: there is none. */
const char *im_matcher_unknown(const struct im_matcher *m);
/* The attributes that it names. */
const char *const *im_matcher_attributes(const struct im_matcher *m, size_t *count);
/* Where the filter is "one of these values", and nothing else: the terms; else NULL. */
const struct im_match_term *im_matcher_alternatives(const struct im_matcher *m, size_t *count);
void im_matcher_free(struct im_matcher **m); /* what does not lie in the pool */

/* Is the key of the value as long as the value? False: it may be so. */
bool im_match_keeps_length(enum im_match_kind kind, const struct berval *value);
/* Appends what all values have in common that are equal to this one; a kind without equality gives the bytes. */
void im_match_key(enum im_match_kind kind, const struct berval *value, struct im_buf *out);

#endif
