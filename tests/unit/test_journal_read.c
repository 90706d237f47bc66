/* Journals and plan files that are not as they were written: broken off, damaged, edited, somebody else's. */
#include "lib/engine/journal.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char path[64];
    struct im_pool *pool;
    struct im_journal_reader *reader;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    strcpy(f->path, "/tmp/imdir-journal-XXXXXX");
    f->pool = im_pool_new();
    int fd = mkstemp(f->path);
    *state = f;
    return f->pool && fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    (void)unlink(f->path);
    im_journal_close(&f->reader);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *text, size_t len) {
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static enum im_err open_again(struct fixture *f, enum im_journal_kind kind) {
    im_journal_close(&f->reader);
    im_error_clear(&f->e);
    return im_journal_open(f->path, kind, &f->reader, &f->e);
}

static enum im_err open_text(struct fixture *f, enum im_journal_kind kind, const char *text) {
    put(f, text, strlen(text));
    return open_again(f, kind);
}

#define REST "\"command\":\"imenable\",\"profile\":\"p\",\"directory\":\"ldap://a\",\"started\":\"2026-11-25T20:00:00Z\"}\n"
#define JOURNAL "{\"type\":\"journal\",\"version\":1," REST
#define PLAN "{\"type\":\"plan\",\"version\":1," REST
#define CHANGE(id)                                                                                                               \
    "{\"type\":\"change\",\"id\":" id ",\"dn\":\"cn=a\",\"attributes\":[{\"attribute\":\"a\",\"before\":[],\"after\":[\"x\"]}]}" \
    "\n"
#define RESULT(id, outcome) "{\"type\":\"result\",\"id\":" id ",\"outcome\":\"" outcome "\"}\n"
#define END "{\"type\":\"end\",\"complete\":true}\n"

static size_t count(const struct fixture *f) {
    return im_journal_reader_count(f->reader);
}

/* ---- broken off ---- */

/* What must be known when only the first `len` bytes are there: a change whose object is whole, a result whose object is. */
static void expect_states(const char *text, size_t len, enum im_record_state *states, size_t *changes, bool *complete) {
    *changes = 0;
    *complete = false;
    for (size_t at = 0; at < len;) {
        size_t end = at + strcspn(text + at, "\n"); /* behind the brace */
        const char *line = text + at;
        if (end > len)
            return;
        if (strstr(line, "\"change\"") && strstr(line, "\"change\"") < text + end)
            states[(*changes)++] = IM_RECORD_UNKNOWN;
        const char *changed = strstr(line, "changed");
        if (strncmp(line, "{\"type\":\"result\"", 16) == 0) {
            size_t id = strtoul(strstr(line, "\"id\":") + 5, NULL, 10);
            states[id - 1] = changed && changed < text + end ? IM_RECORD_WRITTEN : IM_RECORD_NOT_MADE;
        }
        *complete = strncmp(line, "{\"type\":\"end\"", 13) == 0;
        at = end + 1;
    }
}

static const char small[] =
    JOURNAL CHANGE("1") CHANGE("2") RESULT("2", "changed") CHANGE("3") RESULT("1", "failed") RESULT("3", "changed") END;

static void assert_states(struct fixture *f, const char *text, size_t len) {
    enum im_record_state states[8];
    size_t changes;
    bool complete;
    expect_states(text, len, states, &changes, &complete);
    if (open_again(f, IM_JOURNAL) != IM_OK)
        fail_msg("%zu bytes: %s", len, f->e.text);
    assert_int_equal(count(f), changes);
    for (size_t i = 0; i < changes; i++) {
        struct im_record record;
        assert_int_equal(im_journal_state(f->reader, i), states[i]);
        assert_int_equal(im_journal_read(f->reader, i, f->pool, &record, &f->e), IM_OK);
        assert_int_equal(record.state, states[i]);
        assert_string_equal(record.diffs[0].after[0].bv_val, "x");
    }
    assert_int_equal(im_journal_is_complete(f->reader), complete);
}

static void journal_may_end_anywhere(void **state) {
    struct fixture *f = *state;
    size_t head = sizeof JOURNAL - 2; /* without the line end */
    for (size_t len = 0; len < sizeof small; len++) {
        put(f, small, len);
        if (len >= head) {
            assert_states(f, small, len);
            continue;
        }
        assert_int_equal(open_again(f, IM_JOURNAL), IM_E_INPUT);
        assert_mentions(f->e.text, len ? "breaks off in its first line" : "is empty");
        assert_string_equal(f->e.where, f->path);
    }
}

/* After a power failure the end may be anything. */
static void last_line_may_be_rubbish(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text;
        size_t len;
    } ends[] = {{"\0\0\0\0", 4}, {"\xff\xfe\n", 3}, {"{\"type\":\"resu\n", 14}, {"\n", 1}, {"[1,2", 4}};
    char text[sizeof small + 32];
    for (size_t i = 0; i < LENGTH(ends); i++) {
        size_t len = sizeof small - sizeof END;
        memcpy(text, small, len);
        memcpy(text + len, ends[i].text, ends[i].len);
        put(f, text, len + ends[i].len);
        assert_states(f, small, len);
    }
}

static void plan_must_be_whole(void **state) {
    struct fixture *f = *state;
    static const char text[] = PLAN CHANGE("1") CHANGE("2") END;
    for (size_t len = 0; len < sizeof text - 2; len++) {
        put(f, text, len);
        assert_int_equal(open_again(f, IM_PLAN_FILE), IM_E_INPUT);
        assert_string_equal(f->e.where, f->path);
    }
    put(f, text, sizeof text - 2);
    assert_int_equal(open_again(f, IM_PLAN_FILE), IM_OK);
    assert_int_equal(open_text(f, IM_PLAN_FILE, PLAN CHANGE("1")), IM_E_INPUT);
    assert_mentions(f->e.text, "is not complete: the dry run that wrote it was interrupted");
    assert_int_equal(open_text(f, IM_PLAN_FILE, PLAN CHANGE("1") "{\"type\":\"end\",\"complete\":false}\n"), IM_E_INPUT);
    assert_mentions(f->e.text, "is not complete");
}

/* ---- damaged ---- */

static void each_line_may_be_damaged_but_the_last(void **state) {
    struct fixture *f = *state;
    size_t line = 1;
    for (size_t at = 0; at < sizeof small - sizeof END; line++) {
        size_t len = strcspn(small + at, "\n");
        char text[sizeof small];
        memcpy(text, small, sizeof small);
        text[at + len / 2] = '\x01';
        put(f, text, sizeof small - 1);
        assert_int_equal(open_again(f, IM_JOURNAL), IM_E_INPUT);
        assert_int_equal(f->e.line, line);
        assert_string_equal(f->e.where, f->path);
        assert_mentions(f->e.text, "not JSON");
        at += len + 1;
    }
    assert_int_equal(line, 8);
}

struct wrong {
    const char *text;
    size_t line;
    const char *words;
};

static void assert_wrong(struct fixture *f, enum im_journal_kind kind, const struct wrong *w) {
    if (open_text(f, kind, w->text) != IM_E_INPUT)
        fail_msg("\"%s\" was taken", w->text);
    assert_int_equal(f->e.line, w->line);
    assert_mentions(f->e.text, w->words);
    assert_string_equal(f->e.where, f->path);
}

#define BAD_CHANGE(more) JOURNAL "{\"type\":\"change\",\"id\":1," more "}\n" END
#define BAD_ATTRIBUTES(list) BAD_CHANGE("\"dn\":\"cn=a\",\"attributes\":" list)
#define VALUES(list) BAD_ATTRIBUTES("[{\"attribute\":\"a\",\"before\":[],\"after\":" list "}]")

static void every_line_is_looked_at(void **state) {
    struct fixture *f = *state;
    static const struct wrong list[] = {
        {"dn: cn=a\nchangetype: modify\n", 1, "this is no journal of imdir: not JSON"},
        {"{\"type\":\"run\"}\n", 1, "this is no journal of imdir"},
        {"[]\n", 1, "\"type\" is none of"},
        {"{\"type\":7}\n", 1, "\"type\" is none of"},
        {END, 1, "first line does not say so"},
        {CHANGE("1") JOURNAL, 1, "first line does not say so"},
        {JOURNAL JOURNAL END, 2, "a second first line"},
        {JOURNAL "{\"type\":\"note\"}\n" END, 2, "\"type\" is none of"},
        {JOURNAL "\n" END, 2, "not JSON"},
        {JOURNAL END END, 3, "a line behind the last one"},
        {JOURNAL END CHANGE("1"), 3, "a line behind the last one"},
        {JOURNAL "{\"type\":\"end\",\"type\":\"end\"}\n", 2, "not JSON: duplicate"},
        {JOURNAL "{\"type\":\"end\",\"complete\":1}\n", 2, "\"complete\" is neither true nor false"},
        /* the head */
        {"{\"type\":\"journal\"," REST END, 1, "\"version\" is not a number"},
        {"{\"type\":\"journal\",\"version\":0," REST END, 1, "\"version\" is not a number"},
        {"{\"type\":\"journal\",\"version\":\"1\"," REST END, 1, "\"version\" is not a number"},
        {"{\"type\":\"journal\",\"version\":2," REST END, 1, "written by a newer imdir"},
        {"{\"type\":\"journal\",\"version\":1,\"profile\":\"p\",\"directory\":\"d\"}\n" END, 1, "\"command\" is missing"},
        {"{\"type\":\"journal\",\"version\":1,\"command\":\"c\",\"profile\":\"\",\"directory\":\"d\"}\n" END, 1,
         "\"profile\" is missing"},
        {"{\"type\":\"journal\",\"version\":1,\"command\":\"c\",\"profile\":\"p\",\"directory\":\"d\",\"started\":\"x\"}\n" END,
         1, "\"started\" is not a time"},
        {"{\"type\":\"journal\",\"version\":1,\"command\":\"c\",\"profile\":\"p\",\"directory\":\"d\",\"started\":"
         "\"2026-02-30T20:00:00Z\"}\n" END,
         1, "\"started\" is not a time"},
        {"{\"type\":\"journal\",\"version\":1,\"keep_opaque\":\"no\"," REST END, 1, "\"keep_opaque\" is neither"},
        {"{\"type\":\"journal\",\"version\":1,\"allow\":\"x\"," REST END, 1, "\"allow\" is not a list"},
        {"{\"type\":\"journal\",\"version\":1,\"allow\":[1]," REST END, 1, "allow: a text"},
        {"{\"type\":\"journal\",\"version\":1,\"allow\":[{\"base64\":\"AA==\"}]," REST END, 1, "allow: it holds a NUL"},
        /* numbers */
        {JOURNAL CHANGE("0") END, 2, "\"id\" is not a number from 1"},
        {JOURNAL CHANGE("-1") END, 2, "\"id\" is not a number from 1"},
        {JOURNAL CHANGE("1.0") END, 2, "\"id\" is not a number from 1"},
        {JOURNAL CHANGE("\"1\"") END, 2, "\"id\" is not a number from 1"},
        {JOURNAL CHANGE("99999999999999999999") END, 2, "not JSON"},
        {JOURNAL CHANGE("2") END, 2, "change 2 does not follow change 0"},
        {JOURNAL CHANGE("1") CHANGE("1") END, 3, "change 1 does not follow change 1"},
        {JOURNAL CHANGE("1") CHANGE("3") END, 3, "change 3 does not follow change 1"},
        {JOURNAL CHANGE("1") RESULT("2", "changed") CHANGE("2") END, 3, "a result of change 2, which is not there"},
        {JOURNAL CHANGE("1") RESULT("0", "changed") END, 3, "\"id\" is not a number from 1"},
        {JOURNAL CHANGE("1") RESULT("1", "done") END, 3, "\"outcome\" is none"},
        {JOURNAL CHANGE("1") "{\"type\":\"result\",\"id\":1}\n" END, 3, "\"outcome\" is missing"},
        /* changes */
        {BAD_CHANGE("\"attributes\":[]"), 2, "\"dn\" is missing"},
        {BAD_CHANGE("\"dn\":\"\""), 2, "\"dn\" is missing"},
        {BAD_CHANGE("\"dn\":\"nobody\""), 2, "\"dn\" is not a distinguished name"},
        {BAD_CHANGE("\"dn\":[\"cn=a\"]"), 2, "dn: a text or"},
        {BAD_CHANGE("\"dn\":{\"base64\":\"Y249YQBi\"}"), 2, "dn: it holds a NUL"},
        {BAD_CHANGE("\"dn\":\"cn=a\",\"guid\":\"1234\""), 2, "\"guid\" is not"},
        {BAD_CHANGE("\"dn\":\"cn=a\",\"account\":null"), 2, "account: a text or"},
        {BAD_CHANGE("\"dn\":\"cn=a\""), 2, "\"attributes\" is not a list of 1 to"},
        {BAD_ATTRIBUTES("[]"), 2, "\"attributes\" is not a list of 1 to"},
        {BAD_ATTRIBUTES("{}"), 2, "\"attributes\" is not a list of 1 to"},
        {BAD_ATTRIBUTES("[1]"), 2, "\"attribute\" is missing"},
        {BAD_ATTRIBUTES("[{\"attribute\":\"a b\",\"before\":[],\"after\":[]}]"), 2, "\"attribute\" is not the name of one"},
        {BAD_ATTRIBUTES("[{\"attribute\":\"a\",\"after\":[]}]"), 2, "\"before\" is not a list"},
        {BAD_ATTRIBUTES("[{\"attribute\":\"a\",\"before\":[]}]"), 2, "\"after\" is not a list"},
        {BAD_ATTRIBUTES("[{\"attribute\":\"a\",\"before\":[],\"after\":[]},{\"attribute\":\"A\",\"before\":[],\"after\":[]}]"), 2,
         "has A twice"},
        {VALUES("\"x\""), 2, "\"after\" is not a list"},
        {VALUES("[1]"), 2, "after: a text or"},
        {VALUES("[{}]"), 2, "after: a text or"},
        {VALUES("[{\"base64\":1}]"), 2, "after: a text or"},
        {VALUES("[{\"base64\":\"eA==\",\"x\":1}]"), 2, "after: a text or"},
        {VALUES("[{\"base64\":\"eA=\"}]"), 2, "base64 is wrong at character"},
        {VALUES("[{\"base64\":\"e?==\"}]"), 2, "base64 is wrong at character 2"},
        {VALUES("[\"\\u0000\"]"), 2, "not JSON"},
        {VALUES("[\"\xff\"]"), 2, "not JSON"},
    };
    for (size_t i = 0; i < LENGTH(list); i++)
        assert_wrong(f, IM_JOURNAL, &list[i]);
    const struct wrong result_of_a_plan = {PLAN CHANGE("1") RESULT("1", "changed") END, 3, "a plan has no results"};
    const struct wrong rubbish_behind_a_plan = {PLAN CHANGE("1") END "{", 4, "not JSON"};
    assert_wrong(f, IM_PLAN_FILE, &result_of_a_plan);
    assert_wrong(f, IM_PLAN_FILE, &rubbish_behind_a_plan);
}

static void each_has_its_command(void **state) {
    struct fixture *f = *state;
    const struct wrong plan = {PLAN END, 1, "this is a plan, not a journal: imapply"};
    const struct wrong journal = {JOURNAL END, 1, "this is a journal, not a plan: imundo"};
    assert_wrong(f, IM_JOURNAL, &plan);
    assert_wrong(f, IM_PLAN_FILE, &journal);
}

/* ---- edited with care ---- */

static void lines_may_be_taken_out_of_a_plan(void **state) {
    struct fixture *f = *state;
    assert_int_equal(open_text(f, IM_PLAN_FILE, PLAN CHANGE("3") CHANGE("7") END), IM_OK);
    struct im_record record;
    assert_int_equal(count(f), 2);
    assert_int_equal(im_journal_read(f->reader, 1, f->pool, &record, &f->e), IM_OK);
    assert_int_equal(record.id, 7);
    assert_int_equal(im_journal_line(f->reader, 1), 3);
    assert_int_equal(open_text(f, IM_PLAN_FILE, PLAN CHANGE("7") CHANGE("3") END), IM_E_INPUT);
}

static void order_of_keys_blanks_and_new_keys_do_not_matter(void **state) {
    struct fixture *f = *state;
    static const char text[] =
        "  {\"version\": 1, \"new\": {}, \"type\": \"journal\", " REST
        "{ \"attributes\" : [ { \"after\" : [ ] , \"before\" : [ { \"base64\" : \"\" } ] , \"attribute\" : \"x\" } ] ,"
        "\"dn\":\"cn=\\u00fc\",\"id\":1,\"type\":\"change\"}\r\n" END;
    struct im_record record;
    assert_int_equal(open_text(f, IM_JOURNAL, text), IM_OK);
    assert_int_equal(im_journal_read(f->reader, 0, f->pool, &record, &f->e), IM_OK);
    assert_string_equal(record.dn, "cn=ü");
    assert_int_equal(record.diffs[0].before_count, 1);
    assert_int_equal(record.diffs[0].before[0].bv_len, 0);
    assert_null(record.guid);
}

/* ---- the file ---- */

static void no_such_file(void **state) {
    struct fixture *f = *state;
    (void)unlink(f->path);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_E_IO);
    assert_string_equal(f->e.where, f->path);
    assert_mentions(f->e.text, "No such file");
}

static void only_regular_files(void **state) {
    struct fixture *f = *state;
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_E_INPUT); /* and does not wait for a writer */
    assert_mentions(f->e.text, "regular file");
    struct im_journal_reader *r = NULL;
    assert_int_equal(im_journal_open("/tmp", IM_PLAN_FILE, &r, NULL), IM_E_INPUT);
    assert_int_equal(im_journal_open("/dev/null", IM_PLAN_FILE, &r, NULL), IM_E_INPUT);
    assert_null(r);
}

static void not_while_it_is_written(void **state) {
    struct fixture *f = *state;
    const struct im_journal_head head = {.command = "imenable", .profile = "p", .directory = "d"};
    const struct im_record record = {.dn = "cn=a", .diffs = &(struct im_plan_diff){.attribute = "a"}, .diff_count = 1};
    struct im_journal *j = NULL;
    size_t id;
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(im_journal_create(f->path, &head, &j, &f->e), IM_OK);
    assert_int_equal(im_journal_add(j, &record, &id, &f->e), IM_OK);
    assert_int_equal(im_journal_sync(j, &f->e), IM_OK);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_E_INPUT);
    assert_mentions(f->e.text, "is still running");
    im_journal_free(&j);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_OK);
    struct im_journal_reader *second = NULL; /* two may read it */
    assert_int_equal(im_journal_open(f->path, IM_JOURNAL, &second, &f->e), IM_OK);
    im_journal_close(&second);
}

static char *long_journal(struct fixture *f, size_t changes, size_t value, size_t *len) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, JOURNAL);
    for (size_t i = 1; i <= changes; i++) {
        im_buf_addf(&text,
                    "{\"type\":\"change\",\"id\":%zu,\"dn\":\"cn=a\",\"attributes\":[{\"attribute\":\"a\",\"before\":[],"
                    "\"after\":[\"",
                    i);
        for (size_t k = 0; k < value; k++)
            im_buf_addc(&text, 'x');
        im_buf_adds(&text, "\"]}]}\n");
    }
    im_buf_adds(&text, END);
    assert_false(text.failed);
    *len = text.len;
    (void)f;
    return im_buf_take(&text);
}

static void long_lines(void **state) {
    struct fixture *f = *state;
    size_t len;
    struct im_record record;
    char *text = long_journal(f, 3, 1000000, &len);
    put(f, text, len);
    free(text);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_OK);
    for (size_t i = 3; i-- > 0;) {
        assert_int_equal(im_journal_read(f->reader, i, f->pool, &record, &f->e), IM_OK);
        assert_int_equal(record.id, i + 1);
        assert_int_equal(record.diffs[0].after[0].bv_len, 1000000);
    }
    text = long_journal(f, 1, 17 << 20, &len);
    put(f, text, len);
    free(text);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_E_INPUT);
    assert_mentions(f->e.text, "longer than 16777216 bytes");
    assert_int_equal(f->e.line, 2);
}

static void change_between_the_passes_is_noticed(void **state) {
    struct fixture *f = *state;
    size_t len;
    struct im_record record;
    char *text = long_journal(f, 100, 5000, &len);
    put(f, text, len);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_OK);
    FILE *file = fopen(f->path, "a");
    assert_true(file && fputs("x", file) >= 0 && fclose(file) == 0);
    assert_int_equal(im_journal_read(f->reader, 0, f->pool, &record, &f->e), IM_E_INPUT);
    assert_mentions(f->e.text, "was changed while it was read");
    put(f, text, len);
    assert_int_equal(open_again(f, IM_JOURNAL), IM_OK);
    assert_int_equal(truncate(f->path, 1000), 0);
    assert_int_equal(im_journal_read(f->reader, 0, f->pool, &record, &f->e), IM_E_INPUT);
    assert_mentions(f->e.text, "was changed while it was read");
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(journal_may_end_anywhere),
        TEST(last_line_may_be_rubbish),
        TEST(plan_must_be_whole),
        TEST(each_line_may_be_damaged_but_the_last),
        TEST(every_line_is_looked_at),
        TEST(each_has_its_command),
        TEST(lines_may_be_taken_out_of_a_plan),
        TEST(order_of_keys_blanks_and_new_keys_do_not_matter),
        TEST(no_such_file),
        TEST(only_regular_files),
        TEST(not_while_it_is_written),
        TEST(long_lines),
        TEST(change_between_the_passes_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
