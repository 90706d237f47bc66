#include "tests/unit/oom.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *s);

enum { MAX_ALLOCATIONS = 10000 };

/* Allocations until one fails; 0 = none will. Per thread: other threads of a test are left in peace. */
static _Thread_local size_t countdown;

static bool fails_now(void) {
    if (countdown == 0 || --countdown > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size) {
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails_now() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *s) {
    return fails_now() ? NULL : __real_strdup(s);
}

void oom_fail_at(size_t n) {
    countdown = n;
}

size_t oom_pause(void) {
    size_t left = countdown;
    countdown = 0;
    return left;
}

size_t oom_every_allocation(oom_attempt *attempt, void *user) {
    for (size_t n = 1; n <= MAX_ALLOCATIONS; n++) {
        struct im_error e = {0};
        oom_fail_at(n);
        enum im_err err = attempt(user, &e);
        bool was_hit = countdown == 0;
        oom_fail_at(0);
        if (!was_hit) {
            assert_int_equal(err, IM_OK);
            return n - 1;
        }
        if (err != IM_E_NOMEM || e.code != IM_E_NOMEM) {
            fail_msg("allocation %zu failed: the attempt gave %s, its error holds %s", n, im_err_row(err)->name,
                     im_err_row(e.code)->name);
        }
    }
    fail_msg("no attempt got through within %d allocations", MAX_ALLOCATIONS);
    return 0;
}
