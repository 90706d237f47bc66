/* Searches that run side by side on one connection, and the filters they are made of. */
#ifndef IMDIR_DIRECTORY_LOOKUP_H
#define IMDIR_DIRECTORY_LOOKUP_H

#include "lib/directory/directory.h"
#include "lib/model/profile.h"
#include "lib/model/schema.h"

/* OR filters of 20 to 50 terms with 16 in flight were measured as the fastest way to find many people. */
enum { IM_LOOKUP_TERMS = 50, IM_LOOKUP_WINDOW = 16 };

struct im_lookup;
struct im_lookups;

/* What is in flight knows who takes its answers: the first member of every token of a pipelined run. */
struct im_token {
    enum im_err (*take)(void *token, const struct im_event *event, struct im_error *e);
};

struct im_lookup {
    struct im_token token;
    struct im_search search;
    void *data;
    bool may_be_missing; /* a base that does not exist or cannot be a name is no error: nothing matched */
    /* kept by im_lookups */
    struct im_lookups *of;
    enum { IM_LOOKUP_WAITS, IM_LOOKUP_IN_FLIGHT, IM_LOOKUP_DONE } state;
    struct {
        struct im_entry **items;
        size_t count, cap;
    } found;
};

/* Searches while it is not yet known how many there will be. */
struct im_lookup_list {
    struct im_lookup *items;
    size_t count, cap;
};

/* They move into the pool, and the list is freed. NULL: out of memory. */
struct im_lookup *im_lookup_list_take(struct im_lookup_list *list, struct im_pool *pool);

typedef enum im_err im_lookup_fn(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e);

/* Searches of which several are in flight. With a pool, the entries of a search are kept in it and handed over when that search
 * has succeeded as a whole, so that it can be sent again after a lost connection; without, each is handed over as it comes. Any
 * error or truncated result ends all: "could not read" is never "does not exist". A base that is not there is IM_E_INVISIBLE
 * unless may_be_missing. */
struct im_lookups {
    struct im_directory *directory;
    struct im_lookup *items;
    size_t count;
    im_lookup_fn *fn;
    void *user;
    struct im_pool *pool; /* or NULL */
    /* kept by the functions below */
    size_t next, in_flight, done;
    bool is_busy; /* set where the server was busy or unavailable: that search waits again. The caller clears it */
};

/* Sends one that need not be among the items; its answers are handed out in the same way. */
enum im_err im_lookups_start(struct im_lookups *l, struct im_lookup *lookup, struct im_error *e);
/* Sends up to `room` of those that wait; *sent says how many. */
enum im_err im_lookups_send(struct im_lookups *l, size_t room, size_t *sent, struct im_error *e);
bool im_lookups_wait(const struct im_lookups *l); /* some are still to be sent */
bool im_lookups_are_done(const struct im_lookups *l);
/* The connection is a new one: what was in flight waits again. */
void im_lookups_again(struct im_lookups *l);
/* Nothing more is wanted; what is in flight is abandoned. */
void im_lookups_abandon(struct im_lookups *l);
void im_lookups_free(struct im_lookups *l); /* lists of entries; not the items */

/* Sends all and waits for all, where nothing else is in flight. Nothing is left in flight unless the connection is lost. */
enum im_err im_lookup_all(struct im_directory *d, struct im_lookup *lookups, size_t count, im_lookup_fn *fn, void *user,
                          struct im_error *e);

/* The rule that a filter must name: where the directory is not an AD and its schema has no equality rule for the attribute. NULL:
 * none. schema may be NULL. */
const char *im_filter_rule(const struct im_schema *schema, const char *attribute);
/* Appends "(attribute=value)" or "(attribute:rule:=value)", escaped. */
void im_filter_by_rule(struct im_buf *out, const char *attribute, const char *rule, const struct berval *value, bool is_octets);
/* The same, where there are too few terms to keep the rule. */
void im_filter_term(struct im_buf *out, const struct im_schema *schema, const char *attribute, const struct berval *value,
                    bool is_octets);
void im_filter_text(struct im_buf *out, const struct im_schema *schema, const char *attribute, const char *value);

/* Entries that have any attribute of the profile, or any of its account names; in pool, NULL: out of memory. */
const char *im_filter_any_value(const struct im_profile *profile, struct im_pool *pool);
const char *im_filter_any_account(const struct im_profile *profile, struct im_pool *pool);

/* ASCII letters in lower case, for attributes that are matched exactly; in pool, NULL: out of memory. */
const char *im_filter_lower(const char *text, struct im_pool *pool);
/* The same text to people: letter case and composition ignored. */
enum im_err im_value_folds_to(const struct berval *a, const struct berval *b, bool *is_same, struct im_error *e);

#endif
