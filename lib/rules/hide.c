/* Of several rules that describe one fault the most exact is heard. */
#include "lib/model/rule.h"

#include <string.h>

static bool names(const char *ids, const char *id) {
    size_t len = strlen(id);
    for (const char *at = ids; at && (at = strstr(at, id)); at += len) {
        bool begins = at == ids || at[-1] == ' ';
        if (begins && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

static bool is_same(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_hidden(const struct im_finding *all, size_t count, const struct im_finding *f) {
    for (size_t i = 0; f->rule->hidden_by && i < count; i++) {
        if (names(f->rule->hidden_by, all[i].rule->id) && is_same(all[i].dn, f->dn) && is_same(all[i].subject, f->subject))
            return true;
    }
    return false;
}

/* Hidden ones go last: what is hidden itself still hides. */
size_t im_findings_hide(struct im_finding *findings, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_hidden(findings, count, &findings[i]))
            continue;
        struct im_finding f = findings[i];
        memmove(&findings[kept + 1], &findings[kept], (i - kept) * sizeof f);
        findings[kept++] = f;
    }
    return kept;
}
