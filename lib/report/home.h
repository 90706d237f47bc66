/* What imhome lists and shows: servers with their load, and where people are homed. */
#ifndef IMDIR_REPORT_HOME_H
#define IMDIR_REPORT_HOME_H

#include "lib/report/report.h"

/* One server, or what is left of one. */
struct im_home_row {
    const char *name, *host, *dn; /* host and dn may be NULL */
    const char *kind;             /* "home" or "router" */
    const char *const *domains;   /* IM domains; none: any, of a home */
    size_t domain_count;
    long users, capacity; /* -1: not counted; 0: none given */
    const char *const *remarks;
    size_t remark_count;
};

/* The whole list at once; it is small. */
enum im_err im_report_homes(struct im_out *out, const char *format, const struct im_run_info *info,
                            const struct im_home_row *rows, size_t count, struct im_error *e);

/* One line of input. */
struct im_homed_row {
    const char *input, *source;      /* source: NULL, or where a line that names nobody stands */
    const char *account, *dn, *home; /* may be NULL */
    bool tells;                      /* `agrees` means something: the account is enabled */
    bool agrees;
    const char *const *remarks;
    size_t remark_count;
};

/* People come one by one, as a stream. */
enum im_err im_report_homed_begin(struct im_out *out, const char *format, const struct im_run_info *info, struct im_error *e);
enum im_err im_report_homed(struct im_out *out, const char *format, const struct im_homed_row *row, struct im_error *e);
enum im_err im_report_homed_end(struct im_out *out, const char *format, struct im_error *e);

#endif
