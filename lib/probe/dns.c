#include "lib/probe/dns.h"

#include "lib/base/buf.h"

#define CARES_NO_DEPRECATED /* c-ares 1.28 and later prefer calls that 1.18 does not have */
#include <ares.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

enum { TRIES = 2, CLASS_IN = 1, TYPE_SRV = 33 };

struct question {
    const char *name;
    unsigned seed;
    struct im_pool *pool;
    struct im_srvs *out;
    struct im_error *e;
    int status;      /* c-ares' */
    enum im_err err; /* of taking the records */
};

static bool comes_before(const struct im_srv *a, const struct im_srv *b) {
    return a->priority != b->priority ? a->priority < b->priority : a->weight > b->weight;
}

/* RFC 2782: within a priority a record is drawn with a chance in proportion to its weight. */
static void draw(struct im_srv *items, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++) {
        unsigned long sum = items[i].weight + 1UL;
        size_t end = i + 1;
        for (; end < count && items[end].priority == items[i].priority; end++)
            sum += items[end].weight + 1UL;
        seed = seed * 1103515245U + 12345U;
        unsigned long mark = (seed >> 8) % sum;
        size_t chosen = i;
        for (unsigned long at = 0; chosen < end - 1; chosen++) {
            at += items[chosen].weight + 1UL;
            if (mark < at)
                break;
        }
        struct im_srv first = items[chosen];
        memmove(&items[i + 1], &items[i], (chosen - i) * sizeof *items);
        items[i] = first;
    }
}

static enum im_err take_records(struct question *q, const struct ares_srv_reply *records) {
    size_t count = 0;
    for (const struct ares_srv_reply *r = records; r; r = r->next)
        count++;
    struct im_srv *items = im_pool_array(q->pool, count, sizeof *items);
    if (!items)
        return im_error_nomem(q->e);
    count = 0;
    for (const struct ares_srv_reply *r = records; r; r = r->next) {
        size_t len = strlen(r->host);
        if (len == 0 || strcmp(r->host, ".") == 0)
            continue; /* a null target: the service is not offered */
        struct im_srv srv = {.priority = r->priority, .weight = r->weight, .port = r->port};
        srv.target = im_pool_strndup(q->pool, r->host, len - (r->host[len - 1] == '.'));
        if (!srv.target)
            return im_error_nomem(q->e);
        size_t at = count++;
        for (; at > 0 && comes_before(&srv, &items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = srv;
    }
    draw(items, count, q->seed);
    *q->out = (struct im_srvs){items, count};
    return IM_OK;
}

static void answered(void *user, int status, int timeouts, unsigned char *bytes, int len) {
    struct question *q = user;
    struct ares_srv_reply *records = NULL;
    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = ares_parse_srv_reply(bytes, len, &records);
    if (status == ARES_SUCCESS)
        q->err = take_records(q, records);
    q->status = status;
    if (records)
        ares_free_data(records);
}

static enum im_err set_servers(ares_channel channel, const struct im_strings *servers, struct im_error *e) {
    struct im_buf list = IM_BUF_INIT;
    for (size_t i = 0; i < servers->count; i++)
        im_buf_addf(&list, "%s%s", i ? "," : "", servers->items[i]);
    int status = list.len ? ares_set_servers_ports_csv(channel, im_buf_str(&list)) : ARES_SUCCESS;
    enum im_err err = IM_OK;
    if (list.failed) {
        err = im_error_nomem(e);
    } else if (status != ARES_SUCCESS) {
        err = im_error_set(e, IM_E_CONFIG, "dns.servers \"%s\": expected addresses with an optional port, such as 192.0.2.53:53",
                           im_buf_str(&list));
    }
    im_buf_free(&list);
    return err;
}

/* Until nothing is left to wait for; c-ares has the time-outs. */
static void wait_all(ares_channel channel) {
    for (;;) {
        fd_set readers;
        fd_set writers;
        FD_ZERO(&readers);
        FD_ZERO(&writers);
        int count = ares_fds(channel, &readers, &writers);
        if (count == 0)
            return;
        struct timeval left;
        (void)select(count, &readers, &writers, NULL, ares_timeout(channel, NULL, &left));
        ares_process(channel, &readers, &writers);
    }
}

static enum im_err ask(const struct im_config *config, struct question *q, int flags) {
    struct ares_options options = {
        .timeout = (int)config->dns_timeout_s * 1000, .tries = TRIES, .flags = ARES_FLAG_NOSEARCH | flags};
    ares_channel channel;
    int status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS);
    if (status != ARES_SUCCESS)
        return im_error_set(q->e, IM_E_INTERNAL, "the resolver cannot be set up: %s", ares_strerror(status));
    enum im_err err = set_servers(channel, &config->dns_servers, q->e);
    if (err == IM_OK) {
        ares_query(channel, q->name, CLASS_IN, TYPE_SRV, answered, q);
        wait_all(channel);
    }
    ares_destroy(channel);
    return err;
}

static enum im_err judge(struct question *q) {
    if (q->status == ARES_SUCCESS)
        return q->err;
    if (q->status == ARES_ENOTFOUND || q->status == ARES_ENODATA) {
        *q->out = (struct im_srvs){NULL, 0};
        return IM_OK;
    }
    if (q->status == ARES_ENOMEM)
        return im_error_nomem(q->e);
    enum im_err err =
        im_error_set(q->e, IM_E_CONNECT, "looking up the SRV records of %s failed: %s", q->name, ares_strerror(q->status));
    if (q->e && q->e->code == err && q->e->origin == IM_ORIGIN_NONE) {
        q->e->origin = IM_ORIGIN_DNS;
        q->e->system = q->status;
    }
    return err;
}

enum im_err im_dns_srv(const struct im_config *config, const char *name, unsigned seed, struct im_pool *pool, struct im_srvs *out,
                       struct im_error *e) {
    struct question q = {.name = name, .seed = seed, .pool = pool, .out = out, .e = e, .status = ARES_ECANCELLED};
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS)
        return im_error_set(e, IM_E_INTERNAL, "the resolver cannot be set up: %s", ares_strerror(status));
    enum im_err err = ask(config, &q, 0);
    /* Having tried all servers, c-ares says only that none was of use. Asked again without trying the next, it says why. */
    if (err == IM_OK && q.status == ARES_ECONNREFUSED)
        err = ask(config, &q, ARES_FLAG_NOCHECKRESP);
    ares_library_cleanup();
    return err == IM_OK ? judge(&q) : err;
}
