/* SipHash-2-4: numbers for texts that others choose, so that nobody can choose two texts with one number. */
#ifndef IMDIR_BASE_HASH_H
#define IMDIR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

void im_hash_seed(uint64_t key[2]); /* at random */
/* Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012. */
uint64_t im_hash(const void *bytes, size_t len, const uint64_t key[2]);

#endif
