#include "lib/engine/tempo.h"

enum { WINDOW_START = 16, WINDOW_LEAST = 4, BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 5000 };

static const double worth_it = 1.1; /* so much faster must a window be than half of it */
static const double burst_s = 0.05; /* of the rate may be sent at once */

void im_tempo_begin(struct im_tempo *t, size_t window, size_t max, double rate) {
    *t = (struct im_tempo){.window = window ? window : WINDOW_START, .max = max, .is_fixed = window != 0, .rate = rate};
    if (t->window > max)
        t->window = max;
}

static void count_allowance(struct im_tempo *t, int64_t now_ms) {
    double most = t->rate * burst_s > 1 ? t->rate * burst_s : 1;
    if (!t->is_counted) {
        t->allowance = 1;
    } else {
        t->allowance += t->rate * (double)(now_ms - t->counted_ms) / 1000;
    }
    t->is_counted = true;
    t->counted_ms = now_ms;
    if (t->allowance > most)
        t->allowance = most;
}

bool im_tempo_pauses(const struct im_tempo *t, int64_t now_ms, int64_t *wait_ms) {
    if (now_ms >= t->not_before_ms)
        return false;
    *wait_ms = t->not_before_ms - now_ms;
    return true;
}

bool im_tempo_allows(struct im_tempo *t, size_t in_flight, int64_t now_ms, int64_t *wait_ms) {
    *wait_ms = -1;
    if (im_tempo_pauses(t, now_ms, wait_ms))
        return false;
    if (in_flight >= t->window)
        return false;
    if (t->rate <= 0)
        return true;
    count_allowance(t, now_ms);
    if (t->allowance >= 1)
        return true;
    *wait_ms = (int64_t)((1 - t->allowance) * 1000 / t->rate) + 1;
    return false;
}

void im_tempo_sent(struct im_tempo *t) {
    if (t->rate > 0)
        t->allowance -= 1;
}

void im_tempo_answered(struct im_tempo *t, size_t in_flight, int64_t now_ms) {
    t->backoff_ms = 0;
    if (t->is_fixed)
        return;
    /* Only a window that is full tells how fast it is. */
    if (in_flight < t->window) {
        t->answered = 0;
        t->since_ms = now_ms;
        return;
    }
    if (!t->answered++)
        t->since_ms = now_ms;
    if (t->answered <= t->window || now_ms == t->since_ms)
        return;
    double rate = (double)(t->answered - 1) / (double)(now_ms - t->since_ms);
    if (rate > t->best * worth_it && t->window < t->max) {
        t->best = rate;
        t->window = t->window * 2 > t->max ? t->max : t->window * 2;
    }
    t->answered = 0;
}

void im_tempo_busy(struct im_tempo *t, int64_t now_ms) {
    if (now_ms < t->not_before_ms)
        return; /* the same breath: answers to what was in flight already */
    t->backoff_ms = t->backoff_ms ? t->backoff_ms * 2 : BACKOFF_FIRST_MS;
    if (t->backoff_ms > BACKOFF_MOST_MS)
        t->backoff_ms = BACKOFF_MOST_MS;
    t->not_before_ms = now_ms + t->backoff_ms;
    t->answered = 0;
    if (!t->is_fixed && t->window > WINDOW_LEAST)
        t->window /= 2;
    t->best = 0;
}
