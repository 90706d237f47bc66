#include "lib/data/ldif_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    CHUNK = 1 << 16,
    MOST = 1 << 30,
    GZIP_ONLY = 15 + 16 /* windowBits: the largest window, and a gzip header must be there */
};

struct im_ldif_file {
    char *path;
    int fd;
    struct stat opened;
    bool is_gzip, is_inflating;
    z_stream z;
    bool in_member; /* a member of the file was begun and did not end yet */
    bool at_end;
    uint64_t read; /* bytes of the file that were read */
    unsigned char *chunk;
};

static enum im_err wrong(const struct im_ldif_file *f, struct im_error *e, const char *text) {
    return im_error_set_at(e, IM_E_INPUT, f->path, 0, 0, "%s", text);
}

static enum im_err read_some(struct im_ldif_file *f, void *out, size_t size, size_t *len, struct im_error *e) {
    ssize_t got;
    do {
        got = read(f->fd, out, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->path);
    f->read += (uint64_t)got;
    *len = (size_t)got;
    return IM_OK;
}

/* As much as there is room for: the first bytes of a file stand together. */
static enum im_err read_plain(struct im_ldif_file *f, char *out, size_t size, size_t *len, struct im_error *e) {
    size_t got = 1;
    enum im_err err = IM_OK;
    *len = 0;
    while (err == IM_OK && got && *len < size) {
        err = read_some(f, out + *len, size - *len, &got, e);
        *len += err == IM_OK ? got : 0;
    }
    return err;
}

/* ---- gzip ---- */

static enum im_err broken(const struct im_ldif_file *f, struct im_error *e, const char *why) {
    return im_error_set_at(e, IM_E_INPUT, f->path, 0, 0, "the compressed data is broken at byte %llu: %s",
                           (unsigned long long)(f->read - f->z.avail_in), why);
}

static enum im_err cut_off(const struct im_ldif_file *f, struct im_error *e) {
    return im_error_set_at(e, IM_E_INPUT, f->path, 0, 0,
                           "the compressed file ends too early, after %llu bytes: it was cut off, get it again",
                           (unsigned long long)f->read);
}

static enum im_err more_input(struct im_ldif_file *f, struct im_error *e) {
    size_t len = 0;
    enum im_err err = f->z.avail_in ? IM_OK : read_some(f, f->chunk, (size_t)CHUNK, &len, e);
    if (err == IM_OK && len) {
        f->z.next_in = f->chunk;
        f->z.avail_in = (uInt)len;
    }
    return err;
}

/* A member ended. Another may follow; zeros at the end are what tapes add. */
static enum im_err next_member(struct im_ldif_file *f, struct im_error *e) {
    for (;;) {
        enum im_err err = more_input(f, e);
        if (err != IM_OK)
            return err;
        if (!f->z.avail_in) {
            f->at_end = true;
            return IM_OK;
        }
        if (*f->z.next_in)
            break;
        f->z.next_in++;
        f->z.avail_in--;
    }
    f->in_member = true;
    return inflateReset(&f->z) == Z_OK ? IM_OK : im_error_set(e, IM_E_INTERNAL, "zlib cannot begin again");
}

static enum im_err inflate_some(struct im_ldif_file *f, struct im_error *e) {
    enum im_err err = more_input(f, e);
    if (err != IM_OK)
        return err;
    if (!f->z.avail_in)
        return cut_off(f, e);
    int rc = inflate(&f->z, Z_NO_FLUSH);
    if (rc == Z_MEM_ERROR)
        return im_error_nomem(e);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return broken(f, e, f->z.msg ? f->z.msg : "no such method");
    f->in_member = rc != Z_STREAM_END;
    return IM_OK;
}

static enum im_err read_gzip(struct im_ldif_file *f, char *out, size_t size, size_t *len, struct im_error *e) {
    enum im_err err = IM_OK;
    size_t most = size < MOST ? size : MOST;
    f->z.next_out = (unsigned char *)out;
    f->z.avail_out = (uInt)most;
    while (err == IM_OK && !f->at_end && f->z.avail_out)
        err = f->in_member ? inflate_some(f, e) : next_member(f, e);
    *len = most - f->z.avail_out;
    return err;
}

/* Room for the compressed bytes, and zlib's own, which is not asked of our allocator. */
static enum im_err begin_gzip(struct im_ldif_file *f, struct im_error *e) {
    f->chunk = malloc(CHUNK);
    if (!f->chunk)
        return im_error_nomem(e);
    f->is_inflating = inflateInit2(&f->z, GZIP_ONLY) == Z_OK;
    return f->is_inflating ? IM_OK : im_error_nomem(e);
}

/* ---- the file ---- */

static enum im_err read_file(void *user, char *out, size_t size, size_t *len, struct im_error *e) {
    struct im_ldif_file *f = user;
    return f->is_gzip ? read_gzip(f, out, size, len, e) : read_plain(f, out, size, len, e);
}

struct im_ldif_source im_ldif_file_source(struct im_ldif_file *file) {
    return (struct im_ldif_source){.read = read_file, .user = file};
}

static enum im_err look(struct im_ldif_file *f, struct im_error *e) {
    unsigned char magic[2];
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (f->fd < 0 || fstat(f->fd, &f->opened) != 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->path);
    if (!S_ISREG(f->opened.st_mode))
        return wrong(f, e, "no regular file: an export is read more than once, so it cannot be a pipe or a folder");
    ssize_t got = pread(f->fd, magic, sizeof magic, 0);
    if (got < 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->path);
    f->is_gzip = got == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
    f->in_member = f->is_gzip;
    return f->is_gzip ? begin_gzip(f, e) : IM_OK;
}

enum im_err im_ldif_file_open(const char *path, struct im_ldif_file **out, struct im_error *e) {
    struct im_ldif_file *f = calloc(1, sizeof *f);
    if (!f)
        return im_error_nomem(e);
    f->fd = -1;
    f->path = strdup(path);
    enum im_err err = f->path ? look(f, e) : im_error_nomem(e);
    if (err == IM_OK) {
        *out = f;
    } else {
        im_ldif_file_free(&f);
    }
    return err;
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum im_err im_ldif_file_rewind(struct im_ldif_file *f, struct im_error *e) {
    struct stat now;
    if (fstat(f->fd, &now) != 0 || lseek(f->fd, 0, SEEK_SET) != 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->path);
    if (!is_same(&now, &f->opened))
        return wrong(f, e, "the file was changed while it was read");
    f->read = 0;
    f->at_end = false;
    f->in_member = f->is_gzip;
    f->z.avail_in = 0;
    if (f->is_gzip && inflateReset(&f->z) != Z_OK)
        return im_error_set(e, IM_E_INTERNAL, "zlib cannot begin again");
    return IM_OK;
}

void im_ldif_file_free(struct im_ldif_file **file) {
    struct im_ldif_file *f = file ? *file : NULL;
    if (!f)
        return;
    if (f->is_inflating)
        (void)inflateEnd(&f->z);
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f->chunk);
    free(f->path);
    free(f);
    *file = NULL;
}
