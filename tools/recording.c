#include "tools/recording.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct im_recording_options im_recording_options;

enum im_err im_recording_check(struct im_command *c) {
    const struct im_recording_options *o = &im_recording_options;
    if (o->plan && !im_common.dry_run) {
        return im_error_set(&c->error, IM_E_USAGE, "--plan saves what a dry run finds: give --dry-run as well");
    }
    if (o->journal && o->no_journal) {
        return im_error_set(&c->error, IM_E_USAGE, "--journal and --no-journal contradict each other");
    }
    return IM_OK;
}

/* A file is found again from another folder, too. */
static const char *lasting_profile(struct im_command *c) {
    char path[PATH_MAX];
    const char *name = c->config->profile;
    size_t count;
    const char *const *builtin = im_profile_builtin_names(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(builtin[i], name) == 0) {
            return name;
        }
    }
    return realpath(name, path) ? im_pool_strdup(c->pool, path) : name;
}

/* The file's name; *path NULL: none is wanted. */
static enum im_err find_path(struct im_command *c, const char **path) {
    const struct im_recording_options *o = &im_recording_options;
    *path = im_common.dry_run ? o->plan : o->journal;
    if (*path || im_common.dry_run || o->no_journal) {
        return IM_OK;
    }
    return im_journal_default_path(c->config->journal_directory, c->table->command, time(NULL), c->pool, path, &c->error);
}

enum im_err im_recording_check_place(struct im_command *c) {
    const char *path;
    enum im_err err = find_path(c, &path);
    return err == IM_OK && path ? im_journal_check_place(path, im_common.dry_run ? IM_PLAN_FILE : IM_JOURNAL, &c->error) : err;
}

enum im_err im_recording_open(struct im_command *c, struct im_journal_head *head, struct im_journal **out) {
    const char *path;
    enum im_err err = find_path(c, &path);
    *out = NULL;
    if (err != IM_OK || !path) {
        return err;
    }
    head->kind = im_common.dry_run ? IM_PLAN_FILE : IM_JOURNAL;
    head->command = c->table->command;
    head->version = IMDIR_VERSION;
    head->profile = lasting_profile(c);
    if (!head->profile) {
        return im_error_nomem(&c->error);
    }
    err = im_journal_create(path, head, out, &c->error);
    if (err == IM_OK && !im_common.dry_run) {
        im_command_note(c, 1, "the journal is %s", path);
    }
    return err;
}

enum im_err im_recording_close(struct im_command *c, struct im_journal **journal, const struct im_summary *summary,
                               bool is_complete) {
    struct im_error why = {.code = IM_OK};
    struct im_journal *j = *journal;
    if (!j) {
        return IM_OK;
    }
    enum im_err err = im_journal_end(j, summary, is_complete, &why);
    if (!im_common.dry_run && im_journal_count(j) > 0 && (!is_complete || err != IM_OK)) {
        im_command_note(c, 0, "stopped part-way; imundo %s takes back what was written", im_journal_path(j));
    }
    im_journal_free(journal);
    if (err != IM_OK && c->error.code == IM_OK) {
        c->error = why;
    }
    return err;
}
