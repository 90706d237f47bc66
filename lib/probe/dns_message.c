/* What a DNS message says: everything in it comes from the network (RFC 1035 section 4). */
#include "lib/probe/dns_impl.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/probe/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum {
    CLASS_IN = 1,
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    HEADER = 12,
    ALIASES_MAX = 16,
    RECORDS_MAX = 1024, /* a message of 64 KiB holds more, an honest one does not */
};

int im_dns_type_number(enum im_dns_type type) {
    static const int numbers[] = {[IM_DNS_A] = TYPE_A, [IM_DNS_AAAA] = TYPE_AAAA, [IM_DNS_SRV] = TYPE_SRV};
    return numbers[type];
}

struct message {
    const unsigned char *bytes;
    size_t len, at;
    struct im_pool *pool;
    bool is_out_of_memory;
};

/* One resource record; its text is in the pool. */
struct record {
    const char *owner;
    unsigned type, class;
    struct im_dns_record data; /* A, AAAA, SRV; text alone: CNAME */
};

struct records {
    struct record *items;
    size_t count, cap;
};

static unsigned number16(const struct message *m, size_t at) {
    return (unsigned)(m->bytes[at] << 8 | m->bytes[at + 1]);
}

/* The name at `at`, and the place behind it. NULL: malformed or no memory. */
static const char *read_name(struct message *m, size_t at, size_t *end) {
    return im_dns_expand_name(m->bytes, m->len, at, m->pool, end, &m->is_out_of_memory);
}

static bool read_address(struct message *m, int family, size_t at, size_t len, struct record *out) {
    char text[INET6_ADDRSTRLEN];
    if (len != (family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr)) ||
        !inet_ntop(family, m->bytes + at, text, sizeof text))
        return false;
    out->data.text = im_pool_strdup(m->pool, text);
    m->is_out_of_memory = m->is_out_of_memory || !out->data.text;
    return out->data.text != NULL;
}

static bool read_data(struct message *m, size_t at, size_t len, struct record *out) {
    size_t end = at;
    switch (out->class == CLASS_IN ? out->type : 0) {
    case TYPE_A:
        return read_address(m, AF_INET, at, len, out);
    case TYPE_AAAA:
        return read_address(m, AF_INET6, at, len, out);
    case TYPE_CNAME:
        out->data.text = read_name(m, at, &end);
        return out->data.text && end == at + len;
    case TYPE_SRV:
        if (len < 7)
            return false;
        out->data.priority = (uint16_t)number16(m, at);
        out->data.weight = (uint16_t)number16(m, at + 2);
        out->data.port = (uint16_t)number16(m, at + 4);
        out->data.text = read_name(m, at + 6, &end);
        return out->data.text && end == at + len;
    default:
        return true;
    }
}

static bool read_record(struct message *m, struct record *out) {
    size_t at;
    *out = (struct record){.owner = read_name(m, m->at, &at)};
    if (!out->owner || at + 10 > m->len)
        return false;
    size_t len = number16(m, at + 8);
    out->type = number16(m, at);
    out->class = number16(m, at + 2);
    m->at = at + 10 + len;
    return m->at <= m->len && read_data(m, at + 10, len, out);
}

static bool skip_question(struct message *m) {
    size_t at;
    m->at = HEADER;
    if (!read_name(m, HEADER, &at) || at + 4 > m->len)
        return false;
    m->at = at + 4;
    return true;
}

static bool read_section(struct message *m, size_t count, struct records *out) {
    if (count > RECORDS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct record *r = im_vec_push(out);
        if (!r) {
            m->is_out_of_memory = true;
            return false;
        }
        if (!read_record(m, r))
            return false;
    }
    return true;
}

/* ---- what a message says ---- */

static const char *alias_of(const struct records *all, const char *name) {
    for (size_t i = 0; i < all->count; i++) {
        const struct record *r = &all->items[i];
        if (r->type == TYPE_CNAME && r->class == CLASS_IN && im_text_equal(r->owner, name))
            return r->data.text;
    }
    return NULL;
}

/* The name at the end of the aliases; NULL: no memory. */
static const char *follow(struct im_dns_answer *answer, const struct records *all, struct im_pool *pool) {
    const char *name = answer->name;
    const char **aliases = im_pool_array(pool, ALIASES_MAX, sizeof *aliases);
    if (!aliases)
        return NULL;
    for (const char *next; answer->alias_count < ALIASES_MAX && (next = alias_of(all, name)); name = next)
        aliases[answer->alias_count++] = next;
    answer->aliases = aliases;
    return name;
}

static bool take_records(struct im_dns_answer *answer, const struct records *all, struct im_pool *pool) {
    const char *name = follow(answer, all, pool);
    struct im_dns_record *kept = name ? im_pool_array(pool, all->count, sizeof *kept) : NULL;
    size_t count = 0;
    if (!kept)
        return false;
    for (size_t i = 0; i < all->count; i++) {
        const struct record *r = &all->items[i];
        if (r->type == (unsigned)im_dns_type_number(answer->type) && r->class == CLASS_IN && im_text_equal(r->owner, name))
            kept[count++] = r->data;
    }
    im_dns_sort(kept, count);
    answer->records = kept;
    answer->count = count;
    return true;
}

void im_dns_fail(struct im_dns_answer *answer, const char *trouble) {
    answer->state = IM_DNS_FAILED;
    answer->trouble = trouble;
}

static const char *refusal(unsigned code) {
    switch (code) {
    case 1:
        return "FORMERR: the server does not understand the query";
    case 2:
        return "SERVFAIL";
    case 4:
        return "NOTIMP: the server does not do such queries";
    case 5:
        return "REFUSED";
    default:
        return "an answer with an error code that names no reason";
    }
}

/* Empty answers of a server that does not look further for us say nothing: a referral, or an alias into another's zone. */
static const char *why_nothing(const struct message *m, const struct im_dns_answer *answer, const struct record *authority) {
    bool is_authoritative = m->bytes[2] & 0x04;
    bool looks_further = m->bytes[3] & 0x80;
    bool has_end = authority && authority->type != TYPE_NS; /* the SOA that goes with "no data" */
    if (looks_further || has_end)
        return NULL;
    if (answer->alias_count)
        return "an alias that leads elsewhere, which this server does not follow";
    return is_authoritative || !authority ? NULL : "a referral: this server does not know, and does not ask others";
}

static void judge(struct message *m, struct im_dns_answer *answer, const struct record *authority) {
    unsigned code = m->bytes[3] & 0x0F;
    if (answer->count) {
        answer->state = IM_DNS_FOUND;
        return;
    }
    answer->state = code == 3 ? IM_DNS_NXDOMAIN : IM_DNS_NODATA;
    const char *trouble = code == 3 ? NULL : why_nothing(m, answer, authority);
    if (trouble)
        im_dns_fail(answer, trouble);
}

static bool read_all(struct message *m, struct im_dns_answer *answer, struct records *all) {
    struct record authority = {.owner = NULL};
    bool has_authority = number16(m, 8) > 0;
    if (number16(m, 4) != 1 || !skip_question(m) || !read_section(m, number16(m, 6), all))
        return false;
    if (has_authority && !read_record(m, &authority))
        return false;
    if (!take_records(answer, all, m->pool)) {
        m->is_out_of_memory = true;
        return false;
    }
    judge(m, answer, has_authority ? &authority : NULL);
    return true;
}

enum im_err im_dns_read(struct im_dns_answer *answer, const unsigned char *bytes, size_t len, struct im_pool *pool,
                        bool *is_truncated, struct im_error *e) {
    struct message m = {.bytes = bytes, .len = len, .pool = pool};
    struct records all = {.items = NULL};
    *is_truncated = len >= HEADER && (bytes[2] & 0x02);
    if (*is_truncated)
        return IM_OK;
    unsigned code = len >= HEADER ? bytes[3] & 0x0F : 0;
    if (code != 0 && code != 3) {
        im_dns_fail(answer, refusal(code));
    } else if (len < HEADER || len > UINT16_MAX || !read_all(&m, answer, &all)) {
        answer->records = NULL;
        answer->count = answer->alias_count = 0;
        im_dns_fail(answer, "a malformed answer");
    }
    im_vec_free(&all);
    return m.is_out_of_memory ? im_error_nomem(e) : IM_OK;
}
