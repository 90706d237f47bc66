/* SRV records for finding servers: in the order in which they are to be tried. */
#include "lib/probe/dns.h"

#include <string.h>

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

static enum im_err take(const struct im_dns_answer *answer, unsigned seed, struct im_pool *pool, struct im_srvs *out,
                        struct im_error *e) {
    struct im_srv *items = im_pool_array(pool, answer->count, sizeof *items);
    size_t count = 0;
    if (!items)
        return im_error_nomem(e);
    for (size_t i = 0; i < answer->count; i++) {
        const struct im_dns_record *r = &answer->records[i];
        if (*r->text) /* else a null target: the service is not offered */
            items[count++] = (struct im_srv){.target = r->text, .priority = r->priority, .weight = r->weight, .port = r->port};
    }
    draw(items, count, seed);
    *out = (struct im_srvs){items, count};
    return IM_OK;
}

static enum im_err failed(const struct im_dns_answer *answer, const char *name, struct im_error *e) {
    enum im_err err = im_error_set(e, IM_E_CONNECT, "looking up the SRV records of %s failed: %s", name,
                                   answer && answer->trouble ? answer->trouble : "nobody was asked");
    if (e && e->code == err && e->origin == IM_ORIGIN_NONE)
        e->origin = IM_ORIGIN_DNS;
    return err;
}

enum im_err im_dns_srv(const struct im_config *config, const char *name, unsigned seed, struct im_pool *pool, struct im_srvs *out,
                       struct im_error *e) {
    struct im_dns_facts facts = {.pool = NULL};
    struct im_dns_resolver *resolvers = NULL;
    size_t count = 0;
    const struct im_dns_answer *answer = NULL;
    enum im_err err = im_dns_resolvers(&config->dns_servers, pool, &resolvers, &count, e);
    if (err == IM_OK)
        err = im_dns_facts_begin(&facts, NULL, 0, resolvers, count, pool, e);
    if (err == IM_OK)
        err = im_dns_facts_want(&facts, name, IM_DNS_SRV, false, e);
    if (err == IM_OK)
        err = im_dns_ask(&(struct im_dns_asking){.timeout_s = config->dns_timeout_s, .is_one_enough = true}, &facts, e);
    if (err == IM_OK) {
        answer = im_dns_answer(&facts, name, IM_DNS_SRV);
        err = !answer || answer->state == IM_DNS_FAILED ? failed(answer, name, e) : take(answer, seed, pool, out, e);
    }
    im_dns_facts_free(&facts);
    return err;
}
