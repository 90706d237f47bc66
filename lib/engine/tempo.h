/* How many changes may be in flight, and when the next may be sent. Pure: time comes from outside, in milliseconds. */
#ifndef IMDIR_ENGINE_TEMPO_H
#define IMDIR_ENGINE_TEMPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct im_tempo {
    size_t window, max; /* changes in flight now and at most */
    bool is_fixed;
    double rate; /* changes a second; 0 = no limit */
    /* kept by the functions below */
    size_t answered; /* since `since` */
    int64_t since_ms;
    double best;           /* answers a millisecond at the present window or a smaller one */
    int64_t not_before_ms; /* the server asked for time */
    int64_t backoff_ms;
    double allowance; /* changes that the rate lets through by now */
    int64_t counted_ms;
    bool is_counted;
};

/* window 0: adapts, up to max. */
void im_tempo_begin(struct im_tempo *t, size_t window, size_t max, double rate);
/* May another change be sent now? *wait_ms: when to ask again (-1: after the next answer). */
bool im_tempo_allows(struct im_tempo *t, size_t in_flight, int64_t now_ms, int64_t *wait_ms);
void im_tempo_sent(struct im_tempo *t);
/* An answer came, and in_flight with it were: the window grows while the answers come faster for it. */
void im_tempo_answered(struct im_tempo *t, size_t in_flight, int64_t now_ms);
/* The server is busy: waits, twice as long each time in a row, and sends less. */
void im_tempo_busy(struct im_tempo *t, int64_t now_ms);
bool im_tempo_pauses(const struct im_tempo *t, int64_t now_ms, int64_t *wait_ms);

#endif
