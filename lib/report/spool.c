#include "lib/report/spool.h"

#include "lib/base/vec.h"
#include "lib/data/temporary.h"

#include <stdlib.h>
#include <unistd.h>

/* Each stream collects a block in memory before it goes to the file, so that few places must be remembered. */
enum { BLOCK_MAX = 16 * 1024 };

struct block {
    off_t at;
    size_t len;
};

struct stream {
    struct im_buf last; /* not in the file yet */
    struct {
        struct block *items;
        size_t count, cap;
    } blocks;
};

struct im_spool {
    int fd;
    off_t end;
    struct {
        struct stream *items;
        size_t count, cap;
    } streams;
};

struct im_spool *im_spool_new(void) {
    struct im_spool *spool = calloc(1, sizeof *spool);
    if (spool)
        spool->fd = -1;
    return spool;
}

void im_spool_free(struct im_spool **spool) {
    if (!spool || !*spool)
        return;
    for (size_t i = 0; i < (*spool)->streams.count; i++) {
        im_buf_free(&(*spool)->streams.items[i].last);
        im_vec_free(&(*spool)->streams.items[i].blocks);
    }
    im_vec_free(&(*spool)->streams);
    if ((*spool)->fd >= 0)
        (void)close((*spool)->fd);
    free(*spool);
    *spool = NULL;
}

static enum im_err put_away(struct im_spool *spool, struct stream *stream, struct im_error *e) {
    enum im_err err = spool->fd < 0 ? im_temporary_open(&spool->fd, e) : IM_OK;
    if (err == IM_OK)
        err = im_temporary_write(spool->fd, spool->end, stream->last.data, stream->last.len, e);
    if (err != IM_OK)
        return err;
    struct block *block = im_vec_push(&stream->blocks);
    if (!block)
        return im_error_nomem(e);
    *block = (struct block){spool->end, stream->last.len};
    spool->end += (off_t)stream->last.len;
    im_buf_clear(&stream->last);
    return IM_OK;
}

static enum im_err add(struct im_spool *spool, size_t number, const struct im_buf *record, struct im_error *e) {
    while (spool->streams.count <= number) {
        if (!im_vec_push(&spool->streams))
            return im_error_nomem(e);
    }
    struct stream *stream = &spool->streams.items[number];
    enum im_err err = IM_OK;
    if (stream->last.len && stream->last.len + record->len > BLOCK_MAX)
        err = put_away(spool, stream, e);
    if (err != IM_OK)
        return err;
    im_buf_add(&stream->last, record->data, record->len);
    return stream->last.failed ? im_error_nomem(e) : IM_OK;
}

enum im_err im_spool_add(struct im_spool *spool, size_t stream, struct im_buf *record, struct im_error *e) {
    enum im_err err = IM_OK;
    if (record->failed) {
        err = im_error_nomem(e);
    } else if (record->len) {
        err = add(spool, stream, record, e);
    }
    im_buf_free(record);
    return err;
}

static enum im_err take_block(const struct im_spool *spool, const struct block *block, im_spool_take *take, void *user,
                              struct im_error *e) {
    char *bytes = malloc(block->len);
    if (!bytes)
        return im_error_nomem(e);
    enum im_err err = im_temporary_read(spool->fd, block->at, bytes, block->len, e);
    if (err == IM_OK)
        err = take(user, bytes, block->len, e);
    free(bytes);
    return err;
}

enum im_err im_spool_each(struct im_spool *spool, size_t number, im_spool_take *take, void *user, struct im_error *e) {
    enum im_err err = IM_OK;
    if (number >= spool->streams.count)
        return IM_OK;
    const struct stream *stream = &spool->streams.items[number];
    for (size_t i = 0; err == IM_OK && i < stream->blocks.count; i++)
        err = take_block(spool, &stream->blocks.items[i], take, user, e);
    return err == IM_OK && stream->last.len ? take(user, stream->last.data, stream->last.len, e) : err;
}
