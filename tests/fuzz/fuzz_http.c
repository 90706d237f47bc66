/* What web servers send: challenges and redirects. The first byte chooses. */
#include "lib/model/http_facts.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void challenges(const char *text, struct im_pool *pool) {
    struct im_http_answer answer = {0};
    struct im_error e = {0};
    const enum im_err err = im_http_add_challenges(&answer, text, pool, &e);
    MUST(err == IM_OK && answer.challenge_count <= IM_HTTP_MAX_CHALLENGES);
    for (size_t i = 0; i < answer.challenge_count; i++) {
        const struct im_http_challenge *c = &answer.challenges[i];
        MUST(c->scheme && *c->scheme && strlen(c->scheme) <= strlen(text));
        MUST(!c->realm || strlen(c->realm) < strlen(text));
    }
}

/* An understood URL, written anew, is the same place. */
static void url(const char *text, struct im_pool *pool) {
    struct im_http_url u;
    struct im_error e = {0};
    MUST(im_http_url_equal(text, text));
    MUST(im_http_url_parse(text, pool, &u, &e) == IM_OK);
    if (u.host) {
        MUST(*u.host && u.port > 0 && u.port < 65536 && !strpbrk(u.host, "/?#@ \\"));
        const char *again = im_pool_printf(pool, "http%s://%s:%ld%s", u.is_tls ? "s" : "", u.host, u.port, u.path);
        MUST(again && im_http_url_equal(again, text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_pool *pool = im_pool_new();
    char *text = size > 0 ? strndup((const char *)data + 1, size - 1) : NULL;
    if (pool && text) {
        (data[0] == 'c' ? challenges : url)(text, pool);
    }
    free(text);
    im_pool_free(&pool);
    return 0;
}
