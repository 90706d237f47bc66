/* The walk of imcheck over selected accounts: found and prepared as for imenable, judged as if they were to be enabled. */
#ifndef IMDIR_ENGINE_PREFLIGHT_H
#define IMDIR_ENGINE_PREFLIGHT_H

#include "lib/engine/audit.h"
#include "lib/engine/run.h"

/* One line of input, in the order of the inputs. `result` says what became of it as for changing commands: unchanged where the
 * account was judged, and then `result->findings` are what was found; valid during the call. */
typedef enum im_err im_preflight_fn(void *user, const struct im_input *input, const struct im_result *result, struct im_error *e);

/* `run` says whom and what is wanted: resolver, request, servers, inputs, stop, notes; its action and the functions for results
 * are set here. audit->on_finding is not called: the findings come with the results. */
enum im_err im_preflight(struct im_audit *a, const struct im_run *run, struct im_counter *counter, im_preflight_fn *fn,
                         void *user, struct im_error *e);

#endif
