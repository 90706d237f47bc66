#include "lib/model/url.h"

#include <stdbool.h>
#include <string.h>

#define SCHEME "http://"
#define ALIASES "/instmsg/aliases/"
#define LOCAL "/instmsg/local/"

static bool begins(const char *text, const char *start) {
    return strncasecmp(text, start, strlen(start)) == 0;
}

static bool is_of_host(char c) {
    bool is_letter = (unsigned char)((c | ('a' ^ 'A')) - 'a') < 26;
    return is_letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static const char *host_fault(const char *host, size_t len) {
    size_t plain = 0;
    if (len == 0)
        return "has no host";
    while (plain < len && is_of_host(host[plain]))
        plain++;
    if (plain < len && memchr(host + plain, ':', len - plain))
        return "names a port";
    if (!memchr(host, '.', len))
        return "names a host without a domain";
    return plain == len ? NULL : "names a host with characters that host names do not have";
}

static void split_alias(const char *path, struct im_url *out) {
    if (!begins(path, ALIASES)) {
        if (!out->fault)
            out->fault = "has not the path /instmsg/aliases/";
        return;
    }
    out->alias = path + strlen(ALIASES);
    out->alias_len = strlen(out->alias);
    if (out->alias_len && out->alias[out->alias_len - 1] == '/')
        out->alias_len--;
    if (out->alias_len == 0) {
        out->alias_fault = "has no alias";
    } else if (memchr(out->alias, '/', out->alias_len)) {
        out->alias_fault = "has something behind the alias";
    }
}

void im_url_split(const char *url, enum im_role role, struct im_url *out) {
    *out = (struct im_url){.host = "", .alias = "", .fault = begins(url, SCHEME) ? NULL : "does not begin with http://"};
    const char *scheme = out->fault ? strstr(url, "://") : url + strlen(SCHEME) - strlen("://");
    if (!scheme)
        return;
    out->host = scheme + strlen("://");
    out->host_len = (size_t)(strchrnul(out->host, '/') - out->host);
    const char *path = out->host + out->host_len;
    if (!out->fault)
        out->fault = host_fault(out->host, out->host_len);
    if (role == IM_ROLE_PHYSICAL_URL && begins(path, LOCAL)) {
        out->domain = path + strlen(LOCAL);
        out->domain_len = (size_t)(strchrnul(out->domain, '/') - out->domain);
        path = out->domain + out->domain_len;
        if (!out->fault)
            out->fault = host_fault(out->domain, out->domain_len);
    }
    split_alias(path, out);
}
