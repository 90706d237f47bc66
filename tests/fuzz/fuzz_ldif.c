/* The LDIF reader: whatever it accepts is the same after it was written and read again, and when only some attributes are wanted
 * and the bytes come in pieces. */
#include "lib/data/ldif.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

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

/* ---- only some attributes, in pieces ---- */

struct pieces {
    const uint8_t *data;
    size_t size, at, next;
};

static enum im_err read_piece(void *user, char *out, size_t size, size_t *len, struct im_error *e) {
    struct pieces *p = user;
    size_t most = 16 + p->next++ * 7 % 61; /* a byte order mark comes in one piece */
    size_t left = p->size - p->at;
    (void)e;
    *len = most < left ? most : left;
    *len = *len < size ? *len : size;
    memcpy(out, p->data + p->at, *len);
    p->at += *len;
    return IM_OK;
}

static const char *const wanted[] = {"cn", "objectClass", "member", "sn"};
enum { WANTED = sizeof wanted / sizeof wanted[0] };

static bool is_wanted(const char *name) {
    for (size_t i = 0; i < WANTED; i++) {
        if (strcasecmp(wanted[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void must_be_next(struct im_ldif_reader *some, const struct im_entry *entry, struct im_pool *pool) {
    struct im_entry *less = NULL;
    struct im_attr attrs[4096];
    struct im_entry expected = {.dn = entry->dn, .attrs = attrs};
    for (size_t i = 0; i < entry->count; i++) {
        if (is_wanted(entry->attrs[i].name)) {
            attrs[expected.count++] = entry->attrs[i];
        }
    }
    MUST(im_ldif_read(some, pool, &less, NULL) == IM_OK && less && less->line == entry->line);
    MUST(same_entry(&expected, less));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_ldif_reader *reader = NULL;
    struct im_ldif_reader *some = NULL;
    struct pieces pieces = {.data = data, .size = size};
    const struct im_ldif_source source = {.read = read_piece, .user = &pieces};
    struct im_pool *pool = im_pool_new();
    FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
    struct im_error e = {0};
    if (stream && pool && im_ldif_reader_new(stream, "input", &reader, &e) == IM_OK &&
        im_ldif_reader_open(&source, "pieces", &some, &e) == IM_OK) {
        struct im_entry *entry = NULL;
        im_ldif_reader_want(some, wanted, WANTED);
        while (im_ldif_read(reader, pool, &entry, &e) == IM_OK && entry) {
            must_be_next(some, entry, pool);
            read_again(entry, pool);
            im_pool_reset(pool);
        }
        MUST(e.code == IM_OK || e.text[0] != '\0');
    }
    im_ldif_reader_free(&reader);
    im_ldif_reader_free(&some);
    if (stream) {
        fclose(stream);
    }
    im_pool_free(&pool);
    return 0;
}
