/* The rows that every command has. */
#include "tools/common_options.h"

#include <string.h>

struct im_common im_common;

static const char *const check_formats[] = {"text", "json", "jsonl", "csv", "nagios", "prometheus", NULL};
static const char *const formats[] = {"text", "json", "jsonl", "csv", NULL};
const char *const im_common_whens[] = {"auto", "always", "never", NULL};
static const char *const mechanisms[] = {"GSS-SPNEGO", "GSSAPI", "EXTERNAL", "SCRAM-SHA-256", "DIGEST-MD5", NULL};
static const char *const profiles[] = {"exchange2000", NULL};

#define KEY(name) .kind = IM_OPT_KEY, .key = name
#define FLAG(field) .kind = IM_OPT_FLAG, .target = &im_common.field
#define TEXT(field) .kind = IM_OPT_TEXT, .target = &im_common.field
#define CHOICES(list) .complete = IM_COMPLETE_CHOICES, .choices = list

const struct im_option im_common_directory[] = {
    {.long_name = "uri",
     .short_name = 'H',
     KEY("directory.uri"),
     .argument = "URI",
     .help = "server: ldap://HOST, ldaps://HOST or ldapi://; repeated: tried in order. Or ldif:FILE: an export"},
    {.long_name = "dns-domain",
     KEY("directory.dns-domain"),
     .argument = "NAME",
     .help = "find the servers through the DNS SRV records of this domain"},
    {.long_name = "server",
     .short_name = 'S',
     KEY("directory.server"),
     .argument = "HOST",
     .complete = IM_COMPLETE_HOST,
     .help = "use only this one of the servers"},
    {.long_name = "base",
     .short_name = 'b',
     KEY("directory.base"),
     .argument = "DN",
     .help = "where accounts are searched; without it, the directory's default naming context"},
    {.long_name = "starttls", .short_name = 'Z', KEY("directory.starttls"), .help = "demand StartTLS"},
    {.long_name = "tls-ca",
     KEY("directory.ca-file"),
     .argument = "FILE",
     .complete = IM_COMPLETE_FILE,
     .help = "trust these CA certificates (PEM) instead of the system's"},
    {.long_name = "simple",
     .short_name = 'x',
     FLAG(simple),
     .help = "simple bind, with the name that -D or the configuration gives"},
    {.long_name = "bind-dn", .short_name = 'D', KEY("directory.bind.dn"), .argument = "DN", .help = "simple bind with this name"},
    {.long_name = "ask-password", .short_name = 'W', FLAG(ask_password), .help = "ask for the password on the terminal"},
    {.long_name = "password-file",
     .short_name = 'y',
     KEY("directory.bind.password-file"),
     .argument = "FILE",
     .complete = IM_COMPLETE_FILE,
     .help = "take the password from the first line of a file that nobody else can read"},
    {.long_name = "sasl",
     .short_name = 'Y',
     KEY("directory.bind.mechanism"),
     .argument = "MECH",
     CHOICES(mechanisms),
     .help = "SASL bind with this mechanism, for example"},
    {.long_name = "sasl-user",
     .short_name = 'U',
     KEY("directory.bind.user"),
     .argument = "NAME",
     .help = "SASL authentication name"},
    {.long_name = "sasl-realm", .short_name = 'R', KEY("directory.bind.realm"), .argument = "REALM", .help = "SASL realm"},
    {.long_name = "sasl-authzid",
     .short_name = 'X',
     KEY("directory.bind.authzid"),
     .argument = "ID",
     .help = "SASL authorization identity, dn:DN or u:NAME"},
    {.long_name = "sasl-options",
     .short_name = 'O',
     KEY("directory.bind.options"),
     .argument = "PROPS",
     .help = "SASL security properties, for example minssf=56"},
    {.long_name = "allow-cleartext",
     KEY("directory.allow-cleartext"),
     .help = "permit a simple bind without TLS to another machine"},
    {.long_name = "timeout", KEY("directory.timeout"), .argument = "SECONDS", .help = "how long one operation may take"},
    IM_OPTION_END,
};

/* imcheck has formats of its own. */
#define OUTPUT(choices_)                                                                                                         \
    {                                                                                                                            \
        .long_name = "output", .short_name = 'o', TEXT(output), .argument = "FORMAT", CHOICES(choices_),                         \
        .help = "how results are written"                                                                                        \
    }
#define BEHAVIOUR                                                                                                                \
    {.long_name = "color",                                                                                                       \
     TEXT(color),                                                                                                                \
     .argument = "WHEN",                                                                                                         \
     CHOICES(im_common_whens),                                                                                                   \
     .help = "colours in text on standard output"},                                                                              \
        {.long_name = "quiet", .short_name = 'q', FLAG(quiet), .help = "no warnings on standard error"},                         \
        {.long_name = "verbose",                                                                                                 \
         .short_name = 'v',                                                                                                      \
         .kind = IM_OPT_COUNT,                                                                                                   \
         .target = &im_common.verbose,                                                                                           \
         .help = "say more on standard error; twice: each LDAP operation"},                                                      \
        {.long_name = "profile",                                                                                                 \
         KEY("profile"),                                                                                                         \
         .argument = "NAME",                                                                                                     \
         .complete = IM_COMPLETE_FILE,                                                                                           \
         .choices = profiles,                                                                                                    \
         .help = "what being enabled means: a YAML file, or a built-in profile"},                                                \
        {.long_name = "config",                                                                                                  \
         TEXT(config_file),                                                                                                      \
         .argument = "FILE",                                                                                                     \
         .complete = IM_COMPLETE_FILE,                                                                                           \
         .help = "a further configuration file, read last; without it, the one that $IMDIR_CONFIG names"},                       \
        {.long_name = "print-config",                                                                                            \
         FLAG(print_config),                                                                                                     \
         .help = "show the merged configuration and where each value comes from"},                                               \
        {.long_name = "help", FLAG(help), .help = "show this help"},                                                             \
        {.long_name = "version", FLAG(version), .help = "show the version"},                                                     \
        {.long_name = "completion",                                                                                              \
         TEXT(completion),                                                                                                       \
         .argument = "SHELL",                                                                                                    \
         .help = "print the completion script",                                                                                  \
         .hidden = true},                                                                                                        \
        {.long_name = "list-options", FLAG(list_options), .help = "print the option rows", .hidden = true}, {                    \
        .long_name = "list-keys", FLAG(list_keys), .help = "print the configuration keys", .hidden = true                        \
    }

const struct im_option im_common_output[] = {OUTPUT(formats), BEHAVIOUR, IM_OPTION_END};
const struct im_option im_common_check_output[] = {OUTPUT(check_formats), BEHAVIOUR, IM_OPTION_END};

/* Is there a -H with this scheme? */
static bool uri_given(const struct im_parsed *parsed, const char *scheme) {
    for (size_t i = 0; i < parsed->key_count; i++) {
        if (strcmp(parsed->keys[i].row->key, "directory.uri") == 0 &&
            strncasecmp(parsed->keys[i].value, scheme, strlen(scheme)) == 0) {
            return true;
        }
    }
    return false;
}

/* The first of the options that only a SASL bind has; NULL: none. */
static const struct im_option *sasl_detail(const struct im_parsed *parsed) {
    static const char *const keys[] = {"directory.bind.mechanism", "directory.bind.user", "directory.bind.realm",
                                       "directory.bind.authzid", "directory.bind.options"};
    for (size_t i = 0; i < parsed->key_count; i++) {
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            if (strcmp(parsed->keys[i].row->key, keys[k]) == 0) {
                return parsed->keys[i].row;
            }
        }
    }
    return NULL;
}

enum im_err im_common_check(const struct im_parsed *parsed, struct im_error *e) {
    const bool mechanism = im_options_given(parsed, "directory.bind.mechanism");
    const bool sasl = sasl_detail(parsed) != NULL;
    const bool dn = im_options_given(parsed, "directory.bind.dn");
    const bool starttls = im_options_given(parsed, "directory.starttls");
    const struct {
        bool given;
        const char *words;
    } contradictions[] = {
        {im_common.simple && mechanism, "-x asks for a simple bind and -Y for a SASL bind: give one of them"},
        {im_common.simple && sasl, "-x asks for a simple bind; -U, -R, -X and -O belong to a SASL bind"},
        {dn && mechanism, "-D is the name of a simple bind and -Y asks for a SASL bind, whose name is given with -U"},
        {dn && sasl, "-D is the name of a simple bind; -U, -R, -X and -O belong to a SASL bind"},
        {im_common.ask_password && im_options_given(parsed, "directory.bind.password-file"),
         "-W asks for the password and -y reads it from a file: give one of them"},
        {im_options_given(parsed, "directory.uri") && im_options_given(parsed, "directory.dns-domain"),
         "-H names the servers and --dns-domain finds them: give one of them"},
        {starttls && uri_given(parsed, "ldaps://"),
         "-Z demands StartTLS, but ldaps:// is TLS from the start: use ldap:// or leave out -Z"},
        {starttls && uri_given(parsed, "ldapi://"),
         "-Z demands StartTLS, which a local socket (ldapi://) does not need: leave out -Z"},
        {im_common.quiet && im_common.verbose > 0, "-q asks for less and -v for more: give one of them"},
    };
    for (size_t i = 0; i < sizeof contradictions / sizeof contradictions[0]; i++) {
        if (contradictions[i].given) {
            return im_error_set(e, IM_E_USAGE, "%s", contradictions[i].words);
        }
    }
    return IM_OK;
}

/* Servers that need no StartTLS were named here, and the configuration demands it of others. */
static bool replaces_starttls(const struct im_parsed *parsed) {
    return im_options_given(parsed, "directory.uri") && !im_options_given(parsed, "directory.starttls") &&
           !uri_given(parsed, "ldap://");
}

static enum im_err apply_bind(const struct im_parsed *parsed, struct im_config *config, struct im_error *e) {
    static const char key[] = "directory.bind.method";
    const struct im_option *detail = sasl_detail(parsed);
    if (im_common.simple) {
        return im_config_set(config, key, "simple", "option --simple", e);
    }
    if (im_options_given(parsed, "directory.bind.dn")) {
        return im_config_set(config, key, "simple", "option --bind-dn", e);
    }
    if (detail != NULL) {
        char origin[80];
        snprintf(origin, sizeof origin, "option --%s", detail->long_name);
        return im_config_set(config, key, "sasl", origin, e);
    }
    return IM_OK;
}

enum im_err im_common_apply(const struct im_parsed *parsed, struct im_config *config, struct im_error *e) {
    enum im_err err = IM_OK;
    config->ask_password = im_common.ask_password;
    if (replaces_starttls(parsed)) {
        err = im_config_set(config, "directory.starttls", "false", "option --uri", e);
    }
    return err == IM_OK ? apply_bind(parsed, config, e) : err;
}
