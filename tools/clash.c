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

static enum im_err check(struct im_command *c, const struct named *written, const struct named *others, size_t count) {
    bool is_file = written->path != NULL && strcmp(written->path, "-") != 0; /* else it is refused when it is opened */
    for (size_t i = 0; is_file && i < count; i++) {
        if (others[i].path != NULL && is_same_file(written->path, others[i].path)) {
            return im_error_set(&c->error, IM_E_USAGE, "%s would take the place of %s: %s", written->what, others[i].what,
                                written->path);
        }
    }
    return IM_OK;
}

enum im_err im_clash_check(struct im_command *c, const char *recorded) {
    const struct im_source_options *o = &im_source_options;
    const struct im_strings *uris = &c->config->uris;
    const struct named changes = {"--changes", im_change_options.changes};
    const struct named rejects = {"--rejects", o->rejects};
    const struct named others[] = {
        {"--journal", im_recording_options.journal},
        {"--plan", im_recording_options.plan},
        {"the file that is carried out or taken back", recorded},
        {"the export", uris->count > 0 ? im_offline_path(uris->items[0]) : NULL},
        {"--list", o->list},
        {"--csv", o->csv}, /* the last: rejects may take its place */
    };
    enum { OTHERS = sizeof others / sizeof others[0] };
    enum im_err err = check(c, &changes, &rejects, 1);
    if (err == IM_OK) {
        err = check(c, &changes, others, OTHERS);
    }
    return err == IM_OK ? check(c, &rejects, others, OTHERS - 1) : err;
}
