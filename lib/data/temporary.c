#include "lib/data/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum im_err im_temporary_open(int *out, struct im_error *e) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    if (!folder || !*folder)
        folder = "/tmp";
    if (snprintf(path, sizeof path, "%s/imdir-XXXXXX", folder) >= (int)sizeof path)
        return im_error_set(e, IM_E_USAGE, "TMPDIR is too long");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot create a temporary file in %s", folder);
    (void)unlink(path);
    *out = fd;
    return IM_OK;
}

enum im_err im_temporary_write(int fd, off_t at, const char *bytes, size_t len, struct im_error *e) {
    while (len > 0) {
        ssize_t put = pwrite(fd, bytes, len, at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return im_error_set_errno(e, IM_E_IO, errno, "cannot write to a temporary file (TMPDIR says where)");
        bytes += put;
        at += put;
        len -= (size_t)put;
    }
    return IM_OK;
}

enum im_err im_temporary_read(int fd, off_t at, char *bytes, size_t len, struct im_error *e) {
    while (len > 0) {
        ssize_t got = pread(fd, bytes, len, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return im_error_set_errno(e, IM_E_IO, got < 0 ? errno : EIO, "cannot read a temporary file");
        bytes += got;
        at += got;
        len -= (size_t)got;
    }
    return IM_OK;
}
