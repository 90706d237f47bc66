#include "lib/model/url.h"

#include <stdbool.h>
#include <string.h>

#define SCHEME "http://"
#define ALIASES "/instmsg/aliases/"
#define LOCAL "/instmsg/local/"

static bool begins(const char *text, const char *start) {
    return strncasecmp(text, start, strlen(start)) == 0;
}

static const char *host_fault(const char *host, size_t len) {
    if (len == 0)
        return "has no host";
    if (memchr(host, ':', len))
        return "names a port";
    if (!memchr(host, '.', len))
        return "names a host without a domain";
    for (size_t i = 0; i < len; i++) {
        if (!((host[i] >= 'a' && host[i] <= 'z') || (host[i] >= 'A' && host[i] <= 'Z') || (host[i] >= '0' && host[i] <= '9') ||
              host[i] == '-' || host[i] == '.' || host[i] == '_'))
            return "names a host with characters that host names do not have";
    }
    return NULL;
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
    const char *scheme = strstr(url, "://");
    if (!scheme)
        return;
    out->host = scheme + strlen("://");
    out->host_len = strcspn(out->host, "/");
    const char *path = out->host + out->host_len;
    if (!out->fault)
        out->fault = host_fault(out->host, out->host_len);
    if (role == IM_ROLE_PHYSICAL_URL && begins(path, LOCAL)) {
        out->domain = path + strlen(LOCAL);
        out->domain_len = strcspn(out->domain, "/");
        path = out->domain + out->domain_len;
        if (!out->fault)
            out->fault = host_fault(out->domain, out->domain_len);
    }
    split_alias(path, out);
}
