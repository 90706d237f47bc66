/* The merged configuration as YAML that loads to the same settings. */
#include "lib/model/config.h"

#include "lib/base/text.h"
#include "lib/data/times.h"
#include "lib/model/config_store.h"
#include "lib/model/finding.h"

#include <string.h>

static bool is_plain(const char *text) {
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (im_text_equal(text, words[i])) {
            return false;
        }
    }
    /* Letters first, so that it is no number, date, tag or anchor; what follows has no meaning in flow or block context. */
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") > 0 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/=+@")] == '\0';
}

static void add_text(struct im_buf *out, const char *text) {
    if (is_plain(text)) {
        im_buf_adds(out, text);
        return;
    }
    im_buf_addc(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            im_buf_addc(out, '\\');
            im_buf_addc(out, *p);
        } else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            im_buf_addf(out, "\\x%02X", (unsigned)(unsigned char)*p);
        } else {
            im_buf_addc(out, *p);
        }
    }
    im_buf_addc(out, '"');
}

static void add_list(struct im_buf *out, const struct im_strings *list) {
    im_buf_addc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        im_buf_adds(out, i == 0 ? "" : ", ");
        add_text(out, list->items[i]);
    }
    im_buf_addc(out, ']');
}

static void add_server(struct im_buf *out, const struct im_config_server *s) {
    im_buf_adds(out, "  - { name: ");
    add_text(out, s->name);
    im_buf_adds(out, ", host: ");
    add_text(out, s->host);
    if (s->dn != NULL) {
        im_buf_adds(out, ", dn: ");
        add_text(out, s->dn);
    }
    if (s->domains.count > 0) {
        im_buf_adds(out, ", domains: ");
        add_list(out, &s->domains);
    }
    im_buf_addf(out, ", hosts-users: %s", s->hosts_users ? "true" : "false");
    if (s->capacity > 0) {
        im_buf_addf(out, ", capacity: %ld", s->capacity);
    }
    im_buf_adds(out, " }");
}

static void add_value(const struct im_config *config, const struct im_key *key, struct im_buf *out) {
    const void *value = im_key_value(config, key);
    switch (key->type) {
    case IM_KEY_BOOL:
        im_buf_adds(out, *(const bool *)value ? "true" : "false");
        break;
    case IM_KEY_INT:
        im_buf_addf(out, "%ld", *(const long *)value);
        break;
    case IM_KEY_CHOICE:
        im_buf_adds(out, key->choices[*(const enum im_bind_method *)value]);
        break;
    case IM_KEY_TEXT:
    case IM_KEY_FILE:
        add_text(out, *(const char *const *)value);
        break;
    case IM_KEY_STRINGS:
        add_list(out, value);
        break;
    case IM_KEY_SERVERS: /* records of their own: print_records */
    case IM_KEY_RULES:
    case IM_KEY_SILENCE:
        break;
    }
}

static void add_comment(struct im_buf *out, const char *origin) {
    im_buf_adds(out, " # from ");
    im_text_escape(origin, strlen(origin), out); /* a file name may hold a newline */
    im_buf_addc(out, '\n');
}

static void add_place(struct im_buf *out, const struct im_config_place *place) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addf(&text, "%s:%zu:%zu", place->file, place->line, place->column);
    add_comment(out, im_buf_str(&text));
    out->failed = out->failed || text.failed;
    im_buf_free(&text);
}

static void print_servers(const struct im_config *config, struct im_buf *out) {
    for (size_t i = 0; i < config->servers.count; i++) {
        add_server(out, &config->servers.items[i]);
        add_comment(out, config->servers.items[i].where);
    }
}

static void print_rules(const struct im_config *config, struct im_buf *out) {
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct im_config_rule *rule = &config->rules.items[i];
        const char *severity = rule->severity < 0 ? NULL : im_severity_name((enum im_severity)rule->severity);
        im_buf_addf(out, "  %s: ", rule->id);
        if (rule->limit > 0) {
            im_buf_addf(out, "{ %s%s%slimit: %ld }", severity ? "severity: " : "", severity ? severity : "", severity ? ", " : "",
                        rule->limit);
        } else {
            im_buf_adds(out, rule->is_off ? "off" : severity == NULL ? "on" : severity);
        }
        add_place(out, &rule->place);
    }
}

static void print_silences(const struct im_config *config, struct im_buf *out) {
    for (size_t i = 0; i < config->silences.count; i++) {
        const struct im_silence *s = &config->silences.items[i];
        char until[IM_TIME_TEXT_SIZE];
        im_buf_addf(out, "  - { rule: %s, %s: ", s->rule, s->account ? "account" : "subject");
        add_text(out, s->account ? s->account : s->subject);
        im_buf_adds(out, ", reason: ");
        add_text(out, s->reason);
        if (s->until != 0) {
            im_date_to_text(s->until, until);
            im_buf_addf(out, ", until: %s", until);
        }
        im_buf_adds(out, " }");
        add_place(out, &s->place);
    }
}

static void print_records(const struct im_config *config, const struct im_key *key, const char *origin, struct im_buf *out) {
    bool is_map = key->type == IM_KEY_RULES;
    size_t count = key->type == IM_KEY_SERVERS ? config->servers.count : is_map ? config->rules.count : config->silences.count;
    im_buf_addf(out, "%s:%s", key->name, count > 0 ? "" : is_map ? " {}" : " []");
    add_comment(out, origin);
    if (key->type == IM_KEY_SERVERS) {
        print_servers(config, out);
    } else if (is_map) {
        print_rules(config, out);
    } else {
        print_silences(config, out);
    }
}

/* Opens the sections of `name` that `open` is not in yet: "directory.bind.dn" after "directory.base" opens "bind:" alone. */
static void open_sections(const char *name, const char *open, struct im_buf *out) {
    bool same = true;
    int depth = 0;
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'), depth++) {
        const char *start = dot;
        while (start > name && start[-1] != '.') {
            start--;
        }
        same = same && strncmp(name, open, (size_t)(dot - name) + 1) == 0;
        if (!same) {
            im_buf_addf(out, "%*s%.*s:\n", 2 * depth, "", (int)(dot - start), start);
        }
    }
}

static int depth_of(const char *name) {
    int depth = 0;
    for (const char *p = name; *p != '\0'; p++) {
        depth += *p == '.';
    }
    return depth;
}

void im_config_print(const struct im_config *config, struct im_buf *out) {
    size_t count;
    const struct im_key *rows = im_keys(&count);
    const char *open = "";
    for (size_t i = 0; i < count; i++) {
        const char *dot = strrchr(rows[i].name, '.');
        if (config->origins[i] == NULL) {
            continue;
        }
        open_sections(rows[i].name, open, out);
        open = rows[i].name;
        if (im_key_is_records(&rows[i])) {
            print_records(config, &rows[i], config->origins[i], out);
            continue;
        }
        im_buf_addf(out, "%*s%s: ", 2 * depth_of(rows[i].name), "", dot == NULL ? rows[i].name : dot + 1);
        add_value(config, &rows[i], out);
        add_comment(out, config->origins[i]);
    }
}
