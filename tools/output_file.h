/* A file that takes its place, whole and synced, only when it is done. */
#ifndef IMDIR_TOOLS_OUTPUT_FILE_H
#define IMDIR_TOOLS_OUTPUT_FILE_H

#include "lib/imdir.h"

#include <stdio.h>

struct im_output_file {
    const char *option; /* "--changes", for messages */
    const char *path;   /* NULL: no file is wanted, and all calls do nothing */
    char temporary[4096];
    FILE *stream;
};

/* Creates a temporary file beside `path`, readable by the owner only. */
enum im_err im_output_file_open(struct im_output_file *f, const char *option, const char *path, struct im_error *e);
/* Writes it at once: a full disk is noticed. Empties and frees the text. */
enum im_err im_output_file_add(struct im_output_file *f, struct im_buf *text, struct im_error *e);
/* Puts the file in the place of `path`. */
enum im_err im_output_file_commit(struct im_output_file *f, struct im_error *e);
void im_output_file_discard(struct im_output_file *f); /* after a commit it does nothing */

#endif
