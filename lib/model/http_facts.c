#include "lib/model/http_facts.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum im_http_scheme kind;
} schemes[] = {{"NTLM", IM_HTTP_NTLM}, {"Negotiate", IM_HTTP_NEGOTIATE}, {"Digest", IM_HTTP_DIGEST}, {"Basic", IM_HTTP_BASIC}};

#define SCHEMES (sizeof schemes / sizeof schemes[0])

static size_t host_length(const char *host) {
    size_t len = strlen(host);
    return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

const struct im_http_target *im_http_target(const struct im_http_facts *facts, const char *host) {
    for (size_t i = 0; host && i < facts->target_count; i++) {
        const char *name = facts->targets[i].host;
        if (im_text_equal_n(name, host_length(name), host, host_length(host)))
            return &facts->targets[i];
    }
    return NULL;
}

const struct im_http_user *im_http_user(const struct im_http_facts *facts, const char *dn) {
    for (size_t i = 0; dn && i < facts->user_count; i++) {
        if (facts->users[i].dn && im_text_equal(facts->users[i].dn, dn))
            return &facts->users[i];
    }
    return NULL;
}

unsigned im_http_answer_schemes(const struct im_http_answer *answer) {
    unsigned found = 0;
    for (size_t i = 0; i < answer->challenge_count; i++)
        found |= (unsigned)answer->challenges[i].kind;
    return found;
}

unsigned im_http_schemes(const struct im_http_target *target) {
    return im_http_answer_schemes(&target->propfind);
}

const char *im_http_schemes_text(unsigned found, struct im_pool *pool) {
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; i < SCHEMES; i++) {
        if (found & (unsigned)schemes[i].kind)
            im_buf_addf(&text, "%s%s", text.len ? ", " : "", schemes[i].name);
    }
    if (found & IM_HTTP_OTHER_SCHEME)
        im_buf_addf(&text, "%s%s", text.len ? ", " : "", "others");
    const char *kept = text.failed ? NULL : im_pool_strdup(pool, text.len ? im_buf_str(&text) : "none");
    im_buf_free(&text);
    return kept;
}

/* ---- challenges ---- */

static const char *skip(const char *at, const char *which) {
    return at + strspn(at, which);
}

/* RFC 9110 section 5.6.2 */
static size_t token_length(const char *at) {
    return strspn(at, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* "NTLM TlRMTVNTUAAC==": the length of the bare value, 0 where parameters follow. */
static size_t token68_length(const char *at) {
    size_t len = strspn(at, "-._~+/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    len += len ? strspn(at + len, "=") : 0;
    const char *next = skip(at + len, " \t");
    return *next == '\0' || *next == ',' ? len : 0;
}

/* Past the value; NULL where it makes no sense. The text goes to `out`, without quotes and backslashes. */
static const char *read_value(const char *at, struct im_buf *out) {
    size_t len = token_length(at);
    if (len) {
        im_buf_add(out, at, len);
        return at + len;
    }
    if (*at++ != '"')
        return NULL;
    for (; *at && *at != '"'; at++) {
        at += at[0] == '\\' && at[1];
        im_buf_addc(out, *at);
    }
    return *at ? at + 1 : NULL;
}

static enum im_err add_challenge(struct im_http_answer *answer, const char *scheme, size_t len, struct im_pool *pool,
                                 struct im_error *e) {
    if (!answer->challenges)
        answer->challenges = im_pool_array(pool, IM_HTTP_MAX_CHALLENGES, sizeof *answer->challenges);
    const char *kept = im_pool_strndup(pool, scheme, len);
    if (!answer->challenges || !kept)
        return im_error_nomem(e);
    struct im_http_challenge *c = &answer->challenges[answer->challenge_count++];
    *c = (struct im_http_challenge){.kind = IM_HTTP_OTHER_SCHEME, .scheme = kept};
    for (size_t i = 0; i < SCHEMES; i++) {
        if (im_text_equal(schemes[i].name, kept))
            c->kind = schemes[i].kind;
    }
    return IM_OK;
}

/* One parameter, `at` behind its "=". Returns past it in *next, NULL: it makes no sense. */
static enum im_err read_parameter(struct im_http_challenge *c, bool is_realm, const char *at, struct im_pool *pool,
                                  const char **next) {
    struct im_buf value = IM_BUF_INIT;
    *next = read_value(skip(at, " \t"), &value);
    enum im_err err = value.failed ? IM_E_NOMEM : IM_OK;
    if (err == IM_OK && *next && is_realm && !c->realm) {
        c->realm = im_pool_strndup(pool, im_buf_str(&value), value.len);
        err = c->realm ? IM_OK : IM_E_NOMEM;
    }
    im_buf_free(&value);
    return err;
}

enum im_err im_http_add_challenges(struct im_http_answer *answer, const char *header, struct im_pool *pool, struct im_error *e) {
    bool has_scheme = false; /* of this header: parameters belong to it */
    for (const char *at = skip(header, " \t,"); at && *at; at = at ? skip(at, " \t,") : NULL) {
        size_t len = token_length(at);
        const char *next = skip(at + len, " \t");
        if (!len)
            return IM_OK;
        if (*next == '=' && has_scheme) {
            struct im_http_challenge *c = &answer->challenges[answer->challenge_count - 1];
            if (read_parameter(c, im_text_equal_n(at, len, "realm", 5), next + 1, pool, &at) != IM_OK)
                return im_error_nomem(e);
            continue;
        }
        if (*next == '=' || answer->challenge_count >= IM_HTTP_MAX_CHALLENGES)
            return IM_OK;
        if (add_challenge(answer, at, len, pool, e) != IM_OK)
            return IM_E_NOMEM;
        has_scheme = true;
        at = next + (next > at + len ? token68_length(next) : 0);
    }
    return IM_OK;
}

/* ---- URLs ---- */

struct parts {
    bool is_tls;
    const char *host;
    size_t host_len;
    long port;
    const char *path;
};

static bool is_clean(const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c == 0x7f || c == '\\')
            return false;
    }
    return true;
}

static const char *read_port(const char *at, long *port) {
    if (*at != ':')
        return at;
    size_t len = strspn(++at, "0123456789");
    if (len > 5)
        return NULL;
    long number = 0;
    for (size_t i = 0; i < len; i++)
        number = number * 10 + (at[i] - '0');
    if (len && (number < 1 || number > 65535))
        return NULL;
    *port = len ? number : *port;
    return at + len;
}

static bool split(const char *text, struct parts *out) {
    bool is_tls = strncasecmp(text, "https://", 8) == 0;
    if (!is_clean(text) || (!is_tls && strncasecmp(text, "http://", 7) != 0))
        return false;
    const char *host = text + (is_tls ? 8 : 7);
    size_t len = *host == '[' ? strcspn(host, "]/?#@") + 1 : strcspn(host, ":/?#@");
    long port = is_tls ? 443 : 80;
    if (!len || len > strlen(host) || (*host == '[' && host[len - 1] != ']'))
        return false;
    const char *path = read_port(host + len, &port);
    if (!path || (*path && !strchr("/?#", *path)))
        return false;
    if (len > 1 && host[len - 1] == '.')
        len--;
    if (host[len - 1] == '.')
        return false;
    *out = (struct parts){is_tls, host, len, port, *path ? path : "/"};
    return true;
}

enum im_err im_http_url_parse(const char *text, struct im_pool *pool, struct im_http_url *out, struct im_error *e) {
    struct parts p;
    *out = (struct im_http_url){.host = NULL};
    if (!split(text, &p))
        return IM_OK;
    char *host = im_pool_strndup(pool, p.host, p.host_len);
    if (!host)
        return im_error_nomem(e);
    for (char *c = host; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    *out = (struct im_http_url){.is_tls = p.is_tls, .host = host, .port = p.port, .path = p.path};
    return IM_OK;
}

static size_t path_length(const char *path) {
    size_t len = strlen(path);
    return len && path[len - 1] == '/' ? len - 1 : len;
}

bool im_http_url_equal(const char *a, const char *b) {
    struct parts x;
    struct parts y;
    if (!split(a, &x) || !split(b, &y))
        return im_text_equal(a, b);
    return x.is_tls == y.is_tls && x.port == y.port && im_text_equal_n(x.host, x.host_len, y.host, y.host_len) &&
           im_text_equal_n(x.path, path_length(x.path), y.path, path_length(y.path));
}
