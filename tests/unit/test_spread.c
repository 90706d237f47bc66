/* Spreading people over servers, on crowds made up at random. SPREAD_SEED=N in the environment replays one. */
#include "lib/base/text.h"
#include "lib/model/spread.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { ROUNDS = 600, SERVERS = 6, PEOPLE = 300, DOMAINS = 3 };

static const char *const domains[DOMAINS] = {"im.corp.example", "im.shop.example", "im.lab.example"};
static const char *const names[SERVERS] = {"delta", "alpha", "foxtrot", "bravo", "echo", "charlie"};
static const char *const dns[SERVERS] = {"CN=1", "CN=2", "CN=3", "CN=4", "CN=5", "CN=6"};

/* xorshift64: the same everywhere. */
static uint64_t next(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t pick(uint64_t *seed, size_t count) {
    return (size_t)(next(seed) >> 11) % count;
}

static bool chance(uint64_t *seed, size_t percent) {
    return pick(seed, 100) < percent;
}

struct person {
    size_t at; /* SERVERS: nowhere */
    const char *domain;
    size_t to; /* after placing; SERVERS: refused */
    enum im_placing how;
    bool was_room; /* somewhere, when it was placed */
};

struct crowd {
    struct im_server server[SERVERS];
    struct im_servers servers;
    bool is_target[SERVERS];
    long before[SERVERS];
    struct person people[PEOPLE];
    size_t count;
};

/* equal: all can take the same people, and as many. */
static void make_crowd(struct crowd *c, uint64_t *seed, bool equal) {
    long capacity = chance(seed, 50) ? (long)(5 + pick(seed, 80)) : 0;
    *c = (struct crowd){.servers = {.items = c->server, .count = SERVERS}, .count = 1 + pick(seed, PEOPLE)};
    for (size_t i = 0; i < SERVERS; i++) {
        c->server[i] = (struct im_server){.name = names[i],
                                          .dn = dns[i],
                                          .host = names[i],
                                          .hosts_users = equal || !chance(seed, 15),
                                          .is_gone = !equal && chance(seed, 10),
                                          .users = (long)pick(seed, 40)};
        c->server[i].capacity = equal ? capacity : chance(seed, 60) ? (long)pick(seed, 90) : 0;
        if (!equal && chance(seed, 40)) {
            c->server[i].domains =
                (struct im_strings){.items = (const char **)(uintptr_t)domains, .count = 1 + pick(seed, DOMAINS)};
        }
        c->is_target[i] = chance(seed, 60);
    }
    for (size_t i = 0; i < c->count; i++) {
        struct person *p = &c->people[i];
        *p = (struct person){.at = pick(seed, SERVERS + 1), .domain = domains[pick(seed, DOMAINS)]};
        if (p->at < SERVERS)
            c->server[p->at].users++;
    }
    for (size_t i = 0; i < SERVERS; i++)
        c->before[i] = c->server[i].users;
}

static bool could_take(const struct crowd *c, size_t i, const char *domain) {
    const struct im_server *s = &c->server[i];
    return c->is_target[i] && s->hosts_users && !s->is_gone && im_server_serves(s, domain);
}

/* As a run does it: whoever gets a place is counted at once. */
static void place_all(struct crowd *c) {
    for (size_t i = 0; i < c->count; i++) {
        struct person *p = &c->people[i];
        const struct im_server *to = NULL;
        const struct im_server *at = p->at < SERVERS ? &c->server[p->at] : NULL;
        p->how = im_spread_place(&c->servers, c->is_target, at, p->domain, &to);
        for (size_t t = 0; t < SERVERS; t++)
            p->was_room = p->was_room || (could_take(c, t, p->domain) && im_spread_has_room(&c->server[t]));
        p->to = p->how == IM_PLACED ? (size_t)(to - c->server) : SERVERS;
        if (p->to == SERVERS || p->to == p->at)
            continue;
        c->server[p->to].users++;
        if (at)
            c->server[p->at].users--;
    }
}

#define MUST(seed, holds, ...)                                                                                                   \
    do {                                                                                                                         \
        if (!(holds)) {                                                                                                          \
            char text[200];                                                                                                      \
            (void)snprintf(text, sizeof text, __VA_ARGS__);                                                                      \
            fail_msg("SPREAD_SEED=%llu: %s", (unsigned long long)(seed), text);                                                  \
        }                                                                                                                        \
    } while (0)

/* Nobody is put where there is no room, where the domain is not served, or on what is no target. */
static void never_beyond_capacity(uint64_t seed) {
    struct crowd c;
    uint64_t s = seed;
    make_crowd(&c, &s, false);
    place_all(&c);
    for (size_t i = 0; i < c.count; i++) {
        const struct person *p = &c.people[i];
        if (p->to < SERVERS)
            MUST(seed, could_take(&c, p->to, p->domain), "%s went where it cannot be", p->domain);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        bool is_over = c.server[i].capacity && c.server[i].users > c.server[i].capacity;
        MUST(seed, !is_over || c.server[i].users <= c.before[i], "%s is filled to %ld of %ld", names[i], c.server[i].users,
             c.server[i].capacity);
    }
}

static void refused_only_where_all_are_full(uint64_t seed) {
    struct crowd c;
    uint64_t s = seed;
    make_crowd(&c, &s, false);
    place_all(&c);
    for (size_t i = 0; i < c.count; i++) {
        const struct person *p = &c.people[i];
        size_t able = 0;
        for (size_t t = 0; t < SERVERS; t++)
            able += could_take(&c, t, p->domain);
        MUST(seed, p->how != IM_PLACE_FULL || !p->was_room, "person %zu was refused, and there was room", i);
        MUST(seed, (p->how == IM_PLACE_NONE) == (able == 0), "%zu servers can take %s", able, p->domain);
    }
}

static void whoever_is_there_stays(uint64_t seed) {
    struct crowd c;
    uint64_t s = seed;
    make_crowd(&c, &s, false);
    place_all(&c);
    for (size_t i = 0; i < c.count; i++) {
        const struct person *p = &c.people[i];
        if (p->at < SERVERS && could_take(&c, p->at, p->domain))
            MUST(seed, p->to == p->at, "somebody on %s was moved", names[p->at]);
    }
}

/* The same again is the same; and who was placed stays when it is done once more. */
static void a_second_run_moves_nobody(uint64_t seed) {
    struct crowd c, twin;
    uint64_t s = seed;
    uint64_t t = seed;
    make_crowd(&c, &s, false);
    make_crowd(&twin, &t, false);
    place_all(&c);
    place_all(&twin);
    for (size_t i = 0; i < c.count; i++) {
        MUST(seed, c.people[i].to == twin.people[i].to, "person %zu goes elsewhere", i);
        if (c.people[i].to < SERVERS)
            c.people[i].at = c.people[i].to;
    }
    place_all(&c);
    for (size_t i = 0; i < c.count; i++)
        MUST(seed, c.people[i].to == twin.people[i].to, "person %zu is moved by the second run", i);
}

/* Where all are equal, a server that took somebody in has at most one more than the emptiest. */
static void balanced_within_one(uint64_t seed) {
    struct crowd c;
    uint64_t s = seed;
    make_crowd(&c, &s, true);
    place_all(&c);
    long least = -1;
    for (size_t i = 0; i < SERVERS; i++) {
        if (c.is_target[i] && (least < 0 || c.server[i].users < least))
            least = c.server[i].users;
    }
    for (size_t i = 0; i < SERVERS; i++) {
        bool took = c.is_target[i] && c.server[i].users > c.before[i];
        MUST(seed, !took || c.server[i].users <= least + 1, "%s has %ld, another %ld", names[i], c.server[i].users, least);
    }
}

static void for_many(void (*property)(uint64_t seed)) {
    const char *one = getenv("SPREAD_SEED");
    if (one) {
        property(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        property(seed * UINT64_C(0x9e3779b97f4a7c15));
}

#define PROPERTY(name)                                                                                                           \
    static void test_##name(void **state) {                                                                                      \
        (void)state;                                                                                                             \
        for_many(name);                                                                                                          \
    }
PROPERTY(never_beyond_capacity)
PROPERTY(refused_only_where_all_are_full)
PROPERTY(whoever_is_there_stays)
PROPERTY(a_second_run_moves_nobody)
PROPERTY(balanced_within_one)

/* 10 people for capacities 100, 300 and 600: one, three and six. */
static void capacities_share_in_proportion(void **state) {
    struct im_server list[3] = {{.name = "a", .dn = "CN=a", .hosts_users = true, .capacity = 100},
                                {.name = "b", .dn = "CN=b", .hosts_users = true, .capacity = 300},
                                {.name = "c", .dn = "CN=c", .hosts_users = true, .capacity = 600}};
    struct im_servers servers = {list, 3, 3};
    (void)state;
    for (int i = 0; i < 100; i++) {
        const struct im_server *to = NULL;
        assert_int_equal(im_spread_place(&servers, NULL, NULL, NULL, &to), IM_PLACED);
        list[to - list].users++;
    }
    assert_int_equal(list[0].users, 10);
    assert_int_equal(list[1].users, 30);
    assert_int_equal(list[2].users, 60);
}

static void ties_go_by_name_then_by_object(void **state) {
    struct im_server list[3] = {{.name = "b", .dn = "CN=1", .hosts_users = true},
                                {.name = "A", .dn = "CN=3", .hosts_users = true},
                                {.name = "a", .dn = "CN=2", .hosts_users = true}};
    struct im_servers servers = {list, 3, 3};
    (void)state;
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, NULL), &list[2]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_beyond_capacity),     cmocka_unit_test(test_refused_only_where_all_are_full),
        cmocka_unit_test(test_whoever_is_there_stays),    cmocka_unit_test(test_a_second_run_moves_nobody),
        cmocka_unit_test(test_balanced_within_one),       cmocka_unit_test(capacities_share_in_proportion),
        cmocka_unit_test(ties_go_by_name_then_by_object),
    };
    return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
