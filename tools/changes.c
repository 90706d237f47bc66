#include "tools/changes.h"

enum im_err im_changes_add(struct im_output_file *f, const struct im_change *change, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (!f->stream) {
        return IM_OK;
    }
    im_ldif_write_change(&text, change);
    return im_output_file_add(f, &text, e);
}
