/* Journals and plan files: what is read can be read in any order, is written again as the same, and is handed out as inputs. */
#include "lib/engine/journal_line.h"
#include "lib/engine/records.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The record as a line, and that line read. */
static void try_again(const struct im_record *record, struct im_pool *pool) {
    const struct im_journal_place place = {"again", 1};
    struct im_buf first = IM_BUF_INIT;
    struct im_buf second = IM_BUF_INIT;
    struct im_journal_line line;
    struct im_error e = {.code = IM_OK};
    bool is_json;
    im_journal_put_change(&first, record->id, record);
    MUST(!first.failed && memchr(first.data, '\n', first.len) == first.data + first.len - 1);
    MUST(im_journal_parse(first.data, first.len, &place, pool, &line, &is_json, &e) == IM_OK);
    im_journal_put_change(&second, line.record.id, &line.record);
    MUST(second.len == first.len && memcmp(first.data, second.data, first.len) == 0);
    im_buf_free(&first);
    im_buf_free(&second);
}

static void try_reader(struct im_journal_reader *r, struct im_pool *pool) {
    struct im_error e = {.code = IM_OK};
    size_t before = 0;
    MUST(im_journal_head(r)->command && im_journal_head(r)->profile && im_journal_head(r)->directory);
    for (size_t i = 0; i < im_journal_reader_count(r); i++) {
        struct im_record record;
        MUST(im_journal_read(r, i, pool, &record, &e) == IM_OK);
        MUST(record.id > before && record.state == im_journal_state(r, i) && record.diff_count > 0);
        before = record.id;
        try_again(&record, pool);
    }
}

static void try_inputs(const char *path, enum im_journal_kind kind, struct im_pool *pool) {
    struct im_records *records = NULL;
    struct im_error e = {.code = IM_OK};
    bool is_end = false;
    MUST(im_records_open(path, kind, &records, &e) == IM_OK);
    struct im_inputs inputs = im_records_inputs(records);
    for (size_t count = im_journal_reader_count(im_records_reader(records)); !is_end; count--) {
        struct im_input input;
        MUST(inputs.next(inputs.user, pool, &input, &is_end, &e) == IM_OK);
        MUST(is_end || (count > 0 && input.text && input.source && input.record && input.record->state != IM_RECORD_NOT_MADE));
    }
    im_records_close(&records);
}

static void try_file(const char *path, enum im_journal_kind kind) {
    struct im_journal_reader *r = NULL;
    struct im_error e = {.code = IM_OK};
    struct im_pool *pool = im_pool_new();
    if (pool && im_journal_open(path, kind, &r, &e) == IM_OK) {
        try_reader(r, pool);
        im_journal_close(&r);
        try_inputs(path, kind, pool);
    } else {
        MUST(!r && e.code == IM_E_INPUT && e.text[0] != '\0');
    }
    im_pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("journal", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    try_file(path, memmem(data, size, "plan", 4) ? IM_PLAN_FILE : IM_JOURNAL);
    return 0;
}
