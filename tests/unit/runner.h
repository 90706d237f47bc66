/* A directory in memory with some people, and a run of the engine on it that is checked: each input is told of once, in order,
 * and the outcomes add up. */
#ifndef IMDIR_TESTS_RUNNER_H
#define IMDIR_TESTS_RUNNER_H

#include "lib/engine/run.h"
#include "tests/unit/memdir.h"
#include "tests/unit/unit.h"

#include <stdatomic.h>

#define BASE "DC=corp,DC=example"
#define HOME1 "CN=imhome1,OU=IM," BASE
#define HOME2 "CN=imhome2,OU=IM," BASE
#define PERSON(cn, sam)                                                                                                          \
    "dn: CN=" cn ",OU=People," BASE "\nobjectClass: top\nobjectClass: person\nobjectClass: user\ncn: " cn                        \
    "\nsAMAccountName: " sam "\nuserPrincipalName: " sam "@corp.example\nmail: " sam "@mail.example\n"
#define ACTIVE "userAccountControl: 512\n\n"
#define JANE "CN=Jane Doe,OU=People," BASE
#define ADAM "CN=Adam,OU=People," BASE
#define EVE "CN=Eve,OU=People," BASE
#define MOVED "CN=Moved,OU=People," BASE
#define NOBODY "CN=x,DC=corp,DC=example"

struct told {
    char input[80], source[40], dn[160], reason[40], message[300], address[80], home[40];
    enum im_outcome outcome;
    size_t diff_count;
    int ldap_code;
};

enum { MAX_INPUTS = 1200 };

struct fixture {
    struct im_input input[MAX_INPUTS];
    size_t input_count, input_at;
    struct im_inputs inputs;
    struct memdir *m;
    struct im_directory *d;
    struct im_profile *profile;
    struct im_pool *pool;
    struct im_account_context context;
    struct im_server server[2];
    struct im_servers servers;
    struct im_request request;
    struct im_run run;
    struct told told[MAX_INPUTS];
    size_t told_count, fail_after; /* results until standard output is full; 0 = never */
    size_t changes, fail_change;
    struct im_summary summary;
    bool wrote;
    struct im_error e;
    atomic_int stop;
};

/* root: MEMDIR_AD or MEMDIR_OPENLDAP; more: LDIF behind the people's, or NULL. */
struct fixture *new_fixture(const char *root, const char *more);
int set_up(void **state);
int set_up_openldap(void **state);
int tear_down(void **state);

/* Identities as the inputs of the next run; the list ends with NULL. */
void name(struct fixture *f, const char *const *names);
enum im_err run_inputs(struct fixture *f);
enum im_err run(struct fixture *f, const char *const *names);
#define RUN(f, ...) run((f), (const char *const[]){__VA_ARGS__, NULL})

const char *value(struct fixture *f, const char *dn, const char *attribute); /* "" where there is none */

enum { MANY = 300 };
/* The people, and MANY more whose names are p0, p1, ... */
struct fixture *crowd(const char *const **names);

#endif
