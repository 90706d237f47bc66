#include "lib/report/report.h"

#include "lib/model/identity.h"
#include "lib/report/write.h"

#include <errno.h>
#include <time.h>

static const struct im_report_format *const formats[] = {&im_report_text, &im_report_json, &im_report_jsonl, &im_report_csv};

const struct im_report_format *const *im_report_formats(size_t *count) {
    *count = sizeof formats / sizeof formats[0];
    return formats;
}

/* A terminal sees each line at once. Elsewhere the first is flushed, so that a full disk is noticed before anything is changed,
 * and then ten times a second is soon enough. */
static bool is_due(struct im_out *out, size_t len) {
    struct timespec now;
    if (!len)
        return false;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    long tenth = (long)now.tv_sec * 10 + now.tv_nsec / 100000000;
    bool is = out->width || tenth != out->flushed_tenth;
    out->flushed_tenth = tenth;
    return is;
}

enum im_err im_report_write(struct im_out *out, struct im_buf *text, struct im_error *e) {
    enum im_err err = IM_OK;
    errno = 0;
    if (text->failed) {
        err = im_error_nomem(e);
    } else if (ferror(out->stream) || fwrite(im_buf_str(text), 1, text->len, out->stream) != text->len ||
               (is_due(out, text->len) && fflush(out->stream) != 0)) {
        err = im_error_set_errno(e, IM_E_OUTPUT, errno ? errno : EIO, "the results cannot be written");
    }
    im_buf_free(text);
    return err;
}

const char *im_report_account_cell(const struct im_result *result, struct im_pool *pool) {
    struct im_identity identity;
    if (!result->account)
        return result->dn ? result->dn : result->input;
    if (im_identity_parse(result->account, pool, &identity, NULL) == IM_OK && identity.kind == IM_ID_NAME &&
        identity.text[0] == result->account[0])
        return result->account;
    return im_pool_printf(pool, "sam:%s", result->account); /* a name that looks like something else */
}
