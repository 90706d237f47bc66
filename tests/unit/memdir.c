#include "tests/unit/memdir_store.h"

#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"
#include "lib/data/ldif.h"

#include <stdio.h>

#define ASSERTION "1.3.6.1.1.12"

void *memdir_solid(void *pointer, const char *what) {
    if (!pointer)
        fail_msg("out of memory: %s", what);
    return pointer;
}

/* ---- values ---- */

unsigned memdir_flags(const struct memdir *m, const char *attribute) {
    static const struct memdir_attr builtin[] = {{"objectClass", MEMDIR_FOLD},
                                                 {"distinguishedName", MEMDIR_DN},
                                                 {"entryDN", MEMDIR_DN | MEMDIR_HIDDEN},
                                                 {"entryUUID", MEMDIR_FOLD | MEMDIR_HIDDEN},
                                                 {NULL, 0}};
    const struct memdir_attr *tables[] = {m->attrs, builtin};
    for (size_t t = 0; t < LENGTH(tables); t++) {
        for (const struct memdir_attr *row = tables[t]; row && row->name; row++) {
            if (im_text_equal(row->name, attribute))
                return row->flags;
        }
    }
    return 0;
}

static struct berval text_value(struct memdir *m, const char *text) {
    struct berval value;
    struct berval view = value_of(text, strlen(text));
    (void)SOLID(im_pool_value(m->pool, &view, &value) == 0 ? value.bv_val : NULL);
    return value;
}

static void split(const struct berval *value, struct im_buf *guid, struct im_buf *dn) {
    im_buf_clear(guid);
    im_buf_clear(dn);
    im_dn_split_extended(value->bv_val, value->bv_len, guid, dn);
}

bool memdir_dn_value_matches(const struct berval *stored, const struct berval *value) {
    struct im_buf guids[2] = {IM_BUF_INIT, IM_BUF_INIT};
    struct im_buf dns[2] = {IM_BUF_INIT, IM_BUF_INIT};
    split(stored, &guids[0], &dns[0]);
    split(value, &guids[1], &dns[1]);
    bool same = guids[1].len && !dns[1].len ? im_text_equal(im_buf_str(&guids[0]), im_buf_str(&guids[1]))
                                            : !guids[1].len && im_dn_equal(im_buf_str(&dns[0]), im_buf_str(&dns[1]));
    for (size_t i = 0; i < LENGTH(guids); i++) {
        im_buf_free(&guids[i]);
        im_buf_free(&dns[i]);
    }
    return same;
}

static bool same_value(const struct memdir *m, const char *attribute, const struct berval *stored, const struct berval *value) {
    unsigned flags = memdir_flags(m, attribute);
    if (flags & MEMDIR_DN)
        return memdir_dn_value_matches(stored, value);
    if (flags & MEMDIR_FOLD)
        return im_text_equal_n(stored->bv_val, stored->bv_len, value->bv_val, value->bv_len);
    return im_value_equal(stored, value);
}

/* "<GUID=...>" of an entry. */
struct guid {
    char text[IM_GUID_TEXT_SIZE + 8];
};

static bool guid_of(const struct im_entry *entry, struct guid *out) {
    const struct berval *octets = im_entry_value(entry, "objectGUID");
    char text[IM_GUID_TEXT_SIZE];
    if (!octets || !im_guid_to_text(octets, text))
        return false;
    (void)snprintf(out->text, sizeof out->text, "<GUID=%s>", text);
    return true;
}

/* ---- entries ---- */

static struct memdir_record *find_guid(const struct memdir *m, const char *guid) {
    for (size_t i = 0; i < m->records.count; i++) {
        struct guid has;
        if (guid_of(&m->records.items[i].entry, &has) && im_text_equal(has.text, guid))
            return &m->records.items[i];
    }
    return NULL;
}

struct memdir_record *memdir_find(const struct memdir *m, const char *dn, int *code) {
    *code = MEMDIR_NO_SUCH_OBJECT;
    if (m->rootdse.is_ad && *dn == '<')
        return find_guid(m, dn);
    for (size_t i = 0; i < m->records.count; i++) { /* mostly spelled the same: then nothing has to be parsed */
        if (strcmp(m->records.items[i].entry.dn, dn) == 0)
            return &m->records.items[i];
    }
    for (size_t i = 0; i < m->records.count; i++) {
        const char *has = m->records.items[i].entry.dn;
        if (*dn && *has ? im_dn_equal(has, dn) : *dn == *has)
            return &m->records.items[i];
    }
    if (!im_dn_is_valid(dn))
        *code = MEMDIR_INVALID_DN;
    return NULL;
}

static struct memdir_record *must_find(const struct memdir *m, const char *dn) {
    int code;
    struct memdir_record *record = memdir_find(m, dn, &code);
    if (!record)
        fail_msg("\"%s\" is not in the directory", dn);
    return record;
}

struct berval memdir_dn_value_shown(const struct memdir *m, const struct berval *stored, bool is_extended, struct im_pool *pool) {
    struct im_buf guid = IM_BUF_INIT;
    struct im_buf dn = IM_BUF_INIT;
    split(stored, &guid, &dn);
    const struct memdir_record *target = guid.len ? find_guid(m, im_buf_str(&guid)) : NULL;
    const char *name = target ? target->entry.dn : im_buf_str(&dn);
    char *text =
        SOLID(im_pool_printf(pool, "%s%s%s", is_extended ? im_buf_str(&guid) : "", is_extended && guid.len ? ";" : "", name));
    im_buf_free(&guid);
    im_buf_free(&dn);
    return value_of(text, strlen(text));
}

/* A copy of the list of attributes, with room for one more. */
static struct im_attr *copy_attrs(const struct memdir *m, const struct im_entry *entry) {
    struct im_attr *attrs = SOLID(im_pool_array(m->pool, entry->count + 1, sizeof *attrs));
    if (entry->count)
        memcpy(attrs, entry->attrs, entry->count * sizeof *attrs);
    return attrs;
}

static struct im_attr *own_attr(struct memdir *m, struct im_entry *entry, const char *name) {
    for (size_t i = 0; i < entry->count; i++) {
        if (im_text_equal(entry->attrs[i].name, name))
            return &entry->attrs[i];
    }
    entry->attrs = copy_attrs(m, entry);
    struct im_attr *attr = &entry->attrs[entry->count++];
    *attr = (struct im_attr){.name = SOLID(im_pool_strdup(m->pool, name))};
    return attr;
}

static void append_value(struct memdir *m, struct im_attr *attr, const struct berval *value) {
    struct berval *values = SOLID(im_pool_array(m->pool, attr->count + 1, sizeof *values));
    if (attr->count)
        memcpy(values, attr->values, attr->count * sizeof *values);
    (void)SOLID(im_pool_value(m->pool, value, &values[attr->count]) == 0 ? values : NULL);
    attr->values = values;
    attr->count++;
}

static void remove_value(struct memdir *m, struct im_attr *attr, size_t index) {
    struct berval *values = SOLID(im_pool_array(m->pool, attr->count, sizeof *values));
    memcpy(values, attr->values, index * sizeof *values);
    memcpy(values + index, attr->values + index + 1, (attr->count - index - 1) * sizeof *values);
    attr->values = values;
    attr->count--;
}

static void set_text(struct memdir *m, struct im_entry *entry, const char *name, const char *text) {
    struct im_attr *attr = own_attr(m, entry, name);
    struct berval value = text_value(m, text);
    attr->count = 0;
    append_value(m, attr, &value);
}

/* ---- modify ---- */

/* The form in which a DN value is stored: on Active Directory with the target's GUID. MEMDIR_SUCCESS, or why it cannot be. */
static int link_value(struct memdir *m, const char *attribute, const struct berval *value, struct berval *out) {
    *out = *value;
    if (!(memdir_flags(m, attribute) & MEMDIR_DN) || !m->rootdse.is_ad)
        return MEMDIR_SUCCESS;
    int code;
    const char *name = SOLID(im_pool_strndup(m->pool, value->bv_val, value->bv_len));
    const struct memdir_record *target = memdir_find(m, name, &code);
    if (!target)
        return code == MEMDIR_INVALID_DN ? code : MEMDIR_CONSTRAINT_VIOLATION;
    struct guid guid = {""};
    if (!guid_of(&target->entry, &guid))
        fail_msg("%s has no usable objectGUID", target->entry.dn);
    *out = text_value(m, SOLID(im_pool_printf(m->pool, "%s;%s", guid.text, target->entry.dn)));
    return MEMDIR_SUCCESS;
}

static int add_values(struct memdir *m, struct im_attr *attr, const struct im_op *op) {
    for (size_t i = 0; i < op->count; i++) {
        struct berval value;
        int code = link_value(m, op->attribute, &op->values[i], &value);
        for (size_t v = 0; code == MEMDIR_SUCCESS && v < attr->count; v++) {
            if (same_value(m, op->attribute, &attr->values[v], &op->values[i]))
                code = MEMDIR_VALUE_EXISTS;
        }
        if (code != MEMDIR_SUCCESS)
            return code;
        append_value(m, attr, &value);
    }
    return MEMDIR_SUCCESS;
}

static int delete_values(struct memdir *m, struct im_attr *attr, const struct im_op *op) {
    if (!attr->count)
        return MEMDIR_NO_SUCH_ATTRIBUTE;
    if (!op->count)
        attr->count = 0;
    for (size_t i = 0; i < op->count; i++) {
        size_t v = 0;
        if (memdir_flags(m, op->attribute) & MEMDIR_NO_EQUALITY)
            return MEMDIR_INAPPROPRIATE_MATCHING;
        while (v < attr->count && !same_value(m, op->attribute, &attr->values[v], &op->values[i]))
            v++;
        if (v == attr->count)
            return MEMDIR_NO_SUCH_ATTRIBUTE;
        remove_value(m, attr, v);
    }
    return MEMDIR_SUCCESS;
}

static int apply_op(struct memdir *m, struct im_entry *entry, const struct im_op *op) {
    struct im_attr *attr = own_attr(m, entry, op->attribute);
    int code = MEMDIR_SUCCESS;
    if (op->kind == IM_OP_DELETE)
        return delete_values(m, attr, op);
    if (op->kind == IM_OP_REPLACE)
        attr->count = 0;
    code = add_values(m, attr, op);
    if (code == MEMDIR_SUCCESS && attr->count > 1 && memdir_flags(m, op->attribute) & MEMDIR_SINGLE)
        code = MEMDIR_CONSTRAINT_VIOLATION;
    return code;
}

static int check_assertion(const struct memdir *m, const struct im_entry *entry, const char *assertion) {
    if (!assertion)
        return MEMDIR_SUCCESS;
    if (!im_rootdse_has_control(&m->rootdse, ASSERTION))
        return MEMDIR_UNAVAILABLE_CRITICAL;
    struct im_matcher *matcher = memdir_filter_new(m, assertion, m->pool);
    bool matches = memdir_filter_matches(matcher, entry);
    im_matcher_free(&matcher);
    return matches ? MEMDIR_SUCCESS : MEMDIR_ASSERTION_FAILED;
}

int memdir_modify(struct memdir *m, const struct im_change *change) {
    int code;
    struct memdir_record *record = memdir_find(m, change->dn, &code);
    if (!record || record->is_deleted)
        return record ? MEMDIR_NO_SUCH_OBJECT : code;
    struct im_entry entry = record->entry; /* becomes the record when all went well: all or nothing */
    entry.attrs = copy_attrs(m, &entry);
    code = check_assertion(m, &entry, change->assertion);
    for (size_t i = 0; code == MEMDIR_SUCCESS && i < change->count; i++)
        code = apply_op(m, &entry, &change->ops[i]);
    if (code == MEMDIR_SUCCESS)
        record->entry = entry;
    return code;
}

/* ---- the store ---- */

void memdir_store(struct memdir *m, const struct im_entry *from) {
    struct im_entry *copy = SOLID(im_entry_copy(from, m->pool));
    size_t id = ++m->next_id;
    if (*copy->dn) {
        set_text(m, copy, m->rootdse.is_ad ? "distinguishedName" : "entryDN", copy->dn);
        if (m->rootdse.is_ad && !im_entry_attr(copy, "objectGUID")) {
            unsigned char guid[IM_GUID_BYTES_SIZE] = {(unsigned char)id, (unsigned char)(id >> 8), [15] = 1};
            struct berval value = value_of(guid, sizeof guid);
            append_value(m, own_attr(m, copy, "objectGUID"), &value);
        } else if (!m->rootdse.is_ad && !im_entry_attr(copy, "entryUUID")) {
            set_text(m, copy, "entryUUID", SOLID(im_pool_printf(m->pool, "00000000-0000-0000-0000-%012zx", id)));
        }
    }
    struct memdir_record *record = SOLID(im_vec_push(&m->records));
    record->entry = *copy;
}

/* DN values of entries that were loaded name targets that may have come later. */
static void link_all(struct memdir *m) {
    for (size_t r = 0; r < m->records.count; r++) {
        struct im_entry *entry = &m->records.items[r].entry;
        for (size_t a = 0; a < entry->count; a++) {
            struct im_attr *attr = &entry->attrs[a];
            for (size_t v = 0; v < attr->count; v++) {
                struct berval linked;
                if (link_value(m, attr->name, &attr->values[v], &linked) == MEMDIR_SUCCESS)
                    attr->values[v] = linked;
            }
        }
    }
}

struct memdir *memdir_new(const struct memdir_attr *attrs, const char *ldif) {
    struct memdir *m = SOLID(calloc(1, sizeof *m));
    struct im_ldif_reader *reader = NULL;
    struct im_error e = {.code = IM_OK};
    struct im_entry *entry = NULL;
    m->pool = SOLID(im_pool_new());
    m->attrs = attrs;
    char *text = SOLID(im_pool_strdup(m->pool, ldif));
    FILE *stream = SOLID(fmemopen(text, strlen(text), "r"));
    enum im_err err = im_ldif_reader_new(stream, "memdir", &reader, &e);
    while (err == IM_OK && (err = im_ldif_read(reader, m->pool, &entry, &e)) == IM_OK && entry) {
        if (!*entry->dn)
            err = im_rootdse_decode(entry, m->pool, &m->rootdse, &e);
        memdir_store(m, entry);
    }
    im_ldif_reader_free(&reader);
    (void)fclose(stream);
    if (err != IM_OK)
        fail_msg("line %zu: %s", e.line, e.text);
    link_all(m);
    return m;
}

void memdir_free(struct memdir **m) {
    if (!m || !*m)
        return;
    im_vec_free(&(*m)->records);
    im_vec_free(&(*m)->hooks);
    im_vec_free(&(*m)->faults);
    im_pool_free(&(*m)->pool);
    free(*m);
    *m = NULL;
}

void memdir_before(struct memdir *m, enum memdir_kind kind, size_t nth, memdir_hook *hook, void *user) {
    struct memdir_hooked *slot = SOLID(im_vec_push(&m->hooks));
    *slot = (struct memdir_hooked){kind, nth, hook, user};
}

void memdir_fault(struct memdir *m, struct memdir_fault fault) {
    struct memdir_fault *slot = SOLID(im_vec_push(&m->faults));
    *slot = fault;
}

void memdir_answer_in_reverse(struct memdir *m, bool on) {
    m->in_reverse = on;
}

void memdir_set(struct memdir *m, const char *dn, const char *attribute, const char *value) {
    struct berval new_value = value ? text_value(m, value) : (struct berval){0, NULL};
    struct im_op op = {.kind = IM_OP_REPLACE, .attribute = attribute, .values = &new_value, .count = value != NULL};
    struct im_change change = {.dn = dn, .ops = &op, .count = 1};
    assert_int_equal(memdir_modify(m, &change), MEMDIR_SUCCESS);
}

static void rename_record(struct memdir *m, struct memdir_record *record, const char *new_dn) {
    struct im_entry entry = record->entry;
    entry.attrs = copy_attrs(m, &entry);
    entry.dn = SOLID(im_pool_strdup(m->pool, new_dn));
    set_text(m, &entry, m->rootdse.is_ad ? "distinguishedName" : "entryDN", new_dn);
    record->entry = entry;
}

void memdir_delete(struct memdir *m, const char *dn) {
    struct memdir_record *record = must_find(m, dn);
    if (!m->rootdse.is_ad) {
        *record = m->records.items[--m->records.count];
        return;
    }
    struct guid guid = {""};
    (void)guid_of(&record->entry, &guid);
    struct im_buf name = IM_BUF_INIT;
    (void)im_dn_first_value(dn, &name);
    rename_record(m, record,
                  SOLID(im_pool_printf(m->pool, "CN=%s\\0ADEL:%.36s,CN=Deleted Objects,%s", im_buf_str(&name), guid.text + 6,
                                       m->rootdse.default_nc)));
    record->is_deleted = true;
    im_buf_free(&name);
}

void memdir_rename(struct memdir *m, const char *dn, const char *new_dn) {
    rename_record(m, must_find(m, dn), new_dn);
}

size_t memdir_count(const struct memdir *m, enum memdir_kind kind) {
    return m->counts[kind];
}

size_t memdir_in_flight(const struct memdir *m) {
    return m->most_in_flight;
}

int64_t memdir_paused_ms(const struct memdir *m) {
    return m->paused_ms;
}

const struct im_entry *memdir_entry(const struct memdir *m, const char *dn) {
    int code;
    const struct memdir_record *record = memdir_find(m, dn, &code);
    return record ? &record->entry : NULL;
}

/* ---- a dump ---- */

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "dn: ..." and its values, one a line, sorted. */
static char *dump_record(const struct memdir_record *record) {
    struct im_buf lines[2] = {IM_BUF_INIT, IM_BUF_INIT};
    struct {
        char **items;
        size_t count, cap;
    } list = {0};
    struct berval dn = value_of(record->entry.dn, strlen(record->entry.dn));
    im_ldif_write_value(&lines[1], "dn", &dn);
    for (size_t a = 0; a < record->entry.count; a++) {
        const struct im_attr *attr = &record->entry.attrs[a];
        for (size_t v = 0; v < attr->count; v++) {
            im_ldif_write_value(&lines[0], attr->name, &attr->values[v]);
            *(char **)SOLID(im_vec_push(&list)) = SOLID(im_buf_take(&lines[0]));
        }
    }
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, compare_lines);
    for (size_t i = 0; i < list.count; i++) {
        im_buf_adds(&lines[1], list.items[i]);
        free(list.items[i]);
    }
    im_vec_free(&list);
    im_buf_addc(&lines[1], '\n');
    return SOLID(im_buf_take(&lines[1]));
}

char *memdir_dump(const struct memdir *m) {
    char **texts = SOLID(calloc(m->records.count + 1, sizeof *texts));
    size_t count = 0;
    struct im_buf all = IM_BUF_INIT;
    for (size_t i = 0; i < m->records.count; i++) {
        if (*m->records.items[i].entry.dn)
            texts[count++] = dump_record(&m->records.items[i]);
    }
    qsort(texts, count, sizeof *texts, compare_lines);
    for (size_t i = 0; i < count; i++) {
        im_buf_adds(&all, texts[i]);
        free(texts[i]);
    }
    free(texts);
    im_buf_addc(&all, '\n');
    return SOLID(im_buf_take(&all));
}
