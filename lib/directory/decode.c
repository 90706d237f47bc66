#include "lib/directory/decode.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"

#include <stdlib.h>
#include <string.h>

struct attrs {
    struct im_attr *items;
    size_t count, cap;
};

/* Reads ";range=A-B" or ";range=A-*" of an attribute description. False: no range. *next is 0 where it is the last part. */
static bool parse_range(const char *name, size_t *next) {
    const char *range = strcasestr(name, ";range=");
    if (!range)
        return false;
    char *end;
    (void)strtoul(range + 7, &end, 10);
    *next = *end == '-' && end[1] != '*' ? strtoul(end + 1, NULL, 10) + 1 : 0;
    return true;
}

static const char *base_name(const char *name, size_t len, struct im_pool *pool) {
    const char *options = memchr(name, ';', len);
    bool is_plain = !options || strncasecmp(options, ";range=", 7) == 0 || strncasecmp(options, ";binary", 7) == 0;
    return im_pool_strndup(pool, name, options && is_plain ? (size_t)(options - name) : len);
}

static enum im_err add_attr(struct attrs *attrs, const struct berval *name, struct berval *values, struct im_pool *pool,
                            struct im_range *ranges, size_t *range_count, struct im_error *e) {
    size_t count = 0;
    while (values && values[count].bv_val)
        count++;
    const char *full = im_pool_strndup(pool, name->bv_val, name->bv_len);
    const char *base = base_name(name->bv_val, name->bv_len, pool);
    struct berval *copy = im_pool_array(pool, count, sizeof *copy);
    if (!full || !base || !copy)
        return im_error_nomem(e);
    if (count)
        memcpy(copy, values, count * sizeof *copy);
    size_t next = 0;
    bool is_ranged = parse_range(full, &next);
    /* The server lists "member" empty beside "member;range=0-1499". */
    for (size_t i = 0; i < attrs->count; i++) {
        if (count == 0 && im_text_equal(attrs->items[i].name, base))
            return IM_OK;
    }
    struct im_attr *attr = NULL;
    for (size_t i = 0; i < attrs->count && !attr; i++) {
        if (attrs->items[i].count == 0 && im_text_equal(attrs->items[i].name, base))
            attr = &attrs->items[i];
    }
    if (!attr)
        attr = im_vec_push(attrs);
    if (!attr)
        return im_error_nomem(e);
    *attr = (struct im_attr){.name = base, .values = copy, .count = count};
    if (is_ranged && next && *range_count < IM_MAX_RANGES) {
        ranges[(*range_count)++] = (struct im_range){.attr = (size_t)(attr - attrs->items), .next = next};
    } else if (is_ranged && next) {
        return im_error_set(e, IM_E_TRUNCATED, "an entry has more than %d attributes that come in parts", IM_MAX_RANGES);
    }
    return IM_OK;
}

static enum im_err plain_dn(const struct berval *dn, struct im_pool *pool, const char **out, struct im_error *e) {
    if (!dn->bv_len || dn->bv_val[0] != '<') {
        *out = im_pool_strndup(pool, dn->bv_len ? dn->bv_val : "", dn->bv_len);
        return *out ? IM_OK : im_error_nomem(e);
    }
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf rest = IM_BUF_INIT;
    im_dn_split_extended(dn->bv_val, dn->bv_len, &guid, &rest);
    *out = guid.failed || rest.failed ? NULL : im_pool_strndup(pool, im_buf_str(&rest), rest.len);
    im_buf_free(&guid);
    im_buf_free(&rest);
    return *out ? IM_OK : im_error_nomem(e);
}

enum im_err im_decode_entry(LDAP *ld, LDAPMessage *message, struct im_pool *pool, struct im_entry *out, struct im_range *ranges,
                            size_t *range_count, struct im_error *e) {
    struct attrs attrs = {0};
    BerElement *ber = NULL;
    struct berval dn;
    *range_count = 0;
    if (ldap_get_dn_ber(ld, message, &ber, &dn) != LDAP_SUCCESS)
        return im_error_set(e, IM_E_PROTOCOL, "the server sent an entry that cannot be decoded");
    enum im_err err = plain_dn(&dn, pool, &out->dn, e);
    while (err == IM_OK) {
        struct berval name;
        struct berval *values = NULL;
        int rc = ldap_get_attribute_ber(ld, message, ber, &name, &values);
        if (rc == LDAP_SUCCESS && !name.bv_val)
            break;
        err = rc == LDAP_SUCCESS
                  ? add_attr(&attrs, &name, values, pool, ranges, range_count, e)
                  : im_error_set_at(e, IM_E_PROTOCOL, out->dn, 0, 0, "the server sent an attribute that cannot be decoded");
        ber_memfree(values);
    }
    ber_free(ber, 0);
    out->attrs = err == IM_OK ? im_pool_array(pool, attrs.count, sizeof *out->attrs) : NULL;
    if (err == IM_OK && !out->attrs)
        err = im_error_nomem(e);
    if (err == IM_OK && attrs.count)
        memcpy(out->attrs, attrs.items, attrs.count * sizeof *out->attrs);
    out->count = attrs.count;
    out->line = 0;
    im_vec_free(&attrs);
    return err;
}
