#include "lib/data/dn.h"

#include "lib/base/text.h"

#include <ldap.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libldap's parser; NULL: not a DN. */
static LDAPDN parse(const char *dn) {
    LDAPDN parsed = NULL;
    if (!dn || ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        return NULL;
    return parsed;
}

/* Blanks within a value count once, at its ends not at all (RFC 4518 section 2.6.1). */
static void normalize_value(const char *value, size_t len, struct im_buf *out) {
    struct im_buf folded = IM_BUF_INIT;
    im_text_fold(value, len, &folded);
    if (folded.failed)
        out->failed = true;
    bool blank = false;
    bool begun = false;
    for (size_t i = 0; i < folded.len; i++) {
        char c = folded.data[i];
        if (c == ' ') {
            blank = true;
            continue;
        }
        if (blank && begun)
            im_buf_addc(out, ' ');
        blank = false;
        begun = true;
        if (strchr(",+=\\", c) != NULL || c == '\0') {
            im_buf_addf(out, "\\%02x", (unsigned)(unsigned char)c);
        } else {
            im_buf_addc(out, c);
        }
    }
    im_buf_free(&folded);
}

static int compare_ava(const void *a, const void *b) {
    const LDAPAVA *const *x = a;
    const LDAPAVA *const *y = b;
    return im_text_compare((*x)->la_attr.bv_val, (*y)->la_attr.bv_val);
}

static void normalize_rdn(LDAPRDN rdn, struct im_buf *out) {
    size_t count = 0;
    while (rdn[count])
        count++;
    qsort(rdn, count, sizeof(LDAPAVA *), compare_ava); /* the order within a multi-valued RDN has no meaning */
    for (size_t i = 0; i < count; i++) {
        if (i)
            im_buf_addc(out, '+');
        im_text_fold(rdn[i]->la_attr.bv_val, rdn[i]->la_attr.bv_len, out);
        im_buf_addc(out, '=');
        if (rdn[i]->la_flags & LDAP_AVA_BINARY)
            im_buf_adds(out, "\\#"); /* "#04..." is BER: never equal to a text of the same bytes */
        normalize_value(rdn[i]->la_value.bv_val, rdn[i]->la_value.bv_len, out);
    }
}

/* ---- names that need no parser ---- */

static bool is_letter(char c) {
    return (unsigned char)((c | ('a' ^ 'A')) - 'a') < 26;
}

/* What may stand in a value as it is, and means only itself. Blanks are left to the parser where they may have no meaning. */
static bool is_plain(char c) {
#define BIT(special) (UINT64_C(1) << ((special) - ' '))
    static const uint64_t specials =
        BIT('"') | BIT('#') | BIT('+') | BIT(',') | BIT(';') | BIT('<') | BIT('=') | BIT('>') | BIT('\\');
#undef BIT
    unsigned char place = (unsigned char)(c - ' ');
    return place <= '~' - ' ' && (place >= 64 || !(specials >> place & 1));
}

/* Behind "type=" at `at`, or NULL. */
static const char *behind_type(const char *at) {
    const char *end = at;
    while (is_letter(*end) || (end > at && ((*end >= '0' && *end <= '9') || *end == '-')))
        end++;
    return end > at && *end == '=' ? end + 1 : NULL;
}

/* Behind the value at `at`, or NULL: it is empty, has other characters, or blanks that do not count. */
static const char *behind_value(const char *at) {
    const char *end = at;
    for (; is_plain(*end); end++) {
        if (*end == ' ' && (end == at || end[1] == ' '))
            return NULL;
    }
    return end > at && end[-1] != ' ' && (*end == ',' || !*end) ? end : NULL;
}

/* A DN without escapes, of ASCII, each RDN of one value: letters in lower case are its canonical form. Most are of this kind, and
 * parsing and building them anew took 40 times as long: some dozen for each account that is enabled. */
static bool is_simple(const char *dn) {
    const char *at = dn;
    while ((at = behind_type(at)) && (at = behind_value(at)) && *at)
        at++;
    return at != NULL;
}

bool im_dn_normalize(const char *dn, struct im_buf *out) {
    if (dn && !*dn)
        return true;
    if (dn && is_simple(dn)) {
        im_text_fold(dn, strlen(dn), out);
        return !out->failed;
    }
    LDAPDN parsed = parse(dn);
    if (!parsed)
        return false;
    for (size_t i = 0; parsed[i]; i++) {
        if (i)
            im_buf_addc(out, ',');
        normalize_rdn(parsed[i], out);
    }
    ldap_dnfree(parsed);
    return !out->failed;
}

bool im_dn_is_valid(const char *dn) {
    if (dn && is_simple(dn))
        return true;
    LDAPDN parsed = parse(dn);
    bool is_valid = parsed && parsed[0];
    if (parsed)
        ldap_dnfree(parsed);
    return is_valid;
}

bool im_dn_equal(const char *a, const char *b) {
    struct im_buf na = IM_BUF_INIT;
    struct im_buf nb = IM_BUF_INIT;
    if (a && b && strcmp(a, b) == 0)
        return !*a || im_dn_is_valid(a);
    bool equal = im_dn_normalize(a, &na) && im_dn_normalize(b, &nb) && strcmp(im_buf_str(&na), im_buf_str(&nb)) == 0;
    im_buf_free(&na);
    im_buf_free(&nb);
    return equal;
}

bool im_dn_is_under(const char *dn, const char *base) {
    struct im_buf d = IM_BUF_INIT;
    struct im_buf b = IM_BUF_INIT;
    bool is_under = false;
    if (im_dn_normalize(dn, &d) && im_dn_normalize(base, &b)) {
        const char *tail = im_buf_str(&d) + (d.len >= b.len ? d.len - b.len : 0);
        bool at_comma = d.len == b.len || b.len == 0 || (d.len > b.len && tail[-1] == ',');
        is_under = d.len >= b.len && at_comma && strcmp(tail, im_buf_str(&b)) == 0;
    }
    im_buf_free(&d);
    im_buf_free(&b);
    return is_under;
}

bool im_dn_parent(const char *dn, struct im_buf *out) {
    if (!im_dn_is_valid(dn))
        return false;
    for (const char *c = dn; *c; c++) {
        if (*c == '\\' && c[1]) {
            c++;
        } else if (*c == ',') { /* quoted values are LDAPv2: not valid here */
            c++;
            im_buf_adds(out, c + strspn(c, " "));
            return !out->failed;
        }
    }
    return false;
}

bool im_dn_first_value(const char *dn, struct im_buf *out) {
    LDAPDN parsed = parse(dn);
    bool found = parsed && parsed[0] && parsed[0][0];
    if (found)
        im_buf_add(out, parsed[0][0]->la_value.bv_val, parsed[0][0]->la_value.bv_len);
    if (parsed)
        ldap_dnfree(parsed);
    return found && !out->failed;
}

void im_dn_escape(const char *value, size_t len, struct im_buf *out) {
    for (size_t i = 0; i < len; i++) {
        char c = value[i];
        bool at_end = (c == ' ' && (i == 0 || i + 1 == len)) || (c == '#' && i == 0);
        if ((unsigned char)c < 0x20 || c == 0x7f) {
            im_buf_addf(out, "\\%02X", (unsigned)(unsigned char)c);
        } else if (at_end || strchr(",+\"\\<>;=", c)) {
            im_buf_addf(out, "\\%c", c);
        } else {
            im_buf_addc(out, c);
        }
    }
}

#define DELETED_OBJECTS "Deleted Objects"

/* Could a parser see a mark of deletion in it? Without escapes it would have to stand there as it is. The home of every account
 * is asked, and nearly none is deleted. */
static bool may_be_deleted(const char *dn) {
    const ptrdiff_t before = strlen("Deleted");
    size_t len = strlen(dn);
    if (memchr(dn, '\\', len) || memchr(dn, '\n', len) || memchr(dn, '#', len) || memchr(dn, '"', len))
        return true;
    for (const char *blank = strchr(dn, ' '); blank; blank = strchr(blank + 1, ' ')) {
        if (blank - dn >= before && strncasecmp(blank - before, DELETED_OBJECTS, strlen(DELETED_OBJECTS)) == 0)
            return true;
    }
    return false;
}

bool im_dn_is_deleted(const char *dn) {
    if (!may_be_deleted(dn))
        return false;
    LDAPDN parsed = parse(dn);
    bool is_deleted = false;
    for (size_t i = 0; parsed && parsed[i] && !is_deleted; i++) {
        const struct berval *value = &parsed[i][0]->la_value;
        const struct berval *type = &parsed[i][0]->la_attr;
        bool is_container = im_text_equal_n(type->bv_val, type->bv_len, "CN", 2) && /* an OU may have this name as well */
                            im_text_equal_n(value->bv_val, value->bv_len, DELETED_OBJECTS, strlen(DELETED_OBJECTS));
        is_deleted = (value->bv_len && memmem(value->bv_val, value->bv_len, "\nDEL:", 5)) /* an empty value is NULL */ ||
                     (i > 0 && is_container);
    }
    if (parsed)
        ldap_dnfree(parsed);
    return is_deleted;
}

void im_dn_pieces(const struct berval *value, struct berval *guid, struct berval *dn) {
    *guid = (struct berval){0};
    *dn = *value;
    while (dn->bv_len && dn->bv_val[0] == '<') {
        const char *end = memchr(dn->bv_val, '>', dn->bv_len);
        if (!end)
            break;
        struct berval part = {.bv_val = dn->bv_val, .bv_len = (size_t)(end - dn->bv_val) + 1};
        if (part.bv_len > 6 && im_text_equal_n(part.bv_val, 6, "<GUID=", 6))
            *guid = part;
        size_t behind = part.bv_len + (part.bv_len < dn->bv_len && end[1] == ';');
        dn->bv_val += behind;
        dn->bv_len -= behind;
    }
}

void im_dn_split_extended(const char *value, size_t len, struct im_buf *guid, struct im_buf *dn) {
    struct berval guid_piece, dn_piece;
    struct berval whole = {.bv_len = len};
    memcpy(&whole.bv_val, &value, sizeof value);
    im_dn_pieces(&whole, &guid_piece, &dn_piece);
    if (guid_piece.bv_len)
        im_buf_add(guid, guid_piece.bv_val, guid_piece.bv_len);
    im_buf_add(dn, dn_piece.bv_val, dn_piece.bv_len);
}
