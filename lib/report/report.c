#include "lib/report/report.h"

#include "lib/model/identity.h"
#include "lib/report/write.h"

#include <errno.h>
#include <string.h>
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

enum im_err im_report_write_after(enum im_err err, struct im_out *out, struct im_buf *text, struct im_error *e) {
    if (err == IM_OK)
        return im_report_write(out, text, e);
    im_buf_free(text);
    return err;
}

/* The name is read back as itself. */
static bool is_own_name(const char *cell, const char *account, struct im_pool *pool, bool *failed) {
    struct im_identity identity;
    enum im_err err = cell ? im_identity_parse(cell, pool, &identity, NULL) : IM_E_NOMEM;
    *failed = *failed || err == IM_E_NOMEM;
    return err == IM_OK && identity.kind == IM_ID_NAME && strcmp(identity.text, account) == 0;
}

const char *im_report_name_cell(const char *account, const char *dn, struct im_pool *pool) {
    bool failed = false;
    if (!account)
        return dn ? dn : "";
    if (is_own_name(account, account, pool, &failed))
        return account;
    const char *forced = im_pool_printf(pool, "sam:%s", account); /* a name that looks like something else */
    const char *cell = is_own_name(forced, account, pool, &failed) || !dn ? forced : dn;
    return failed ? NULL : cell;
}

const char *im_report_account_cell(const struct im_result *result, struct im_pool *pool) {
    return result->account || result->dn ? im_report_name_cell(result->account, result->dn, pool) : result->input;
}
