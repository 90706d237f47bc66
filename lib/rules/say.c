#include "lib/rules/say.h"

#include "lib/data/dn.h"

#include <string.h>

/* Takes the text; "" where there is none. */
static const char *kept(struct im_sink *s, struct im_buf *text) {
    const char *copy = text->failed ? NULL : im_pool_strdup(s->pool, im_buf_str(text));
    im_buf_free(text);
    if (!copy)
        s->failed = true;
    return copy ? copy : "";
}

enum im_verdict im_say_unknown(struct im_sink *s, const char *format, ...) {
    va_list args;
    if (s->reason)
        return IM_SKIPPED;
    va_start(args, format);
    s->reason = im_pool_vprintf(s->pool, format, args);
    va_end(args);
    if (!s->reason) {
        s->failed = true;
        s->reason = "";
    }
    return IM_SKIPPED;
}

enum im_verdict im_say_verdict(const struct im_sink *s, size_t before) {
    if (s->count > before)
        return IM_FIRES;
    return s->reason ? IM_SKIPPED : IM_FINE;
}

const char *im_say_quoted(struct im_sink *s, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@+=,";
    struct im_buf text = IM_BUF_INIT;
    if (*word && word[strspn(word, plain)] == '\0') {
        im_buf_adds(&text, word);
        return kept(s, &text);
    }
    im_buf_addc(&text, '\'');
    for (const char *c = word; *c; c++) {
        if (*c == '\'') {
            im_buf_adds(&text, "'\\''");
        } else {
            im_buf_addc(&text, *c);
        }
    }
    im_buf_addc(&text, '\'');
    return kept(s, &text);
}

const char *im_say_count(struct im_sink *s, size_t count, const char *noun) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addf(&text, "%zu %s%s", count, noun, count == 1 ? "" : "s");
    return kept(s, &text);
}

const char *im_say_key(struct im_sink *s, const char *dn) {
    struct im_buf text = IM_BUF_INIT;
    if (!im_dn_normalize(dn, &text) && !text.failed) {
        im_buf_clear(&text);
        im_buf_adds(&text, dn);
    }
    return kept(s, &text);
}
