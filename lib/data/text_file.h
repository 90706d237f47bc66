/* A text file as a stream of UTF-8 that can be gone through again, whatever its encoding and wherever it comes from. */
#ifndef IMDIR_DATA_TEXT_FILE_H
#define IMDIR_DATA_TEXT_FILE_H

#include "lib/base/error.h"
#include "lib/data/encoding.h"

#include <stdbool.h>
#include <stddef.h>

struct im_text_file;

/* "-" is standard input. What cannot be gone through twice (standard input, pipes) is first copied into a temporary file that has
 * no name. `encoding`: what iconv knows; NULL: found out. IM_E_USAGE: unknown encoding. IM_E_IO, IM_E_INPUT: see
 * lib/data/encoding.h. */
enum im_err im_text_file_open(const char *path, const char *encoding, struct im_text_file **out, struct im_error *e);
void im_text_file_free(struct im_text_file **file);

const char *im_text_file_name(const struct im_text_file *file); /* for messages: the path, or "standard input" */
const char *im_text_file_encoding(const struct im_text_file *file);
bool im_text_file_has_bom(const struct im_text_file *file);

/* Up to `size` bytes (at least 64) of UTF-8, without the byte order mark; *len is 0 at the end. A character may go on in the next
 * piece. `here` is where the piece begins, for messages. IM_E_INPUT: bytes that mean nothing in this encoding; the file was
 * changed since it was opened. */
enum im_err im_text_file_read(struct im_text_file *file, const struct im_position *here, char *out, size_t size, size_t *len,
                              struct im_error *e);
enum im_err im_text_file_rewind(struct im_text_file *file, struct im_error *e);

#endif
