/* What imhome is asked to do: the servers that --to and --from mean, and what is told of a move before and after it. */
#ifndef IMDIR_TOOLS_MOVING_H
#define IMDIR_TOOLS_MOVING_H

#include "tools/facts.h"
#include "tools/preview.h"
#include "tools/sources.h"

/* Values of the option below; --from is a condition of tools/sources.h. */
extern struct im_strings im_move_to;

#define IM_OPTION_TO                                                                                                             \
    {                                                                                                                            \
        .long_name = "to", .kind = IM_OPT_TEXTS, .target = &im_move_to, .argument = "SERVER",                                    \
        .help = "move to this home server; to several, or auto for all, by the room they have"                                   \
    }

struct im_moving {
    struct im_homes homes; /* where people are homed, where that was counted */
    bool has_homes;
    struct im_home_match from; /* --from; name NULL: not given */
    size_t homed;              /* people there */
    struct im_preview preview;
};

/* Counts where people are homed, in the whole forest, and tells of each server how many; with what became of homes that are no
 * server. */
enum im_err im_moving_count(struct im_command *c, struct im_facts_gathered *facts, struct im_moving *m);
/* What --from means: a condition of the sources. After im_moving_count. *server: NULL where it is gone. */
enum im_err im_moving_from(struct im_command *c, struct im_facts_gathered *facts, struct im_sources *sources, struct im_moving *m,
                           const struct im_server **server);
/* Sets targets and --from in the request; counts where that is needed. IM_E_USAGE in c->error. */
enum im_err im_moving_begin(struct im_command *c, struct im_facts_gathered *facts, struct im_sources *sources,
                            struct im_request *request, struct im_moving *m);
/* At the end: what would be where (dry run), and whether the server of --from still homes people. */
enum im_err im_moving_end(struct im_command *c, struct im_facts_gathered *facts, struct im_moving *m,
                          const struct im_summary *summary);
void im_moving_free(struct im_moving *m);

#endif
