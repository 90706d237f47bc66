#include "lib/data/encoding.h"

#include "lib/base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 65536 };

/* What the bytes above 127 of a file are. */
struct scan {
    struct im_position here, broken_at;
    unsigned char broken; /* the first byte that is not UTF-8; 0: none */
    bool has_utf8;
};

static void meet_broken(struct scan *s, unsigned char byte) {
    if (!s->broken) {
        s->broken = byte;
        s->broken_at = s->here;
    }
}

static size_t sequence_len(unsigned char lead) {
    if (lead >= 0xf0)
        return 4;
    return lead >= 0xe0 ? 3 : 2;
}

/* Returns how many bytes it took: a character at the end may go on in the next block. */
static size_t scan_block(struct scan *s, const char *bytes, size_t len, bool is_last) {
    size_t i = 0;
    while (i < len) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x80) {
            im_position_pass(&s->here, bytes[i++]);
            continue;
        }
        size_t need = sequence_len(byte);
        if (need > len - i && !is_last)
            break;
        bool is_utf8 = need <= len - i && im_text_is_utf8(bytes + i, need);
        if (is_utf8) {
            s->has_utf8 = true;
        } else {
            meet_broken(s, byte);
        }
        s->here.column++;
        s->here.after_cr = false;
        i += is_utf8 ? need : 1;
    }
    return i;
}

/* pread until the block is full or the file ends. */
static enum im_err read_block(int fd, const char *where, char *bytes, size_t size, off_t offset, size_t *len,
                              struct im_error *e) {
    size_t have = 0;
    while (have < size) {
        ssize_t got = pread(fd, bytes + have, size - have, offset + (off_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return im_error_set_errno(e, IM_E_IO, errno, "cannot read %s", where);
        if (got == 0)
            break;
        have += (size_t)got;
    }
    *len = have;
    return IM_OK;
}

static enum im_err scan_file(int fd, const char *where, size_t offset, bool is_utf8, struct scan *s, struct im_error *e) {
    char bytes[BLOCK];
    for (;;) {
        size_t len;
        enum im_err err = read_block(fd, where, bytes, sizeof bytes, (off_t)offset, &len, e);
        if (err != IM_OK)
            return err;
        bool is_last = len < sizeof bytes;
        offset += scan_block(s, bytes, len, is_last);
        if (is_last || (s->broken && (s->has_utf8 || is_utf8)))
            return IM_OK;
    }
}

static enum im_err not_utf8(const struct scan *s, const char *where, const char *how, struct im_error *e) {
    return im_error_set_at(e, IM_E_INPUT, where, s->broken_at.line, s->broken_at.column,
                           "the byte %02X is not UTF-8, %s: save the file as UTF-8, or name its encoding, for example "
                           "--encoding windows-1252",
                           s->broken, how);
}

/* Text without a byte order mark, or UTF-8 by its mark or by order. */
static enum im_err find_by_bytes(int fd, const char *where, bool is_utf8, struct im_encoding *out, struct im_error *e) {
    struct scan s = {.here = IM_POSITION_INIT};
    enum im_err err = scan_file(fd, where, out->bom_len, is_utf8, &s, e);
    if (err != IM_OK)
        return err;
    if (s.broken && is_utf8)
        return not_utf8(&s, where, out->bom_len ? "though the file is marked as such" : "though --encoding says so", e);
    if (s.broken && s.has_utf8)
        return not_utf8(&s, where, "though other characters of the file are", e);
    out->name = s.broken ? "windows-1252" : "UTF-8";
    return IM_OK;
}

/* The order that UTF-16 without a mark would have: every other byte of Latin text is NUL. */
static const char *unmarked(const char *b, size_t len) {
    if (len < 4)
        return NULL;
    if (b[0] && !b[1] && b[2] && !b[3])
        return "UTF-16LE";
    return !b[0] && b[1] && !b[2] && b[3] ? "UTF-16BE" : NULL;
}

static bool begins_with(const char *bytes, size_t len, const char *mark) {
    return len >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0;
}

static bool is_name_of_utf8(const char *name) {
    return im_text_equal(name, "UTF-8") || im_text_equal(name, "UTF8");
}

static enum im_err contradicted(const char *where, const char *wanted, const char *mark, struct im_error *e) {
    return im_error_set_at(e, IM_E_INPUT, where, 1, 1, "--encoding %s: but the file begins with the mark of %s", wanted, mark);
}

/* What the mark at the beginning says; an encoding that is wanted stays, unless the mark contradicts it. */
static enum im_err find_by_mark(const char *where, const char *bytes, size_t len, struct im_encoding *out, struct im_error *e) {
    bool is_little = begins_with(bytes, len, "\xff\xfe");
    if (begins_with(bytes, len, "\xef\xbb\xbf")) {
        out->bom_len = 3;
        return !out->name || is_name_of_utf8(out->name) ? IM_OK : contradicted(where, out->name, "UTF-8", e);
    }
    if (!is_little && !begins_with(bytes, len, "\xfe\xff"))
        return IM_OK;
    if (out->name && strncasecmp(out->name, "UTF-16", 6) != 0 && strncasecmp(out->name, "UTF16", 5) != 0) {
        return contradicted(where, out->name, "UTF-16", e);
    }
    *out = (struct im_encoding){.name = is_little ? "UTF-16LE" : "UTF-16BE", .bom_len = 2};
    return IM_OK;
}

enum im_err im_encoding_find(int fd, const char *where, const char *wanted, struct im_encoding *out, struct im_error *e) {
    char bytes[4] = {0};
    size_t len = 0;
    struct im_encoding found = {.name = wanted};
    enum im_err err = read_block(fd, where, bytes, sizeof bytes, 0, &len, e);
    if (err == IM_OK)
        err = find_by_mark(where, bytes, len, &found, e);
    if (err != IM_OK)
        return err;
    const char *likely = wanted ? NULL : unmarked(bytes, len);
    if (likely) {
        return im_error_set_at(e, IM_E_INPUT, where, 1, 1,
                               "this looks like UTF-16 without a byte order mark: save the file as UTF-8, or say --encoding %s",
                               likely);
    }
    if (!found.name || is_name_of_utf8(found.name))
        err = find_by_bytes(fd, where, wanted || found.bom_len, &found, e);
    if (err == IM_OK)
        *out = found;
    return err;
}
