/* The table of configuration keys, and setting them from text. */
#include "lib/model/config.h"

#include "lib/base/text.h"
#include "lib/model/config_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of enum im_bind_method. */
static const char *const bind_methods[] = {"auto", "simple", "sasl", "anonymous", NULL};

#define FIELD(name) .offset = offsetof(struct im_config, name)

static const struct im_key keys[] = {
    {.name = "directory.uri",
     .type = IM_KEY_STRINGS,
     FIELD(uris),
     .check = im_check_uri,
     .help = "servers, tried in order: ldap://HOST, ldaps://HOST or ldapi://; or ldif:FILE, an export"},
    {.name = "directory.dns-domain",
     .type = IM_KEY_TEXT,
     FIELD(dns_domain),
     .check = im_check_host,
     .help = "find the servers through the _ldap._tcp SRV records of this domain; instead of directory.uri"},
    {.name = "directory.base", .type = IM_KEY_TEXT, FIELD(base), .check = im_check_dn, .help = "where accounts are searched"},
    {.name = "directory.server",
     .type = IM_KEY_TEXT,
     FIELD(server),
     .check = im_check_host,
     .help = "use only this one of the servers"},
    {.name = "directory.replicas",
     .type = IM_KEY_STRINGS,
     FIELD(replicas),
     .check = im_check_uri,
     .help = "servers whose copies are compared, where the directory does not name them"},
    {.name = "directory.starttls",
     .type = IM_KEY_BOOL,
     FIELD(starttls),
     .fallback = "false",
     .help = "demand StartTLS on ldap:// connections"},
    {.name = "directory.ca-file",
     .type = IM_KEY_FILE,
     FIELD(ca_file),
     .check = im_check_filled,
     .help = "trusted CA certificates (PEM), instead of the system's"},
    {.name = "directory.timeout",
     .type = IM_KEY_INT,
     FIELD(timeout_s),
     .unit = "seconds",
     .min = 1,
     .max = 3600,
     .fallback = "30",
     .help = "how long one operation may take"},
    {.name = "directory.connect-timeout",
     .type = IM_KEY_INT,
     FIELD(connect_timeout_s),
     .unit = "seconds",
     .min = 1,
     .max = 600,
     .fallback = "10",
     .help = "how long connecting to one server may take, TLS included"},
    {.name = "directory.allow-cleartext",
     .type = IM_KEY_BOOL,
     FIELD(allow_cleartext),
     .fallback = "false",
     .help = "permit a simple bind without TLS to another machine"},
    {.name = "directory.bind.method",
     .type = IM_KEY_CHOICE,
     FIELD(bind_method),
     .choices = bind_methods,
     .fallback = "auto",
     .help = "how to authenticate"},
    {.name = "directory.bind.dn", .type = IM_KEY_TEXT, FIELD(bind_dn), .check = im_check_filled, .help = "name of a simple bind"},
    {.name = "directory.bind.password-file",
     .type = IM_KEY_FILE,
     FIELD(password_file),
     .check = im_check_filled,
     .help = "file whose first line is the password"},
    {.name = "directory.bind.mechanism",
     .type = IM_KEY_TEXT,
     FIELD(sasl_mechanism),
     .check = im_check_mechanism,
     .help = "SASL mechanism"},
    {.name = "directory.bind.user",
     .type = IM_KEY_TEXT,
     FIELD(sasl_user),
     .check = im_check_filled,
     .help = "SASL authentication name"},
    {.name = "directory.bind.realm", .type = IM_KEY_TEXT, FIELD(sasl_realm), .check = im_check_filled, .help = "SASL realm"},
    {.name = "directory.bind.authzid",
     .type = IM_KEY_TEXT,
     FIELD(sasl_authzid),
     .check = im_check_filled,
     .help = "SASL authorization identity: dn:DN or u:NAME"},
    {.name = "directory.bind.options",
     .type = IM_KEY_TEXT,
     FIELD(sasl_options),
     .check = im_check_filled,
     .help = "SASL security properties"},
    {.name = "profile",
     .type = IM_KEY_TEXT,
     FIELD(profile),
     .check = im_check_filled,
     .fallback = "exchange2000",
     .help = "name of a built-in profile, or a YAML file"},
    {.name = "enable.home",
     .type = IM_KEY_TEXT,
     FIELD(enable_home),
     .check = im_check_filled,
     .help = "home server of accounts that have none, or auto: the least loaded one"},
    {.name = "enable.domain",
     .type = IM_KEY_TEXT,
     FIELD(enable_domain),
     .check = im_check_host,
     .help = "IM domain of accounts that have none"},
    {.name = "enable.address",
     .type = IM_KEY_TEXT,
     FIELD(enable_address),
     .check = im_check_filled,
     .help = "template of the IM address of accounts that have none"},
    {.name = "servers",
     .type = IM_KEY_SERVERS,
     FIELD(servers),
     .help = "home servers and routers, beside those found in the directory"},
    {.name = "dns.servers",
     .type = IM_KEY_STRINGS,
     FIELD(dns_servers),
     .check = im_check_dns_server,
     .help = "name servers to ask instead of the system's: ADDRESS or ADDRESS:PORT"},
    {.name = "dns.timeout",
     .type = IM_KEY_INT,
     FIELD(dns_timeout_s),
     .unit = "seconds",
     .min = 1,
     .max = 60,
     .fallback = "2",
     .help = "how long to wait for one answer of a name server"},
    {.name = "rules",
     .type = IM_KEY_RULES,
     FIELD(rules),
     .help = "which rules of imcheck are off, and severities and limits that differ from the built-in ones"},
    {.name = "silence",
     .type = IM_KEY_SILENCE,
     FIELD(silences),
     .help = "findings of imcheck that are known and agreed, with the reason, and until when"},
    {.name = "journal.directory",
     .type = IM_KEY_FILE,
     FIELD(journal_directory),
     .check = im_check_filled,
     .help = "folder of the journals of changing runs, instead of imdir in the state folder of the user"},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const char default_origin[] = "built-in default";

const struct im_key *im_keys(size_t *count) {
    *count = KEY_COUNT;
    return keys;
}

bool im_key_is_records(const struct im_key *key) {
    return key->type == IM_KEY_SERVERS || key->type == IM_KEY_RULES || key->type == IM_KEY_SILENCE;
}

const struct im_key *im_key_find(const char *name) {
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

void *im_key_field(struct im_config *config, const struct im_key *key) {
    return (char *)config + key->offset;
}

const void *im_key_value(const struct im_config *config, const struct im_key *key) {
    return (const char *)config + key->offset;
}

struct im_config *im_config_new(void) {
    struct im_config *config = calloc(1, sizeof *config);
    char why[IM_WHY_MAX];
    if (config == NULL) {
        return NULL;
    }
    config->pool = im_pool_new();
    config->origins = config->pool == NULL ? NULL : im_pool_array(config->pool, KEY_COUNT, sizeof *config->origins);
    if (config->origins == NULL) {
        im_config_free(&config);
        return NULL;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].fallback != NULL && im_key_store(config, &keys[i], keys[i].fallback, default_origin, why) != IM_OK) {
            im_config_free(&config);
            return NULL;
        }
    }
    return config;
}

void im_config_free(struct im_config **config) {
    if (config == NULL || *config == NULL) {
        return;
    }
    free((*config)->servers.items);
    free((*config)->rules.items);
    free((*config)->silences.items);
    im_pool_free(&(*config)->pool);
    free(*config);
    *config = NULL;
}

/* Two ways of saying the same thing: the one said last counts. */
static const char *replaced_by(const char *name) {
    static const char *const pairs[][2] = {{"directory.uri", "directory.dns-domain"}, {"directory.dns-domain", "directory.uri"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strcmp(pairs[i][0], name) == 0) {
            return pairs[i][1];
        }
    }
    return NULL;
}

static void unset(struct im_config *config, const struct im_key *key) {
    if (key->type == IM_KEY_STRINGS) {
        *(struct im_strings *)im_key_field(config, key) = (struct im_strings){NULL, 0};
    } else {
        *(const char **)im_key_field(config, key) = NULL;
    }
    config->origins[key - keys] = NULL;
}

enum im_err im_key_mark(struct im_config *config, const struct im_key *key, const char *origin) {
    const char **slot = &config->origins[key - keys];
    const char *other = replaced_by(key->name);
    if (*slot == NULL || strcmp(*slot, origin) != 0) {
        const char *copy = im_pool_strdup(config->pool, origin);
        if (copy == NULL) {
            return IM_E_NOMEM;
        }
        *slot = copy;
    }
    if (other != NULL) {
        unset(config, im_key_find(other));
    }
    return IM_OK;
}

const char *im_config_origin(const struct im_config *config, const char *key) {
    const struct im_key *row = im_key_find(key);
    return row == NULL ? NULL : config->origins[row - keys];
}

bool im_config_is_set(const struct im_config *config, const char *key) {
    const char *origin = im_config_origin(config, key);
    return origin != NULL && strcmp(origin, default_origin) != 0;
}

static enum im_err unknown_key(const char *key, const char *origin, struct im_error *e) {
    const char *names[KEY_COUNT];
    const char *near;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        names[i] = keys[i].name;
    }
    near = im_text_nearest(key, names, KEY_COUNT);
    return im_error_set(e, IM_E_USAGE, "%s: there is no configuration key \"%s\"%s%s%s", origin, key,
                        near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

enum im_err im_config_set(struct im_config *config, const char *key, const char *value, const char *origin, struct im_error *e) {
    const struct im_key *row = im_key_find(key);
    char why[IM_WHY_MAX];
    enum im_err err;
    if (row == NULL) {
        return unknown_key(key, origin, e);
    }
    if (im_key_is_records(row)) {
        return im_error_set(e, IM_E_USAGE, "%s: %s can only be set in a configuration file", origin, key);
    }
    err = im_key_store(config, row, value, origin, why);
    if (err == IM_E_NOMEM) {
        return im_error_nomem(e);
    }
    return err == IM_OK ? IM_OK : im_error_set(e, IM_E_USAGE, "%s: %s", origin, why);
}

struct im_config_rule im_config_rule(const struct im_config *config, const char *id) {
    for (size_t i = 0; i < config->rules.count; i++) {
        if (strcmp(config->rules.items[i].id, id) == 0) {
            return config->rules.items[i];
        }
    }
    return (struct im_config_rule){.severity = -1};
}

/* One file, or one command line: there a contradiction is a mistake; between two of them the later counts. */
static bool same_source(const char *a, const char *b) {
    static const char option[] = "option ";
    size_t a_len = strlen(a);
    if (strncmp(a, option, sizeof option - 1) == 0) {
        return strncmp(b, option, sizeof option - 1) == 0;
    }
    for (int colons = 0; a_len > 0 && colons < 2; a_len--) { /* without ":LINE:COLUMN" */
        colons += a[a_len - 1] == ':';
    }
    return a_len > 0 && strncmp(a, b, a_len + 1) == 0 && strspn(b + a_len + 1, "0123456789:") == strlen(b + a_len + 1);
}

static enum im_err check_bind(const struct im_config *config, struct im_error *e) {
    static const char method_key[] = "directory.bind.method";
    static const struct {
        enum im_bind_method method;
        const char *key, *words;
    } clashes[] = {
        {IM_BIND_SIMPLE, "directory.bind.mechanism", "a simple bind has no SASL mechanism"},
        {IM_BIND_SASL, "directory.bind.dn", "a SASL bind has a user (directory.bind.user), not a DN"},
        {IM_BIND_ANONYMOUS, "directory.bind.dn", "an anonymous bind has no name"},
        {IM_BIND_ANONYMOUS, "directory.bind.password-file", "an anonymous bind has no password"},
        {IM_BIND_ANONYMOUS, "directory.bind.mechanism", "an anonymous bind has no SASL mechanism"},
    };
    const char *method = im_config_origin(config, method_key);
    for (size_t i = 0; i < sizeof clashes / sizeof clashes[0]; i++) {
        const char *origin = im_config_origin(config, clashes[i].key);
        if (config->bind_method == clashes[i].method && origin != NULL && same_source(method, origin)) {
            return im_error_set(e, IM_E_CONFIG, "%s %s (from %s) and %s (from %s) cannot go together: %s", method_key,
                                bind_methods[config->bind_method], method, clashes[i].key, origin, clashes[i].words);
        }
    }
    return IM_OK;
}

enum im_err im_config_check(const struct im_config *config, struct im_error *e) {
    if (config->bind_method == IM_BIND_SIMPLE && config->bind_dn == NULL) {
        return im_error_set(
            e, IM_E_CONFIG,
            "a simple bind was asked for (directory.bind.method from %s), but nothing says as whom: give -D DN, or "
            "directory.bind.dn in the configuration",
            im_config_origin(config, "directory.bind.method"));
    }
    return check_bind(config, e);
}
