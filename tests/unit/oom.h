/* Running out of memory on purpose. Every unit program is linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup: what our own code allocates can fail, what other libraries
 * allocate inside themselves cannot. */
#ifndef IMDIR_TESTS_OOM_H
#define IMDIR_TESTS_OOM_H

#include "lib/base/error.h"

#include <stddef.h>

typedef enum im_err oom_attempt(void *user, struct im_error *e);

/* Runs the attempt with its 1st, 2nd, ... allocation failing, each time once, until one gets through untouched. Fails the test
 * unless every hit gives IM_E_NOMEM in code and error, and the untouched run IM_OK. Returns how many allocations were made to
 * fail. What an attempt leaks is found by the address sanitizer. */
size_t oom_every_allocation(oom_attempt *attempt, void *user);

void oom_fail_at(size_t n); /* the n-th allocation from now on fails, once; 0 = none */
size_t oom_pause(void);     /* none fails; oom_fail_at with what it returns goes on: for scaffolding that is not under test */

#endif
