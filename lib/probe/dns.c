#include "lib/probe/dns.h"

#include "lib/base/vec.h"
#include "lib/probe/dns_impl.h"

#define CARES_NO_DEPRECATED /* c-ares 1.28 and later prefer calls that 1.18 does not have */
#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    TRIES = 2,
    TRY_PARTS = 3,   /* c-ares doubles the time of the second try: both together take the whole */
    IN_FLIGHT = 128, /* to one resolver: more would not fit into its socket's buffer */
    LONGEST_REST_US = 250000,
    CLASS_IN = 1,
};

/* c-ares escapes what else would be taken for something it is not. The final dot goes. */
static const char *escape_blanks(const char *name, struct im_pool *pool) {
    size_t len = strlen(name);
    char *copy = im_pool_alloc(pool, 4 * len + 1);
    size_t used = 0;
    len -= len > 0 && name[len - 1] == '.' && (len == 1 || name[len - 2] != '\\');
    for (size_t i = 0; copy && i < len; i++) {
        const char *text = name[i] == ' ' ? "\\032" : &name[i];
        size_t count = name[i] == ' ' ? 4 : 1;
        memcpy(copy + used, text, count);
        used += count;
    }
    return copy;
}

const char *im_dns_expand_name(const unsigned char *bytes, size_t len, size_t at, struct im_pool *pool, size_t *end,
                               bool *is_out_of_memory) {
    char *name = NULL;
    long used = 0;
    int status = at < len ? ares_expand_name(bytes + at, bytes, (int)len, &name, &used) : ARES_EBADNAME;
    if (status != ARES_SUCCESS) {
        *is_out_of_memory = *is_out_of_memory || status == ARES_ENOMEM;
        return NULL;
    }
    const char *copy = escape_blanks(name, pool);
    *is_out_of_memory = *is_out_of_memory || !copy;
    ares_free_string(name);
    *end = at + (size_t)used;
    return copy;
}

/* ---- who is asked ---- */

/* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353": whether it is an address, c-ares says later. */
static bool read_resolver(const char *text, struct im_pool *pool, struct im_dns_resolver *out) {
    const char *address = text;
    size_t len = strlen(text);
    const char *port = NULL;
    const char *colon = strrchr(text, ':');
    if (*text == '[' && strchr(text, ']')) {
        address = text + 1;
        len = (size_t)(strchr(text, ']') - address);
        port = address[len + 1] == ':' ? address + len + 2 : NULL;
    } else if (colon && colon == strchr(text, ':')) {
        len = (size_t)(colon - text);
        port = colon + 1;
    }
    *out = (struct im_dns_resolver){.name = im_pool_strdup(pool, text),
                                    .address = im_pool_strndup(pool, address, len),
                                    .port = im_pool_strdup(pool, port),
                                    .is_given = true};
    return out->name && out->address && (out->port || !port);
}

static enum im_err cares_trouble(int status, struct im_error *e) {
    return status == ARES_ENOMEM ? im_error_nomem(e)
                                 : im_error_set(e, IM_E_INTERNAL, "the resolver cannot be set up: %s", ares_strerror(status));
}

static enum im_err take_system(const struct ares_addr_port_node *list, struct im_pool *pool, struct im_dns_resolver **out,
                               size_t *count, struct im_error *e) {
    size_t all = 0;
    size_t taken = 0;
    for (const struct ares_addr_port_node *n = list; n; n = n->next)
        all++;
    struct im_dns_resolver *items = im_pool_array(pool, all, sizeof *items);
    if (!items)
        return im_error_nomem(e);
    for (const struct ares_addr_port_node *n = list; n; n = n->next) {
        char text[INET6_ADDRSTRLEN];
        if (!inet_ntop(n->family, &n->addr, text, sizeof text))
            continue;
        const char *copy = im_pool_strdup(pool, text);
        if (!copy)
            return im_error_nomem(e);
        items[taken++] = (struct im_dns_resolver){.name = copy, .address = copy};
    }
    *out = items;
    *count = taken;
    return IM_OK;
}

static enum im_err system_resolvers(struct im_pool *pool, struct im_dns_resolver **out, size_t *count, struct im_error *e) {
    struct ares_addr_port_node *list = NULL;
    ares_channel channel;
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS)
        return cares_trouble(status, e);
    status = ares_init(&channel);
    if (status == ARES_SUCCESS) {
        status = ares_get_servers_ports(channel, &list);
        ares_destroy(channel);
    }
    enum im_err err = status == ARES_SUCCESS ? take_system(list, pool, out, count, e) : cares_trouble(status, e);
    if (list)
        ares_free_data(list);
    ares_library_cleanup();
    return err;
}

enum im_err im_dns_resolvers(const struct im_strings *given, struct im_pool *pool, struct im_dns_resolver **out, size_t *count,
                             struct im_error *e) {
    if (!given->count)
        return system_resolvers(pool, out, count, e);
    struct im_dns_resolver *items = im_pool_array(pool, given->count, sizeof *items);
    for (size_t i = 0; i < given->count; i++) {
        if (!items || !read_resolver(given->items[i], pool, &items[i]))
            return im_error_nomem(e);
    }
    *out = items;
    *count = given->count;
    return IM_OK;
}

/* ---- asking ---- */

enum { UDP, TCP, CHANNELS };

struct asker {
    struct asking *asking;
    struct im_dns_resolver *resolver;
    ares_channel channels[CHANNELS];
    bool is_open[CHANNELS];
    bool has_answered;
    bool is_silent; /* a query was given up before anything was answered */
    size_t in_flight;
    size_t next;          /* of the facts' answers */
    struct query *by_tcp; /* came truncated */
};

/* One query on its way. */
struct query {
    struct asker *asker;
    struct im_dns_answer *answer;
    struct query *next; /* in by_tcp */
    bool is_tcp;
};

struct asking {
    const struct im_dns_asking *how;
    struct im_dns_facts *facts;
    struct asker *askers;  /* one a resolver */
    const char *no_answer; /* "no answer within 2 seconds" */
    struct {
        struct pollfd *items;
        size_t count, cap;
    } places;
    struct {
        ares_channel *items; /* of each place */
        size_t count, cap;
    } owners;
    bool is_over; /* what comes back now was cancelled */
    enum im_err err;
    struct im_error *e;
};

static const char *words(const struct asking *a, int status) {
    switch (status) {
    case ARES_ETIMEOUT:
        return a->no_answer;
    case ARES_ECONNREFUSED:
        return "no name server listens there";
    case ARES_EBADRESP:
    case ARES_EFORMERR:
        return "a malformed answer";
    default:
        return ares_strerror(status);
    }
}

static enum im_err fail_by_tcp(struct query *q, const char *why) {
    const char *text = im_pool_printf(q->asker->asking->facts->pool, "truncated, and by TCP: %s", why);
    im_dns_fail(q->answer, text);
    return text ? IM_OK : im_error_nomem(q->asker->asking->e);
}

static enum im_err take_message(struct query *q, const unsigned char *bytes, size_t len) {
    struct asking *a = q->asker->asking;
    bool is_truncated = false;
    enum im_err err = im_dns_read(q->answer, bytes, len, a->facts->pool, &is_truncated, a->e);
    if (err == IM_OK && is_truncated && q->is_tcp)
        return fail_by_tcp(q, "truncated again");
    if (err == IM_OK && is_truncated) {
        q->next = q->asker->by_tcp;
        q->asker->by_tcp = q;
    }
    return err;
}

static enum im_err take_failure(struct query *q, int status) {
    struct asker *asker = q->asker;
    const struct asking *a = asker->asking;
    if (status == ARES_ENOMEM)
        return im_error_nomem(a->e);
    if (q->is_tcp)
        return fail_by_tcp(q, words(a, status));
    asker->has_answered = asker->has_answered || status == ARES_EBADRESP || status == ARES_EFORMERR;
    im_dns_fail(q->answer, words(a, status));
    if (!asker->has_answered) {
        asker->is_silent = true;
        asker->resolver->trouble = q->answer->trouble;
    }
    return IM_OK;
}

static void answered(void *user, int status, int timeouts, unsigned char *bytes, int len) {
    struct query *q = user;
    struct asking *a = q->asker->asking;
    enum im_err err = IM_OK;
    q->asker->in_flight--;
    if (a->is_over || status == ARES_ECANCELLED || status == ARES_EDESTRUCTION)
        return;
    q->answer->is_retried = q->answer->is_retried || timeouts > 0;
    if (bytes && len > 0) {
        q->asker->has_answered = true;
        err = take_message(q, bytes, (size_t)len);
    } else {
        err = take_failure(q, status);
    }
    if (a->err == IM_OK)
        a->err = err;
}

static bool is_address(const char *text) {
    unsigned char bytes[sizeof(struct in6_addr)];
    char bare[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "%");
    if (len >= sizeof bare)
        return false;
    memcpy(bare, text, len);
    bare[len] = '\0';
    return inet_pton(AF_INET, bare, bytes) == 1 || inet_pton(AF_INET6, bare, bytes) == 1;
}

static bool is_port(const char *text) {
    size_t len = strspn(text, "0123456789");
    unsigned long value = len > 0 && len < 6 && !text[len] ? strtoul(text, NULL, 10) : 0;
    return value > 0 && value <= UINT16_MAX;
}

static enum im_err set_server(ares_channel channel, const struct im_dns_resolver *r, struct im_error *e) {
    char text[128];
    int len = snprintf(text, sizeof text, strchr(r->address, ':') ? "[%s]:%s" : "%s:%s", r->address, r->port ? r->port : "53");
    if (len > 0 && (size_t)len < sizeof text && is_address(r->address) && (!r->port || is_port(r->port)) &&
        ares_set_servers_ports_csv(channel, text) == ARES_SUCCESS)
        return IM_OK;
    return im_error_set(e, IM_E_CONFIG,
                        "\"%s\" is no address of a name server: expected an address with an optional port, such as 192.0.2.53:53",
                        r->name);
}

static enum im_err open_channel(struct asker *asker, int kind) {
    const struct asking *a = asker->asking;
    if (asker->is_open[kind])
        return IM_OK;
    struct ares_options options = {
        .timeout = (int)(a->how->timeout_s * 1000 / TRY_PARTS),
        .tries = TRIES,
        .flags =
            ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | (kind == TCP ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC),
    };
    int status = ares_init_options(&asker->channels[kind], &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS);
    if (status != ARES_SUCCESS)
        return cares_trouble(status, a->e);
    asker->is_open[kind] = true;
    return set_server(asker->channels[kind], asker->resolver, a->e);
}

static enum im_err send_query(struct query *q) {
    struct asker *asker = q->asker;
    int kind = q->is_tcp ? TCP : UDP;
    enum im_err err = open_channel(asker, kind);
    if (err != IM_OK)
        return err;
    asker->in_flight++;
    asker->asking->facts->asks++;
    ares_query(asker->channels[kind], q->answer->name, CLASS_IN, im_dns_type_number(q->answer->type), answered, q);
    return IM_OK;
}

/* The next answer that this one is to give; NULL: there is none. */
static struct im_dns_answer *next_answer(struct asker *asker) {
    const struct im_dns_facts *facts = asker->asking->facts;
    size_t own = (size_t)(asker - asker->asking->askers);
    while (asker->next < facts->answers.count) {
        struct im_dns_answer *answer = facts->answers.items[asker->next++];
        if (answer->resolver == own && answer->state == IM_DNS_NOT_ASKED)
            return answer;
    }
    return NULL;
}

static void bury(struct asker *asker) {
    const struct im_dns_facts *facts = asker->asking->facts;
    size_t own = (size_t)(asker - asker->asking->askers);
    asker->resolver->is_dead = true;
    asker->is_silent = false;
    if (asker->is_open[UDP])
        ares_cancel(asker->channels[UDP]);
    for (size_t i = 0; i < facts->answers.count; i++) {
        struct im_dns_answer *answer = facts->answers.items[i];
        if (answer->resolver == own && answer->state == IM_DNS_NOT_ASKED)
            im_dns_fail(answer, asker->resolver->trouble);
    }
}

static enum im_err send_more(struct asker *asker) {
    struct asking *a = asker->asking;
    enum im_err err = IM_OK;
    struct query *q;
    while ((q = asker->by_tcp) && err == IM_OK) {
        asker->by_tcp = q->next;
        q->is_tcp = true;
        err = send_query(q);
    }
    while (err == IM_OK && a->err == IM_OK && !asker->is_silent && asker->in_flight < IN_FLIGHT) {
        struct im_dns_answer *answer = next_answer(asker);
        if (!answer)
            break;
        q = im_pool_alloc(a->facts->pool, sizeof *q);
        if (!q)
            return im_error_nomem(a->e);
        *q = (struct query){.asker = asker, .answer = answer};
        err = send_query(q);
    }
    return err;
}

/* Sends what can be sent. *is_busy: something is on its way. */
static enum im_err advance(struct asking *a, bool *is_busy) {
    *is_busy = false;
    for (size_t i = 0; i < a->facts->resolver_count; i++) {
        struct asker *asker = &a->askers[i];
        enum im_err err = asker->is_silent || asker->resolver->is_dead ? IM_OK : send_more(asker);
        if (err != IM_OK)
            return err;
        if (asker->is_silent || asker->resolver->is_dead)
            bury(asker);
        *is_busy = *is_busy || asker->in_flight;
    }
    return IM_OK;
}

static bool add_places(struct asking *a, ares_channel channel) {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned bits = (unsigned)ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        bool reads = bits >> i & 1; /* the macros for this shift into the sign */
        bool writes = bits >> (i + ARES_GETSOCK_MAXNUM) & 1;
        short events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
        if (!events)
            continue;
        struct pollfd *place = im_vec_push(&a->places);
        ares_channel *owner = place ? im_vec_push(&a->owners) : NULL;
        if (!owner)
            return false;
        *place = (struct pollfd){.fd = sockets[i], .events = events};
        *owner = channel;
    }
    return true;
}

/* Until something can be read, c-ares has a time-out to deal with, or the stop flag wants to be looked at. */
static enum im_err rest(struct asking *a) {
    struct timeval longest = {.tv_usec = LONGEST_REST_US};
    a->places.count = a->owners.count = 0;
    for (size_t i = 0; i < CHANNELS * a->facts->resolver_count; i++) {
        const struct asker *asker = &a->askers[i / CHANNELS];
        struct timeval left;
        if (!asker->is_open[i % CHANNELS])
            continue;
        if (!add_places(a, asker->channels[i % CHANNELS]))
            return im_error_nomem(a->e);
        longest = *ares_timeout(asker->channels[i % CHANNELS], &longest, &left);
    }
    (void)poll(a->places.items, (nfds_t)a->places.count, (int)(longest.tv_sec * 1000 + longest.tv_usec / 1000 + 1));
    return IM_OK;
}

static void process(struct asking *a) {
    for (size_t i = 0; i < a->places.count; i++) {
        const struct pollfd *place = &a->places.items[i];
        ares_socket_t readable = place->revents & ~POLLOUT ? place->fd : ARES_SOCKET_BAD;
        ares_socket_t writable = place->revents & POLLOUT ? place->fd : ARES_SOCKET_BAD;
        if (place->revents)
            ares_process_fd(a->owners.items[i], readable, writable);
    }
    for (size_t i = 0; i < CHANNELS * a->facts->resolver_count; i++) {
        if (a->askers[i / CHANNELS].is_open[i % CHANNELS])
            ares_process_fd(a->askers[i / CHANNELS].channels[i % CHANNELS], ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
}

/* One name: the first resolver in order that knows something has answered. */
static bool is_enough(const struct asking *a) {
    for (size_t i = 0; a->how->is_one_enough && i < a->facts->answers.count; i++) {
        enum im_dns_state state = a->facts->answers.items[i]->state;
        if (state != IM_DNS_FAILED)
            return state != IM_DNS_NOT_ASKED;
    }
    return false;
}

static enum im_err ask_all(struct asking *a) {
    bool is_busy = true;
    while (a->err == IM_OK) {
        a->err = advance(a, &is_busy);
        if (a->err != IM_OK || !is_busy || is_enough(a))
            break;
        if (a->how->stop && *a->how->stop)
            return im_error_set(a->e, IM_E_INTERRUPTED, "stopped while name servers were asked");
        a->err = rest(a);
        if (a->err == IM_OK)
            process(a);
    }
    return a->err;
}

static void close_all(struct asking *a) {
    a->is_over = true;
    for (size_t i = 0; a->askers && i < CHANNELS * a->facts->resolver_count; i++) {
        if (a->askers[i / CHANNELS].is_open[i % CHANNELS])
            ares_destroy(a->askers[i / CHANNELS].channels[i % CHANNELS]);
    }
    im_vec_free(&a->places);
    im_vec_free(&a->owners);
    free(a->askers);
}

enum im_err im_dns_ask(const struct im_dns_asking *how, struct im_dns_facts *facts, struct im_error *e) {
    struct asking a = {.how = how, .facts = facts, .e = e};
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS)
        return cares_trouble(status, e);
    a.askers = calloc(facts->resolver_count + 1, sizeof *a.askers);
    a.no_answer = im_pool_printf(facts->pool, "no answer within %ld second%s", how->timeout_s, how->timeout_s == 1 ? "" : "s");
    for (size_t i = 0; a.askers && i < facts->resolver_count; i++)
        a.askers[i] = (struct asker){.asking = &a, .resolver = &facts->resolvers[i]};
    enum im_err err = a.askers && a.no_answer ? ask_all(&a) : im_error_nomem(e);
    close_all(&a);
    ares_library_cleanup();
    return err;
}
