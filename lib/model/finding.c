#include "lib/model/finding.h"

#include "lib/base/vec.h"
#include "lib/model/rule.h"

#include <stdarg.h>
#include <string.h>

static const char *const severities[] = {[IM_INFO] = "info", [IM_WARNING] = "warning", [IM_ERROR] = "error"};

const char *im_severity_name(enum im_severity severity) {
    return severities[severity];
}

bool im_severity_find(const char *name, enum im_severity *out) {
    for (size_t i = 0; i < sizeof severities / sizeof severities[0]; i++) {
        if (strcmp(severities[i], name) == 0) {
            *out = (enum im_severity)i;
            return true;
        }
    }
    return false;
}

__attribute__((format(printf, 2, 0))) static const char *print(struct im_sink *s, const char *format, va_list args) {
    const char *text = im_pool_vprintf(s->pool, format, args);
    if (!text)
        s->failed = true;
    return text ? text : "";
}

static const char *copy(struct im_sink *s, const char *text) {
    const char *kept = im_pool_strdup(s->pool, text);
    if (text && !kept)
        s->failed = true;
    return kept;
}

struct im_finding *im_sink_find(struct im_sink *s, const char *subject, const char *format, ...) {
    struct im_finding *f = im_vec_push(s);
    if (!f) {
        s->failed = true;
        s->spare = (struct im_finding){.rule = NULL};
        f = &s->spare;
    }
    f->rule = s->rule;
    f->severity = s->rule->severity;
    f->remedy = s->rule->remedy;
    f->subject = copy(s, subject);
    va_list args;
    va_start(args, format);
    f->message = print(s, format, args);
    va_end(args);
    return f;
}

void im_sink_remedy(struct im_sink *s, struct im_finding *f, const char *format, ...) {
    va_list args;
    va_start(args, format);
    f->remedy = print(s, format, args);
    va_end(args);
}

void im_sink_evidence(struct im_sink *s, struct im_finding *f, const char *name, const char *format, ...) {
    struct im_evidence *all = im_pool_array(s->pool, f->evidence_count + 1, sizeof *all);
    va_list args;
    va_start(args, format);
    const char *value = print(s, format, args);
    va_end(args);
    if (!all) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < f->evidence_count; i++)
        all[i] = f->evidence[i];
    all[f->evidence_count] = (struct im_evidence){.name = name, .value = value};
    f->evidence = all;
    f->evidence_count++;
}

int im_sink_skip(struct im_sink *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    s->reason = print(s, format, args);
    va_end(args);
    return IM_SKIPPED;
}

void im_sink_free(struct im_sink *s) {
    im_vec_free(s);
}
