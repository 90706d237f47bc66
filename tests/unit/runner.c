#include "tests/unit/runner.h"

#include <stdio.h>

static const char people[] =
    "dn: " BASE "\nobjectClass: domain\n\n"
    "dn: OU=People," BASE "\nobjectClass: organizationalUnit\nou: People\n\n"
    "dn: OU=IM," BASE "\nobjectClass: organizationalUnit\nou: IM\n\n"
    "dn: " HOME1 "\nobjectClass: container\ncn: imhome1\n\n"
    "dn: " HOME2 "\nobjectClass: container\ncn: imhome2\n\n"
    "dn: CN=Partitions,CN=Configuration," BASE "\nobjectClass: crossRefContainer\n\n"
    "dn: CN=CORP,CN=Partitions,CN=Configuration," BASE "\nobjectClass: crossRef\nnCName: " BASE
    "\nsystemFlags: 3\nnETBIOSName: CORP\n\n" PERSON("Jane Doe", "jdoe")
        ACTIVE PERSON("Adam", "adam") "mailNickname: same\n" ACTIVE PERSON("Eve", "eve") "mailNickname: Same\n" ACTIVE PERSON(
            "Off", "off") "userAccountControl: 514\n\n" PERSON("Twin One",
                                                               "twin1") "proxyAddresses: smtp:twin@mail.example\n" ACTIVE
            PERSON("Twin Two", "twin2") "proxyAddresses: SMTP:Twin@mail.example\n" ACTIVE PERSON("M\xc3\xbcller\\, J\xc3\xb6rg",
                                                                                                 "jmueller")
                ACTIVE PERSON(
                    "Moved",
                    "moved") "objectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAUAQAAA==\n"
                             "sIDHistory:: AQUAAAAAAAUVAAAACQAAAAkAAAAJAAAAUAQAAA==\npwdLastSet: 133485408000000000\n" ACTIVE
                                 PERSON("Odd", "od d") ACTIVE;

static const struct memdir_attr attrs[] = {
    {"msExchIMVirtualServer", MEMDIR_DN | MEMDIR_SINGLE},
    {"msExchIMAddress", MEMDIR_SINGLE | MEMDIR_EXACT},
    {"entryUUID", MEMDIR_HIDDEN},
    {NULL, 0},
};

/* ---- one run ---- */

static void copy_text(char *to, size_t size, const char *from) {
    (void)snprintf(to, size, "%s", from ? from : "");
}

static enum im_err on_result(void *user, const struct im_input *input, const struct im_result *r, struct im_error *e) {
    struct fixture *f = user;
    (void)input;
    struct told *t = &f->told[f->told_count++];
    copy_text(t->input, sizeof t->input, r->input);
    copy_text(t->source, sizeof t->source, r->source);
    copy_text(t->dn, sizeof t->dn, r->dn);
    copy_text(t->reason, sizeof t->reason, r->reason);
    copy_text(t->message, sizeof t->message, r->message);
    copy_text(t->address, sizeof t->address, r->address);
    copy_text(t->home, sizeof t->home, r->home);
    t->outcome = r->outcome;
    t->diff_count = r->diff_count;
    t->ldap_code = r->ldap_code;
    if (f->fail_after && f->told_count >= f->fail_after)
        return im_error_set(e, IM_E_OUTPUT, "no space left");
    return IM_OK;
}

static enum im_err on_change(void *user, const struct im_change *change, struct im_error *e) {
    struct fixture *f = user;
    assert_true(change->count > 0);
    f->changes++;
    return f->fail_change && f->changes >= f->fail_change ? im_error_set(e, IM_E_IO, "disk full") : IM_OK;
}

static enum im_err next_input(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e) {
    struct fixture *f = user;
    (void)pool, (void)e;
    *is_end = f->input_at == f->input_count;
    if (!*is_end)
        *out = f->input[f->input_at++];
    return IM_OK;
}

static enum im_err rewind_inputs(void *user, struct im_error *e) {
    struct fixture *f = user;
    (void)e;
    f->input_at = 0;
    return IM_OK;
}

struct fixture *new_fixture(const char *root, const char *more) {
    static const char *const domains[] = {BASE, NULL};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    assert_non_null(f->pool);
    f->m = memdir_new(attrs, im_pool_printf(f->pool, "%s%s%s", root, people, more ? more : ""));
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    f->context =
        (struct im_account_context){.profile = f->profile, .is_ad = im_directory_rootdse(f->d)->is_ad, .now = 1800000000};
    f->server[0] =
        (struct im_server){.name = "imhome1", .host = "imhome1.corp.example", .dn = HOME1, .hosts_users = true, .users = -1};
    f->server[1] =
        (struct im_server){.name = "imhome2", .host = "imhome2.corp.example", .dn = HOME2, .hosts_users = true, .users = -1};
    f->servers = (struct im_servers){.items = f->server, .count = 2};
    f->request = (struct im_request){.action = IM_ENABLE, .default_home = "imhome1"};
    f->inputs = (struct im_inputs){.user = f, .next = next_input, .rewind = rewind_inputs};
    f->run = (struct im_run){
        .resolver = {.directory = f->d, .context = &f->context, .base = BASE, .domains = domains},
        .request = &f->request,
        .servers = &f->servers,
        .inputs = &f->inputs,
        .on_result = on_result,
        .on_change = on_change,
        .user = f,
        .stop = &f->stop,
    };
    f->run.resolver.dns = "corp.example";
    f->run.resolver.netbios = f->context.is_ad ? "CORP" : NULL;
    return f;
}

int set_up(void **state) {
    *state = new_fixture(MEMDIR_AD, NULL);
    return 0;
}

int set_up_openldap(void **state) {
    *state = new_fixture(MEMDIR_OPENLDAP, NULL);
    return 0;
}

int tear_down(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

/* The inputs are in the fixture. */
enum im_err run_inputs(struct fixture *f) {
    f->told_count = 0;
    f->changes = 0;
    f->input_at = 0;
    im_error_clear(&f->e);
    enum im_err err = im_run_accounts(&f->run, &f->summary, &f->wrote, &f->e);
    assert_int_equal(err, f->e.code);
    assert_int_equal(f->told_count, f->input_count);
    assert_int_equal(f->summary.total, f->input_count);
    size_t sum = 0;
    for (int i = 0; i < IM_OUTCOME_COUNT; i++)
        sum += f->summary.counts[i];
    assert_int_equal(sum, f->input_count);
    for (size_t i = 0; i < f->input_count; i++)
        assert_string_equal(f->told[i].input, f->input[i].text);
    return err;
}

void name(struct fixture *f, const char *const *names) {
    size_t count = 0;
    for (; names[count]; count++) {
        f->input[count] = (struct im_input){.text = names[count], .source = count ? "list.txt:2" : NULL};
        assert_int_equal(im_identity_parse(names[count], f->pool, &f->input[count].identity, &f->e), IM_OK);
    }
    f->input_count = count;
}

enum im_err run(struct fixture *f, const char *const *names) {
    name(f, names);
    return run_inputs(f);
}

const char *value(struct fixture *f, const char *dn, const char *attribute) {
    const struct im_entry *entry = memdir_entry(f->m, dn);
    const char *text = entry ? im_entry_string(entry, attribute) : NULL;
    return text ? text : "";
}

struct fixture *crowd(const char *const **names) {
    struct im_buf more = IM_BUF_INIT;
    for (int i = 0; i < MANY; i++) {
        im_buf_addf(&more, "\ndn: CN=p%d,OU=People," BASE "\nobjectClass: user\nsAMAccountName: p%d\nuserAccountControl: 512\n",
                    i, i);
    }
    struct fixture *f = new_fixture(MEMDIR_AD, im_buf_str(&more));
    im_buf_free(&more);
    const char **list = im_pool_array(f->pool, MANY + 1, sizeof *list);
    assert_non_null(list);
    for (int i = 0; i < MANY; i++)
        list[i] = im_pool_printf(f->pool, "p%d", i);
    *names = list;
    return f;
}
