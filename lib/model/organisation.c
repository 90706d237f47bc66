#include "lib/model/organisation.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

bool im_key_is_under(const char *key, const char *base) {
    size_t len = strlen(key);
    size_t base_len = strlen(base);
    return len >= base_len && strcmp(key + len - base_len, base) == 0 && (len == base_len || key[len - base_len - 1] == ',');
}

const struct im_machine *im_organisation_machine(const struct im_organisation *o, const char *key) {
    for (size_t i = 0; i < o->machines.count; i++) {
        if (im_key_is_under(key, o->machines.items[i].key))
            return &o->machines.items[i];
    }
    return NULL;
}

const struct im_computer *im_organisation_computer(const struct im_organisation *o, const char *host) {
    const struct im_computer *found = NULL;
    for (size_t i = 0; i < o->computers.count; i++) {
        const struct im_computer *c = &o->computers.items[i];
        if (c->is_computer && c->host && im_text_equal(c->host, host) && (!found || found->is_disabled))
            found = c;
    }
    return found;
}

/* "HTTP/host", and whatever follows behind the host: a port, or the name of a service. */
static bool is_for(const char *spn, const char *class, const char *host) {
    size_t class_len = strlen(class);
    size_t host_len = strlen(host);
    if (!im_text_equal_n(spn, strnlen(spn, class_len), class, class_len))
        return false;
    spn += class_len;
    return im_text_equal_n(spn, strnlen(spn, host_len), host, host_len) && strchr(":/", spn[host_len]);
}

bool im_organisation_answers_for(const struct im_organisation *o, const char *host) {
    for (size_t i = 0; i < o->computers.count; i++) {
        const struct im_computer *c = &o->computers.items[i];
        for (size_t s = 0; !c->is_disabled && s < c->spns.count; s++) {
            if (is_for(c->spns.items[s], "HTTP/", host) || is_for(c->spns.items[s], "HOST/", host))
                return true;
        }
    }
    return false;
}

long im_version_build(const char *version, const char *release) {
    static const char head[] = "Version ";
    static const char build[] = "(Build ";
    size_t len = strlen(release);
    if (strncmp(version, head, sizeof head - 1) != 0 || strncmp(version + sizeof head - 1, release, len) != 0 ||
        version[sizeof head - 1 + len] != ' ')
        return 0;
    const char *at = strstr(version, build);
    char *end = NULL;
    long number = at ? strtol(at + sizeof build - 1, &end, 10) : 0;
    return at && end > at + sizeof build - 1 && number > 0 && strchr(".:)", *end) ? number : 0;
}
