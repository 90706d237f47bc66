#include "lib/model/silence.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <string.h>
#include <strings.h>

enum { DAY_S = 24 * 60 * 60 };

static bool is_over(const struct im_silence *s, int64_t now) {
    return s->until != 0 && now >= s->until + DAY_S;
}

static bool is_folded(const char *folded, const char *name) {
    struct im_buf text = IM_BUF_INIT;
    im_text_fold(name, strlen(name), &text);
    bool is = !text.failed && strcmp(im_buf_str(&text), folded) == 0;
    im_buf_free(&text);
    return is;
}

static bool is_normalized(const char *normalized, const char *dn) {
    struct im_buf text = IM_BUF_INIT;
    bool is = im_dn_normalize(dn, &text) && !text.failed && strcmp(im_buf_str(&text), normalized) == 0;
    im_buf_free(&text);
    return is;
}

/* Reports put "sam:" in front of names that look like something else. */
static const char *plain_name(const char *account) {
    static const char prefix[] = "sam:";
    return strncasecmp(account, prefix, sizeof prefix - 1) == 0 ? account + sizeof prefix - 1 : account;
}

static bool speaks_of(const struct im_silence *s, const struct im_silence_target *t) {
    if (strcmp(s->rule, t->rule) != 0)
        return false;
    if (s->account_dn)
        return t->dn && is_normalized(s->account_dn, t->dn);
    if (s->account_name)
        return t->account && is_folded(s->account_name, plain_name(t->account));
    return s->subject_name && t->subject && (is_folded(s->subject_name, t->subject) || im_dn_equal(s->subject, t->subject));
}

const struct im_silence *im_silence_match(const struct im_silences *silences, const struct im_silence_target *target,
                                          int64_t now) {
    for (size_t i = 0; i < silences->count; i++) {
        if (!is_over(&silences->items[i], now) && speaks_of(&silences->items[i], target))
            return &silences->items[i];
    }
    return NULL;
}
