/* What the objects of a result of imcheck say. */
#include "lib/base/vec.h"
#include "lib/data/base64.h"
#include "lib/data/times.h"
#include "lib/report/check_parts.h"
#include "lib/report/check_read_impl.h"

#include <string.h>

/* A hostile file cannot make us hold more than this. */
enum { MADE_UP_MAX = 256, SHARES_MAX = 10000, ID_MAX = 63, EVIDENCE_MAX = 256 };

/* ---- fields ---- */

static enum im_err wrong(const struct im_check_walk *w, const char *key, const char *what) {
    return im_json_stream_error(w->file->stream, w->e, "\"%s\": %s", key, what);
}

static enum im_err read_base64(const struct im_check_walk *w, struct im_pool *pool, const json_t *field, const char *key,
                               const char **out) {
    const json_t *text = json_object_get(field, "base64");
    size_t len;
    size_t at;
    if (!json_is_string(text))
        return wrong(w, key, "a text is expected");
    char *bytes = im_pool_alloc(pool, json_string_length(text) / 4 * 3 + 1);
    if (!bytes)
        return im_error_nomem(w->e);
    if (!im_base64_decode(json_string_value(text), json_string_length(text), bytes, &len, &at) || memchr(bytes, '\0', len))
        return wrong(w, key, "a text in base64 is expected");
    bytes[len] = '\0';
    *out = bytes;
    return IM_OK;
}

/* NULL where the key is not there. */
static enum im_err read_text(const struct im_check_walk *w, struct im_pool *pool, const json_t *object, const char *key,
                             const char **out) {
    const json_t *field = json_object_get(object, key);
    *out = NULL;
    if (!field)
        return IM_OK;
    if (!json_is_string(field))
        return read_base64(w, pool, field, key, out);
    *out = im_pool_strdup(pool, json_string_value(field));
    return *out ? IM_OK : im_error_nomem(w->e);
}

static enum im_err read_count(const struct im_check_walk *w, const json_t *object, const char *key, size_t *out) {
    const json_t *field = json_object_get(object, key);
    if (field && (!json_is_integer(field) || json_integer_value(field) < 0))
        return wrong(w, key, "a number that is not negative is expected");
    *out = field ? (size_t)json_integer_value(field) : 0;
    return IM_OK;
}

/* Several texts; `out` is where each goes. */
struct field {
    const char *key;
    const char **out;
};

static enum im_err read_texts(const struct im_check_walk *w, struct im_pool *pool, const json_t *object,
                              const struct field *fields, size_t count) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = read_text(w, pool, object, fields[i].key, fields[i].out);
    return err;
}

static bool read_time(const char *text, int64_t *out) {
    char generalized[sizeof "yyyymmddhhmmssZ"];
    size_t len = 0;
    if (strlen(text) != sizeof "yyyy-mm-ddThh:mm:ssZ" - 1)
        return false;
    for (const char *p = text; *p; p++) {
        bool is_kept = (*p >= '0' && *p <= '9') || *p == 'Z';
        if (is_kept && len + 1 < sizeof generalized)
            generalized[len++] = *p;
    }
    generalized[len] = '\0';
    return im_time_from_generalized(generalized, out);
}

/* ---- rules ---- */

static bool find_scope(const char *name, enum im_scope *out) {
    for (int i = 0; i < IM_SCOPE_COUNT; i++) {
        if (strcmp(im_scope_name((enum im_scope)i), name) == 0) {
            *out = (enum im_scope)i;
            return true;
        }
    }
    return false;
}

static struct im_rule *find_made_up(const struct im_check_file *file, const char *id) {
    for (size_t i = 0; i < file->made_up.count; i++) {
        if (strcmp(file->made_up.items[i]->id, id) == 0)
            return file->made_up.items[i];
    }
    return NULL;
}

static enum im_err make_up(const struct im_check_walk *w, const char *id, struct im_rule **out) {
    struct im_check_file *file = w->file;
    if (file->made_up.count == MADE_UP_MAX)
        return im_json_stream_error(file->stream, w->e, "more than %d rules are not known here", MADE_UP_MAX);
    struct im_rule *rule = im_pool_alloc(file->pool, sizeof *rule);
    const char *kept = im_pool_strdup(file->pool, id);
    struct im_rule **slot = rule && kept ? im_vec_push(&file->made_up) : NULL;
    if (!slot)
        return im_error_nomem(w->e);
    *rule = (struct im_rule){.id = kept, .title = "", .cause = "", .remedy = "", .source = ""};
    *slot = *out = rule;
    return IM_OK;
}

/* A rule of another version, or one that was never there. */
static enum im_err unknown_rule(const struct im_check_walk *w, const char *id, const struct im_finding *like, enum im_scope scope,
                                const struct im_rule **out) {
    struct im_rule *rule = find_made_up(w->file, id);
    enum im_err err = rule ? IM_OK : make_up(w, id, &rule);
    if (err != IM_OK || !rule)
        return err;
    if (like) {
        rule->scope = scope;
        rule->severity = like->severity > rule->severity ? like->severity : rule->severity;
    }
    *out = rule;
    return err;
}

static bool is_id(const char *id) {
    return id && *id && strlen(id) <= ID_MAX && id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* `like` NULL: no finding says anything about it. */
static enum im_err read_rule(const struct im_check_walk *w, const json_t *object, const struct im_finding *like,
                             const struct im_rule **out) {
    const char *id = json_string_value(json_object_get(object, "rule"));
    const char *name = json_string_value(json_object_get(object, "scope"));
    enum im_scope scope = IM_SCOPE_ACCOUNT;
    if (!is_id(id))
        return wrong(w, "rule", "the name of a rule is expected");
    if (like && (!name || !find_scope(name, &scope)))
        return wrong(w, "scope", "account, server, dns, http, schema or replication is expected");
    *out = im_rule_find(id);
    return *out ? IM_OK : unknown_rule(w, id, like, scope, out);
}

static struct im_rule_status *status_of(struct im_check_file *file, const struct im_rule *rule) {
    for (size_t i = 0; i < file->rules.count; i++) {
        if (file->rules.items[i].rule == rule)
            return &file->rules.items[i];
    }
    struct im_rule_status *status = im_vec_push(&file->rules);
    if (status)
        status->rule = rule;
    return status;
}

/* ---- findings ---- */

static enum im_err read_severity(const struct im_check_walk *w, const json_t *object, struct im_finding *f) {
    const char *name = json_string_value(json_object_get(object, "severity"));
    return name && im_severity_find(name, &f->severity) ? IM_OK : wrong(w, "severity", "info, warning or error is expected");
}

static enum im_err read_state(const struct im_check_walk *w, const json_t *object, struct im_finding *f) {
    const json_t *field = json_object_get(object, "state");
    for (int state = IM_FINDING_NEW; json_is_string(field) && state <= IM_FINDING_GONE; state++) {
        if (strcmp(im_check_state_name((enum im_finding_state)state), json_string_value(field)) == 0) {
            f->state = (enum im_finding_state)state;
            return IM_OK;
        }
    }
    return field ? wrong(w, "state", "new, known or gone is expected") : IM_OK;
}

static enum im_err read_silence(const struct im_check_walk *w, const json_t *object, struct im_finding *f) {
    const json_t *field = json_object_get(object, "silenced");
    const char *until;
    if (!field)
        return IM_OK;
    enum im_err err = read_text(w, w->pool, field, "reason", &f->silenced);
    if (err == IM_OK && !f->silenced)
        err = wrong(w, "silenced", "a reason is expected");
    if (err == IM_OK)
        err = read_text(w, w->pool, field, "until", &until);
    if (err == IM_OK && until && !im_date_from_text(until, &f->until))
        err = wrong(w, "until", "a day is expected, like 2027-03-31");
    return err;
}

static enum im_err read_evidence(const struct im_check_walk *w, const json_t *object, struct im_finding *f) {
    json_t *field = json_object_get(object, "evidence");
    size_t count = json_object_size(field);
    const char *name;
    json_t *value;
    enum im_err err = IM_OK;
    if (!field)
        return IM_OK;
    if (!json_is_object(field) || count > EVIDENCE_MAX)
        return wrong(w, "evidence", "an object with some texts is expected");
    struct im_evidence *all = im_pool_array(w->pool, count + 1, sizeof *all);
    if (!all)
        return im_error_nomem(w->e);
    f->evidence = all;
    json_object_foreach(field, name, value) {
        struct im_evidence *one = &all[f->evidence_count];
        err = read_text(w, w->pool, field, name, &one->value);
        one->name = im_pool_strdup(w->pool, name);
        if (err != IM_OK || !one->name)
            return err == IM_OK ? im_error_nomem(w->e) : err;
        f->evidence_count++;
    }
    return IM_OK;
}

static enum im_err read_finding(const struct im_check_walk *w, const json_t *object, struct im_finding *f) {
    const struct field fields[] = {{"account", &f->account}, {"dn", &f->dn},           {"guid", &f->guid},
                                   {"subject", &f->subject}, {"message", &f->message}, {"remedy", &f->remedy}};
    enum im_err err = read_severity(w, object, f);
    if (err == IM_OK)
        err = read_rule(w, object, f, &f->rule);
    if (err == IM_OK)
        err = read_texts(w, w->pool, object, fields, sizeof fields / sizeof fields[0]);
    if (err == IM_OK)
        err = read_evidence(w, object, f);
    if (err == IM_OK)
        err = read_state(w, object, f);
    return err == IM_OK ? read_silence(w, object, f) : err;
}

enum im_err im_check_take_finding(const struct im_check_walk *w, const json_t *object) {
    struct im_finding f = {.rule = NULL};
    enum im_err err = read_finding(w, object, &f);
    if (err != IM_OK)
        return err;
    if (w->visitor)
        return w->visitor->finding ? w->visitor->finding(w->visitor->user, &f, w->e) : IM_OK;
    struct im_rule_status *status = status_of(w->file, f.rule);
    if (!status)
        return im_error_nomem(w->e);
    status->findings += f.state != IM_FINDING_GONE;
    w->file->summary.has_baseline = w->file->summary.has_baseline || f.state != IM_FINDING_PLAIN;
    im_check_count(&w->file->summary, &f);
    return IM_OK;
}

/* ---- accounts ---- */

static enum im_err read_answer(const struct im_check_walk *w, const json_t *object, struct im_checked *c,
                               struct im_finding *why) {
    const char *answer = json_string_value(json_object_get(object, "signs_in"));
    const char *message;
    enum im_err err = read_text(w, w->pool, object, "message", &message);
    if (err != IM_OK)
        return err;
    if (answer && strcmp(answer, "yes") == 0) {
        c->is_enabled = !message || strncmp(message, IM_CHECK_ONCE_ENABLED, strlen(IM_CHECK_ONCE_ENABLED)) != 0;
        c->is_partial = message && strstr(message, IM_CHECK_AS_CHOSEN);
    } else if (answer && strcmp(answer, "no") == 0) {
        c->why = why;
        why->severity = IM_ERROR;
        why->message = message;
        return read_rule(w, object, NULL, &why->rule);
    } else if (answer && strcmp(answer, "unknown") == 0) {
        c->trouble = message ? message : "nothing is known of it";
    } else {
        return wrong(w, "signs_in", "yes, no or unknown is expected");
    }
    return IM_OK;
}

enum im_err im_check_take_account(const struct im_check_walk *w, const json_t *object) {
    struct im_finding why = {.rule = NULL};
    struct im_checked c = {.input = NULL};
    const struct field fields[] = {{"input", &c.input}, {"source", &c.source}, {"account", &c.account}, {"dn", &c.dn}};
    enum im_err err = read_texts(w, w->pool, object, fields, sizeof fields / sizeof fields[0]);
    if (err == IM_OK && !c.input)
        err = wrong(w, "input", "a text is expected");
    if (err == IM_OK)
        err = read_answer(w, object, &c, &why);
    if (err != IM_OK)
        return err;
    if (w->visitor)
        return w->visitor->account ? w->visitor->account(w->visitor->user, &c, w->e) : IM_OK;
    w->file->summary.troubles += c.trouble != NULL;
    w->file->account_count++;
    return IM_OK;
}

/* ---- the rest, once a file ---- */

enum im_err im_check_take_rule(const struct im_check_walk *w, const json_t *object) {
    const struct im_rule *rule = NULL;
    const char *status_name = json_string_value(json_object_get(object, "status"));
    bool is_skipped = status_name && strcmp(status_name, "skipped") == 0;
    if (w->visitor)
        return IM_OK;
    if (!is_skipped && (!status_name || strcmp(status_name, "checked") != 0))
        return wrong(w, "status", "checked or skipped is expected");
    enum im_err err = read_rule(w, object, NULL, &rule);
    if (err != IM_OK)
        return err;
    struct im_rule_status *status = status_of(w->file, rule);
    if (!status)
        return im_error_nomem(w->e);
    err = read_text(w, w->file->pool, object, "reason", &status->skipped);
    if (err == IM_OK && is_skipped && !status->skipped)
        status->skipped = "the result does not say why";
    if (!is_skipped)
        status->skipped = NULL;
    return err;
}

static enum im_err read_shares(const struct im_check_walk *w, const json_t *object, const char *key,
                               const struct im_check_share **out, size_t *count) {
    const json_t *list = json_object_get(object, key);
    size_t size = json_array_size(list);
    enum im_err err = IM_OK;
    if (!list)
        return IM_OK;
    if (!json_is_array(list) || size > SHARES_MAX)
        return wrong(w, key, "a list of names and counts is expected");
    struct im_check_share *shares = im_pool_array(w->file->pool, size + 1, sizeof *shares);
    if (!shares)
        return im_error_nomem(w->e);
    for (size_t i = 0; err == IM_OK && i < size; i++) {
        err = read_text(w, w->file->pool, json_array_get(list, i), "name", &shares[i].name);
        if (err == IM_OK && !shares[i].name)
            err = wrong(w, key, "each item needs a name");
        if (err == IM_OK)
            err = read_count(w, json_array_get(list, i), "count", &shares[i].count);
    }
    *out = shares;
    *count = size;
    return err;
}

enum im_err im_check_take_summary(const struct im_check_walk *w, const json_t *object) {
    struct im_check_file *file = w->file;
    struct im_check_picture *p = &file->picture;
    const json_t *seconds = json_object_get(object, "seconds");
    if (w->visitor)
        return IM_OK;
    enum im_err err = read_count(w, object, "accounts", &file->summary.accounts);
    if (err == IM_OK)
        err = read_count(w, object, "enabled", &file->summary.enabled);
    if (err == IM_OK)
        err = read_shares(w, object, "homes", &p->homes, &p->home_count);
    if (err == IM_OK)
        err = read_shares(w, object, "states", &p->states, &p->state_count);
    if (err == IM_OK && seconds && (!json_is_number(seconds) || json_number_value(seconds) < 0))
        err = wrong(w, "seconds", "a number that is not negative is expected");
    file->summary.seconds = json_number_value(seconds);
    file->summary.lacks_accounts = !json_object_get(object, "accounts");
    file->summary.has_baseline = file->summary.has_baseline || json_object_get(object, "new");
    file->summary.picture = p->home_count || p->state_count ? p : NULL;
    file->has_summary = true;
    return err;
}

/* Head of the document, or the first line. */
enum im_err im_check_take_head(const struct im_check_walk *w, const json_t *object) {
    struct im_run_info *info = &w->file->info;
    const char *started;
    const struct field fields[] = {{"command", &info->command},
                                   {"version", &info->version},
                                   {"profile", &info->profile},
                                   {"directory", &info->directory},
                                   {"started", &started}};
    if (w->visitor)
        return IM_OK;
    enum im_err err = read_texts(w, w->file->pool, object, fields, sizeof fields / sizeof fields[0]);
    if (err == IM_OK && (!info->command || strcmp(info->command, "imcheck") != 0))
        err = wrong(w, "command", "a result of imcheck is expected");
    if (err == IM_OK && (!info->version || !info->profile || !info->directory))
        err = wrong(w, "directory", "version, profile and directory are expected");
    if (err == IM_OK && started && !read_time(started, &info->started))
        err = wrong(w, "started", "a time is expected, like 2026-11-25T20:00:00Z");
    return err;
}
