/* From what identities name to jobs: one for each account, however often it is named. */
#include "lib/engine/job.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"

#include <string.h>

static const char *not_found_text(const struct im_slice *slice, const struct im_identity *id, const struct im_match *match) {
    const char *base = slice->walk->run->resolver.base;
    if (match->by_sid_history) {
        return im_pool_printf(slice->pool, "this SID is only in the SID history of %s: name that account itself",
                              match->entries[0]->dn);
    }
    if (match->remark)
        return match->remark;
    switch (id->kind) {
    case IM_ID_DN:
        return im_pool_strdup(slice->pool, "there is no entry with this DN, or it may not be seen");
    case IM_ID_SID:
        return im_pool_printf(slice->pool, "no entry below %s has this SID", base);
    case IM_ID_GUID:
        return im_pool_printf(slice->pool, "no entry below %s has this GUID", base);
    case IM_ID_ADDRESS:
        return im_pool_printf(slice->pool, "no entry below %s has this user principal name, mail or IM address", base);
    case IM_ID_UPN:
        return im_pool_printf(slice->pool, "no entry below %s has this user principal name", base);
    case IM_ID_MAIL:
        return im_pool_printf(slice->pool, "no entry below %s has this mail address", base);
    case IM_ID_IM:
        return im_pool_printf(slice->pool, "no entry below %s has this IM address", base);
    case IM_ID_DOMAIN_NAME:
    case IM_ID_NAME:
        break;
    }
    return im_pool_printf(slice->pool, "no entry below %s has this account name", base);
}

static const char *ambiguous_text(const struct im_slice *slice, const struct im_match *match) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addf(&text, "%zu entries match, name one by its DN: ", match->count);
    for (size_t i = 0; i < match->count; i++)
        im_buf_addf(&text, "%s%s", i ? "; " : "", match->entries[i]->dn);
    const char *message = text.failed ? NULL : im_pool_strdup(slice->pool, im_buf_str(&text));
    im_buf_free(&text);
    return message;
}

/* Fills the line where the identity does not name exactly one account. False: it does. */
static bool is_nobody(const struct im_slice *slice, struct im_line *line, const struct im_match *match) {
    struct im_result *r = &line->result;
    if (match->count == 1 && !match->by_sid_history)
        return false;
    *r = (struct im_result){.ldap_code = -1};
    r->outcome = match->count > 1 && !match->by_sid_history ? IM_AMBIGUOUS : IM_OUT_NOT_FOUND;
    r->message = r->outcome == IM_AMBIGUOUS ? ambiguous_text(slice, match) : not_found_text(slice, &line->input->identity, match);
    return true;
}

/* What makes an entry the same one however it was found. 0: out of memory. */
static uint64_t entry_key(const struct im_ledger *ledger, const struct im_entry *entry) {
    const struct berval *guid = im_entry_value(entry, "objectGUID");
    if (!guid)
        guid = im_entry_value(entry, "entryUUID");
    if (guid)
        return im_ledger_key(ledger, guid->bv_val, guid->bv_len);
    struct im_buf dn = IM_BUF_INIT;
    if (!im_dn_normalize(entry->dn, &dn))
        im_buf_adds(&dn, entry->dn);
    uint64_t key = dn.failed ? 0 : im_ledger_key(ledger, im_buf_str(&dn), dn.len);
    im_buf_free(&dn);
    return key;
}

/* Two lines of one account must ask for the same: a number that stands for what a line asks for. */
static enum im_err request_number(const struct im_slice *slice, const struct im_input *input, uint32_t *out) {
    const char *const cells[] = {input->home, input->domain, input->address};
    *out = 0;
    if (!input->home && !input->domain && !input->address)
        return IM_OK;
    struct im_buf text = IM_BUF_INIT;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        if (cells[i])
            im_text_fold(cells[i], strlen(cells[i]), &text);
        im_buf_addc(&text, '\n');
    }
    bool failed = text.failed;
    *out = (uint32_t)im_ledger_key(&slice->walk->ledger, im_buf_str(&text), text.len);
    im_buf_free(&text);
    return failed ? im_error_nomem(slice->walk->e) : IM_OK;
}

/* NULL: out of memory. */
static const char *contradiction_text(const struct im_slice *slice, const struct im_known_account *known) {
    const struct im_job *first = im_walk_job(slice->walk, known->job);
    const char *source = first ? first->input->source : NULL;
    return im_pool_printf(slice->pool, "%s names the same account and asks for something else",
                          source ? source : "a line before");
}

static enum im_err repeat(struct im_slice *slice, struct im_line *line, const struct im_job *job, uint32_t request) {
    struct im_known_account known;
    im_ledger_tell(&slice->walk->ledger, job->key, &known);
    line->result = (struct im_result){.dn = job->account.entry->dn, .ldap_code = -1};
    line->repeats = job->key;
    if (known.request == request)
        return IM_OK;
    line->repeats = 0;
    line->result.outcome = IM_REFUSED;
    line->result.reason = IM_REASON_CONTRADICTS;
    line->result.message = contradiction_text(slice, &known);
    return line->result.message ? IM_OK : im_error_nomem(slice->walk->e);
}

static enum im_err add_job(struct im_slice *slice, struct im_line *line, const struct im_entry *entry) {
    struct im_walk *walk = slice->walk;
    struct im_job *job = &slice->jobs[slice->job_count];
    uint64_t key = entry_key(&walk->ledger, entry);
    uint32_t request;
    bool is_known;
    if (!key)
        return im_error_nomem(walk->e);
    *job = (struct im_job){.slice = slice, .input = line->input, .account = {.entry = entry}};
    job->result = (struct im_result){.dn = entry->dn, .ldap_code = -1};
    job->number = walk->job_count + 1;
    job->key = key;
    enum im_err err = request_number(slice, line->input, &request);
    if (err == IM_OK)
        err = im_ledger_meet(&walk->ledger, job->key, request, job->number, &is_known, walk->e);
    if (err != IM_OK)
        return err;
    if (is_known)
        return repeat(slice, line, job, request);
    walk->job_count++;
    line->job = job;
    slice->round[slice->round_count] = job;
    job->place = slice->round_count++;
    slice->job_count++;
    return IM_OK;
}

enum im_err im_identify(struct im_slice *slice, const struct im_match *matches) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < slice->count; i++) {
        struct im_line *line = &slice->lines[i];
        if (line->input->bad)
            continue;
        slice->walk->seen += matches[i].count;
        if (is_nobody(slice, line, &matches[i])) {
            err = line->result.message ? IM_OK : im_error_nomem(slice->walk->e);
        } else {
            err = add_job(slice, line, matches[i].entries[0]);
        }
    }
    return err;
}
