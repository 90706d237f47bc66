/* Files of LDIF: plain and compressed, whole, cut off and broken. */
#include "lib/data/ldif_file.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char folder[32], path[64];
    struct im_ldif_file *file;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (!f)
        return -1;
    strcpy(f->folder, "/tmp/imdir-unit-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    (void)snprintf(f->path, sizeof f->path, "%s/export.ldif", f->folder);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_ldif_file_free(&f->file);
    (void)unlink(f->path);
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

/* "dn: CN=a\ncn: a\n\n" as gzip writes it. */
static const unsigned char member_a[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xc9,
                                         0xb3, 0x52, 0x70, 0xf6, 0xb3, 0x4d, 0xe4, 0x4a, 0x06, 0x32, 0x12, 0xb9,
                                         0xb8, 0x00, 0x9f, 0x42, 0x23, 0x70, 0x10, 0x00, 0x00, 0x00};
static const char text_a[] = "dn: CN=a\ncn: a\n\n";

static void write_file(struct fixture *f, const void *bytes, size_t len) {
    im_ldif_file_free(&f->file);
    im_error_clear(&f->e);
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static enum im_err open_file(struct fixture *f) {
    return im_ldif_file_open(f->path, &f->file, &f->e);
}

/* The rest of the file, in pieces of `size`. */
static enum im_err read_all(struct fixture *f, char *out, size_t room, size_t size, size_t *len) {
    struct im_ldif_source source = im_ldif_file_source(f->file);
    size_t got = 1;
    enum im_err err = IM_OK;
    *len = 0;
    while (err == IM_OK && got && *len < room) {
        err = source.read(source.user, out + *len, size < room - *len ? size : room - *len, &got, &f->e);
        *len += err == IM_OK ? got : 0;
    }
    return err;
}

static void assert_reads(struct fixture *f, const char *expect) {
    static const size_t sizes[] = {1, 7, 4096};
    char text[256];
    size_t len;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        assert_int_equal(read_all(f, text, sizeof text - 1, sizes[i], &len), IM_OK);
        text[len] = '\0';
        assert_string_equal(text, expect);
        assert_int_equal(im_ldif_file_rewind(f->file, &f->e), IM_OK);
    }
}

static void a_file_is_read_again_and_again(void **state) {
    struct fixture *f = *state;
    write_file(f, text_a, sizeof text_a - 1);
    assert_int_equal(open_file(f), IM_OK);
    assert_reads(f, text_a);
    write_file(f, "", 0);
    assert_int_equal(open_file(f), IM_OK);
    assert_reads(f, "");
}

static void what_gzip_wrote_is_known_by_its_first_bytes(void **state) {
    struct fixture *f = *state;
    unsigned char twice[2 * sizeof member_a + 5] = {0};
    write_file(f, member_a, sizeof member_a);
    assert_int_equal(open_file(f), IM_OK);
    assert_reads(f, text_a);
    memcpy(twice, member_a, sizeof member_a);
    memcpy(twice + sizeof member_a, member_a, sizeof member_a);
    write_file(f, twice, sizeof twice); /* two members, and zeros behind them */
    assert_int_equal(open_file(f), IM_OK);
    assert_reads(f, "dn: CN=a\ncn: a\n\ndn: CN=a\ncn: a\n\n");
}

static void a_file_that_was_cut_off_has_no_end(void **state) {
    struct fixture *f = *state;
    char text[256];
    size_t len;
    for (size_t cut = 2; cut < sizeof member_a; cut++) {
        write_file(f, member_a, cut);
        assert_int_equal(open_file(f), IM_OK);
        assert_int_equal(read_all(f, text, sizeof text, 5, &len), IM_E_INPUT);
        assert_mentions(f->e.text, "ends too early");
        assert_string_equal(f->e.where, f->path);
    }
    unsigned char more[sizeof member_a + 4];
    memcpy(more, member_a, sizeof member_a);
    memcpy(more + sizeof member_a, member_a, 4);
    write_file(f, more, sizeof more); /* in its second member */
    assert_int_equal(open_file(f), IM_OK);
    assert_int_equal(read_all(f, text, sizeof text, 5, &len), IM_E_INPUT);
    assert_mentions(f->e.text, "ends too early, after 38 bytes");
}

static void broken_data_is_told_with_its_place(void **state) {
    struct fixture *f = *state;
    unsigned char bytes[sizeof member_a];
    char text[256];
    size_t len;
    memcpy(bytes, member_a, sizeof bytes);
    bytes[12] ^= 0x55;
    write_file(f, bytes, sizeof bytes);
    assert_int_equal(open_file(f), IM_OK);
    assert_int_equal(read_all(f, text, sizeof text, 256, &len), IM_E_INPUT);
    assert_mentions(f->e.text, "broken at byte");
    memcpy(bytes, member_a, sizeof bytes);
    bytes[sizeof bytes - 6] ^= 1; /* the checksum */
    write_file(f, bytes, sizeof bytes);
    assert_int_equal(open_file(f), IM_OK);
    assert_int_equal(read_all(f, text, sizeof text, 256, &len), IM_E_INPUT);
    assert_mentions(f->e.text, "incorrect data check");
    unsigned char rubbish[sizeof member_a + 3];
    memcpy(rubbish, member_a, sizeof member_a);
    memset(rubbish + sizeof member_a, 'x', 3);
    write_file(f, rubbish, sizeof rubbish);
    assert_int_equal(open_file(f), IM_OK);
    assert_int_equal(read_all(f, text, sizeof text, 256, &len), IM_E_INPUT);
    assert_mentions(f->e.text, "broken at byte");
}

static void only_regular_files_can_be_read_again(void **state) {
    struct fixture *f = *state;
    assert_int_equal(im_ldif_file_open("/nonexistent/export.ldif", &f->file, &f->e), IM_E_IO);
    assert_mentions(f->e.text, "cannot read /nonexistent/export.ldif");
    im_error_clear(&f->e);
    assert_int_equal(im_ldif_file_open("/", &f->file, &f->e), IM_E_INPUT);
    assert_mentions(f->e.text, "no regular file");
    im_error_clear(&f->e);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(open_file(f), IM_E_INPUT);
    assert_null(f->file);
}

static void a_file_that_changes_is_refused(void **state) {
    struct fixture *f = *state;
    write_file(f, text_a, sizeof text_a - 1);
    assert_int_equal(open_file(f), IM_OK);
    FILE *out = fopen(f->path, "a");
    assert_non_null(out);
    (void)fputs("dn: CN=b\n", out);
    (void)fclose(out);
    assert_int_equal(im_ldif_file_rewind(f->file, &f->e), IM_E_INPUT);
    assert_mentions(f->e.text, "changed while it was read");
}

static enum im_err open_and_read(void *user, struct im_error *e) {
    struct fixture *f = user;
    char text[64];
    size_t len;
    enum im_err err = im_ldif_file_open(f->path, &f->file, e);
    if (err == IM_OK)
        assert_int_equal(read_all(f, text, sizeof text, 8, &len), IM_OK);
    im_ldif_file_free(&f->file);
    return err;
}

static void running_out_of_memory_is_told(void **state) {
    struct fixture *f = *state;
    write_file(f, member_a, sizeof member_a);
    assert_true(oom_every_allocation(open_and_read, f) >= 3);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_file_is_read_again_and_again),       WITH_FILE(what_gzip_wrote_is_known_by_its_first_bytes),
        WITH_FILE(a_file_that_was_cut_off_has_no_end),   WITH_FILE(broken_data_is_told_with_its_place),
        WITH_FILE(only_regular_files_can_be_read_again), WITH_FILE(a_file_that_changes_is_refused),
        WITH_FILE(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
