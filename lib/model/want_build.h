/* What building a wanted state shares, whether all of it is wanted or only a part. Internal to this room. */
#ifndef IMDIR_MODEL_WANT_BUILD_H
#define IMDIR_MODEL_WANT_BUILD_H

#include "lib/base/buf.h"
#include "lib/data/template.h"
#include "lib/model/want.h"

/* While one want is built. */
struct im_building {
    const struct im_account_context *context;
    const struct im_account *account;
    const struct im_request *request;
    const struct im_servers *servers;
    struct im_pool *pool;
    struct im_want *want;
    const char *domain;    /* asked for, kept or by default; NULL: not clear, and not needed */
    const char *kept;      /* the IM domain of the account's address, where the address can be kept; else NULL */
    struct im_buf text;    /* of what is expanded; free with im_building_end */
    struct im_error inner; /* of the last expansion that failed */
    bool failed;           /* no memory for a variable's value or a comparison; seen when the values are expanded */
    struct im_error *e;
};

/* Why something cannot be built; the first reason stays. */
enum im_err im_building_cannot(struct im_building *b, const char *reason);
/* *out is NULL where a variable has no value; why is then in want->cannot_build. */
enum im_err im_building_expand(struct im_building *b, const char *template, enum im_template_context context, const char **out);
enum im_template_context im_building_context(const struct im_profile_attr *attr);
void im_building_end(struct im_building *b);
/* The account's home, where it is one that still works; else NULL. */
const struct im_server *im_building_live_home(struct im_building *b);

/* ---- want_part.c ---- */

enum im_err im_building_move(struct im_building *b);
enum im_err im_building_suspend(struct im_building *b);

#endif
