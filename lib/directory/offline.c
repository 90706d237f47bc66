#include "lib/directory/offline.h"

#include "lib/directory/connect.h"
#include "lib/directory/offline_impl.h"

#include "lib/base/text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEME "ldif:"

enum { BETWEEN_LOOKS = 256, TRACE = 2 };

struct im_offline {
    struct im_pool *pool;
    struct im_live_options options;
    const atomic_int *stop;
    const char *uri, *path;
    struct im_ldif_file *file;
    struct im_offline_survey survey;
    struct im_offline_assumed assumed;
    struct im_offline_batch *next; /* searches that wait for a pass; NULL: none do */
    /* the pass that is under way */
    struct im_offline_batch *batch;
    struct im_ldif_reader *reader;
    size_t assumed_at, looked, hit, told;
    const struct im_entry *entry;
    const size_t *numbers;
    bool at_end;
};

/* As on a live directory: -vv shows each operation. */
__attribute__((format(printf, 2, 3))) static void trace(const struct im_offline *o, const char *format, ...) {
    char text[512];
    va_list args;
    if (!o->options.log || o->options.verbosity < TRACE)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    o->options.log(o->options.log_user, TRACE, text);
}

/* ---- a pass ---- */

static void end_pass(struct im_offline *o) {
    im_ldif_reader_free(&o->reader);
    im_offline_batch_free(&o->batch);
}

static enum im_err begin_pass(struct im_offline *o, struct im_error *e) {
    const struct im_ldif_source source = im_ldif_file_source(o->file);
    o->batch = o->next;
    o->next = NULL;
    o->assumed_at = o->looked = o->hit = o->told = 0;
    o->at_end = false;
    trace(o, "searches that are answered by one pass over the export: %zu", o->batch->left);
    enum im_err err = im_offline_batch_close(o->batch, e);
    if (err == IM_OK)
        err = im_ldif_file_rewind(o->file, e);
    if (err == IM_OK)
        err = im_ldif_reader_open(&source, o->path, &o->reader, e);
    if (err == IM_OK && !o->batch->wants_all)
        im_ldif_reader_want(o->reader, o->batch->names.items, o->batch->names.count);
    if (err != IM_OK)
        end_pass(o);
    return err;
}

static enum im_err refuse_partial(const struct im_offline *o, struct im_error *e) {
    const char *name = im_ldif_partial(o->reader);
    if (!name)
        return IM_OK;
    return im_error_set_at(e, IM_E_TRUNCATED, o->path, o->entry->line, 0,
                           "the export has only a part of %s: ask the server for the rest as well (%s;range=...)", name, name);
}

/* The next entry, first of what is assumed, then of the file. */
static enum im_err look_further(struct im_offline *o, struct im_error *e) {
    bool is_assumed = o->assumed_at < o->assumed.count;
    if (o->stop && *o->stop && o->looked % BETWEEN_LOOKS == 0)
        return im_error_set(e, IM_E_INTERRUPTED, "stopped on request");
    o->looked++;
    o->hit = 0;
    o->batch->hits.count = 0;
    enum im_err err = IM_OK;
    if (is_assumed) {
        o->entry = o->assumed.entries[o->assumed_at++];
    } else {
        err = im_ldif_next(o->reader, &o->entry, e);
    }
    o->numbers = is_assumed ? NULL : im_ldif_wanted(o->reader);
    o->at_end = err != IM_OK || !o->entry;
    if (o->at_end)
        return err;
    if (!is_assumed)
        err = refuse_partial(o, e);
    return err == IM_OK ? im_offline_batch_look(o->batch, o->entry, o->numbers, is_assumed, e) : err;
}

/* The next search that gets the entry. */
static enum im_err give_entry(struct im_offline *o, struct im_event *event, struct im_error *e) {
    struct im_offline_batch *b = o->batch;
    while (o->hit < b->hits.count) {
        struct im_offline_search *s = &b->searches.items[b->hits.items[o->hit++]];
        if (s->is_told)
            continue;
        if (s->search.scope == IM_SEARCH_BASE)
            im_offline_search_end(b, s);
        *event = (struct im_event){.kind = IM_EVENT_ENTRY, .token = s->token};
        return im_offline_batch_view(b, s, o->entry, o->numbers, &event->entry, e);
    }
    return IM_OK;
}

static void tell_end(struct im_offline *o, struct im_event *event) {
    struct im_offline_batch *b = o->batch;
    while (o->told < b->searches.count) {
        struct im_offline_search *s = &b->searches.items[o->told++];
        if (s->is_told)
            continue;
        im_offline_search_end(b, s);
        s->is_told = true;
        *event = (struct im_event){
            .kind = IM_EVENT_DONE, .token = s->token, .answer = {.code = im_offline_batch_code(b, s), .diagnostic = ""}};
        return;
    }
    end_pass(o);
}

static enum im_err step(struct im_offline *o, struct im_event *event, struct im_error *e) {
    enum im_err err = o->batch ? IM_OK : begin_pass(o, e);
    if (err != IM_OK)
        return err;
    if (o->hit < o->batch->hits.count)
        return give_entry(o, event, e);
    if (!o->at_end && o->batch->left)
        return look_further(o, e);
    tell_end(o, event);
    return IM_OK;
}

/* ---- the interface ---- */

static enum im_err wait(void *impl, int64_t wait_ms, struct im_event *event, struct im_error *e) {
    struct im_offline *o = impl;
    enum im_err err = IM_OK;
    *event = (struct im_event){.kind = IM_EVENT_NONE};
    while (err == IM_OK && event->kind == IM_EVENT_NONE && (o->batch || o->next))
        err = step(o, event, e);
    if (err != IM_OK)
        end_pass(o);
    if (err != IM_OK || event->kind != IM_EVENT_NONE || wait_ms <= 0)
        return err;
    bool is_stopped = im_wait_until(NULL, im_clock_ms() + wait_ms, o->stop) == IM_WAITED_STOP;
    return is_stopped ? im_error_set(e, IM_E_INTERRUPTED, "stopped on request") : IM_OK;
}

static enum im_err start_search(void *impl, const struct im_search *search, void *token, struct im_error *e) {
    struct im_offline *o = impl;
    trace(o, "search \"%s\" %s", search->base, search->filter ? search->filter : "(objectClass=*)");
    enum im_err err = o->next ? IM_OK : im_offline_batch_new(&o->survey, o->assumed.rootdse.is_ad, &o->next, e);
    return err == IM_OK ? im_offline_batch_add(o->next, search, token, e) : err;
}

static enum im_err never(const struct im_offline *o, struct im_error *e) {
    return im_error_set(e, IM_E_USAGE, "%s is an export, which is never altered", o->uri);
}

static enum im_err start_modify(void *impl, const struct im_change *change, void *token, struct im_error *e) {
    (void)change, (void)token;
    return never(impl, e);
}

static enum im_err start_add(void *impl, const struct im_entry *entry, void *token, struct im_error *e) {
    (void)entry, (void)token;
    return never(impl, e);
}

static void abandon_in(struct im_offline_batch *b, const void *token) {
    for (size_t i = 0; b && i < b->searches.count; i++) {
        struct im_offline_search *s = &b->searches.items[i];
        if (s->token != token || s->is_told)
            continue;
        im_offline_search_end(b, s);
        s->is_told = true;
    }
}

static void abandon(void *impl, void *token) {
    struct im_offline *o = impl;
    abandon_in(o->batch, token);
    abandon_in(o->next, token);
}

static int64_t now_ms(void *impl) {
    (void)impl;
    return im_clock_ms();
}

static int no_fd(void *impl) {
    (void)impl;
    return -1;
}

static enum im_err reopen(void *impl, struct im_error *e) {
    struct im_offline *o = impl;
    (void)e;
    end_pass(o);
    im_offline_batch_free(&o->next);
    return IM_OK;
}

static void free_offline(void *impl) {
    struct im_offline *o = impl;
    end_pass(o);
    im_offline_batch_free(&o->next);
    im_ldif_file_free(&o->file);
    free(o->survey.trees.items);
    free(o->survey.heads.items);
    free(o->survey.attributes.items);
    free(o->survey.classes.items);
    free(o->survey.static_classes.items);
    free(o->survey.types.items);
    free(o->survey.object_classes.items);
    free(o->survey.content_rules.items);
    free(o->survey.macros.items);
    im_pool_free(&o->pool);
    free(o);
}

static const struct im_directory_ops ops = {
    .start_search = start_search,
    .start_modify = start_modify,
    .start_add = start_add,
    .wait = wait,
    .now_ms = now_ms,
    .fd = no_fd,
    .reopen = reopen,
    .abandon = abandon,
    .free = free_offline,
};

/* ---- opening ---- */

const char *im_offline_path(const char *uri) {
    return strncasecmp(uri, SCHEME, strlen(SCHEME)) == 0 ? uri + strlen(SCHEME) : NULL;
}

bool im_offline_is_wanted(const struct im_config *config) {
    for (size_t i = 0; i < config->uris.count; i++) {
        if (im_offline_path(config->uris.items[i]))
            return true;
    }
    return false;
}

static enum im_err survey(struct im_offline *o, const struct im_live_options *options, struct im_error *e) {
    struct im_profile *profile = NULL;
    enum im_err err = im_profile_load(options->config->profile, &profile, e);
    if (err == IM_OK)
        err = im_offline_survey(o->file, o->path, profile, o->stop, &o->survey, e);
    if (err == IM_OK && !o->survey.entries)
        err = im_error_set_at(e, IM_E_INVISIBLE, o->path, 0, 0, "the export holds no entry");
    if (err == IM_OK)
        err = im_offline_assume(&o->survey, profile, o->pool, &o->assumed, e);
    im_profile_free(&profile);
    return err;
}

static void tell(const struct im_offline *o, const struct im_live_options *options) {
    if (!options->log || options->verbosity < 1 || !o->assumed.rootdse.has_assumed_schema)
        return;
    options->log(options->log_user, 1, "the export holds no schema: what the profile defines is assumed to be there");
}

static enum im_err open_file(struct im_offline *o, const struct im_live_options *options, struct im_error *e) {
    const struct im_config *config = options->config;
    if (config->uris.count > 1 || config->server) {
        return im_error_set(e, IM_E_USAGE, "%sFILE stands for a whole directory: name no other server beside it", SCHEME);
    }
    o->uri = config->uris.items[0];
    o->path = im_offline_path(o->uri);
    o->options = *options;
    o->stop = options->stop;
    o->pool = o->survey.pool = im_pool_new();
    return o->pool ? im_ldif_file_open(o->path, &o->file, e) : im_error_nomem(e);
}

enum im_err im_offline_open(const struct im_live_options *options, struct im_directory **out, struct im_error *e) {
    struct im_offline *o = calloc(1, sizeof *o);
    enum im_err err = o ? open_file(o, options, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = survey(o, options, e);
    if (err != IM_OK) {
        if (o)
            free_offline(o);
        return err;
    }
    tell(o, options);
    struct im_directory *d = im_directory_new_take(&ops, o, &o->assumed.rootdse, o->uri, "whoever made the export");
    if (!d)
        return im_error_nomem(e);
    *out = d;
    return IM_OK;
}
