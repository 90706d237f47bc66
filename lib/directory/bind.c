#include "lib/directory/bind.h"

#include "lib/base/text.h"
#include "lib/directory/ldap_error.h"

#include <sasl/sasl.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_SSF = 56 };

struct binding {
    const struct im_connection *c;
    const struct im_live_options *options;
    int64_t deadline_ms;
    struct im_error *e;
};

static bool is_kerberos(const char *mechanism) {
    return im_text_equal(mechanism, "GSSAPI") || im_text_equal(mechanism, "GSS-SPNEGO");
}

static enum im_err refuse_clear_text(const struct binding *b, const char *how) {
    const struct im_connection *c = b->c;
    if (c->has_tls || c->is_ldapi || c->is_loopback || b->options->config->allow_cleartext)
        return IM_OK;
    return im_error_set_at(b->e, IM_E_USAGE, c->uri, 0, 0,
                           "%s would send the password in clear text: use ldaps://, --starttls, or --allow-cleartext", how);
}

/* What to do, where the text of the fault is known; else NULL. */
static const char *advice(const struct binding *b, int rc, const char *diagnostic) {
    static const char missing[] = "this mechanism is not installed here (Debian: libsasl2-modules, for Kerberos "
                                  "libsasl2-modules-gssapi-mit), or the server does not offer it";
    static const char too_weak[] = "this mechanism is not installed here, or not as strong as --sasl-options demands";
    static const char no_ticket[] = "there is no Kerberos ticket: run kinit, or choose another way to log on (--bind-dn, --sasl)";
    static const struct {
        const char *text, *advice;
    } rows[] = {
        {"Ticket expired", "the Kerberos ticket has expired: run kinit"},
        {"not found in Kerberos database",
         "Kerberos knows no server of this name: give the host name of a domain controller, not "
         "an address or alias"},
        {"Cannot contact any KDC", "no Kerberos server can be reached: check /etc/krb5.conf and DNS"},
        {"Cannot find KDC", "the Kerberos servers are not known: check /etc/krb5.conf and DNS"},
        {"Clock skew", "this computer's clock differs too much from the server's"},
        {"No Kerberos credentials", no_ticket},
        {"No credentials", no_ticket},
        {"credentials cache", no_ticket},
    };
    for (size_t i = 0; diagnostic && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcasestr(diagnostic, rows[i].text))
            return rows[i].advice;
    }
    if (rc != LDAP_AUTH_UNKNOWN)
        return NULL;
    return b->options->config->sasl_options ? too_weak : missing;
}

/* What kind of failure a result is: where only this server cannot serve us now, another one may. */
static enum im_err error_of(int rc) {
    if (rc == LDAP_SERVER_DOWN)
        return IM_E_LOST;
    return im_ldap_is_busy(rc) ? IM_E_CONNECT : IM_E_AUTH;
}

static enum im_err refused(const struct binding *b, int rc, const char *how, const char *diagnostic) {
    struct im_buf words = IM_BUF_INIT;
    const char *what_to_do = advice(b, rc, diagnostic);
    const char *name = rc >= 0 ? im_ldap_code_name(rc) : ldap_err2string(rc);
    bool has_text = diagnostic && *diagnostic;
    if (what_to_do) {
        im_buf_adds(&words, what_to_do);
    } else if (rc >= 0) {
        im_ldap_explain(rc, diagnostic, &words);
    } else {
        im_buf_adds(&words, name);
    }
    enum im_err code = im_error_set_at(b->e, error_of(rc), b->c->uri, 0, 0, "logging on with %s failed: %s [%s%s%s]", how,
                                       im_buf_str(&words), name, has_text ? ": " : "", has_text ? diagnostic : "");
    im_buf_free(&words);
    return code;
}

/* The handle's own text of its last fault, for faults that no answer of the server carries. */
static enum im_err refused_locally(const struct binding *b, int rc, const char *how) {
    char *diagnostic = NULL;
    (void)ldap_get_option(b->c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
    enum im_err err = refused(b, rc, how, diagnostic);
    ldap_memfree(diagnostic);
    return err;
}

static enum im_err wait_message(const struct binding *b, int msgid, LDAPMessage **out) {
    for (;;) {
        struct timeval now = {0, 0};
        int rc = ldap_result(b->c->ld, msgid, LDAP_MSG_ALL, &now, out);
        if (rc > 0)
            return IM_OK;
        if (rc < 0) {
            return im_error_set_at(b->e, IM_E_LOST, b->c->uri, 0, 0, "the server closed the connection during the log-on%s",
                                   b->c->has_tls || b->c->is_ldapi ? "" : "; a port for TLS wants ldaps://");
        }
        enum im_err err = im_wait_readable(b->c, b->deadline_ms, b->options->stop, b->e);
        if (err != IM_OK)
            return err;
    }
}

static enum im_err judge(const struct binding *b, LDAPMessage *message, const char *how) {
    int code = LDAP_OTHER;
    char *diagnostic = NULL;
    int rc = ldap_parse_result(b->c->ld, message, &code, NULL, &diagnostic, NULL, NULL, 0);
    enum im_err err = IM_OK;
    if (rc != LDAP_SUCCESS) {
        err = im_error_set_at(b->e, IM_E_PROTOCOL, b->c->uri, 0, 0, "the answer to the log-on makes no sense: %s",
                              ldap_err2string(rc));
    } else if (code != LDAP_SUCCESS) {
        err = refused(b, code, how, diagnostic);
    }
    ldap_memfree(diagnostic);
    return err;
}

static enum im_err bind_simple(const struct binding *b, const char *dn, const struct im_secret *password, const char *how) {
    struct berval value = im_secret_value(password);
    int msgid;
    LDAPMessage *message = NULL;
    int rc = ldap_sasl_bind(b->c->ld, dn, LDAP_SASL_SIMPLE, &value, NULL, NULL, &msgid);
    if (rc != LDAP_SUCCESS)
        return refused_locally(b, rc, how);
    enum im_err err = wait_message(b, msgid, &message);
    if (err == IM_OK)
        err = judge(b, message, how);
    (void)ldap_msgfree(message);
    return err;
}

static enum im_err simple(const struct binding *b) {
    const struct im_config *config = b->options->config;
    if (!config->bind_dn || !*config->bind_dn) /* servers take an empty name for an anonymous bind */
        return im_error_set(b->e, IM_E_USAGE, "a simple bind needs a name: --bind-dn DN");
    if (im_secret_value(b->options->password).bv_len == 0)
        return im_error_set(b->e, IM_E_USAGE, "a simple bind needs a password: --ask-password or --password-file FILE");
    enum im_err err = refuse_clear_text(b, "a simple bind");
    return err == IM_OK ? bind_simple(b, config->bind_dn, b->options->password, "a simple bind") : err;
}

/* Answers what a SASL mechanism asks. */
static int interact(LDAP *ld, unsigned flags, void *user, void *list) {
    (void)ld;
    (void)flags;
    const struct im_live_options *options = user;
    const struct im_config *config = options->config;
    for (sasl_interact_t *ask = list; ask->id != SASL_CB_LIST_END; ask++) {
        struct berval password = im_secret_value(options->password);
        const char *answer = NULL;
        if (ask->id == SASL_CB_AUTHNAME) {
            answer = config->sasl_user;
        } else if (ask->id == SASL_CB_GETREALM) {
            answer = config->sasl_realm;
        } else if (ask->id == SASL_CB_USER) {
            answer = config->sasl_authzid;
        } else if (ask->id == SASL_CB_PASS) {
            answer = password.bv_val;
        }
        if (!answer)
            answer = ask->defresult ? ask->defresult : "";
        ask->result = answer;
        ask->len = (unsigned)strlen(answer);
    }
    return LDAP_SUCCESS;
}

static bool sends_password(const char *mechanism) {
    return im_text_equal(mechanism, "PLAIN") || im_text_equal(mechanism, "LOGIN");
}

static bool needs_password(const char *mechanism) {
    static const char *const families[] = {"SCRAM-", "DIGEST-", "CRAM-", "PLAIN", "LOGIN", "NTLM"};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strncasecmp(mechanism, families[i], strlen(families[i])) == 0)
            return true;
    }
    return false;
}

static enum im_err set_security(const struct binding *b, const char *mechanism) {
    LDAP *ld = b->c->ld;
    const char *words = b->options->config->sasl_options;
    if (b->c->has_tls) {
        ber_len_t none = 0; /* one layer protects */
        (void)ldap_set_option(ld, LDAP_OPT_X_SASL_SSF_MAX, &none);
    }
    if (is_kerberos(mechanism) && b->c->has_tls) {
        int binding = LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT; /* what domain controllers demand inside TLS */
        (void)ldap_set_option(ld, LDAP_OPT_X_SASL_CBINDING, &binding);
    } else if (is_kerberos(mechanism) && !b->c->is_ldapi) {
        ber_len_t least = MIN_SSF;
        (void)ldap_set_option(ld, LDAP_OPT_X_SASL_SSF_MIN, &least);
    }
    if (sends_password(mechanism)) /* libldap forbids it by default; here it is known to be protected or allowed */
        (void)ldap_set_option(ld, LDAP_OPT_X_SASL_SECPROPS, "noanonymous");
    if (words && ldap_set_option(ld, LDAP_OPT_X_SASL_SECPROPS, words) != LDAP_OPT_SUCCESS) {
        return im_error_set(b->e, IM_E_USAGE,
                            "--sasl-options \"%s\": expected words such as minssf=56, maxssf=0, noplain, separated by commas",
                            words);
    }
    return IM_OK;
}

/* *rc is libldap's code where the mechanism cannot even be begun. */
static enum im_err sasl(const struct binding *b, const char *mechanism, int *rc) {
    LDAPMessage *message = NULL;
    const char *real_mechanism = NULL;
    enum im_err err = set_security(b, mechanism);
    *rc = LDAP_SUCCESS;
    while (err == IM_OK) {
        int msgid = 0;
        *rc = ldap_sasl_interactive_bind(b->c->ld, NULL, mechanism, NULL, NULL, LDAP_SASL_QUIET, interact,
                                         (void *)(uintptr_t)b->options, message, &real_mechanism, &msgid);
        if (*rc != LDAP_SASL_BIND_IN_PROGRESS)
            break;
        (void)ldap_msgfree(message);
        message = NULL;
        err = wait_message(b, msgid, &message);
    }
    if (err == IM_OK && *rc != LDAP_SUCCESS)
        err = refused_locally(b, *rc, mechanism);
    (void)ldap_msgfree(message);
    return err;
}

static enum im_err sasl_named(const struct binding *b, const char *mechanism) {
    int rc;
    if (needs_password(mechanism)) {
        const char *user = b->options->config->sasl_user;
        if (!user || !*user)
            return im_error_set(b->e, IM_E_USAGE, "%s needs a name: --sasl-user NAME", mechanism);
        if (im_secret_value(b->options->password).bv_len == 0)
            return im_error_set(b->e, IM_E_USAGE, "%s needs a password: --ask-password or --password-file FILE", mechanism);
    }
    enum im_err err = sends_password(mechanism) ? refuse_clear_text(b, mechanism) : IM_OK;
    return err == IM_OK ? sasl(b, mechanism, &rc) : err;
}

/* GSS-SPNEGO signs and seals as domain controllers like it best; GSSAPI where it is not there. */
static enum im_err kerberos(const struct binding *b, const char **mechanism) {
    int rc;
    struct im_error first = {.code = IM_OK};
    struct binding quiet = *b;
    quiet.e = &first;
    *mechanism = "GSS-SPNEGO";
    enum im_err err = sasl(&quiet, *mechanism, &rc);
    if (err == IM_E_AUTH && (rc == LDAP_AUTH_UNKNOWN || rc == LDAP_AUTH_METHOD_NOT_SUPPORTED)) {
        *mechanism = "GSSAPI";
        return sasl(b, *mechanism, &rc);
    }
    if (err != IM_OK && b->e && b->e->code == IM_OK)
        *b->e = first;
    return err;
}

static const char *sasl_identity(const struct im_connection *c, const char *mechanism, struct im_pool *pool) {
    char *name = NULL;
    if (ldap_get_option(c->ld, LDAP_OPT_X_SASL_USERNAME, &name) != LDAP_OPT_SUCCESS || !name)
        return im_pool_strdup(pool, mechanism);
    const char *identity = im_pool_printf(pool, "%s (%s)", name, mechanism);
    ldap_memfree(name);
    return identity;
}

enum im_err im_bind(const struct im_connection *c, const struct im_live_options *options, struct im_pool *pool,
                    const char **identity, struct im_error *e) {
    const struct im_config *config = options->config;
    struct binding b = {.c = c, .options = options, .e = e, .deadline_ms = im_clock_ms() + config->timeout_s * 1000};
    enum im_bind_method method = config->bind_method;
    const char *mechanism = config->sasl_mechanism;
    if (method == IM_BIND_DEFAULT)
        method = mechanism || !config->bind_dn ? IM_BIND_SASL : IM_BIND_SIMPLE;
    if (method == IM_BIND_SASL && !mechanism && c->is_ldapi)
        mechanism = "EXTERNAL";
    enum im_err err;
    if (method == IM_BIND_ANONYMOUS) {
        err = bind_simple(&b, "", NULL, "an anonymous bind");
    } else if (method == IM_BIND_SIMPLE) {
        err = simple(&b);
    } else if (mechanism) {
        err = sasl_named(&b, mechanism);
    } else {
        err = kerberos(&b, &mechanism);
    }
    if (err != IM_OK)
        return err;
    *identity = method == IM_BIND_ANONYMOUS ? "anonymous"
                : method == IM_BIND_SIMPLE  ? config->bind_dn
                                            : sasl_identity(c, mechanism, pool);
    return *identity ? IM_OK : im_error_nomem(e);
}
