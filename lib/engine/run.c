/* Phase one: who is meant, and what is to be done; nothing is written. Phase two: execute, or report what would be done. */
#include "lib/engine/run.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/engine/job.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASSERTION_CONTROL "1.3.6.1.1.12"

bool im_walk_is_stopped(const struct im_walk *walk) {
    return walk->run->stop && *walk->run->stop;
}

void im_job_settle(struct im_job *job, enum im_outcome outcome, const char *message) {
    job->is_settled = true;
    job->result.outcome = outcome;
    job->result.message = message;
    if (outcome != IM_CHANGED) {
        job->result.diffs = NULL;
        job->result.diff_count = 0;
    }
}

/* ---- reporting ---- */

/* What the second line that names an account says. */
static struct im_result repeated(const struct im_walk *walk, const struct im_line *line) {
    struct im_result r = line->job->result;
    if (r.outcome != IM_CHANGED && r.outcome != IM_UNCHANGED)
        return r;
    r.outcome = IM_UNCHANGED;
    r.diffs = NULL;
    r.diff_count = 0;
    if (!r.message)
        r.message = walk->run->dry_run ? "named before in this run" : "done before in this run";
    return r;
}

static enum im_err report_changes(const struct im_walk *walk, struct im_job *job, struct im_error *e) {
    const struct im_run *run = walk->run;
    enum im_err err = IM_OK;
    if (!run->dry_run || !run->on_change || job->result.outcome != IM_CHANGED)
        return IM_OK;
    for (size_t i = 0; err == IM_OK && i < job->plan.step_count; i++)
        err = run->on_change(run->user, &job->plan.steps[i], e);
    return err;
}

static enum im_err report_line(struct im_walk *walk, size_t index, struct im_error *e) {
    const struct im_line *line = &walk->lines[index];
    struct im_job *job = line->job;
    enum im_err err = job && line->is_first ? report_changes(walk, job, e) : IM_OK;
    struct im_result result = !job ? line->result : line->is_first ? job->result : repeated(walk, line);
    result.input = walk->inputs[index].text;
    result.source = walk->inputs[index].source;
    walk->summary->total++;
    walk->summary->counts[result.outcome]++;
    enum im_err told = walk->run->on_result(walk->run->user, &result, e);
    return err != IM_OK ? err : told;
}

enum im_err im_report_ready(struct im_walk *walk, struct im_error *e) {
    enum im_err err = IM_OK;
    while (err == IM_OK && walk->reported < walk->count) {
        const struct im_job *job = walk->lines[walk->reported].job;
        if (job && !job->is_settled)
            return IM_OK;
        err = report_line(walk, walk->reported++, e);
    }
    return err;
}

/* Whatever ended the run, each input is reported once. */
static void report_rest(struct im_walk *walk, const char *why) {
    for (size_t i = 0; i < walk->job_count; i++) {
        if (!walk->jobs[i].is_settled)
            im_job_settle(&walk->jobs[i], IM_NOT_ATTEMPTED, why);
    }
    while (walk->reported < walk->count)
        (void)im_report_ready(walk, NULL);
}

/* ---- from inputs to accounts ---- */

static const char *not_found_text(const struct im_walk *walk, const struct im_identity *id, const struct im_match *match) {
    const char *base = walk->run->resolver.base;
    if (match->by_sid_history) {
        return im_pool_printf(walk->pool, "this SID is only in the SID history of %s: name that account itself",
                              match->entries[0]->dn);
    }
    if (match->remark)
        return match->remark;
    switch (id->kind) {
    case IM_ID_DN:
        return im_pool_strdup(walk->pool, "there is no entry with this DN, or it may not be seen");
    case IM_ID_SID:
        return im_pool_printf(walk->pool, "no entry below %s has this SID", base);
    case IM_ID_GUID:
        return im_pool_printf(walk->pool, "no entry below %s has this GUID", base);
    case IM_ID_ADDRESS:
        return im_pool_printf(walk->pool, "no entry below %s has this user principal name, mail or IM address", base);
    case IM_ID_UPN:
        return im_pool_printf(walk->pool, "no entry below %s has this user principal name", base);
    case IM_ID_MAIL:
        return im_pool_printf(walk->pool, "no entry below %s has this mail address", base);
    case IM_ID_IM:
        return im_pool_printf(walk->pool, "no entry below %s has this IM address", base);
    case IM_ID_DOMAIN_NAME:
    case IM_ID_NAME:
        break;
    }
    return im_pool_printf(walk->pool, "no entry below %s has this account name", base);
}

static const char *ambiguous_text(const struct im_walk *walk, const struct im_match *match) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_addf(&text, "%zu entries match, name one by its DN: ", match->count);
    for (size_t i = 0; i < match->count; i++)
        im_buf_addf(&text, "%s%s", i ? "; " : "", match->entries[i]->dn);
    const char *message = text.failed ? NULL : im_pool_strdup(walk->pool, im_buf_str(&text));
    im_buf_free(&text);
    return message;
}

/* Fills the line where the identity does not name exactly one account. False: it does. */
static bool is_nobody(const struct im_walk *walk, size_t i, const struct im_match *match) {
    struct im_result *r = &walk->lines[i].result;
    if (match->count == 1 && !match->by_sid_history)
        return false;
    *r = (struct im_result){.ldap_code = -1};
    r->outcome = match->count > 1 && !match->by_sid_history ? IM_AMBIGUOUS : IM_OUT_NOT_FOUND;
    r->message =
        r->outcome == IM_AMBIGUOUS ? ambiguous_text(walk, match) : not_found_text(walk, &walk->inputs[i].identity, match);
    return true;
}

struct named {
    const char *key; /* what makes an entry the same one however it was found */
    size_t line;
    const struct im_entry *entry;
};

static int by_key(const void *a, const void *b) {
    const struct named *x = a;
    const struct named *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int by_line(const void *a, const void *b) {
    const struct named *x = a;
    const struct named *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

static const char *entry_key(const struct im_entry *entry, struct im_pool *pool) {
    struct im_buf key = IM_BUF_INIT;
    if (!im_dn_normalize(entry->dn, &key))
        im_buf_adds(&key, entry->dn);
    const char *text = key.failed ? NULL : im_pool_strdup(pool, im_buf_str(&key));
    im_buf_free(&key);
    return text;
}

/* One job for each account, in the order of the lines that name it first. */
static enum im_err make_jobs(struct im_walk *walk, struct named *names, size_t count, struct im_error *e) {
    struct im_job **first_of = im_pool_array(walk->pool, count, sizeof *first_of); /* by position in `names`, sorted by key */
    size_t *first_line = im_pool_array(walk->pool, walk->count, sizeof *first_line);
    walk->jobs = im_pool_array(walk->pool, count, sizeof *walk->jobs);
    if (!first_of || !first_line || !walk->jobs)
        return im_error_nomem(e);
    if (count)
        qsort(names, count, sizeof *names, by_key);
    for (size_t i = 0, head = 0; i < count; i++) {
        if (strcmp(names[i].key, names[head].key) != 0)
            head = i;
        first_line[names[i].line] = names[head].line;
    }
    if (count)
        qsort(names, count, sizeof *names, by_line);
    for (size_t i = 0; i < count; i++) {
        struct im_line *line = &walk->lines[names[i].line];
        line->is_first = first_line[names[i].line] == names[i].line;
        if (!line->is_first) {
            line->job = walk->lines[first_line[names[i].line]].job;
            continue;
        }
        struct im_job *job = &walk->jobs[walk->job_count++];
        job->account.entry = names[i].entry;
        job->result.dn = names[i].entry->dn;
        job->result.ldap_code = -1;
        line->job = job;
    }
    return IM_OK;
}

static enum im_err identify(struct im_walk *walk, struct im_error *e) {
    struct im_identity *identities = im_pool_array(walk->pool, walk->count, sizeof *identities);
    struct im_match *matches = im_pool_array(walk->pool, walk->count, sizeof *matches);
    struct named *names = im_pool_array(walk->pool, walk->count, sizeof *names);
    size_t found = 0;
    size_t seen = 0;
    if (!identities || !matches || !names)
        return im_error_nomem(e);
    for (size_t i = 0; i < walk->count; i++)
        identities[i] = walk->inputs[i].identity;
    enum im_err err = im_resolve(&walk->run->resolver, identities, walk->count, walk->pool, matches, e);
    for (size_t i = 0; err == IM_OK && i < walk->count; i++) {
        seen += matches[i].count;
        if (is_nobody(walk, i, &matches[i])) {
            err = walk->lines[i].result.message ? IM_OK : im_error_nomem(e);
            continue;
        }
        const struct im_entry *entry = matches[i].entries[0];
        names[found] = (struct named){.key = entry_key(entry, walk->pool), .line = i, .entry = entry};
        err = names[found++].key ? IM_OK : im_error_nomem(e);
    }
    if (err == IM_OK && !seen && walk->count)
        err = im_resolve_any(&walk->run->resolver, e); /* "nobody" must not mean "nothing can be seen" */
    return err == IM_OK ? make_jobs(walk, names, found, e) : err;
}

/* ---- the walk ---- */

static enum im_err copy_servers(struct im_walk *walk, struct im_error *e) {
    const struct im_servers *from = walk->run->servers;
    walk->servers.items = im_pool_array(walk->pool, from->count, sizeof *walk->servers.items);
    walk->request = *walk->run->request;
    if (!walk->servers.items)
        return im_error_nomem(e);
    if (from->count)
        memcpy(walk->servers.items, from->items, from->count * sizeof *from->items);
    walk->servers.count = walk->servers.cap = from->count;
    if (walk->request.home)
        walk->request.home = &walk->servers.items[walk->request.home - from->items];
    return IM_OK;
}

static enum im_err plan_all(struct im_walk *walk, struct im_error *e) {
    enum im_err err = copy_servers(walk, e);
    if (err == IM_OK)
        err = identify(walk, e);
    struct im_job **jobs = im_pool_array(walk->pool, walk->job_count, sizeof *jobs);
    if (err == IM_OK && !jobs)
        err = im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < walk->job_count; i++)
        jobs[i] = &walk->jobs[i];
    if (err == IM_OK)
        err = im_prepare(walk, jobs, walk->job_count, true, e);
    if (err == IM_OK && im_walk_is_stopped(walk))
        err = im_error_set(e, IM_E_INTERRUPTED, "stopped on request before anything was written");
    return err;
}

/* In words for the accounts that were left out; the error itself is told once, by the command. */
static const char *why_left(enum im_err err) {
    switch (err) {
    case IM_E_INTERRUPTED:
        return "the run was stopped before this account";
    case IM_E_LOST:
    case IM_E_TIMEOUT:
        return "the connection was lost before this account";
    case IM_E_OUTPUT:
    case IM_E_IO:
        return "the run ended before this account because results could not be written";
    default:
        return "the run ended before this account";
    }
}

static double seconds_since(const struct timespec *start) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

enum im_err im_run_accounts(const struct im_run *run, const struct im_input *inputs, size_t count, struct im_summary *summary,
                            bool *wrote, struct im_error *e) {
    struct im_walk walk = {.run = run, .inputs = inputs, .count = count, .summary = summary};
    struct timespec start;
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    *summary = (struct im_summary){0};
    *wrote = false;
    walk.pool = im_pool_new();
    walk.lines = walk.pool ? im_pool_array(walk.pool, count, sizeof *walk.lines) : NULL;
    if (!walk.lines) {
        im_pool_free(&walk.pool);
        return im_error_nomem(e);
    }
    walk.has_assertion = im_rootdse_has_control(im_directory_rootdse(run->resolver.directory), ASSERTION_CONTROL);
    enum im_err err = plan_all(&walk, e);
    if (err != IM_OK) { /* lines without a job yet have no outcome either */
        for (size_t i = 0; i < count; i++) {
            if (!walk.lines[i].job && !walk.lines[i].result.message)
                walk.lines[i].result = (struct im_result){.outcome = IM_NOT_ATTEMPTED, .message = why_left(err), .ldap_code = -1};
        }
    }
    if (err == IM_OK)
        err = im_report_ready(&walk, e);
    if (err == IM_OK && !run->dry_run)
        err = im_execute(&walk, e);
    report_rest(&walk, why_left(err));
    *wrote = walk.wrote;
    summary->seconds = seconds_since(&start);
    im_pool_free(&walk.pool);
    return err;
}
