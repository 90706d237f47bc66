/* What is known of an organisation, told in a few lines of YAML, for the rules about it. What is not said is the plain case, or
 * was not gathered.
 *
 * - directory: ad | openldap; default ad
 * - profile: NAME or file; default exchange2000
 * - now: SECONDS since 1970; default 1795600000 (2026-11-25)
 * - external, offline: bool; default false
 * - config: {KEY: VALUE}, keys in dotted form; limits: {RULE: N}
 * - servers: [{name, host, dn, domains, hosts-users, capacity, users, where}]; default the home imhome1 and the router
 *   im.corp.example; [] says that there are none
 * - census: {whole, accounts, enabled, homes: [{dn, users, target, host}], im-domains: {NAME: USERS}, mail-domains: {NAME:
 * USERS}}; target: host (default) | no-host | no-server | deleted | missing | unknown
 * - and the keys of the parts
 *
 * Each scope has a part of its own: a file tests/unit/survey_NAME.c with functions that read keys, and their rows in
 * survey_world.c. */
#ifndef IMDIR_TESTS_SURVEY_WORLD_H
#define IMDIR_TESTS_SURVEY_WORLD_H

#include "lib/model/census.h"
#include "tests/unit/world.h"

struct survey_world {
    struct im_pool *pool; /* of everything that a part reads */
    struct im_yaml *doc;
    struct im_profile *profile; /* where facts name one; else base's */
    struct im_config *config;
    struct world *base;        /* schema and the servers that are there by default */
    struct im_servers servers; /* where facts name them; items on the heap */
    struct im_census census;
    struct im_dns_facts *dns; /* where facts have any */
    struct im_survey survey;  /* what rules look at: points at the above */
};

/* Fail the running test where the YAML is wrong. */
struct survey_world *survey_world_from_file(const char *path);
struct survey_world *survey_world_from_text(const char *yaml);
void survey_world_free(struct survey_world **w);

/* A part: reads the value of one key and puts what it says into w->survey. Called in the order of the table, after everything
 * above is there, and only where the key is. */
typedef void survey_read(struct survey_world *w, const struct im_yaml_node *node);
struct survey_part {
    const char *key;
    survey_read *read;
};

/* For parts: what a map says, and what goes without saying. Texts are those of the document. */
const char *survey_text(const struct survey_world *w, const struct im_yaml_node *map, const char *key); /* NULL: not there */
long survey_long(const struct survey_world *w, const struct im_yaml_node *map, const char *key, long fallback);
bool survey_bool(const struct survey_world *w, const struct im_yaml_node *map, const char *key, bool fallback);
struct im_strings survey_list(const struct survey_world *w, const struct im_yaml_node *map, const char *key);
/* The position of the key's value in `words`. */
int survey_choice(const struct survey_world *w, const struct im_yaml_node *map, const char *key, const char *const *words,
                  size_t count, int fallback);
void survey_only_keys(const struct survey_world *w, const struct im_yaml_node *map, const char *const *keys, size_t count);
void survey_must(enum im_err err, const struct im_error *e); /* fails the test with what the error says */

/* Asks every rule of the scope that looks at the organisation. Lines in the table's order:
 *   fires ID [severity] SUBJECT: MESSAGE
 *   evidence NAME: VALUE
 *   remedy TEXT
 *   skipped ID: REASON       also after findings, where a part could not be judged
 * A rule whose findings do not go with its verdict fails the test. */
void survey_tell(enum im_scope scope, const struct survey_world *w, struct im_buf *out);
/* Asks every rule with its 1st, 2nd, ... allocation failing: the sink must know of each, so that no answer is a wrong one. */
void survey_starve(enum im_scope scope, const struct survey_world *w);
/* Rows are complete and in the profile, and every rule has three folders below `top` that begin with its id: it fires in one of
 * them and in another it does not. */
void survey_check_rules(enum im_scope scope, const char *top);

#endif
