/* Lets answers gather while many are under way: to be woken for each one costs as much as to deal with it, and the server wakes
 * us at its own expense. Network cards call it interrupt moderation. Internal to this room. */
#ifndef IMDIR_DIRECTORY_MODERATION_H
#define IMDIR_DIRECTORY_MODERATION_H

#include <stddef.h>
#include <stdint.h>

struct im_moderation {
    int64_t dry_us;  /* when nothing was left to be read, the last time */
    int64_t each_us; /* from one message to the next, of late */
    size_t taken;    /* messages since then: counted by who reads them */
};

/* Nothing is left to be read, and so many messages are due. Microseconds to rest before the next wait, in which a part of them
 * will have come and the server does not run out of work; 0: wait at once. */
int64_t im_moderation_rest(struct im_moderation *m, size_t due, int64_t now_us);

#endif
