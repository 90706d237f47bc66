/* How values get into struct im_config: shared by the setter, the file loader and the printer. */
#ifndef IMDIR_MODEL_CONFIG_STORE_H
#define IMDIR_MODEL_CONFIG_STORE_H

#include "lib/data/yaml.h"
#include "lib/model/config.h"

enum { IM_WHY_MAX = 400 };

/* What a walk through one file needs. */
struct im_config_load {
    struct im_config *config;
    const struct im_yaml *doc;
    struct im_error *e;
};

const struct im_key *im_key_find(const char *name); /* NULL: no such key */

bool im_key_is_records(const struct im_key *key); /* lists and maps of records, which only files can hold */

/* The field of a key; its type follows from key->type. */
void *im_key_field(struct im_config *config, const struct im_key *key);
const void *im_key_value(const struct im_config *config, const struct im_key *key);

/* Stores one value from text. Not for keys of records. IM_E_CONFIG: `why` (IM_WHY_MAX bytes) says what is wrong and what is
 * allowed. Lists: appended where the key's origin is the same text, else replaced. */
enum im_err im_key_store(struct im_config *config, const struct im_key *key, const char *text, const char *origin, char *why);
/* Replaces a list by `list`, whose pieces are in the config's pool. */
enum im_err im_key_store_list(struct im_config *config, const struct im_key *key, struct im_strings list, const char *origin,
                              char *why);
/* Records the origin, and takes back what the new value makes void (uri and dns-domain replace each other). */
enum im_err im_key_mark(struct im_config *config, const struct im_key *key, const char *origin);

/* Values of more than one word, for messages: "1 to 3600 seconds", "one of simple, sasl, anonymous". */
void im_key_allowed(const struct im_key *key, char *out, size_t size);

/* Records of files: config_rules.c. Errors stand at the node. */
enum im_err im_config_load_rules(const struct im_config_load *load, const struct im_yaml_node *node);
enum im_err im_config_load_silences(const struct im_config_load *load, const struct im_yaml_node *node);
bool im_config_is_empty(const struct im_yaml_node *node); /* "key:", "key: ~" */

/* What is wrong with a text that is not told by its type; NULL: fine. */
const char *im_check_uri(const char *text);
const char *im_check_dn(const char *text);
const char *im_check_host(const char *text);
const char *im_check_mechanism(const char *text);
const char *im_check_dns_server(const char *text);
const char *im_check_filled(const char *text);

#endif
