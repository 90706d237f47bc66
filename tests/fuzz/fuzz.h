/* One entry point a target: libFuzzer calls it with inputs of its own, corpus.c with the committed ones and small changes of
 * them. */
#ifndef IMDIR_TESTS_FUZZ_H
#define IMDIR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* the name is libFuzzer's; always 0 */

/* A property that must hold for every input; unlike assert it is never compiled out. */
#define MUST(condition)                                                                                                          \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            abort();                                                                                                             \
        }                                                                                                                        \
    } while (0)

#endif
