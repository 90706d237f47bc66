/* The journal of a run and the file of a plan: JSON Lines, one account a line, in the order of writing.
 *
 * A journal holds each before-image on disk before the request is sent, and afterwards what became of it:
 *
 *     {"type":"journal","version":1,"imdir":...,"command":...,"profile":...,"directory":...,"base":...,"identity":...,"started":...}
 *     {"type":"change","id":1,"dn":...,"guid":...,"account":...,"input":...,"source":...,
 *      "attributes":[{"attribute":...,"before":[...],"after":[...]}]}
 *     {"type":"result","id":1,"outcome":"changed"}
 *     {"type":"end","complete":true,"total":...,"changed":...,...,"seconds":...}
 *
 * A plan file begins with "type":"plan" and has no results. Values that are not UTF-8 are {"base64":...}; keys that do not apply
 * are left out. A journal may end anywhere, also in the middle of a line: what is known then is told. A plan without its last
 * line is not a plan; lines of changes may have been taken out of it. */
#ifndef IMDIR_ENGINE_JOURNAL_H
#define IMDIR_ENGINE_JOURNAL_H

#include "lib/model/record.h"
#include "lib/model/result.h"

#include <stdbool.h>
#include <stdint.h>

enum im_journal_kind { IM_JOURNAL, IM_PLAN_FILE };

/* The first line. All but command, profile and directory may be NULL. */
struct im_journal_head {
    enum im_journal_kind kind;
    const char *version;           /* of imdir */
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

/* Where a journal is written that nobody gave a name: TIME-COMMAND-PID.jsonl in `directory`, or where that is NULL in imdir in
 * $XDG_STATE_HOME or ~/.local/state. IM_E_USAGE where none of them is known. */
enum im_err im_journal_default_path(const char *directory, const char *command, int64_t now, struct im_pool *pool,
                                    const char **out, struct im_error *e);
/* Before anything else is done: can the file be created, as far as that shows? IM_E_USAGE: it exists, or "-". IM_E_IO: no folder
 * that may be written to is above it. */
enum im_err im_journal_check_place(const char *path, enum im_journal_kind kind, struct im_error *e);
/* Creates the file, mode 0600, never over an existing one (IM_E_USAGE), missing folders (0700) included; writes the head. A
 * journal is there from the start; a plan file appears under its name when it is whole. While it is written nobody reads it. */
enum im_err im_journal_create(const char *path, const struct im_journal_head *head, struct im_journal **out, struct im_error *e);
/* Adds a change to what the next sync writes; *id is its number. record->id and ->state are not looked at. */
enum im_err im_journal_add(struct im_journal *j, const struct im_record *record, size_t *id, struct im_error *e);
/* All changes that were added are on disk when this returns IM_OK. Cheap where there are none. IM_E_IO names the file, and all
 * calls after it fail in the same way. */
enum im_err im_journal_sync(struct im_journal *j, struct im_error *e);
/* What became of it; written with the next sync or at the end. Not to be called where nobody knows: a change without a result is
 * one that may have been made. The last of several counts. */
enum im_err im_journal_result(struct im_journal *j, size_t id, enum im_outcome outcome, struct im_error *e);
/* Writes the last line, and gives a plan file its name: not where it is not complete, then there is none. */
enum im_err im_journal_end(struct im_journal *j, const struct im_summary *summary, bool is_complete, struct im_error *e);
size_t im_journal_count(const struct im_journal *j); /* changes added */
const char *im_journal_path(const struct im_journal *j);
/* A plan file that was not ended is removed; a journal without any change, ended or not, too. */
void im_journal_free(struct im_journal **j);

/* ---- reading ---- */

struct im_journal_reader;

/* Goes through the whole file once: IM_E_INPUT names file, line and what was expected. Memory: 12 bytes a change, and the longest
 * line. A plan must be complete. */
enum im_err im_journal_open(const char *path, enum im_journal_kind kind, struct im_journal_reader **out, struct im_error *e);
const struct im_journal_head *im_journal_head(const struct im_journal_reader *r);
/* It has its last line, and that says that the run went to its end. */
bool im_journal_is_complete(const struct im_journal_reader *r);
size_t im_journal_reader_count(const struct im_journal_reader *r); /* changes */
/* Of the change at `index`, from 0: */
enum im_record_state im_journal_state(const struct im_journal_reader *r, size_t index);
size_t im_journal_line(const struct im_journal_reader *r, size_t index);
/* The change itself, pieces in pool; in any order. IM_E_INPUT: the file was changed since it was opened. */
enum im_err im_journal_read(struct im_journal_reader *r, size_t index, struct im_pool *pool, struct im_record *out,
                            struct im_error *e);
/* What the changes are about: each attribute once, and of objectClass each value. */
struct im_journal_name {
    const char *attribute;
    struct berval class; /* bv_val NULL: the attribute itself */
    size_t line;         /* where it stands first */
};
const struct im_journal_name *im_journal_names(const struct im_journal_reader *r, size_t *count);
void im_journal_close(struct im_journal_reader **r);

#endif
