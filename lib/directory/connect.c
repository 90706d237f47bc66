#include "lib/directory/connect.h"

#include "lib/base/text.h"
#include "lib/directory/gathering.h"
#include "lib/directory/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openldap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    SLICE_MS = 100,
    RECEIVE_BUFFER = 4 << 20,
    READ_AHEAD = 64 << 10, /* some 30 accounts; four times what liblber would take */
    LDAP_DEFAULT_PORT = 389,
    LDAPS_DEFAULT_PORT = 636,
    GC_PORT = 3268,
    GC_TLS_PORT = 3269
};

int64_t im_clock_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t im_clock_ms(void) {
    return im_clock_us() / 1000;
}

/* Polls in slices, so that a stop request between two slices is seen. */
static enum im_waited wait_fd(int fd, short events, int64_t until_ms, const atomic_int *stop) {
    for (;;) {
        if (stop && *stop)
            return IM_WAITED_STOP;
        int64_t left = until_ms - im_clock_ms();
        if (left <= 0)
            return IM_WAITED_LONG;
        struct pollfd p = {.fd = fd, .events = events};
        int ready = poll(&p, 1, left < SLICE_MS ? (int)left : SLICE_MS);
        if (ready > 0)
            return IM_WAITED_READY;
        if (ready < 0 && errno != EINTR)
            return IM_WAITED_READY; /* the read that follows gets the error */
    }
}

enum im_waited im_wait_until(const struct im_connection *connection, int64_t until_ms, const atomic_int *stop) {
    if (!connection)
        return wait_fd(-1, POLLIN, until_ms, stop);
    /* What was read ahead is not seen by poll, and half a message is no answer yet for ldap_result. */
    bool has_data = connection->socket && ber_sockbuf_ctrl(connection->socket, LBER_SB_OPT_DATA_READY, NULL) > 0;
    return has_data && !(stop && *stop) ? IM_WAITED_READY : wait_fd(connection->fd, POLLIN, until_ms, stop);
}

enum im_err im_wait_readable(const struct im_connection *connection, int64_t deadline_ms, const atomic_int *stop,
                             struct im_error *e) {
    enum im_waited waited = im_wait_until(connection, deadline_ms, stop);
    if (waited == IM_WAITED_READY)
        return IM_OK;
    return waited == IM_WAITED_STOP ? im_error_set(e, IM_E_INTERRUPTED, "stopped on request") : im_too_late(connection, e);
}

enum im_err im_too_late(const struct im_connection *connection, struct im_error *e) {
    return im_error_set_at(e, IM_E_TIMEOUT, connection->uri, 0, 0, "the server did not answer in time (--timeout)");
}

static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    }
    return false;
}

static void set_socket_options(int fd, long timeout_s) {
    int on = 1;
    int size = RECEIVE_BUFFER; /* many small segments fill a small buffer and close the window */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef TCP_USER_TIMEOUT
    unsigned unacknowledged_ms = (unsigned)timeout_s * 1000; /* a request that nobody takes: writing blocks no longer than that */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
#else
    (void)timeout_s;
#endif
}

/* Reading half a message must not block for ever: libldap takes the time-out for "no more at the moment" and comes back. */
static void limit_reading(int fd) {
    struct timeval slice = {.tv_usec = SLICE_MS * 1000L};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice);
}

/* Connects to one address; 0 or an errno. */
static int connect_address(int fd, const struct sockaddr *address, socklen_t len, int64_t deadline_ms, const atomic_int *stop) {
    if (connect(fd, address, len) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return errno;
    enum im_waited waited = wait_fd(fd, POLLOUT, deadline_ms, stop);
    if (waited != IM_WAITED_READY)
        return waited == IM_WAITED_STOP ? EINTR : ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

static enum im_err connect_failed(const char *uri, int failure, struct im_error *e) {
    static const struct {
        int failure;
        const char *advice;
    } rows[] = {
        {ECONNREFUSED, "; nothing listens there: check host, port, and that the server runs"},
        {ETIMEDOUT, "; nothing answers there: check host, port and firewalls"},
        {ENOENT, "; there is no such socket: check the path and that the server runs"},
        {EACCES, "; this user may not use the socket"},
    };
    const char *advice = "";
    if (failure == EINTR)
        return im_error_set(e, IM_E_INTERRUPTED, "stopped on request");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].failure == failure)
            advice = rows[i].advice;
    }
    im_error_set_at(e, IM_E_CONNECT, uri, 0, 0, "cannot connect: %s%s", strerror(failure), advice);
    if (e && e->code == IM_E_CONNECT && e->origin == IM_ORIGIN_NONE) {
        e->origin = IM_ORIGIN_ERRNO;
        e->system = failure;
    }
    return IM_E_CONNECT;
}

static size_t count_addresses(const struct addrinfo *a) {
    size_t count = 0;
    for (; a; a = a->ai_next)
        count++;
    return count;
}

/* Tries each address; one that does not answer leaves its share of the time to those behind it. 0 or the last errno. */
static int connect_any(const struct addrinfo *addresses, const struct im_live_options *options, int64_t deadline_ms,
                       struct im_connection *c) {
    int failure = ECONNREFUSED;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        int64_t now_ms = im_clock_ms();
        int64_t share_ms = (deadline_ms - now_ms) / (int64_t)count_addresses(a);
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
            failure = errno;
            continue;
        }
        set_socket_options(fd, options->config->timeout_s);
        failure = connect_address(fd, a->ai_addr, a->ai_addrlen, now_ms + share_ms, options->stop);
        if (failure == 0) {
            (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
            c->fd = fd;
            c->is_loopback = is_loopback(a->ai_addr);
            return 0;
        }
        (void)close(fd);
        if (failure == EINTR)
            break;
    }
    return failure;
}

static enum im_err connect_tcp(const LDAPURLDesc *url, const struct im_live_options *options, int64_t deadline_ms,
                               struct im_connection *c, struct im_error *e) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    char port[16];
    int usual = strcmp(url->lud_scheme, "ldaps") == 0 ? LDAPS_DEFAULT_PORT : LDAP_DEFAULT_PORT;
    (void)snprintf(port, sizeof port, "%d", url->lud_port ? url->lud_port : usual);
    int rc = getaddrinfo(url->lud_host, port, &hints, &addresses);
    if (rc != 0) {
        return im_error_set_at(e, IM_E_CONNECT, c->uri, 0, 0, "cannot find the host \"%s\": %s; check its name", url->lud_host,
                               rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    }
    int failure = connect_any(addresses, options, deadline_ms, c);
    freeaddrinfo(addresses);
    return failure ? connect_failed(c->uri, failure, e) : IM_OK;
}

static enum im_err connect_local(const LDAPURLDesc *url, struct im_connection *c, struct im_error *e) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = url->lud_host && *url->lud_host ? url->lud_host : "/var/run/slapd/ldapi";
    if (strlen(path) >= sizeof address.sun_path)
        return im_error_set_at(e, IM_E_USAGE, c->uri, 0, 0, "the path of the socket is too long");
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return connect_failed(c->uri, errno, e);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int failure = errno;
        (void)close(fd);
        return connect_failed(c->uri, failure, e);
    }
    c->fd = fd;
    c->is_ldapi = true;
    return IM_OK;
}

static enum im_err check_url(const struct im_live_options *options, const char *uri, LDAPURLDesc **out, struct im_error *e) {
    LDAPURLDesc *url = NULL;
    int rc = ldap_url_parse(uri, &url);
    const char *wrong = NULL;
    if (rc != LDAP_URL_SUCCESS) {
        wrong = "not an LDAP URI: expected ldap://HOST[:PORT], ldaps://HOST[:PORT] or ldapi://%2Fpath%2Fof%2Fsocket";
    } else if (strcmp(url->lud_scheme, "ldapi") != 0 && (!url->lud_host || !*url->lud_host)) {
        wrong = "the URI names no host: expected ldap://HOST[:PORT]";
    } else if (strcmp(url->lud_scheme, "ldap") != 0 && strcmp(url->lud_scheme, "ldaps") != 0 &&
               strcmp(url->lud_scheme, "ldapi") != 0) {
        wrong = "unknown scheme: expected ldap, ldaps or ldapi";
    } else if (url->lud_port > UINT16_MAX) {
        wrong = "the port must be a number from 1 to 65535";
    } else if ((url->lud_dn && *url->lud_dn) || url->lud_filter || url->lud_attrs) {
        wrong = "only the server belongs into the URI; the base is given with --base";
    } else if (options->will_change && (url->lud_port == GC_PORT || url->lud_port == GC_TLS_PORT)) {
        wrong = "ports 3268 and 3269 are the global catalog, which is read-only: use port 389 or 636 of a domain controller";
    } else if (options->config->starttls && strcmp(url->lud_scheme, "ldaps") == 0) {
        wrong = "ldaps:// is protected by TLS from the beginning: --starttls goes with ldap://";
    }
    if (wrong) {
        ldap_free_urldesc(url);
        return im_error_set_at(e, IM_E_USAGE, uri, 0, 0, "%s", wrong);
    }
    *out = url;
    return IM_OK;
}

/* Without, libldap calls the system three times for each message it reads. Below TLS: that sees the same bytes in the same order.
 */
static void read_ahead(struct im_connection *c) {
    if (ldap_get_option(c->ld, LDAP_OPT_SOCKBUF, &c->socket) == LDAP_OPT_SUCCESS && c->socket)
        (void)ber_sockbuf_add_io(c->socket, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER, &(int){READ_AHEAD});
}

static enum im_err new_handle(struct im_connection *c, int protocol, struct im_error *e) {
    int rc = ldap_init_fd(c->fd, protocol, c->uri, &c->ld);
    if (rc != LDAP_SUCCESS) {
        (void)close(c->fd);
        c->fd = -1;
        return im_error_set_at(e, IM_E_INTERNAL, c->uri, 0, 0, "libldap cannot use the connection: %s", ldap_err2string(rc));
    }
    read_ahead(c);
    int version = LDAP_VERSION3;
    int none = 0;
    (void)ldap_set_option(c->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    (void)ldap_set_option(c->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF); /* libldap would follow them with an anonymous bind */
    (void)ldap_set_option(c->ld, LDAP_OPT_DEREF, &none);
    (void)ldap_set_option(c->ld, LDAP_OPT_SIZELIMIT, &none);
    (void)ldap_set_option(c->ld, LDAP_OPT_TIMELIMIT, &none);
    (void)ldap_set_option(c->ld, LDAP_OPT_NETWORK_TIMEOUT, NULL); /* libldap 2.5 would spin in a handshake that stalls */
    (void)ldap_set_option(c->ld, LDAP_OPT_RESTART, LDAP_OPT_ON);  /* a signal is no lost connection; we wait elsewhere */
    (void)ldap_set_option(c->ld, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON);
    return IM_OK;
}

static enum im_err open_handle(const LDAPURLDesc *url, const struct im_live_options *options, int64_t deadline_ms,
                               struct im_connection *c, struct im_error *e) {
    bool is_local = strcmp(url->lud_scheme, "ldapi") == 0;
    enum im_err err = is_local ? connect_local(url, c, e) : connect_tcp(url, options, deadline_ms, c, e);
    return err == IM_OK ? new_handle(c, is_local ? LDAP_PROTO_IPC : LDAP_PROTO_TCP, e) : err;
}

/* Knocks a second time, only to read the names in the certificate for the message. */
static enum im_err explain_other_host(const struct im_connection *c, const LDAPURLDesc *url, const struct im_tls *tls,
                                      struct im_error *e) {
    struct im_connection again = {.uri = c->uri, .fd = -1};
    struct im_buf names = IM_BUF_INIT;
    if (open_handle(url, tls->options, tls->deadline_ms, &again, NULL) == IM_OK)
        im_tls_peer_names(&again, tls, &names);
    im_disconnect(&again);
    enum im_err err = im_tls_other_host(c, tls, im_buf_str(&names), e);
    im_buf_free(&names);
    return err;
}

enum im_err im_connect(const struct im_live_options *options, const char *uri, struct im_connection *out, struct im_error *e) {
    struct im_connection c = {.uri = uri, .fd = -1};
    struct im_tls tls = {.options = options, .deadline_ms = im_clock_ms() + options->config->connect_timeout_s * 1000};
    LDAPURLDesc *url = NULL;
    enum im_err err = check_url(options, uri, &url, e);
    if (err != IM_OK)
        return err;
    tls.starttls = strcmp(url->lud_scheme, "ldap") == 0;
    (void)snprintf(c.host, sizeof c.host, "%s", strcmp(url->lud_scheme, "ldapi") == 0 ? "" : url->lud_host);
    err = open_handle(url, options, tls.deadline_ms, &c, e);
    if (err == IM_OK && !c.is_ldapi && (options->config->starttls || !tls.starttls)) {
        bool is_other_host;
        err = im_tls_start(&c, &tls, &is_other_host, e);
        if (is_other_host)
            err = explain_other_host(&c, url, &tls, e);
    }
    ldap_free_urldesc(url);
    if (err == IM_OK) {
        limit_reading(c.fd);
        *out = c;
    } else {
        im_disconnect(&c);
    }
    return err;
}

void im_disconnect(struct im_connection *connection) {
    im_gathering_end(connection->gathering);
    if (connection->ld)
        (void)ldap_unbind_ext(connection->ld, NULL, NULL); /* also frees dead handles */
    connection->ld = NULL;
    connection->socket = NULL;
    connection->gathering = NULL;
    connection->fd = -1;
}

void im_give_up(struct im_connection *connection) {
    if (connection->fd >= 0)
        (void)fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
    im_disconnect(connection);
}
