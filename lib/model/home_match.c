#include "lib/model/home_match.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/model/url.h"

#include <string.h>

#define DELETED_MARK "\nDEL:"
#define GUID_BEGIN "<GUID="

static void add_deleted(const struct im_buf *dn, struct im_buf *guid) {
    struct im_buf name = IM_BUF_INIT;
    unsigned char octets[IM_GUID_BYTES_SIZE];
    const char *mark = dn->len && im_dn_first_value(dn->data, &name) ? strstr(im_buf_str(&name), DELETED_MARK) : NULL;
    if (mark && im_guid_from_text(mark + strlen(DELETED_MARK), octets))
        im_buf_adds(guid, mark + strlen(DELETED_MARK));
    guid->failed = guid->failed || name.failed;
    im_buf_free(&name);
}

void im_home_split(const struct berval *value, struct im_buf *guid, struct im_buf *dn) {
    struct im_buf extended = IM_BUF_INIT;
    im_dn_split_extended(value->bv_val, value->bv_len, &extended, dn);
    if (extended.len > strlen(GUID_BEGIN) + 1) {
        im_buf_add(guid, extended.data + strlen(GUID_BEGIN), extended.len - strlen(GUID_BEGIN) - 1);
    } else {
        add_deleted(dn, guid);
    }
    guid->failed = guid->failed || extended.failed;
    im_buf_free(&extended);
}

static bool has(const struct im_strings *list, const char *text) {
    for (size_t i = 0; i < list->count; i++) {
        if (im_text_equal(list->items[i], text))
            return true;
    }
    return false;
}

static bool matches_value(const struct im_home_match *m, const struct berval *value, bool *failed) {
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    struct im_buf normal = IM_BUF_INIT;
    im_home_split(value, &guid, &dn);
    bool is = guid.len && has(&m->guids, im_buf_str(&guid));
    if (!is && m->dns.count && im_dn_normalize(im_buf_str(&dn), &normal))
        is = has(&m->dns, im_buf_str(&normal));
    *failed = guid.failed || dn.failed || normal.failed;
    im_buf_free(&guid);
    im_buf_free(&dn);
    im_buf_free(&normal);
    return is;
}

static bool matches_host(const struct im_home_match *m, const struct im_profile *profile, const struct im_entry *entry) {
    const struct im_profile_attr *attr = im_profile_role(profile, IM_ROLE_PHYSICAL_URL);
    const char *url = attr ? im_entry_string(entry, attr->name) : NULL;
    struct im_url parts;
    if (!url || !m->host)
        return false;
    im_url_split(url, IM_ROLE_PHYSICAL_URL, &parts);
    return parts.host_len && im_text_equal_n(parts.host, parts.host_len, m->host, strlen(m->host));
}

enum im_err im_home_matches(const struct im_home_match *match, const struct im_profile *profile, const struct im_entry *entry,
                            bool *out, struct im_error *e) {
    const struct im_profile_attr *attr = im_profile_role(profile, IM_ROLE_HOME);
    const struct berval *value = attr ? im_entry_value(entry, attr->name) : NULL;
    bool failed = false;
    bool is = value ? matches_value(match, value, &failed) : matches_host(match, profile, entry);
    if (failed)
        return im_error_nomem(e);
    *out = is;
    return IM_OK;
}
