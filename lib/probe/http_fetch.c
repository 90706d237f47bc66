#include "lib/probe/http_fetch.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

enum {
    AT_ONCE = 64,
    AT_ONCE_HOST = 4,
    MAX_LINES = 128, /* of headers */
    MAX_BYTES = 32768,
    MAX_VALUE = 2048, /* of a header, kept */
    POLL_MS = 250,    /* how long a stop request may wait */
};

/* One request on its way. */
struct transfer {
    struct im_http_request *request; /* NULL: free */
    CURL *easy;
    struct curl_slist *headers, *addresses, *route;
    char trouble[CURL_ERROR_SIZE];
    size_t lines, bytes;      /* of headers, answers with 1xx included */
    bool has_headers;         /* all of them, of the last answer */
    bool is_too_much;         /* more than anybody needs */
    unsigned char opening[2]; /* of what is not HTTP */
    size_t opening_len;
};

struct fetch {
    const struct im_http_wanted *wanted;
    struct im_http_request *requests;
    size_t count, first; /* all before `first` are started */
    struct im_pool *pool;
    struct im_error *e;
    CURLM *multi;
    struct transfer transfers[AT_ONCE];
    size_t in_flight;
};

/* ---- while an answer comes ---- */

static bool has_body(const struct transfer *t) {
    struct curl_header *length;
    return curl_easy_header(t->easy, "Content-Length", 0, CURLH_HEADER, -1, &length) != CURLHE_OK ||
           strcmp(length->value, "0") != 0;
}

/* Nobody needs the body, and it may be long in coming: the transfer ends with the headers. */
static size_t take_header(char *bytes, size_t size, size_t count, void *user) {
    struct transfer *t = user;
    size_t len = size * count;
    long status = 0;
    t->lines++;
    t->bytes += len;
    t->is_too_much = t->lines > MAX_LINES || t->bytes > MAX_BYTES;
    if (len <= 2 && (*bytes == '\r' || *bytes == '\n')) {
        (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        t->has_headers = status >= 200;
    }
    return t->is_too_much || (t->has_headers && has_body(t)) ? 0 : len;
}

/* A body without headers before it is no HTTP: its first bytes tell what it is. */
static size_t take_body(char *bytes, size_t size, size_t count, void *user) {
    struct transfer *t = user;
    for (size_t i = 0; i < size * count && t->opening_len < sizeof t->opening; i++)
        t->opening[t->opening_len++] = (unsigned char)bytes[i];
    return t->has_headers || t->opening_len == sizeof t->opening ? 0 : size * count;
}

/* ---- sending ---- */

static bool add_line(struct curl_slist **list, const char *text) {
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool set_headers(const struct fetch *f, struct transfer *t) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addf(&text, "%s: %s", f->wanted->profile->http.header, f->wanted->profile->http.version);
    bool is_propfind = strcmp(t->request->method, "PROPFIND") == 0;
    bool is_done =
        !text.failed && add_line(&t->headers, im_buf_str(&text)) && (!is_propfind || add_line(&t->headers, "Depth: 0"));
    im_buf_free(&text);
    return is_done;
}

/* The name leads where the place says: libcurl takes both as texts about host and port. */
static bool set_place(struct transfer *t, const char *host) {
    const struct im_http_place *place = t->request->line->place;
    struct im_buf text = IM_BUF_INIT;
    long port = place->port ? place->port : 80;
    im_buf_addf(&text, "%s:%ld:", host, port);
    for (size_t i = 0; i < place->address_count; i++) {
        const char *address = place->addresses[i];
        im_buf_addf(&text, strchr(address, ':') && *address != '[' ? "%s[%s]" : "%s%s", i ? "," : "", address);
    }
    bool is_done = !text.failed && add_line(&t->addresses, im_buf_str(&text));
    im_buf_clear(&text);
    im_buf_addf(&text, "%s:80:%s:%ld", host, host, port);
    is_done = is_done && !text.failed && (port == 80 || add_line(&t->route, im_buf_str(&text)));
    im_buf_free(&text);
    return is_done;
}

#define SET(option, value) (code = code == CURLE_OK ? curl_easy_setopt(t->easy, option, value) : code)

static CURLcode set_options(const struct fetch *f, struct transfer *t) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, t->request->url);
    SET(CURLOPT_CUSTOMREQUEST, t->request->method);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_RESOLVE, t->addresses);
    SET(CURLOPT_CONNECT_TO, t->route);
    SET(CURLOPT_USERAGENT, "imdir");
    SET(CURLOPT_PROTOCOLS_STR, "http");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP09_ALLOWED, 1L); /* what is not HTTP comes as a body */
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); /* also none from the environment */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name server that does not answer holds nobody up */
    SET(CURLOPT_TIMEOUT_MS, f->wanted->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, f->wanted->timeout_ms);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->trouble);
    SET(CURLOPT_PRIVATE, t);
    return code;
}

static void end_transfer(struct fetch *f, struct transfer *t) {
    if (t->easy)
        (void)curl_multi_remove_handle(f->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->addresses);
    curl_slist_free_all(t->route);
    if (t->request) {
        t->request->line->in_flight--;
        f->in_flight--;
    }
    memset(t, 0, sizeof *t);
}

static enum im_err start(struct fetch *f, struct im_http_request *request) {
    struct im_http_url url;
    struct transfer *t = f->transfers;
    while (t->request)
        t++;
    t->request = request;
    request->is_started = true;
    request->line->in_flight++;
    f->in_flight++;
    t->easy = curl_easy_init();
    enum im_err err = im_http_url_parse(request->url, f->pool, &url, f->e);
    if (err != IM_OK)
        return err;
    if (!t->easy || !set_headers(f, t) || (request->line->place && !set_place(t, url.host)) || set_options(f, t) != CURLE_OK ||
        curl_multi_add_handle(f->multi, t->easy) != CURLM_OK)
        return im_error_nomem(f->e);
    return IM_OK;
}

/* ---- what came back ---- */

static enum im_err keep_header(const struct fetch *f, const struct transfer *t, const char *name, const char **out) {
    struct curl_header *header;
    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return IM_OK;
    *out = im_pool_strndup(f->pool, header->value, strnlen(header->value, MAX_VALUE));
    return *out ? IM_OK : im_error_nomem(f->e);
}

static enum im_err keep_challenges(const struct fetch *f, const struct transfer *t) {
    struct curl_header *header;
    struct im_http_answer *a = t->request->answer;
    for (size_t i = 0; curl_easy_header(t->easy, "WWW-Authenticate", i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++) {
        enum im_err err = im_http_add_challenges(a, header->value, f->pool, f->e);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

static enum im_err keep_answer(const struct fetch *f, const struct transfer *t) {
    struct im_http_answer *a = t->request->answer;
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    a->outcome = IM_HTTP_ANSWERED;
    a->status = (int)status;
    enum im_err err = keep_header(f, t, f->wanted->profile->http.header, &a->version);
    if (err == IM_OK)
        err = keep_header(f, t, "Server", &a->server);
    if (err == IM_OK)
        err = keep_header(f, t, "Location", &a->location);
    return err == IM_OK ? keep_challenges(f, t) : err;
}

static enum im_err keep_trouble(const struct fetch *f, struct im_http_answer *a, enum im_http_outcome outcome,
                                const char *words) {
    a->outcome = outcome;
    a->detail = im_pool_strdup(f->pool, words);
    return a->detail ? IM_OK : im_error_nomem(f->e);
}

static bool got_bytes(const struct transfer *t) {
    curl_off_t first = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
    return first > 0;
}

static enum im_err keep_timeout(const struct fetch *f, const struct transfer *t) {
    curl_off_t resolved = 0;
    char words[96];
    (void)curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    if (resolved == 0)
        return keep_trouble(f, t->request->answer, IM_HTTP_NO_ADDRESS, "the resolver did not answer in time");
    (void)snprintf(words, sizeof words, "no%s answer within %ld ms", got_bytes(t) ? " complete" : "", f->wanted->timeout_ms);
    return keep_trouble(f, t->request->answer, IM_HTTP_TIMEOUT, words);
}

static enum im_err keep_no_connection(const struct fetch *f, const struct transfer *t) {
    long number = 0;
    char words[128];
    (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    const char *text = number ? strerror_r((int)number, words, sizeof words) : t->trouble;
    return keep_trouble(f, t->request->answer, number == ETIMEDOUT ? IM_HTTP_TIMEOUT : IM_HTTP_REFUSED, text);
}

static enum im_err keep_garbage(const struct fetch *f, const struct transfer *t) {
    struct im_http_answer *a = t->request->answer;
    if (t->is_too_much)
        return keep_trouble(f, a, IM_HTTP_MALFORMED, "the headers of the answer have no end");
    /* RFC 8446 section 5.1: an alert or a handshake record, of version 3. */
    if (t->opening_len == 2 && (t->opening[0] == 0x15 || t->opening[0] == 0x16) && t->opening[1] == 3)
        return keep_trouble(f, a, IM_HTTP_TLS, "the server speaks TLS on this port");
    return keep_trouble(f, a, IM_HTTP_MALFORMED, "what it answered is not HTTP");
}

static enum im_err keep(const struct fetch *f, const struct transfer *t, CURLcode code) {
    struct im_http_answer *a = t->request->answer;
    if (t->has_headers)
        return keep_answer(f, t);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return keep_trouble(f, a, IM_HTTP_NO_ADDRESS, "the name could not be resolved");
    case CURLE_COULDNT_CONNECT:
        return keep_no_connection(f, t);
    case CURLE_OPERATION_TIMEDOUT:
        return keep_timeout(f, t);
    case CURLE_OUT_OF_MEMORY: /* libcurl says so of a header line without end, too */
        return got_bytes(t) ? keep_garbage(f, t) : im_error_nomem(f->e);
    case CURLE_OK:
    case CURLE_WRITE_ERROR: /* said by the functions above */
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return keep_garbage(f, t);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return keep_trouble(f, a, IM_HTTP_CLOSED, "the connection was closed without an answer");
    default:
        return keep_trouble(f, a, IM_HTTP_FAILED, *t->trouble ? t->trouble : curl_easy_strerror(code));
    }
}

static enum im_err finish(struct fetch *f, struct transfer *t, CURLcode code) {
    struct im_http_request *r = t->request;
    const char *address = NULL;
    *r->answer = (struct im_http_answer){.method = r->method, .url = r->url};
    if (curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address && *address) {
        r->answer->address = im_pool_strdup(f->pool, address);
        if (!r->answer->address)
            return im_error_nomem(f->e);
    }
    enum im_err err = keep(f, t, code);
    if (err == IM_OK && r->answer->outcome != IM_HTTP_ANSWERED && !r->line->failed)
        r->line->failed = r->answer;
    return err;
}

/* ---- all of them ---- */

static bool has_nowhere_to_go(const struct im_http_line *line) {
    return line->failed || (line->place && line->place->address_count == 0);
}

static void answer_at_once(struct im_http_request *r) {
    const struct im_http_answer *failed = r->line->failed;
    *r->answer = (struct im_http_answer){.method = r->method, .url = r->url, .outcome = IM_HTTP_NO_ADDRESS};
    r->answer->detail = failed ? failed->detail : "the name has no address";
    r->answer->outcome = failed ? failed->outcome : IM_HTTP_NO_ADDRESS;
    r->answer->address = failed ? failed->address : NULL;
    r->is_started = true;
}

static enum im_err start_some(struct fetch *f) {
    while (f->first < f->count && f->requests[f->first].is_started)
        f->first++;
    for (size_t i = f->first; i < f->count && f->in_flight < AT_ONCE; i++) {
        struct im_http_request *r = &f->requests[i];
        if (r->is_started || r->line->in_flight >= AT_ONCE_HOST)
            continue;
        if (has_nowhere_to_go(r->line)) {
            answer_at_once(r);
            continue;
        }
        enum im_err err = start(f, r);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

static enum im_err collect(struct fetch *f) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(f->multi, &left));) {
        char *private = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *t = (struct transfer *)(void *)private;
        enum im_err err = finish(f, t, code);
        end_transfer(f, t);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

static bool is_stopped(const struct fetch *f) {
    return f->wanted->stop && *f->wanted->stop;
}

static enum im_err drive(struct fetch *f) {
    for (;;) {
        int running;
        enum im_err err = start_some(f);
        if (err != IM_OK || f->in_flight == 0)
            return err;
        if (is_stopped(f))
            return im_error_set(f->e, IM_E_INTERRUPTED, "stopped while asking web servers");
        CURLMcode code = curl_multi_perform(f->multi, &running);
        if (code == CURLM_OK && running)
            code = curl_multi_poll(f->multi, NULL, 0, POLL_MS, NULL);
        if (code != CURLM_OK)
            return im_error_set(f->e, IM_E_INTERNAL, "asking web servers failed: %s", curl_multi_strerror(code));
        err = collect(f);
        if (err != IM_OK)
            return err;
    }
}

enum im_err im_http_fetch(const struct im_http_wanted *wanted, struct im_http_request *requests, size_t count,
                          struct im_pool *pool, struct im_error *e) {
    struct fetch *f = im_pool_alloc(pool, sizeof *f);
    if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return im_error_nomem(e);
    *f = (struct fetch){.wanted = wanted, .requests = requests, .count = count, .pool = pool, .e = e};
    f->multi = curl_multi_init();
    enum im_err err = f->multi ? drive(f) : im_error_nomem(e);
    for (size_t i = 0; i < AT_ONCE; i++)
        end_transfer(f, &f->transfers[i]);
    curl_multi_cleanup(f->multi);
    curl_global_cleanup();
    return err;
}
