#include "lib/base/hash.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { WORD = sizeof(uint64_t), COMPRESSIONS = 2, FINALIZATIONS = 4 };

struct state {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

static void mix(struct state *s, int rounds) {
    uint64_t *v = s->v;
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void take_word(struct state *s, uint64_t word) {
    s->v[3] ^= word;
    mix(s, COMPRESSIONS);
    s->v[0] ^= word;
}

/* Little-endian, whatever the machine is. */
static uint64_t word_at(const unsigned char *bytes, size_t len) {
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

uint64_t im_hash(const void *bytes, size_t len, const uint64_t key[2]) {
    const unsigned char *at = bytes;
    struct state s = {
        {key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U, key[1] ^ 0x7465646279746573U}};
    size_t left = len;
    for (; left >= WORD; left -= WORD, at += WORD) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        take_word(&s, le64toh(word));
    }
    take_word(&s, word_at(at, left) | (uint64_t)len << 56);
    s.v[2] ^= 0xff;
    mix(&s, FINALIZATIONS);
    return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}

void im_hash_seed(uint64_t key[2]) {
    if (getrandom(key, 2 * sizeof *key, GRND_NONBLOCK) == (ssize_t)(2 * sizeof *key))
        return;
    struct timespec now; /* a kernel that has only just started */
    (void)clock_gettime(CLOCK_REALTIME, &now);
    key[0] = (uint64_t)now.tv_nsec;
    key[1] = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)key;
}
