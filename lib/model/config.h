/* The merged settings of a run: built-in < files < environment < options. One table of keys serves all of them. */
#ifndef IMDIR_MODEL_CONFIG_H
#define IMDIR_MODEL_CONFIG_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/model/silence.h"

#include <stdbool.h>
#include <stddef.h>

enum im_bind_method { IM_BIND_DEFAULT, IM_BIND_SIMPLE, IM_BIND_SASL, IM_BIND_ANONYMOUS };

struct im_strings {
    const char **items;
    size_t count;
};

/* One record of `servers:`. */
struct im_config_server {
    const char *name, *host, *dn; /* dn may be NULL: then looked up among the directory's server objects by host */
    struct im_strings domains;    /* none = serves any */
    bool hosts_users;             /* default true */
    long capacity;                /* users; 0 = not given */
    const char *where;            /* "imdir.yaml:12:5" */
};

/* What `rules:` says of one rule. */
struct im_config_rule {
    const char *id;
    bool is_off;  /* imcheck does not evaluate it */
    int severity; /* enum im_severity; -1: the rule's own */
    long limit;   /* 0: the rule's own */
    struct im_config_place place, limit_place;
};

/* Everything hangs off the config's pool and lives as long as it. Strings are NULL when not set. */
struct im_config {
    struct im_pool *pool;
    /* directory */
    struct im_strings uris, replicas;
    const char *dns_domain, *base, *ca_file, *server;
    bool starttls, allow_cleartext;
    long timeout_s, connect_timeout_s;
    enum im_bind_method bind_method;
    const char *bind_dn, *password_file, *sasl_mechanism, *sasl_user, *sasl_realm, *sasl_authzid, *sasl_options;
    bool ask_password;
    /* what to write */
    const char *profile, *enable_home, *enable_domain, *enable_address;
    struct {
        struct im_config_server *items;
        size_t count, cap;
    } servers;
    /* dns */
    struct im_strings dns_servers;
    long dns_timeout_s;
    /* what imcheck makes of findings */
    struct {
        struct im_config_rule *items;
        size_t count, cap;
    } rules;
    struct im_silences silences;
    /* journals */
    const char *journal_directory;
    /* where each key's value came from, in the order of the key table; see config.c */
    const char **origins;
};

enum im_key_type {
    IM_KEY_TEXT,
    IM_KEY_FILE,
    IM_KEY_BOOL,
    IM_KEY_INT,
    IM_KEY_CHOICE,
    IM_KEY_STRINGS,
    IM_KEY_SERVERS,
    IM_KEY_RULES,
    IM_KEY_SILENCE
};

/* Row of the table of keys. Read by the loader, --print-config, and the check of the manual. */
struct im_key {
    const char *name; /* "directory.bind.method" */
    enum im_key_type type;
    size_t offset;                          /* of the field in struct im_config */
    const char *unit;                       /* "seconds", or NULL */
    long min, max;                          /* IM_KEY_INT */
    const char *const *choices;             /* IM_KEY_CHOICE: NULL-terminated; the index is stored as an int */
    const char *fallback;                   /* built-in default as text, or NULL */
    const char *(*check)(const char *text); /* further demands on texts: NULL, or what is allowed, in words. May be NULL */
    const char *help;
};

const struct im_key *im_keys(size_t *count);

struct im_config *im_config_new(void); /* built-in defaults; NULL when out of memory */
void im_config_free(struct im_config **config);

/* Merges a YAML file. `required`: a missing file is an error. Wrong keys, types and ranges name file, line, column and what is
 * allowed. */
enum im_err im_config_load(struct im_config *config, const char *path, bool required, struct im_error *e);
/* /etc/imdir/imdir.yaml, then $XDG_CONFIG_HOME (or ~/.config)/imdir/imdir.yaml: merged where they exist. */
enum im_err im_config_load_standard(struct im_config *config, struct im_error *e);
/* Sets one key from text; origin as shown ("option --uri", "environment IMDIR_PROFILE"). For IM_KEY_STRINGS the first call of an
 * origin replaces what other origins said, further calls of that origin append. */
enum im_err im_config_set(struct im_config *config, const char *key, const char *value, const char *origin, struct im_error *e);
bool im_config_is_set(const struct im_config *config, const char *key);        /* by anything but the built-in default */
const char *im_config_origin(const struct im_config *config, const char *key); /* NULL: not set */
/* What is set for a rule; nothing is: {.severity = -1}. */
struct im_config_rule im_config_rule(const struct im_config *config, const char *id);
/* Settings that cannot go together, after merging: IM_E_CONFIG, names both and where they came from. */
enum im_err im_config_check(const struct im_config *config, struct im_error *e);
/* The merged result as YAML with each value's origin as a comment. There is nothing to hide: no key holds a secret, passwords
 * come from files and terminals only. */
void im_config_print(const struct im_config *config, struct im_buf *out);

#endif
