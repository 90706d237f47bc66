/*
 * The practical limit of bulk work: a bare libldap client without any logic, to compare the commands with.
 *
 * floor -H URI -D DN -y FILE -b BASE [OPTION...] read|write|readwrite FILE
 * floor ... scan FILTER
 *
 * read       OR filters of -n names (50), -m of them in flight (16), the attributes of -a, every value decoded
 * write      modifies with -w in flight (256), each with the four instant messaging attributes replaced
 * readwrite  all of the one, then all of the other with the names that were found
 * scan       pages of -p entries (1000), every value decoded
 *
 * The values are made of the name, -d (the domain), -t (the home server's host) and -s (its DN).
 *
 * FILE has a header and one name a line, for `write` a name, a tab and a DN; names need no escaping. One line of JSON comes out.
 */

#include <errno.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, VALUE_MAX = 512, CHANGES = 4, ATTRIBUTES_MAX = 64 };

struct row {
    const char *name;
    const char *dn; /* NULL: not read yet */
};

struct rows {
    struct row *items;
    size_t count;
    size_t room;
};

struct block {
    struct block *next;
    size_t used;
    char bytes[BLOCK];
};

struct floor {
    LDAP *ld;
    const char *uri, *bind_dn, *password_file, *base;
    const char *key, *domain, *host, *home;
    char *attributes[ATTRIBUTES_MAX + 1]; /* none = all */
    size_t terms, searches, window;
    int page;
    struct rows input, found;
    char *text;          /* the input */
    struct block *block; /* names and DNs that were read */
    size_t entries, values, bytes, changed, failed;
};

static _Noreturn void die(const char *what, const char *why) {
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, int code) {
    if (code != LDAP_SUCCESS)
        die(what, ldap_err2string(code));
}

static void *must_have(void *memory) {
    if (!memory)
        die("memory", strerror(ENOMEM));
    return memory;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- input ---- */

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file || fseek(file, 0, SEEK_END))
        die(path, strerror(errno));
    size_t size = (size_t)ftell(file);
    char *text = must_have(malloc(size + 1));
    rewind(file);
    if (fread(text, 1, size, file) != size)
        die(path, "cannot be read");
    text[size] = '\0';
    fclose(file);
    return text;
}

static void add_row(struct rows *rows, const char *name, const char *dn) {
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room * 2 : 1024;
        rows->items = must_have(realloc(rows->items, rows->room * sizeof *rows->items));
    }
    rows->items[rows->count++] = (struct row){name, dn};
}

static void read_rows(struct floor *f, const char *path) {
    char *rest = f->text = read_file(path);
    strsep(&rest, "\n");
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *name = strsep(&line, "\t");
        if (*name)
            add_row(&f->input, name, line);
    }
}

/* ---- connecting ---- */

static void open_connection(struct floor *f) {
    int version = LDAP_VERSION3;
    setenv("LDAPNOINIT", "1", 1);
    must(f->uri, ldap_initialize(&f->ld, f->uri)); /* libldap sets TCP_NODELAY itself */
    ldap_set_option(f->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(f->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    if (!f->bind_dn)
        return;
    char *password = f->password_file ? read_file(f->password_file) : must_have(strdup(""));
    password[strcspn(password, "\n")] = '\0';
    struct berval secret = {.bv_len = strlen(password), .bv_val = password};
    must("bind", ldap_sasl_bind_s(f->ld, f->bind_dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL));
    free(password);
}

static LDAPMessage *next_message(struct floor *f) {
    LDAPMessage *message = NULL;
    if (ldap_result(f->ld, LDAP_RES_ANY, LDAP_MSG_ONE, NULL, &message) <= 0)
        die("connection", "lost");
    return message;
}

static int code_of(struct floor *f, LDAPMessage *message) {
    int code = LDAP_OTHER;
    must("answer", ldap_parse_result(f->ld, message, &code, NULL, NULL, NULL, NULL, 0));
    return code;
}

/* ---- reading ---- */

static const char *keep(struct floor *f, const struct berval *text) {
    if (!f->block || f->block->used + text->bv_len >= BLOCK) {
        struct block *block = must_have(malloc(sizeof *block));
        block->next = f->block;
        block->used = 0;
        f->block = block;
    }
    char *copy = f->block->bytes + f->block->used;
    memcpy(copy, text->bv_val, text->bv_len);
    copy[text->bv_len] = '\0';
    f->block->used += text->bv_len + 1;
    return copy;
}

static void take_entry(struct floor *f, LDAPMessage *message, int is_kept) {
    BerElement *ber = NULL;
    struct berval dn, type, name = {0};
    struct berval *values = NULL;
    must("entry", ldap_get_dn_ber(f->ld, message, &ber, &dn));
    while (ldap_get_attribute_ber(f->ld, message, ber, &type, &values) == LDAP_SUCCESS && type.bv_val) {
        if (is_kept && values && strcasecmp(type.bv_val, f->key) == 0)
            name = values[0];
        for (size_t i = 0; values && values[i].bv_val; i++) {
            f->values++;
            f->bytes += values[i].bv_len;
        }
        ber_memfree(values);
        values = NULL;
    }
    f->entries++;
    if (name.bv_val)
        add_row(&f->found, keep(f, &name), keep(f, &dn));
    ber_free(ber, 0);
}

static void send_batch(struct floor *f, char *filter, size_t from, size_t count) {
    int id;
    char *end = stpcpy(filter, "(|");
    for (size_t i = 0; i < count; i++) {
        *end++ = '(';
        end = stpcpy(end, f->key);
        *end++ = '=';
        end = stpcpy(end, f->input.items[from + i].name);
        *end++ = ')';
    }
    stpcpy(end, ")");
    must("search", ldap_search_ext(f->ld, f->base, LDAP_SCOPE_SUBTREE, filter, f->attributes, 0, NULL, NULL, NULL, 0, &id));
}

static size_t filter_size(const struct floor *f) {
    size_t longest = 0;
    for (size_t i = 0; i < f->input.count; i++) {
        size_t length = strlen(f->input.items[i].name);
        longest = length > longest ? length : longest;
    }
    return f->terms * (longest + strlen(f->key) + 3) + 4;
}

static void read_all(struct floor *f, int is_kept) {
    char *filter = must_have(malloc(filter_size(f)));
    size_t next = 0, in_flight = 0;
    while (next < f->input.count || in_flight) {
        for (; in_flight < f->searches && next < f->input.count; in_flight++) {
            size_t left = f->input.count - next;
            size_t count = left < f->terms ? left : f->terms;
            send_batch(f, filter, next, count);
            next += count;
        }
        LDAPMessage *message = next_message(f);
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY) {
            take_entry(f, message, is_kept);
        } else if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT) {
            must("search", code_of(f, message));
            in_flight--;
        }
        ldap_msgfree(message);
    }
    free(filter);
}

/* ---- writing ---- */

static void send_change(struct floor *f, const struct row *row) {
    static const char *const names[CHANGES] = {"msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL",
                                               "msExchIMVirtualServer"};
    char text[CHANGES][VALUE_MAX];
    char *values[CHANGES][2] = {{NULL}};
    LDAPMod mods[CHANGES];
    LDAPMod *list[CHANGES + 1] = {NULL};
    snprintf(text[0], VALUE_MAX, "%s@%s", row->name, f->domain);
    snprintf(text[1], VALUE_MAX, "http://%s/instmsg/aliases/%s", f->domain, row->name);
    snprintf(text[2], VALUE_MAX, "http://%s/instmsg/local/%s/instmsg/aliases/%s", f->host, f->domain, row->name);
    snprintf(text[3], VALUE_MAX, "%s", f->home);
    for (int i = 0; i < CHANGES; i++) {
        char *type;
        memcpy(&type, &names[i], sizeof type); /* libldap only reads it */
        values[i][0] = text[i];
        mods[i] = (LDAPMod){.mod_op = LDAP_MOD_REPLACE, .mod_type = type, .mod_values = values[i]};
        list[i] = &mods[i];
    }
    int id;
    must("modify", ldap_modify_ext(f->ld, row->dn, list, NULL, NULL, &id));
}

static void write_all(struct floor *f, const struct rows *rows) {
    size_t next = 0, in_flight = 0;
    while (next < rows->count || in_flight) {
        for (; in_flight < f->window && next < rows->count; in_flight++)
            send_change(f, &rows->items[next++]);
        LDAPMessage *message = next_message(f);
        if (code_of(f, message) == LDAP_SUCCESS) {
            f->changed++;
        } else {
            f->failed++;
        }
        in_flight--;
        ldap_msgfree(message);
    }
}

/* ---- scanning ---- */

/* False after the last page. */
static int take_page_end(struct floor *f, LDAPMessage *message, struct berval *cookie) {
    LDAPControl **controls = NULL;
    int code = LDAP_OTHER;
    must("page", ldap_parse_result(f->ld, message, &code, NULL, NULL, NULL, &controls, 0));
    must("page", code);
    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){0};
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    ber_int_t estimate;
    if (control)
        must("page", ldap_parse_pageresponse_control(f->ld, control, &estimate, cookie));
    ldap_controls_free(controls);
    return cookie->bv_len > 0;
}

static void scan_all(struct floor *f, const char *filter) {
    struct berval cookie = {0};
    for (int more = 1; more;) {
        int id;
        LDAPControl *page = NULL;
        must("page", ldap_create_page_control(f->ld, f->page, &cookie, 1, &page));
        LDAPControl *controls[] = {page, NULL};
        must("scan", ldap_search_ext(f->ld, f->base, LDAP_SCOPE_SUBTREE, filter, f->attributes, 0, controls, NULL, NULL, 0, &id));
        ldap_control_free(page);
        for (int is_open = 1; is_open;) {
            LDAPMessage *message = next_message(f);
            if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY) {
                take_entry(f, message, 0);
            } else if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT) {
                more = take_page_end(f, message, &cookie);
                is_open = 0;
            }
            ldap_msgfree(message);
        }
    }
    ber_memfree(cookie.bv_val);
}

/* ---- the whole ---- */

static void split_words(char *text, char **words, size_t room) {
    size_t count = 0;
    for (char *word; (word = strsep(&text, ","));) {
        if (count == room)
            die(word, "too many attributes");
        words[count++] = word;
    }
}

static size_t number(const char *text) {
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || !n)
        die(text, "is not a number above 0");
    return n;
}

static void read_options(struct floor *f, int argc, char **argv) {
    for (int letter; (letter = getopt(argc, argv, "H:D:y:b:a:k:d:t:s:n:m:w:p:")) != -1;) {
        switch (letter) {
        case 'H':
            f->uri = optarg;
            break;
        case 'D':
            f->bind_dn = optarg;
            break;
        case 'y':
            f->password_file = optarg;
            break;
        case 'b':
            f->base = optarg;
            break;
        case 'a':
            split_words(optarg, f->attributes, ATTRIBUTES_MAX);
            break;
        case 'k':
            f->key = optarg;
            break;
        case 'd':
            f->domain = optarg;
            break;
        case 't':
            f->host = optarg;
            break;
        case 's':
            f->home = optarg;
            break;
        case 'n':
            f->terms = number(optarg);
            break;
        case 'm':
            f->searches = number(optarg);
            break;
        case 'w':
            f->window = number(optarg);
            break;
        case 'p':
            f->page = (int)number(optarg);
            break;
        default:
            die("usage", "see the head of tests/bench/floor.c");
        }
    }
    if (argc - optind != 2)
        die("usage", "floor OPTION... read|write|readwrite|scan FILE|FILTER");
}

static void report(const struct floor *f, const char *mode, double read_s, double write_s) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    double system = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    printf(
        "{\"mode\": \"%s\", \"rows\": %zu, \"entries\": %zu, \"values\": %zu, \"bytes\": %zu, \"changed\": %zu, \"failed\": %zu, "
        "\"seconds\": %.6f, \"read_seconds\": %.6f, \"write_seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
        mode, f->input.count, f->entries, f->values, f->bytes, f->changed, f->failed, read_s + write_s, read_s, write_s,
        user + system);
}

static void free_all(struct floor *f) {
    ldap_unbind_ext(f->ld, NULL, NULL);
    for (struct block *next; f->block; f->block = next) {
        next = f->block->next;
        free(f->block);
    }
    free(f->input.items);
    free(f->found.items);
    free(f->text);
}

int main(int argc, char **argv) {
    struct floor f = {.base = "",
                      .key = "sAMAccountName",
                      .domain = "im.example",
                      .host = "im1.example",
                      .home = "",
                      .terms = 50,
                      .searches = 16,
                      .window = 256,
                      .page = 1000};
    read_options(&f, argc, argv);
    const char *mode = argv[optind];
    const char *what = argv[optind + 1];
    int scans = strcmp(mode, "scan") == 0, reads = strncmp(mode, "read", 4) == 0;
    const char *write = strstr(mode, "write");
    if (!scans)
        read_rows(&f, what);
    open_connection(&f);
    double start = now();
    if (scans)
        scan_all(&f, what);
    if (reads)
        read_all(&f, write != NULL);
    double middle = now();
    if (write)
        write_all(&f, reads ? &f.found : &f.input);
    report(&f, mode, middle - start, now() - middle);
    free_all(&f);
    return f.failed ? 1 : 0;
}
