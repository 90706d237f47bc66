/* What the files of the offline directory share. Internal to offline*.c. */
#ifndef IMDIR_DIRECTORY_OFFLINE_IMPL_H
#define IMDIR_DIRECTORY_OFFLINE_IMPL_H

#include "lib/base/index.h"
#include "lib/data/filter_match.h"
#include "lib/data/ldif_file.h"
#include "lib/directory/offline.h"
#include "lib/model/profile.h"

#include <stdatomic.h>

/* ---- offline_survey.c: what the first pass finds out ---- */

struct im_offline_names {
    const char **items;
    size_t count, cap;
};

/* A tree of entries, and what all of them lie below. */
struct im_offline_tree {
    const char *suffix; /* normalised: its domain components, or the last part of the name */
    const char *common; /* normalised */
    const char *shown;  /* the same as it is spelled */
};

enum { IM_OFFLINE_CLASSES = 4096 }; /* the most that are remembered */

enum im_offline_head { IM_HEAD_DOMAIN, IM_HEAD_CONFIGURATION, IM_HEAD_SCHEMA };

struct im_offline_context {
    const char *dn, *normal;
    enum im_offline_head kind;
};

struct im_offline_survey {
    struct im_pool *pool;
    struct {
        struct im_offline_tree *items;
        size_t count, cap;
    } trees;
    struct {
        struct im_offline_context *items;
        size_t count, cap;
    } heads;
    struct im_offline_names attributes, classes;
    struct im_offline_names static_classes; /* entries of these have the address without the auxiliary class */
    /* definitions as RFC 4512 writes them */
    struct im_offline_names types, object_classes, content_rules;
    struct im_offline_names macros; /* of OpenLDAP's configuration: "myAttribute myOID:1" */
    const char *schema_nc;          /* where the export has definitions of Active Directory */
    bool has_cross_refs, has_schema_attrs, has_config, is_openldap, is_ad;
    size_t entries;
};

/* Everything in s->pool. */
enum im_err im_offline_survey(struct im_ldif_file *file, const char *name, const struct im_profile *profile,
                              const atomic_int *stop, struct im_offline_survey *s, struct im_error *e);
bool im_offline_lies_below(const char *normal, const char *base_normal); /* equal counts */

/* ---- offline_assume.c: what no entry of the export says ---- */

struct im_offline_assumed {
    struct im_rootdse rootdse;
    struct im_entry **entries; /* the root DSE, and definitions */
    size_t count;
};

enum im_err im_offline_assume(const struct im_offline_survey *s, const struct im_profile *profile, struct im_pool *pool,
                              struct im_offline_assumed *out, struct im_error *e);

/* ---- offline_batch.c: searches that one pass answers ---- */

struct im_offline_search {
    struct im_search search;
    void *token;
    struct im_matcher *matcher; /* NULL: everything matches */
    size_t base;                /* number in the batch */
    size_t attributes;          /* the same */
    size_t entry;               /* the last that it got */
    bool is_guid;               /* the base is <GUID=...> */
    bool is_indexed;            /* found by its terms, not by asking it for each entry */
    bool is_done;               /* nothing more is looked for */
    bool is_told;               /* abandoned, or its end was told */
    bool is_found;              /* the base was met */
    int code;                   /* wrong from the start; 0 = it is not */
};

struct im_offline_base {
    const char *normal;
    size_t len;
    size_t searches;   /* for the entry itself: first link + 1; 0 = none */
    bool goes_deeper;  /* searches for what is below */
    const bool *cut;   /* heads of naming contexts that are not entered from here */
    bool covers, sees; /* the entry that is looked at; has anything been met */
};

/* An attribute list that searches have in common. */
struct im_offline_list {
    const char *const *names;
    bool *wants; /* one for each name of the batch */
    bool is_all, is_whole;
};

struct im_offline_link {
    size_t search, next; /* next + 1; 0 = the last */
};

struct im_offline_batch {
    const struct im_offline_survey *survey;
    bool is_ad;
    struct im_pool *pool;
    uint64_t key[2];
    struct {
        struct im_offline_search *items;
        size_t count, cap;
    } searches;
    struct {
        struct im_offline_base *items;
        size_t count, cap;
    } bases;
    struct {
        struct im_offline_list *items;
        size_t count, cap;
    } lists;
    struct {
        struct im_offline_link *items;
        size_t count, cap;
    } links;
    struct im_offline_numbers {
        size_t *items;
        size_t count, cap;
    } deep, others, hits; /* bases of searches for what is below; searches that are not in the index; of one entry: who gets it */
    struct im_offline_names names; /* attributes that any of them needs */
    unsigned *kinds;               /* one for each name: the kinds of terms in the index, as bits */
    uint64_t *lengths;             /* the same: lengths of their keys, 0 to 63 and again */
    uint64_t base_lengths;         /* of names whose entry itself is searched for */
    bool wants_all, shows_deleted;
    size_t left;               /* searches that are not done */
    struct im_index *by_dn;    /* bases */
    struct im_index *by_value; /* links of terms */
    size_t entry;              /* number of the entry that is looked at */
    struct im_buf normal, value;
    struct im_entry view; /* what one search gets of an entry */
    size_t view_cap;
};

enum im_err im_offline_batch_new(const struct im_offline_survey *survey, bool is_ad, struct im_offline_batch **out,
                                 struct im_error *e);
void im_offline_batch_free(struct im_offline_batch **batch);
enum im_err im_offline_batch_add(struct im_offline_batch *b, const struct im_search *search, void *token, struct im_error *e);
/* All are there: makes names, lists and index. */
enum im_err im_offline_batch_close(struct im_offline_batch *b, struct im_error *e);
/* Fills b->hits. numbers: of the names of the entry's attributes, or NULL: they are found by their text. */
enum im_err im_offline_batch_look(struct im_offline_batch *b, const struct im_entry *entry, const size_t *numbers,
                                  bool is_assumed, struct im_error *e);
/* What the search asked for of the entry. Valid until the next call. */
enum im_err im_offline_batch_view(struct im_offline_batch *b, const struct im_offline_search *s, const struct im_entry *entry,
                                  const size_t *numbers, struct im_entry **out, struct im_error *e);
int im_offline_batch_code(const struct im_offline_batch *b, const struct im_offline_search *s); /* when all was looked at */
void im_offline_search_end(struct im_offline_batch *b, struct im_offline_search *s);

#endif
