/* Where people are homed, on servers that are known and on what is left of others: counted while entries are read, small whatever
 * the number of people. Pure. */
#ifndef IMDIR_MODEL_HOMES_H
#define IMDIR_MODEL_HOMES_H

#include "lib/base/set.h"
#include "lib/model/home_match.h"
#include "lib/model/rule.h"

/* One value of the home attribute; or, of people who have none, the host that their physical URLs name. */
struct im_home {
    const char *dn;   /* plain, as the first of them names it; NULL: people have only the URL */
    const char *guid; /* of the object, as text; NULL: the value does not tell */
    const char *host; /* of the first physical URL seen here; NULL: none */
    const char *name; /* set by im_homes_settle: the server's; of a home that is gone, that of its DN or host */
    size_t users;
    const struct im_server *server; /* set by im_homes_settle; NULL: none that is known */
    enum im_target target;          /* of those without a server: what the DN names, set by who looked */
};

struct im_homes {
    struct im_home *items;
    size_t count, cap;
    /* kept by the functions below */
    struct im_pool *pool;
    struct im_set *spellings, *meanings;
    struct {
        size_t *items;
        size_t count, cap;
    } homes; /* number of a spelling -> number of its meaning, which is that of the home */
    struct im_buf scratch;
};

enum im_err im_homes_begin(struct im_homes *homes, struct im_error *e);
void im_homes_free(struct im_homes *homes);
/* An entry with the profile's home attribute, its physical URL, or both; others are passed over. */
enum im_err im_homes_add(struct im_homes *homes, const struct im_profile *profile, const struct im_entry *entry,
                         struct im_error *e);
/* Joins homes and servers: sets server->users of each that hosts users or has some, and name and server of the homes. */
enum im_err im_homes_settle(struct im_homes *homes, struct im_servers *servers, struct im_error *e);

/* The home that the entry names, met before or not; *out NULL: none. Counts nobody. */
enum im_err im_homes_of(struct im_homes *homes, const struct im_profile *profile, const struct im_entry *entry,
                        struct im_home **out, struct im_error *e);

/* Which homes `spec` means: a server's name, host or DN; else the name, host, DN or GUID of one that is gone. IM_E_USAGE lists
 * them where there is none or several. *server: NULL where it is gone. Pieces in pool. */
enum im_err im_homes_find(const struct im_homes *homes, const struct im_servers *servers, const char *spec, struct im_pool *pool,
                          struct im_home_match *out, const struct im_server **server, struct im_error *e);
/* The same for a server that is known: nothing has to be counted before. */
enum im_err im_homes_match_server(const struct im_server *server, struct im_pool *pool, struct im_home_match *out,
                                  struct im_error *e);
/* People homed on what `match` means. IM_E_NOMEM. */
enum im_err im_homes_users(const struct im_homes *homes, const struct im_home_match *match, size_t *out, struct im_error *e);

#endif
