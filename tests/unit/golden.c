#include "tests/unit/golden.h"

#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>

static const char *const files[] = {"expect", "facts.yaml", "account.ldif"};

struct golden {
    char *path;
    golden_tell *tell; /* one of the two */
    golden_survey_tell *tell_survey;
};

static int is_visible(const struct dirent *d) {
    return d->d_name[0] != '.';
}

static void name_file(char *out, size_t size, const char *folder, const char *file) {
    assert_in_range(snprintf(out, size, "%s/%s", folder, file), 1, size - 1);
}

static char *read_file(const char *path) {
    FILE *stream = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (!stream)
        fail_msg("%s cannot be read", path);
    if (getdelim(&text, &size, '\0', stream) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(stream);
    return text;
}

/* Only the wanted files, so that a misspelt one is not passed over. */
static void check_folder(const char *folder, size_t wanted, bool writes) {
    struct dirent **found = NULL;
    int count = scandir(folder, &found, is_visible, alphasort);
    bool seen[LENGTH(files)] = {false};
    char strange[256] = "";
    for (int i = 0; i < count; i++) {
        size_t f = 0;
        while (f < wanted && strcmp(files[f], found[i]->d_name) != 0)
            f++;
        if (f < wanted) {
            seen[f] = true;
        } else {
            snprintf(strange, sizeof strange, "%s", found[i]->d_name);
        }
        free(found[i]);
    }
    free(found);
    if (*strange)
        fail_msg("%s: what is %s for?", folder, strange);
    for (size_t f = 0; f < wanted; f++) {
        if (!seen[f] && !(writes && strcmp(files[f], "expect") == 0))
            fail_msg("%s: %s is missing", folder, files[f]);
    }
}

static void write_file(const char *path, const char *text) {
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void one_folder(void **state) {
    const struct golden *g = *state;
    char path[512];
    bool writes = getenv("GOLDEN_WRITE") != NULL;
    struct im_buf got = IM_BUF_INIT;
    check_folder(g->path, g->tell ? LENGTH(files) : LENGTH(files) - 1, writes);
    name_file(path, sizeof path, g->path, "facts.yaml");
    if (g->tell_survey) {
        g->tell_survey(path, &got);
    } else if (g->tell) {
        struct world *w = world_from_file(path);
        name_file(path, sizeof path, g->path, "account.ldif");
        g->tell(w, world_entry_from_file(w, path), &got);
        world_free(&w);
    }
    assert_false(got.failed);
    name_file(path, sizeof path, g->path, "expect");
    if (writes)
        write_file(path, im_buf_str(&got));
    char *expected = read_file(path);
    if (strcmp(expected, im_buf_str(&got)) != 0)
        fail_msg("%s expects\n%s\nbut this came out:\n%s", path, expected, im_buf_str(&got));
    free(expected);
    im_buf_free(&got);
}

static void there_are_folders(void **state) {
    const size_t *count = *state;
    if (*count == 0)
        fail_msg("no folder was found: this program is run from the top of the source");
}

static int run_folders(const char *top, struct golden how) {
    struct dirent **found = NULL;
    int count = scandir(top, &found, is_visible, alphasort);
    size_t folders = count > 0 ? (size_t)count : 0;
    struct CMUnitTest *tests = calloc(folders + 1, sizeof *tests);
    struct golden *cases = calloc(folders + 1, sizeof *cases);
    for (size_t i = 0; i < folders; i++) {
        cases[i] = how;
        if (asprintf(&cases[i].path, "%s/%s", top, found[i]->d_name) < 0)
            abort();
        tests[i] = (struct CMUnitTest){.name = found[i]->d_name, .test_func = one_folder, .initial_state = &cases[i]};
    }
    tests[folders] = (struct CMUnitTest){.name = "there are folders", .test_func = there_are_folders, .initial_state = &folders};
    int failed = _cmocka_run_group_tests(top, tests, folders + 1, NULL, NULL);
    for (size_t i = 0; i < folders; i++) {
        free(cases[i].path);
        free(found[i]);
    }
    free(found);
    free(cases);
    free(tests);
    return failed;
}

int golden_run(const char *top, golden_tell *tell) {
    return run_folders(top, (struct golden){.tell = tell});
}

int golden_run_surveys(const char *top, golden_survey_tell *tell) {
    return run_folders(top, (struct golden){.tell_survey = tell});
}

static bool has_line(const char *text, const char *line) {
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at += at != NULL) {
        if (strncmp(at, line, strlen(line)) == 0)
            return true;
    }
    return false;
}

static size_t count_folders(const char *top, const char *prefix, const char *line, bool has) {
    struct dirent **found = NULL;
    int count = scandir(top, &found, is_visible, alphasort);
    size_t hits = 0;
    for (int i = 0; i < count; i++) {
        char path[512];
        if (strncmp(found[i]->d_name, prefix, strlen(prefix)) == 0) {
            assert_in_range(snprintf(path, sizeof path, "%s/%s/expect", top, found[i]->d_name), 1, sizeof path - 1);
            char *text = line ? read_file(path) : NULL;
            hits += !line || has_line(text, line) == has;
            free(text);
        }
        free(found[i]);
    }
    free(found);
    return hits;
}

bool golden_has(const char *top, const char *prefix, const char *line, bool has) {
    return count_folders(top, prefix, line, has) > 0;
}

size_t golden_count(const char *top, const char *prefix) {
    return count_folders(top, prefix, NULL, true);
}
