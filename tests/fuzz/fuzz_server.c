/* What servers send: certificates, the attributes of entries, diagnostic texts. The first byte chooses. */
#include "lib/directory/certificate.h"
#include "lib/directory/decode.h"
#include "lib/directory/ldap_error.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void certificate(const char *bytes, size_t len) {
    struct im_buf out = IM_BUF_INIT;
    struct berval der = {.bv_len = len};
    memcpy(&der.bv_val, &bytes, sizeof der.bv_val);
    im_certificate_names(&der, &out);
    MUST(out.len <= 4 * len + 16); /* an address of 4 bytes takes at most 15 characters and ", " */
    im_buf_free(&out);
}

static void diagnostic(const char *bytes, size_t len) {
    static const int codes[] = {0, 8, 49, 50, 53, 80, -1, 12345};
    char *text = strndup(bytes, len);
    for (size_t i = 0; text && i < sizeof codes / sizeof codes[0]; i++) {
        struct im_buf out = IM_BUF_INIT;
        im_ldap_explain(codes[i], text, &out);
        MUST(out.len > 0);
        im_buf_free(&out);
    }
    free(text);
}

static void is_within(const char *list, size_t len, const char *text, size_t text_len) {
    MUST(text >= list && text_len <= len && (size_t)(text - list) <= len - text_len);
    MUST(text[text_len] == '\0');
}

static void attributes(const char *bytes, size_t len) {
    struct im_error e = {.code = IM_OK};
    struct im_entry entry = {.dn = "cn=x"};
    struct im_ranges ranges;
    struct im_pool *pool = im_pool_new();
    struct berval list = {.bv_len = len, .bv_val = malloc(len + 1)};
    MUST(pool != NULL && list.bv_val != NULL);
    memcpy(list.bv_val, bytes, len);
    list.bv_val[len] = 'x';
    bool is_good = im_decode_attributes(&list, pool, &entry, &ranges, &e) == IM_OK;
    MUST(is_good || e.code == IM_E_PROTOCOL || e.code == IM_E_TRUNCATED);
    for (size_t i = 0; i < entry.count; i++) {
        const struct im_attr *attr = &entry.attrs[i];
        is_within(list.bv_val, len, attr->name, strlen(attr->name));
        for (size_t k = 0; k < attr->count; k++)
            is_within(list.bv_val, len, attr->values[k].bv_val, attr->values[k].bv_len);
    }
    for (size_t i = 0; i < ranges.count; i++)
        MUST(ranges.list[i].attr < entry.count && ranges.list[i].next);
    free(list.bv_val);
    im_pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    if (data[0] == 'c') {
        certificate((const char *)data + 1, size - 1);
    } else if (data[0] == 'a') {
        attributes((const char *)data + 1, size - 1);
    } else {
        diagnostic((const char *)data + 1, size - 1);
    }
    return 0;
}
