/* dns_tool TIMEOUT SERVER,SERVER FACTS.yaml...: asks real name servers what the facts of an organisation
 * (tests/unit/survey_world.h) want to know, and prints a JSON object a line: each answer, and what the DNS rules say of the last
 * facts. Facts beyond the first are added to what is known. */
#include "lib/data/json.h"
#include "lib/model/dns_names.h"
#include "lib/probe/dns_survey.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void print_line(json_t *object) {
    struct im_buf line = IM_BUF_INIT;
    im_json_dump(object, &line);
    puts(im_buf_str(&line));
    im_buf_free(&line);
    json_decref(object);
}

static json_t *print_record(const struct im_dns_answer *answer, const struct im_dns_record *r) {
    char text[IM_DNS_NAME_SIZE * 4];
    if (answer->type != IM_DNS_SRV)
        return im_json_string(r->text);
    snprintf(text, sizeof text, "%u %u %u %s", r->priority, r->weight, r->port, r->text);
    return im_json_string(text);
}

static void print_answer(const struct im_dns_facts *facts, const struct im_dns_answer *answer) {
    json_t *object = json_object();
    json_t *records = json_array();
    json_t *aliases = json_array();
    for (size_t i = 0; i < answer->count; i++)
        json_array_append_new(records, print_record(answer, &answer->records[i]));
    for (size_t i = 0; i < answer->alias_count; i++)
        json_array_append_new(aliases, im_json_string(answer->aliases[i]));
    im_json_put(object, "type", im_json_string("answer"));
    im_json_put(object, "name", im_json_string(answer->name));
    im_json_put(object, "kind", im_json_string(im_dns_type_name(answer->type)));
    im_json_put(object, "resolver", json_integer((json_int_t)answer->resolver));
    im_json_put(object, "dead", json_boolean(facts->resolvers[answer->resolver].is_dead));
    im_json_put(object, "state", im_json_string(im_dns_state_name(answer->state)));
    im_json_put(object, "records", records);
    im_json_put(object, "aliases", aliases);
    im_json_put(object, "trouble", im_json_string(answer->trouble));
    im_json_put(object, "retried", json_boolean(answer->is_retried));
    print_line(object);
}

static void print_finding(const struct im_finding *f) {
    json_t *object = json_object();
    im_json_put(object, "type", im_json_string("finding"));
    im_json_put(object, "rule", im_json_string(f->rule->id));
    im_json_put(object, "severity", im_json_string(im_severity_name(f->severity)));
    im_json_put(object, "subject", im_json_string(f->subject));
    im_json_put(object, "message", im_json_string(f->message));
    im_json_put(object, "remedy", im_json_string(f->remedy));
    print_line(object);
}

static void judge(const struct survey_world *w) {
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_DNS, &count);
    for (size_t i = 0; i < count; i++) {
        struct im_sink sink = {.pool = w->pool, .rule = &rules[i]};
        rules[i].survey(&w->survey, &sink);
        for (size_t k = 0; k < sink.count; k++)
            print_finding(&sink.items[k]);
        im_sink_free(&sink);
    }
}

static enum im_err gather(const struct survey_world *w, const char *timeout, const struct im_strings *servers,
                          struct im_pool *pool, struct im_dns_facts *facts, struct im_error *e) {
    struct im_dns_names names = {.hosts = {NULL, 0}};
    enum im_err err = im_dns_names(w->survey.census, w->survey.servers, w->pool, &names, e);
    if (err != IM_OK)
        return err;
    const struct im_dns_wanted wanted = {.mail_domains = names.mail_domains,
                                         .im_domains = names.im_domains,
                                         .hosts = names.hosts,
                                         .srv = w->survey.profile->srv,
                                         .srv_count = w->survey.profile->srv_count,
                                         .resolvers = *servers,
                                         .timeout_s = strtol(timeout, NULL, 10)};
    return im_dns_gather(&wanted, pool, facts, e);
}

static void print_all(const struct im_dns_facts *facts) {
    json_t *object = json_object();
    im_json_put(object, "type", im_json_string("gather"));
    im_json_put(object, "asks", json_integer(facts->asks));
    im_json_put(object, "rounds", json_integer(facts->rounds));
    im_json_put(object, "resolvers", json_integer((json_int_t)facts->resolver_count));
    print_line(object);
    for (size_t i = 0; i < facts->answers.count; i++)
        print_answer(facts, facts->answers.items[i]);
}

static struct im_strings split(struct im_pool *pool, char *list) {
    struct im_strings out = {.items = im_pool_array(pool, strlen(list) + 1, sizeof *out.items)};
    char *rest = NULL;
    for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
        out.items[out.count++] = word;
    return out;
}

int main(int argc, char **argv) {
    struct im_dns_facts facts = {.pool = NULL};
    struct im_error e = {.code = IM_OK};
    struct im_pool *pool = im_pool_new();
    enum im_err err = IM_OK;
    if (argc < 4 || !pool)
        return 2;
    struct im_strings servers = split(pool, argv[2]);
    struct survey_world *w = NULL;
    struct survey_world *first = NULL; /* stays until the end: the answers point at its profile */
    for (int i = 3; err == IM_OK && i < argc; i++) {
        w = survey_world_from_file(argv[i]);
        err = gather(w, argv[1], &servers, pool, &facts, &e);
        w->survey.dns = &facts;
        if (err == IM_OK && i + 1 == argc) {
            print_all(&facts);
            judge(w);
        }
        if (first) {
            survey_world_free(&w);
        } else {
            first = w;
        }
    }
    if (err != IM_OK)
        fprintf(stderr, "%s\n", e.text);
    survey_world_free(&first);
    im_dns_facts_free(&facts);
    im_pool_free(&pool);
    return err == IM_OK ? 0 : im_err_row(err)->exit_status;
}
