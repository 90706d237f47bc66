/* A move in a few lines: how many go from where to where, how full the servers will be, and who cannot be moved. */
#ifndef IMDIR_TOOLS_PREVIEW_H
#define IMDIR_TOOLS_PREVIEW_H

#include "tools/command.h"

enum { IM_PREVIEW_NAMES = 3 };

struct im_preview {
    const struct im_profile *profile;
    const struct im_servers *servers;
    const char *from; /* what is left, where one server is named; else NULL */
    struct im_pool *pool;
    struct {
        struct im_preview_way {
            const char *from, *to;
            size_t people;
        } * items;
        size_t count, cap;
    } ways;
    struct {
        struct im_preview_reason {
            const char *reason;
            const char *names[IM_PREVIEW_NAMES]; /* the first of them */
            size_t people;
        } * items;
        size_t count, cap;
    } reasons;
};

/* Servers must outlive it; their users are those before the move. */
enum im_err im_preview_begin(struct im_preview *p, const struct im_profile *profile, const struct im_servers *servers,
                             const char *from, struct im_error *e);
enum im_err im_preview_add(struct im_preview *p, const struct im_result *result, struct im_error *e);
void im_preview_write(const struct im_preview *p, struct im_buf *out);
/* On standard error; nothing where nobody would be moved or refused. */
enum im_err im_preview_print(struct im_command *c, const struct im_preview *p);
void im_preview_free(struct im_preview *p);

#endif
