/* One line of a journal or plan file, to JSON and from it. Internal to the engine. */
#ifndef IMDIR_ENGINE_JOURNAL_LINE_H
#define IMDIR_ENGINE_JOURNAL_LINE_H

#include "lib/base/buf.h"
#include "lib/engine/journal.h"

enum { IM_JOURNAL_VERSION = 1 };

/* ---- writing: each appends a whole line ---- */

void im_journal_put_head(struct im_buf *out, const struct im_journal_head *head);
void im_journal_put_change(struct im_buf *out, size_t id, const struct im_record *record);
void im_journal_put_result(struct im_buf *out, size_t id, enum im_outcome outcome);
void im_journal_put_end(struct im_buf *out, const struct im_summary *summary, bool is_complete);

/* ---- reading ---- */

enum im_journal_line_type { IM_LINE_HEAD, IM_LINE_CHANGE, IM_LINE_RESULT, IM_LINE_END };

struct im_journal_line {
    enum im_journal_line_type type;
    struct im_journal_head head;
    struct im_record record; /* without state */
    size_t id;               /* of a result */
    enum im_outcome outcome;
    bool is_complete; /* of the end */
};

struct im_journal_place {
    const char *path;
    size_t line;
};

/* Pieces in pool. IM_E_INPUT names file and line; *is_json: it is a JSON object all the same, so that it was not torn off. */
enum im_err im_journal_parse(const char *text, size_t len, const struct im_journal_place *place, struct im_pool *pool,
                             struct im_journal_line *out, bool *is_json, struct im_error *e);

#endif
