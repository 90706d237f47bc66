/* What holds for every plan, tried on thousands of accounts made up at random. PLAN_SEED=N in the environment replays one. */
#include "lib/base/text.h"
#include "lib/model/record.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <stdio.h>

enum { ROUNDS = 400 };

#define HOME1 "CN=1,CN=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example"
#define HOME2 "CN=1,CN=IM,CN=Protocols,CN=IMHOME2,CN=Servers,DC=corp,DC=example"

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

#define PICK(seed, list) (list)[pick(seed, LENGTH(list))]

static const char *const worlds[] = {
    "directory: ad\n",
    "{ directory: ad, class: dynamic }\n",
    "directory: openldap\n",
    "{ directory: openldap, class: content-rule }\n",
    "{ directory: openldap, assertion: true, without-equality: [msExchIMAddress, msExchIMVirtualServer, msExchIMACL] }\n",
    "{ directory: openldap, many-valued: [msExchIMAddress, msExchIMPhysicalURL, msExchIMVirtualServer] }\n",
};
#define SERVERS                                                                                                                  \
    "[{ name: imhome1, host: imhome1.corp.example, dn: '" HOME1 "', users: 3 },"                                                 \
    " { name: imhome2, host: imhome2.corp.example, dn: '" HOME2 "', users: 2 },"                                                 \
    " { name: router1, host: im.corp.example, hosts-users: false, dn: 'CN=router,DC=corp,DC=example' }]"

static const char *const names[] = {"jdoe", "Jane.Doe", "o'hara", "x", "a-b_c"};
static const char *const addresses[] = {"jdoe@im.corp.example", "JDOE@IM.CORP.EXAMPLE", "other@imhome1.corp.example",
                                        "x@gone.example",       "no address",           "a b@im.corp.example",
                                        "jdoe@im.corp.example "};
static const char *const logical[] = {"http://im.corp.example/instmsg/aliases/jdoe",
                                      "http://IM.corp.example/instmsg/aliases/jdoe/",
                                      "http://im.corp.example/instmsg/aliases/(x)*", "rubbish"};
static const char *const physical[] = {"http://imhome1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/jdoe",
                                       "http://imhome1.corp.example/instmsg/aliases/other", "http://old/x", "rubbish"};
static const char *const home[] = {HOME1, "cn=1, cn=im, cn=protocols, cn=imhome2, cn=servers, dc=corp, dc=example",
                                   "CN=gone\\, really,DC=corp,DC=example",
                                   "CN=1\\0ADEL:0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b,CN=Deleted Objects,DC=corp,DC=example"};
static const char *const acl[] = {":: BwAAAAMAAAA=", ":: KAAqXA==", ": *"};
static const char *const requests[] = {"{}",
                                       "{ home: imhome2 }",
                                       "{ home: auto }",
                                       "{ domain: imhome1.corp.example }",
                                       "{ address: '{account}@im.corp.example' }",
                                       "{ address: '{account}.{attr:employeeID}@{domain}', home: imhome1 }",
                                       "{ default-home: imhome2, default-address: '{account}@{domain}' }"};

static struct world *make_world(uint64_t *seed) {
    char yaml[1500];
    char head[400];
    snprintf(head, sizeof head, "%s", PICK(seed, worlds));
    if (head[0] == '{')
        *strrchr(head, '}') = ',';
    snprintf(yaml, sizeof yaml, "%s%.*s%s servers: %s%s request: %s%s\n", head[0] == '{' ? "" : "{ ", (int)strcspn(head, "\n"),
             head, head[0] == '{' ? "" : ",", SERVERS, ",", PICK(seed, requests), " }");
    struct world *w = world_from_text(yaml);
    w->request.default_home = w->request.default_home ? w->request.default_home : "imhome1";
    return w;
}

static bool is_many(const struct world *w, const char *name) {
    const struct im_schema_attr *attr = im_schema_attr(&w->schema, name);
    return attr && !attr->single;
}

static void add_values(struct world *w, uint64_t *seed, const char *name, const char *const *values, size_t count,
                       struct im_buf *out) {
    if (chance(seed, 40))
        return;
    size_t first = pick(seed, count);
    im_buf_addf(out, "%s: %s\n", name, values[first]);
    if (is_many(w, name) && chance(seed, 40))
        im_buf_addf(out, "%s: %s\n", name, values[(first + 1) % count]);
}

static void add_home(struct world *w, uint64_t *seed, struct im_buf *out) {
    if (chance(seed, 40))
        return;
    const char *guid = w->context.is_ad && chance(seed, 80) ? "<GUID=0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b>;" : "";
    const char *dn = PICK(seed, home);
    /* Without the extended form a deleted home cannot be matched by a server of bytes. */
    im_buf_addf(out, "msExchIMVirtualServer: %s%s\n", guid, *guid || !strstr(dn, "DEL:") ? dn : HOME1);
}

/* `is_blank`: without any IM value, as before the first enabling. */
static struct im_entry *make_entry(struct world *w, uint64_t *seed, bool is_blank) {
    struct im_buf ldif = IM_BUF_INIT;
    const char *name = PICK(seed, names);
    im_buf_addf(&ldif, "dn: CN=%s,OU=People,DC=corp,DC=example\nobjectClass: top\nobjectClass: %s\n", name,
                w->context.is_ad ? "user" : "inetOrgPerson");
    im_buf_addf(&ldif, "%s: %s\nemployeeID: 17\n", w->context.is_ad ? "sAMAccountName" : "uid", name);
    if (w->context.is_ad)
        im_buf_adds(&ldif, "objectGUID:: /xmWb4aLEUC0LQDPT8lk/w==\nuserAccountControl: 512\n");
    if (chance(seed, 50))
        im_buf_adds(&ldif, "mail: jane@corp.example\ndescription: kept\n");
    if (!is_blank) {
        if (chance(seed, 60))
            im_buf_adds(&ldif, "objectClass: msExchIMRecipient\n");
        add_values(w, seed, "msExchIMAddress", addresses, LENGTH(addresses) - 1, &ldif);
        add_values(w, seed, "msExchIMMetaPhysicalURL", logical, LENGTH(logical), &ldif);
        add_values(w, seed, "msExchIMPhysicalURL", physical, LENGTH(physical), &ldif);
        add_home(w, seed, &ldif);
        if (chance(seed, 30))
            im_buf_addf(&ldif, "msExchIMACL%s\n", PICK(seed, acl));
    }
    struct im_entry *entry = world_entry(w, im_buf_str(&ldif));
    im_buf_free(&ldif);
    return entry;
}

static void apply(struct world *w, struct im_entry *entry, const struct im_plan *plan, uint64_t seed) {
    for (size_t i = 0; i < plan->step_count; i++) {
        int code = world_apply(w, entry, &plan->steps[i]);
        if (code) {
            fail_msg("PLAN_SEED=%llu: step %zu is refused with %d; the entry:\n%s", (unsigned long long)seed, i, code,
                     world_dump(w, entry));
        }
    }
}

static void must_be_equal(const char *a, const char *b, const char *what, uint64_t seed) {
    if (strcmp(a, b) != 0)
        fail_msg("PLAN_SEED=%llu: %s:\n%s---\n%s", (unsigned long long)seed, what, a, b);
}

static void must_be_done(struct world *w, const struct im_entry *entry, const char *what, uint64_t seed) {
    struct im_plan again = world_plan(w, entry);
    if (again.step_count || again.diff_count) {
        fail_msg("PLAN_SEED=%llu: %s, planned again, is not empty; the entry:\n%s", (unsigned long long)seed, what,
                 world_dump(w, entry));
    }
}

/* ---- the properties ---- */

/* Enabling whatever there was is done after one plan; so is disabling, and nothing of ours is left. */
static void a_plan_is_all_that_it_takes(uint64_t seed) {
    uint64_t s = seed;
    struct world *w = make_world(&s);
    struct im_entry *entry = make_entry(w, &s, false);
    struct im_plan plan = world_plan(w, entry);
    apply(w, entry, &plan, seed);
    must_be_done(w, entry, "enabling", seed);
    struct im_account a = world_account(w, entry);
    if (a.im_count != 4)
        fail_msg("PLAN_SEED=%llu: %zu of 4 attributes are there", (unsigned long long)seed, a.im_count);
    w->request.action = IM_DISABLE;
    w->request.keep_opaque = chance(&s, 50);
    plan = world_plan(w, entry);
    apply(w, entry, &plan, seed);
    must_be_done(w, entry, "disabling", seed);
    a = world_account(w, entry);
    if (a.im_count || (a.has_opaque && !w->request.keep_opaque))
        fail_msg("PLAN_SEED=%llu: something is left:\n%s", (unsigned long long)seed, world_dump(w, entry));
    world_free(&w);
}

static void enabling_and_disabling_leaves_no_trace(uint64_t seed) {
    uint64_t s = seed;
    struct world *w = make_world(&s);
    struct im_entry *entry = make_entry(w, &s, true);
    const char *before = world_dump(w, entry);
    struct im_plan plan = world_plan(w, entry);
    apply(w, entry, &plan, seed);
    w->request.action = IM_DISABLE;
    plan = world_plan(w, entry);
    apply(w, entry, &plan, seed);
    must_be_equal(before, world_dump(w, entry), "disabled again, the entry is another", seed);
    world_free(&w);
}

/* Operations name what they take away: turned round, and in reverse order, they lead back. */
static struct im_change inverse(struct world *w, const struct im_change *change, const struct im_plan *plan) {
    struct im_op *ops = im_pool_array(w->pool, change->count, sizeof *ops);
    for (size_t i = 0; i < change->count; i++) {
        struct im_op op = change->ops[change->count - 1 - i];
        if (op.kind == IM_OP_REPLACE) {
            for (size_t d = 0; d < plan->diff_count; d++) {
                if (strcmp(plan->diffs[d].attribute, op.attribute) == 0)
                    op.values = plan->diffs[d].before, op.count = plan->diffs[d].before_count;
            }
        } else {
            op.kind = op.kind == IM_OP_ADD ? IM_OP_DELETE : IM_OP_ADD;
        }
        ops[i] = op;
    }
    return (struct im_change){.dn = change->dn, .ops = ops, .count = change->count};
}

/* The GUID names the target that the extended form shows as well. */
static void shorten_home(struct im_entry *entry) {
    static const char guid[] = "<GUID=0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b>";
    for (size_t i = 0; i < entry->count; i++) {
        struct berval *value = &entry->attrs[i].values[0];
        if (im_text_equal(entry->attrs[i].name, "msExchIMVirtualServer") && strncmp(value->bv_val, guid, strlen(guid)) == 0) {
            value->bv_len = strlen(guid);
            value->bv_val[value->bv_len] = '\0';
        }
    }
}

static void the_inverse_leads_back(uint64_t seed) {
    uint64_t s = seed;
    struct world *w = make_world(&s);
    struct im_entry *entry = make_entry(w, &s, chance(&s, 20));
    w->request.action = chance(&s, 30) ? IM_DISABLE : IM_ENABLE;
    struct im_entry *shortened = im_entry_copy(entry, w->pool);
    shorten_home(shortened);
    const char *before = world_dump(w, shortened);
    struct im_plan plan = world_plan(w, entry);
    apply(w, entry, &plan, seed);
    for (size_t i = plan.step_count; i > 0; i--) {
        struct im_change back = inverse(w, &plan.steps[i - 1], &plan);
        if (world_apply(w, entry, &back))
            fail_msg("PLAN_SEED=%llu: the inverse of step %zu is refused", (unsigned long long)seed, i - 1);
    }
    shorten_home(entry);
    must_be_equal(before, world_dump(w, entry), "turned back, the entry is another", seed);
    world_free(&w);
}

/* Whatever somebody else changes of ours in between, the plan fails as a whole or its assertion does not hold. */
static void a_change_in_between_is_never_overwritten(uint64_t seed) {
    uint64_t s = seed;
    struct world *w = make_world(&s);
    struct im_entry *entry = make_entry(w, &s, false);
    w->request.action = chance(&s, 50) ? IM_DISABLE : IM_ENABLE;
    struct im_plan plan = world_plan(w, entry);
    for (size_t d = 0; d < plan.diff_count; d++) {
        struct im_entry *other = im_entry_copy(entry, w->pool);
        const struct berval foreign = VALUE("somebody@else.example");
        const struct im_op op = {.kind = IM_OP_REPLACE, .attribute = plan.diffs[d].attribute, .values = &foreign, .count = 1};
        const struct im_change edit = {.ops = &op, .count = 1};
        bool is_asserted = plan.step_count && plan.steps[plan.step_count - 1].assertion &&
                           strstr(plan.steps[plan.step_count - 1].assertion, plan.diffs[d].attribute);
        if (im_text_equal(plan.diffs[d].attribute, "objectClass") || is_asserted || is_many(w, plan.diffs[d].attribute))
            continue;
        assert_int_equal(world_apply(w, other, &edit), 0);
        int code = 0;
        for (size_t i = 0; !code && i < plan.step_count; i++)
            code = world_apply(w, other, &plan.steps[i]);
        if (!code)
            fail_msg("PLAN_SEED=%llu: somebody else's %s was overwritten", (unsigned long long)seed, plan.diffs[d].attribute);
    }
    world_free(&w);
}

static bool is_ours(const struct world *w, const char *attribute) {
    return im_text_equal(attribute, "objectClass") || im_profile_attr(w->profile, attribute) != NULL;
}

/* Operations stay within the profile, agree with what is shown, and two steps can be taken back. */
static void plans_are_well_made(uint64_t seed) {
    uint64_t s = seed;
    struct world *w = make_world(&s);
    struct im_entry *entry = make_entry(w, &s, chance(&s, 50));
    w->request.action = chance(&s, 30) ? IM_DISABLE : IM_ENABLE;
    struct im_plan plan = world_plan(w, entry);
    struct im_entry *changed = im_entry_copy(entry, w->pool);
    for (size_t i = 0; i < plan.step_count; i++) {
        for (size_t k = 0; k < plan.steps[i].count; k++) {
            if (!is_ours(w, plan.steps[i].ops[k].attribute))
                fail_msg("PLAN_SEED=%llu: %s is not ours", (unsigned long long)seed, plan.steps[i].ops[k].attribute);
        }
    }
    if ((plan.step_count == 2) != (plan.rollback.count > 0) || (plan.step_count == 0) != (plan.diff_count == 0)) {
        fail_msg("PLAN_SEED=%llu: %zu steps, %zu differences, rollback of %zu", (unsigned long long)seed, plan.step_count,
                 plan.diff_count, plan.rollback.count);
    }
    if (plan.step_count == 2) {
        assert_int_equal(world_apply(w, changed, &plan.steps[0]), 0);
        assert_int_equal(world_apply(w, changed, &plan.rollback), 0);
        must_be_equal(world_dump(w, entry), world_dump(w, changed), "rolled back, the entry is another", seed);
    }
    world_free(&w);
}

/* As people read it, which is what a record keeps. */
static void plain_home(struct im_entry *entry) {
    for (size_t i = 0; i < entry->count; i++) {
        struct berval *value = &entry->attrs[i].values[0];
        const char *dn = strstr(value->bv_val, ">;");
        if (!im_text_equal(entry->attrs[i].name, "msExchIMVirtualServer") || !dn)
            continue;
        value->bv_len = strlen(dn + 2);
        memmove(value->bv_val, dn + 2, value->bv_len + 1);
    }
}

static enum im_record_fit replay(struct world *w, struct im_entry *entry, const struct im_record *record, bool undo,
                                 uint64_t seed) {
    struct im_error e = {.code = IM_OK};
    struct im_account account = world_account(w, entry);
    struct im_plan plan;
    enum im_record_fit fit;
    const char *attribute;
    if (im_plan_record(&w->context, &account, record, undo, w->has_assertion, w->pool, &plan, &fit, &attribute, &e) != IM_OK)
        fail_msg("PLAN_SEED=%llu: %s", (unsigned long long)seed, e.text);
    if ((fit == IM_RECORD_DIFFERS) != (attribute != NULL && !plan.step_count && fit != IM_RECORD_IS_THERE))
        fail_msg("PLAN_SEED=%llu: fit %d with attribute %s", (unsigned long long)seed, (int)fit, attribute ? attribute : "-");
    apply(w, entry, &plan, seed);
    return fit;
}

/* What a plan file or a journal keeps is enough to make the change, to see that it is made, and to take it back; and it is seen
 * that somebody else changed a value since. */
static void a_record_leads_there_and_back(uint64_t seed) {
    uint64_t s = seed;
    struct world *w = make_world(&s);
    struct im_entry *entry = make_entry(w, &s, chance(&s, 20));
    struct im_error e = {.code = IM_OK};
    struct im_record record;
    w->request.action = chance(&s, 40) ? IM_DISABLE : IM_ENABLE;
    w->request.keep_opaque = chance(&s, 50);
    struct im_account account = world_account(w, entry);
    struct im_plan plan = world_plan(w, entry);
    assert_int_equal(im_record_of_plan(&w->context, &account, &plan, w->pool, &record, &e), IM_OK);
    struct im_entry *by_plan = im_entry_copy(entry, w->pool);
    struct im_entry *start = im_entry_copy(entry, w->pool);
    apply(w, by_plan, &plan, seed);
    if (plan.step_count) {
        assert_int_equal(replay(w, entry, &record, false, seed), IM_RECORD_FITS);
        plain_home(entry);
        plain_home(by_plan);
        must_be_equal(world_dump(w, by_plan), world_dump(w, entry), "by its record, the entry is another", seed);
        assert_int_equal(replay(w, entry, &record, false, seed), IM_RECORD_IS_THERE);
        const char *edited = record.diffs[record.diff_count - 1].attribute;
        struct im_entry *other = im_entry_copy(entry, w->pool);
        const struct berval foreign = VALUE("somebody@else.example");
        const struct im_op op = {.kind = IM_OP_REPLACE, .attribute = edited, .values = &foreign, .count = 1};
        assert_int_equal(world_apply(w, other, &(struct im_change){.ops = &op, .count = 1}), 0);
        if (!im_text_equal(edited, "objectClass"))
            assert_int_equal(replay(w, other, &record, true, seed), IM_RECORD_DIFFERS);
        assert_int_equal(replay(w, entry, &record, true, seed), IM_RECORD_FITS);
    }
    plain_home(start);
    plain_home(entry);
    must_be_equal(world_dump(w, start), world_dump(w, entry), "taken back by its record, the entry is another", seed);
    world_free(&w);
}

typedef void property(uint64_t seed);

static void hold(void **state) {
    property *const *p = *state;
    const char *replay = getenv("PLAN_SEED");
    if (replay) {
        (*p)(strtoull(replay, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        (*p)(seed * 0x9e3779b97f4a7c15U);
}

int main(void) {
    static property *properties[] = {a_plan_is_all_that_it_takes, enabling_and_disabling_leaves_no_trace,
                                     the_inverse_leads_back,      a_change_in_between_is_never_overwritten,
                                     plans_are_well_made,         a_record_leads_there_and_back};
    const struct CMUnitTest tests[] = {
        {"a plan is all that it takes", hold, NULL, NULL, &properties[0]},
        {"enabling and disabling leaves no trace", hold, NULL, NULL, &properties[1]},
        {"the inverse leads back", hold, NULL, NULL, &properties[2]},
        {"a change in between is never overwritten", hold, NULL, NULL, &properties[3]},
        {"plans are well made", hold, NULL, NULL, &properties[4]},
        {"a record leads there and back", hold, NULL, NULL, &properties[5]},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
