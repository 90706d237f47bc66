/* After the changes: the other servers fetch them, and are waited for: --replicate, --wait. */
#ifndef IMDIR_TOOLS_REPLICAS_H
#define IMDIR_TOOLS_REPLICAS_H

#include "tools/command.h"

/* Values of the options below. */
struct im_replica_options {
    bool replicate;
    const char *wait;
};
extern struct im_replica_options im_replica_options;

#define IM_OPTION_REPLICATE                                                                                                      \
    {                                                                                                                            \
        .long_name = "replicate", .kind = IM_OPT_FLAG, .target = &im_replica_options.replicate,                                  \
        .help = "afterwards, ask every other domain controller to fetch the changed objects now"                                 \
    }
#define IM_OPTION_WAIT                                                                                                           \
    {                                                                                                                            \
        .long_name = "wait", .kind = IM_OPT_TEXT, .target = &im_replica_options.wait, .argument = "SECONDS",                     \
        .without_value = "300", .help = "return when every replica has the changes, or after so long (300)"                      \
    }

struct im_spreading; /* NULL: neither option was given, and all calls do nothing */

/* Before connecting. IM_E_USAGE: --wait takes a number. */
enum im_err im_spreading_open(struct im_command *c, const struct im_profile *profile, struct im_spreading **out);
void im_spreading_free(struct im_spreading **s);
/* Before the run, so that nothing is written where replicas cannot be listed. `d` is where it will write, `base` where accounts
 * are. */
enum im_err im_spreading_find(struct im_spreading *s, struct im_directory *d, const char *base);
/* Each result. */
enum im_err im_spreading_add(struct im_spreading *s, const struct im_result *result, struct im_error *e);
/* After the run: fills the summary's arrivals. What a replica refuses is told on standard error and no error. */
enum im_err im_spreading_finish(struct im_spreading *s, struct im_directory *d, struct im_summary *summary);
/* Is it known that some server does not have all? Whoever waits has asked each for what it has; otherwise it counts who did not
 * fetch. */
bool im_spreading_left(const struct im_spreading *s, const struct im_summary *summary);

#endif
