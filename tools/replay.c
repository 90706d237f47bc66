#include "tools/replay.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_name(enum im_journal_kind kind) {
    return kind == IM_JOURNAL ? "journal" : "plan";
}

static bool is_option(const struct im_config *config, const char *key) {
    static const char option[] = "option ";
    const char *origin = im_config_origin(config, key);
    return origin && strncmp(origin, option, sizeof option - 1) == 0;
}

/* ---- the profile ---- */

static bool is_builtin(const char *name) {
    size_t count;
    const char *const *names = im_profile_builtin_names(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_same_profile(const char *a, const char *b) {
    char first[PATH_MAX];
    char second[PATH_MAX];
    return strcmp(a, b) == 0 ||
           (!is_builtin(a) && !is_builtin(b) && realpath(a, first) && realpath(b, second) && strcmp(first, second) == 0);
}

/* A profile decides which attributes are written: one that is a file is taken only where the operator names it, too. */
static enum im_err take_profile(struct im_command *c, const char *path, const struct im_journal_head *head) {
    const char *mine = c->config->profile;
    if (is_same_profile(mine, head->profile)) {
        return IM_OK;
    }
    if (is_builtin(head->profile) && !is_option(c->config, "profile")) {
        return im_config_set(c->config, "profile", head->profile, path, &c->error);
    }
    return im_error_set_at(&c->error, IM_E_USAGE, path, 1, 0,
                           "the %s was made with the profile %s, and this is %s: give --profile %s if that is what you mean",
                           kind_name(head->kind), head->profile, mine, head->profile);
}

/* ---- the server ---- */

/* The same server sees what was written at once. One that is not configured is not gone to: it would be given our credentials. */
static void prefer_server(struct im_command *c, const char *uri) {
    struct im_strings *uris = &c->config->uris;
    for (size_t i = 1; i < uris->count; i++) {
        if (im_text_equal(uris->items[i], uri)) {
            const char *preferred = uris->items[i];
            memmove(uris->items + 1, uris->items, i * sizeof *uris->items);
            uris->items[0] = preferred;
            return;
        }
    }
}

enum im_err im_replay_open(struct im_command *c, enum im_journal_kind kind, struct im_records **out) {
    if (c->arguments.count != 1) {
        return im_error_set(&c->error, IM_E_USAGE, "%s takes one %s file, and %zu were given", c->table->command, kind_name(kind),
                            c->arguments.count);
    }
    const char *path = c->arguments.items[0];
    struct im_records *records = NULL;
    enum im_err err = im_records_open(path, kind, &records, &c->error);
    if (err != IM_OK) {
        return err;
    }
    const struct im_journal_head *head = im_journal_head(im_records_reader(records));
    prefer_server(c, head->directory);
    err = take_profile(c, path, head);
    if (err != IM_OK) {
        im_records_close(&records);
        return err;
    }
    *out = records;
    return IM_OK;
}

/* ---- the directory ---- */

static bool is_held(const struct im_rootdse *root, const char *base) {
    const struct im_attr *contexts = im_entry_attr(root->entry, "namingContexts");
    for (size_t i = 0; contexts && i < contexts->count; i++) {
        if (im_dn_is_under(base, contexts->values[i].bv_val)) {
            return true;
        }
    }
    return root->default_nc && im_dn_is_under(base, root->default_nc);
}

static void tell_state(struct im_command *c, const struct im_journal_reader *reader) {
    size_t unknown = 0;
    for (size_t i = 0; i < im_journal_reader_count(reader); i++) {
        unknown += im_journal_state(reader, i) == IM_RECORD_UNKNOWN;
    }
    if (!im_journal_is_complete(reader) && unknown == 0) {
        im_command_note(c, 0,
                        "the run that wrote the journal did not come to its end; of each change it is known whether it was made");
    } else if (!im_journal_is_complete(reader)) {
        im_command_note(c, 0,
                        "the run that wrote the journal did not come to its end; of %zu changes it is not known whether they "
                        "were made",
                        unknown);
    }
}

enum im_err im_replay_check(struct im_command *c, const struct im_records *records, const struct im_directory *directory,
                            const char **base) {
    const struct im_journal_reader *reader = im_records_reader(records);
    const struct im_journal_head *head = im_journal_head(reader);
    const struct im_rootdse *root = im_directory_rootdse(directory);
    const char *kind = kind_name(head->kind);
    *base = is_option(c->config, "directory.base") || !head->base ? c->config->base : head->base;
    if (!*base) {
        *base = root->default_nc;
    }
    if (!*base) {
        return im_error_set(&c->error, IM_E_USAGE, "%s has several naming contexts and no default: choose one with --base",
                            im_directory_uri(directory));
    }
    if (!is_held(root, *base)) {
        return im_error_set_at(&c->error, IM_E_INPUT, c->arguments.items[0], 1, 0,
                               "the %s is about %s on %s, and %s does not hold that: it is another directory", kind, *base,
                               head->directory, im_directory_uri(directory));
    }
    if (!im_text_equal(head->directory, im_directory_uri(directory))) {
        im_command_note(c, 0, "the %s was made on %s, and this is %s: what has not been replicated yet is a conflict", kind,
                        head->directory, im_directory_uri(directory));
    }
    if (head->kind == IM_JOURNAL) {
        tell_state(c, reader);
    }
    return IM_OK;
}
