/* Shared by the two halves of reading a result: the walk through the file, and what its objects say. */
#ifndef IMDIR_REPORT_CHECK_READ_IMPL_H
#define IMDIR_REPORT_CHECK_READ_IMPL_H

#include "lib/data/json_stream.h"
#include "lib/report/check_read.h"

struct im_check_file {
    struct im_json_stream *stream;
    struct im_pool *pool; /* what lives as long as the file */
    struct im_run_info info;
    struct im_check_summary summary;
    struct im_check_picture picture;
    struct {
        struct im_rule_status *items;
        size_t count, cap;
    } rules;
    struct {
        struct im_rule **items;
        size_t count, cap;
    } made_up;
    size_t account_count;
    bool has_summary;
};

/* One walk through the file: the first fills in what the file says as a whole, others visit. */
struct im_check_walk {
    struct im_check_file *file;
    const struct im_check_visitor *visitor; /* NULL: the first walk */
    struct im_pool *pool;                   /* of the value at hand */
    struct im_error *e;
};

/* Take what one object says, or hand it to the visitor. IM_E_INPUT, IM_E_NOMEM. */
typedef enum im_err im_check_take(const struct im_check_walk *w, const json_t *object);
im_check_take im_check_take_head, im_check_take_finding, im_check_take_account, im_check_take_rule, im_check_take_summary;

#endif
