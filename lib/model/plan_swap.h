/* What makes of plans share: one modify of compare-and-swap operations. Internal to this room. */
#ifndef IMDIR_MODEL_PLAN_SWAP_H
#define IMDIR_MODEL_PLAN_SWAP_H

#include "lib/base/buf.h"
#include "lib/model/plan.h"

struct im_values {
    const struct berval *items;
    size_t count;
};

struct im_planning {
    const struct im_account_context *context;
    const struct im_account *account;
    const struct im_want *want; /* im_plan_make only */
    bool keep_opaque, has_assertion;
    struct im_pool *pool;
    /* kept by the functions below */
    struct im_op *ops; /* room for all: two an attribute, and the class */
    size_t op_count;
    struct im_plan_diff *diffs;
    size_t diff_count;
    bool failed;             /* no memory to compare */
    struct im_buf assertion; /* terms of a filter that must still hold */
    struct im_error *e;
};

enum im_err im_planning_begin(struct im_planning *p, struct im_error *e);
void im_planning_op(struct im_planning *p, enum im_op_kind kind, const char *attribute, const struct berval *values,
                    size_t count);
struct berval *im_planning_value(struct im_planning *p, const char *text); /* in pool; NULL: out of memory */
/* Values as people read them: DNs plain. NULL: out of memory. */
const struct berval *im_planning_shown(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has);
/* From the values that were read (`has`, NULL: none) to those that are wanted, so that it fails where somebody was faster. */
enum im_err im_planning_swap(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has,
                             struct im_values after);
/* The values stay, and the change fails where they are not there any more. */
enum im_err im_planning_hold(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has);
/* class_comes_first: the first operation adds a class, and the server takes it only in a modify of its own. */
enum im_err im_planning_finish(struct im_planning *p, bool class_comes_first, struct im_plan *out);
void im_planning_end(struct im_planning *p);

#endif
