/* DNS messages: whatever comes gives an answer that is found, none, or unknown with a reason, twice the same; texts are printable
 * and records in order. The first byte chooses the type that was asked for. */
#include "lib/probe/dns.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_text(const char *text) {
    MUST(text);
    for (; *text; text++)
        MUST(*text > ' ' && *text < 0x7F);
}

static void check(const struct im_dns_answer *answer) {
    bool has_records = answer->state == IM_DNS_FOUND;
    MUST(answer->state != IM_DNS_NOT_ASKED && has_records == (answer->count > 0));
    MUST((answer->state == IM_DNS_FAILED) == (answer->trouble != NULL));
    for (size_t i = 0; i < answer->count; i++) {
        const struct im_dns_record *r = &answer->records[i];
        check_text(r->text);
        MUST(answer->type == IM_DNS_SRV || *r->text);
        MUST(i == 0 || r[-1].priority < r->priority || (r[-1].priority == r->priority && r[-1].weight >= r->weight));
    }
    for (size_t i = 0; i < answer->alias_count; i++)
        check_text(answer->aliases[i]);
}

static struct im_dns_answer read_once(const uint8_t *data, size_t size, struct im_pool *pool, bool *is_truncated) {
    struct im_dns_answer answer = {.name = "_rvp._tcp.corp.example", .type = (enum im_dns_type)(data[0] % 3)};
    MUST(im_dns_read(&answer, data + 1, size - 1, pool, is_truncated, NULL) == IM_OK);
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_pool *pool = im_pool_new();
    bool is_truncated = false;
    bool again = false;
    MUST(pool);
    if (size > 0) {
        struct im_dns_answer first = read_once(data, size, pool, &is_truncated);
        struct im_dns_answer second = read_once(data, size, pool, &again);
        MUST(is_truncated == again && first.state == second.state && first.count == second.count);
        if (!is_truncated)
            check(&first);
    }
    im_pool_free(&pool);
    return 0;
}
