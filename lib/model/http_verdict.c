#include "lib/model/http_verdict.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <string.h>
#include <strings.h>

bool im_http_is_foreign(const struct im_http_answer *answer) {
    return answer->server && *answer->server && !answer->version && strncasecmp(answer->server, "Microsoft-IIS", 13) != 0;
}

bool im_http_is_redirect(const struct im_http_answer *answer) {
    int status = answer->status;
    return (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) && answer->location;
}

bool im_http_was_asked_of(const struct im_http_answer *answer, const char *host) {
    size_t len = strlen(host);
    return answer->method && answer->url && strncmp(answer->url, "http://", 7) == 0 &&
           im_text_equal_n(answer->url + 7, strcspn(answer->url + 7, ":/"), host, len);
}

static bool leads_to_https(const struct im_http_answer *answer) {
    return im_http_is_redirect(answer) && strncasecmp(answer->location, "https:", 6) == 0;
}

/* Files, or the refusal to list them, come from the web server itself: the service answers 501 to every GET. */
static bool is_exposed(const struct im_http_answer *answer, const struct im_http_answer *get) {
    if (!get || get->outcome != IM_HTTP_ANSWERED || get->version || im_http_is_foreign(get))
        return false;
    return get->status == 200 || (get->status == 403 && answer->status != 403);
}

/* 404 to both is a web server that has no such directory. */
static bool shows_life(const struct im_http_answer *get) {
    return get && get->outcome == IM_HTTP_ANSWERED &&
           (get->version || (!im_http_is_foreign(get) && get->status != 404 && get->status < 502));
}

static unsigned without_answer(const struct im_http_answer *answer) {
    switch (answer->outcome) {
    case IM_HTTP_NOT_ASKED:
    case IM_HTTP_NO_ADDRESS:
        return IM_HTTP_NOTHING_KNOWN;
    case IM_HTTP_TLS:
        return IM_HTTP_SSL_REQUIRED;
    case IM_HTTP_MALFORMED:
        return IM_HTTP_SOMETHING_ELSE;
    case IM_HTTP_ANSWERED:
    case IM_HTTP_REFUSED:
    case IM_HTTP_TIMEOUT:
    case IM_HTTP_CLOSED:
    case IM_HTTP_FAILED:
        break;
    }
    return IM_HTTP_NO_ANSWER;
}

/* What the status alone says where the product is the right one. */
static unsigned by_status(const struct im_http_answer *answer, const struct im_http_answer *get) {
    switch (answer->status) {
    case 500:
        return IM_HTTP_HANDLER_BROKEN;
    case 503:
        return IM_HTTP_BUSY;
    case 403:
        return answer->version ? 0 : IM_HTTP_SSL_REQUIRED;
    case 401:
        return answer->version ? 0 : IM_HTTP_WEB_LOGON;
    case 400:
    case 404:
    case 405:
        return !answer->version && shows_life(get) ? IM_HTTP_VERB_BLOCKED : 0;
    default:
        return leads_to_https(answer) ? IM_HTTP_SSL_REQUIRED : 0;
    }
}

unsigned im_http_answer_faults(const struct im_http_answer *answer, const struct im_http_answer *get) {
    if (answer->outcome != IM_HTTP_ANSWERED)
        return without_answer(answer);
    if (im_http_is_foreign(answer))
        return IM_HTTP_SOMETHING_ELSE;
    unsigned faults = by_status(answer, get);
    if (is_exposed(answer, get))
        faults |= IM_HTTP_EXPOSED;
    if (!answer->version && answer->status != 401)
        faults |= IM_HTTP_SOMETHING_ELSE;
    return faults;
}

unsigned im_http_target_faults(const struct im_http_target *target) {
    return im_http_answer_faults(&target->propfind, target->get.method ? &target->get : NULL);
}

const char *im_http_answer_text(const struct im_http_answer *answer, struct im_pool *pool) {
    if (answer->outcome != IM_HTTP_ANSWERED)
        return answer->detail ? answer->detail : "not asked";
    const char *schemes = answer->challenge_count ? im_http_schemes_text(im_http_answer_schemes(answer), pool) : "";
    if (!schemes)
        return NULL;
    return im_pool_printf(pool, "%d%s%s%s%s%s%s%s", answer->status, *schemes ? " (" : "", schemes, *schemes ? ")" : "",
                          answer->location ? " to " : "", answer->location ? answer->location : "", answer->server ? ", " : "",
                          answer->server ? answer->server : "");
}
