/* What the line of progress says. Pure. */
#ifndef IMDIR_TOOLS_PROGRESS_LINE_H
#define IMDIR_TOOLS_PROGRESS_LINE_H

#include "lib/imdir.h"

struct im_progress_line {
    const char *command, *phase; /* "imenable", "writing" */
    size_t done, total, failed;  /* total 0: not known */
    double rate;                 /* a second, smoothed; 0: not known yet */
};

/* How fast it goes: zeroed at the start of a phase, told of the time and the count now and then. */
struct im_progress_pace {
    bool has_begun;
    int64_t begun_ms, last_ms;
    size_t begun_done, last_done;
    double rate;
};

void im_progress_pace_note(struct im_progress_pace *pace, int64_t now_ms, size_t done);
/* Appends the line, not wider than `width` columns: what matters least is left out first. */
void im_progress_line_write(const struct im_progress_line *line, size_t width, struct im_buf *out);

#endif
