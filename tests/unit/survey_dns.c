/* What name servers say, for facts in YAML. The questions are those of the real plan, the answers come from lines like those of a
 * zone file:
 *
 * dns:
 *   resolvers: [{name: "192.0.2.53", given: bool, dead: WORDS, zone: [LINE]}]   default: one, given, with the zone below
 *   zone:                                  of the resolvers that have none of their own
 *     - im.example.com A 192.0.2.1
 *     - example.com SRV 0 0 80 im.example.com
 *     - www.example.com CNAME im.example.com
 *     - broken.example.com SRV FAILED SERVFAIL
 *     - slow.example.com A RETRIED 192.0.2.1
 *
 * SRV lines whose name has no "_" are about _rvp._tcp of it. Names that no line knows do not exist. */
#include "tests/unit/survey_dns.h"

#include "lib/base/text.h"
#include "lib/model/dns_names.h"
#include "lib/probe/dns_plan.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { LINE_SIZE = 700 };

struct line {
    char name[LINE_SIZE + 16], type[16], data[LINE_SIZE];
    bool is_retried, is_failure;
};

/* The next word; *text moves behind it. */
static void take_word(const char **text, char *out, size_t size) {
    size_t len = strcspn(*text, " ");
    assert_true(len > 0 && len < size);
    memcpy(out, *text, len);
    out[len] = '\0';
    *text += len;
    *text += strspn(*text, " ");
}

static bool take_mark(const char **text, const char *mark) {
    size_t len = strlen(mark);
    bool is_there = strncmp(*text, mark, len) == 0;
    *text += is_there ? len : 0;
    return is_there;
}

static void read_line(const char *text, struct line *out) {
    char name[LINE_SIZE];
    *out = (struct line){.is_retried = false};
    take_word(&text, name, sizeof name);
    take_word(&text, out->type, sizeof out->type);
    bool needs_label = strcmp(out->type, "SRV") == 0 && !strchr(name, '_') && strncmp(name, "rvp.", 4) != 0;
    snprintf(out->name, sizeof out->name, "%s%s", needs_label ? "_rvp._tcp." : "", name);
    out->is_retried = take_mark(&text, "RETRIED ");
    out->is_failure = take_mark(&text, "FAILED ");
    snprintf(out->data, sizeof out->data, "%s", text);
}

static bool is_below(const char *name, const char *top) {
    size_t len = strlen(name);
    size_t tail = strlen(top);
    return len > tail && name[len - tail - 1] == '.' && im_text_equal(name + len - tail, top);
}

static struct im_dns_record read_record(struct survey_world *w, const struct line *line) {
    char words[4][LINE_SIZE];
    const char *text = line->data;
    if (strcmp(line->type, "SRV") != 0)
        return (struct im_dns_record){.text = im_pool_strdup(w->pool, line->data)};
    for (size_t i = 0; i < LENGTH(words); i++)
        take_word(&text, words[i], sizeof words[i]);
    return (struct im_dns_record){.text = im_pool_strdup(w->pool, strcmp(words[3], ".") == 0 ? "" : words[3]),
                                  .priority = (uint16_t)strtoul(words[0], NULL, 10),
                                  .weight = (uint16_t)strtoul(words[1], NULL, 10),
                                  .port = (uint16_t)strtoul(words[2], NULL, 10)};
}

/* One pass over the lines for a name; returns where an alias leads, or NULL. */
static const char *look_up(struct survey_world *w, const struct im_strings *zone, const char *name, struct im_dns_answer *answer,
                           struct im_dns_record *records) {
    const char *alias = NULL;
    for (size_t i = 0; i < zone->count; i++) {
        struct line line;
        read_line(zone->items[i], &line);
        if (is_below(line.name, name) || im_text_equal(line.name, name))
            answer->state = answer->state == IM_DNS_NXDOMAIN ? IM_DNS_NODATA : answer->state;
        if (!im_text_equal(line.name, name))
            continue;
        if (strcmp(line.type, "CNAME") == 0)
            alias = im_pool_strdup(w->pool, line.data);
        if (strcmp(line.type, im_dns_type_name(answer->type)) != 0)
            continue;
        answer->is_retried = answer->is_retried || line.is_retried;
        answer->state = line.is_failure ? IM_DNS_FAILED : IM_DNS_FOUND;
        if (line.is_failure) {
            answer->trouble = im_pool_strdup(w->pool, line.data);
        } else {
            records[answer->count++] = read_record(w, &line);
        }
    }
    return alias;
}

static void give_answer(struct survey_world *w, const struct im_strings *zone, struct im_dns_answer *answer) {
    struct im_dns_record *records = im_pool_array(w->pool, zone->count + 1, sizeof *records);
    const char **aliases = im_pool_array(w->pool, 8, sizeof *aliases);
    assert_true(records && aliases);
    answer->state = IM_DNS_NXDOMAIN;
    const char *name = look_up(w, zone, answer->name, answer, records);
    while (name && answer->alias_count < 8) {
        answer->state = IM_DNS_NXDOMAIN;
        aliases[answer->alias_count++] = name;
        name = look_up(w, zone, name, answer, records);
    }
    im_dns_sort(records, answer->count);
    answer->records = records;
    answer->aliases = aliases;
}

static void answer_all(struct survey_world *w, struct im_dns_facts *facts, const struct im_strings *zones) {
    for (size_t i = 0; i < facts->answers.count; i++) {
        struct im_dns_answer *answer = facts->answers.items[i];
        const struct im_dns_resolver *resolver = &facts->resolvers[answer->resolver];
        if (answer->state != IM_DNS_NOT_ASKED)
            continue;
        if (resolver->is_dead) {
            answer->state = IM_DNS_FAILED;
            answer->trouble = resolver->trouble;
            continue;
        }
        give_answer(w, &zones[answer->resolver], answer);
    }
}

static size_t read_resolvers(struct survey_world *w, const struct im_yaml_node *node, struct im_dns_resolver **out,
                             struct im_strings **zones) {
    static const char *const keys[] = {"name", "port", "given", "dead", "zone"};
    const struct im_yaml_node *list = im_yaml_get(node, "resolvers");
    size_t count = list ? list->count : 1;
    *out = im_pool_array(w->pool, count, sizeof **out);
    *zones = im_pool_array(w->pool, count, sizeof **zones);
    (*out)[0] = (struct im_dns_resolver){.name = "192.0.2.53", .address = "192.0.2.53", .is_given = true};
    (*zones)[0] = survey_list(w, node, "zone");
    for (size_t i = 0; list && i < count; i++) {
        const struct im_yaml_node *map = list->items[i];
        survey_only_keys(w, map, keys, LENGTH(keys));
        const char *dead = survey_text(w, map, "dead");
        const char *port = survey_text(w, map, "port");
        const char *name = survey_text(w, map, "name");
        (*out)[i] = (struct im_dns_resolver){.name = port ? im_pool_printf(w->pool, "%s:%s", name, port) : name,
                                             .address = name,
                                             .port = port,
                                             .is_given = survey_bool(w, map, "given", true),
                                             .is_dead = dead != NULL,
                                             .trouble = dead};
        (*zones)[i] = survey_list(w, im_yaml_get(map, "zone") ? map : node, "zone");
    }
    return count;
}

void survey_read_dns(struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"resolvers", "zone"};
    struct im_error e = {.code = IM_OK};
    struct im_dns_names names = {.hosts = {NULL, 0}};
    struct im_dns_resolver *resolvers = NULL;
    struct im_strings *zones = NULL;
    const struct im_profile *profile = w->survey.profile;
    survey_only_keys(w, node, keys, LENGTH(keys));
    size_t count = read_resolvers(w, node, &resolvers, &zones);
    struct im_dns_facts *facts = im_pool_alloc(w->pool, sizeof *facts);
    survey_must(im_dns_facts_begin(facts, profile->srv, profile->srv_count, resolvers, count, w->pool, &e), &e);
    survey_must(im_dns_names(w->survey.census, w->survey.servers, w->pool, &names, &e), &e);
    const struct im_dns_wanted wanted = {
        .mail_domains = names.mail_domains, .im_domains = names.im_domains, .hosts = names.hosts};
    size_t open = 1;
    while (open) {
        survey_must(im_dns_plan(&wanted, facts, &open, &e), &e);
        answer_all(w, facts, zones);
        facts->rounds++;
        assert_true(facts->rounds < 5);
    }
    w->survey.dns = facts;
    w->dns = facts;
}

void survey_free_dns(struct survey_world *w) {
    if (w->dns)
        im_dns_facts_free(w->dns);
    w->dns = NULL;
}
