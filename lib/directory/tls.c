#include "lib/directory/tls.h"

#include "lib/base/text.h"

#include <openldap.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"

/* ---- a watchdog: libldap has no deadline for the handshake, but notices when the socket is shut ---- */

enum { SLICE_NS = 100000000 };

struct watchdog {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t done_changed;
    bool is_done, has_bitten;
    int fd;
    struct timespec deadline;
    const volatile sig_atomic_t *stop;
};

static void *watch(void *user) {
    struct watchdog *w = user;
    (void)pthread_mutex_lock(&w->mutex);
    while (!w->is_done) {
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        bool is_late =
            now.tv_sec > w->deadline.tv_sec || (now.tv_sec == w->deadline.tv_sec && now.tv_nsec >= w->deadline.tv_nsec);
        if (is_late || (w->stop && *w->stop)) {
            w->has_bitten = true;
            (void)shutdown(w->fd, SHUT_RDWR);
            break;
        }
        struct timespec slice = now;
        slice.tv_nsec += SLICE_NS;
        slice.tv_sec += slice.tv_nsec / 1000000000;
        slice.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&w->done_changed, &w->mutex, &slice);
    }
    (void)pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static enum im_err watchdog_start(struct watchdog *w, int fd, int64_t deadline_ms, const volatile sig_atomic_t *stop,
                                  struct im_error *e) {
    *w = (struct watchdog){.fd = fd, .stop = stop, .deadline = {deadline_ms / 1000, deadline_ms % 1000 * 1000000}};
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&w->mutex, NULL);
    (void)pthread_cond_init(&w->done_changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    /* Signals are for the main thread: it is the one that waits for servers. */
    sigset_t all;
    sigset_t old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&w->thread, NULL, watch, w);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0 ? IM_OK : im_error_set_errno(e, IM_E_INTERNAL, rc, "cannot start a thread");
}

static bool watchdog_end(struct watchdog *w) {
    (void)pthread_mutex_lock(&w->mutex);
    w->is_done = true;
    (void)pthread_cond_signal(&w->done_changed);
    (void)pthread_mutex_unlock(&w->mutex);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->done_changed);
    (void)pthread_mutex_destroy(&w->mutex);
    return w->has_bitten;
}

/* ---- why the handshake failed: libldap says it only through its debug output ---- */

enum { HEARD_SIZE = 512 };

/* What libldap printed during the handshake of this thread. Its print function has no user pointer, so that this is the one place
 * where the library keeps something outside its structures. */
static _Thread_local char heard[HEARD_SIZE];

static void overhear(const char *line) {
    static const char *const wanted[] = {"TLS: ", "peer cert", "untrusted", "expired", "not match"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!strstr(line, wanted[i]) || strstr(line, "can't connect"))
            continue;
        size_t len = strlen(heard);
        const char *text = strncmp(line, "TLS: ", 5) == 0 ? line + 5 : line;
        (void)snprintf(heard + len, sizeof heard - len, "%s%.*s", len ? "; " : "", (int)strcspn(text, "\n"), text);
        return;
    }
}

static void set_listening(bool on) {
    int level = on ? 0x8001 : 0;
    void (*fn)(const char *) = on ? overhear : NULL;
    if (on)
        heard[0] = '\0';
    (void)ber_set_option(NULL, LBER_OPT_LOG_PRINT_FN, (const void *)(uintptr_t)fn);
    (void)ber_set_option(NULL, LBER_OPT_DEBUG_LEVEL, &level);
    (void)ldap_set_option(NULL, LDAP_OPT_DEBUG_LEVEL, &level);
}

/* ---- TLS ---- */

static enum im_err set_options(LDAP *ld, const char *ca_file, struct im_error *e) {
    int demand = LDAP_OPT_X_TLS_DEMAND;
    int version = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    int client = 0;
    if (access(ca_file, R_OK) != 0)
        return im_error_set(e, IM_E_TLS, "the file of trusted CAs %s cannot be read: give one with --tls-ca", ca_file);
    (void)ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca_file);
    (void)ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    (void)ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &version); /* GnuTLS builds ignore it: checked again afterwards */
    if (ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
        return im_error_set(e, IM_E_TLS, "the file of trusted CAs %s holds no usable certificate (PEM is expected)", ca_file);
    return IM_OK;
}

static enum im_err check_version(LDAP *ld, struct im_error *e) {
    char *version = NULL;
    if (ldap_get_option(ld, LDAP_OPT_X_TLS_VERSION, &version) != LDAP_OPT_SUCCESS || !version)
        return im_error_set(e, IM_E_TLS, "TLS is not active although it was asked for");
    bool is_old = strstr(version, "SSL") || im_text_equal(version, "TLS1.0") || im_text_equal(version, "TLS1.1") ||
                  im_text_equal(version, "TLSv1") || im_text_equal(version, "TLSv1.1");
    enum im_err err = is_old ? im_error_set(e, IM_E_TLS, "the server only offers %s: TLS 1.2 is the minimum", version) : IM_OK;
    ldap_memfree(version);
    return err;
}

/* What people can do about the commonest faults. */
static const char *advice(const char *why) {
    if (strstr(why, "match"))
        return ": use the name that the certificate was made for";
    if (strstr(why, "expired"))
        return ": the certificate has to be renewed";
    if (strstr(why, "untrusted") || strstr(why, "issuer") || strstr(why, "verify"))
        return ": trust its CA with --tls-ca FILE";
    return "";
}

static enum im_err failed(const struct im_connection *c, bool starttls, const char *ca_file, int rc, struct im_error *e) {
    char *diagnostic = NULL;
    (void)ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
    char why[HEARD_SIZE + 256];
    bool is_useful = diagnostic && *diagnostic && !strstr(diagnostic, "unknown error");
    (void)snprintf(why, sizeof why, "%s%s%s", heard, heard[0] && is_useful ? "; " : "", is_useful ? diagnostic : "");
    if (!why[0])
        (void)snprintf(why, sizeof why, "%s (is this a TLS port?)", ldap_err2string(rc));
    im_error_set_at(e, IM_E_TLS, c->uri, 0, 0, "%s with host \"%s\" failed, CAs from %s: %s%s",
                    starttls ? "StartTLS" : "the TLS handshake", c->host, ca_file, why, advice(why));
    ldap_memfree(diagnostic);
    return IM_E_TLS;
}

enum im_err im_tls_start(struct im_connection *c, const struct im_live_options *options, bool starttls, int64_t deadline_ms,
                         struct im_error *e) {
    const char *ca_file = options->config->ca_file ? options->config->ca_file : SYSTEM_CAS;
    struct watchdog watchdog;
    enum im_err err = set_options(c->ld, ca_file, e);
    if (err == IM_OK)
        err = watchdog_start(&watchdog, c->fd, deadline_ms, options->stop, e);
    if (err != IM_OK) {
        im_error_where(e, c->uri);
        return err;
    }
    set_listening(true);
    int rc = starttls ? ldap_start_tls_s(c->ld, NULL, NULL) : ldap_install_tls(c->ld);
    set_listening(false);
    bool has_bitten = watchdog_end(&watchdog);
    if (has_bitten && options->stop && *options->stop) {
        err = im_error_set(e, IM_E_INTERRUPTED, "stopped on request");
    } else if (has_bitten) {
        err = im_error_set_at(e, IM_E_TIMEOUT, c->uri, 0, 0, "the server accepted the connection, but did not finish %s in %ld s",
                              starttls ? "StartTLS" : "the TLS handshake", options->config->connect_timeout_s);
    } else if (rc != LDAP_SUCCESS) {
        err = failed(c, starttls, ca_file, rc, e);
    } else {
        err = check_version(c->ld, e);
    }
    im_error_where(e, c->uri);
    c->has_tls = err == IM_OK;
    return err;
}
