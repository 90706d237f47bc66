#include "lib/probe/dns_survey.h"

#include "lib/probe/dns.h"
#include "lib/probe/dns_plan.h"

static enum im_err begin(const struct im_dns_wanted *wanted, struct im_pool *pool, struct im_dns_facts *out, struct im_error *e) {
    struct im_dns_resolver *resolvers = NULL;
    size_t count = 0;
    enum im_err err = im_dns_resolvers(&wanted->resolvers, pool, &resolvers, &count, e);
    return err == IM_OK ? im_dns_facts_begin(out, wanted->srv, wanted->srv_count, resolvers, count, pool, e) : err;
}

enum im_err im_dns_gather(const struct im_dns_wanted *wanted, struct im_pool *pool, struct im_dns_facts *out,
                          struct im_error *e) {
    const struct im_dns_asking asking = {.timeout_s = wanted->timeout_s, .stop = wanted->stop};
    size_t count = 0;
    enum im_err err = out->index ? IM_OK : begin(wanted, pool, out, e);
    if (err == IM_OK)
        err = im_dns_plan(wanted, out, &count, e);
    while (err == IM_OK && count > 0) {
        out->rounds++;
        err = im_dns_ask(&asking, out, e);
        if (err == IM_OK)
            err = im_dns_plan(wanted, out, &count, e);
    }
    return err;
}
