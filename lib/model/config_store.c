/* One value of one key, from text: what is allowed, and what to say where it is not. */
#include "lib/model/config_store.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *im_check_filled(const char *text) {
    return text[0] == '\0' ? "a text that is not empty is needed" : NULL;
}

static bool only(const char *text, const char *extra) {
    for (const char *p = text; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr(extra, *p) == NULL) {
            return false;
        }
    }
    return true;
}

const char *im_check_uri(const char *text) {
    static const char *const schemes[] = {"ldap://", "ldaps://", "ldapi://"};
    static const char allowed[] =
        "allowed are ldap://HOST[:PORT], ldaps://HOST[:PORT], ldapi://[SOCKET, with %2F for /] and ldif:FILE";
    if (strncasecmp(text, "ldif:", 5) == 0)
        return text[5] != '\0' ? NULL : "ldif: is followed by the name of a file: ldif:FILE";
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(text, schemes[i], len) != 0) {
            continue;
        }
        /* One trailing slash is what people paste; more (a base, a filter) would be silently ignored, so it is refused. */
        size_t rest = strlen(text + len);
        if (rest > 0 && text[len + rest - 1] == '/') {
            rest--;
        }
        bool has_host = rest > 0 || i == 2;
        bool is_plain = memchr(text + len, '/', rest) == NULL && strpbrk(text, "? \t,\"<>\\") == NULL;
        return has_host && is_plain ? NULL : allowed;
    }
    return allowed;
}

const char *im_check_dn(const char *text) {
    return text[0] != '\0' && im_dn_is_valid(text) ? NULL : "a distinguished name like DC=corp,DC=example is needed";
}

const char *im_check_host(const char *text) {
    return text[0] != '\0' && only(text, "-._:[]") ? NULL : "a DNS name like dc1.corp.example is needed";
}

const char *im_check_mechanism(const char *text) {
    size_t len = strlen(text);
    return len >= 1 && len <= 20 && only(text, "-_")
               ? NULL
               : "the name of a SASL mechanism is needed, like GSS-SPNEGO, GSSAPI, EXTERNAL, "
                 "SCRAM-SHA-256 or DIGEST-MD5";
}

const char *im_check_dns_server(const char *text) {
    return text[0] != '\0' && only(text, ".:[]%") ? NULL
                                                  : "ADDRESS or ADDRESS:PORT is needed, like 192.0.2.53 or [2001:db8::53]:5353";
}

static const char *const true_words[] = {"true", "yes", "on"}, *const false_words[] = {"false", "no", "off"};

static bool one_of(const char *text, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (im_text_equal(text, words[i])) {
            return true;
        }
    }
    return false;
}

void im_key_allowed(const struct im_key *key, char *out, size_t size) {
    size_t len = 0;
    out[0] = '\0';
    switch (key->type) {
    case IM_KEY_BOOL:
        snprintf(out, size, "true or false");
        return;
    case IM_KEY_INT:
        snprintf(out, size, "%ld to %ld%s%s", key->min, key->max, key->unit == NULL ? "" : " ",
                 key->unit == NULL ? "" : key->unit);
        return;
    case IM_KEY_CHOICE:
        for (size_t i = 0; key->choices[i] != NULL && len < size; i++) {
            len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", key->choices[i]);
        }
        return;
    case IM_KEY_TEXT:
    case IM_KEY_FILE:
    case IM_KEY_STRINGS:
    case IM_KEY_SERVERS:
    case IM_KEY_RULES:
    case IM_KEY_SILENCE:
        return;
    }
}

/* The value is quoted short and safe for a terminal; the limit keeps room for what is allowed. */
static enum im_err refuse(const struct im_key *key, const char *text, const char *words, char *why) {
    struct im_buf shown = IM_BUF_INIT;
    char allowed[IM_WHY_MAX / 2];
    im_text_escape(text, strnlen(text, 80), &shown);
    im_key_allowed(key, allowed, sizeof allowed);
    snprintf(why, IM_WHY_MAX, "\"%.120s\"%s %s%s%s", im_buf_str(&shown), strlen(text) > 80 ? "..." : "", words,
             allowed[0] == '\0' ? "" : "; allowed: ", allowed);
    im_buf_free(&shown);
    return IM_E_CONFIG;
}

static enum im_err store_bool(bool *field, const struct im_key *key, const char *text, char *why) {
    bool is_true = one_of(text, true_words, sizeof true_words / sizeof true_words[0]);
    if (!is_true && !one_of(text, false_words, sizeof false_words / sizeof false_words[0])) {
        return refuse(key, text, "is neither true nor false", why);
    }
    *field = is_true;
    return IM_OK;
}

static enum im_err store_int(long *field, const struct im_key *key, const char *text, char *why) {
    char *end;
    long value;
    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || isspace((unsigned char)text[0])) {
        return refuse(key, text, "is not a whole number", why);
    }
    if (errno != 0 || value < key->min || value > key->max) {
        return refuse(key, text, "is out of range", why);
    }
    *field = value;
    return IM_OK;
}

static enum im_err store_choice(void *field, const struct im_key *key, const char *text, char *why) {
    for (size_t i = 0; key->choices[i] != NULL; i++) {
        if (im_text_equal(text, key->choices[i])) {
            *(enum im_bind_method *)field = (enum im_bind_method)i; /* the only kind of choice there is */
            return IM_OK;
        }
    }
    return refuse(key, text, "is not a choice", why);
}

static enum im_err check_text(const struct im_key *key, const char *text, char *why) {
    const char *allowed = key->check == NULL ? NULL : key->check(text);
    char words[IM_WHY_MAX / 2];
    /* File names may be any bytes; everything else goes to a server or into YAML. */
    if (allowed == NULL && key->type != IM_KEY_FILE && !im_text_is_utf8(text, strlen(text))) {
        allowed = "it must be UTF-8";
    }
    if (allowed == NULL) {
        return IM_OK;
    }
    snprintf(words, sizeof words, "is not usable: %s", allowed);
    return refuse(key, text, words, why);
}

static enum im_err append(struct im_config *config, struct im_strings *list, const char *text) {
    const char **items = im_pool_array(config->pool, list->count + 1, sizeof *items);
    const char *copy = im_pool_strdup(config->pool, text);
    if (items == NULL || copy == NULL) {
        return IM_E_NOMEM;
    }
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    items[list->count] = copy;
    list->items = items;
    list->count++;
    return IM_OK;
}

static enum im_err store_text(struct im_config *config, const struct im_key *key, const char *text, char *why) {
    const char *copy;
    enum im_err err = check_text(key, text, why);
    if (err != IM_OK) {
        return err;
    }
    copy = im_pool_strdup(config->pool, text);
    if (copy == NULL) {
        return IM_E_NOMEM;
    }
    *(const char **)im_key_field(config, key) = copy;
    return IM_OK;
}

static enum im_err store_item(struct im_config *config, const struct im_key *key, const char *text, const char *origin,
                              char *why) {
    struct im_strings list = {NULL, 0};
    const char *before = im_config_origin(config, key->name);
    enum im_err err = check_text(key, text, why);
    if (err != IM_OK) {
        return err;
    }
    if (before != NULL && strcmp(before, origin) == 0) {
        list = *(struct im_strings *)im_key_field(config, key);
    }
    err = append(config, &list, text);
    if (err == IM_OK) {
        *(struct im_strings *)im_key_field(config, key) = list;
    }
    return err;
}

enum im_err im_key_store_list(struct im_config *config, const struct im_key *key, struct im_strings list, const char *origin,
                              char *why) {
    for (size_t i = 0; i < list.count; i++) {
        enum im_err err = check_text(key, list.items[i], why);
        if (err != IM_OK) {
            return err;
        }
    }
    *(struct im_strings *)im_key_field(config, key) = list;
    return im_key_mark(config, key, origin);
}

enum im_err im_key_store(struct im_config *config, const struct im_key *key, const char *text, const char *origin, char *why) {
    void *field = im_key_field(config, key);
    enum im_err err = IM_E_INTERNAL;
    switch (key->type) {
    case IM_KEY_BOOL:
        err = store_bool(field, key, text, why);
        break;
    case IM_KEY_INT:
        err = store_int(field, key, text, why);
        break;
    case IM_KEY_CHOICE:
        err = store_choice(field, key, text, why);
        break;
    case IM_KEY_TEXT:
    case IM_KEY_FILE:
        err = store_text(config, key, text, why);
        break;
    case IM_KEY_STRINGS:
        err = store_item(config, key, text, origin, why);
        break;
    case IM_KEY_SERVERS:
    case IM_KEY_RULES:
    case IM_KEY_SILENCE:
        break;
    }
    return err == IM_OK ? im_key_mark(config, key, origin) : err;
}
