/* Limits as people give them: a number of accounts, or a share of them. */
#ifndef IMDIR_TOOLS_AMOUNT_H
#define IMDIR_TOOLS_AMOUNT_H

#include "lib/imdir.h"

struct im_amount {
    size_t count;   /* where it is no share */
    double percent; /* where it is one, 0 to 100 */
    bool is_percent;
};

/* "50", "5%" or "2.5%". IM_E_USAGE names the option ("max-changes"). */
enum im_err im_amount_parse(const char *option, const char *text, struct im_amount *out, struct im_error *e);
/* The largest number that is not more than the amount: 2 are 50 % of 5, and 3 would be more. */
size_t im_amount_of(const struct im_amount *amount, size_t total);

/* Appends 1204 as "1,204". */
void im_amount_write(size_t number, struct im_buf *out);

#endif
