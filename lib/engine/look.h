/* Reading where people are homed; nothing is changed. */
#ifndef IMDIR_ENGINE_LOOK_H
#define IMDIR_ENGINE_LOOK_H

#include "lib/engine/run.h"

/* What one line of input names. */
struct im_homed {
    const char *input, *source; /* as named; "joiners.csv:12", or NULL */
    const char *account, *dn;   /* NULL: nobody, or several */
    const char *home;           /* the server's name, else the DN; NULL: none */
    bool is_enabled;            /* has IM attributes */
    bool agrees;                /* the home is one, and all attributes say the same */
    const char *const *remarks; /* what does not; or why nobody is named */
    size_t remark_count;
};
typedef enum im_err im_homed_fn(void *user, const struct im_homed *homed, struct im_error *e);

/* In the order of run->inputs, once for each. Of `run` resolver, request, servers, inputs, stop and what is early are used; its
 * request asks for nothing. Errors as im_run_accounts. */
enum im_err im_look(const struct im_run *run, im_homed_fn *fn, void *user, struct im_summary *summary, struct im_error *e);

#endif
