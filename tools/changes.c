#include "tools/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum im_err im_changes_open(struct im_changes *f, const char *path, struct im_error *e) {
    *f = (struct im_changes){.path = path};
    if (!path) {
        return IM_OK;
    }
    struct stat st;
    if (strcmp(path, "-") == 0) {
        return im_error_set(e, IM_E_USAGE, "--changes: a file name is needed, \"-\" is none");
    }
    /* The file takes the place of what is there: never of a directory or a device. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return im_error_set(e, IM_E_USAGE, "--changes: %s exists and is no regular file", path);
    }
    if (snprintf(f->temporary, sizeof f->temporary, "%s.XXXXXX", path) >= (int)sizeof f->temporary) {
        return im_error_set(e, IM_E_USAGE, "--changes: the file name is too long");
    }
    int fd = mkostemp(f->temporary, O_CLOEXEC); /* mode 0600, never an existing file */
    f->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (f->stream) {
        return IM_OK;
    }
    enum im_err err = im_error_set_errno(e, IM_E_IO, errno, "--changes: cannot create %s", path);
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(f->temporary);
    }
    return err;
}

enum im_err im_changes_add(struct im_changes *f, const struct im_change *change, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = IM_OK;
    if (!f->stream) {
        return IM_OK;
    }
    im_ldif_write_change(&text, change);
    if (text.failed) {
        err = im_error_nomem(e);
    } else if (fwrite(im_buf_str(&text), 1, text.len, f->stream) != text.len || fflush(f->stream) != 0) {
        err = im_error_set_errno(e, IM_E_IO, errno, "--changes: cannot write %s", f->path);
    }
    im_buf_free(&text);
    return err;
}

enum im_err im_changes_commit(struct im_changes *f, struct im_error *e) {
    if (!f->stream) {
        return IM_OK;
    }
    bool is_written = fflush(f->stream) == 0 && fsync(fileno(f->stream)) == 0;
    int failure = errno;
    is_written = fclose(f->stream) == 0 && is_written;
    f->stream = NULL;
    if (is_written && rename(f->temporary, f->path) == 0) {
        return IM_OK;
    }
    failure = is_written ? errno : failure;
    (void)unlink(f->temporary);
    return im_error_set_errno(e, IM_E_IO, failure, "--changes: cannot write %s", f->path);
}

void im_changes_discard(struct im_changes *f) {
    if (!f->stream) {
        return;
    }
    (void)fclose(f->stream);
    (void)unlink(f->temporary);
    f->stream = NULL;
}
