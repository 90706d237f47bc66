/* The organisation's settings for the way through firewalls. How their bytes are to be read is documented nowhere: what cannot be
 * read is counted, and never guessed. */
#include "lib/directory/organisation_read.h"

#include <string.h>

#define CONTAINER_CLASS "msExchIMGlobalSettingsContainer"
#define FIREWALL_CLASS "msExchIMFirewall"

enum im_err im_settings_ask_first(struct im_organisation_reading *r, struct im_error *e) {
    static const char *const attributes[] = {"objectClass", "msExchIMProxy", "msExchIMIPRange", NULL};
    if (r->known->schema.class_count && !im_schema_class(&r->known->schema, FIREWALL_CLASS)) {
        r->out->settings.why_not = "the schema of this directory has no class " FIREWALL_CLASS;
        return IM_OK;
    }
    return im_organisation_ask_bases(r, "(|(objectClass=" CONTAINER_CLASS ")(objectClass=" FIREWALL_CLASS "))", attributes,
                                     &r->settings, e);
}

static bool is_number(const struct berval *value) {
    size_t digits = 0;
    for (size_t i = value->bv_len && value->bv_val[0] == '-' ? 1 : 0; i < value->bv_len; i++, digits++) {
        if (value->bv_val[i] < '0' || value->bv_val[i] > '9')
            return false;
    }
    return digits > 0;
}

/* The attribute is a 64-bit number, into which two addresses are packed in a way that nobody wrote down. Where a directory keeps
 * texts instead, they say what they mean. */
static enum im_err take_ranges(const struct im_entry *entry, struct im_pool *pool, struct im_firewall *out, struct im_error *e) {
    const struct im_attr *attr = im_entry_attr(entry, "msExchIMIPRange");
    out->range_count = attr ? attr->count : 0;
    out->ranges.items = im_pool_array(pool, out->range_count, sizeof *out->ranges.items);
    if (!out->ranges.items)
        return im_error_nomem(e);
    for (size_t i = 0; i < out->range_count; i++) {
        if (!is_number(&attr->values[i]))
            out->ranges.items[out->ranges.count++] = attr->values[i].bv_val;
    }
    return IM_OK;
}

static enum im_err take_firewall(const struct im_entry *entry, struct im_pool *pool, struct im_firewall *out,
                                 struct im_error *e) {
    const struct berval *proxy = im_entry_value(entry, "msExchIMProxy");
    *out = (struct im_firewall){.dn = entry->dn, .proxy_octets = proxy ? proxy->bv_len : 0};
    for (size_t i = 0; i < out->proxy_octets; i++)
        out->has_proxy = out->has_proxy || proxy->bv_val[i] != '\0';
    return take_ranges(entry, pool, out, e);
}

static enum im_err take_all(struct im_organisation_reading *r, const struct im_inquiry *inquiry, struct im_error *e) {
    struct im_global_settings *out = &r->out->settings;
    struct im_firewall *list = im_pool_array(r->pool, out->count + inquiry->found.count, sizeof *list);
    enum im_err err = list ? IM_OK : im_error_nomem(e);
    if (err == IM_OK && out->count)
        memcpy(list, out->firewalls, out->count * sizeof *list);
    for (size_t i = 0; err == IM_OK && i < inquiry->found.count; i++) {
        const struct im_entry *entry = inquiry->found.items[i];
        if (im_entry_has_value(entry, "objectClass", CONTAINER_CLASS)) {
            out->container_count++;
        } else {
            err = take_firewall(entry, r->pool, &list[out->count++], e);
        }
    }
    out->firewalls = list;
    return err;
}

enum im_err im_settings_conclude(struct im_organisation_reading *r, struct im_error *e) {
    struct im_global_settings *out = &r->out->settings;
    enum im_err err = IM_OK;
    for (size_t b = 0; r->settings && err == IM_OK && b < r->base_count; b++) {
        if (r->settings[b]->why_not)
            out->why_not = r->settings[b]->why_not;
        err = take_all(r, r->settings[b], e);
    }
    out->is_known = !out->why_not;
    return err;
}
