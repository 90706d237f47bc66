/* Runs a target without libFuzzer: each file named, all its beginnings, and each with one byte changed. Prints TAP. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

enum { INPUT_MAX = 4096 };

static void run_one(const uint8_t *data, size_t size) {
    /* A copy of its own, so that the sanitizer sees a read past the end. */
    uint8_t *copy = malloc(size ? size : 1);
    MUST(copy != NULL);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_around(uint8_t *data, size_t size) {
    static const uint8_t odd[] = {0x00, '\n', ' ', '"', ':', '{', '\\', 0x7F, 0x80, 0xC3, 0xFF};
    run_one(data, size);
    for (size_t i = 0; i < size; i++) {
        const uint8_t kept = data[i];
        run_one(data, i);
        for (size_t k = 0; k < sizeof odd; k++) {
            data[i] = odd[k];
            run_one(data, size);
        }
        data[i] = kept;
    }
}

int main(int argc, char **argv) {
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        static uint8_t data[INPUT_MAX];
        FILE *file = fopen(argv[i], "rb");
        const size_t size = file ? fread(data, 1, sizeof data, file) : 0;
        const char *slash = strrchr(argv[i], '/');
        if (file) {
            fclose(file);
        }
        run_around(data, size);
        printf("%s %d - %s\n", file ? "ok" : "not ok", i, slash ? slash + 1 : argv[i]);
        fflush(stdout);
    }
    return 0;
}
