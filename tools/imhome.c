/* imhome: lists home servers and their load, shows where people are homed, moves, drains and spreads them. */
#include "tools/change.h"
#include "tools/home_read.h"
#include "tools/moving.h"
#include "tools/recording.h"
#include "tools/replicas.h"
#include "tools/table.h"

static const struct im_option rows[] = {
    IM_OPTION_TO,  IM_OPTION_FROM,  IM_OPTIONS_SOURCES,  IM_OPTION_PROGRESS,
    IM_OPTION_YES, IM_OPTION_ALLOW, IM_OPTIONS_CHANGING, IM_OPTION_END,
};
static const struct im_option *const groups[] = {rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Homes", "Directory", "Output and behaviour", NULL};
static const struct im_option_table table = {.groups = groups,
                                             .group_titles = titles,
                                             .command = "imhome",
                                             .arguments = "[ACCOUNT...]",
                                             .summary =
                                                 "List home servers, show where people are homed, and move them to others."};

/* A home in the table counts as --to for its row. */
static bool moves(const struct im_sources *sources) {
    const struct im_table *rows_of_file = im_sources_table(sources);
    return im_move_to.count > 0 || (rows_of_file && im_table_has_homes(rows_of_file));
}

/* Who asks for these means to move people: to show them instead would pass for it. */
static enum im_err check_shows_only(struct im_command *c) {
    const struct {
        bool is_given;
        const char *name;
    } rows_of_moves[] = {
        {im_change_options.changes != NULL, "changes"}, {im_recording_options.plan != NULL, "plan"},
        {im_source_options.rejects != NULL, "rejects"}, {im_change_options.allow.count > 0, "allow"},
        {im_replica_options.wait != NULL, "wait"},      {im_replica_options.replicate, "replicate"},
    };
    for (size_t i = 0; i < sizeof rows_of_moves / sizeof rows_of_moves[0]; i++) {
        if (rows_of_moves[i].is_given) {
            return im_error_set(&c->error, IM_E_USAGE, "--%s is about moving people: give --to SERVER, and whom to move",
                                rows_of_moves[i].name);
        }
    }
    return IM_OK;
}

static int list(struct im_command *c) {
    enum im_err err = im_sources_check(c);
    if (err == IM_OK) {
        err = check_shows_only(c);
    }
    return err == IM_OK ? im_home_list(c) : im_command_fail(c);
}

static int show_take(struct im_command *c, struct im_sources *sources) {
    if (check_shows_only(c) == IM_OK) {
        return im_home_show_take(c, sources);
    }
    im_sources_free(&sources);
    return im_command_fail(c);
}

static int work(struct im_command *c) {
    struct im_sources *sources = NULL;
    bool is_given = im_sources_are_given(c);
    if (!is_given && im_move_to.count > 0) {
        (void)im_error_set(&c->error, IM_E_USAGE, "--to: who is to be moved? Name accounts, or a server with --from");
        return im_command_fail(c);
    }
    if (!is_given) {
        return list(c);
    }
    if (im_sources_open(c, IM_COLUMNS_HOMES, &sources) != IM_OK) {
        return im_command_fail(c);
    }
    return moves(sources) ? im_change_main_take(c, IM_MOVE, sources) : show_take(c, sources);
}

int main(int argc, char **argv) {
    struct im_command c;
    int status;
    if (!im_command_begin(&c, &table, true, argc, argv, &status)) {
        return status;
    }
    return im_command_end(&c, work(&c));
}
