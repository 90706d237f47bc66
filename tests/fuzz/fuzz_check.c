/* Results of imcheck that are read again: what is taken is printed in every format, and what is printed as JSON is taken again.
 */
#include "lib/report/check_read.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static enum im_err count(void *user, const struct im_finding *f, struct im_error *e) {
    (void)e;
    MUST(f->rule && f->rule->id && f->rule->title && f->rule->cause && f->severity <= IM_ERROR);
    ++*(size_t *)user;
    return IM_OK;
}

struct printing {
    const struct im_check_format *format;
    struct im_out out;
    void *state;
};

static enum im_err print_account(void *user, const struct im_checked *checked, struct im_error *e) {
    struct printing *p = user;
    return p->format->account ? p->format->account(&p->out, p->state, checked, e) : IM_OK;
}

static enum im_err print_finding(void *user, const struct im_finding *f, struct im_error *e) {
    struct printing *p = user;
    return p->format->finding(&p->out, p->state, f, e);
}

static char *render(struct im_check_file *file, const struct im_check_format *format, size_t *size) {
    struct im_error e = {.code = IM_OK};
    struct printing p = {.format = format, .out = {.verbose = true}};
    const struct im_check_visitor visitor = {print_account, print_finding, &p};
    const struct im_run_info *info = im_check_file_info(file);
    size_t count;
    const struct im_rule_status *rules = im_check_file_rules(file, &count);
    char *text = NULL;
    p.out.stream = open_memstream(&text, size);
    MUST(p.out.stream && format->begin(&p.out, info, &p.state, &e) == IM_OK);
    MUST(im_check_file_visit(file, &visitor, &e) == IM_OK);
    MUST(format->end(&p.out, info, &p.state, rules, count, im_check_file_summary(file), &e) == IM_OK);
    MUST(fclose(p.out.stream) == 0);
    return text;
}

static void put(int fd, const void *data, size_t size) {
    MUST(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
}

/* The same findings, and the same summary but for what has no place in it. */
static void try_again(struct im_check_file *file, int fd, const char *path, const struct im_check_format *format) {
    struct im_check_file *again = NULL;
    struct im_error e = {.code = IM_OK};
    size_t size;
    char *first = render(file, format, &size);
    put(fd, first, size);
    MUST(im_check_file_open(path, &again, &e) == IM_OK);
    size_t size_again;
    char *second = render(again, format, &size_again);
    MUST(size == size_again && memcmp(first, second, size) == 0);
    im_check_file_close(&again);
    free(first);
    free(second);
}

static void try_file(struct im_check_file *file, int fd, const char *path) {
    struct im_error e = {.code = IM_OK};
    size_t formats;
    size_t findings = 0;
    const struct im_check_visitor visitor = {.finding = count, .user = &findings};
    const struct im_check_summary *s = im_check_file_summary(file);
    const struct im_check_format *const *all = im_check_formats(&formats);
    MUST(im_check_file_visit(file, &visitor, &e) == IM_OK);
    MUST(findings == s->errors + s->warnings + s->infos + s->silenced + s->gone);
    for (size_t i = 0; i < formats; i++) {
        size_t size;
        free(render(file, all[i], &size));
    }
    size_t page;
    free(render(file, &im_check_html, &page));
    try_again(file, fd, path, im_check_format("json"));
}

static void try_baseline(const char *path) {
    struct im_baseline *b = NULL;
    struct im_error e = {.code = IM_OK};
    size_t gone = 0;
    const struct im_baseline_scope scope = {.rules = NULL};
    MUST(im_baseline_load(path, &b, &e) == IM_OK);
    MUST(im_baseline_gone(b, &scope, count, &gone, &e) == IM_OK && gone == 0);
    im_baseline_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int fds[2] = {-1, -1};
    static char paths[2][32];
    struct im_check_file *file = NULL;
    struct im_error e = {.code = IM_OK};
    for (int i = 0; i < 2 && fds[i] < 0; i++) {
        fds[i] = memfd_create("check", MFD_CLOEXEC);
        MUST(fds[i] >= 0);
        (void)snprintf(paths[i], sizeof paths[i], "/proc/self/fd/%d", fds[i]);
    }
    put(fds[0], data, size);
    if (im_check_file_open(paths[0], &file, &e) == IM_OK) {
        try_baseline(paths[0]);
        try_file(file, fds[1], paths[1]);
        im_check_file_close(&file);
    } else {
        MUST(!file && e.code == IM_E_INPUT && e.text[0] != '\0');
    }
    return 0;
}
