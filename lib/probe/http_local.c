#include "lib/probe/http_fetch.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

/* IPv4 as a mapped IPv6 address (RFC 4291 section 2.5.5.2), so that there is one kind to compare. */
static bool to_binary(const char *text, struct in6_addr *out) {
    struct in_addr v4;
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return false;
    memset(out, 0, sizeof *out);
    out->s6_addr[10] = out->s6_addr[11] = 0xff;
    memcpy(&out->s6_addr[12], &v4, sizeof v4);
    return true;
}

static bool is_loopback(const struct in6_addr *address) {
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_same(const struct sockaddr *socket, const struct in6_addr *address) {
    if (socket && socket->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, socket, sizeof v6);
        return memcmp(&v6.sin6_addr, address, sizeof *address) == 0;
    }
    if (socket && socket->sa_family == AF_INET && IN6_IS_ADDR_V4MAPPED(address)) {
        struct sockaddr_in v4;
        memcpy(&v4, socket, sizeof v4);
        return memcmp(&v4.sin_addr, &address->s6_addr[12], sizeof v4.sin_addr) == 0;
    }
    return false;
}

bool im_http_is_local(const char *address) {
    struct in6_addr wanted;
    struct ifaddrs *all = NULL;
    if (!to_binary(address, &wanted))
        return false;
    if (is_loopback(&wanted))
        return true;
    bool is_local = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i && !is_local; i = i->ifa_next)
        is_local = is_same(i->ifa_addr, &wanted);
    freeifaddrs(all);
    return is_local;
}
