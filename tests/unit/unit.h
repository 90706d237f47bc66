/* What the unit programs share: cmocka with the headers it wants first, and values from literals. */
#ifndef IMDIR_TESTS_UNIT_H
#define IMDIR_TESTS_UNIT_H

#include <lber.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* A value that borrows the bytes: struct berval knows no const. */
static inline struct berval value_of(const void *bytes, size_t len) {
    struct berval value = {.bv_len = len};
    memcpy(&value.bv_val, &bytes, sizeof value.bv_val);
    return value;
}

#define VALUE(literal) value_of("" literal, sizeof(literal) - 1) /* may hold NULs */

/* The text must hold the word; says both when it does not. */
#define assert_mentions(text, word)                                                                                              \
    do {                                                                                                                         \
        if (!strstr((text), (word)))                                                                                             \
            fail_msg("\"%s\" does not mention \"%s\"", (text), (word));                                                          \
    } while (0)

#endif
