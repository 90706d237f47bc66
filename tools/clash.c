#include "tools/clash.h"

#include "tools/change.h"
#include "tools/recording.h"
#include "tools/sources.h"

#include <string.h>
#include <sys/stat.h>

struct named {
    const char *what, *path; /* path NULL: there is none */
};

static bool is_same_file(const char *a, const char *b) {
    struct stat first, second;
    return strcmp(a, b) == 0 ||
           (stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

static enum im_err check_pair(struct im_command *c, const struct named *written, const struct named *other) {
    bool clash = written->path != NULL && other->path != NULL && is_same_file(written->path, other->path);
    return clash ? im_error_set(&c->error, IM_E_USAGE, "%s would take the place of %s: %s", written->what, other->what,
                                written->path)
                 : IM_OK;
}

enum im_err im_clash_check(struct im_command *c, const char *recorded) {
    const struct im_source_options *o = &im_source_options;
    const struct im_strings *uris = &c->config->uris;
    const struct named written[] = {
        {"--changes", im_change_options.changes},
        {"--rejects", o->rejects},
    };
    const struct named others[] = {
        {"--rejects", o->rejects},
        {"--journal", im_recording_options.journal},
        {"--plan", im_recording_options.plan},
        {"the file that is carried out or taken back", recorded},
        {"the export", uris->count > 0 ? im_offline_path(uris->items[0]) : NULL},
        {"--list", o->list},
        {"--csv", o->csv},
    };
    enum { OTHERS = sizeof others / sizeof others[0] };
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < OTHERS; i++) {
        err = check_pair(c, &written[0], &others[i]);
    }
    for (size_t i = 1; err == IM_OK && i < OTHERS - 1; i++) { /* not --csv */
        err = check_pair(c, &written[1], &others[i]);
    }
    return err;
}
