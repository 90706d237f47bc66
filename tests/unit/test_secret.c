/* Passwords from files and from a terminal. */
#include "lib/base/secret.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char path[64];

static int set_up(void **state) {
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/imdir-secret-XXXXXX");
    int fd = mkstemp(path); /* mode 0600 */
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state) {
    (void)state;
    return unlink(path);
}

static void write_file(const void *bytes, size_t len) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void assert_secret(const char *content, size_t content_len, const char *expect, size_t len) {
    struct im_secret *secret = NULL;
    write_file(content, content_len);
    assert_int_equal(im_secret_from_file(path, &secret, NULL), IM_OK);
    assert_int_equal(im_secret_value(secret).bv_len, len);
    assert_memory_equal(im_secret_value(secret).bv_val, expect, len + 1); /* and a NUL behind */
    im_secret_free(&secret);
    assert_null(secret);
}

static void the_first_line_is_the_password(void **state) {
    (void)state;
    assert_secret("secret", 6, "secret", 6);
    assert_secret("secret\n", 7, "secret", 6);
    assert_secret("secret\r\nmore\n", 13, "secret", 6);
    assert_secret(" blanks stay \n", 14, " blanks stay ", 13);
    assert_secret("Pässwörd\n", 11, "Pässwörd", 10);
    assert_secret("a\0b\n", 4, "a\0b", 3);
}

static void assert_refused(enum im_err expect, const char *word) {
    struct im_secret *secret = NULL;
    struct im_error e = {0};
    assert_int_equal(im_secret_from_file(path, &secret, &e), expect);
    assert_null(secret);
    assert_mentions(e.text, word);
    assert_mentions(e.text, path);
    assert_null(strstr(e.text, "hunter2"));
}

static void an_empty_or_endless_line_is_no_password(void **state) {
    (void)state;
    char endless[5000];
    write_file("", 0);
    assert_refused(IM_E_INPUT, "empty");
    write_file("\nhunter2\n", 9);
    assert_refused(IM_E_INPUT, "empty");
    write_file("\r\n", 2);
    assert_refused(IM_E_INPUT, "empty");
    memset(endless, 'x', sizeof endless);
    write_file(endless, sizeof endless);
    assert_refused(IM_E_INPUT, "longer");
    write_file(endless, 4095);
    struct im_secret *secret = NULL;
    assert_int_equal(im_secret_from_file(path, &secret, NULL), IM_OK);
    assert_int_equal(im_secret_value(secret).bv_len, 4095);
    im_secret_free(&secret);
}

static void a_file_that_others_can_read_is_refused(void **state) {
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0660, 0644, 0610};
    write_file("hunter2\n", 8);
    for (size_t i = 0; i < LENGTH(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_refused(IM_E_INPUT, "chmod 600");
    }
    assert_int_equal(chmod(path, 0400), 0);
    struct im_secret *secret = NULL;
    assert_int_equal(im_secret_from_file(path, &secret, NULL), IM_OK);
    im_secret_free(&secret);
}

static void a_missing_file_and_a_directory_are_named(void **state) {
    (void)state;
    struct im_secret *secret = NULL;
    struct im_error e = {0};
    assert_int_equal(im_secret_from_file("/tmp/imdir-no-such-file", &secret, &e), IM_E_IO);
    assert_mentions(e.text, "/tmp/imdir-no-such-file");
    im_error_clear(&e);
    assert_int_equal(im_secret_from_file("/tmp", &secret, &e), IM_E_INPUT);
    assert_mentions(e.text, "directory");
    assert_null(secret);
}

static void no_secret_is_the_empty_value(void **state) {
    (void)state;
    struct im_secret *none = NULL;
    assert_int_equal(im_secret_value(NULL).bv_len, 0);
    assert_string_equal(im_secret_value(NULL).bv_val, "");
    im_secret_free(&none);
    im_secret_free(NULL);
}

/* The child has no terminal, or the given one. Its status tells what it got. */
static int ask_in_child(const char *terminal) {
    if (setsid() < 0)
        return 100;
    int fd = terminal ? open(terminal, O_RDWR) : -1;
    if (terminal && (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0))
        return 101;
    struct im_secret *secret = NULL;
    struct im_error e = {0};
    enum im_err err = im_secret_from_terminal("Password: ", &secret, &e);
    struct termios after;
    if (err == IM_OK && (tcgetattr(fd, &after) != 0 || !(after.c_lflag & ECHO)))
        return 102;
    if (err == IM_OK && strcmp(im_secret_value(secret).bv_val, "hunter2") != 0)
        return 103;
    im_secret_free(&secret);
    return err == IM_OK ? 0 : (int)err;
}

static int status_of(pid_t child) {
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void without_a_terminal_nobody_can_be_asked(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(ask_in_child(NULL));
    assert_int_equal(status_of(child), IM_E_USAGE);
}

static void read_until(int fd, const char *word, char *seen, size_t size) {
    size_t len = 0;
    seen[0] = '\0';
    while (!strstr(seen, word)) {
        ssize_t got = read(fd, seen + len, size - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
        seen[len] = '\0';
    }
}

static void a_terminal_is_asked_without_echo(void **state) {
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    char name[64];
    assert_int_equal(ptsname_r(master, name, sizeof name), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(ask_in_child(name));
    char seen[200];
    read_until(master, "Password: ", seen, sizeof seen); /* the prompt comes when echo is off already */
    assert_int_equal(write(master, "hunter2\n", 8), 8);
    read_until(master, "\n", seen, sizeof seen);
    assert_null(strstr(seen, "hunter2"));
    assert_int_equal(status_of(child), 0);
    (void)close(master);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILE(the_first_line_is_the_password),          WITH_FILE(an_empty_or_endless_line_is_no_password),
        WITH_FILE(a_file_that_others_can_read_is_refused),  cmocka_unit_test(a_missing_file_and_a_directory_are_named),
        cmocka_unit_test(no_secret_is_the_empty_value),     cmocka_unit_test(without_a_terminal_nobody_can_be_asked),
        cmocka_unit_test(a_terminal_is_asked_without_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
