#include "lib/data/text_file.h"

#include "lib/base/text.h"
#include "lib/data/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 65536 };

struct im_text_file {
    char *name, *wanted;
    int fd;
    struct stat opened; /* as it was when it was opened */
    struct im_encoding encoding;
    bool is_converted;
    iconv_t converter;
    char *bytes; /* not yet decoded */
    size_t at, len;
    bool is_end, is_flushed;
};

/* ---- opening ---- */

static enum im_err read_some(const struct im_text_file *f, char *out, size_t size, size_t *len, struct im_error *e) {
    ssize_t got = read(f->fd, out, size);
    if (got < 0 && errno == EINTR) /* somebody waits for a pipe and has enough */
        return im_error_set(e, IM_E_INTERRUPTED, "interrupted while reading %s", f->name);
    if (got < 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->name);
    *len = (size_t)got;
    return IM_OK;
}

static enum im_err copy_all(struct im_text_file *f, int to, struct im_error *e) {
    enum im_err err = IM_OK;
    off_t at = 0;
    for (size_t len = 1; err == IM_OK && len > 0; at += (off_t)len) {
        err = read_some(f, f->bytes, BLOCK, &len, e);
        if (err == IM_OK)
            err = im_temporary_write(to, at, f->bytes, len, e);
    }
    return err;
}

static enum im_err keep_copy(struct im_text_file *f, struct im_error *e) {
    int copy = -1;
    enum im_err err = im_temporary_open(&copy, e);
    if (err == IM_OK)
        err = copy_all(f, copy, e);
    if (f->fd != STDIN_FILENO)
        (void)close(f->fd);
    f->fd = copy;
    return err;
}

static enum im_err open_bytes(struct im_text_file *f, const char *path, struct im_error *e) {
    bool is_stdin = strcmp(path, "-") == 0;
    f->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &f->opened) != 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot open %s", path);
    if (S_ISDIR(f->opened.st_mode))
        return im_error_set_errno(e, IM_E_IO, EISDIR, "cannot read %s", f->name);
    enum im_err err = is_stdin || !S_ISREG(f->opened.st_mode) ? keep_copy(f, e) : IM_OK;
    if (err == IM_OK && fstat(f->fd, &f->opened) != 0)
        err = im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->name);
    return err;
}

static enum im_err open_converter(struct im_text_file *f, struct im_error *e) {
    if (strcmp(f->encoding.name, "UTF-8") == 0)
        return IM_OK;
    f->converter = iconv_open("UTF-8", f->encoding.name);
    f->is_converted = f->converter != (iconv_t)-1;
    if (f->is_converted)
        return IM_OK;
    return errno == ENOMEM ? im_error_nomem(e)
                           : im_error_set(e, IM_E_USAGE, "--encoding %s: not known here, see iconv -l", f->encoding.name);
}

static enum im_err open_file(struct im_text_file *f, const char *path, const char *encoding, struct im_error *e) {
    f->name = strdup(strcmp(path, "-") == 0 ? "standard input" : path);
    f->wanted = encoding ? strdup(encoding) : NULL;
    f->bytes = malloc(BLOCK);
    if (!f->name || (encoding && !f->wanted) || !f->bytes)
        return im_error_nomem(e);
    /* "//IGNORE" and "//TRANSLIT" would change names without a word. */
    if (encoding && (!*encoding || strchr(encoding, '/')))
        return im_error_set(e, IM_E_USAGE, "--encoding: \"%s\" is no encoding's name", encoding);
    enum im_err err = open_bytes(f, path, e);
    if (err == IM_OK)
        err = im_encoding_find(f->fd, f->name, f->wanted, &f->encoding, e);
    if (err == IM_OK)
        err = open_converter(f, e);
    return err == IM_OK ? im_text_file_rewind(f, e) : err;
}

enum im_err im_text_file_open(const char *path, const char *encoding, struct im_text_file **out, struct im_error *e) {
    struct im_text_file *f = calloc(1, sizeof *f);
    if (!f)
        return im_error_nomem(e);
    f->fd = -1;
    enum im_err err = open_file(f, path, encoding, e);
    if (err == IM_OK) {
        *out = f;
    } else {
        im_text_file_free(&f);
    }
    return err;
}

void im_text_file_free(struct im_text_file **file) {
    if (!file || !*file)
        return;
    struct im_text_file *f = *file;
    if (f->is_converted)
        (void)iconv_close(f->converter);
    if (f->fd > STDERR_FILENO)
        (void)close(f->fd);
    free(f->name);
    free(f->wanted);
    free(f->bytes);
    free(f);
    *file = NULL;
}

const char *im_text_file_name(const struct im_text_file *file) {
    return file->name;
}

const char *im_text_file_encoding(const struct im_text_file *file) {
    return file->encoding.name;
}

bool im_text_file_has_bom(const struct im_text_file *file) {
    return file->encoding.bom_len > 0;
}

/* ---- reading ---- */

static enum im_err check_unchanged(const struct im_text_file *f, struct im_error *e) {
    struct stat now;
    if (fstat(f->fd, &now) != 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", f->name);
    if (now.st_size == f->opened.st_size && now.st_mtim.tv_sec == f->opened.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == f->opened.st_mtim.tv_nsec)
        return IM_OK;
    return im_error_set_at(e, IM_E_INPUT, f->name, 0, 0, "the file was changed while it was read: run the command again");
}

/* Reads behind what is not yet decoded. */
static enum im_err read_more(struct im_text_file *f, struct im_error *e) {
    memmove(f->bytes, f->bytes + f->at, f->len - f->at);
    f->len -= f->at;
    f->at = 0;
    size_t len = 0;
    enum im_err err = read_some(f, f->bytes + f->len, BLOCK - f->len, &len, e);
    if (err != IM_OK)
        return err;
    f->len += len;
    f->is_end = len == 0;
    return f->is_end ? check_unchanged(f, e) : IM_OK;
}

static enum im_err broken(const struct im_text_file *f, const struct im_position *here, struct im_error *e) {
    return im_error_set_at(e, IM_E_INPUT, f->name, here->line, here->column,
                           "the byte %02X means nothing in %s: name the file's encoding with --encoding, or save it as UTF-8",
                           (unsigned char)f->bytes[f->at], f->encoding.name);
}

/* One call of iconv; *fault is its errno, or 0. */
static size_t convert(struct im_text_file *f, char *out, size_t size, int *fault) {
    char *in = f->bytes + f->at, *end = out;
    size_t in_left = f->len - f->at, out_left = size;
    bool flushes = f->is_end && in_left == 0;
    size_t rc = iconv(f->converter, flushes ? NULL : &in, &in_left, &end, &out_left);
    *fault = rc == (size_t)-1 ? errno : 0;
    f->at = f->len - in_left;
    f->is_flushed = flushes;
    return size - out_left;
}

static enum im_err read_converted(struct im_text_file *f, const struct im_position *here, char *out, size_t size, size_t *len,
                                  struct im_error *e) {
    int fault = 0;
    for (*len = 0; *len == 0 && !f->is_flushed;) {
        if (f->at == f->len || fault == EINVAL) {
            enum im_err err = f->is_end ? IM_OK : read_more(f, e);
            if (err != IM_OK)
                return err;
        }
        *len = convert(f, out, size, &fault);
        if (*len == 0 && (fault == EILSEQ || (fault == EINVAL && f->is_end)))
            return broken(f, here, e);
    }
    return IM_OK;
}

enum im_err im_text_file_read(struct im_text_file *file, const struct im_position *here, char *out, size_t size, size_t *len,
                              struct im_error *e) {
    if (file->is_converted)
        return read_converted(file, here, out, size, len, e);
    enum im_err err = read_some(file, out, size, len, e);
    return err == IM_OK && *len == 0 ? check_unchanged(file, e) : err;
}

enum im_err im_text_file_rewind(struct im_text_file *file, struct im_error *e) {
    if (lseek(file->fd, (off_t)file->encoding.bom_len, SEEK_SET) < 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot go back in %s", file->name);
    if (file->is_converted)
        (void)iconv(file->converter, NULL, NULL, NULL, NULL);
    file->at = file->len = 0;
    file->is_end = file->is_flushed = false;
    return check_unchanged(file, e);
}
