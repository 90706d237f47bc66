/* Search filters: what is accepted is accepted by the LDAP library and by ourselves once more, unchanged; a refusal has a
 * sentence. */
#include "lib/data/filter.h"
#include "tests/fuzz/fuzz.h"

#include <lber.h>
#include <string.h>

int ldap_pvt_put_filter(BerElement *ber, const char *filter); /* of libldap; in no installed header */

static void try_accepted(const struct im_filter *filter, struct im_pool *pool) {
    struct im_filter again = {.text = NULL};
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    MUST(im_filter_parse(filter->text, pool, &again, NULL) == IM_OK);
    MUST(strcmp(filter->text, again.text) == 0 && filter->attribute_count == again.attribute_count);
    MUST(ber && ldap_pvt_put_filter(ber, filter->text) >= 0);
    ber_free(ber, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_pool *pool = im_pool_new();
    struct im_error e = {0};
    struct im_filter filter = {.text = NULL};
    char *text = im_pool_strndup(pool, (const char *)data, size);
    MUST(text);
    if (im_filter_parse(text, pool, &filter, &e) == IM_OK) {
        try_accepted(&filter, pool);
    } else {
        MUST(e.code == IM_E_USAGE && e.text[0] != '\0');
    }
    im_pool_free(&pool);
    return 0;
}
