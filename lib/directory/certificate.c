#include "lib/directory/certificate.h"

#include <string.h>

enum {
    OCTET_STRING = 0x04,
    BOOLEAN = 0x01,
    SEQUENCE = 0x30,
    DNS_NAME = 0x82,
    IP_ADDRESS = 0x87,
    LONG_FORM = 0x80,
    IPV4_SIZE = 4
};

struct bytes {
    const unsigned char *at;
    size_t left;
};

/* Takes one element off the front: its tag and its contents. False: not DER, or cut off. */
static bool take_element(struct bytes *from, unsigned *tag, struct bytes *contents) {
    if (from->left < 2)
        return false;
    size_t len = from->at[1];
    size_t header = 2;
    if (len & LONG_FORM) {
        size_t octets = len & ~(size_t)LONG_FORM;
        if (octets == 0 || octets > 3 || from->left < 2 + octets) /* 16 MB are enough for a certificate */
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | from->at[2 + i];
        header += octets;
    }
    if (from->left - header < len)
        return false;
    *tag = from->at[0];
    *contents = (struct bytes){from->at + header, len};
    from->at += header + len;
    from->left -= header + len;
    return true;
}

/* The extension's value: OBJECT IDENTIFIER 2.5.29.17, perhaps BOOLEAN, OCTET STRING that holds the SEQUENCE of names. */
static bool find_alternative_names(const struct berval *der, struct bytes *names) {
    static const unsigned char oid[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    const unsigned char *found = memmem(der->bv_val, der->bv_len, oid, sizeof oid);
    unsigned tag;
    if (!found)
        return false;
    const unsigned char *rest = found + sizeof oid;
    struct bytes from = {rest, der->bv_len - (size_t)(rest - (const unsigned char *)der->bv_val)};
    struct bytes value;
    if (!take_element(&from, &tag, &value))
        return false;
    if (tag == BOOLEAN && !take_element(&from, &tag, &value))
        return false;
    return tag == OCTET_STRING && take_element(&value, &tag, names) && tag == SEQUENCE;
}

/* Names of old: the last common name is the subject's, behind the issuer's. */
static void add_common_name(const struct berval *der, struct im_buf *out) {
    static const unsigned char oid[] = {0x06, 0x03, 0x55, 0x04, 0x03};
    const unsigned char *end = (const unsigned char *)der->bv_val + der->bv_len;
    struct bytes last = {NULL, 0};
    const unsigned char *found = (const unsigned char *)der->bv_val;
    while ((found = memmem(found, (size_t)(end - found), oid, sizeof oid))) {
        unsigned tag;
        found += sizeof oid;
        struct bytes from = {found, (size_t)(end - found)};
        (void)take_element(&from, &tag, &last);
    }
    if (last.at)
        im_buf_add(out, last.at, last.left);
}

void im_certificate_names(const struct berval *der, struct im_buf *out) {
    struct bytes names;
    struct bytes name;
    unsigned tag;
    if (!der->bv_len)
        return;
    if (!find_alternative_names(der, &names)) {
        add_common_name(der, out);
        return;
    }
    while (take_element(&names, &tag, &name)) {
        bool is_address = tag == IP_ADDRESS && name.left == IPV4_SIZE;
        if (!is_address && tag != DNS_NAME)
            continue;
        im_buf_adds(out, out->len ? ", " : "");
        if (is_address) {
            im_buf_addf(out, "%u.%u.%u.%u", (unsigned)name.at[0], (unsigned)name.at[1], (unsigned)name.at[2],
                        (unsigned)name.at[3]);
        } else {
            im_buf_add(out, name.at, name.left);
        }
    }
}
