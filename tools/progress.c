#include "tools/progress.h"

#include "tools/progress_line.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* What is done sooner needs no line. Ten drawings a second look steady. */
enum { FIRST_MS = 500, NEXT_MS = 100, PLAIN_WIDTH = 80 };

#define ERASE "\r\x1b[K"

struct im_progress {
    struct im_progress_line line;
    struct im_progress_pace pace;
    int64_t next_ms;
    bool is_visible;
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_always(void) {
    return im_text_equal(im_common.progress, "always");
}

static bool is_wanted(const struct im_command *c) {
    const char *terminal = getenv("TERM");
    if (c->verbosity < 0 || im_text_equal(im_common.progress, "never")) {
        return false;
    }
    return is_always() || (isatty(STDERR_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0);
}

static size_t width(void) {
    struct winsize size;
    bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return is_known ? size.ws_col - 1U : PLAIN_WIDTH - 1; /* some terminals wrap after the last column */
}

/* Another job has the terminal. */
static bool is_in_background(void) {
    pid_t foreground = tcgetpgrp(STDERR_FILENO);
    return foreground >= 0 && foreground != getpgrp();
}

static void draw(struct im_progress *p) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addc(&text, '\r');
    im_progress_line_write(&p->line, width(), &text);
    im_buf_adds(&text, "\x1b[K");
    if (!text.failed && !is_in_background()) {
        fputs(im_buf_str(&text), stderr);
        p->is_visible = true;
    }
    im_buf_free(&text);
}

void im_progress_begin(struct im_command *c, size_t total) {
    if (c->progress == NULL && is_wanted(c)) {
        c->progress = im_pool_alloc(c->pool, sizeof *c->progress);
        if (c->progress != NULL) {
            c->progress->line.command = c->table->command;
            c->progress->next_ms = is_always() ? 0 : now_ms() + FIRST_MS;
        }
    }
    if (c->progress != NULL) {
        c->progress->line.total = total;
        c->progress->pace = (struct im_progress_pace){.has_begun = false};
    }
}

void im_progress_update(struct im_command *c, size_t done, size_t failed, const char *phase) {
    struct im_progress *p = c->progress;
    if (p == NULL) {
        return;
    }
    int64_t now = now_ms();
    bool is_new = p->line.phase == NULL || strcmp(p->line.phase, phase) != 0;
    if (!is_new && p->pace.has_begun && now < p->next_ms) {
        return;
    }
    if (is_new) {
        p->pace = (struct im_progress_pace){.has_begun = false};
    }
    im_progress_pace_note(&p->pace, now, done);
    p->line.phase = phase;
    p->line.done = done;
    p->line.failed = failed;
    p->line.rate = p->pace.rate;
    if (now >= p->next_ms) {
        draw(p);
        p->next_ms = now + NEXT_MS;
    }
}

void im_progress_hide(const struct im_command *c) {
    if (c->progress != NULL && c->progress->is_visible) {
        fputs(ERASE, stderr);
        c->progress->is_visible = false;
    }
}

void im_progress_end(struct im_command *c) {
    im_progress_hide(c);
    c->progress = NULL;
}
