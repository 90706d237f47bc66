#include "tools/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum im_err im_output_file_open(struct im_output_file *f, const char *option, const char *path, struct im_error *e) {
    *f = (struct im_output_file){.option = option, .path = path};
    if (!path) {
        return IM_OK;
    }
    struct stat st;
    if (strcmp(path, "-") == 0) {
        return im_error_set(e, IM_E_USAGE, "%s: a file name is needed, \"-\" is none", option);
    }
    /* The file takes the place of what is there: never of a directory or a device. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return im_error_set(e, IM_E_USAGE, "%s: %s exists and is no regular file", option, path);
    }
    if (snprintf(f->temporary, sizeof f->temporary, "%s.XXXXXX", path) >= (int)sizeof f->temporary) {
        return im_error_set(e, IM_E_USAGE, "%s: the file name is too long", option);
    }
    int fd = mkostemp(f->temporary, O_CLOEXEC); /* mode 0600, never an existing file */
    f->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (f->stream) {
        return IM_OK;
    }
    enum im_err err = im_error_set_errno(e, IM_E_IO, errno, "%s: cannot create %s", option, path);
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(f->temporary);
    }
    return err;
}

enum im_err im_output_file_add(struct im_output_file *f, struct im_buf *text, struct im_error *e) {
    enum im_err err = IM_OK;
    if (text->failed) {
        err = im_error_nomem(e);
    } else if (f->stream && (fwrite(im_buf_str(text), 1, text->len, f->stream) != text->len || fflush(f->stream) != 0)) {
        err = im_error_set_errno(e, IM_E_IO, errno, "%s: cannot write %s", f->option, f->path);
    }
    im_buf_free(text);
    return err;
}

enum im_err im_output_file_commit(struct im_output_file *f, struct im_error *e) {
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
    return im_error_set_errno(e, IM_E_IO, failure, "%s: cannot write %s", f->option, f->path);
}

void im_output_file_discard(struct im_output_file *f) {
    if (!f->stream) {
        return;
    }
    (void)fclose(f->stream);
    (void)unlink(f->temporary);
    f->stream = NULL;
}
