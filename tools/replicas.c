#include "tools/replicas.h"

#include <stdlib.h>
#include <string.h>

struct im_replica_options im_replica_options;

enum { WAIT_MOST = 86400 };

struct im_spreading {
    struct im_command *c;
    struct im_written *written;
    struct im_replicas replicas;
    long wait_s; /* 0: nobody waits */
};

enum im_err im_spreading_open(struct im_command *c, const struct im_profile *profile, struct im_spreading **out) {
    const char *text = im_replica_options.wait;
    char *end = NULL;
    long seconds = text != NULL ? strtol(text, &end, 10) : 0;
    *out = NULL;
    if (text != NULL && (*text < '0' || *text > '9' || *end != '\0' || seconds < 1 || seconds > WAIT_MOST)) {
        return im_error_set(&c->error, IM_E_USAGE, "--wait takes seconds from 1 to %d, as --wait=60, not \"%s\"", WAIT_MOST,
                            text);
    }
    if (im_common.dry_run || (text == NULL && !im_replica_options.replicate)) {
        return IM_OK;
    }
    struct im_spreading *s = calloc(1, sizeof *s);
    if (s == NULL || (s->written = im_written_new(profile)) == NULL) {
        free(s);
        return im_error_nomem(&c->error);
    }
    s->c = c;
    s->wait_s = seconds;
    *out = s;
    return IM_OK;
}

void im_spreading_free(struct im_spreading **s) {
    if (s == NULL || *s == NULL) {
        return;
    }
    im_written_free(&(*s)->written);
    im_vec_free(&(*s)->replicas);
    free(*s);
    *s = NULL;
}

enum im_err im_spreading_add(struct im_spreading *s, const struct im_result *result, struct im_error *e) {
    return s != NULL ? im_written_add(s->written, result, e) : IM_OK;
}

/* ---- fetching ---- */

/* What an administrator of Samba runs instead. */
static void say_how(struct im_spreading *s, const struct im_replica *replica, const struct im_rootdse *root) {
    im_command_note(s->c, 0,
                    "%s does not fetch single objects on request; all of them come with: samba-tool drs replicate %s %s %s",
                    replica->name, replica->name, root->dns_host_name != NULL ? root->dns_host_name : "SOURCE",
                    root->default_nc != NULL ? root->default_nc : "NC");
}

static enum im_err fetch(struct im_spreading *s, const struct im_replica *replica, const struct im_rootdse *root) {
    struct im_error inner = {.code = IM_OK};
    struct im_directory *d = NULL;
    bool is_supported = true;
    enum im_err err = im_replica_open(&s->c->live, replica, &d, &inner);
    if (err == IM_OK) {
        err = im_replica_fetch(d, root->ds_service_name, im_written_refs(s->written), im_written_count(s->written), &is_supported,
                               &inner);
    }
    if (err == IM_OK && is_supported) {
        im_command_note(s->c, 1, "%s has fetched %zu changed objects", replica->name, im_written_count(s->written));
    } else if (err == IM_OK) {
        say_how(s, replica, root);
    } else if (err != IM_E_INTERRUPTED && err != IM_E_NOMEM) {
        im_command_note(s->c, 0, "%s did not fetch what was changed: %s", replica->name, inner.text);
        err = IM_OK;
    }
    im_directory_free(&d);
    if (err != IM_OK) {
        s->c->error = inner;
    }
    return err;
}

static enum im_err fetch_all(struct im_spreading *s, struct im_directory *d) {
    const struct im_rootdse *root = im_directory_rootdse(d);
    enum im_err err = IM_OK;
    if (root->ds_service_name == NULL) {
        im_command_note(s->c, 0, "--replicate: only Active Directory fetches objects on request; %s is none",
                        im_directory_uri(d));
        return IM_OK;
    }
    for (size_t i = 0; err == IM_OK && i < s->replicas.count; i++) {
        const struct im_replica *replica = &s->replicas.items[i];
        if (replica->no_inbound) {
            im_command_note(s->c, 0, "%s takes nothing from others: its inbound replication is turned off", replica->name);
        } else {
            err = fetch(s, replica, root);
        }
    }
    return err;
}

/* ---- waiting ---- */

static enum im_err await(struct im_spreading *s, struct im_summary *summary) {
    struct im_arrival *arrivals = NULL;
    im_command_note(s->c, 1, "waiting for %zu replicas, %ld seconds at most", s->replicas.count, s->wait_s);
    enum im_err err = im_arrivals_await(&s->c->live, &s->replicas, s->written, s->wait_s, s->c->pool, &arrivals, &s->c->error);
    if (arrivals != NULL) {
        summary->arrivals = arrivals;
        summary->arrival_count = s->replicas.count;
    }
    return err;
}

enum im_err im_spreading_finish(struct im_spreading *s, struct im_directory *d, const char *base, struct im_summary *summary) {
    if (s == NULL || im_written_count(s->written) == 0) {
        return IM_OK;
    }
    struct im_command *c = s->c;
    enum im_err err = im_replicas_list(d, c->config, base, c->pool, &s->replicas, &c->error);
    if (err == IM_OK && s->replicas.count == 0) {
        im_command_note(c, 0,
                        "no other server is known to hold these accounts: directory.replicas in the configuration names them");
    }
    if (err == IM_OK && im_replica_options.replicate && s->replicas.count > 0) {
        err = fetch_all(s, d);
    }
    return err == IM_OK && s->wait_s > 0 && s->replicas.count > 0 ? await(s, summary) : err;
}

bool im_spreading_lags(const struct im_summary *summary) {
    for (size_t i = 0; i < summary->arrival_count; i++) {
        if (summary->arrivals[i].state != IM_ARRIVED) {
            return true;
        }
    }
    return false;
}
