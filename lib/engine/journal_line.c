#include "lib/engine/journal_line.h"

#include "lib/data/json_text.h"
#include "lib/data/times.h"

static void put_key(struct im_buf *out, const char *key) {
    im_buf_adds(out, ",\"");
    im_buf_adds(out, key);
    im_buf_adds(out, "\":");
}

static void put(struct im_buf *out, const char *key, const char *text) {
    if (!text)
        return;
    put_key(out, key);
    im_json_add_string(out, text);
}

static void put_list(struct im_buf *out, const char *key, const char *const *texts, size_t count) {
    if (!count)
        return;
    put_key(out, key);
    im_buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            im_buf_addc(out, ',');
        im_json_add_string(out, texts[i]);
    }
    im_buf_addc(out, ']');
}

void im_journal_put_head(struct im_buf *out, const struct im_journal_head *head) {
    char started[IM_TIME_TEXT_SIZE];
    im_time_to_rfc3339(head->started, started);
    im_buf_addf(out, "{\"type\":\"%s\",\"version\":%d", head->kind == IM_JOURNAL ? "journal" : "plan", IM_JOURNAL_VERSION);
    put(out, "imdir", head->version);
    put(out, "command", head->command);
    put(out, "profile", head->profile);
    put(out, "directory", head->directory);
    put(out, "base", head->base);
    put(out, "identity", head->identity);
    if (head->keep_opaque)
        im_buf_adds(out, ",\"keep_opaque\":true");
    put_list(out, "allow", head->allow, head->allow_count);
    put(out, "started", started);
    im_buf_adds(out, "}\n");
}

static void put_values(struct im_buf *out, const struct berval *values, size_t count) {
    im_buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            im_buf_addc(out, ',');
        im_json_add_value(out, &values[i]);
    }
    im_buf_addc(out, ']');
}

static void put_diff(struct im_buf *out, const struct im_plan_diff *diff) {
    im_buf_adds(out, "{\"attribute\":");
    im_json_add_string(out, diff->attribute);
    im_buf_adds(out, ",\"before\":");
    put_values(out, diff->before, diff->before_count);
    im_buf_adds(out, ",\"after\":");
    put_values(out, diff->after, diff->after_count);
    im_buf_addc(out, '}');
}

void im_journal_put_change(struct im_buf *out, size_t id, const struct im_record *record) {
    im_buf_addf(out, "{\"type\":\"change\",\"id\":%zu", id);
    put(out, "dn", record->dn);
    put(out, "guid", record->guid);
    put(out, "account", record->account);
    put(out, "input", record->input);
    put(out, "source", record->source);
    im_buf_adds(out, ",\"attributes\":[");
    for (size_t i = 0; i < record->diff_count; i++) {
        if (i)
            im_buf_addc(out, ',');
        put_diff(out, &record->diffs[i]);
    }
    im_buf_adds(out, "]}\n");
}

void im_journal_put_result(struct im_buf *out, size_t id, enum im_outcome outcome) {
    im_buf_addf(out, "{\"type\":\"result\",\"id\":%zu,\"outcome\":\"%s\"}\n", id, im_outcome_name(outcome));
}

/* Without a decimal point of the locale's. */
static void put_seconds(struct im_buf *out, double seconds) {
    uint64_t ms = seconds > 0 && seconds < 1e12 ? (uint64_t)(seconds * 1000 + 0.5) : 0;
    im_buf_addf(out, ",\"seconds\":%llu.%03u", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

void im_journal_put_end(struct im_buf *out, const struct im_summary *summary, bool is_complete) {
    im_buf_addf(out, "{\"type\":\"end\",\"complete\":%s,\"total\":%zu", is_complete ? "true" : "false", summary->total);
    for (int i = 0; i < IM_OUTCOME_COUNT; i++)
        im_buf_addf(out, ",\"%s\":%zu", im_outcome_key((enum im_outcome)i), summary->counts[i]);
    put_seconds(out, summary->seconds);
    im_buf_adds(out, "}\n");
}
