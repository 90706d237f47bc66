/* The pieces that the HTML report is made of. */
#ifndef IMDIR_REPORT_CHECK_HTML_H
#define IMDIR_REPORT_CHECK_HTML_H

#include "lib/report/check_parts.h"

/* What is known at the end of a run. */
struct im_html_facts {
    const struct im_run_info *info;
    const struct im_rule_status *rules;
    size_t rule_count;
    const struct im_check_summary *summary;
    struct im_check_tallies *tallies;
};

void im_html_text(struct im_buf *out, const char *s); /* escaped for text and for attributes; NULL is nothing */
/* Sections, from heading to end. */
void im_html_summary(struct im_buf *out, const struct im_html_facts *facts);
void im_html_pictures(struct im_buf *out, const struct im_html_facts *facts);
void im_html_rules(struct im_buf *out, const struct im_html_facts *facts);

#endif
