/* Sends HTTP requests, many at a time, and keeps of the answers what is worth knowing. Home of libcurl. */
#ifndef IMDIR_PROBE_HTTP_FETCH_H
#define IMDIR_PROBE_HTTP_FETCH_H

#include "lib/probe/http.h"

/* What requests to one host share. */
struct im_http_line {
    const struct im_http_place *place;   /* NULL: the system's resolver knows */
    size_t in_flight;                    /* fetch's own */
    const struct im_http_answer *failed; /* it does not answer: further requests get the same outcome without being sent */
};

struct im_http_request {
    const char *method, *url; /* url: http://host/path, clean */
    struct im_http_line *line;
    struct im_http_answer *answer; /* is filled */
    bool is_started;               /* fetch's own */
};

/* Until all have an answer, or failed, or the stop flag is set (IM_E_INTERRUPTED: those without an answer stay as they were). */
enum im_err im_http_fetch(const struct im_http_wanted *wanted, struct im_http_request *requests, size_t count,
                          struct im_pool *pool, struct im_error *e);

/* Does the address, IPv4 or IPv6 as text, belong to this machine? */
bool im_http_is_local(const char *address);

#endif
