/* A directory in memory: what the engine is tried on without a server.
 *
 * The store outlives the connections to it, so that a test can lose one, look at what was written, and open another. Faults and
 * edits by somebody else are scripted by number: "before the 2nd modify", "the 3rd search ends with 51".
 *
 * With a root DSE of Active Directory, DN values behave as measured on Samba: a value remembers its target's GUID, reads as the
 * target's present name (deleted targets as CN=x\0ADEL:...), and is matched by the name it was written with or by <GUID=...>. */
#ifndef IMDIR_TESTS_MEMDIR_H
#define IMDIR_TESTS_MEMDIR_H

#include "lib/directory/directory.h"

struct memdir;

enum {
    MEMDIR_DN = 1,    /* values are DNs; compared as such */
    MEMDIR_FOLD = 2,  /* a modify compares without letter case; else it compares bytes */
    MEMDIR_EXACT = 4, /* a filter compares with letter case; else without */
    MEMDIR_NO_EQUALITY =
        8,              /* no equality rule: naming a value in a modify is 18, a filter is undefined without a rule of its own */
    MEMDIR_SINGLE = 16, /* a second value is 19 */
    MEMDIR_HIDDEN = 32, /* operational: given only when asked for by name or "+" */
};

/* What is known of an attribute; others have no flags. A table ends with a NULL name. */
struct memdir_attr {
    const char *name;
    unsigned flags;
};

/* Root DSEs to put in front of a test's LDIF. */
#define MEMDIR_AD                                                                                                                \
    "dn:\nobjectClass: top\nnamingContexts: DC=corp,DC=example\nnamingContexts: CN=Configuration,DC=corp,DC=example\n"           \
    "defaultNamingContext: DC=corp,DC=example\nrootDomainNamingContext: DC=corp,DC=example\n"                                    \
    "configurationNamingContext: CN=Configuration,DC=corp,DC=example\n"                                                          \
    "schemaNamingContext: CN=Schema,CN=Configuration,DC=corp,DC=example\ndnsHostName: dc1.corp.example\n"                        \
    "supportedCapabilities: 1.2.840.113556.1.4.800\nsupportedControl: 1.2.840.113556.1.4.319\n"                                  \
    "supportedControl: 1.2.840.113556.1.4.529\nsupportedControl: 1.2.840.113556.1.4.417\n"                                       \
    "supportedControl: 1.2.840.113556.1.4.1339\n\n"
#define MEMDIR_OPENLDAP                                                                                                          \
    "dn:\nobjectClass: top\nobjectClass: OpenLDAProotDSE\nnamingContexts: dc=corp,dc=example\nsubschemaSubentry: cn=Subschema\n" \
    "configContext: cn=config\nsupportedControl: 1.2.840.113556.1.4.319\nsupportedControl: 1.3.6.1.1.12\n\n"

/* Fails the test where the LDIF is wrong. attrs may be NULL. */
struct memdir *memdir_new(const struct memdir_attr *attrs, const char *ldif);
void memdir_free(struct memdir **m);

/* A connection; freed with im_directory_free, before the store. */
enum im_err memdir_open(struct memdir *m, struct im_directory **out, struct im_error *e);

/* MEMDIR_OPEN: taking a new connection in the place of one that was lost; the first one is not counted. */
enum memdir_kind { MEMDIR_SEARCH, MEMDIR_MODIFY, MEMDIR_ADD, MEMDIR_OPEN, MEMDIR_KINDS };

/* ---- the script ---- */

/* Called before the nth operation of that kind (from 1; 0 = each) is carried out: the place for somebody else's edits. */
typedef void memdir_hook(struct memdir *m, size_t nth, void *user);
void memdir_before(struct memdir *m, enum memdir_kind kind, size_t nth, memdir_hook *hook, void *user);

struct memdir_fault {
    enum memdir_kind kind;
    size_t nth;             /* from 1; 0 = each */
    int code;               /* the server's answer; the operation is not carried out */
    const char *diagnostic; /* with the code; may be NULL */
    size_t entries;         /* a search gives so many entries before the code */
    enum im_err error;      /* instead of an answer: IM_E_LOST and IM_E_TIMEOUT kill the connection, IM_E_INTERRUPTED does not.
                             * Of MEMDIR_OPEN: why there is no connection; IM_E_CONNECT where it is not set */
    bool is_done;           /* with an error: the operation was carried out, its answer is missing */
};
void memdir_fault(struct memdir *m, struct memdir_fault fault);

void memdir_answer_in_reverse(struct memdir *m, bool on); /* the operation that was started last is answered first */

/* ---- somebody else ---- */

void memdir_set(struct memdir *m, const char *dn, const char *attribute, const char *value); /* one value; NULL: none */
void memdir_delete(struct memdir *m, const char *dn); /* Active Directory keeps it as a deleted object */
void memdir_rename(struct memdir *m, const char *dn, const char *new_dn);
int memdir_modify(struct memdir *m, const struct im_change *change); /* not counted, no hooks; the result code */

/* ---- what happened ---- */

size_t memdir_count(const struct memdir *m, enum memdir_kind kind);          /* operations that were started */
size_t memdir_in_flight(const struct memdir *m);                             /* the most at a time so far */
int64_t memdir_paused_ms(const struct memdir *m);                            /* the time that was waited, none of it in truth */
const struct im_entry *memdir_entry(const struct memdir *m, const char *dn); /* as it is stored; NULL: not there */
/* All entries as LDIF, sorted, without the root DSE: equal texts are equal directories. The caller frees. */
char *memdir_dump(const struct memdir *m);

#endif
