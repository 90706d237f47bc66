/* Writing journals and plan files, and reading back what was written. */
#include "lib/engine/journal.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char folder[64], path[96];
    struct im_pool *pool;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    strcpy(f->folder, "/tmp/imdir-journal-XXXXXX");
    f->pool = im_pool_new();
    *state = f;
    if (!f->pool || !mkdtemp(f->folder))
        return -1;
    (void)snprintf(f->path, sizeof f->path, "%s/a.jsonl", f->folder);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f->folder);
    im_pool_free(&f->pool);
    int status = system(command); // NOLINT(cert-env33-c): a folder of our own
    free(f);
    return status;
}

static const struct im_journal_head journal_head = {
    .kind = IM_JOURNAL,
    .command = "imenable",
    .profile = "exchange2000",
    .directory = "ldap://dc1",
    .started = 1795648445,
};
static const struct im_journal_head plan_head = {
    .kind = IM_PLAN_FILE,
    .command = "imdisable",
    .profile = "./my.yaml",
    .directory = "ldap://dc1",
    .started = 1795648445,
};

#define GUID "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

/* A small change of account number n. */
static struct im_record change_of(struct fixture *f, int n) {
    struct im_plan_diff *diff = im_pool_alloc(f->pool, sizeof *diff);
    struct berval *after = im_pool_alloc(f->pool, sizeof *after);
    assert_true(diff && after);
    after->bv_val = im_pool_printf(f->pool, "u%d@im.example", n);
    after->bv_len = strlen(after->bv_val);
    *diff = (struct im_plan_diff){.attribute = "msExchIMAddress", .after = after, .after_count = 1};
    return (struct im_record){.dn = im_pool_printf(f->pool, "cn=u%d,dc=example", n), .diffs = diff, .diff_count = 1};
}

static struct im_journal *create(struct fixture *f, const struct im_journal_head *head) {
    struct im_journal *j = NULL;
    if (im_journal_create(f->path, head, &j, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
    return j;
}

static size_t add(struct fixture *f, struct im_journal *j, int n) {
    struct im_record record = change_of(f, n);
    size_t id = 0;
    assert_int_equal(im_journal_add(j, &record, &id, &f->e), IM_OK);
    return id;
}

static const struct im_summary no_summary;

static void end(struct fixture *f, struct im_journal **j) {
    assert_int_equal(im_journal_end(*j, &no_summary, true, &f->e), IM_OK);
    im_journal_free(j);
}

static struct im_journal_reader *open_reader(struct fixture *f, enum im_journal_kind kind) {
    struct im_journal_reader *r = NULL;
    if (im_journal_open(f->path, kind, &r, &f->e) != IM_OK)
        fail_msg("%s:%zu: %s", f->e.where, f->e.line, f->e.text);
    return r;
}

static char *slurp(struct fixture *f, const char *path, size_t *len) {
    char *text = im_pool_alloc(f->pool, 1 << 16);
    FILE *file = fopen(path, "rb");
    assert_true(text && file);
    size_t count = fread(text, 1, (1 << 16) - 1, file);
    assert_int_equal(fclose(file), 0);
    if (len)
        *len = count;
    return text;
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static size_t entries(const char *folder) {
    size_t count = 0;
    char command[128];
    (void)snprintf(command, sizeof command, "ls -A %s", folder);
    FILE *list = popen(command, "r"); // NOLINT(cert-env33-c): a folder of our own
    assert_non_null(list);
    for (int c; (c = fgetc(list)) != EOF;)
        count += c == '\n';
    (void)pclose(list);
    return count;
}

/* ---- what is written is what is read ---- */

static void head_comes_back(void **state) {
    struct fixture *f = *state;
    const char *const allow[] = {"account-disabled", "account-alias-unsafe"};
    struct im_journal_head head = journal_head;
    head.version = "9.8.7";
    head.base = "DC=corp,DC=Übung";
    head.identity = "dn:cn=admin \"x\"\n";
    head.keep_opaque = true;
    head.allow = allow;
    head.allow_count = 2;
    struct im_journal *j = create(f, &head);
    add(f, j, 1);
    im_journal_free(&j);
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    const struct im_journal_head *h = im_journal_head(r);
    assert_int_equal(h->kind, IM_JOURNAL);
    assert_string_equal(h->version, "9.8.7");
    assert_string_equal(h->command, "imenable");
    assert_string_equal(h->profile, "exchange2000");
    assert_string_equal(h->directory, "ldap://dc1");
    assert_string_equal(h->base, head.base);
    assert_string_equal(h->identity, head.identity);
    assert_true(h->keep_opaque);
    assert_int_equal(h->allow_count, 2);
    assert_string_equal(h->allow[1], "account-alias-unsafe");
    assert_int_equal(h->started, 1795648445);
    assert_false(im_journal_is_complete(r));
    im_journal_close(&r);
}

static void small_head_comes_back(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &plan_head);
    end(f, &j);
    struct im_journal_reader *r = open_reader(f, IM_PLAN_FILE);
    const struct im_journal_head *h = im_journal_head(r);
    assert_int_equal(h->kind, IM_PLAN_FILE);
    assert_true(!h->version && !h->base && !h->identity && !h->keep_opaque && !h->allow_count);
    assert_true(im_journal_is_complete(r));
    assert_int_equal(im_journal_reader_count(r), 0);
    im_journal_close(&r);
}

static void same_values(const struct berval *a, size_t a_count, const struct berval *b, size_t b_count) {
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_int_equal(a[i].bv_len, b[i].bv_len);
        assert_memory_equal(a[i].bv_val, b[i].bv_val, a[i].bv_len);
        assert_int_equal(b[i].bv_val[b[i].bv_len], '\0');
    }
}

static void same_text(const char *a, const char *b) {
    assert_true(a ? b && strcmp(a, b) == 0 : !b);
}

static void same_record(const struct im_record *a, const struct im_record *b) {
    same_text(a->dn, b->dn);
    same_text(a->guid, b->guid);
    same_text(a->account, b->account);
    same_text(a->input, b->input);
    same_text(a->source, b->source);
    assert_int_equal(a->diff_count, b->diff_count);
    for (size_t i = 0; i < a->diff_count; i++) {
        same_text(a->diffs[i].attribute, b->diffs[i].attribute);
        same_values(a->diffs[i].before, a->diffs[i].before_count, b->diffs[i].before, b->diffs[i].before_count);
        same_values(a->diffs[i].after, a->diffs[i].after_count, b->diffs[i].after, b->diffs[i].after_count);
    }
}

static void any_value_comes_back(void **state) {
    struct fixture *f = *state;
    const struct berval odd[] = {
        VALUE("plain"),
        VALUE(""),
        VALUE("\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\r\x0e\x0f\x10\x1f\x7f"),
        VALUE("say \"hi\" \\ / {\"type\":\"end\"}"),
        VALUE("line\xe2\x80\xa8separator \xf0\x9f\x98\x80 M\xc3\xbcller"),
        VALUE("\0"),
        VALUE("nul\0inside"),
        VALUE("\xff\xfe\x00\x80"),
        VALUE("\xed\xa0\x80"),
    };
    const struct im_plan_diff diffs[] = {
        {"msExchIMAddress", odd, odd + 1, LENGTH(odd), LENGTH(odd) - 1},
        {"msExchIMACL;binary", NULL, odd, 0, 1},
        {"2.5.4.0", odd + 5, NULL, 1, 0},
    };
    const struct im_record records[] = {
        {.dn = "CN=Müller\\, \"J\",DC=x",
         .guid = GUID,
         .account = "müller",
         .input = "M\xfcller",
         .source = "b\xe4"
                   "d\nname.csv:3",
         .diffs = diffs,
         .diff_count = 3},
        {.dn = "cn=b,dc=x", .diffs = diffs + 2, .diff_count = 1},
    };
    struct im_journal *j = create(f, &journal_head);
    for (size_t i = 0; i < LENGTH(records); i++) {
        size_t id = 0;
        assert_int_equal(im_journal_add(j, &records[i], &id, &f->e), IM_OK);
        assert_int_equal(id, i + 1);
    }
    assert_int_equal(im_journal_count(j), 2);
    end(f, &j);
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    assert_int_equal(im_journal_reader_count(r), 2);
    for (size_t i = LENGTH(records); i-- > 0;) {
        struct im_record back;
        assert_int_equal(im_journal_read(r, i, f->pool, &back, &f->e), IM_OK);
        same_record(&records[i], &back);
        assert_int_equal(back.id, i + 1);
        assert_int_equal(im_journal_line(r, i), i + 2);
    }
    im_journal_close(&r);
}

static void outcomes_tell_the_state(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &journal_head);
    for (int i = 0; i < IM_OUTCOME_COUNT; i++) {
        size_t id = add(f, j, i);
        assert_int_equal(im_journal_result(j, id, (enum im_outcome)i, &f->e), IM_OK);
    }
    add(f, j, 100);
    size_t twice = add(f, j, 101);
    assert_int_equal(im_journal_result(j, twice, IM_CONFLICT, &f->e), IM_OK);
    assert_int_equal(im_journal_result(j, twice, IM_CHANGED, &f->e), IM_OK);
    end(f, &j);
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    for (size_t i = 0; i < IM_OUTCOME_COUNT; i++)
        assert_int_equal(im_journal_state(r, i), i == IM_CHANGED ? IM_RECORD_WRITTEN : IM_RECORD_NOT_MADE);
    assert_int_equal(im_journal_state(r, IM_OUTCOME_COUNT), IM_RECORD_UNKNOWN);
    assert_int_equal(im_journal_state(r, IM_OUTCOME_COUNT + 1), IM_RECORD_WRITTEN);
    struct im_record record;
    assert_int_equal(im_journal_read(r, 0, f->pool, &record, &f->e), IM_OK);
    assert_int_equal(record.state, IM_RECORD_WRITTEN);
    assert_true(im_journal_is_complete(r));
    im_journal_close(&r);
}

static void last_line_counts(void **state) {
    struct fixture *f = *state;
    const struct im_summary summary = {.total = 12, .counts = {[IM_CHANGED] = 7, [IM_OUT_NOT_FOUND] = 5}, .seconds = 1.2345};
    struct im_journal *j = create(f, &journal_head);
    add(f, j, 1);
    assert_int_equal(im_journal_end(j, &summary, false, &f->e), IM_OK);
    im_journal_free(&j);
    assert_mentions(slurp(f, f->path, NULL),
                    "{\"type\":\"end\",\"complete\":false,\"total\":12,\"changed\":7,\"unchanged\":0,\"refused\":0,\"failed\":0,"
                    "\"not_found\":5,\"ambiguous\":0,\"conflict\":0,\"not_attempted\":0,\"seconds\":1.235}\n");
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    assert_false(im_journal_is_complete(r));
    im_journal_close(&r);
}

/* More than a window of the reader, in every order. */
static void thousands_in_any_order(void **state) {
    struct fixture *f = *state;
    enum { MANY = 3000 };
    struct im_journal *j = create(f, &plan_head);
    for (int i = 0; i < MANY; i++)
        add(f, j, i);
    end(f, &j);
    struct im_journal_reader *r = open_reader(f, IM_PLAN_FILE);
    assert_int_equal(im_journal_reader_count(r), MANY);
    for (size_t i = 0; i < 3 * (size_t)MANY; i++) {
        size_t index = i < MANY ? i : i < 2 * (size_t)MANY ? 2 * (size_t)MANY - i - 1 : i * 7919 % MANY;
        struct im_record record;
        im_pool_reset(f->pool);
        assert_int_equal(im_journal_read(r, index, f->pool, &record, &f->e), IM_OK);
        assert_int_equal(record.id, index + 1);
        assert_int_equal(strtoul(record.dn + 4, NULL, 10), index);
        assert_int_equal(record.state, IM_RECORD_PLANNED);
    }
    im_journal_close(&r);
}

/* ---- the file ---- */

static unsigned mode_of(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777u;
}

static void file_and_folders_are_private(void **state) {
    struct fixture *f = *state;
    char folder[96];
    mode_t before = umask(0);
    (void)snprintf(f->path, sizeof f->path, "%s/b//c/d.jsonl", f->folder);
    struct im_journal *j = create(f, &journal_head);
    umask(before);
    assert_string_equal(im_journal_path(j), f->path);
    assert_int_equal(mode_of(f->path), 0600);
    (void)snprintf(folder, sizeof folder, "%s/b/c", f->folder);
    assert_int_equal(mode_of(folder), 0700);
    (void)snprintf(folder, sizeof folder, "%s/b", f->folder);
    assert_int_equal(mode_of(folder), 0700);
    im_journal_free(&j);
}

static void relative_path(void **state) {
    struct fixture *f = *state;
    char *here = getcwd(NULL, 0);
    assert_true(here && chdir(f->folder) == 0);
    strcpy(f->path, "x.jsonl");
    struct im_journal *j = create(f, &journal_head);
    add(f, j, 1);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK);
    end(f, &j);
    assert_true(exists("x.jsonl"));
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void cannot_create(struct fixture *f, const struct im_journal_head *head, enum im_err code, const char *words) {
    struct im_journal *j = NULL;
    im_error_clear(&f->e);
    assert_int_equal(im_journal_create(f->path, head, &j, &f->e), code);
    assert_null(j);
    assert_mentions(f->e.text, words);
    if (strcmp(f->path, "-") != 0)
        assert_string_equal(f->e.where, f->path);
}

static void nothing_is_written_over(void **state) {
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "w");
    assert_true(file && fputs("keep me", file) >= 0 && fclose(file) == 0);
    cannot_create(f, &journal_head, IM_E_USAGE, "exists already");
    cannot_create(f, &plan_head, IM_E_USAGE, "exists already");
    assert_string_equal(slurp(f, f->path, NULL), "keep me");
    /* a link that leads nowhere is not followed */
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(symlink("/tmp/imdir-journal-nowhere", f->path), 0);
    cannot_create(f, &journal_head, IM_E_USAGE, "exists already");
    cannot_create(f, &plan_head, IM_E_USAGE, "exists already");
    assert_int_equal(entries(f->folder), 1);
    strcpy(f->path, "/dev/null");
    cannot_create(f, &journal_head, IM_E_USAGE, "exists already");
    strcpy(f->path, "-");
    cannot_create(f, &journal_head, IM_E_USAGE, "file name");
}

static void no_place_for_it(void **state) {
    struct fixture *f = *state;
    strcpy(f->path, "/proc/none/a.jsonl");
    cannot_create(f, &journal_head, IM_E_IO, "cannot be created");
    strcpy(f->path, "/dev/null/a.jsonl");
    cannot_create(f, &plan_head, IM_E_IO, "Not a directory");
}

static void before_image_is_there_before_sync_returns(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &journal_head);
    size_t head;
    slurp(f, f->path, &head);
    assert_true(head > 0);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK); /* nothing to do */
    add(f, j, 1);
    add(f, j, 2);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK);
    const char *text = slurp(f, f->path, NULL);
    assert_mentions(text, "cn=u1,dc=example");
    assert_mentions(text, "cn=u2,dc=example");
    /* a result alone waits */
    assert_int_equal(im_journal_result(j, 1, IM_CHANGED, &f->e), IM_OK);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK);
    assert_null(strstr(slurp(f, f->path, NULL), "result"));
    add(f, j, 3);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK);
    assert_mentions(slurp(f, f->path, NULL), "{\"type\":\"result\",\"id\":1,\"outcome\":\"changed\"}\n");
    /* what was told last is there although the run did not end it */
    assert_int_equal(im_journal_result(j, 2, IM_FAILED, &f->e), IM_OK);
    im_journal_free(&j);
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    assert_int_equal(im_journal_state(r, 0), IM_RECORD_WRITTEN);
    assert_int_equal(im_journal_state(r, 1), IM_RECORD_NOT_MADE);
    assert_int_equal(im_journal_state(r, 2), IM_RECORD_UNKNOWN);
    im_journal_close(&r);
}

static void results_do_not_pile_up(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &journal_head);
    struct stat st;
    add(f, j, 1);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(im_journal_result(j, 1, IM_CHANGED, &f->e), IM_OK);
    assert_int_equal(stat(f->path, &st), 0);
    assert_true(st.st_size > 256L * 1024);
    im_journal_free(&j);
}

static void misuse_is_told(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &journal_head);
    add(f, j, 1);
    assert_int_equal(im_journal_result(j, 0, IM_CHANGED, NULL), IM_E_INTERNAL);
    assert_int_equal(im_journal_result(j, 2, IM_CHANGED, NULL), IM_E_INTERNAL);
    assert_int_equal(im_journal_end(j, &no_summary, true, &f->e), IM_OK);
    assert_int_equal(im_journal_result(j, 1, IM_CHANGED, NULL), IM_E_INTERNAL);
    assert_int_equal(im_journal_end(j, &no_summary, true, NULL), IM_E_INTERNAL);
    im_journal_free(&j);
    im_journal_free(&j);
    im_journal_free(NULL);
}

static void journal_without_changes_leaves_nothing(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &journal_head);
    assert_true(exists(f->path));
    im_journal_free(&j);
    assert_int_equal(entries(f->folder), 0);
    j = create(f, &journal_head);
    end(f, &j);
    assert_int_equal(entries(f->folder), 0);
    /* not what somebody else put in its place */
    j = create(f, &journal_head);
    assert_int_equal(unlink(f->path), 0);
    FILE *other = fopen(f->path, "w");
    assert_true(other && fclose(other) == 0);
    im_journal_free(&j);
    assert_int_equal(entries(f->folder), 1);
}

static void plan_appears_when_it_is_whole(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &plan_head);
    add(f, j, 1);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK);
    assert_false(exists(f->path));
    assert_int_equal(entries(f->folder), 1);
    assert_int_equal(im_journal_end(j, &no_summary, true, &f->e), IM_OK);
    assert_int_equal(mode_of(f->path), 0600);
    im_journal_free(&j);
    assert_int_equal(entries(f->folder), 1);
    struct im_journal_reader *r = open_reader(f, IM_PLAN_FILE);
    assert_int_equal(im_journal_reader_count(r), 1);
    im_journal_close(&r);
}

static void half_a_plan_is_none(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &plan_head);
    add(f, j, 1);
    im_journal_free(&j);
    assert_int_equal(entries(f->folder), 0);
    j = create(f, &plan_head);
    add(f, j, 1);
    assert_int_equal(im_journal_end(j, &no_summary, false, &f->e), IM_OK);
    im_journal_free(&j);
    assert_int_equal(entries(f->folder), 0);
}

static void plan_does_not_take_a_name_that_was_taken_meanwhile(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &plan_head);
    add(f, j, 1);
    FILE *other = fopen(f->path, "w");
    assert_true(other && fputs("keep me", other) >= 0 && fclose(other) == 0);
    assert_int_equal(im_journal_end(j, &no_summary, true, &f->e), IM_E_IO);
    assert_mentions(f->e.text, "File exists");
    im_journal_free(&j);
    assert_string_equal(slurp(f, f->path, NULL), "keep me");
    assert_int_equal(entries(f->folder), 1);
}

/* ---- no room ---- */

static void limit_files(rlim_t size) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void full_disk(void **state) {
    struct fixture *f = *state;
    enum { ROOM = 4000 };
    struct im_journal *j = create(f, &journal_head);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_files(ROOM);
    enum im_err err = IM_OK;
    size_t on_disk = 0;
    for (int i = 0; err == IM_OK; i++) {
        on_disk = im_journal_count(j);
        add(f, j, i);
        err = im_journal_sync(j, &f->e);
    }
    assert_int_equal(err, IM_E_IO);
    assert_int_equal(f->e.system, EFBIG);
    assert_string_equal(f->e.where, f->path);
    limit_files(RLIM_INFINITY); /* from now on there would be room, but nothing may follow the hole */
    struct im_record record = change_of(f, 1);
    size_t id;
    for (int i = 0; i < 4; i++) {
        struct im_error again = {.code = IM_OK};
        err = i == 0   ? im_journal_add(j, &record, &id, &again)
              : i == 1 ? im_journal_result(j, 1, IM_CHANGED, &again)
              : i == 2 ? im_journal_sync(j, &again)
                       : im_journal_end(j, &no_summary, true, &again);
        assert_int_equal(err, IM_E_IO);
        assert_string_equal(again.text, f->e.text);
        assert_string_equal(again.where, f->path);
    }
    im_journal_free(&j);
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    assert_int_equal(im_journal_reader_count(r), on_disk);
    assert_false(im_journal_is_complete(r));
    im_journal_close(&r);
}

static void full_disk_at_the_start(void **state) {
    struct fixture *f = *state;
    (void)signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 0; room < 60; room += 30) {
        limit_files(room);
        struct im_journal *j = NULL;
        enum im_err err = im_journal_create(f->path, room ? &plan_head : &journal_head, &j, &f->e);
        limit_files(RLIM_INFINITY);
        assert_int_equal(err, IM_E_IO);
        assert_int_equal(entries(f->folder), 0);
        im_error_clear(&f->e);
    }
}

/* ---- names ---- */

static void assert_path(struct fixture *f, const char *directory, const char *begin) {
    const char *path = NULL;
    char expect[256];
    assert_int_equal(im_journal_default_path(directory, "imenable", 1795648445, f->pool, &path, &f->e), IM_OK);
    (void)snprintf(expect, sizeof expect, "%s/20261125T231405Z-imenable-%ld.jsonl", begin, (long)getpid());
    assert_string_equal(path, expect);
}

static void default_paths(void **state) {
    struct fixture *f = *state;
    const char *path = NULL;
    setenv("HOME", "/home1/jo", 1);
    unsetenv("XDG_STATE_HOME");
    assert_path(f, NULL, "/home1/jo/.local/state/imdir");
    setenv("XDG_STATE_HOME", "relative", 1);
    assert_path(f, NULL, "/home1/jo/.local/state/imdir");
    setenv("XDG_STATE_HOME", "/state", 1);
    assert_path(f, NULL, "/state/imdir");
    assert_path(f, "/var/lib/imdir", "/var/lib/imdir");
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "", 1);
    assert_int_equal(im_journal_default_path(NULL, "imenable", 0, f->pool, &path, &f->e), IM_E_USAGE);
    assert_mentions(f->e.text, "--journal");
    assert_mentions(f->e.text, "--no-journal");
    assert_int_equal(im_journal_default_path("/x", "../evil", 0, f->pool, &path, NULL), IM_E_INTERNAL);
    assert_int_equal(im_journal_default_path("/x", "", 0, f->pool, &path, NULL), IM_E_INTERNAL);
    assert_int_equal(im_journal_default_path("/x", "a", INT64_MAX, f->pool, &path, NULL), IM_E_INTERNAL);
    assert_int_equal(im_journal_default_path("/x", "a", INT64_C(999999999999), f->pool, &path, NULL), IM_E_INTERNAL);
    assert_null(path);
}

/* ---- out of memory ---- */

static enum im_err write_all(struct fixture *f, const struct im_journal_head *head, const struct im_record *record,
                             struct im_error *e) {
    struct im_journal *j = NULL;
    size_t id;
    enum im_err err = im_journal_create(f->path, head, &j, e);
    for (int i = 0; err == IM_OK && i < 20; i++)
        err = im_journal_add(j, record, &id, e);
    if (err == IM_OK && head->kind == IM_JOURNAL)
        err = im_journal_result(j, 1, IM_CHANGED, e);
    if (err == IM_OK)
        err = im_journal_end(j, &no_summary, true, e);
    if (err == IM_OK)
        assert_true(exists(f->path));
    im_journal_free(&j);
    return err;
}

static enum im_err attempt_writing(void *user, struct im_error *e) {
    struct fixture *f = user;
    size_t left = oom_pause();
    struct im_record record = change_of(f, 1);
    (void)unlink(f->path);
    oom_fail_at(left);
    enum im_err err = write_all(f, &journal_head, &record, e);
    (void)unlink(f->path);
    return err == IM_OK ? write_all(f, &plan_head, &record, e) : err;
}

static enum im_err attempt_reading(void *user, struct im_error *e) {
    const struct fixture *f = user;
    struct im_journal_reader *r = NULL;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_journal_open(f->path, IM_JOURNAL, &r, e) : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < im_journal_reader_count(r); i++) {
        struct im_record record;
        err = im_journal_read(r, i, pool, &record, e);
    }
    im_journal_close(&r);
    im_pool_free(&pool);
    return err;
}

static enum im_err attempt_naming(void *user, struct im_error *e) {
    (void)user;
    struct im_pool *pool = im_pool_new();
    const char *path;
    setenv("XDG_STATE_HOME", "/state", 1);
    enum im_err err = pool ? im_journal_default_path(NULL, "imenable", 0, pool, &path, e) : im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void out_of_memory(void **state) {
    struct fixture *f = *state;
    assert_true(oom_every_allocation(attempt_naming, NULL) >= 2);
    assert_true(oom_every_allocation(attempt_writing, f) >= 8);
    assert_int_equal(unlink(f->path), 0);
    struct im_journal *j = create(f, &journal_head);
    for (int i = 0; i < 100; i++)
        add(f, j, i);
    end(f, &j);
    assert_true(oom_every_allocation(attempt_reading, f) >= 8);
}

/* A line that there was no memory for leaves no trace, and others follow. */
static void lines_are_whole_without_memory(void **state) {
    struct fixture *f = *state;
    struct im_journal *j = create(f, &journal_head);
    size_t refused = 0;
    for (int i = 0; i < 200; i++) {
        struct im_record record = change_of(f, i);
        size_t id;
        oom_fail_at(1);
        enum im_err err = im_journal_add(j, &record, &id, NULL);
        oom_fail_at(0);
        refused += err == IM_E_NOMEM;
        if (err == IM_E_NOMEM)
            add(f, j, i);
    }
    assert_true(refused > 2);
    assert_int_equal(im_journal_count(j), 200);
    end(f, &j);
    struct im_journal_reader *r = open_reader(f, IM_JOURNAL);
    assert_int_equal(im_journal_reader_count(r), 200);
    im_journal_close(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(head_comes_back),
        TEST(small_head_comes_back),
        TEST(any_value_comes_back),
        TEST(outcomes_tell_the_state),
        TEST(last_line_counts),
        TEST(thousands_in_any_order),
        TEST(file_and_folders_are_private),
        TEST(relative_path),
        TEST(nothing_is_written_over),
        TEST(no_place_for_it),
        TEST(before_image_is_there_before_sync_returns),
        TEST(results_do_not_pile_up),
        TEST(misuse_is_told),
        TEST(journal_without_changes_leaves_nothing),
        TEST(plan_appears_when_it_is_whole),
        TEST(half_a_plan_is_none),
        TEST(plan_does_not_take_a_name_that_was_taken_meanwhile),
        TEST(full_disk),
        TEST(full_disk_at_the_start),
        TEST(default_paths),
        TEST(out_of_memory),
        TEST(lines_are_whole_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
