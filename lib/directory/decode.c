#include "lib/directory/decode.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <stdlib.h>
#include <string.h>

/* ---- BER ---- */

enum { LONG = 0x80 };

/* Elements that follow each other. Nothing depends on their tags, as in libldap: so a tag may be overwritten by the NUL behind
 * the value in front of it before it is come to. */
struct elements {
    char *at, *end;
};

/* A length of several bytes; the first says of how many (RFC 4511 section 5.1: never indefinite). */
static bool take_long(struct elements *in, size_t *len) {
    size_t count = *len - LONG;
    if (!count || count > sizeof *len || count > (size_t)(in->end - in->at))
        return false;
    for (*len = 0; count; count--)
        *len = *len << 8 | (unsigned char)*in->at++;
    return true;
}

/* Takes one off; *contents is what is in it. False: none that ends where it should. */
static inline bool take(struct elements *in, struct elements *contents) {
    struct elements rest = *in;
    if (rest.end - rest.at < 2)
        return false;
    size_t len = (unsigned char)rest.at[1];
    rest.at += 2;
    if ((len >= LONG && !take_long(&rest, &len)) || len > (size_t)(rest.end - rest.at))
        return false;
    *contents = (struct elements){.at = rest.at, .end = rest.at + len};
    in->at = contents->end;
    return true;
}

/* PartialAttribute ::= SEQUENCE { type, SET OF value } */
static bool take_attribute(struct elements *list, struct elements *name, struct elements *values) {
    struct elements attribute;
    return take(list, &attribute) && take(&attribute, name) && take(&attribute, values);
}

/* Looks at all before any is changed: what comes afterwards has to trust in nothing. */
static bool count_all(struct elements list, size_t *attrs, size_t *values) {
    struct elements name, set, value;
    for (; list.at < list.end; ++*attrs) {
        if (!take_attribute(&list, &name, &set))
            return false;
        for (; set.at < set.end; ++*values) {
            if (!take(&set, &value))
                return false;
        }
    }
    return true;
}

/* In the message, and ended with a NUL there. */
static struct berval text_of(const struct elements *contents) {
    *contents->end = '\0';
    return (struct berval){.bv_len = (size_t)(contents->end - contents->at), .bv_val = contents->at};
}

/* ---- attributes ---- */

/* An entry while it is decoded. */
struct decoding {
    struct im_attr *attrs; /* room for all */
    size_t count;
    struct berval *values; /* room for those that are still to come */
    bool has_empty;        /* attributes without values, which another may have to take the place of */
    struct im_ranges *ranges;
    struct im_error *e;
};

/* Reads ";range=A-B" or ";range=A-*" of an attribute description. False: no range. *next is 0 where it is the last part. */
static bool parse_range(const char *options, size_t *next) {
    const char *range = strcasestr(options, ";range=");
    if (!range)
        return false;
    char *end;
    (void)strtoul(range + 7, &end, 10);
    *next = *end == '-' && end[1] != '*' ? strtoul(end + 1, NULL, 10) + 1 : 0;
    return true;
}

/* Leaves only options that say something about the meaning. *next: first value that is missing, 0 = none is. */
static void take_options(char *options, size_t *next) {
    (void)parse_range(options, next);
    if (strncasecmp(options, ";range=", 7) == 0 || strncasecmp(options, ";binary", 7) == 0)
        *options = '\0';
}

static struct im_attr *find_attr(struct decoding *d, const char *name) {
    for (size_t i = 0; i < d->count; i++) {
        if (im_text_equal(d->attrs[i].name, name))
            return &d->attrs[i];
    }
    return NULL;
}

static enum im_err add_range(struct decoding *d, const struct im_attr *attr, size_t next) {
    struct im_ranges *ranges = d->ranges;
    if (ranges->count == IM_MAX_RANGES)
        return im_error_set(d->e, IM_E_TRUNCATED, "an entry has more than %d attributes that come in parts", IM_MAX_RANGES);
    ranges->list[ranges->count++] = (struct im_range){.attr = (size_t)(attr - d->attrs), .next = next};
    return IM_OK;
}

static enum im_err add_attr(struct decoding *d, char *name, struct elements set) {
    struct im_attr new = {.name = name, .values = d->values};
    struct elements value;
    size_t next = 0;
    char *options = strchr(name, ';');
    if (options)
        take_options(options, &next);
    while (take(&set, &value))
        new.values[new.count++] = text_of(&value);
    d->values += new.count;
    /* The server lists "member" empty beside "member;range=0-1499". */
    struct im_attr *attr = new.count == 0 || d->has_empty ? find_attr(d, new.name) : NULL;
    if (attr && new.count == 0)
        return IM_OK;
    if (!attr || attr->count)
        attr = &d->attrs[d->count++];
    *attr = new;
    d->has_empty = d->has_empty || new.count == 0;
    return next ? add_range(d, attr, next) : IM_OK;
}

static enum im_err undecodable(const char *dn, struct im_error *e) {
    return im_error_set_at(e, IM_E_PROTOCOL, dn, 0, 0, "the server sent an attribute that cannot be decoded");
}

enum im_err im_decode_attributes(const struct berval *list, struct im_pool *pool, struct im_entry *out, struct im_ranges *ranges,
                                 struct im_error *e) {
    struct decoding d = {.ranges = ranges, .e = e};
    struct elements in = {.at = list->bv_val, .end = list->bv_val + list->bv_len};
    struct elements name, set;
    size_t attr_count = 0;
    size_t value_count = 0;
    ranges->count = 0;
    if (!count_all(in, &attr_count, &value_count))
        return undecodable(out->dn, e);
    d.attrs = im_pool_array(pool, attr_count, sizeof *d.attrs);
    d.values = im_pool_array(pool, value_count, sizeof *d.values);
    if (!d.attrs || !d.values)
        return im_error_nomem(e);
    enum im_err err = IM_OK;
    while (err == IM_OK && take_attribute(&in, &name, &set))
        err = add_attr(&d, text_of(&name).bv_val, set);
    out->attrs = d.attrs;
    out->count = d.count;
    return err;
}

/* ---- entries ---- */

static enum im_err plain_dn(const struct berval *dn, struct im_pool *pool, const char **out, struct im_error *e) {
    if (dn->bv_val[0] != '<') {
        *out = dn->bv_val;
        return IM_OK;
    }
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf rest = IM_BUF_INIT;
    im_dn_split_extended(dn->bv_val, dn->bv_len, &guid, &rest);
    *out = guid.failed || rest.failed ? NULL : im_pool_strndup(pool, im_buf_str(&rest), rest.len);
    im_buf_free(&guid);
    im_buf_free(&rest);
    return *out ? IM_OK : im_error_nomem(e);
}

/* Where liblber stands, to the end of the element that it is in; untouched where it stands at the end. */
static bool take_rest(BerElement *ber, struct berval *rest) {
    int len = ber_remaining(ber);
    if (len <= 0)
        return true;
    if (ber_skip_raw(ber, rest) == LBER_DEFAULT)
        return false;
    rest->bv_len = (ber_len_t)len;
    return true;
}

enum im_err im_decode_entry(LDAP *ld, LDAPMessage *message, struct im_pool *pool, struct im_entry *out, struct im_ranges *ranges,
                            struct im_error *e) {
    BerElement *ber = NULL;
    struct berval dn;
    *out = (struct im_entry){.dn = NULL};
    if (ldap_get_dn_ber(ld, message, &ber, &dn) != LDAP_SUCCESS)
        return im_error_set(e, IM_E_PROTOCOL, "the server sent an entry that cannot be decoded");
    struct berval attributes = {.bv_val = dn.bv_val};
    enum im_err err = plain_dn(&dn, pool, &out->dn, e);
    if (err == IM_OK && !take_rest(ber, &attributes))
        err = undecodable(out->dn, e);
    if (err == IM_OK)
        err = im_decode_attributes(&attributes, pool, out, ranges, e);
    ber_free(ber, 0);
    return err;
}
