/* A plan file, or a journal that is to be taken back, as the inputs of a run: each account once.
 *
 * A plan comes in its order. A journal comes backwards, without the changes that were not made. Where a run sent a change, lost
 * the connection and planned the account again, the journal tells of it more than once: then it is one record here, which leads
 * from the first before-image that the last change goes back to. */
#ifndef IMDIR_ENGINE_RECORDS_H
#define IMDIR_ENGINE_RECORDS_H

#include "lib/engine/journal.h"
#include "lib/model/input.h"

struct im_records;

enum im_err im_records_open(const char *path, enum im_journal_kind kind, struct im_records **out, struct im_error *e);
const struct im_journal_reader *im_records_reader(const struct im_records *r); /* its head, and whether it is complete */
/* IM_E_INPUT names the line of a change of something else than the profile's attributes and its class. */
enum im_err im_records_check(const struct im_records *r, const struct im_profile *profile, struct im_error *e);
struct im_inputs im_records_inputs(struct im_records *r); /* as long as the records */
void im_records_close(struct im_records **r);

#endif
