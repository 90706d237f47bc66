/* The journal of a run and the file of a plan: JSON Lines, one account a line, in the order of writing.
 *
 * A journal holds each before-image on disk before the request is sent, and afterwards what became of it:
 *
 *     {"type":"journal","version":1,"imdir":...,"command":...,"profile":...,"directory":...,"base":...,"identity":...,"started":...}
 *     {"type":"change","id":1,"dn":...,"guid":...,"account":...,"input":...,"source":...,
 *      "attributes":[{"attribute":...,"before":[...],"after":[...]}]}
 *     {"type":"result","id":1,"outcome":"changed"}
 *     {"type":"end","complete":true,"changed":...,...}
 *
 * A plan file begins with "type":"plan" and has no results. Values that are not UTF-8 are {"base64":...}. A journal may end
 * anywhere, also in the middle of a line: what is known then is told. A plan without its last line is not a plan. */
#ifndef IMDIR_ENGINE_JOURNAL_H
#define IMDIR_ENGINE_JOURNAL_H

#include "lib/model/record.h"
#include "lib/model/result.h"

#include <stdbool.h>
#include <stdint.h>

enum im_journal_kind { IM_JOURNAL, IM_PLAN_FILE };

/* The first line. */
struct im_journal_head {
    enum im_journal_kind kind;
    const char *command, *profile; /* profile: name or path as given, so that it can be loaded again */
    const char *directory;         /* URI of the server that took the writes */
    const char *base, *identity;   /* naming context; who wrote */
    bool keep_opaque;
    const char *const *allow; /* rules that were lifted */
    size_t allow_count;
    int64_t started; /* seconds since 1970 */
};

/* ---- writing ---- */

struct im_journal;

/* Creates the file, mode 0600, never over an existing one, missing folders (0700) included; writes the head. A journal is there
 * from the start; a plan file appears under its name when it is whole. */
enum im_err im_journal_create(const char *path, const struct im_journal_head *head, struct im_journal **out, struct im_error *e);
/* Adds a change to what the next sync writes; *id is its number. record->id and ->state are not looked at. */
enum im_err im_journal_add(struct im_journal *j, const struct im_record *record, size_t *id, struct im_error *e);
/* All that was added is on disk when this returns IM_OK. Cheap where there is nothing to write. IM_E_IO names the file. */
enum im_err im_journal_sync(struct im_journal *j, struct im_error *e);
/* What became of it; written with the next sync or at the end. */
enum im_err im_journal_result(struct im_journal *j, size_t id, enum im_outcome outcome, struct im_error *e);
/* Writes the last line, and gives a plan file its name. */
enum im_err im_journal_end(struct im_journal *j, const struct im_summary *summary, bool is_complete, struct im_error *e);
size_t im_journal_count(const struct im_journal *j); /* changes added */
const char *im_journal_path(const struct im_journal *j);
/* A plan file that was not ended is removed; a journal without any change, too. */
void im_journal_free(struct im_journal **j);

/* ---- reading ---- */

struct im_journal_reader;

/* Goes through the whole file once: IM_E_INPUT names file, line and what was expected. */
enum im_err im_journal_open(const char *path, enum im_journal_kind kind, struct im_journal_reader **out, struct im_error *e);
const struct im_journal_head *im_journal_head(const struct im_journal_reader *r);
bool im_journal_is_complete(const struct im_journal_reader *r);    /* it has its last line */
size_t im_journal_reader_count(const struct im_journal_reader *r); /* changes */
/* The next change, in order, pieces in pool. */
enum im_err im_journal_next(struct im_journal_reader *r, struct im_pool *pool, struct im_record *out, bool *is_end,
                            struct im_error *e);
enum im_err im_journal_rewind(struct im_journal_reader *r, struct im_error *e);
void im_journal_close(struct im_journal_reader **r);

#endif
