#include "lib/directory/gathering.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Some 30 changes. More would keep the server waiting while answers are dealt with. */
enum { ROOM = 16384 };

struct im_gathering {
    Sockbuf_IO_Desc *layer;
    size_t len;
    bool is_over; /* nothing is kept back any more */
    char bytes[ROOM];
};

static struct im_gathering *of(const Sockbuf_IO_Desc *layer) {
    return layer->sbiod_pvt;
}

bool im_gathering_flush(struct im_gathering *g) {
    size_t done = 0;
    while (g && done < g->len) {
        ber_slen_t count = LBER_SBIOD_WRITE_NEXT(g->layer, g->bytes + done, g->len - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    bool is_all = !g || done == g->len;
    if (g)
        g->len = 0;
    return is_all;
}

void im_gathering_end(struct im_gathering *g) {
    (void)im_gathering_flush(g);
    if (g)
        g->is_over = true;
}

static ber_slen_t write_later(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len) {
    struct im_gathering *g = of(layer);
    if (g->is_over)
        return LBER_SBIOD_WRITE_NEXT(layer, bytes, len);
    if (g->len + len > ROOM && !im_gathering_flush(g))
        return -1;
    if (len > ROOM)
        return LBER_SBIOD_WRITE_NEXT(layer, bytes, len);
    memcpy(g->bytes + g->len, bytes, len);
    g->len += len;
    return (ber_slen_t)len;
}

static int set_up(Sockbuf_IO_Desc *layer, void *gathering) {
    layer->sbiod_pvt = gathering;
    of(layer)->layer = layer;
    return 0;
}

static int take_away(Sockbuf_IO_Desc *layer) {
    free(layer->sbiod_pvt);
    layer->sbiod_pvt = NULL;
    return 0;
}

static int control(Sockbuf_IO_Desc *layer, int option, void *argument) {
    return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static ber_slen_t read_now(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len) {
    return LBER_SBIOD_READ_NEXT(layer, bytes, len);
}

struct im_gathering *im_gathering_begin(Sockbuf *socket) {
    static const Sockbuf_IO io = {
        .sbi_setup = set_up, .sbi_remove = take_away, .sbi_ctrl = control, .sbi_read = read_now, .sbi_write = write_later};
    const Sockbuf_IO *address = &io;
    Sockbuf_IO *same; /* liblber takes no const, and does not write */
    memcpy(&same, &address, sizeof same);
    struct im_gathering *g = socket ? calloc(1, sizeof *g) : NULL;
    if (g && ber_sockbuf_add_io(socket, same, LBER_SBIOD_LEVEL_APPLICATION, g) != 0) {
        free(g);
        g = NULL;
    }
    return g;
}
