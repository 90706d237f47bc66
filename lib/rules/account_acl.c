/* The privacy list, where it is the XML of the protocol's access control lists (draft-osborne-rvp-00 section 5.7) rather than the
 * server's own format, which is not documented. */
#include "lib/base/text.h"
#include "lib/model/url.h"
#include "lib/rules/account_rules.h"

#include <string.h>

#define BLANKS " \t\r\n"

/* What was read of one list. */
struct reading {
    const struct im_facts *facts;
    struct im_buf principal; /* of the entry that is being read */
    bool denies;
    struct im_buf *message;
};

static bool is_xml(const struct berval *value) {
    const char *text = value->bv_val;
    return strlen(text) == value->bv_len && text[strspn(text, BLANKS)] == '<' && im_text_is_utf8(text, value->bv_len);
}

/* The name of the element at '<' without its namespace's prefix; empty for comments and instructions. */
static size_t local_name(const char *tag, const char **name) {
    const char *begin = tag + 1 + (tag[1] == '/');
    size_t len = strcspn(begin, BLANKS "/>");
    const char *colon = memchr(begin, ':', len);
    *name = colon ? colon + 1 : begin;
    return strchr("!?", *begin) ? 0 : len - (size_t)(*name - begin);
}

static bool is_element(const char *name, size_t len, const char *wanted) {
    return im_text_equal_n(name, len, wanted, strlen(wanted));
}

/* A bare server name stands for everybody there. */
static bool is_principal(const char *text) {
    struct im_url url;
    im_url_split(text, IM_ROLE_LOGICAL_URL, &url);
    if (!url.fault && !url.alias_fault)
        return true;
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return strchr(text, '.') && text[strspn(text, host)] == '\0';
}

/* An emptied buffer knows no failure any more. */
static void forget_principal(struct reading *r) {
    r->message->failed = r->message->failed || r->principal.failed;
    im_buf_clear(&r->principal);
}

static void end_entry(struct reading *r) {
    const char *principal = im_buf_str(&r->principal);
    const char *self = r->facts->want->logical_url;
    const char *comma = r->message->len ? "; " : "";
    if (*principal && !is_principal(principal)) {
        im_buf_addf(r->message, "%sthe privacy list names \"%s\", which is neither a logical URL nor a server's name", comma,
                    principal);
    } else if (*principal && r->denies && self && im_role_equal(IM_ROLE_LOGICAL_URL, principal, self)) {
        im_buf_addf(r->message, "%sthe privacy list denies something to the user's own URL %s", comma, principal);
    }
    forget_principal(r);
    r->denies = false;
}

/* The text behind the start tag that ends at `end`. */
static void take_principal(struct reading *r, const char *end) {
    const char *text = end + 1 + strspn(end + 1, BLANKS);
    size_t len = strcspn(text, "<");
    while (len && strchr(BLANKS, text[len - 1]))
        len--;
    if (!len)
        return;
    forget_principal(r);
    im_buf_add(&r->principal, text, len);
}

static void read_list(struct reading *r, const char *text) {
    for (const char *tag = strchr(text, '<'); tag; tag = strchr(tag + 1, '<')) {
        const char *end = strchr(tag, '>');
        const char *name;
        if (!end)
            break; /* cut off */
        size_t len = local_name(tag, &name);
        bool is_end = tag[1] == '/';
        if (is_end && is_element(name, len, "ace")) {
            end_entry(r);
        } else if (!is_end && (is_element(name, len, "principal") || is_element(name, len, "rvp-principal"))) {
            take_principal(r, end);
        } else if (!is_end && is_element(name, len, "deny")) {
            r->denies = end[-1] != '/';
        }
    }
}

enum im_verdict im_account_acl_bad_principal(const struct im_facts *f, struct im_judgement *j) {
    const struct im_profile_attr *row = im_profile_role(f->context->profile, IM_ROLE_OPAQUE);
    const struct im_attr *attr = row && f->account->has_opaque ? im_entry_attr(f->account->entry, row->name) : NULL;
    struct reading r = {.facts = f, .principal = IM_BUF_INIT, .message = &j->message};
    bool is_readable = true;
    if (!attr || !im_account_counts(f))
        return IM_FINE;
    for (size_t i = 0; i < attr->count; i++) {
        if (is_xml(&attr->values[i])) {
            read_list(&r, attr->values[i].bv_val);
        } else {
            is_readable = false;
        }
    }
    forget_principal(&r);
    im_buf_free(&r.principal);
    if (j->message.len || j->message.failed)
        return IM_FIRES;
    return is_readable ? IM_FINE : im_account_skip(j, "the privacy list is in the server's own format, which is not documented");
}
