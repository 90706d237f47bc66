#include "lib/base/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 65536 };

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct im_pool {
    struct block *blocks; /* the newest first: pieces come from it */
};

static struct block *block_new(size_t size, struct block *next) {
    if (size > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->next = next;
    block->used = 0;
    block->size = size;
    return block;
}

struct im_pool *im_pool_new(void) {
    return calloc(1, sizeof(struct im_pool));
}

static void free_blocks(struct block *block) {
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void im_pool_free(struct im_pool **pool) {
    if (!pool || !*pool)
        return;
    free_blocks((*pool)->blocks);
    free(*pool);
    *pool = NULL;
}

void im_pool_reset(struct im_pool *pool) {
    if (!pool->blocks)
        return;
    free_blocks(pool->blocks->next);
    pool->blocks->next = NULL;
    pool->blocks->used = 0;
}

/* Each is twice as large as the one before: many for a pool of megabytes, and few bytes for a small one. */
static size_t next_block_size(const struct block *before) {
    if (!before || before->size < BLOCK_FIRST)
        return BLOCK_FIRST;
    return before->size < BLOCK_MOST / 2 ? 2 * before->size : (size_t)BLOCK_MOST;
}

/* A piece whose contents are to be written. */
static void *take(struct im_pool *pool, size_t size) {
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX - align)
        return NULL;
    size_t rounded = (size + align - 1) / align * align;
    struct block *block = pool->blocks;
    if (!block || block->size - block->used < rounded) {
        size_t usual = next_block_size(block);
        block = block_new(rounded > usual ? rounded : usual, block);
        if (!block)
            return NULL;
        pool->blocks = block;
    }
    void *piece = block->bytes + block->used;
    block->used += rounded;
    return piece;
}

void *im_pool_alloc(struct im_pool *pool, size_t size) {
    void *piece = take(pool, size);
    return piece ? memset(piece, 0, size) : NULL;
}

void *im_pool_array(struct im_pool *pool, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size)
        return NULL;
    return im_pool_alloc(pool, count * size);
}

char *im_pool_strndup(struct im_pool *pool, const char *s, size_t len) {
    if (len == SIZE_MAX)
        return NULL;
    char *copy = take(pool, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *im_pool_strdup(struct im_pool *pool, const char *s) {
    return s ? im_pool_strndup(pool, s, strlen(s)) : NULL;
}

char *im_pool_vprintf(struct im_pool *pool, const char *format, va_list args) {
    struct block *block = pool->blocks;
    size_t room = block ? block->size - block->used : 0;
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(room ? (char *)block->bytes + block->used : NULL, room, format, args);
    char *text = len < 0 ? NULL : take(pool, (size_t)len + 1);
    if (text && (size_t)len >= room) /* mostly it fits at once, and is where the piece begins */
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *im_pool_printf(struct im_pool *pool, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = im_pool_vprintf(pool, format, args);
    va_end(args);
    return text;
}

int im_pool_value(struct im_pool *pool, const struct berval *in, struct berval *out) {
    char *copy = im_pool_strndup(pool, in->bv_val, in->bv_len);
    if (!copy)
        return -1;
    *out = (struct berval){.bv_len = in->bv_len, .bv_val = copy};
    return 0;
}
