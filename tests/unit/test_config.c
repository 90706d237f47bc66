/* The key table, merging files and settings, and printing what came of it. */
#include "lib/model/config.h"

#include "lib/base/text.h"
#include "lib/model/config_store.h"
#include "lib/model/rule.h"
#include "tests/unit/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct im_config *config;
    struct im_error error;
    char path[64];
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    int fd;
    if (f == NULL) {
        return -1;
    }
    strcpy(f->path, "/tmp/imdir-config-XXXXXX");
    fd = mkstemp(f->path);
    f->config = im_config_new();
    *state = f;
    return fd >= 0 && close(fd) == 0 && f->config != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    unlink(f->path);
    im_config_free(&f->config);
    free(f);
    return 0;
}

static enum im_err load(struct fixture *f, const char *yaml) {
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(yaml, file);
    assert_int_equal(fclose(file), 0);
    im_error_clear(&f->error);
    return im_config_load(f->config, f->path, true, &f->error);
}

static enum im_err set(struct fixture *f, const char *key, const char *value, const char *origin) {
    im_error_clear(&f->error);
    return im_config_set(f->config, key, value, origin, &f->error);
}

static void has(const char *text, const char *part) {
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

static void defaults(void **state) {
    struct fixture *f = *state;
    assert_int_equal(f->config->timeout_s, 30);
    assert_int_equal(f->config->connect_timeout_s, 10);
    assert_int_equal(f->config->dns_timeout_s, 2);
    assert_string_equal(f->config->profile, "exchange2000");
    assert_int_equal(f->config->bind_method, IM_BIND_DEFAULT);
    assert_false(f->config->starttls);
    assert_null(f->config->base);
    assert_int_equal(f->config->uris.count, 0);
    assert_false(im_config_is_set(f->config, "profile"));
    assert_false(im_config_is_set(f->config, "directory.base"));
}

static void rows_are_complete(void **state) {
    size_t count;
    const struct im_key *keys = im_keys(&count);
    (void)state;
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(keys[i].help);
        assert_ptr_equal(im_key_find(keys[i].name), &keys[i]);
        if (keys[i].type == IM_KEY_INT) {
            assert_true(keys[i].min < keys[i].max);
            assert_non_null(keys[i].unit);
        }
        assert_int_equal(keys[i].type == IM_KEY_CHOICE, keys[i].choices != NULL);
    }
}

static const char everything[] =
    "directory:\n"
    "  uri: [ldaps://dc1.corp.example, \"ldapi://%2Frun%2Fslapd\"]\n"
    "  server: dc1.corp.example\n"
    "  replicas: [ldaps://dc2.corp.example, ldap://dc3.corp.example]\n"
    "  base: DC=corp,DC=example\n"
    "  starttls: true\n"
    "  ca-file: /etc/ssl/corp ca.pem\n"
    "  timeout: 5\n"
    "  connect-timeout: 3\n"
    "  allow-cleartext: yes\n"
    "  bind:\n"
    "    method: sasl\n"
    "    mechanism: SCRAM-SHA-256\n"
    "    user: imdir\n"
    "    realm: \"a \\\"b\\\" \\\\ c: #d\"\n"
    "    authzid: dn:cn=x,dc=y\n"
    "    options: minssf=56\n"
    "    password-file: ./pw\n"
    "profile: ./my.yaml\n"
    "enable: { home: auto, domain: im.corp.example, address: \"{alias}@{domain}\" }\n"
    "servers:\n"
    "  - { name: \"Zürich 1\", host: im1.corp.example, dn: \"CN=im1,DC=corp,DC=example\",\n"
    "      domains: [im.corp.example, im2.corp.example], capacity: 7500 }\n"
    "  - { name: \"no\", host: im.corp.example, hosts-users: false }\n"
    "dns: { servers: [\"127.0.0.1:5353\"], timeout: 1 }\n"
    "journal: { directory: /var/lib/im dir }\n"
    "rules:\n"
    "  account-address-not-mail: off\n"
    "  account-disabled: on\n"
    "  server-overfull: { severity: error, limit: 5000 }\n"
    "  account-not-enabled: warning\n"
    "silence:\n"
    "  - { rule: account-disabled, account: sam:svc-Löbby, reason: \"kiosk: agreed\", until: 2027-03-31 }\n"
    "  - { rule: account-disabled, account: \"CN=Old, OU=X,DC=corp\", reason: x }\n"
    "  - { rule: server-overfull, subject: IMHOME1, reason: \"no\", until: \"2026-12-01\" }\n";

static void every_key_loads(void **state) {
    struct fixture *f = *state;
    const struct im_config *c = f->config;
    assert_int_equal(load(f, everything), IM_OK);
    assert_int_equal(c->uris.count, 2);
    assert_string_equal(c->uris.items[1], "ldapi://%2Frun%2Fslapd");
    assert_string_equal(c->server, "dc1.corp.example");
    assert_string_equal(c->base, "DC=corp,DC=example");
    assert_true(c->starttls);
    assert_true(c->allow_cleartext);
    assert_string_equal(c->ca_file, "/etc/ssl/corp ca.pem");
    assert_int_equal(c->timeout_s, 5);
    assert_int_equal(c->connect_timeout_s, 3);
    assert_int_equal(c->bind_method, IM_BIND_SASL);
    assert_string_equal(c->sasl_mechanism, "SCRAM-SHA-256");
    assert_string_equal(c->sasl_user, "imdir");
    assert_string_equal(c->sasl_realm, "a \"b\" \\ c: #d");
    assert_string_equal(c->sasl_authzid, "dn:cn=x,dc=y");
    assert_string_equal(c->sasl_options, "minssf=56");
    assert_string_equal(c->password_file, "./pw");
    assert_string_equal(c->profile, "./my.yaml");
    assert_string_equal(c->journal_directory, "/var/lib/im dir");
    assert_string_equal(c->enable_home, "auto");
    assert_string_equal(c->enable_domain, "im.corp.example");
    assert_string_equal(c->enable_address, "{alias}@{domain}");
    assert_int_equal(c->dns_servers.count, 1);
    assert_int_equal(c->dns_timeout_s, 1);
    assert_int_equal(c->servers.count, 2);
    assert_string_equal(c->servers.items[0].name, "Zürich 1");
    assert_int_equal(c->servers.items[0].domains.count, 2);
    assert_int_equal(c->servers.items[0].capacity, 7500);
    assert_true(c->servers.items[0].hosts_users);
    assert_false(c->servers.items[1].hosts_users);
    assert_null(c->servers.items[1].dn);
    has(c->servers.items[1].where, ":24:");
    has(im_config_origin(c, "directory.timeout"), ":8:12");
    assert_int_equal(c->replicas.count, 2);
    assert_string_equal(c->replicas.items[1], "ldap://dc3.corp.example");
}

/* What is printed, without comments. */
static void settings_of(const struct im_config *config, struct im_buf *out) {
    struct im_buf text = IM_BUF_INIT;
    im_config_print(config, &text);
    for (const char *line = im_buf_str(&text); *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *comment = strstr(line, " # from ");
        const char *end = line + strcspn(line, "\n");
        im_buf_add(out, line, (size_t)((comment != NULL && comment < end ? comment : end) - line));
        im_buf_addc(out, '\n');
    }
    im_buf_free(&text);
}

static void printed_settings_load_again(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT, before = IM_BUF_INIT, after = IM_BUF_INIT;
    assert_int_equal(load(f, everything), IM_OK);
    im_config_print(f->config, &text);
    settings_of(f->config, &before);
    has(im_buf_str(&text), "  timeout: 5 # from /tmp/");
    has(im_buf_str(&before), "bind:\n    method: sasl\n");
    im_config_free(&f->config);
    f->config = im_config_new();
    assert_int_equal(load(f, im_buf_str(&text)), IM_OK);
    settings_of(f->config, &after);
    assert_string_equal(im_buf_str(&before), im_buf_str(&after));
    assert_string_equal(f->config->servers.items[1].name, "no");
    assert_int_equal(f->config->rules.count, 4);
    assert_int_equal(f->config->silences.count, 3);
    assert_string_equal(f->config->silences.items[2].reason, "no");
    im_buf_free(&text);
    im_buf_free(&before);
    im_buf_free(&after);
}

static void later_files_replace_single_settings(void **state) {
    struct fixture *f = *state;
    assert_int_equal(load(f, everything), IM_OK);
    assert_int_equal(load(f, "directory: { timeout: 7 }\nservers: [ { name: only, host: only.example } ]\n"), IM_OK);
    assert_int_equal(f->config->timeout_s, 7);
    assert_int_equal(f->config->connect_timeout_s, 3);
    assert_int_equal(f->config->servers.count, 1);
    assert_int_equal(load(f, "directory: { dns-domain: corp.example }\n"), IM_OK);
    assert_int_equal(f->config->uris.count, 0);
    assert_int_equal(load(f, "directory: { uri: ldap://a }\n"), IM_OK);
    assert_int_equal(f->config->uris.count, 1);
    assert_null(f->config->dns_domain);
    assert_int_equal(load(f, ""), IM_OK);
    assert_int_equal(load(f, "directory:\n"), IM_OK);
    assert_int_equal(f->config->uris.count, 1);
}

static void lists_are_replaced_by_another_origin(void **state) {
    struct fixture *f = *state;
    assert_int_equal(load(f, "directory: { uri: [ldap://a, ldap://b] }\n"), IM_OK);
    assert_int_equal(set(f, "directory.uri", "ldap://c", "option --uri"), IM_OK);
    assert_int_equal(set(f, "directory.uri", "ldap://d", "option --uri"), IM_OK);
    assert_int_equal(f->config->uris.count, 2);
    assert_string_equal(f->config->uris.items[0], "ldap://c");
    assert_string_equal(im_config_origin(f->config, "directory.uri"), "option --uri");
}

struct bad {
    const char *yaml;
    const char *place; /* ":LINE:COLUMN: " */
    const char *words;
};

static const struct bad bad_files[] = {
    {"directory:\n  bsae: DC=x\n", ":2:3: ", "did you mean \"base\""},
    {"direktory:\n  base: DC=x\n", ":1:1: ", "did you mean \"directory\""},
    {"directory:\n  bind:\n    metod: simple\n", ":3:5: ", "did you mean \"method\""},
    {"directory: ldap://x\n", ":1:12: ", "uri"},
    {"directory: { timeout: soon }\n", ":1:23: ", "1 to 3600 seconds"},
    {"directory: { timeout: 0 }\n", ":1:23: ", "1 to 3600 seconds"},
    {"directory: { timeout: 3601 }\n", ":1:23: ", "1 to 3600 seconds"},
    {"directory: { timeout: 99999999999999999999 }\n", ":1:23: ", "out of range"},
    {"directory: { timeout: \"30\" }\n", ":1:23: ", "quotes"},
    {"directory: { timeout: [1] }\n", ":1:23: ", "single value"},
    {"directory: { starttls: maybe }\n", ":1:24: ", "true or false"},
    {"directory: { base: }\n", ":1:20: ", "single value"},
    {"directory: { base: nowhere }\n", ":1:20: ", "distinguished name"},
    {"directory: { uri: http://x }\n", ":1:19: ", "ldaps://HOST"},
    {"directory: { uri: [ldap://x, { a: b }] }\n", ":1:30: ", "text"},
    {"directory: { uri: [\"ldap://x/dc=y\"] }\n", ":1:19: ", "not usable"},
    {"directory: { uri: ldap://x, dns-domain: y }\n", ":1:41: ", "only one"},
    {"directory: { bind: { method: magic } }\n", ":1:30: ", "simple, sasl, anonymous"},
    {"directory: { bind: { mechanism: \"a b\" } }\n", ":1:33: ", "GSSAPI"},
    {"directory.base: DC=x\n", ":1:1: ", "directory.base"},
    {"- a\n", ":1:1: ", "keys with values"},
    {"a: [\n", ":2:1: ", ""},
    {"servers: { name: x }\n", ":1:10: ", "list"},
    {"servers: [x]\n", ":1:11: ", "record"},
    {"servers: [ { host: x } ]\n", ":1:12: ", "needs a name"},
    {"servers: [ { name: x } ]\n", ":1:12: ", "needs a host"},
    {"servers: [ { name: x, hots: y } ]\n", ":1:23: ", "did you mean \"host\""},
    {"servers: [ { name: x, host: y, dn: z } ]\n", ":1:36: ", "distinguished name"},
    {"servers: [ { name: x, host: y, capacity: 0 } ]\n", ":1:42: ", "1"},
    {"servers: [ { name: x, host: y, hosts-users: false, capacity: 5 } ]\n", ":1:62: ", "router"},
    {"servers: [ { name: x, host: y, domains: \"a b\" } ]\n", ":1:41: ", "DNS name"},
    {"servers:\n  - { name: x, host: y }\n  - { name: X, host: z }\n", ":3:5: ", "already the name"},
    {"dns: { servers: [\"::1 or so\"] }\n", ":1:17: ", "ADDRESS"},
    {"profile: a\nprofile: b\n", ":2:1: ", "profile"},
    {"directory: { replicas: [dc2] }\n", ":1:24: ", "ldaps://HOST"},
    {"rules: [a]\n", ":1:8: ", "map"},
    {"rules: { Account: off }\n", ":1:10: ", "name of a rule"},
    {"rules: { \"a\\e[2J\": off }\n", ":1:10: ", "name of a rule"},
    {"rules: { a: fatal }\n", ":1:13: ", "off, on, info, warning, error"},
    {"rules: { a: [off] }\n", ":1:13: ", "off, on, info, warning, error"},
    {"rules: { a: { severty: info } }\n", ":1:15: ", "did you mean \"severity\""},
    {"rules: { a: { severity: off } }\n", ":1:25: ", "info, warning and error"},
    {"rules: { a: { limit: 0 } }\n", ":1:22: ", "from 1 to"},
    {"silence: { rule: a }\n", ":1:10: ", "list"},
    {"silence: [a]\n", ":1:11: ", "record"},
    {"silence: [ { account: a, reason: b } ]\n", ":1:12: ", "name of a rule"},
    {"silence: [ { rule: a, account: a } ]\n", ":1:12: ", "needs a reason"},
    {"silence: [ { rule: a, account: a, reason: } ]\n", ":1:43: ", "text is needed"},
    {"silence: [ { rule: a, reason: b } ]\n", ":1:12: ", "either an account or a subject"},
    {"silence: [ { rule: a, account: a, subject: b, reason: c } ]\n", ":1:12: ", "either an account or a subject"},
    {"silence: [ { rule: a, acount: a, reason: c } ]\n", ":1:23: ", "did you mean \"account\""},
    {"silence: [ { rule: a, account: a@b, reason: c } ]\n", ":1:32: ", "sam:NAME"},
    {"silence: [ { rule: a, account: \"dn:nobody\", reason: c } ]\n", ":1:32: ", "a DN such as"},
    {"silence: [ { rule: a, account: b, reason: c, until: 2027-02-30 } ]\n", ":1:53: ", "like 2027-03-31"},
    {"silence: [ { rule: a, account: b, reason: c, until: 31.3.2027 } ]\n", ":1:53: ", "like 2027-03-31"},
};

static void mistakes_are_named_with_their_place(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        char text[1400], start[80];
        if (load(f, bad_files[i].yaml) != IM_E_CONFIG) {
            fail_msg("accepted: %s", bad_files[i].yaml);
        }
        im_error_format(&f->error, text, sizeof text);
        snprintf(start, sizeof start, "%s%s", f->path, bad_files[i].place);
        if (strncmp(text, start, strlen(start)) != 0) {
            fail_msg("%s gives \"%s\", not at %s", bad_files[i].yaml, text, bad_files[i].place);
        }
        has(text, bad_files[i].words);
    }
}

/* A map is merged, a list is replaced. */
static void rules_of_later_files(void **state) {
    struct fixture *f = *state;
    assert_int_equal(load(f, everything), IM_OK);
    assert_true(im_config_rule(f->config, "account-address-not-mail").is_off);
    assert_int_equal(im_config_rule(f->config, "server-overfull").severity, IM_ERROR);
    assert_int_equal(im_config_rule(f->config, "server-overfull").limit, 5000);
    assert_int_equal(im_config_rule(f->config, "account-not-enabled").severity, IM_WARNING);
    assert_int_equal(im_config_rule(f->config, "account-disabled").severity, -1);
    assert_int_equal(im_config_rule(f->config, "account-linked-external").severity, -1);
    assert_false(im_config_rule(f->config, "account-linked-external").is_off);
    assert_int_equal(load(f, "rules: { account-address-not-mail: on, server-overfull: { limit: 9 } }\nsilence:\n"), IM_OK);
    assert_false(im_config_rule(f->config, "account-address-not-mail").is_off);
    assert_int_equal(im_config_rule(f->config, "server-overfull").severity, -1);
    assert_int_equal(im_config_rule(f->config, "server-overfull").limit, 9);
    assert_int_equal(im_config_rule(f->config, "account-not-enabled").severity, IM_WARNING);
    assert_int_equal(f->config->silences.count, 0);
}

static void rules_that_there_are_not(void **state) {
    struct fixture *f = *state;
    char text[1400];
    assert_int_equal(load(f, "rules: { account-disabled: info }\n"
                             "silence: [{ rule: account-domain-unknown, account: a, reason: b }]\n"),
                     IM_OK);
    assert_int_equal(im_rules_check_config(f->config, &f->error), IM_OK);
    assert_int_equal(load(f, "rules:\n  account-dissabled: info\n"), IM_OK);
    assert_int_equal(im_rules_check_config(f->config, &f->error), IM_E_CONFIG);
    im_error_format(&f->error, text, sizeof text);
    has(text, ":2:3: there is no rule \"account-dissabled\": did you mean \"account-disabled\"?");
    f->config->rules.count = 0;
    assert_int_equal(load(f, "silence:\n  - { rule: zzz, account: a, reason: b }\n"), IM_OK);
    assert_int_equal(im_rules_check_config(f->config, &f->error), IM_E_CONFIG);
    im_error_format(&f->error, text, sizeof text);
    has(text, ":2:13: there is no rule \"zzz\"");
    im_error_clear(&f->error);
    assert_int_equal(load(f, "rules:\n  server-overfull: { limit: 9 }\n  account-disabled:\n    limit: 7500\n"), IM_OK);
    assert_int_equal(im_rules_check_config(f->config, &f->error), IM_E_CONFIG);
    im_error_format(&f->error, text, sizeof text);
    has(text, ":4:12: rules: account-disabled takes no limit; rules that do: server-overfull");
}

static const char *silence_of(struct fixture *f, struct im_silence_target target, int64_t now) {
    const struct im_silence *s = im_silence_match(&f->config->silences, &target, now);
    return s == NULL ? "none" : s->reason;
}

static void silence_matches(void **state) {
    enum { BEFORE = 1764547200 /* 2025-12-01 */ };
    struct fixture *f = *state;
    struct im_silence_target by_name = {.rule = "account-disabled", .account = "SVC-LÖBBY", .dn = "CN=Lobby,DC=corp"};
    struct im_silence_target by_dn = {.rule = "account-disabled", .account = "old", .dn = "cn=old,ou=x , dc=CORP"};
    struct im_silence_target server = {.rule = "server-overfull", .subject = "imhome1"};
    assert_int_equal(load(f, everything), IM_OK);
    assert_string_equal(silence_of(f, by_name, BEFORE), "kiosk: agreed");
    assert_string_equal(silence_of(f, by_dn, BEFORE), "x");
    assert_string_equal(silence_of(f, server, BEFORE), "no");
    by_name.account = "sam:svc-löbby";
    assert_string_equal(silence_of(f, by_name, BEFORE), "kiosk: agreed");
    by_name.account = "svc-lobby";
    assert_string_equal(silence_of(f, by_name, BEFORE), "none");
    by_dn.dn = "cn=old,dc=corp";
    assert_string_equal(silence_of(f, by_dn, BEFORE), "none");
    by_dn.dn = NULL;
    assert_string_equal(silence_of(f, by_dn, BEFORE), "none");
    server.rule = "server-no-home";
    assert_string_equal(silence_of(f, server, BEFORE), "none");
    assert_string_equal(silence_of(f, (struct im_silence_target){.rule = "account-disabled"}, BEFORE), "none");
}

/* The day itself counts, in UTC; a record without a day never ends. */
static void silence_ends(void **state) {
    enum { LAST = 1764633599 /* 2025-12-01T23:59:59Z */ };
    struct fixture *f = *state;
    struct im_silence_target ends = {.rule = "a", .subject = "x"};
    struct im_silence_target stays = {.rule = "a", .subject = "CN=B, DC=c"};
    assert_int_equal(load(f, "silence:\n  - { rule: a, subject: X, reason: r, until: 2025-12-01 }\n"
                             "  - { rule: a, subject: \"cn=b,dc=c\", reason: s }\n"),
                     IM_OK);
    assert_string_equal(silence_of(f, ends, LAST), "r");
    assert_string_equal(silence_of(f, ends, LAST + 1), "none");
    assert_string_equal(silence_of(f, stays, LAST * INT64_C(10)), "s");
}

static void texts_that_cannot_be_set(void **state) {
    struct fixture *f = *state;
    assert_int_equal(set(f, "directory.timeout", "abc", "option --timeout"), IM_E_USAGE);
    has(f->error.text, "option --timeout");
    has(f->error.text, "1 to 3600 seconds");
    assert_int_equal(set(f, "directory.timeout", " 5", "option --timeout"), IM_E_USAGE);
    assert_int_equal(set(f, "directory.timeout", "5s", "option --timeout"), IM_E_USAGE);
    assert_int_equal(set(f, "directory.timeout", "", "option --timeout"), IM_E_USAGE);
    assert_int_equal(set(f, "directory.base", "", "option --base"), IM_E_USAGE);
    assert_int_equal(set(f, "directory.bind.dn", "CN=M\xfcller", "option --bind-dn"), IM_E_USAGE);
    has(f->error.text, "UTF-8");
    assert_int_equal(set(f, "directory.tiemout", "5", "option --timeout"), IM_E_USAGE);
    has(f->error.text, "did you mean \"directory.timeout\"");
    assert_int_equal(set(f, "servers", "x", "option --servers"), IM_E_USAGE);
    assert_int_equal(f->config->timeout_s, 30);
    assert_null(f->config->base);
}

static void uris(void **state) {
    static const char *const good[] = {"ldap://dc1", "LDAPS://dc1:636",    "ldapi://",
                                       "ldapi:///",  "ldapi://%2Ftmp%2Fs", "ldap://[::1]:389/"};
    static const char *const bad[] = {"",         "dc1",        "ldap://",       "ldap:///",   "ldaps:dc1",
                                      "http://a", "ldap://a b", "ldap://a/dc=b", "ldap://a?x", "cldap://a"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(im_check_uri(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_non_null(im_check_uri(bad[i]));
    }
}

static void a_missing_file_matters_where_it_was_named(void **state) {
    struct fixture *f = *state;
    assert_int_equal(im_config_load(f->config, "/nonexistent/imdir.yaml", false, &f->error), IM_OK);
    assert_int_equal(f->error.code, IM_OK);
    assert_int_equal(im_config_load(f->config, "/nonexistent/imdir.yaml", true, &f->error), IM_E_CONFIG);
    has(f->error.text, "/nonexistent/imdir.yaml: No such file");
    im_error_clear(&f->error);
    assert_int_equal(im_config_load(f->config, "/tmp", false, &f->error), IM_E_CONFIG);
}

static void bind_settings_of_one_file_must_fit(void **state) {
    struct fixture *f = *state;
    assert_int_equal(load(f, "directory: { bind: { method: simple } }\n"), IM_OK);
    assert_int_equal(im_config_check(f->config, &f->error), IM_E_CONFIG);
    has(f->error.text, "as whom");
    assert_int_equal(load(f, "directory: { bind: { method: simple, dn: cn=a, mechanism: GSSAPI } }\n"), IM_OK);
    assert_int_equal(im_config_check(f->config, &f->error), IM_E_CONFIG);
    has(f->error.text, "no SASL mechanism");
    /* The same settings from two places: the later one counts. */
    assert_int_equal(set(f, "directory.bind.method", "simple", "option --simple"), IM_OK);
    assert_int_equal(im_config_check(f->config, &f->error), IM_OK);
    assert_int_equal(load(f, "directory: { bind: { method: anonymous, dn: cn=a } }\n"), IM_OK);
    assert_int_equal(im_config_check(f->config, &f->error), IM_E_CONFIG);
}

/* Everything that a run does with its configuration. */
static enum im_err load_and_print(void *user, struct im_error *e) {
    const struct fixture *f = user;
    struct im_config *config = im_config_new();
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = config == NULL ? im_error_nomem(e) : im_config_load(config, f->path, true, e);
    if (err == IM_OK) {
        err = im_config_set(config, "directory.uri", "ldap://a", "option --uri", e);
    }
    if (err == IM_OK) {
        im_config_print(config, &text);
        err = text.failed ? im_error_nomem(e) : IM_OK;
    }
    im_buf_free(&text);
    im_config_free(&config);
    return err;
}

static void out_of_memory(void **state) {
    struct fixture *f = *state;
    assert_int_equal(load(f, everything), IM_OK);
    assert_true(oom_every_allocation(load_and_print, f) > 10);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(rows_are_complete),
        TEST(every_key_loads),
        TEST(printed_settings_load_again),
        TEST(later_files_replace_single_settings),
        TEST(lists_are_replaced_by_another_origin),
        TEST(mistakes_are_named_with_their_place),
        TEST(rules_of_later_files),
        TEST(rules_that_there_are_not),
        TEST(silence_matches),
        TEST(silence_ends),
        TEST(texts_that_cannot_be_set),
        TEST(uris),
        TEST(a_missing_file_matters_where_it_was_named),
        TEST(bind_settings_of_one_file_must_fit),
        TEST(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
