/* Other servers that hold the same accounts: who they are, and what they say. */
#include "tools/check_facts.h"

#include <string.h>

enum { DIFFERENCES_MOST = 10000 };

/* Not to know them is a finding, no reason to end. */
static bool is_fatal(enum im_err err) {
    return err == IM_E_NOMEM || err == IM_E_INTERRUPTED || err == IM_E_LOST || err == IM_E_TIMEOUT;
}

static enum im_err add_catalog(struct im_check_facts *f) {
    struct im_replica *catalog = im_vec_push(&f->replicas.replicas);
    const char *uri = im_directory_uri(f->directory->gc);
    if (!catalog) {
        return im_error_nomem(&f->c->error);
    }
    *catalog = (struct im_replica){.name = uri, .uri = uri, .kind = IM_REPLICA_CATALOG};
    return IM_OK;
}

enum im_err im_check_replicas_list(struct im_check_facts *f) {
    const struct im_facts_gathered *d = f->directory;
    struct im_command *c = f->c;
    struct im_error inner = {.code = IM_OK};
    if (f->survey.is_offline) {
        return IM_OK;
    }
    enum im_err err = im_replicas_list(d->directory, c->config, d->base, c->pool, &f->replicas.replicas, &inner);
    if (is_fatal(err)) {
        c->error = inner;
        return err;
    }
    f->replicas.unlisted = err != IM_OK ? im_pool_strdup(c->pool, inner.text) : NULL;
    err = d->gc ? add_catalog(f) : IM_OK;
    f->replicas.troubles = im_pool_array(c->pool, f->replicas.replicas.count + 1, sizeof(char *));
    f->survey.replicas = &f->replicas;
    return err == IM_OK && !f->replicas.troubles ? im_error_nomem(&c->error) : err;
}

/* One after the other; a dead one costs its connecting time once. */
static enum im_err open_all(struct im_check_facts *f, struct im_directory **opened) {
    const struct im_replicas *replicas = &f->replicas.replicas;
    struct im_command *c = f->c;
    for (size_t i = 0; i < replicas->count; i++) {
        struct im_error inner = {.code = IM_OK};
        if (replicas->items[i].kind == IM_REPLICA_CATALOG) {
            continue;
        }
        enum im_err err = im_replica_open(&c->live, &replicas->items[i], &opened[i], &inner);
        if (err == IM_E_NOMEM || err == IM_E_INTERRUPTED) {
            c->error = inner;
            return err;
        }
        if (err != IM_OK && !(f->replicas.troubles[i] = im_pool_strdup(c->pool, inner.text))) {
            return im_error_nomem(&c->error);
        }
    }
    return IM_OK;
}

enum im_err im_check_replicas_compare(struct im_check_facts *f) {
    const struct im_facts_gathered *d = f->directory;
    struct im_command *c = f->c;
    size_t count = f->replicas.replicas.count;
    struct im_directory **opened = im_pool_array(c->pool, count + 1, sizeof(struct im_directory *));
    if (!f->survey.replicas) {
        return IM_OK;
    }
    struct im_compare compare = {.directory = d->directory,
                                 .context = &d->context,
                                 .replicas = opened,
                                 .facts = &f->replicas,
                                 .pool = c->pool,
                                 .most = DIFFERENCES_MOST,
                                 .patience_s = c->config->timeout_s};
    enum im_err err = opened ? open_all(f, opened) : im_error_nomem(&c->error);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        if (f->replicas.replicas.items[i].kind == IM_REPLICA_CATALOG) {
            opened[i] = d->gc;
        }
    }
    if (err == IM_OK) {
        f->replicas.is_compared = true;
        err = f->is_selection ? im_compare_some(&compare, f->selected.items, f->selected.count, &c->error)
                              : im_compare_all(&compare, d->base, &c->error);
    }
    for (size_t i = 0; opened && i < count; i++) {
        if (opened[i] != d->gc) {
            im_directory_free(&opened[i]);
        }
    }
    return err;
}
