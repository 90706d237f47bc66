#include "lib/model/protected.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/sid.h"
#include "lib/data/times.h"

#include <string.h>

#define BUILTIN "S-1-5-32-"
#define DOMAIN "S-1-5-21-"
#define EXTENDED_SID ";<SID="

/* Last parts of SIDs (MS-DTYP 2.4.2.4), and the names that the groups have where nobody renamed them. */
struct protected_row {
    bool is_builtin;
    int rid;
    const char *name; /* NULL: an account */
};
static const struct protected_row rows[] = {
    {true, 544, "Administrators"},
    {true, 548, "Account Operators"},
    {true, 549, "Server Operators"},
    {true, 550, "Print Operators"},
    {true, 551, "Backup Operators"},
    {true, 552, "Replicator"},
    {false, 500, NULL},
    {false, 502, NULL},
    {false, 512, "Domain Admins"},
    {false, 516, "Domain Controllers"},
    {false, 518, "Schema Admins"},
    {false, 519, "Enterprise Admins"},
    {false, 521, "Read-only Domain Controllers"},
    {false, 526, "Key Admins"},
    {false, 527, "Enterprise Key Admins"},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static bool has_row(bool is_builtin, int64_t rid) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].is_builtin == is_builtin && rows[i].rid == rid)
            return true;
    }
    return false;
}

bool im_sid_is_protected(const char *sid) {
    bool is_builtin = strncasecmp(sid, BUILTIN, strlen(BUILTIN)) == 0;
    const char *last = strrchr(sid, '-');
    int64_t rid;
    if (!is_builtin && strncasecmp(sid, DOMAIN, strlen(DOMAIN)) != 0)
        return false;
    return im_int_from_text(last + 1, 0, UINT32_MAX, &rid) && has_row(is_builtin, rid);
}

enum im_tri im_protected_by_groups(const struct im_attr *token_groups) {
    char text[IM_SID_TEXT_SIZE];
    if (!token_groups)
        return IM_UNKNOWN;
    for (size_t i = 0; i < token_groups->count; i++) {
        if (im_sid_to_text(&token_groups->values[i], text) && im_sid_is_protected(text))
            return IM_YES;
    }
    return IM_NO;
}

static int nibble(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? memchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c, sizeof digits - 1) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The SID of an extended DN, which servers write as text or in hexadecimal. */
static bool extended_sid_is_protected(const char *value) {
    const char *sid = strcasestr(value, EXTENDED_SID);
    const char *end = sid ? strchr(sid, '>') : NULL;
    char text[IM_SID_TEXT_SIZE];
    unsigned char octets[IM_SID_BYTES_SIZE];
    size_t len = 0;
    if (!end)
        return false;
    sid += strlen(EXTENDED_SID);
    size_t digits = (size_t)(end - sid);
    if (digits >= sizeof text)
        return false;
    memcpy(text, sid, digits);
    text[digits] = '\0';
    if (strncasecmp(text, "S-", 2) == 0)
        return im_sid_is_protected(text);
    for (; len < sizeof octets && 2 * len + 1 < digits; len++) {
        int high = nibble(text[2 * len]);
        int low = nibble(text[2 * len + 1]);
        if (high < 0 || low < 0)
            return false;
        octets[len] = (unsigned char)(high * 16 + low);
    }
    struct berval value_octets = {.bv_val = (char *)octets, .bv_len = len};
    return im_sid_to_text(&value_octets, text) && im_sid_is_protected(text);
}

/* By the default name and place: in CN=Users or CN=Builtin of a domain. */
static bool dn_is_protected(const char *dn) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const char *name = rows[i].name;
        size_t len = name ? strlen(name) : 0;
        const char *place = rows[i].is_builtin ? ",CN=Builtin,DC=" : ",CN=Users,DC=";
        if (name && strncasecmp(dn, "CN=", 3) == 0 && strncasecmp(dn + 3, name, len) == 0 &&
            strncasecmp(dn + 3 + len, place, strlen(place)) == 0)
            return true;
    }
    return false;
}

static bool group_is_protected(const char *value) {
    const char *dn = value;
    if (extended_sid_is_protected(value))
        return true;
    while (*dn == '<') { /* <GUID=...>;<SID=...>;CN=... */
        const char *end = strstr(dn, ">;");
        if (!end)
            return false;
        dn = end + 2;
    }
    return dn_is_protected(dn);
}

enum im_tri im_protected_by_entry(const struct im_entry *entry) {
    const struct berval *sid = im_entry_value(entry, "objectSid");
    const struct im_attr *groups = im_entry_attr(entry, "memberOf");
    const char *primary = im_entry_string(entry, "primaryGroupID");
    char text[IM_SID_TEXT_SIZE];
    int64_t rid;
    if (sid && im_sid_to_text(sid, text) && im_sid_is_protected(text))
        return IM_YES;
    if (primary && im_int_from_text(primary, 0, UINT32_MAX, &rid) && has_row(false, rid))
        return IM_YES;
    for (size_t i = 0; groups && i < groups->count; i++) {
        if (group_is_protected(groups->values[i].bv_val))
            return IM_YES;
    }
    return im_protected_by_groups(im_entry_attr(entry, "tokenGroups")) == IM_YES ? IM_YES : IM_UNKNOWN;
}
