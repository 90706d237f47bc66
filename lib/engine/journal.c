#include "lib/engine/journal.h"

#include "lib/engine/journal_line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PENDING_MAX = 256 * 1024, FOLDER_MODE = 0700, FILE_MODE = 0600 };

struct im_journal {
    enum im_journal_kind kind;
    char *path;
    char *temporary; /* a plan file's name until it is whole; else NULL */
    int fd;
    struct im_buf pending; /* whole lines */
    size_t count;
    bool must_sync;  /* changes are not yet known to be on disk */
    bool is_entered; /* the folder knows the file, on disk */
    bool is_ended;
    struct im_error failure; /* the file cannot be written any more; code IM_OK: it can */
};

/* ---- where ---- */

static bool is_command_name(const char *name) {
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* The specification of the base directories ignores relative paths. */
static enum im_err state_folder(struct im_pool *pool, const char **out, struct im_error *e) {
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (xdg && *xdg == '/') {
        *out = im_pool_printf(pool, "%s/imdir", xdg);
    } else if (home && *home == '/') {
        *out = im_pool_printf(pool, "%s/.local/state/imdir", home);
    } else {
        return im_error_set(e, IM_E_USAGE,
                            "there is no place for the journal, as neither XDG_STATE_HOME nor HOME says one: name a file with "
                            "--journal, or do without one with --no-journal");
    }
    return *out ? IM_OK : im_error_nomem(e);
}

enum im_err im_journal_default_path(const char *directory, const char *command, int64_t now, struct im_pool *pool,
                                    const char **out, struct im_error *e) {
    char stamp[sizeof "20261125T231405Z"];
    time_t seconds = (time_t)now;
    struct tm tm;
    if (!is_command_name(command) || !gmtime_r(&seconds, &tm) || strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) == 0)
        return im_error_set(e, IM_E_INTERNAL, "a journal of \"%s\" at %lld cannot be named", command, (long long)now);
    enum im_err err = directory ? IM_OK : state_folder(pool, &directory, e);
    if (err != IM_OK)
        return err;
    const char *path = im_pool_printf(pool, "%s/%s-%s-%ld.jsonl", directory, stamp, command, (long)getpid());
    if (!path)
        return im_error_nomem(e);
    *out = path;
    return IM_OK;
}

/* ---- folders ---- */

/* The entries of a folder are on disk. Some file systems cannot do this, and some folders cannot be opened: there the file's own
 * fsync is all there is. */
static int sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    int status = fsync(fd);
    if (status != 0 && (errno == EINVAL || errno == ENOTSUP || errno == EROFS))
        status = 0;
    int failure = errno;
    (void)close(fd);
    errno = failure;
    return status;
}

/* Of the folder that the first `len` bytes of the path are in: "/", "a/b/", or ".". */
static int sync_parent(const char *path, size_t len) {
    char folder[PATH_MAX];
    while (len > 0 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    (void)snprintf(folder, sizeof folder, "%.*s", len ? (int)len : 1, len ? path : ".");
    return sync_folder(folder);
}

/* Makes what is missing of the folders above. 0, or -1 and errno. */
static int make_folders(const char *path) {
    char folder[PATH_MAX];
    struct stat st;
    for (size_t i = 1; path[i]; i++) {
        if (path[i] != '/')
            continue;
        if (snprintf(folder, sizeof folder, "%.*s", (int)i, path) >= (int)sizeof folder) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (stat(folder, &st) == 0)
            continue;
        if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST)
            return -1;
        if (sync_parent(folder, i) != 0)
            return -1;
    }
    return 0;
}

/* ---- errors ---- */

static const char *kind_name(enum im_journal_kind kind) {
    return kind == IM_JOURNAL ? "journal" : "plan file";
}

/* The file cannot be written any more: what is in it stays true, and nothing is added. */
static enum im_err fail(struct im_journal *j, int errnum, struct im_error *e) {
    im_error_set_errno(&j->failure, IM_E_IO, errnum, "the %s cannot be written", kind_name(j->kind));
    im_error_where(&j->failure, j->path);
    if (e && e->code == IM_OK)
        *e = j->failure;
    return j->failure.code;
}

/* Whether it can still be written to. */
static enum im_err check(const struct im_journal *j, struct im_error *e) {
    if (j->failure.code != IM_OK) {
        if (e && e->code == IM_OK)
            *e = j->failure;
        return j->failure.code;
    }
    return j->is_ended ? im_error_set(e, IM_E_INTERNAL, "the %s was ended before", kind_name(j->kind)) : IM_OK;
}

/* ---- creating ---- */

static enum im_err not_created(const char *path, enum im_journal_kind kind, struct im_error *e) {
    im_error_set_errno(e, IM_E_IO, errno, "the %s cannot be created", kind_name(kind));
    im_error_where(e, path);
    return IM_E_IO;
}

static enum im_err exists(const char *path, enum im_journal_kind kind, struct im_error *e) {
    return im_error_set_at(e, IM_E_USAGE, path, 0, 0, "it exists already, and a %s is never written over it: name another file",
                           kind_name(kind));
}

/* The nearest folder above that there is. False, and errno: nothing can be made in it. */
static bool has_folder(const char *path) {
    char folder[PATH_MAX];
    struct stat st;
    size_t len = strlen(path);
    do {
        while (len > 0 && path[len - 1] != '/')
            len--;
        (void)snprintf(folder, sizeof folder, "%.*s", len ? (int)len : 1, len ? path : ".");
        if (stat(folder, &st) == 0)
            return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
        while (len > 0 && path[len - 1] == '/')
            len--;
    } while (errno == ENOENT && len > 0);
    return false;
}

enum im_err im_journal_check_place(const char *path, enum im_journal_kind kind, struct im_error *e) {
    struct stat st;
    if (strcmp(path, "-") == 0)
        return im_error_set(e, IM_E_USAGE, "the %s needs a file name, and \"-\" is none", kind_name(kind));
    if (lstat(path, &st) == 0)
        return exists(path, kind, e);
    return has_folder(path) ? IM_OK : not_created(path, kind, e);
}

static int open_file(struct im_journal *j) {
    if (!j->temporary)
        return open(j->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    memset(j->temporary + strlen(j->temporary) - 6, 'X', 6);
    return mkostemp(j->temporary, O_CLOEXEC);
}

static enum im_err create_file(struct im_journal *j, struct im_error *e) {
    j->fd = open_file(j);
    if (j->fd < 0 && errno == ENOENT && make_folders(j->path) == 0)
        j->fd = open_file(j);
    if (j->fd < 0 && errno == EEXIST)
        return exists(j->path, j->kind, e);
    if (j->fd < 0)
        return not_created(j->path, j->kind, e);
    /* Nobody undoes what is still being done. Where the file system has no locks, one has to know it. */
    (void)flock(j->fd, LOCK_EX | LOCK_NB);
    return IM_OK;
}

static enum im_err write_pending(struct im_journal *j, struct im_error *e) {
    for (size_t done = 0; done < j->pending.len;) {
        ssize_t count = write(j->fd, j->pending.data + done, j->pending.len - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return fail(j, count < 0 ? errno : ENOSPC, e);
        done += (size_t)count;
    }
    im_buf_clear(&j->pending);
    return IM_OK;
}

/* Only the memory. */
static void release(struct im_journal **j) {
    im_buf_free(&(*j)->pending);
    free((*j)->path);
    free((*j)->temporary);
    free(*j);
    *j = NULL;
}

/* In memory, with the head to be written; NULL when out of it. */
static struct im_journal *journal_new(const char *path, const struct im_journal_head *head) {
    size_t len = strlen(path) + sizeof ".XXXXXX";
    struct im_journal *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    *j = (struct im_journal){.kind = head->kind, .fd = -1, .path = strdup(path), .pending = IM_BUF_INIT};
    im_journal_put_head(&j->pending, head);
    if (j->kind == IM_PLAN_FILE && (j->temporary = malloc(len)))
        (void)snprintf(j->temporary, len, "%s.XXXXXX", path);
    if (!j->path || j->pending.failed || (j->kind == IM_PLAN_FILE && !j->temporary))
        release(&j);
    return j;
}

enum im_err im_journal_create(const char *path, const struct im_journal_head *head, struct im_journal **out, struct im_error *e) {
    enum im_err err = im_journal_check_place(path, head->kind, e);
    if (err != IM_OK)
        return err;
    struct im_journal *j = journal_new(path, head);
    if (!j)
        return im_error_nomem(e);
    err = create_file(j, e);
    if (err == IM_OK)
        err = write_pending(j, e);
    if (err != IM_OK) {
        im_journal_free(&j);
        return err;
    }
    *out = j;
    return IM_OK;
}

/* ---- writing ---- */

/* The line that begins at `from` is in the buffer as a whole or not at all. */
static enum im_err added(struct im_journal *j, size_t from, struct im_error *e) {
    if (j->pending.failed) {
        j->pending.failed = false;
        j->pending.len = from;
        return im_error_nomem(e);
    }
    return j->pending.len >= PENDING_MAX ? write_pending(j, e) : IM_OK;
}

enum im_err im_journal_add(struct im_journal *j, const struct im_record *record, size_t *id, struct im_error *e) {
    enum im_err err = check(j, e);
    size_t from = j->pending.len;
    if (err != IM_OK)
        return err;
    im_journal_put_change(&j->pending, j->count + 1, record);
    err = added(j, from, e);
    if (err != IM_OK)
        return err;
    j->must_sync = true;
    *id = ++j->count;
    return IM_OK;
}

enum im_err im_journal_result(struct im_journal *j, size_t id, enum im_outcome outcome, struct im_error *e) {
    enum im_err err = check(j, e);
    size_t from = j->pending.len;
    if (err == IM_OK && (id == 0 || id > j->count || j->kind != IM_JOURNAL))
        err = im_error_set(e, IM_E_INTERNAL, "the %s has no change %zu to tell a result of", kind_name(j->kind), id);
    if (err != IM_OK)
        return err;
    im_journal_put_result(&j->pending, id, outcome);
    return added(j, from, e);
}

/* The first time with all that is known of the file, and with its entry in the folder. */
static enum im_err sync_file(struct im_journal *j, struct im_error *e) {
    const char *path = j->temporary ? j->temporary : j->path;
    int status = j->is_entered ? fdatasync(j->fd) : fsync(j->fd);
    if (status == 0 && !j->is_entered)
        status = sync_parent(path, strlen(path));
    if (status != 0)
        return fail(j, errno, e);
    j->is_entered = true;
    j->must_sync = false;
    return IM_OK;
}

enum im_err im_journal_sync(struct im_journal *j, struct im_error *e) {
    enum im_err err = check(j, e);
    if (err != IM_OK || !j->must_sync)
        return err;
    err = write_pending(j, e);
    return err == IM_OK ? sync_file(j, e) : err;
}

/* ---- the end ---- */

/* Gives the plan file its name, unless somebody else has taken it meanwhile. */
static int name_plan(const struct im_journal *j) {
    if (renameat2(AT_FDCWD, j->temporary, AT_FDCWD, j->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS) /* those: the file system does not know how */
        return -1;
    return link(j->temporary, j->path) == 0 ? unlink(j->temporary) : -1;
}

static enum im_err publish(struct im_journal *j, struct im_error *e) {
    if (name_plan(j) != 0)
        return fail(j, errno, e);
    free(j->temporary);
    j->temporary = NULL;
    return sync_parent(j->path, strlen(j->path)) == 0 ? IM_OK : fail(j, errno, e);
}

enum im_err im_journal_end(struct im_journal *j, const struct im_summary *summary, bool is_complete, struct im_error *e) {
    enum im_err err = check(j, e);
    size_t from = j->pending.len;
    bool is_plan = j->kind == IM_PLAN_FILE;
    if (err != IM_OK)
        return err;
    im_journal_put_end(&j->pending, summary, is_complete);
    err = added(j, from, e);
    if (err == IM_OK)
        err = write_pending(j, e);
    if (err == IM_OK && (is_plan ? is_complete : j->count > 0))
        err = sync_file(j, e);
    if (err == IM_OK && is_plan && is_complete)
        err = publish(j, e);
    if (err != IM_OK)
        return err;
    j->is_ended = true;
    (void)flock(j->fd, LOCK_UN);
    return IM_OK;
}

size_t im_journal_count(const struct im_journal *j) {
    return j->count;
}

const char *im_journal_path(const struct im_journal *j) {
    return j->path;
}

/* Only what we made ourselves is removed. */
static void remove_file(const struct im_journal *j, const char *path) {
    struct stat ours;
    struct stat there;
    if (fstat(j->fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
        (void)unlink(path);
}

void im_journal_free(struct im_journal **journal) {
    if (!journal || !*journal)
        return;
    struct im_journal *j = *journal;
    if (j->fd >= 0) {
        if (j->temporary) {
            remove_file(j, j->temporary);
        } else if (j->kind == IM_JOURNAL && j->count == 0) {
            remove_file(j, j->path);
        } else if (!j->is_ended && j->failure.code == IM_OK) {
            (void)write_pending(j, NULL); /* results that were told since the last sync */
        }
        (void)close(j->fd);
    }
    release(journal);
}
