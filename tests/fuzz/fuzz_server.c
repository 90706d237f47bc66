/* What servers send and people read: certificates and diagnostic texts. The first byte chooses. */
#include "lib/directory/certificate.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    if (data[0] == 'c') {
        certificate((const char *)data + 1, size - 1);
    } else {
        diagnostic((const char *)data + 1, size - 1);
    }
    return 0;
}
