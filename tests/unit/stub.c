#include "tests/unit/stub.h"

#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BIND = 0x60,
    UNBIND = 0x42,
    SEARCH = 0x63,
    MODIFY = 0x66,
    ADD = 0x68,
    BIND_ANSWER = 0x61,
    ENTRY = 0x64,
    SEARCH_ANSWER = 0x65,
    MODIFY_ANSWER = 0x67,
    ADD_ANSWER = 0x69,
    NO_RIGHT = 50,
    MOST_HELD = 1000,
};

struct request {
    ber_int_t msgid;
    ber_tag_t answer;
};

struct serving {
    int fd;
    Sockbuf *socket;
    const char *naming_context;
    struct request held[MOST_HELD];
    size_t held_count;
    BerElement *out; /* answers that travel together */
};

/* ---- answers ---- */

static void add_result(struct serving *s, struct request r, int code, const char *text) {
    (void)ber_printf(s->out, "{it{ess}}", r.msgid, r.answer, code, "", text);
}

/* values ends with NULL. */
static void add_attribute(BerElement *out, const char *name, const char *const *values) {
    (void)ber_printf(out, "{s[", name);
    for (; *values; values++)
        (void)ber_printf(out, "s", *values);
    (void)ber_printf(out, "]}");
}

static void begin_entry(struct serving *s, struct request r, const char *dn) {
    (void)ber_printf(s->out, "{it{s{", r.msgid, (ber_tag_t)ENTRY, dn);
}

static void end_entry(struct serving *s) {
    (void)ber_printf(s->out, "}}}");
}

static void flush(struct serving *s) {
    (void)ber_flush2(s->socket, s->out, LBER_FLUSH_FREE_ALWAYS);
    s->out = ber_alloc_t(LBER_USE_DER);
}

/* ---- requests ---- */

static void show_rootdse(struct serving *s, struct request r) {
    begin_entry(s, r, "");
    add_attribute(s->out, "objectClass", (const char *const[]){"top", "OpenLDAProotDSE", NULL});
    add_attribute(s->out, "namingContexts", (const char *const[]){s->naming_context, NULL});
    end_entry(s);
    add_result(s, r, 0, "");
}

static void show_part(struct serving *s, struct request r, const char *attribute) {
    begin_entry(s, r, "cn=parts");
    if (strcmp(attribute, "member;range=2-*") == 0) {
        add_attribute(s->out, "member;range=2-3", (const char *const[]){"c", "d", NULL});
    } else if (strcmp(attribute, "member;range=4-*") == 0) {
        add_attribute(s->out, "member;range=4-*", (const char *const[]){"e", NULL});
    } else {
        add_attribute(s->out, "member", (const char *const[]){NULL});
        add_attribute(s->out, "userCertificate;binary", (const char *const[]){"x", NULL});
        add_attribute(s->out, "member;range=0-1", (const char *const[]){"a", "b", NULL});
        add_attribute(s->out, "cn;lang-de", (const char *const[]){"teile", NULL});
    }
    end_entry(s);
    add_result(s, r, 0, "");
}

static void release(struct serving *s, struct request r) {
    add_result(s, r, 0, "");
    while (s->held_count)
        add_result(s, s->held[--s->held_count], 0, "");
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* False: the connection is to be cut. */
static bool answer(struct serving *s, struct request r, const char *dn, const char *attribute) {
    bool is_search = r.answer == SEARCH_ANSWER;
    if (begins(dn, "cn=cut"))
        return false;
    if (begins(dn, "cn=held")) {
        s->held[s->held_count++] = r;
    } else if (begins(dn, "cn=no")) {
        add_result(s, r, NO_RIGHT, "not you");
    } else if (begins(dn, "cn=release")) {
        release(s, r);
    } else if (begins(dn, "cn=parts")) {
        show_part(s, r, attribute);
    } else if (begins(dn, "cn=ok") && is_search) {
        begin_entry(s, r, dn);
        add_attribute(s->out, "sn", (const char *const[]){"ok", NULL});
        end_entry(s);
        add_result(s, r, 0, "");
    } else if (is_search && !*dn) {
        show_rootdse(s, r);
    } else {
        add_result(s, r, 0, "");
    }
    flush(s);
    return true;
}

static void read_attribute(BerElement *in, char *out, size_t size) {
    struct berval first = {0, NULL};
    ber_tag_t filter_tag;
    ber_len_t len;
    ber_int_t ignored;
    if (ber_scanf(in, "eeiib", &ignored, &ignored, &ignored, &ignored, &ignored) == LBER_ERROR)
        return;
    filter_tag = ber_skip_tag(in, &len);
    if (filter_tag == LBER_ERROR || len > 1000)
        return;
    char filter[1000];
    (void)ber_read(in, filter, len);
    if (ber_skip_tag(in, &len) != LBER_ERROR && len && ber_scanf(in, "m", &first) != LBER_ERROR)
        (void)snprintf(out, size, "%s", first.bv_val);
}

static bool take_request(struct serving *s, BerElement *in) {
    struct request r;
    struct berval dn = {0, NULL};
    char attribute[100] = "";
    ber_len_t len;
    if (ber_get_int(in, &r.msgid) == LBER_ERROR)
        return false;
    ber_tag_t kind = ber_skip_tag(in, &len);
    if (kind == BIND) {
        r.answer = BIND_ANSWER;
        add_result(s, r, 0, "");
        flush(s);
        return true;
    }
    r.answer = kind == SEARCH ? SEARCH_ANSWER : kind == MODIFY ? MODIFY_ANSWER : ADD_ANSWER;
    if (kind != SEARCH && kind != MODIFY && kind != ADD)
        return kind != UNBIND;
    if (ber_scanf(in, "m", &dn) == LBER_ERROR)
        return false;
    char name[200];
    (void)snprintf(name, sizeof name, "%s", dn.bv_val);
    if (kind == SEARCH)
        read_attribute(in, attribute, sizeof attribute);
    return answer(s, r, name, attribute);
}

static void serve(int fd, const char *naming_context) {
    static struct serving s;
    bool goes_on = true;
    s = (struct serving){.fd = fd, .socket = ber_sockbuf_alloc(), .naming_context = naming_context};
    s.out = ber_alloc_t(LBER_USE_DER);
    (void)ber_sockbuf_add_io(s.socket, &ber_sockbuf_io_tcp, LBER_SBIOD_LEVEL_PROVIDER, &s.fd);
    while (goes_on) {
        BerElement *in = ber_alloc_t(LBER_USE_DER);
        ber_len_t len;
        goes_on = ber_get_next(s.socket, &len, in) != LBER_ERROR && take_request(&s, in);
        ber_free(in, 1);
    }
    ber_free(s.out, 1);
    ber_sockbuf_free(s.socket);
    (void)close(fd);
}

/* ---- the process ---- */

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    (void)unlink(path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static void die_with_parent(void) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void socket_path(const struct stub *s, char *out, size_t size) {
    (void)snprintf(out, size, "%s/s", s->folder);
}

void stub_new(struct stub *s) {
    *s = (struct stub){.folder = "/tmp/imdir-stub-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    (void)snprintf(s->uri, sizeof s->uri, "ldapi://%%2Ftmp%%2F%s%%2Fs", s->folder + strlen("/tmp/"));
}

void stub_start(struct stub *s, const char *naming_context) {
    char path[100];
    socket_path(s, path, sizeof path);
    int fd = listen_at(path); /* before the fork: whoever connects from now on waits in the queue */
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        (void)signal(SIGCHLD, SIG_IGN);
        die_with_parent(); /* no test that fails leaves it behind */
        for (;;) {
            int connection = accept(fd, NULL, NULL);
            if (fork() == 0) {
                die_with_parent();
                serve(connection, naming_context);
                _exit(0);
            }
            (void)close(connection);
        }
    }
    (void)close(fd);
}

void stub_stop(struct stub *s) {
    char path[100];
    if (!s->pid)
        return;
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    s->pid = 0;
    socket_path(s, path, sizeof path);
    (void)unlink(path);
}

void stub_free(struct stub *s) {
    stub_stop(s);
    (void)rmdir(s->folder);
}
