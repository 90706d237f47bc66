/* A CSV file that names accounts, one a row: what its columns mean, and what is asked for each account. */
#ifndef IMDIR_TOOLS_TABLE_H
#define IMDIR_TOOLS_TABLE_H

#include "lib/imdir.h"

struct im_table;

struct im_table_options {
    const char *path;          /* "-" = standard input */
    const char *encoding;      /* NULL: found out */
    char separator;            /* '\0': found out */
    struct im_strings columns; /* "account=EmployeeLogin" */
    bool skip_bad_rows;        /* they come as inputs that say what is wrong, instead of ending the run */
    bool names_only;           /* address, home and domain mean nothing to the command: such columns are the user's own */
    bool homes_only;           /* address and domain mean nothing to it */
    im_log_fn *note;           /* what was decided (level 1), and what should be known (level 0) */
    void *user;
};

/* Reads and checks the file as a whole; a million rows take some 40 bytes each for that time. IM_E_INPUT names file, line and
 * column, IM_E_USAGE the option. */
enum im_err im_table_open(const struct im_table_options *options, struct im_table **out, struct im_error *e);
/* Once the servers are known: every home and IM domain that a cell names must be one of them. any_domain: domains need not. */
enum im_err im_table_check_servers(struct im_table *table, const struct im_servers *servers, bool any_domain, struct im_error *e);
void im_table_free(struct im_table **table);

/* What must be gathered for the cells of this file: how many users each home has, as one of them says "auto"; and the attributes
 * that addresses are made of, as the templates "{attr:NAME}", each once, in pool. */
bool im_table_has_homes(const struct im_table *table); /* some row names one */
bool im_table_wants_auto(const struct im_table *table);
enum im_err im_table_templates(const struct im_table *table, struct im_pool *pool, struct im_strings *out, struct im_error *e);

struct im_inputs im_table_inputs(struct im_table *table);
size_t im_table_count(const struct im_table *table);          /* inputs */
bool im_table_has_domain_names(const struct im_table *table); /* DOMAIN\name */

/* How the file is written, for one that is to be read in its place, with the same options. Valid as long as the table. */
struct im_table_form {
    const struct im_row *header;
    const char *encoding; /* UTF-8 where it was guessed: that is read without a guess */
    bool has_bom;
    char separator;
};
struct im_table_form im_table_form(const struct im_table *table);

#endif
