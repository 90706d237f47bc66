#include "lib/directory/decode.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <stdlib.h>
#include <string.h>

/* An entry while it is decoded. */
struct decoding {
    struct im_pool *pool;
    struct im_attr *attrs;
    size_t count, cap;
    bool has_empty; /* attributes without values, which another may have to take the place of */
    struct im_range *ranges;
    size_t *range_count;
    struct im_error *e;
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

/* The name without options that say nothing about its meaning; in the message where libldap ended it with a NUL. */
static const char *base_name(const struct berval *name, const char *options, struct im_pool *pool) {
    bool is_plain = options && (strncasecmp(options, ";range=", 7) == 0 || strncasecmp(options, ";binary", 7) == 0);
    if (!is_plain && name->bv_val[name->bv_len] == '\0')
        return name->bv_val;
    return im_pool_strndup(pool, name->bv_val, is_plain ? (size_t)(options - name->bv_val) : name->bv_len);
}

static struct im_attr *find_attr(struct decoding *d, const char *name) {
    for (size_t i = 0; i < d->count; i++) {
        if (im_text_equal(d->attrs[i].name, name))
            return &d->attrs[i];
    }
    return NULL;
}

static struct im_attr *push_attr(struct decoding *d) {
    if (d->count < d->cap)
        return &d->attrs[d->count++];
    size_t cap = d->cap ? d->cap * 2 : 16;
    struct im_attr *attrs = im_pool_array(d->pool, cap, sizeof *attrs);
    if (!attrs)
        return NULL;
    if (d->count)
        memcpy(attrs, d->attrs, d->count * sizeof *attrs);
    d->attrs = attrs;
    d->cap = cap;
    return &d->attrs[d->count++];
}

static enum im_err add_range(struct decoding *d, const struct berval *name, const struct im_attr *attr) {
    size_t next = 0;
    const char *full = im_pool_strndup(d->pool, name->bv_val, name->bv_len);
    if (!full)
        return im_error_nomem(d->e);
    if (!parse_range(full, &next) || !next)
        return IM_OK;
    if (*d->range_count == IM_MAX_RANGES)
        return im_error_set(d->e, IM_E_TRUNCATED, "an entry has more than %d attributes that come in parts", IM_MAX_RANGES);
    d->ranges[(*d->range_count)++] = (struct im_range){.attr = (size_t)(attr - d->attrs), .next = next};
    return IM_OK;
}

static enum im_err add_attr(struct decoding *d, const struct berval *name, const struct berval *values) {
    size_t count = 0;
    while (values && values[count].bv_val)
        count++;
    const char *options = memchr(name->bv_val, ';', name->bv_len);
    const char *base = base_name(name, options, d->pool);
    struct berval *copy = im_pool_array(d->pool, count, sizeof *copy);
    if (!base || !copy)
        return im_error_nomem(d->e);
    if (count)
        memcpy(copy, values, count * sizeof *copy);
    /* The server lists "member" empty beside "member;range=0-1499". */
    struct im_attr *attr = count == 0 || d->has_empty ? find_attr(d, base) : NULL;
    if (attr && count == 0)
        return IM_OK;
    if (!attr || attr->count)
        attr = push_attr(d);
    if (!attr)
        return im_error_nomem(d->e);
    *attr = (struct im_attr){.name = base, .values = copy, .count = count};
    d->has_empty = d->has_empty || count == 0;
    return options ? add_range(d, name, attr) : IM_OK;
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
    struct decoding d = {.pool = pool, .ranges = ranges, .range_count = range_count, .e = e};
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
                  ? add_attr(&d, &name, values)
                  : im_error_set_at(e, IM_E_PROTOCOL, out->dn, 0, 0, "the server sent an attribute that cannot be decoded");
        ber_memfree(values);
    }
    ber_free(ber, 0);
    out->attrs = d.attrs;
    out->count = d.count;
    out->line = 0;
    return err;
}
