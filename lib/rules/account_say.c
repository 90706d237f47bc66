/* What account rules share: whom they are about, and the commands that mend what they found. */
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/sid.h"
#include "lib/rules/account_rules.h"

#include <string.h>

bool im_account_counts(const struct im_facts *f) {
    return f->is_preflight || f->account->im_count > 0;
}

bool im_account_knows(const struct im_facts *f, const char *attribute) {
    return f->context->schema && im_schema_attr(f->context->schema, attribute);
}

enum im_verdict im_account_skip(struct im_judgement *j, const char *reason) {
    return im_account_skip_for(j, reason, NULL, NULL);
}

enum im_verdict im_account_skip_for(struct im_judgement *j, const char *before, const char *what, const char *after) {
    j->reason[0] = before;
    j->reason[1] = what;
    j->reason[2] = after;
    return IM_SKIPPED;
}

const struct im_server *im_account_home(const struct im_facts *f) {
    const char *dn = f->account->home;
    const struct im_server *judged = f->want->home;
    if (!dn)
        return NULL;
    if (!f->is_preflight || (judged && judged->dn && im_text_equal(judged->dn, dn)))
        return judged;
    return im_servers_by_dn(f->servers, dn);
}

static bool has_control(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

/* Would a command take it for something else than a name? See lib/model/identity.h. */
static bool is_ambiguous(const char *name) {
    unsigned char sid[IM_SID_BYTES_SIZE];
    unsigned char guid[IM_GUID_BYTES_SIZE];
    size_t len;
    return *name == '-' || strpbrk(name, "@\\=:") || im_sid_from_text(name, sid, &len) || im_guid_from_text(name, guid);
}

void im_say_account(const struct im_facts *f, struct im_buf *out) {
    const struct im_account *a = f->account;
    struct im_buf word = IM_BUF_INIT;
    if (a->name && !has_control(a->name) && im_text_is_utf8(a->name, strlen(a->name))) {
        im_buf_addf(&word, "%s%s", is_ambiguous(a->name) ? "sam:" : "", a->name);
    } else {
        im_buf_adds(&word, a->dn);
    }
    im_text_quote(im_buf_str(&word), out);
    out->failed = out->failed || word.failed;
    im_buf_free(&word);
}

void im_say_command(const char *command, const struct im_facts *f, struct im_buf *out) {
    im_buf_addf(out, "%s ", command);
    im_say_account(f, out);
}

/* The only home server that serves the account's IM domain. */
static const struct im_server *only_home(const struct im_facts *f) {
    const char *domain = f->want->im_domain;
    const struct im_server *only = NULL;
    for (size_t i = 0; i < f->servers->count; i++) {
        const struct im_server *s = &f->servers->items[i];
        if (!s->hosts_users || !s->dn || (domain && !im_server_serves(s, domain)))
            continue;
        if (only)
            return NULL;
        only = s;
    }
    return only;
}

void im_say_move(const struct im_facts *f, const struct im_server *server, struct im_buf *out) {
    const struct im_server *to = server ? server : only_home(f);
    if (!server && to && to == im_account_home(f))
        return; /* moving there would not help: the row's remedy says more */
    im_say_command("imhome", f, out);
    im_buf_adds(out, " --to ");
    im_text_quote(to ? to->name : "auto", out);
}

void im_say_or_disable(const char *otherwise, const struct im_facts *f, struct im_buf *out) {
    if (!f->account->im_count)
        return; /* the row's remedy says it */
    im_buf_addf(out, "%s, or: ", otherwise);
    im_say_command("imdisable", f, out);
}
