#include "tools/progress_line.h"

#include "tools/amount.h"

enum { MIN_BAR = 10, MAX_BAR = 40, SECOND_MS = 1000, SMOOTH_MS = 5000, MOST_LEFT_S = 100 * 3600 };

/* ---- pace ---- */

/* For some seconds the mean since the beginning, then the latest count for more the longer it took. */
void im_progress_pace_note(struct im_progress_pace *pace, int64_t now_ms, size_t done) {
    if (!pace->has_begun || done < pace->last_done) {
        *pace = (struct im_progress_pace){
            .has_begun = true, .begun_ms = now_ms, .last_ms = now_ms, .begun_done = done, .last_done = done};
        return;
    }
    double whole = (double)(now_ms - pace->begun_ms);
    double latest = (double)(now_ms - pace->last_ms);
    if (latest <= 0 || whole < SECOND_MS) {
        return;
    }
    if (whole < SMOOTH_MS) {
        pace->rate = (double)(done - pace->begun_done) * SECOND_MS / whole;
    } else {
        double now = (double)(done - pace->last_done) * SECOND_MS / latest;
        pace->rate += (now - pace->rate) * latest / (latest + SMOOTH_MS);
    }
    pace->last_ms = now_ms;
    pace->last_done = done;
}

/* ---- pieces ---- */

static void add_counts(const struct im_progress_line *line, struct im_buf *out) {
    im_buf_adds(out, "  ");
    im_amount_write(line->done, out);
    if (line->total > 0) {
        im_buf_addc(out, '/');
        im_amount_write(line->total, out);
    }
}

/* Never 100% before all is done. */
static size_t percent(const struct im_progress_line *line) {
    return line->done >= line->total ? 100 : (size_t)((double)line->done * 100 / (double)line->total);
}

static void add_rate(const struct im_progress_line *line, struct im_buf *out) {
    if (line->rate > 0 && line->rate < 10) {
        im_buf_addf(out, "  %.1f/s", line->rate);
    } else if (line->rate > 0) {
        im_buf_adds(out, "  ");
        im_amount_write((size_t)(line->rate + 0.5), out);
        im_buf_adds(out, "/s");
    }
}

static void add_left(const struct im_progress_line *line, struct im_buf *out) {
    if (line->rate <= 0 || line->done >= line->total) {
        return;
    }
    double seconds = (double)(line->total - line->done) / line->rate + 0.5;
    if (seconds >= MOST_LEFT_S) {
        im_buf_adds(out, "  days left");
        return;
    }
    unsigned left = (unsigned)seconds;
    if (left >= 3600) {
        im_buf_addf(out, "  %u:%02u:%02u left", left / 3600, left / 60 % 60, left % 60);
    } else {
        im_buf_addf(out, "  %u:%02u left", left / 60, left % 60);
    }
}

static void add_failed(const struct im_progress_line *line, struct im_buf *out) {
    if (line->failed > 0) {
        im_buf_adds(out, "  ");
        im_amount_write(line->failed, out);
        im_buf_adds(out, " failed");
    }
}

static void add_bar(const struct im_progress_line *line, size_t cells, struct im_buf *out) {
    size_t full = line->done >= line->total ? cells : (size_t)((double)line->done * (double)cells / (double)line->total);
    im_buf_adds(out, "  [");
    for (size_t i = 0; i < cells; i++) {
        im_buf_addc(out, i < full ? '=' : i == full ? '>' : ' ');
    }
    im_buf_addc(out, ']');
}

/* ---- the line ---- */

/* What a narrow terminal still has room for, best first. */
enum form { ALL, NO_BAR, NO_RATE, NO_NAME, COUNTS, FORMS };

static void write_tail(const struct im_progress_line *line, enum form form, struct im_buf *out) {
    if (line->total > 0) {
        im_buf_addf(out, " %3zu%%", percent(line));
    }
    add_counts(line, out);
    if (form < NO_RATE) {
        add_rate(line, out);
    }
    if (form < COUNTS) {
        add_left(line, out);
        add_failed(line, out);
    }
}

static void write_form(const struct im_progress_line *line, enum form form, size_t width, struct im_buf *out) {
    struct im_buf tail = IM_BUF_INIT;
    if (form < NO_NAME) {
        im_buf_addf(out, "%s: ", line->command);
    }
    im_buf_adds(out, line->phase);
    write_tail(line, form, &tail);
    size_t used = out->len + tail.len + sizeof "  []" - 1;
    if (form == ALL && line->total > 0 && used + MIN_BAR <= width) {
        size_t cells = width - used;
        add_bar(line, cells > MAX_BAR ? MAX_BAR : cells, out);
    } else if (form == ALL && line->total > 0) {
        im_buf_clear(out); /* no room: the next form */
        tail.len = 0;
    }
    im_buf_add(out, tail.data, tail.len);
    im_buf_free(&tail);
}

void im_progress_line_write(const struct im_progress_line *line, size_t width, struct im_buf *out) {
    struct im_buf text = IM_BUF_INIT;
    for (enum form form = ALL; form < FORMS; form++) {
        im_buf_clear(&text);
        write_form(line, form, width, &text);
        if (text.len > 0 && text.len <= width) {
            break;
        }
    }
    if (text.failed) {
        out->failed = true;
    }
    im_buf_add(out, im_buf_str(&text), text.len > width ? width : text.len);
    im_buf_free(&text);
}
