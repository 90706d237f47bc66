/* Base and data when memory runs out, at each allocation in turn: IM_E_NOMEM, no crash, no leak, nothing half done. */
#include "lib/base/secret.h"
#include "lib/base/text.h"
#include "lib/data/csv.h"
#include "lib/data/dn.h"
#include "lib/data/ldif.h"
#include "lib/data/template.h"
#include "lib/data/yaml.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

/* A builder remembers its failure: the verdict on a buffer at its end. */
static enum im_err verdict(struct im_buf *out, const char *expect, struct im_error *e) {
    enum im_err err = out->failed ? im_error_nomem(e) : IM_OK;
    if (err == IM_OK)
        assert_string_equal(im_buf_str(out), expect);
    im_buf_free(out);
    return err;
}

static enum im_err build_buf(void *user, struct im_error *e) {
    (void)user;
    struct im_buf out = IM_BUF_INIT;
    for (int i = 0; i < 20; i++)
        im_buf_addf(&out, "%010d", i);
    im_buf_addc(&out, '.');
    char *text = im_buf_take(&out);
    if (text)
        assert_int_equal(strlen(text), 201);
    free(text);
    return text ? IM_OK : im_error_nomem(e);
}

static enum im_err build_pool(void *user, struct im_error *e) {
    (void)user;
    struct im_pool *pool = im_pool_new();
    bool built = pool && im_pool_strdup(pool, "small") && im_pool_alloc(pool, 10000) && im_pool_printf(pool, "%05000d", 1);
    im_pool_free(&pool);
    return built ? IM_OK : im_error_nomem(e);
}

static enum im_err build_text(void *user, struct im_error *e) {
    (void)user;
    struct im_buf out = IM_BUF_INIT;
    im_text_fold("ABC", 3, &out);
    im_text_escape("a\nb\xff", 4, &out);
    return verdict(&out, "abca\\x0ab\\xff", e);
}

static enum im_err build_csv(void *user, struct im_error *e) {
    (void)user;
    struct im_buf out = IM_BUF_INIT;
    const char *const fields[] = {"a,b", "=c", NULL};
    im_csv_row(&out, fields, 3);
    return verdict(&out, "\"a,b\",'=c,\n", e);
}

static enum im_err build_dn(void *user, struct im_error *e) {
    (void)user;
    struct im_buf out = IM_BUF_INIT;
    if (!im_dn_normalize("CN=Doe\\, J,DC=X", &out))
        assert_true(out.failed);
    return verdict(&out, "cn=doe\\2c j,dc=x", e);
}

static enum im_err write_ldif(void *user, struct im_error *e) {
    (void)user;
    const struct berval values[] = {VALUE("a"), VALUE("\xff")};
    const struct im_op op = {.kind = IM_OP_ADD, .attribute = "mail", .values = values, .count = 2};
    const struct im_change change = {.dn = "CN=a", .ops = &op, .count = 1};
    struct im_buf out = IM_BUF_INIT;
    im_ldif_write_change(&out, &change);
    return verdict(&out, "dn: CN=a\nchangetype: modify\nadd: mail\nmail: a\nmail:: /w==\n-\n\n", e);
}

/* user: the stream, opened beforehand because stdio allocates for itself. */
static enum im_err read_ldif(void *user, struct im_error *e) {
    rewind(user);
    struct im_ldif_reader *reader = NULL;
    struct im_entry *entry = NULL;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_ldif_reader_new(user, "f", &reader, e) : im_error_nomem(e);
    size_t count = 0;
    while (err == IM_OK) {
        struct im_entry *before = entry;
        err = im_ldif_read(reader, pool, &entry, e);
        if (err != IM_OK)
            assert_ptr_equal(entry, before);
        if (err != IM_OK || !entry)
            break;
        count++;
        if (!im_entry_copy(entry, pool))
            err = im_error_nomem(e);
    }
    if (err == IM_OK)
        assert_int_equal(count, 2);
    im_ldif_reader_free(&reader);
    im_pool_free(&pool);
    return err;
}

static const char *lookup(void *user, const char *variable) {
    (void)user;
    return *variable == 'a' ? "J/R" : "im.example";
}

static enum im_err expand_template(void *user, struct im_error *e) {
    (void)user;
    struct im_buf out = IM_BUF_INIT;
    enum im_err err = im_template_expand("http://{domain}/instmsg/aliases/{alias}/and/so/on/and/so/on/until/it/grows",
                                         IM_TEMPLATE_URL, lookup, NULL, &out, e);
    assert_int_equal(err == IM_OK, out.len > 0); /* nothing half done */
    im_buf_free(&out);
    return err;
}

static enum im_err load_yaml(void *user, struct im_error *e) {
    struct im_yaml *doc = NULL;
    enum im_err err = im_yaml_load_file(user, &doc, e);
    assert_int_equal(err == IM_OK, doc != NULL);
    im_yaml_free(&doc);
    return err;
}

static enum im_err read_secret(void *user, struct im_error *e) {
    struct im_secret *secret = NULL;
    enum im_err err = im_secret_from_file(user, &secret, e);
    assert_int_equal(err == IM_OK, secret != NULL);
    im_secret_free(&secret);
    return err;
}

static void builders_report_it(void **state) {
    (void)state;
    static oom_attempt *const attempts[] = {build_buf, build_pool, build_text, build_csv, build_dn, write_ldif, expand_template};
    for (size_t i = 0; i < LENGTH(attempts); i++)
        assert_true(oom_every_allocation(attempts[i], NULL) > 0);
}

static void the_ldif_reader_reports_it(void **state) {
    (void)state;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_true(fputs("version: 1\ndn: CN=a\ncn: a\nx;range=0-0: b\nx;range=1-*:: AAEC\n\ndn:: Q049YQ==\nphoto:: ", stream) >= 0);
    for (int i = 0; i < 3000; i++)
        assert_true(fputs("AAEC", stream) >= 0);
    assert_int_equal(fflush(stream), 0);
    assert_true(oom_every_allocation(read_ldif, stream) > 10);
    (void)fclose(stream);
}

/* Runs the attempt with the path of a private file. */
static size_t with_file(oom_attempt *attempt, const char *content) {
    char path[] = "/tmp/imdir-oom-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(close(fd), 0);
    size_t count = oom_every_allocation(attempt, path);
    assert_int_equal(unlink(path), 0);
    return count;
}

static void the_yaml_loader_reports_it(void **state) {
    (void)state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "server: x\nlist: [a, b]\nmap: {k: v}\nlong: ");
    for (int i = 0; i < 9000; i++)
        im_buf_addc(&text, 'y');
    assert_true(with_file(load_yaml, im_buf_str(&text)) > 5);
    im_buf_free(&text);
}

static void the_secret_reports_it(void **state) {
    (void)state;
    assert_true(with_file(read_secret, "hunter2\n") > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_report_it),
        cmocka_unit_test(the_ldif_reader_reports_it),
        cmocka_unit_test(the_yaml_loader_reports_it),
        cmocka_unit_test(the_secret_reports_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
