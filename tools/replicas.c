#include "tools/replicas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct im_replica_options im_replica_options;

enum { WAIT_MOST = 86400 };

struct im_spreading {
    struct im_command *c;
    struct im_written *written;
    struct im_replicas replicas;
    long wait_s;                     /* 0: nobody waits */
    const struct im_rootdse *source; /* of the server that has the changes, while it is fetched from */
    bool is_unfetched;               /* somebody has not fetched everything */
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

enum im_err im_spreading_find(struct im_spreading *s, struct im_directory *d, const char *base) {
    if (s == NULL) {
        return IM_OK;
    }
    struct im_command *c = s->c;
    enum im_err err = im_replicas_list(d, c->config, base, c->pool, &s->replicas, &c->error);
    if (err == IM_OK && s->replicas.count == 0) {
        im_command_note(c, 0,
                        "no other server is known to hold these accounts: directory.replicas in the configuration names them");
    }
    return err;
}

/* ---- fetching ---- */

static const char *or_else(const char *text, const char *word) {
    return text != NULL ? text : word;
}

/* What an administrator runs instead. */
static void say_how(const struct im_spreading *s, const struct im_replica *replica, bool is_samba) {
    im_command_note(s->c, 0, "%s does not fetch single objects on request; all of them come with: %s %s %s %s", replica->name,
                    is_samba ? "samba-tool drs replicate" : "repadmin /replicate", replica->name,
                    or_else(s->source->dns_host_name, "SOURCE"), or_else(s->source->default_nc, "NC"));
}

enum { OPERATIONS_ERROR = 1, NO_SUCH_OBJECT = 32, NO_RIGHTS = 50 };

/* What the code means here, which is more than it says. */
static void find_hint(const struct im_error *why, const struct im_rootdse *source, char *out, size_t size) {
    out[0] = '\0';
    if (why->origin == IM_ORIGIN_LDAP && why->system == NO_RIGHTS) {
        (void)snprintf(out, size, "; it takes the right DS-Replication-Synchronize on %s",
                       or_else(source->default_nc, "the domain"));
    } else if (why->origin == IM_ORIGIN_LDAP && (why->system == NO_SUCH_OBJECT || why->system == OPERATIONS_ERROR)) {
        (void)snprintf(out, size, "; perhaps it does not know %s or the container of the object yet",
                       or_else(source->dns_host_name, "the domain controller that has it"));
    }
}

static void say_failed(const struct im_spreading *s, const struct im_fetching *f) {
    char text[sizeof f->why.text + sizeof f->why.where + 64];
    char hint[512];
    (void)im_error_format(&f->why, text, sizeof text);
    find_hint(&f->why, s->source, hint, sizeof hint);
    im_command_note(s->c, 0, "%s has fetched %zu of %zu changed objects: %s%s", f->replica->name, f->fetched,
                    im_written_count(s->written), text, hint);
}

static void say_fetched(struct im_spreading *s, const struct im_fetching *f) {
    bool is_done = f->why.code == IM_OK && !f->is_unsupported;
    s->is_unfetched = s->is_unfetched || !is_done;
    if (is_done) {
        im_command_note(s->c, 1, "%s has fetched the changed objects: %zu", f->replica->name, f->fetched);
    } else if (f->why.code == IM_OK) {
        say_how(s, f->replica, f->family == IM_FAMILY_SAMBA);
    } else {
        say_failed(s, f);
    }
}

/* Those that take something. */
static size_t choose(struct im_spreading *s, struct im_fetching *each) {
    size_t count = 0;
    for (size_t i = 0; i < s->replicas.count; i++) {
        const struct im_replica *replica = &s->replicas.items[i];
        if (!replica->no_inbound) {
            each[count++].replica = replica;
            continue;
        }
        s->is_unfetched = true;
        im_command_note(s->c, 0, "%s takes nothing from others: its inbound replication is turned off", replica->name);
    }
    return count;
}

static enum im_err fetch_all(struct im_spreading *s, struct im_directory *d) {
    struct im_command *c = s->c;
    struct im_fetching *each = im_pool_array(c->pool, s->replicas.count, sizeof *each);
    s->source = im_directory_rootdse(d);
    if (each == NULL) {
        return im_error_nomem(&c->error);
    }
    if (s->source->ds_service_name == NULL) {
        s->is_unfetched = true;
        im_command_note(c, 0, "--replicate: only Active Directory fetches objects on request; %s is none", im_directory_uri(d));
        return IM_OK;
    }
    const struct im_to_fetch what = {.options = &c->live,
                                     .source = s->source->ds_service_name,
                                     .refs = im_written_refs(s->written),
                                     .count = im_written_count(s->written),
                                     .open = im_replica_open};
    size_t count = choose(s, each);
    enum im_err err = im_replicas_fetch(&what, each, count, &c->error);
    for (size_t i = 0; i < count; i++) {
        if (each[i].has_ended) {
            say_fetched(s, &each[i]);
        }
    }
    return err;
}

/* ---- waiting ---- */

/* The columns of a table are about accounts. */
static void say_arrivals(const struct im_command *c, const struct im_arrival *arrivals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct im_arrival *a = &arrivals[i];
        if (a->state == IM_LAGGING) {
            im_command_note(c, 0, "%s is lagging: %zu of %zu changed accounts have not arrived after %.1f s, the first is %s%s%s",
                            a->replica->name, a->lacking, a->accounts, a->seconds, a->missing_count > 0 ? a->missing[0] : "?",
                            a->trouble != NULL ? "; " : "", a->trouble != NULL ? a->trouble : "");
        } else if (a->state == IM_UNREACHABLE) {
            im_command_note(c, 0, "%s cannot be asked: %s", a->replica->name, a->trouble);
        }
    }
}

static enum im_err await(struct im_spreading *s, struct im_summary *summary) {
    struct im_command *c = s->c;
    struct im_arrival *arrivals = NULL;
    const struct im_awaited awaited = {
        .options = &c->live, .replicas = &s->replicas, .written = s->written, .seconds = s->wait_s, .open = im_replica_open};
    im_command_note(c, 1, "waiting for replicas: %zu, for %ld seconds at most", s->replicas.count, s->wait_s);
    enum im_err err = im_arrivals_await(&awaited, c->pool, &arrivals, &c->error);
    if (arrivals != NULL) {
        summary->arrivals = arrivals;
        summary->arrival_count = s->replicas.count;
    }
    if (arrivals != NULL && strcmp(c->output, "csv") == 0) {
        say_arrivals(c, arrivals, s->replicas.count);
    }
    return err;
}

enum im_err im_spreading_finish(struct im_spreading *s, struct im_directory *d, struct im_summary *summary) {
    if (s == NULL || im_written_count(s->written) == 0 || s->replicas.count == 0) {
        return IM_OK;
    }
    enum im_err err = im_replica_options.replicate ? fetch_all(s, d) : IM_OK;
    return err == IM_OK && s->wait_s > 0 ? await(s, summary) : err;
}

static bool lags(const struct im_summary *summary) {
    for (size_t i = 0; i < summary->arrival_count; i++) {
        if (summary->arrivals[i].state != IM_ARRIVED) {
            return true;
        }
    }
    return false;
}

bool im_spreading_left(const struct im_spreading *s, const struct im_summary *summary) {
    return s != NULL && (s->wait_s > 0 ? lags(summary) : s->is_unfetched);
}
