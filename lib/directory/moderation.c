#include "lib/directory/moderation.h"

enum {
    FEW = 16,      /* of so few, each is waited for */
    PART = 4,      /* of what is due, a fourth may come meanwhile */
    SHORT_US = 50, /* the system wakes no sleeper more exactly than that */
    LONG_US = 1000 /* where the server is far away, this is added to the round trip */
};

int64_t im_moderation_rest(struct im_moderation *m, size_t due, int64_t now_us) {
    if (!m->taken) /* at the start, or a message that is here in part */
        return 0;
    int64_t each_us = (now_us - m->dry_us) / (int64_t)m->taken;
    m->each_us = m->dry_us ? (m->each_us + each_us) / 2 : 0;
    m->dry_us = now_us;
    m->taken = 0;
    if (due < FEW)
        return 0;
    int64_t rest_us = m->each_us < LONG_US ? m->each_us * (int64_t)due / PART : LONG_US;
    if (rest_us < SHORT_US)
        return 0;
    return rest_us < LONG_US ? rest_us : LONG_US;
}
