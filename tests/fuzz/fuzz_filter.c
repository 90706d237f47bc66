/* Search filters: what is accepted is accepted by the LDAP library and by ourselves once more, unchanged; a refusal has a
 * sentence. What is accepted can be asked for an entry, too: that is true and false at once of a filter and its negation only,
 * and an entry with one of the alternatives matches. */
#include "lib/data/filter.h"
#include "lib/data/filter_match.h"
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

static enum im_truth ask(const char *filter, const struct im_entry *entry, struct im_pool *pool, struct im_matcher **out) {
    enum im_truth truth = IM_UNDEFINED;
    MUST(im_matcher_new(filter, NULL, pool, out, NULL) == IM_OK);
    MUST(im_matcher_ask(*out, entry, &truth, NULL) == IM_OK);
    return truth;
}

static void try_matching(const struct im_filter *filter, struct im_pool *pool) {
    static char texts[][24] = {"user", "\xc3\x9c*", "CN=a,DC=corp,DC=ex", "514", "\0\xff"};
    struct berval values[] = {{4, texts[0]}, {3, texts[1]}, {18, texts[2]}, {3, texts[3]}, {2, texts[4]}};
    struct im_attr attrs[] = {{"cn", values, 5}, {"objectClass", values, 1}, {"mail", values + 1, 3}};
    const struct im_entry entry = {.dn = "CN=a", .attrs = attrs, .count = 3};
    struct im_matcher *matcher;
    struct im_matcher *other;
    char *negation = im_pool_printf(pool, "(!%s)", filter->text);
    enum im_truth truth = ask(filter->text, &entry, pool, &matcher);
    size_t count;
    if (im_filter_parse(negation, pool, &(struct im_filter){.text = NULL}, NULL) == IM_OK) { /* not nested too deeply */
        enum im_truth negated = ask(negation, &entry, pool, &other);
        MUST(truth == IM_UNDEFINED ? negated == IM_UNDEFINED : negated == (truth == IM_TRUE ? IM_FALSE : IM_TRUE));
        im_matcher_free(&other);
    }
    const struct im_match_term *terms = im_matcher_alternatives(matcher, &count);
    for (size_t i = 0; i < count; i++) {
        struct im_attr attr = {.name = terms[i].attribute, .values = &(struct berval){.bv_val = NULL}, .count = 1};
        const struct im_entry one = {.dn = "CN=b", .attrs = &attr, .count = 1};
        attr.values[0] = terms[i].value;
        MUST(im_matcher_ask(matcher, &one, &truth, NULL) == IM_OK && truth == IM_TRUE);
    }
    im_matcher_free(&matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_pool *pool = im_pool_new();
    struct im_error e = {0};
    struct im_filter filter = {.text = NULL};
    char *text = im_pool_strndup(pool, (const char *)data, size);
    MUST(text);
    if (im_filter_parse(text, pool, &filter, &e) == IM_OK) {
        try_accepted(&filter, pool);
        try_matching(&filter, pool);
    } else {
        MUST(e.code == IM_E_USAGE && e.text[0] != '\0');
    }
    im_pool_free(&pool);
    return 0;
}
