/* Is an account homed on a certain server, be that alive, deleted or gone? Pure. */
#ifndef IMDIR_MODEL_HOME_MATCH_H
#define IMDIR_MODEL_HOME_MATCH_H

#include "lib/base/buf.h"
#include "lib/data/entry.h"
#include "lib/model/config.h"
#include "lib/model/profile.h"

/* The home attribute decides; the host counts where an account has none. */
struct im_home_match {
    const char *name;        /* for messages */
    struct im_strings dns;   /* normalised */
    struct im_strings guids; /* of the server's object, as text */
    const char *host;        /* that physical URLs name; NULL: none */
};

/* *out: the first value of the entry's home attribute, or without one the host of its physical URL. IM_E_NOMEM. */
enum im_err im_home_matches(const struct im_home_match *match, const struct im_profile *profile, const struct im_entry *entry,
                            bool *out, struct im_error *e);

/* A value of the home attribute, plain or extended: the GUID as text (also that in the name of a deleted object, MS-ADTS
 * 3.1.1.5.5), empty where it tells none, and the plain DN. */
void im_home_split(const struct berval *value, struct im_buf *guid, struct im_buf *dn);

#endif
