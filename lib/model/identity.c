#include "lib/model/identity.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"

#include <string.h>

static bool is_sid(const char *text) {
    unsigned char bytes[IM_SID_BYTES_SIZE];
    size_t len;
    return im_sid_from_text(text, bytes, &len);
}

static bool is_guid(const char *text) {
    unsigned char bytes[IM_GUID_BYTES_SIZE];
    return im_guid_from_text(text, bytes);
}

static bool is_address(const char *text) {
    const char *at = strrchr(text, '@');
    return at && at != text && at[1];
}

static bool is_anything(const char *text) {
    return *text != '\0';
}

/* Forms that a prefix forces. */
static const struct prefix {
    const char *text;
    enum im_identity_kind kind;
    bool (*is_valid)(const char *text);
    const char *expected;
} prefixes[] = {
    {"dn:", IM_ID_DN, im_dn_is_valid, "a DN such as CN=Jane Doe,OU=People,DC=corp,DC=example"},
    {"upn:", IM_ID_UPN, is_anything, "a user principal name"},
    {"mail:", IM_ID_MAIL, is_address, "a mail address"},
    {"sam:", IM_ID_NAME, is_anything, "an account name"},
    {"sid:", IM_ID_SID, is_sid, "a SID such as S-1-5-21-1-2-3-1104"},
    {"guid:", IM_ID_GUID, is_guid, "a GUID of 32 hexadecimal digits in five groups"},
    {"im:", IM_ID_IM, is_address, "an IM address"},
};

/* Blanks and U+00A0 at both ends come with copied text. */
static const char *trim(const char *text, struct im_pool *pool) {
    size_t len = strlen(text);
    for (;;) {
        if (len && strchr(" \t\r\n", *text)) {
            text++;
            len--;
        } else if (len >= 2 && memcmp(text, "\xc2\xa0", 2) == 0) {
            text += 2;
            len -= 2;
        } else {
            break;
        }
    }
    for (;;) {
        if (len && strchr(" \t\r\n", text[len - 1])) {
            len--;
        } else if (len >= 2 && memcmp(text + len - 2, "\xc2\xa0", 2) == 0) {
            len -= 2;
        } else {
            break;
        }
    }
    return im_pool_strndup(pool, text, len);
}

static enum im_err forced(const struct prefix *prefix, const char *text, struct im_pool *pool, struct im_identity *out,
                          struct im_error *e) {
    const char *rest = trim(text + strlen(prefix->text), pool);
    if (!rest)
        return im_error_nomem(e);
    if (!prefix->is_valid(rest))
        return im_error_set(e, IM_E_INPUT, "\"%s\": after %s comes %s", text, prefix->text, prefix->expected);
    *out = (struct im_identity){.kind = prefix->kind, .text = rest};
    return IM_OK;
}

static enum im_err domain_name(const char *text, const char *backslash, struct im_pool *pool, struct im_identity *out,
                               struct im_error *e) {
    if (backslash == text || !backslash[1])
        return im_error_set(e, IM_E_INPUT, "\"%s\": expected DOMAIN\\name", text);
    *out = (struct im_identity){
        .kind = IM_ID_DOMAIN_NAME,
        .text = im_pool_strdup(pool, backslash + 1),
        .domain = im_pool_strndup(pool, text, (size_t)(backslash - text)),
    };
    return out->text && out->domain ? IM_OK : im_error_nomem(e);
}

enum im_err im_identity_parse(const char *text, struct im_pool *pool, struct im_identity *out, struct im_error *e) {
    const char *trimmed = trim(text, pool);
    if (!trimmed)
        return im_error_nomem(e);
    if (!*trimmed)
        return im_error_set(e, IM_E_INPUT, "an account is named by an empty text");
    if (!im_text_is_utf8(trimmed, strlen(trimmed)))
        return im_error_set(e, IM_E_INPUT, "an account's name is not UTF-8");
    for (size_t i = 0; strchr(trimmed, ':') && i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncasecmp(trimmed, prefixes[i].text, strlen(prefixes[i].text)) == 0)
            return forced(&prefixes[i], trimmed, pool, out, e);
    }
    const char *backslash = strchr(trimmed, '\\');
    enum im_identity_kind kind = IM_ID_NAME;
    if (is_sid(trimmed)) {
        kind = IM_ID_SID;
    } else if (is_guid(trimmed)) {
        kind = IM_ID_GUID;
    } else if (strchr(trimmed, '=') && im_dn_is_valid(trimmed)) {
        kind = IM_ID_DN;
    } else if (backslash) {
        return domain_name(trimmed, backslash, pool, out, e);
    } else if (is_address(trimmed)) {
        kind = IM_ID_ADDRESS;
    }
    *out = (struct im_identity){.kind = kind, .text = trimmed};
    return IM_OK;
}
