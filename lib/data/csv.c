#include "lib/data/csv.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

static void add_quoted(struct im_buf *out, const char *field, size_t len) {
    size_t size = csv_write(NULL, 0, field, len);
    char *quoted = malloc(size ? size : 1);
    if (!quoted) {
        out->failed = true;
        return;
    }
    (void)csv_write(quoted, size, field, len);
    im_buf_add(out, quoted, size);
    free(quoted);
}

void im_csv_cell(struct im_buf *out, const char *field, char separator, bool guards) {
    struct im_buf guarded = IM_BUF_INIT;
    const char special[] = {',', '"', '\r', '\n', ';', '\t', separator, '\0'};
    if (!field)
        return;
    if (guards && *field && strchr("=+-@\t\r", *field))
        im_buf_addc(&guarded, '\'');
    im_buf_adds(&guarded, field);
    if (guarded.failed) {
        out->failed = true;
    } else if (strpbrk(im_buf_str(&guarded), special) || im_buf_str(&guarded)[0] == ' ') {
        add_quoted(out, guarded.data, guarded.len);
    } else {
        im_buf_adds(out, im_buf_str(&guarded));
    }
    im_buf_free(&guarded);
}

void im_csv_row(struct im_buf *out, const char *const *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i)
            im_buf_addc(out, ',');
        im_csv_cell(out, fields[i], ',', true);
    }
    im_buf_addc(out, '\n');
}
