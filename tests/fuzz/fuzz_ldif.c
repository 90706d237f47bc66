/* The LDIF reader: whatever it accepts is the same after it was written and read again. */
#include "lib/data/ldif.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void write_entry(const struct im_entry *entry, struct im_buf *out) {
    const struct berval dn = {.bv_len = strlen(entry->dn), .bv_val = (char *)(uintptr_t)entry->dn};
    im_ldif_write_value(out, "dn", &dn);
    for (size_t i = 0; i < entry->count; i++) {
        for (size_t k = 0; k < entry->attrs[i].count; k++) {
            im_ldif_write_value(out, entry->attrs[i].name, &entry->attrs[i].values[k]);
        }
    }
    im_buf_addc(out, '\n');
}

static bool same_entry(const struct im_entry *a, const struct im_entry *b) {
    bool same = strcmp(a->dn, b->dn) == 0 && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = strcmp(a->attrs[i].name, b->attrs[i].name) == 0 && a->attrs[i].count == b->attrs[i].count;
        for (size_t k = 0; same && k < a->attrs[i].count; k++) {
            same = im_value_equal(&a->attrs[i].values[k], &b->attrs[i].values[k]);
        }
    }
    return same;
}

static void read_again(const struct im_entry *entry, struct im_pool *pool) {
    struct im_buf text = {0};
    struct im_ldif_reader *reader = NULL;
    struct im_entry *again = NULL;
    write_entry(entry, &text);
    FILE *stream = fmemopen(text.data, text.len, "r");
    if (stream && im_ldif_reader_new(stream, "again", &reader, NULL) == IM_OK) {
        MUST(im_ldif_read(reader, pool, &again, NULL) == IM_OK && again != NULL);
        MUST(same_entry(entry, again));
    }
    im_ldif_reader_free(&reader);
    if (stream) {
        fclose(stream);
    }
    im_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_ldif_reader *reader = NULL;
    struct im_pool *pool = im_pool_new();
    FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
    struct im_error e = {0};
    if (stream && pool && im_ldif_reader_new(stream, "input", &reader, &e) == IM_OK) {
        struct im_entry *entry = NULL;
        while (im_ldif_read(reader, pool, &entry, &e) == IM_OK && entry) {
            read_again(entry, pool);
            im_pool_reset(pool);
        }
        MUST(e.code == IM_OK || e.text[0] != '\0');
    }
    im_ldif_reader_free(&reader);
    if (stream) {
        fclose(stream);
    }
    im_pool_free(&pool);
    return 0;
}
