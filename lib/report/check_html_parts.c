/* Summary, pictures and rules of the HTML report. Pictures stand in tables, whose numbers say the same. */
#include "lib/report/check_html.h"

#include "lib/base/text.h"
#include "lib/report/layout.h"

#include <stdlib.h>
#include <string.h>

enum { BARS = 15, SLICES = 8 };

void im_html_text(struct im_buf *out, const char *s) {
    struct im_buf safe = IM_BUF_INIT;
    if (s)
        im_text_escape(s, strlen(s), &safe);
    for (const char *p = im_buf_str(&safe); *p; p++) {
        if (strchr("&<>\"'", *p)) {
            im_buf_addf(out, "&#%d;", *p);
        } else {
            im_buf_addc(out, *p);
        }
    }
    out->failed = out->failed || safe.failed;
    im_buf_free(&safe);
}

/* ---- summary ---- */

static size_t skipped_of(const struct im_html_facts *f) {
    size_t skipped = 0;
    for (size_t i = 0; i < f->rule_count; i++)
        skipped += f->rules[i].skipped != NULL;
    return skipped;
}

static void add_verdict(struct im_buf *out, const struct im_check_summary *s) {
    const char *kind = s->errors ? "error" : s->warnings ? "warning" : "good";
    im_buf_addf(out, "<p class=\"verdict %s\">", kind);
    if (s->errors) {
        im_layout_count(out, s->errors, "error");
        im_buf_adds(out, s->errors == 1 ? " stands against instant messaging" : " stand against instant messaging");
    } else if (s->warnings) {
        im_buf_adds(out, "No errors, ");
        im_layout_count(out, s->warnings, "warning");
    } else {
        im_buf_adds(out, "No errors and no warnings");
    }
    im_buf_adds(out, "</p>\n");
}

static void add_card(struct im_buf *out, const char *label, size_t value, const char *kind) {
    im_buf_addf(out, "<div class=\"%s\"><dt>%s</dt><dd>", value ? kind : "zero", label);
    im_layout_number(out, value);
    im_buf_adds(out, "</dd></div>\n");
}

void im_html_summary(struct im_buf *out, const struct im_html_facts *f) {
    const struct im_check_summary *s = f->summary;
    size_t skipped = skipped_of(f);
    im_buf_adds(out, "<section aria-labelledby=\"h-summary\">\n<h2 id=\"h-summary\">Summary</h2>\n");
    add_verdict(out, s);
    im_buf_adds(out, "<dl class=\"cards\">\n");
    add_card(out, "Errors", s->errors, "error");
    add_card(out, "Warnings", s->warnings, "warning");
    add_card(out, "Infos", s->infos, "info");
    if (s->has_baseline) {
        add_card(out, "New since the baseline", s->fresh, "");
        add_card(out, "Known before", s->known, "");
        add_card(out, "Gone since", s->gone, "");
    }
    if (s->silenced)
        add_card(out, "Silenced", s->silenced, "");
    if (!s->lacks_accounts) {
        add_card(out, "Accounts checked", s->accounts, "");
        add_card(out, "Accounts enabled", s->enabled, "");
    }
    if (s->troubles)
        add_card(out, "Accounts not known", s->troubles, "warning");
    add_card(out, "Rules skipped", skipped, "warning");
    im_buf_adds(out, "</dl>\n</section>\n");
}

/* ---- pictures ---- */

struct bar {
    const char *name, *rule; /* rule NULL: no link */
    size_t parts[IM_ERROR + 1];
    size_t total;
};

static int larger_first(const void *a, const void *b) {
    const struct bar *x = a;
    const struct bar *y = b;
    return x->total == y->total ? im_text_compare(x->name, y->name) : x->total < y->total ? 1 : -1;
}

static void add_rect(struct im_buf *out, const char *kind, double from, double width) {
    if (width > 0)
        im_buf_addf(out, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"10\"/>", kind, from, width);
}

/* One part of a bar of one kind, or one for each severity. */
static void add_bar(struct im_buf *out, const struct bar *bar, size_t most, bool is_stacked) {
    static const char *const kinds[] = {[IM_INFO] = "f-info", [IM_WARNING] = "f-warning", [IM_ERROR] = "f-error"};
    double scale = most ? 100.0 / (double)most : 0;
    double from = 0;
    im_buf_adds(out, "<td><svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                     "<rect class=\"ground\" width=\"100\" height=\"10\"/>");
    for (int i = IM_ERROR; is_stacked && i >= IM_INFO; i--) {
        add_rect(out, kinds[i], from, (double)bar->parts[i] * scale);
        from += (double)bar->parts[i] * scale;
    }
    if (!is_stacked)
        add_rect(out, "f-home", 0, (double)bar->total * scale);
    im_buf_adds(out, "</svg></td><td class=\"n\">");
    im_layout_number(out, bar->total);
    im_buf_adds(out, "</td></tr>\n");
}

static void add_bars(struct im_buf *out, struct bar *bars, size_t count, bool is_stacked) {
    size_t rest = 0;
    qsort(bars, count, sizeof *bars, larger_first);
    for (size_t i = 0; i < count; i++) {
        if (i >= BARS) {
            rest += bars[i].total;
            continue;
        }
        im_buf_adds(out, "<tr><th scope=\"row\">");
        if (bars[i].rule)
            im_buf_addf(out, "<a href=\"#findings\" data-rule=\"%s\">", bars[i].rule);
        im_html_text(out, bars[i].name);
        im_buf_adds(out, bars[i].rule ? "</a></th>" : "</th>");
        add_bar(out, &bars[i], bars[0].total, is_stacked);
    }
    if (count > BARS) {
        const struct bar others = {.total = rest};
        im_buf_addf(out, "<tr><th scope=\"row\">%zu others together</th>", count - BARS);
        add_bar(out, &others, rest > bars[0].total ? rest : bars[0].total, false);
    }
}

static void add_rules_picture(struct im_buf *out, const struct im_html_facts *f) {
    struct bar *bars = calloc(f->tallies->count + 1, sizeof *bars);
    size_t count = 0;
    if (!bars) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < f->tallies->count; i++) {
        const struct im_check_tally *t = &f->tallies->items[i];
        struct bar *bar = &bars[count];
        *bar = (struct bar){.name = *t->rule->title ? t->rule->title : t->rule->id, .rule = t->rule->id};
        memcpy(bar->parts, t->counts, sizeof bar->parts);
        for (int k = IM_INFO; k <= IM_ERROR; k++)
            bar->total += t->counts[k];
        count += bar->total > 0;
    }
    if (count) {
        im_buf_adds(out, "<figure aria-labelledby=\"p-rules\">\n<h3 id=\"p-rules\">Findings by rule</h3>\n<table>\n");
        add_bars(out, bars, count, true);
        im_buf_adds(out, "</table>\n<figcaption>The colour is the severity: <span class=\"t-error\">error</span>, <span "
                         "class=\"t-warning\">warning</span>, <span class=\"t-info\">info</span>.</figcaption>\n</figure>\n");
    }
    free(bars);
}

static void add_homes_picture(struct im_buf *out, const struct im_check_picture *p) {
    struct bar *bars = calloc(p->home_count + 1, sizeof *bars);
    if (!bars) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < p->home_count; i++)
        bars[i] = (struct bar){.name = p->homes[i].name, .total = p->homes[i].count};
    im_buf_adds(out, "<figure aria-labelledby=\"p-homes\">\n<h3 id=\"p-homes\">Users by home server</h3>\n<table>\n");
    add_bars(out, bars, p->home_count, false);
    im_buf_adds(out, "</table>\n</figure>\n");
    free(bars);
}

/* A circle of circumference 100: lengths are percent. */
static void add_slice(struct im_buf *out, size_t number, double from, double percent) {
    if (percent <= 0)
        return;
    im_buf_addf(out, "<circle class=\"ring s%zu\" cx=\"21\" cy=\"21\" r=\"15.9155\" stroke-width=\"6\" ", number);
    im_buf_addf(out, "stroke-dasharray=\"%.3f %.3f\" stroke-dashoffset=\"%.3f\"/>", percent, 100 - percent, 25 - from);
}

static void add_legend(struct im_buf *out, size_t number, const char *name, size_t count, double percent) {
    im_buf_addf(out,
                "<tr><th scope=\"row\"><svg class=\"swatch s%zu\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect width=\"10\" "
                "height=\"10\" rx=\"2\"/></svg>",
                number);
    im_html_text(out, name);
    im_buf_adds(out, "</th><td class=\"n\">");
    im_layout_number(out, count);
    im_buf_addf(out, "</td><td class=\"n\">%.1f %%</td></tr>\n", percent);
}

/* The last slice holds all that have none of their own. */
static size_t slices_of(const struct im_check_picture *p, struct im_check_share slices[SLICES]) {
    size_t count = 0;
    for (size_t i = 0; i < p->state_count; i++) {
        bool is_rest = count == SLICES;
        if (is_rest) {
            slices[SLICES - 1].name = "others";
            slices[SLICES - 1].count += p->states[i].count;
        } else {
            slices[count++] = p->states[i];
        }
    }
    return count;
}

static void add_states_picture(struct im_buf *out, const struct im_check_picture *p) {
    struct im_check_share slices[SLICES];
    size_t count = slices_of(p, slices);
    size_t total = 0;
    double from = 0;
    for (size_t i = 0; i < count; i++)
        total += slices[i].count;
    double scale = total ? 100.0 / (double)total : 0;
    im_buf_adds(out,
                "<figure aria-labelledby=\"p-states\">\n<h3 id=\"p-states\">Accounts by state</h3>\n<div class=\"donut\">\n<svg "
                "viewBox=\"0 0 42 42\" aria-hidden=\"true\"><circle class=\"ring none\" cx=\"21\" cy=\"21\" r=\"15.9155\" "
                "stroke-width=\"6\"/>");
    for (size_t i = 0; i < count; i++) {
        add_slice(out, i, from, (double)slices[i].count * scale);
        from += (double)slices[i].count * scale;
    }
    im_buf_adds(out, "<text x=\"21\" y=\"22\">");
    im_layout_number(out, total);
    im_buf_adds(out, "</text><text class=\"small\" x=\"21\" y=\"26\">accounts</text></svg>\n<table>\n");
    for (size_t i = 0; i < count; i++)
        add_legend(out, i, slices[i].name, slices[i].count, (double)slices[i].count * scale);
    im_buf_adds(out, "</table>\n</div>\n</figure>\n");
}

static bool has_findings(const struct im_check_summary *s) {
    return s->errors || s->warnings || s->infos;
}

void im_html_pictures(struct im_buf *out, const struct im_html_facts *f) {
    const struct im_check_picture *p = f->summary->picture;
    if (!p && !has_findings(f->summary))
        return;
    im_buf_adds(out, "<section aria-labelledby=\"h-pictures\">\n<h2 id=\"h-pictures\">Pictures</h2>\n<div class=\"pictures\">\n");
    add_rules_picture(out, f);
    if (p) {
        im_buf_adds(out, "<div class=\"stack\">\n");
        if (p->state_count)
            add_states_picture(out, p);
        if (p->home_count)
            add_homes_picture(out, p);
        im_buf_adds(out, "</div>\n");
    }
    im_buf_adds(out, "</div>\n</section>\n");
}

/* ---- rules ---- */

static void add_term(struct im_buf *out, const char *term, const char *text) {
    if (!text || !*text)
        return;
    im_buf_addf(out, "<dt>%s</dt><dd>", term);
    im_html_text(out, text);
    im_buf_adds(out, "</dd>\n");
}

static size_t total_of(const struct im_check_tally *t) {
    return t->counts[IM_ERROR] + t->counts[IM_WARNING] + t->counts[IM_INFO];
}

/* -1: nothing was found. */
static int worst_of(const struct im_check_tally *t) {
    for (int i = IM_ERROR; i >= IM_INFO; i--) {
        if (t->counts[i])
            return i;
    }
    return -1;
}

static int worst_first(const void *a, const void *b) {
    const struct im_check_tally *x = a;
    const struct im_check_tally *y = b;
    if (worst_of(x) != worst_of(y))
        return worst_of(y) - worst_of(x);
    return total_of(x) == total_of(y) ? strcmp(x->rule->id, y->rule->id) : total_of(x) < total_of(y) ? 1 : -1;
}

static void add_rule(struct im_buf *out, const struct im_check_tally *t) {
    const struct im_rule *rule = t->rule;
    const char *severity = im_severity_name((enum im_severity)worst_of(t));
    im_buf_addf(out, "<details><summary><span class=\"tag t-%s\">%s</span><span class=\"title\">", severity, severity);
    im_html_text(out, *rule->title ? rule->title : rule->id);
    im_buf_addf(out, " <code>%s</code></span><span class=\"count\">", rule->id);
    im_layout_count(out, total_of(t), "finding");
    im_buf_adds(out, "</span></summary>\n<dl>\n");
    add_term(out, "Condition", rule->cause);
    add_term(out, "To do", rule->remedy);
    add_term(out, "Source", rule->source);
    im_buf_addf(out, "<dt>Findings</dt><dd><a href=\"#findings\" data-rule=\"%s\">show them</a></dd>\n</dl></details>\n",
                rule->id);
}

static void add_found(struct im_buf *out, const struct im_html_facts *f) {
    qsort(f->tallies->items, f->tallies->count, sizeof *f->tallies->items, worst_first);
    im_buf_adds(out, "<div class=\"rules\">\n");
    for (size_t i = 0; i < f->tallies->count; i++) {
        if (worst_of(&f->tallies->items[i]) >= 0)
            add_rule(out, &f->tallies->items[i]);
    }
    im_buf_adds(out, "</div>\n");
}

static void add_chip(struct im_buf *out, const struct im_rule *rule) {
    im_buf_adds(out, "<li>");
    im_html_text(out, rule->title);
    im_buf_addf(out, "%s<code>%s</code></li>", *rule->title ? " " : "", rule->id);
}

static bool was_told(const struct im_html_facts *f, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (f->rules[i].skipped && strcmp(f->rules[i].skipped, f->rules[at].skipped) == 0)
            return true;
    }
    return false;
}

static void add_skipped(struct im_buf *out, const struct im_html_facts *f) {
    if (!skipped_of(f))
        return;
    im_buf_adds(out, "<h2 id=\"skipped\">Rules that could not be evaluated</h2>\n<p class=\"note\">Skipped is not the same as "
                     "passed: nothing is known of these, at least in part.</p>\n");
    for (size_t i = 0; i < f->rule_count; i++) {
        if (!f->rules[i].skipped || was_told(f, i))
            continue;
        im_buf_adds(out, "<p>");
        im_html_text(out, f->rules[i].skipped);
        im_buf_adds(out, ":</p>\n<ul class=\"chips\">");
        for (size_t k = i; k < f->rule_count; k++) {
            if (f->rules[k].skipped && strcmp(f->rules[i].skipped, f->rules[k].skipped) == 0)
                add_chip(out, f->rules[k].rule);
        }
        im_buf_adds(out, "</ul>\n");
    }
}

static void add_clean(struct im_buf *out, const struct im_html_facts *f) {
    struct im_buf chips = IM_BUF_INIT;
    size_t count = 0;
    for (size_t i = 0; i < f->rule_count; i++) {
        const struct im_check_tally *t = im_check_tally(f->tallies, f->rules[i].rule);
        out->failed = out->failed || !t;
        if (!t || f->rules[i].skipped || worst_of(t) >= 0)
            continue;
        add_chip(&chips, f->rules[i].rule);
        count++;
    }
    if (count) {
        im_buf_adds(out, "<div class=\"rules\"><details><summary><span class=\"tag t-yes\">passed</span><span class=\"title\">");
        im_layout_count(out, count, "rule");
        im_buf_adds(out, " found nothing</span></summary>\n<ul class=\"chips\">");
        im_buf_adds(out, im_buf_str(&chips));
        im_buf_adds(out, "</ul></details></div>\n");
    }
    out->failed = out->failed || chips.failed;
    im_buf_free(&chips);
}

void im_html_rules(struct im_buf *out, const struct im_html_facts *f) {
    im_buf_adds(out, "<section aria-labelledby=\"h-rules\">\n<h2 id=\"h-rules\">Rules</h2>\n");
    if (has_findings(f->summary))
        add_found(out, f);
    add_clean(out, f);
    add_skipped(out, f);
    im_buf_adds(out, "</section>\n");
}
