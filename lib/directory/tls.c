#include "lib/directory/tls.h"

#include "lib/base/text.h"
#include "lib/directory/certificate.h"

#include <errno.h>
#include <openldap.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
    const atomic_int *stop;
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

static enum im_err watchdog_start(struct watchdog *w, int fd, int64_t deadline_ms, const atomic_int *stop, struct im_error *e) {
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
        size_t end = strcspn(text, "\n");
        while (end && text[end - 1] == '.')
            end--;
        (void)snprintf(heard + len, sizeof heard - len, "%s%.*s", len ? "; " : "", (int)end, text);
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

/* A file without any certificate would make every server untrusted, and not every TLS library says so. */
static enum im_err check_ca_file(const char *ca_file, struct im_error *e) {
    FILE *file = fopen(ca_file, "re");
    char *line = NULL;
    size_t size = 0;
    bool has_certificate = false;
    if (!file)
        return im_error_set_errno(e, IM_E_TLS, errno, "the file of trusted CAs %s (--tls-ca) cannot be read", ca_file);
    while (!has_certificate && getline(&line, &size, file) >= 0)
        has_certificate = strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE");
    free(line);
    (void)fclose(file);
    return has_certificate
               ? IM_OK
               : im_error_set(e, IM_E_TLS, "the file of trusted CAs %s holds no certificate: PEM is expected", ca_file);
}

static enum im_err set_options(LDAP *ld, const char *ca_file, struct im_error *e) {
    int demand = LDAP_OPT_X_TLS_DEMAND;
    int version = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    int client = 0;
    enum im_err err = check_ca_file(ca_file, e);
    if (err != IM_OK)
        return err;
    (void)ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca_file);
    (void)ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    (void)ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &version); /* GnuTLS builds ignore it: checked again afterwards */
    if (ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
        return im_error_set(e, IM_E_TLS, "the file of trusted CAs %s cannot be used: PEM certificates are expected", ca_file);
    return IM_OK;
}

/* *rc is libldap's code, where the deadline did not end it. */
static enum im_err negotiate(const struct im_connection *c, const struct im_tls *tls, int *rc, struct im_error *e) {
    const atomic_int *stop = tls->options->stop;
    struct watchdog watchdog;
    enum im_err err = watchdog_start(&watchdog, c->fd, tls->deadline_ms, stop, e);
    if (err != IM_OK)
        return err;
    set_listening(true);
    *rc = tls->starttls ? ldap_start_tls_s(c->ld, NULL, NULL) : ldap_install_tls(c->ld);
    set_listening(false);
    if (!watchdog_end(&watchdog))
        return IM_OK;
    if (stop && *stop)
        return im_error_set(e, IM_E_INTERRUPTED, "stopped on request");
    return im_error_set_at(e, IM_E_TIMEOUT, c->uri, 0, 0,
                           "the server accepted the connection, but did not finish %s within %ld s",
                           tls->starttls ? "StartTLS" : "the TLS handshake", tls->options->config->connect_timeout_s);
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

/* ---- in words ---- */

/* GnuTLS says in bits why a certificate is not accepted: "(0x42)". */
static void add_gnutls_reasons(const char *why, struct im_buf *out) {
    static const struct {
        unsigned long bit;
        const char *words;
    } rows[] = {
        {0x400, "it has expired"},
        {0x200, "it is not valid yet"},
        {0x20, "it was revoked"},
        {0x40, "its issuer is not among the trusted CAs: name the CA's file with --tls-ca"},
        {0x80, "its issuer may not issue certificates"},
        {0x100, "it is signed with a method that is not secure any more"},
    };
    const char *number = strstr(why, "(0x");
    unsigned long bits = number ? strtoul(number + 1, NULL, 16) : 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (bits & rows[i].bit)
            im_buf_addf(out, "%s%s", out->len ? ", and " : "the server's certificate is not accepted: ", rows[i].words);
    }
}

/* What can be done about faults that the TLS library has its own words for. */
static const char *advice(const char *why, bool starttls) {
    static const char *const untrusted[] = {"self-signed", "self signed", "issuer", "verify"};
    for (size_t i = 0; i < sizeof untrusted / sizeof untrusted[0]; i++) {
        if (strstr(why, untrusted[i]))
            return "; name the file of its CA with --tls-ca";
    }
    return starttls || strstr(why, "certificate") ? "" : "; is this a port for TLS?";
}

static const char *ca_file_of(const struct im_tls *tls) {
    return tls->options->config->ca_file ? tls->options->config->ca_file : SYSTEM_CAS;
}

static enum im_err failed(const struct im_connection *c, const struct im_tls *tls, const char *why, struct im_error *e) {
    return im_error_set_at(e, IM_E_TLS, c->uri, 0, 0, "%s failed: %s (trusted CAs: %s)",
                           tls->starttls ? "StartTLS" : "the TLS handshake", why, ca_file_of(tls));
}

static enum im_err explain(const struct im_connection *c, const struct im_tls *tls, int rc, struct im_error *e) {
    char *diagnostic = NULL;
    struct im_buf why = IM_BUF_INIT;
    (void)ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
    bool is_useful = diagnostic && *diagnostic && !strstr(diagnostic, "unknown error");
    if (is_useful && diagnostic[strlen(diagnostic) - 1] == '.')
        diagnostic[strlen(diagnostic) - 1] = '\0';
    add_gnutls_reasons(heard, &why);
    if (!why.len && tls->starttls && rc > 0) {
        im_buf_addf(&why, "the server does not offer it (%s%s%s)", ldap_err2string(rc), is_useful ? ": " : "",
                    is_useful ? diagnostic : "");
    } else if (!why.len) {
        im_buf_addf(&why, "%s%s%s", heard, heard[0] && is_useful ? "; " : "", is_useful ? diagnostic : "");
        if (!why.len)
            im_buf_adds(&why, ldap_err2string(rc));
        im_buf_adds(&why, advice(im_buf_str(&why), tls->starttls));
    }
    enum im_err err = failed(c, tls, im_buf_str(&why), e);
    im_buf_free(&why);
    ldap_memfree(diagnostic);
    return err;
}

enum im_err im_tls_other_host(const struct im_connection *c, const struct im_tls *tls, const char *names, struct im_error *e) {
    struct im_buf why = IM_BUF_INIT;
    im_buf_addf(&why, "the certificate is for %s, not for %s: ", *names ? names : "no host name", c->host);
    im_buf_adds(&why, im_text_equal(c->host, "localhost")
                          ? "libldap takes localhost for this computer's own name, so use that or 127.0.0.1"
                          : "use a name that it was made for");
    enum im_err err = failed(c, tls, im_buf_str(&why), e);
    im_buf_free(&why);
    return err;
}

enum im_err im_tls_start(struct im_connection *c, const struct im_tls *tls, bool *is_other_host, struct im_error *e) {
    int rc = LDAP_SUCCESS;
    *is_other_host = false;
    enum im_err err = set_options(c->ld, ca_file_of(tls), e);
    if (err == IM_OK)
        err = negotiate(c, tls, &rc, e);
    if (err == IM_OK && rc != LDAP_SUCCESS) {
        *is_other_host = strstr(heard, "does not match") || strstr(heard, "common name");
        return *is_other_host ? IM_E_TLS : explain(c, tls, rc, e);
    }
    if (err == IM_OK)
        err = check_version(c->ld, e);
    im_error_where(e, c->uri);
    c->has_tls = err == IM_OK;
    return err;
}

void im_tls_peer_names(struct im_connection *c, const struct im_tls *tls, struct im_buf *out) {
    int never = LDAP_OPT_X_TLS_NEVER;
    int client = 0;
    int rc = LDAP_OTHER;
    struct berval der = {0, NULL};
    (void)ldap_set_option(c->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &never);
    (void)ldap_set_option(c->ld, LDAP_OPT_X_TLS_NEWCTX, &client);
    if (negotiate(c, tls, &rc, NULL) != IM_OK || rc != LDAP_SUCCESS)
        return;
    if (ldap_get_option(c->ld, LDAP_OPT_X_TLS_PEERCERT, &der) == LDAP_OPT_SUCCESS && der.bv_val)
        im_certificate_names(&der, out);
    ber_memfree(der.bv_val);
}
