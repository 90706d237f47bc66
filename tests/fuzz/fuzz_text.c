/* Short texts that people and directories give: DNs, SIDs, GUIDs, times, identities, templates. The first byte says which. */
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"
#include "lib/data/template.h"
#include "lib/data/times.h"
#include "lib/model/identity.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void try_dn(const char *text, size_t len) {
    struct im_buf a = {0};
    struct im_buf b = {0};
    const bool is_dn = im_dn_normalize(text, &a);
    MUST(is_dn || !im_dn_is_valid(text));
    if (is_dn) {
        MUST(im_dn_equal(text, text) && im_dn_is_under(text, text));
    }
    (void)im_dn_is_deleted(text);
    if (im_dn_parent(text, &b)) {
        MUST(im_dn_is_under(text, im_buf_str(&b)));
    }
    im_buf_clear(&a);
    im_buf_clear(&b);
    im_dn_split_extended(text, len, &a, &b);
    /* An escaped value comes back as it was. */
    im_buf_clear(&a);
    im_buf_clear(&b);
    im_buf_adds(&a, "cn=");
    im_dn_escape(text, len, &a);
    if (len > 0 && im_text_is_utf8(text, len) && im_dn_first_value(im_buf_str(&a), &b)) {
        MUST(b.len == len && memcmp(b.data, text, len) == 0);
    }
    im_buf_free(&a);
    im_buf_free(&b);
}

static void try_sid(const char *text, size_t len) {
    unsigned char octets[IM_SID_BYTES_SIZE];
    char shown[IM_SID_TEXT_SIZE];
    size_t count = 0;
    const struct berval raw = {.bv_len = len, .bv_val = (char *)(uintptr_t)text};
    (void)im_sid_to_text(&raw, shown);
    if (im_sid_from_text(text, octets, &count)) {
        const struct berval value = {.bv_len = count, .bv_val = (char *)octets};
        MUST(count <= sizeof octets && im_sid_to_text(&value, shown));
    }
}

static void try_guid(const char *text, size_t len) {
    unsigned char octets[IM_GUID_BYTES_SIZE];
    unsigned char again[IM_GUID_BYTES_SIZE];
    char shown[IM_GUID_TEXT_SIZE];
    const struct berval raw = {.bv_len = len, .bv_val = (char *)(uintptr_t)text};
    (void)im_guid_to_text(&raw, shown);
    if (im_guid_from_text(text, octets)) {
        const struct berval value = {.bv_len = sizeof octets, .bv_val = (char *)octets};
        MUST(im_guid_to_text(&value, shown) && im_guid_from_text(shown, again));
        MUST(memcmp(octets, again, sizeof octets) == 0);
    }
}

static void try_time(const char *text, size_t len) {
    int64_t seconds = 0;
    bool never = false;
    char shown[IM_TIME_TEXT_SIZE];
    (void)len;
    if (im_time_from_filetime(text, &seconds, &never) && !never) {
        im_time_to_rfc3339(seconds, shown);
    }
    if (im_time_from_generalized(text, &seconds)) {
        im_time_to_rfc3339(seconds, shown);
    }
    (void)im_int_from_text(text, INT64_MIN, INT64_MAX, &seconds);
}

static void try_identity(const char *text, size_t len) {
    struct im_pool *pool = im_pool_new();
    struct im_identity identity = {0};
    struct im_error e = {0};
    (void)len;
    if (pool) {
        const enum im_err err = im_identity_parse(text, pool, &identity, &e);
        MUST(err == IM_OK ? identity.text && identity.text[0] != '\0' : e.text[0] != '\0');
    }
    im_pool_free(&pool);
}

static const char *lookup(void *user, const char *variable) {
    (void)user;
    return variable[0] == 'a' ? "Müller, \"J\" #1/2 " : NULL;
}

static void try_template(const char *text, size_t len) {
    static const char *const names[] = {"alias", "domain"};
    struct im_buf out = {0};
    (void)len;
    if (im_template_check(text, names, 2, NULL) == IM_OK) {
        for (int context = IM_TEMPLATE_PLAIN; context <= IM_TEMPLATE_DN; context++) {
            (void)im_template_expand(text, (enum im_template_context)context, lookup, NULL, &out, NULL);
        }
    }
    im_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const tries[])(const char *, size_t) = {try_dn, try_sid, try_guid, try_time, try_identity, try_template};
    static const char letters[] = "dsgtim";
    const char *which = size > 0 && data[0] ? strchr(letters, data[0]) : NULL;
    char *text = which ? strndup((const char *)data + 1, size - 1) : NULL;
    if (text) {
        tries[which - letters](text, strlen(text));
    }
    free(text);
    return 0;
}
