/* Text of imcheck for people: who can sign in, then rule by rule what was found and what to do, then what was not evaluated. */
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/times.h"
#include "lib/report/check_parts.h"
#include "lib/report/layout.h"
#include "lib/report/spool.h"
#include "lib/report/write.h"

#include <stdlib.h>
#include <string.h>

enum { INDENT = 9, LISTED = 20, NAME_WIDTH = 24 };

/* Parts of a record, each ended by a NUL. */
enum part { PART_TAG, PART_ABOUT, PART_MESSAGE, PART_REMEDY, PART_MORE, PART_COUNT };

/* What one rule found. Its records are the stream behind that of what is gone. */
struct group {
    const struct im_rule *rule;
    enum im_severity worst;
    size_t count; /* that count: neither silenced nor gone */
    size_t listed;
    size_t name_width;
    char *message, *remedy; /* of the first; the same for all unless... */
    bool messages_differ, remedies_differ, has_tags;
};

struct state {
    struct im_spool *spool;
    struct group *items;
    size_t count, cap;
    size_t sentences, gone;
};

static const char *const severity_words[] = {[IM_INFO] = "INFO", [IM_WARNING] = "WARNING", [IM_ERROR] = "ERROR"};
static const char *const severity_colors[] = {[IM_INFO] = "36", [IM_WARNING] = "33", [IM_ERROR] = "31"}; /* SGR parameters */

static void free_state(void **state) {
    struct state *s = *state;
    for (size_t i = 0; s && i < s->count; i++) {
        free(s->items[i].message);
        free(s->items[i].remedy);
    }
    if (s) {
        im_vec_free(s);
        im_spool_free(&s->spool);
    }
    free(s);
    *state = NULL;
}

static enum im_err begin(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e) {
    struct state *s = calloc(1, sizeof *s);
    (void)out, (void)info;
    *state = s;
    if (s)
        s->spool = im_spool_new();
    return s && s->spool ? IM_OK : im_error_nomem(e);
}

/* ---- who can sign in ---- */

static enum im_err account(struct im_out *out, void *state, const struct im_checked *c, struct im_error *e) {
    const char *answer = im_check_signs_in(c);
    struct im_buf text = IM_BUF_INIT;
    struct im_buf reason = IM_BUF_INIT;
    struct im_buf rest = IM_BUF_INIT;
    ((struct state *)state)->sentences++;
    im_layout_escape(&text, c->input && *c->input ? c->input : c->source ? c->source : ""); /* a row without a name */
    im_buf_adds(&text, " can sign in: ");
    size_t column = im_text_width(im_buf_str(&text)) + strlen(answer);
    im_layout_color(out, c->trouble ? "33" : c->why ? "31" : "32", answer, &text);
    im_check_add_reason(c, &reason);
    if (reason.len) {
        im_buf_adds(&rest, c->trouble || c->why ? ", because " : ", ");
        im_layout_escape(&rest, im_buf_str(&reason));
    }
    if (c->why && !c->trouble)
        im_buf_addf(&rest, " (%s)", c->why->rule->id);
    if (c->trouble && c->source && c->input && *c->input) { /* where to mend it */
        im_buf_adds(&rest, " (");
        im_layout_escape(&rest, c->source);
        im_buf_addc(&rest, ')');
    }
    im_layout_wrap(out, column, INDENT, im_buf_str(&rest), &text);
    im_buf_addc(&text, '\n');
    text.failed = text.failed || reason.failed || rest.failed;
    im_buf_free(&reason);
    im_buf_free(&rest);
    return im_report_write(out, &text, e);
}

/* ---- collecting ---- */

static struct group *group_of(struct state *s, const struct im_rule *rule) {
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].rule == rule)
            return &s->items[i];
    }
    struct group *g = im_vec_push(s);
    if (g)
        g->rule = rule;
    return g;
}

/* Remembers the first text; false: out of memory. */
static bool compare(char **first, bool *differ, const char *text, bool is_first) {
    if (is_first && text) {
        *first = strdup(text);
        return *first != NULL;
    }
    if (!is_first)
        *differ = *differ || !*first != !text || (text && strcmp(*first, text) != 0);
    return true;
}

static void end_part(struct im_buf *record) {
    im_buf_addc(record, '\0');
}

static void add_tag(const struct im_finding *f, struct im_buf *record) {
    char until[IM_TIME_TEXT_SIZE];
    if (f->state == IM_FINDING_NEW)
        im_buf_adds(record, "new");
    if (f->silenced) {
        im_buf_adds(record, record->len ? ", silenced" : "silenced");
        if (f->until) {
            im_date_to_text(f->until, until);
            im_buf_addf(record, " until %s", until);
        }
        im_buf_adds(record, ": ");
        im_layout_escape(record, f->silenced);
    }
}

static void add_evidence(const struct im_finding *f, struct im_buf *record) {
    for (size_t i = 0; i < f->evidence_count; i++) {
        im_buf_adds(record, i ? ", " : "");
        im_layout_escape(record, f->evidence[i].name);
        im_buf_adds(record, ": ");
        im_layout_escape(record, f->evidence[i].value);
    }
}

static void add_about(const struct im_finding *f, struct im_buf *record) {
    im_layout_escape(record, im_check_about(f));
    if (f->account && f->subject) {
        im_buf_adds(record, " (");
        im_layout_escape(record, f->subject);
        im_buf_addc(record, ')');
    }
}

static void make_record(const struct im_finding *f, struct im_buf *record, struct im_buf *about) {
    add_about(f, about);
    add_tag(f, record);
    end_part(record);
    im_buf_adds(record, im_buf_str(about));
    end_part(record);
    im_layout_escape(record, f->message ? f->message : "");
    end_part(record);
    im_layout_escape(record, f->remedy ? f->remedy : "");
    end_part(record);
    add_evidence(f, record);
    end_part(record);
    record->failed = record->failed || about->failed;
}

static enum im_err gone(struct im_out *out, struct state *s, const struct im_finding *f, struct im_error *e) {
    struct im_buf record = IM_BUF_INIT;
    if (s->gone++ >= LISTED && !out->verbose)
        return IM_OK;
    im_buf_adds(&record, f->rule->id);
    end_part(&record);
    add_about(f, &record);
    end_part(&record);
    return im_spool_add(s->spool, 0, &record, e);
}

static enum im_err finding(struct im_out *out, void *state, const struct im_finding *f, struct im_error *e) {
    struct state *s = state;
    struct im_buf record = IM_BUF_INIT;
    struct im_buf about = IM_BUF_INIT;
    if (f->state == IM_FINDING_GONE)
        return gone(out, s, f, e);
    if (f->silenced && !out->verbose)
        return IM_OK;
    struct group *g = group_of(s, f->rule);
    if (!g)
        return im_error_nomem(e);
    bool is_first = !g->count && !g->listed;
    if (!compare(&g->message, &g->messages_differ, f->message, is_first) ||
        !compare(&g->remedy, &g->remedies_differ, f->remedy, is_first))
        return im_error_nomem(e);
    g->worst = f->severity > g->worst ? f->severity : g->worst;
    g->count += !f->silenced;
    if (g->listed >= LISTED && !out->verbose)
        return IM_OK;
    make_record(f, &record, &about);
    size_t width = im_text_width(im_buf_str(&about));
    im_buf_free(&about);
    g->listed++;
    g->name_width = width > g->name_width && width <= NAME_WIDTH ? width : g->name_width;
    g->has_tags = g->has_tags || f->silenced || f->state == IM_FINDING_NEW;
    return im_spool_add(s->spool, (size_t)(g - s->items) + 1, &record, e);
}

/* ---- printing ---- */

/* One walk through the records of a group. */
struct listing {
    struct im_out *out;
    const struct group *group;
    struct im_buf text; /* of the names, where all say the same */
    size_t shown;
};

/* The parts of the record that begins at *at, which moves behind it. */
static void split(const char **at, const char *parts[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        parts[i] = *at;
        *at += strlen(*at) + 1;
    }
}

static void add_indented(const struct im_out *out, size_t indent, const char *label, const char *s, struct im_buf *text) {
    im_layout_pad(text, 0, indent);
    im_buf_adds(text, label);
    im_layout_wrap(out, indent + im_text_width(label), indent + im_text_width(label), s, text);
    im_buf_addc(text, '\n');
}

static void add_item(const struct listing *l, const char *const parts[], struct im_buf *text) {
    struct im_buf message = IM_BUF_INIT;
    size_t width = im_text_width(parts[PART_ABOUT]);
    size_t column = INDENT + (width > l->group->name_width ? width : l->group->name_width) + 2;
    if (*parts[PART_TAG])
        im_buf_addf(&message, "[%s] ", parts[PART_TAG]);
    im_buf_adds(&message, parts[PART_MESSAGE]);
    im_layout_pad(text, 0, INDENT);
    im_buf_adds(text, parts[PART_ABOUT]);
    if (width)
        im_layout_pad(text, width, column - INDENT);
    im_layout_wrap(l->out, width ? column : INDENT, INDENT + 2, im_buf_str(&message), text);
    im_buf_addc(text, '\n');
    if (l->group->remedies_differ && *parts[PART_REMEDY])
        add_indented(l->out, INDENT + 2, "to do: ", parts[PART_REMEDY], text);
    if (l->out->verbose && *parts[PART_MORE])
        add_indented(l->out, INDENT + 2, "", parts[PART_MORE], text);
    text->failed = text->failed || message.failed;
    im_buf_free(&message);
}

static enum im_err list_items(void *user, const char *bytes, size_t len, struct im_error *e) {
    struct listing *l = user;
    struct im_buf text = IM_BUF_INIT;
    for (const char *at = bytes; at < bytes + len;) {
        const char *parts[PART_COUNT];
        split(&at, parts, PART_COUNT);
        add_item(l, parts, &text);
    }
    return im_report_write(l->out, &text, e);
}

static enum im_err list_names(void *user, const char *bytes, size_t len, struct im_error *e) {
    struct listing *l = user;
    for (const char *at = bytes; at < bytes + len;) {
        const char *parts[PART_COUNT];
        split(&at, parts, PART_COUNT);
        im_buf_adds(&l->text, l->shown++ ? ", " : "");
        im_buf_adds(&l->text, parts[PART_ABOUT]);
    }
    return l->text.failed ? im_error_nomem(e) : IM_OK;
}

/* Where all say the same, it is said once, and the names follow one another. */
static bool says_the_same(const struct im_out *out, const struct group *g) {
    return g->listed > 1 && !g->messages_differ && !g->remedies_differ && !g->has_tags && !out->verbose && g->name_width;
}

static void add_more(const struct group *g, struct im_buf *text) {
    if (g->count <= g->listed)
        return;
    im_buf_adds(text, "and ");
    im_layout_number(text, g->count - g->listed);
    im_buf_adds(text, " more: -v or -o csv lists them");
}

static enum im_err print_names(struct im_out *out, struct state *s, const struct group *g, struct im_error *e) {
    struct listing l = {.out = out, .group = g, .text = IM_BUF_INIT};
    struct im_buf text = IM_BUF_INIT;
    im_layout_escape(&l.text, g->message ? g->message : "");
    im_buf_adds(&l.text, l.text.len ? ": " : "");
    enum im_err err = im_spool_each(s->spool, (size_t)(g - s->items) + 1, list_names, &l, e);
    im_buf_adds(&l.text, g->count > g->listed ? ", " : "");
    add_more(g, &l.text);
    add_indented(out, INDENT, "", im_buf_str(&l.text), &text);
    text.failed = text.failed || l.text.failed;
    im_buf_free(&l.text);
    return im_report_write_after(err, out, &text, e);
}

static enum im_err print_items(struct im_out *out, struct state *s, const struct group *g, struct im_error *e) {
    struct listing l = {.out = out, .group = g};
    struct im_buf more = IM_BUF_INIT;
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = im_spool_each(s->spool, (size_t)(g - s->items) + 1, list_items, &l, e);
    add_more(g, &more);
    if (more.len)
        add_indented(out, INDENT, "", im_buf_str(&more), &text);
    text.failed = text.failed || more.failed;
    im_buf_free(&more);
    return im_report_write_after(err, out, &text, e);
}

static void add_title(const struct im_out *out, const struct group *g, struct im_buf *text) {
    struct im_buf title = IM_BUF_INIT;
    const char *word = severity_words[g->worst];
    im_layout_color(out, severity_colors[g->worst], word, text);
    im_layout_pad(text, strlen(word), INDENT);
    im_layout_escape(&title, *g->rule->title ? g->rule->title : g->rule->id);
    im_buf_adds(&title, ": ");
    im_layout_count(&title, g->count ? g->count : g->listed, g->rule->scope == IM_SCOPE_ACCOUNT ? "account" : "finding");
    if (*g->rule->title)
        im_buf_addf(&title, " (%s)", g->rule->id);
    im_layout_wrap(out, INDENT, INDENT, im_buf_str(&title), text);
    im_buf_addc(text, '\n');
    text->failed = text->failed || title.failed;
    im_buf_free(&title);
}

static void add_safe(const struct im_out *out, const char *label, const char *s, struct im_buf *text) {
    struct im_buf safe = IM_BUF_INIT;
    if (s)
        im_layout_escape(&safe, s);
    if (safe.len)
        add_indented(out, INDENT, label, im_buf_str(&safe), text);
    text->failed = text->failed || safe.failed;
    im_buf_free(&safe);
}

static enum im_err print_group(struct im_out *out, struct state *s, const struct group *g, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    add_title(out, g, &text);
    add_safe(out, "", g->rule->cause, &text);
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = says_the_same(out, g) ? print_names(out, s, g, e) : print_items(out, s, g, e);
    if (!g->remedies_differ)
        add_safe(out, "To do: ", g->remedy, &text);
    im_buf_addc(&text, '\n');
    return im_report_write_after(err, out, &text, e);
}

static enum im_err print_groups(struct im_out *out, struct state *s, struct im_error *e) {
    enum im_err err = IM_OK;
    for (int severity = IM_ERROR; severity >= IM_INFO; severity--) {
        for (size_t i = 0; err == IM_OK && i < s->count; i++) {
            if ((int)s->items[i].worst == severity)
                err = print_group(out, s, &s->items[i], e);
        }
    }
    return err;
}

static enum im_err list_gone(void *user, const char *bytes, size_t len, struct im_error *e) {
    struct im_out *out = user;
    struct im_buf text = IM_BUF_INIT;
    for (const char *at = bytes; at < bytes + len;) {
        const char *parts[2];
        split(&at, parts, 2);
        im_layout_pad(&text, 0, INDENT);
        im_buf_addf(&text, "%s  %s\n", parts[0], parts[1]);
    }
    return im_report_write(out, &text, e);
}

static enum im_err print_gone(struct im_out *out, struct state *s, struct im_error *e) {
    struct im_buf text = IM_BUF_INIT;
    if (!s->gone)
        return IM_OK;
    im_layout_color(out, "32", "GONE", &text);
    im_buf_adds(&text, "     since the baseline:\n");
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = im_spool_each(s->spool, 0, list_gone, out, e);
    if (s->gone > LISTED && !out->verbose) {
        im_buf_adds(&text, "         and ");
        im_layout_number(&text, s->gone - LISTED);
        im_buf_adds(&text, " more: -v lists them\n");
    }
    im_buf_addc(&text, '\n');
    return im_report_write_after(err, out, &text, e);
}

/* ---- the end ---- */

static bool was_told(const struct im_rule_status *rules, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (rules[i].skipped && strcmp(rules[i].skipped, rules[at].skipped) == 0)
            return true;
    }
    return false;
}

/* Rules that were skipped for one reason stand behind it. */
static size_t add_skipped(const struct im_out *out, const struct im_rule_status *rules, size_t count, struct im_buf *text) {
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++)
        skipped += rules[i].skipped != NULL;
    if (!skipped)
        return 0;
    im_layout_color(out, "35", "SKIPPED", text);
    im_buf_adds(text, "  ");
    im_layout_count(text, skipped, "rule");
    im_buf_adds(text, " could not be evaluated, which is not the same as passed:\n");
    for (size_t i = 0; i < count; i++) {
        struct im_buf line = IM_BUF_INIT;
        if (!rules[i].skipped || was_told(rules, i))
            continue;
        im_layout_escape(&line, rules[i].skipped);
        for (size_t k = i; k < count; k++) {
            if (rules[k].skipped && strcmp(rules[i].skipped, rules[k].skipped) == 0)
                im_buf_addf(&line, "%s%s", k == i ? ": " : ", ", rules[k].rule->id);
        }
        add_indented(out, INDENT, "", im_buf_str(&line), text);
        text->failed = text->failed || line.failed;
        im_buf_free(&line);
    }
    im_buf_addc(text, '\n');
    return skipped;
}

static void add_more_counts(const struct im_check_summary *s, size_t skipped, struct im_buf *line) {
    if (s->has_baseline)
        im_buf_addf(line, "; %zu new, %zu known, %zu gone", s->fresh, s->known, s->gone);
    if (s->silenced)
        im_buf_addf(line, "; %zu silenced", s->silenced);
    if (s->troubles) {
        im_buf_adds(line, "; nothing known of ");
        im_layout_count(line, s->troubles, "account");
    }
    if (skipped) {
        im_buf_adds(line, "; ");
        im_layout_count(line, skipped, "rule");
        im_buf_adds(line, " skipped");
    }
    im_buf_addf(line, " (%.1f s)", s->seconds);
}

static void add_summary(const struct im_out *out, const struct im_check_summary *s, size_t skipped, struct im_buf *text) {
    const size_t counts[] = {[IM_INFO] = s->infos, [IM_WARNING] = s->warnings, [IM_ERROR] = s->errors};
    struct im_buf line = IM_BUF_INIT;
    size_t column = 0;
    for (int i = IM_ERROR; i >= IM_INFO; i--) {
        struct im_buf part = IM_BUF_INIT;
        im_layout_count(&part, counts[i], im_severity_name((enum im_severity)i));
        im_buf_adds(text, i == IM_ERROR ? "" : ", ");
        im_layout_color(out, counts[i] ? severity_colors[i] : NULL, im_buf_str(&part), text);
        column += part.len + (i == IM_ERROR ? 0 : 2);
        text->failed = text->failed || part.failed;
        im_buf_free(&part);
    }
    if (!s->lacks_accounts) {
        im_buf_adds(&line, "; ");
        im_layout_count(&line, s->accounts, "account");
        im_buf_adds(&line, " checked, ");
        im_layout_number(&line, s->enabled);
        im_buf_adds(&line, " enabled");
    }
    add_more_counts(s, skipped, &line);
    im_layout_wrap(out, column, 0, im_buf_str(&line), text);
    im_buf_addc(text, '\n');
    text->failed = text->failed || line.failed;
    im_buf_free(&line);
}

static enum im_err end(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *summary, struct im_error *e) {
    struct state *s = *state;
    struct im_buf text = IM_BUF_INIT;
    (void)info;
    if (s->sentences)
        im_buf_addc(&text, '\n');
    enum im_err err = im_report_write(out, &text, e);
    if (err == IM_OK)
        err = print_groups(out, s, e);
    if (err == IM_OK)
        err = print_gone(out, s, e);
    size_t skipped = add_skipped(out, rules, rule_count, &text);
    add_summary(out, summary, skipped, &text);
    err = im_report_write_after(err, out, &text, e);
    free_state(state);
    return err;
}

const struct im_check_format im_check_text = {.name = "text",
                                              .help = "by rule, with what to do, for people",
                                              .begin = begin,
                                              .account = account,
                                              .finding = finding,
                                              .end = end,
                                              .free = free_state};
