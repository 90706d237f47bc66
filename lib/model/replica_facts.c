#include "lib/model/replica_facts.h"

const char *im_arrival_name(enum im_arrival_state state) {
    static const char *const names[] = {"arrived", "lagging", "unreachable"};
    return names[state];
}
