/* The LDIF reader trusts nothing; the writer's output is read back. */
#include "lib/data/ldif.h"
#include "tests/unit/unit.h"

struct fixture {
    struct im_pool *pool;
    FILE *stream;
    struct im_ldif_reader *reader;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f)
        f->pool = im_pool_new();
    return f && f->pool ? 0 : -1;
}

static void close_text(struct fixture *f) {
    im_ldif_reader_free(&f->reader);
    if (f->stream)
        (void)fclose(f->stream);
    f->stream = NULL;
    im_error_clear(&f->e);
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    close_text(f);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void open_bytes(struct fixture *f, const void *bytes, size_t len) {
    close_text(f);
    f->stream = tmpfile(); /* fmemopen does not take an empty text */
    assert_non_null(f->stream);
    assert_int_equal(fwrite(bytes, 1, len, f->stream), len);
    rewind(f->stream);
    assert_int_equal(im_ldif_reader_new(f->stream, "export.ldif", &f->reader, &f->e), IM_OK);
}

static void open_text(struct fixture *f, const char *text) {
    open_bytes(f, text, strlen(text));
}

static const struct im_entry *next(struct fixture *f) {
    struct im_entry *entry = NULL;
    enum im_err err = im_ldif_read(f->reader, f->pool, &entry, &f->e);
    if (err != IM_OK)
        fail_msg("line %zu, column %zu: %s", f->e.line, f->e.column, f->e.text);
    return entry;
}

/* ---- what is read ---- */

static void entries_follow_each_other(void **state) {
    struct fixture *f = *state;
    open_text(f, "version: 1\n\n# a comment\n that goes on\ndn: CN=a,DC=x\nmail: a@x\nMAIL: b@x\ncn:a\n\n\n"
                 "dn:: Q049TcO8bGxlcixEQz14\nobjectGUID:: AAEC\nempty:\nblank: \n");
    const struct im_entry *a = next(f);
    assert_string_equal(a->dn, "CN=a,DC=x");
    assert_int_equal(a->line, 5);
    assert_int_equal(a->count, 2);
    assert_string_equal(a->attrs[0].name, "mail");
    assert_int_equal(a->attrs[0].count, 2);
    assert_true(im_entry_has_value(a, "mail", "b@x"));
    assert_string_equal(im_entry_string(a, "cn"), "a");
    const struct im_entry *b = next(f);
    assert_string_equal(b->dn, "CN=Müller,DC=x");
    assert_int_equal(b->line, 11);
    assert_int_equal(im_entry_value(b, "objectGUID")->bv_len, 3);
    assert_memory_equal(im_entry_value(b, "objectGUID")->bv_val, "\0\1\2", 4);
    assert_string_equal(im_entry_string(b, "empty"), "");
    assert_string_equal(im_entry_string(b, "blank"), "");
    assert_null(next(f));
    assert_null(next(f));
}

static void nothing_is_no_entry(void **state) {
    struct fixture *f = *state;
    static const char *const texts[] = {"", "\n\n", "# only a comment", "version: 1\n", "\xef\xbb\xbf", "\r\n"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        open_text(f, texts[i]);
        assert_null(next(f));
    }
}

static void files_of_windows_are_read(void **state) {
    struct fixture *f = *state;
    open_text(f, "\xef\xbb\xbf"
                 "dn: CN=a,\r\n DC=x\r\ndescription: one\r\n  two\r\n\r\ndn: CN=b\r\n");
    const struct im_entry *a = next(f);
    assert_string_equal(a->dn, "CN=a,DC=x");
    assert_string_equal(im_entry_string(a, "description"), "one two");
    assert_string_equal(next(f)->dn, "CN=b");
}

static void folded_lines_are_joined_anywhere(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn: CN=M\xc3\n \xbcller\nde\n scription: x\n \n y\nphoto:: AA\n EC\n#comment\n still: comment\nsn: z");
    const struct im_entry *a = next(f);
    assert_string_equal(a->dn, "CN=Müller");
    assert_string_equal(im_entry_string(a, "description"), "xy");
    assert_int_equal(im_entry_value(a, "photo")->bv_len, 3);
    assert_string_equal(im_entry_string(a, "sn"), "z");
    assert_int_equal(a->count, 3);
}

static void parts_of_one_attribute_are_joined(void **state) {
    struct fixture *f = *state;
    open_text(f,
              "dn: CN=g\nmember;range=0-1: a\nmember;range=0-1: b\ncn: g\nmember;range=2-*: c\nuserCertificate;binary:: AA==\n");
    const struct im_entry *g = next(f);
    assert_int_equal(g->count, 3);
    assert_int_equal(im_entry_attr(g, "member")->count, 3);
    assert_string_equal(im_entry_attr(g, "member")->name, "member");
    assert_true(im_entry_has_value(g, "member", "c"));
    assert_int_equal(im_entry_attr(g, "usercertificate")->count, 1);
}

static void extended_names_lose_their_front(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn: <GUID=4f1e9f0c-0000-4000-8000-0123456789ab>;<SID=S-1-5-21-1-2-3-500>;CN=a,DC=x\ncn: a\n");
    assert_string_equal(next(f)->dn, "CN=a,DC=x");
}

static void the_root_has_an_empty_name(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn:\nvendorName: x\n");
    assert_string_equal(next(f)->dn, "");
}

static void what_ldapsearch_adds_is_passed_over(void **state) {
    struct fixture *f = *state;
    open_text(f, "# extended LDIF\n#\n# a, x\ndn: CN=a\ncn: a\n\n# search reference\nref: ldap://other/DC=y\n\n"
                 "# search result\nsearch: 2\nresult: 0 Success\ncontrol: 1.2.840.113556.1.4.319 false MAUCAQAEAA==\n"
                 "pagedresults: cookie=\n\ndn: CN=b\ncn: b\n\nsearch: 3\nresult: 0 Success\n");
    assert_string_equal(next(f)->dn, "CN=a");
    assert_string_equal(next(f)->dn, "CN=b");
    assert_null(next(f));
    open_text(f, "search: 2\nresult: 0 Success\n");
    assert_null(next(f));
}

static void additions_of_ldifde_are_entries(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn: CN=a,DC=x\r\nchangetype: add\r\nobjectClass: top\r\nobjectClass: user\r\ncn: a\r\n\r\n"
                 "dn: CN=b,DC=x\r\nChangeType:add\r\ncn: b\r\n\r\n");
    const struct im_entry *a = next(f);
    assert_int_equal(a->count, 2);
    assert_int_equal(im_entry_attr(a, "objectClass")->count, 2);
    assert_string_equal(im_entry_string(next(f), "cn"), "b");
    assert_null(next(f));
}

static void operational_attributes_of_slapcat_are_attributes(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn: dc=x\ndc: x\nstructuralObjectClass: domain\nentryUUID: 0c7b5d3e-0000-103f-8000-000000000001\n"
                 "entryCSN: 20261126000000.000000Z#000000#000#000000\nmodifiersName: cn=admin,dc=x\n\n");
    assert_string_equal(im_entry_string(next(f), "entryUUID"), "0c7b5d3e-0000-103f-8000-000000000001");
}

/* ---- only what is wanted ---- */

static const struct im_entry *following(struct fixture *f) {
    const struct im_entry *entry = NULL;
    enum im_err err = im_ldif_next(f->reader, &entry, &f->e);
    if (err != IM_OK)
        fail_msg("line %zu, column %zu: %s", f->e.line, f->e.column, f->e.text);
    return entry;
}

static void what_is_not_wanted_is_passed_over(void **state) {
    struct fixture *f = *state;
    static const char *const wanted[] = {"mail", "CN"};
    open_text(f, "dn: CN=a\njpegPhoto:: this is not decoded\ncn: a\nx: y\nMail: 1\nsn: z\nmail;lang-de: 2\n\ndn: CN=b\nsn: b\n");
    im_ldif_reader_want(f->reader, wanted, LENGTH(wanted));
    const struct im_entry *a = following(f);
    assert_string_equal(a->dn, "CN=a");
    assert_int_equal(a->count, 2);
    assert_string_equal(a->attrs[0].name, "cn");
    assert_string_equal(a->attrs[1].name, "Mail");
    assert_int_equal(a->attrs[1].count, 2);
    assert_int_equal(im_ldif_wanted(f->reader)[0], 1);
    assert_int_equal(im_ldif_wanted(f->reader)[1], 0);
    const struct im_entry *b = following(f);
    assert_string_equal(b->dn, "CN=b");
    assert_int_equal(b->count, 0);
    assert_null(following(f));
    bool is_met = false;
    for (size_t i = 0; im_ldif_name(f->reader, i); i++)
        is_met = is_met || strcmp(im_ldif_name(f->reader, i), "jpegPhoto") == 0;
    assert_true(is_met);
}

static void parts_without_an_end_are_told(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn: CN=a\nmember;range=0-1: a\nmember;range=0-1: b\n\ndn: CN=b\nmember;range=0-0: a\nmember;range=1-*: b\n\n"
                 "dn: CN=c\nmember: a\n");
    following(f);
    assert_string_equal(im_ldif_partial(f->reader), "member");
    following(f);
    assert_null(im_ldif_partial(f->reader));
    following(f);
    assert_null(im_ldif_partial(f->reader));
}

/* Windows move, lines and records lie across their edges, whatever sizes the pieces have that a source gives. */
struct pieces {
    const char *bytes;
    size_t len, at, size;
};

static enum im_err read_piece(void *user, char *out, size_t size, size_t *len, struct im_error *e) {
    struct pieces *p = user;
    (void)e;
    *len = p->len - p->at < p->size ? p->len - p->at : p->size;
    *len = *len < size ? *len : size;
    memcpy(out, p->bytes + p->at, *len);
    p->at += *len;
    return IM_OK;
}

static void open_pieces(struct fixture *f, struct pieces *p) {
    const struct im_ldif_source source = {.read = read_piece, .user = p};
    im_ldif_reader_free(&f->reader);
    assert_int_equal(im_ldif_reader_open(&source, "pieces", &f->reader, &f->e), IM_OK);
}

static void write_numbered(struct im_buf *text, size_t n) {
    im_buf_addf(text, "dn: CN=%zu,\r\n DC=x\r\n# about %zu\r\ncn: %zu\r\ndescription: ", n, n, n);
    for (size_t i = 0; i < n % 977; i++)
        im_buf_addf(text, "%zu%s", i, i % 13 ? "" : "\r\n ");
    im_buf_adds(text, "\r\nobjectGUID:: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n");
}

static void entries_lie_across_windows(void **state) {
    struct fixture *f = *state;
    static const size_t sizes[] = {3, 1000, 4096, 1 << 17};
    struct im_buf text = IM_BUF_INIT;
    for (size_t n = 0; n < 1200; n++)
        write_numbered(&text, n);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct pieces p = {.bytes = text.data, .len = text.len, .size = sizes[i]};
        open_pieces(f, &p);
        for (size_t n = 0; n < 1200; n++) {
            char dn[32];
            struct im_buf value = IM_BUF_INIT;
            for (size_t k = 0; k < n % 977; k++)
                im_buf_addf(&value, "%zu", k);
            const struct im_entry *entry = following(f);
            (void)snprintf(dn, sizeof dn, "CN=%zu,DC=x", n);
            assert_string_equal(entry->dn, dn);
            assert_string_equal(im_entry_string(entry, "description"), im_buf_str(&value));
            assert_int_equal(im_entry_value(entry, "objectGUID")->bv_len, 16);
            im_buf_free(&value);
        }
        assert_null(following(f));
    }
    im_buf_free(&text);
}

/* The same, of what is passed over; lines are counted all the same. */
static void what_is_passed_over_lies_across_windows(void **state) {
    struct fixture *f = *state;
    static const size_t sizes[] = {3, 1000, 4096, 1 << 17};
    static const char *const wanted[] = {"objectGUID"};
    struct im_buf text = IM_BUF_INIT;
    for (size_t n = 0; n < 1200; n++)
        write_numbered(&text, n);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct pieces p = {.bytes = text.data, .len = text.len, .size = sizes[i]};
        size_t line = 1;
        const char *at = text.data;
        open_pieces(f, &p);
        im_ldif_reader_want(f->reader, wanted, LENGTH(wanted));
        for (size_t n = 0; n < 1200; n++) {
            const struct im_entry *entry = following(f);
            assert_int_equal(entry->line, line);
            assert_int_equal(entry->count, 1);
            assert_int_equal(im_entry_value(entry, "objectGUID")->bv_len, 16);
            for (const char *end = strstr(at, "\r\n\r\n") + 4; at < end; at++)
                line += *at == '\n';
        }
        assert_null(following(f));
    }
    im_buf_free(&text);
}

/* ---- what is refused ---- */

static void assert_refused(struct fixture *f, enum im_err code, size_t line, size_t column, const char *word) {
    struct im_entry *entry = NULL;
    enum im_err err;
    do {
        err = im_ldif_read(f->reader, f->pool, &entry, &f->e);
    } while (err == IM_OK && entry);
    if (err == IM_OK)
        fail_msg("accepted, but should have mentioned \"%s\"", word);
    assert_mentions(f->e.text, word);
    assert_int_equal(err, code);
    assert_int_equal(f->e.code, code);
    assert_int_equal(f->e.line, line);
    assert_int_equal(f->e.column, column);
    assert_string_equal(f->e.where, "export.ldif");
}

/* Also where the order of lines is that of the entry before, and nobody wants them. */
static void what_is_passed_over_may_be_refused(void **state) {
    struct fixture *f = *state;
#define BEFORE "dn: CN=a\nx: 1\ny: 1\nz: 1\n\ndn: CN=b\nx: 1\n"
#define TEXT(behind) BEFORE behind, sizeof BEFORE behind - 1
    static const struct {
        const char *text;
        size_t len, line, column;
        const char *word;
    } rows[] = {
        {TEXT("y:< file:///etc/passwd\nz: 1\n"), 8, 3, "not followed"},
        {TEXT("x:< file:///etc/passwd\nz: 1\n"), 8, 3, "not followed"},
        {TEXT("y: \0\nz: 1\n"), 8, 4, "NUL"},
        {TEXT("y: 1\n \0\nz: 1\n"), 9, 2, "NUL"},
        {TEXT("y: 1\nchangetype: add\nz: 1\n"), 9, 1, "change record"},
        {TEXT("y: 1\ninclude: x\nz: 1\n"), 9, 1, "include"},
        {TEXT("y: 1\n\ny: 1\n"), 10, 1, "expected an entry"},
        {TEXT("y\nz: 1\n"), 8, 1, "no colon"},
    };
#undef TEXT
#undef BEFORE
    for (size_t i = 0; i < LENGTH(rows); i++) {
        open_bytes(f, rows[i].text, rows[i].len);
        im_ldif_reader_want(f->reader, &(const char *const){"cn"}, 1);
        assert_refused(f, IM_E_INPUT, rows[i].line, rows[i].column, rows[i].word);
    }
}

static void hostile_and_broken_lines_are_refused(void **state) {
    static const struct {
        const char *text;
        size_t line, column;
        const char *word;
    } rows[] = {
        {"include: file:///etc/hostname\n", 1, 1, "include"},
        {"dn: CN=a\ncn: a\n\nInclude: file:///etc/passwd\n", 4, 1, "include"},
        {"dn: CN=a\ninclude: x\n", 2, 1, "include"},
        {"dn: CN=a\njpegPhoto:< file:///etc/hostname\n", 2, 11, "not followed"},
        {"dn:< file:///etc/hostname\n", 1, 4, "not followed"},
        {"dn: CN=a\nchangetype: modify\nreplace: mail\n", 2, 1, "change record"},
        {"dn: CN=a\ncontrol: 1.2.3\n", 2, 1, "change record"},
        {"dn: CN=a\nchangetype: delete\n", 2, 1, "change record"},
        {"dn: CN=a\ncn: a\nchangetype: add\n", 3, 1, "change record"},
        {"\xff\xfe"
         "d",
         1, 1, "UTF-16"},
        {"\xfe\xff"
         "d",
         1, 1, "UTF-16"},
        {"dn: CN=a\nmail: x\n-\n", 3, 1, "no colon"},
        {"dn: CN=a\nnonsense\n", 2, 1, "no colon"},
        {"dn: CN=a\n: v\n", 2, 1, "attribute name"},
        {"dn: CN=a\nx :y\n", 2, 1, "attribute name"},
        {"dn: CN=a\n-x: y\n", 2, 1, "attribute name"},
        {"dn: CN=a\nm\xc3\xa4il: y\n", 2, 1, "attribute name"},
        {"dn: CN=a\ncn: a\ndn: CN=b\n", 3, 1, "empty line"},
        {"cn: a\n", 1, 1, "begins with \"dn:\""},
        {" dn: CN=a\n", 1, 1, "attribute name"},
        {"version: 2\n", 1, 1, "version 1"},
        {"dn: CN=a\nx:: QUJ\n", 2, 8, "base64"},
        {"dn: CN=a\nx:: QU$D\n", 2, 7, "base64"},
        {"dn: CN=a\nx:: QU$\n", 2, 7, "base64"},
        {"dn: CN=a\nx:: QQ==QUJD\n", 2, 7, "base64"},
        {"dn: CN=a\nx:: =QUJ\n", 2, 5, "base64"},
        {"dn: CN=a\nx:: Q===\n", 2, 6, "base64"},
        {"dn: CN=a\nx:: QQ=D\n", 2, 8, "base64"},
        {"dn: CN=a\nx:: QU JD\n", 2, 7, "base64"},
        {"dn:: Q049YQBi\ncn: a\n", 1, 1, "NUL"},
        {"\xef\xbb\xbf\xef\xbb\xbf"
         "dn: CN=a\n",
         1, 1, "attribute name"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        open_text(f, rows[i].text);
        assert_refused(f, IM_E_INPUT, rows[i].line, rows[i].column, rows[i].word);
    }
}

static void nul_bytes_are_refused_where_they_stand(void **state) {
    struct fixture *f = *state;
    open_bytes(f, "dn: CN=a\n\0cn: a\n", 16);
    assert_refused(f, IM_E_INPUT, 2, 1, "NUL");
    open_bytes(f, "dn: CN=a\0b\n", 11);
    assert_refused(f, IM_E_INPUT, 1, 9, "NUL");
}

static void an_export_that_was_cut_short_is_refused(void **state) {
    struct fixture *f = *state;
    open_text(f, "dn: CN=a\ncn: a\n\n# search result\nsearch: 2\nresult: 4 Size limit exceeded\n");
    assert_refused(f, IM_E_TRUNCATED, 6, 1, "4 Size limit exceeded");
    open_text(f, "search: 2\nresult: 32 No such object\n");
    assert_refused(f, IM_E_TRUNCATED, 2, 1, "32 No such object");
}

/* A file of `count` times `piece` between `head` and `tail`. */
static void open_repeated(struct fixture *f, const char *head, const char *piece, size_t count, const char *tail) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, head);
    for (size_t i = 0; i < count; i++)
        im_buf_addf(&text, "%s", piece);
    im_buf_adds(&text, tail);
    open_bytes(f, text.data, text.len);
    im_buf_free(&text);
}

static void endless_lines_are_refused(void **state) {
    struct fixture *f = *state;
    open_repeated(f, "dn: CN=a\nx: ", "0123456789abcdef", (1 << 20) / 16, "\n");
    assert_refused(f, IM_E_INPUT, 2, (1 << 20) + 1, "1 MiB");
    open_repeated(f, "dn: CN=a\nx: ", "0123456789abcde\n ", (1 << 20) / 15 + 1, "\n");
    assert_refused(f, IM_E_INPUT, 2, 0, "1 MiB");
    open_repeated(f, "dn: CN=a\nx: ", "0123456789abcdef", (1 << 20) / 16 - 1, "\n");
    assert_int_equal(im_entry_value(next(f), "x")->bv_len, (1 << 20) - 16);
}

static void entries_made_to_be_slow_are_refused(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, "dn: CN=a\n");
    for (int i = 0; i < 4096; i++)
        im_buf_addf(&text, "a%d: x\n", i);
    open_bytes(f, text.data, text.len);
    assert_int_equal(next(f)->count, 4096);
    im_buf_adds(&text, "onemore: x\n");
    open_bytes(f, text.data, text.len);
    assert_refused(f, IM_E_INPUT, 4098, 1, "4096");
    im_buf_clear(&text);
    im_buf_adds(&text, "dn: CN=a\n");
    for (int i = 0; i < 4200; i++) /* spellings of one name that is not even wanted */
        im_buf_addf(&text, "a;x-%d: x\n", i);
    open_bytes(f, text.data, text.len);
    im_ldif_reader_want(f->reader, &(const char *const){"cn"}, 1);
    assert_refused(f, IM_E_INPUT, 4113, 1, "4096");
    im_buf_free(&text);
}

static void many_names_are_no_harm_where_each_entry_has_few(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    for (int i = 0; i < 20000; i++)
        im_buf_addf(&text, "dn: CN=%d\na%d: x\n\n", i, i);
    open_bytes(f, text.data, text.len);
    for (int i = 0; i < 20000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a%d", i);
        assert_string_equal(following(f)->attrs[0].name, name);
    }
    im_buf_free(&text);
}

static void a_directory_is_no_file(void **state) {
    struct fixture *f = *state;
    f->stream = fopen("/", "r");
    assert_non_null(f->stream);
    assert_int_equal(im_ldif_reader_new(f->stream, "/", &f->reader, &f->e), IM_OK);
    struct im_entry *entry = NULL;
    assert_int_equal(im_ldif_read(f->reader, f->pool, &entry, &f->e), IM_E_IO);
    assert_int_equal(f->e.origin, IM_ORIGIN_ERRNO);
}

/* ---- what is written ---- */

static void assert_writes(const char *bytes, size_t len, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    struct berval value = value_of(bytes, len);
    im_ldif_write_value(&out, "x", &value);
    assert_string_equal(im_buf_str(&out), expect);
    im_buf_free(&out);
}

static void values_that_ldif_cannot_hold_are_base64(void **state) {
    (void)state;
    assert_writes("plain", 5, "x: plain\n");
    assert_writes("a:b <c", 6, "x: a:b <c\n");
    assert_writes("", 0, "x:\n");
    assert_writes(" a", 2, "x:: IGE=\n");
    assert_writes("a ", 2, "x:: YSA=\n");
    assert_writes(":a", 2, "x:: OmE=\n");
    assert_writes("<a", 2, "x:: PGE=\n");
    assert_writes("a\nb", 3, "x:: YQpi\n");
    assert_writes("a\0b", 3, "x:: YQBi\n");
    assert_writes("ü", 2, "x:: w7w=\n");
    assert_writes("\x7f", 1, "x:: fw==\n");
}

static void every_value_comes_back(void **state) {
    struct fixture *f = *state;
    struct im_buf text = IM_BUF_INIT;
    char bytes[300];
    char letters[sizeof bytes];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37 + 5);
    memset(letters, 'a', sizeof letters);
    im_buf_adds(&text, "dn: CN=a\n");
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct berval raw = value_of(bytes, len);
        struct berval plain = value_of(letters, len);
        im_ldif_write_value(&text, "raw", &raw);
        im_ldif_write_value(&text, "plain", &plain);
    }
    for (const char *line = text.data; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(strcspn(line, "\n") <= 76);
    open_bytes(f, text.data, text.len);
    const struct im_entry *entry = next(f);
    assert_int_equal(im_entry_attr(entry, "raw")->count, sizeof bytes);
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct berval raw = value_of(bytes, len);
        struct berval plain = value_of(letters, len);
        assert_true(im_value_equal(&im_entry_attr(entry, "raw")->values[len], &raw));
        assert_true(im_value_equal(&im_entry_attr(entry, "plain")->values[len], &plain));
    }
    im_buf_free(&text);
}

static void changes_are_modify_records(void **state) {
    (void)state;
    const struct berval old[] = {VALUE("old@x")};
    const struct berval values[] = {VALUE("a"), VALUE("\xff")};
    const struct im_op ops[] = {
        {.kind = IM_OP_DELETE, .attribute = "mail", .values = old, .count = 1},
        {.kind = IM_OP_ADD, .attribute = "mail", .values = values, .count = 2},
        {.kind = IM_OP_REPLACE, .attribute = "url", .values = values, .count = 1},
        {.kind = IM_OP_REPLACE, .attribute = "note"},
        {.kind = IM_OP_DELETE, .attribute = "title"},
    };
    const struct im_change change = {.dn = "CN=Müller,DC=x", .ops = ops, .count = LENGTH(ops)};
    struct im_buf out = IM_BUF_INIT;
    im_ldif_write_change(&out, &change);
    assert_string_equal(im_buf_str(&out), "dn:: Q049TcO8bGxlcixEQz14\n"
                                          "changetype: modify\n"
                                          "delete: mail\nmail: old@x\n-\n"
                                          "add: mail\nmail: a\nmail:: /w==\n-\n"
                                          "replace: url\nurl: a\n-\n"
                                          "replace: note\n-\n"
                                          "delete: title\n-\n"
                                          "\n");
    im_buf_free(&out);
}

static void a_name_cannot_smuggle_lines_in(void **state) {
    (void)state;
    const struct im_op op = {.kind = IM_OP_DELETE, .attribute = "title"};
    const struct im_change change = {.dn = "CN=a\nchangetype: delete", .ops = &op, .count = 1};
    struct im_buf out = IM_BUF_INIT;
    im_ldif_write_change(&out, &change);
    assert_null(strstr(im_buf_str(&out), "changetype: delete"));
    assert_int_equal(strncmp(im_buf_str(&out), "dn:: ", 5), 0);
    im_buf_free(&out);
}

#define READING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        READING(entries_follow_each_other),
        READING(nothing_is_no_entry),
        READING(files_of_windows_are_read),
        READING(folded_lines_are_joined_anywhere),
        READING(parts_of_one_attribute_are_joined),
        READING(extended_names_lose_their_front),
        READING(the_root_has_an_empty_name),
        READING(what_ldapsearch_adds_is_passed_over),
        READING(additions_of_ldifde_are_entries),
        READING(operational_attributes_of_slapcat_are_attributes),
        READING(what_is_not_wanted_is_passed_over),
        READING(parts_without_an_end_are_told),
        READING(entries_lie_across_windows),
        READING(what_is_passed_over_lies_across_windows),
        READING(what_is_passed_over_may_be_refused),
        READING(hostile_and_broken_lines_are_refused),
        READING(nul_bytes_are_refused_where_they_stand),
        READING(an_export_that_was_cut_short_is_refused),
        READING(endless_lines_are_refused),
        READING(entries_made_to_be_slow_are_refused),
        READING(many_names_are_no_harm_where_each_entry_has_few),
        READING(a_directory_is_no_file),
        cmocka_unit_test(values_that_ldif_cannot_hold_are_base64),
        READING(every_value_comes_back),
        cmocka_unit_test(changes_are_modify_records),
        cmocka_unit_test(a_name_cannot_smuggle_lines_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
