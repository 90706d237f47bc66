#include "lib/model/dns_facts.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_records(const void *a, const void *b) {
    const struct im_dns_record *x = a;
    const struct im_dns_record *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    int order = im_text_compare(x->text, y->text);
    return order ? order : (int)x->port - (int)y->port;
}

void im_dns_sort(struct im_dns_record *records, size_t count) {
    if (count)
        qsort(records, count, sizeof *records, compare_records);
}

const char *im_dns_type_name(enum im_dns_type type) {
    static const char *const names[] = {"A", "AAAA", "SRV"};
    return names[type];
}

const char *im_dns_state_name(enum im_dns_state state) {
    static const char *const names[] = {"not asked", "found", "NXDOMAIN", "no data", "failed"};
    return names[state];
}

enum im_err im_dns_facts_begin(struct im_dns_facts *out, const struct im_profile_srv *srv, size_t srv_count,
                               const struct im_dns_resolver *resolvers, size_t resolver_count, struct im_pool *pool,
                               struct im_error *e) {
    struct im_dns_resolver *own = im_pool_array(pool, resolver_count, sizeof *own);
    struct im_index *index = own ? im_index_new() : NULL;
    if (!index)
        return im_error_nomem(e);
    for (size_t i = 0; i < resolver_count; i++)
        own[i] = resolvers[i];
    *out = (struct im_dns_facts){
        .pool = pool, .srv = srv, .srv_count = srv_count, .resolvers = own, .resolver_count = resolver_count, .index = index};
    im_hash_seed(out->seed);
    return IM_OK;
}

void im_dns_facts_free(struct im_dns_facts *facts) {
    im_index_free(&facts->index);
    im_vec_free(&facts->answers);
    *facts = (struct im_dns_facts){.pool = NULL};
}

/* ---- finding answers ---- */

static uint64_t hash(const struct im_dns_facts *facts, size_t resolver, const char *name, enum im_dns_type type) {
    uint64_t parts[] = {im_hash(name, strlen(name), facts->seed), resolver, (uint64_t)type};
    uint64_t sum = im_hash(parts, sizeof parts, facts->seed);
    return sum ? sum : 1;
}

/* By the name as the answer has it. */
static struct im_dns_answer *find(const struct im_dns_facts *facts, size_t resolver, const char *name, enum im_dns_type type) {
    const struct im_index_item *item = im_index_find(facts->index, hash(facts, resolver, name, type));
    return item ? facts->answers.items[item->a] : NULL;
}

/* Names that DNS cannot hold are kept as they came. */
static const char *canonical(const char *name, char ascii[IM_HOSTNAME_SIZE]) {
    return im_hostname_ascii(name, ascii) ? ascii : name;
}

const struct im_dns_answer *im_dns_answer_of(const struct im_dns_facts *facts, size_t resolver, const char *name,
                                             enum im_dns_type type) {
    char ascii[IM_HOSTNAME_SIZE];
    return find(facts, resolver, canonical(name, ascii), type);
}

const struct im_dns_answer *im_dns_answer(const struct im_dns_facts *facts, const char *name, enum im_dns_type type) {
    char ascii[IM_HOSTNAME_SIZE];
    const char *known_as = canonical(name, ascii);
    const struct im_dns_answer *first = NULL;
    for (size_t i = 0; i < facts->resolver_count; i++) {
        const struct im_dns_answer *answer = find(facts, i, known_as, type);
        if (!answer || answer->state == IM_DNS_NOT_ASKED)
            continue;
        if (answer->state != IM_DNS_FAILED)
            return answer;
        if (!first)
            first = answer;
    }
    return first;
}

struct im_dns_addresses im_dns_addresses(const struct im_dns_facts *facts, const char *name) {
    struct im_dns_addresses all = {.v4 = im_dns_answer(facts, name, IM_DNS_A), .v6 = im_dns_answer(facts, name, IM_DNS_AAAA)};
    enum im_dns_state v4 = all.v4 ? all.v4->state : IM_DNS_NOT_ASKED;
    enum im_dns_state v6 = all.v6 ? all.v6->state : IM_DNS_NOT_ASKED;
    if (v4 == IM_DNS_FOUND || v6 == IM_DNS_FOUND) {
        all.state = IM_DNS_FOUND;
    } else if (v4 == IM_DNS_FAILED || v6 == IM_DNS_FAILED) {
        all.state = IM_DNS_FAILED;
    } else {
        all.state = v4 == IM_DNS_NOT_ASKED || v6 == IM_DNS_NOT_ASKED ? IM_DNS_NOT_ASKED : v4;
    }
    return all;
}

static bool print_name(char out[IM_DNS_NAME_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool print_name(char out[IM_DNS_NAME_SIZE], const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(out, IM_DNS_NAME_SIZE, format, args);
    va_end(args);
    return len > 0 && len < IM_DNS_NAME_SIZE;
}

bool im_dns_srv_name(const char *label, const char *domain, char out[IM_DNS_NAME_SIZE]) {
    char ascii[IM_HOSTNAME_SIZE];
    return im_hostname_ascii(domain, ascii) && print_name(out, "%s.%s", label, ascii);
}

/* The label is of the form _service._proto: a profile has no other. */
bool im_dns_srv_mistake(size_t n, const char *label, const char *domain, char out[IM_DNS_NAME_SIZE]) {
    char ascii[IM_HOSTNAME_SIZE];
    const char *dot = strchr(label, '.');
    if (!dot || !im_hostname_ascii(domain, ascii))
        return false;
    int service = (int)(dot - label);
    switch (n) {
    case 0:
        return print_name(out, "%.*s%s.%s", service, label, dot + 1, ascii);
    case 1:
        return print_name(out, "%.*s%s.%s", service - 1, label + 1, dot, ascii);
    case 2:
        return print_name(out, "%.*s.%s.%s", service, label, dot + 2, ascii);
    case 3:
        return print_name(out, "%.*s.%s.%s", service, label, im_text_equal(dot, "._tcp") ? "_udp" : "_tcp", ascii);
    default: /* the final dot of the owner is missing in the zone file */
        return print_name(out, "%s.%s.%s", label, ascii, ascii);
    }
}

/* "label.domain", or the domain where it is no name: such were asked for as they are. */
static const struct im_dns_answer *srv_at(const struct im_dns_facts *facts, const char *label, const char *domain) {
    char name[IM_DNS_NAME_SIZE];
    return im_dns_answer(facts, im_dns_srv_name(label, domain, name) ? name : domain, IM_DNS_SRV);
}

const struct im_dns_answer *im_dns_srv_of(const struct im_dns_facts *facts, const char *domain) {
    const struct im_dns_answer *best = NULL;
    for (size_t i = 0; i < facts->srv_count; i++) {
        const struct im_dns_answer *answer = srv_at(facts, facts->srv[i].label, domain);
        if (!answer)
            continue;
        if (answer->state == IM_DNS_FOUND)
            return answer;
        if (!best || (answer->state == IM_DNS_FAILED && best->state != IM_DNS_FAILED))
            best = answer;
    }
    return best;
}

const char *im_dns_srv_target(const struct im_dns_facts *facts, const char *domain, enum im_dns_state *state) {
    const struct im_dns_answer *answer = im_dns_srv_of(facts, domain);
    *state = answer ? answer->state : IM_DNS_NOT_ASKED;
    return answer && answer->count && answer->records[0].text[0] ? answer->records[0].text : NULL;
}

/* ---- filling ---- */

static enum im_err add(struct im_dns_facts *facts, const struct im_dns_answer *answer, struct im_error *e) {
    struct im_dns_answer *own = im_pool_alloc(facts->pool, sizeof *own);
    struct im_dns_answer **place = own ? im_vec_push(&facts->answers) : NULL;
    bool is_new;
    struct im_index_item *item =
        place ? im_index_put(facts->index, hash(facts, answer->resolver, answer->name, answer->type), &is_new) : NULL;
    if (!item) {
        facts->answers.count -= place != NULL;
        return im_error_nomem(e);
    }
    item->a = (uint32_t)facts->answers.count - 1;
    *own = *answer;
    *place = own;
    return IM_OK;
}

enum im_err im_dns_facts_want(struct im_dns_facts *facts, const char *name, enum im_dns_type type, bool is_aside,
                              struct im_error *e) {
    char ascii[IM_HOSTNAME_SIZE];
    bool is_name = im_hostname_ascii(name, ascii);
    struct im_dns_answer answer = {.type = type,
                                   .is_aside = is_aside,
                                   .state = is_name ? IM_DNS_NOT_ASKED : IM_DNS_FAILED,
                                   .trouble = is_name ? NULL : "DNS cannot hold such a name"};
    for (size_t i = 0; i < facts->resolver_count; i++) {
        struct im_dns_answer *known = find(facts, i, is_name ? ascii : name, type);
        if (known) {
            known->is_aside = known->is_aside && is_aside;
            continue;
        }
        answer.resolver = i;
        if (!answer.name && !(answer.name = im_pool_strdup(facts->pool, is_name ? ascii : name)))
            return im_error_nomem(e);
        enum im_err err = add(facts, &answer, e);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}
