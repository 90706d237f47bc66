/* What an answer of a web server says about instant messaging behind it. Pure. One fault, one word: rules and the way of a
 * sign-in tell the same. */
#ifndef IMDIR_MODEL_HTTP_VERDICT_H
#define IMDIR_MODEL_HTTP_VERDICT_H

#include "lib/model/http_facts.h"

/* The most exact one has the lowest bit. */
enum im_http_fault {
    IM_HTTP_FINE = 0,            /* what a home or a router answers to whom it does not know */
    IM_HTTP_NOTHING_KNOWN = 1,   /* not asked, or the name leads nowhere */
    IM_HTTP_NO_ANSWER = 2,       /* refused, timed out, cut off */
    IM_HTTP_EXPOSED = 4,         /* GET shows files, or would: nothing shields the directory of the program */
    IM_HTTP_SSL_REQUIRED = 8,    /* 403, or sent to https */
    IM_HTTP_HANDLER_BROKEN = 16, /* 500 */
    IM_HTTP_BUSY = 32,           /* 503 */
    IM_HTTP_VERB_BLOCKED = 64,   /* the web server lives and answers GET, but not PROPFIND */
    IM_HTTP_WEB_LOGON = 128,     /* 401 that may come from the web server in front: what is behind it is unknown */
    IM_HTTP_SOMETHING_ELSE = 256 /* an answer, but without the mark of instant messaging */
};

/* Of one answer, or-ed; `get`: what the same host answers to GET, or NULL. */
unsigned im_http_answer_faults(const struct im_http_answer *answer, const struct im_http_answer *get);
unsigned im_http_target_faults(const struct im_http_target *target); /* PROPFIND and GET of the service's path together */

/* A web server that says that it is another product than the one that instant messaging runs on. */
bool im_http_is_foreign(const struct im_http_answer *answer);
/* 301, 302, 303, 307 or 308 with a place to go to. */
bool im_http_is_redirect(const struct im_http_answer *answer);
/* "401 (NTLM, Negotiate), Microsoft-IIS/5.0", or the detail where there was no answer; in pool, NULL: out of memory. */
const char *im_http_answer_text(const struct im_http_answer *answer, struct im_pool *pool);
/* Host of the URL that was asked is this one. */
bool im_http_was_asked_of(const struct im_http_answer *answer, const char *host);

#endif
