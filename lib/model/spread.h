/* Spreading people over home servers by the room that they have: who stays, and where the next one goes. Pure.
 *
 * People are placed one after the other, and whoever gives out a place counts it in server->users. Then no server is filled
 * beyond its capacity, those of equal capacity differ by one at most as far as the newcomers decide it, and the same people in
 * the same order go to the same servers. Whoever is on one of the targets stays there, so that a second run moves nobody. */
#ifndef IMDIR_MODEL_SPREAD_H
#define IMDIR_MODEL_SPREAD_H

#include "lib/model/server.h"

enum im_placing {
    IM_PLACED,
    IM_PLACE_FULL, /* those that could take the account have no room */
    IM_PLACE_NONE, /* no target hosts users, has an object in the directory and serves the IM domain */
};

/* is_target: one for each server, NULL: all. `present`: where the account is; NULL: nowhere that is known. `domain`: the IM
 * domain of its address; NULL: any. *out is set where it is placed. */
enum im_placing im_spread_place(const struct im_servers *servers, const bool *is_target, const struct im_server *present,
                                const char *domain, const struct im_server **out);
/* The newcomer's place: least users in relation to capacity (where one of them has none: least users), with room, serving
 * `domain`. Ties: by name. NULL: none has room. */
const struct im_server *im_spread_least_loaded(const struct im_servers *servers, const bool *is_target, const char *domain);
/* No capacity is given, or it is not reached. */
bool im_spread_has_room(const struct im_server *server);

#endif
