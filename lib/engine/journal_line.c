#include "lib/engine/journal_line.h"

#include "lib/data/json_text.h"
#include "lib/data/times.h"

static void put_list(struct im_buf *out, const char *key, const char *const *texts, size_t count) {
    if (!count)
        return;
    im_json_add_key(out, key);
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
    im_json_add_member(out, "imdir", head->version);
    im_json_add_member(out, "command", head->command);
    im_json_add_member(out, "profile", head->profile);
    im_json_add_member(out, "directory", head->directory);
    im_json_add_member(out, "base", head->base);
    im_json_add_member(out, "identity", head->identity);
    if (head->keep_opaque)
        im_buf_adds(out, ",\"keep_opaque\":true");
    put_list(out, "allow", head->allow, head->allow_count);
    im_json_add_member(out, "started", started);
    im_buf_adds(out, "}\n");
}

static void put_diff(struct im_buf *out, const struct im_plan_diff *diff) {
    im_buf_addc(out, '{');
    im_json_add_member(out, "attribute", diff->attribute);
    im_json_add_values(out, "before", diff->before, diff->before_count);
    im_json_add_values(out, "after", diff->after, diff->after_count);
    im_buf_addc(out, '}');
}

void im_journal_put_change(struct im_buf *out, size_t id, const struct im_record *record) {
    im_buf_adds(out, "{\"type\":\"change\"");
    im_json_add_count(out, "id", id);
    im_json_add_member(out, "dn", record->dn);
    im_json_add_member(out, "guid", record->guid);
    im_json_add_member(out, "account", record->account);
    im_json_add_member(out, "input", record->input);
    im_json_add_member(out, "source", record->source);
    im_buf_adds(out, ",\"attributes\":[");
    for (size_t i = 0; i < record->diff_count; i++) {
        if (i)
            im_buf_addc(out, ',');
        put_diff(out, &record->diffs[i]);
    }
    im_buf_adds(out, "]}\n");
}

void im_journal_put_result(struct im_buf *out, size_t id, enum im_outcome outcome) {
    im_buf_adds(out, "{\"type\":\"result\"");
    im_json_add_count(out, "id", id);
    im_json_add_member(out, "outcome", im_outcome_name(outcome));
    im_buf_adds(out, "}\n");
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
