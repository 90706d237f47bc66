/*
 * A TCP proxy that puts a round trip between client and server, and counts round trips.
 *
 * delay HOST PORT RTT_MS
 *
 * Prints "listening PORT", then one line of JSON for each connection that ended. Bytes are handed on half a round trip after they
 * came, in whatever pieces; connecting is not slowed down.
 *
 * A turn begins with bytes that the client sends after it was given something that the server had said after the first bytes of
 * the turn before had reached it: what is sent in one go, and what the answers to one go set off, is one turn. For that the round
 * trip must be longer than the client needs to send what it can. A bind starts the count anew (so "turns" are those after the
 * bind), and an unbind, which nobody answers, is none; requests are recognised at the beginning of what is read.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RING = 8 << 20, PIECE = 256 << 10, MARKS = 1 << 14, EVENTS = 64 };

/* Everything up to `end`, counted from the first byte of the connection, is due at a time. */
struct mark {
    uint64_t due_ns;
    uint64_t end;
};

struct link;

struct end {
    struct link *link;
    int fd;
    uint32_t interest; /* what epoll knows */
};

/* From one socket to the other; positions count from the beginning and never go back. */
struct way {
    struct end *from, *to;
    char *ring;
    struct mark *marks;
    uint64_t read, written;
    uint64_t marked, unmarked; /* marks put and taken */
    uint64_t eof_due_ns;
    int is_at_eof, is_blocked, is_shut;
};

struct link {
    struct end client, server;
    struct way up, down;
    int has_turn;
    uint64_t turn_at;   /* where in `up` the latest turn began */
    uint64_t answer_at; /* where in `down` the first answer to it may begin; UINT64_MAX: it has not come */
    uint64_t turns, pieces;
    struct link *next;
};

struct proxy {
    int epoll, listener;
    struct sockaddr_in server;
    uint64_t half_ns;
    struct link *links;
};

static _Noreturn void die(const char *what) {
    fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* ---- counting ---- */

/* The tag of the LDAP message that begins here; 0: none can be told. */
static unsigned char request_tag(const unsigned char *p, size_t len) {
    size_t at = 2;
    if (len < 7 || p[0] != 0x30)
        return 0;
    if (p[1] & 0x80)
        at += p[1] & 0x7f;
    if (at + 2 >= len || p[at] != 0x02 || at + 2 + p[at + 1] >= len)
        return 0;
    return p[at + 2 + p[at + 1]];
}

static void begin_turn(struct link *link) {
    link->has_turn = 1;
    link->turn_at = link->up.read;
    link->answer_at = UINT64_MAX;
}

static void count_request(struct link *link, const char *data, size_t len) {
    enum { BIND = 0x60, UNBIND = 0x42 };
    unsigned char tag = request_tag((const unsigned char *)data, len);
    int is_answered = link->answer_at != UINT64_MAX && link->down.written > link->answer_at;
    link->pieces++;
    if (tag == BIND) {
        link->turns = 0;
        begin_turn(link);
    } else if (tag != UNBIND && (!link->has_turn || is_answered)) {
        link->turns++;
        begin_turn(link);
    }
}

static void count_answer(struct link *link) {
    if (link->has_turn && link->answer_at == UINT64_MAX && link->up.written > link->turn_at)
        link->answer_at = link->down.read;
}

/* ---- one direction ---- */

static void put_mark(struct way *way, uint64_t due_ns) {
    if (way->marked - way->unmarked == MARKS)
        way->marked--; /* joined with the one before: a little late rather than early */
    way->marks[way->marked++ % MARKS] = (struct mark){due_ns, way->read};
}

static void take_in(struct proxy *proxy, struct way *way) {
    struct link *link = way->from->link;
    while (!way->is_at_eof && way->read - way->written < RING) {
        size_t at = way->read % RING;
        size_t room = RING - (way->read - way->written);
        size_t piece = room < RING - at ? room : RING - at;
        ssize_t got = recv(way->from->fd, way->ring + at, piece < PIECE ? piece : PIECE, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        uint64_t now = now_ns();
        if (got <= 0) {
            way->is_at_eof = 1;
            way->eof_due_ns = now + proxy->half_ns;
            return;
        }
        if (way == &link->up) {
            count_request(link, way->ring + at, (size_t)got);
        } else {
            count_answer(link);
        }
        way->read += (uint64_t)got;
        put_mark(way, now + proxy->half_ns);
        if ((size_t)got < piece)
            return; /* epoll says when there is more */
    }
}

/* The position up to which bytes may leave. */
static uint64_t due_end(struct way *way, uint64_t now) {
    uint64_t end = way->written;
    while (way->unmarked < way->marked && way->marks[way->unmarked % MARKS].due_ns <= now)
        end = way->marks[way->unmarked++ % MARKS].end;
    return end;
}

static void give_out(struct way *way, uint64_t now) {
    uint64_t end = due_end(way, now);
    way->is_blocked = 0;
    while (way->written < end) {
        size_t at = way->written % RING;
        size_t left = (size_t)(end - way->written);
        ssize_t put = send(way->to->fd, way->ring + at, left < RING - at ? left : RING - at, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN) {
            way->marks[--way->unmarked % MARKS] = (struct mark){.end = end};
            way->is_blocked = 1;
            return;
        }
        if (put < 0) {
            way->is_at_eof = way->is_shut = 1;
            way->written = way->read;
            return;
        }
        way->written += (uint64_t)put;
    }
    if (way->is_at_eof && !way->is_shut && way->written == way->read && way->eof_due_ns <= now) {
        shutdown(way->to->fd, SHUT_WR);
        way->is_shut = 1;
    }
}

static uint64_t next_due(const struct way *way) {
    if (way->is_blocked || way->is_shut)
        return UINT64_MAX;
    if (way->unmarked < way->marked)
        return way->marks[way->unmarked % MARKS].due_ns;
    return way->is_at_eof ? way->eof_due_ns : UINT64_MAX;
}

/* ---- connections ---- */

static void watch(struct proxy *proxy, struct end *end, uint32_t interest, int operation) {
    struct epoll_event event = {.events = interest, .data.ptr = end};
    if (operation == EPOLL_CTL_MOD && interest == end->interest)
        return;
    if (epoll_ctl(proxy->epoll, operation, end->fd, &event))
        die("epoll_ctl");
    end->interest = interest;
}

static uint32_t interest_in(const struct way *in, const struct way *out) {
    uint32_t interest = 0;
    if (!in->is_at_eof && in->read - in->written < RING)
        interest |= EPOLLIN;
    if (out->is_blocked)
        interest |= EPOLLOUT;
    return interest;
}

static void init_way(struct way *way, struct end *from, struct end *to) {
    way->from = from;
    way->to = to;
    way->ring = malloc(RING);
    way->marks = calloc(MARKS, sizeof *way->marks);
    if (!way->ring || !way->marks)
        die("memory");
}

static void ready(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fcntl(fd, F_SETFL, O_NONBLOCK))
        die("fcntl");
}

static void accept_one(struct proxy *proxy) {
    int client = accept(proxy->listener, NULL, NULL);
    if (client < 0)
        return;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&proxy->server, sizeof proxy->server)) {
        close(client);
        if (server >= 0)
            close(server);
        return;
    }
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        die("memory");
    link->client = (struct end){.link = link, .fd = client};
    link->server = (struct end){.link = link, .fd = server};
    init_way(&link->up, &link->client, &link->server);
    init_way(&link->down, &link->server, &link->client);
    ready(client);
    ready(server);
    watch(proxy, &link->client, EPOLLIN, EPOLL_CTL_ADD);
    watch(proxy, &link->server, EPOLLIN, EPOLL_CTL_ADD);
    link->next = proxy->links;
    proxy->links = link;
}

static void end_link(struct link *link) {
    printf("{\"turns\": %llu, \"client_bytes\": %llu, \"server_bytes\": %llu, \"client_pieces\": %llu}\n",
           (unsigned long long)link->turns, (unsigned long long)link->up.read, (unsigned long long)link->down.read,
           (unsigned long long)link->pieces);
    fflush(stdout);
    close(link->client.fd);
    close(link->server.fd);
    free(link->up.ring);
    free(link->up.marks);
    free(link->down.ring);
    free(link->down.marks);
    free(link);
}

/* Hands on what is due, and returns when the next thing will be. */
static uint64_t serve_links(struct proxy *proxy) {
    uint64_t next = UINT64_MAX;
    for (struct link **slot = &proxy->links; *slot;) {
        struct link *link = *slot;
        uint64_t now = now_ns();
        give_out(&link->up, now);
        give_out(&link->down, now);
        if (link->up.is_shut && link->down.is_shut) {
            *slot = link->next;
            end_link(link);
            continue;
        }
        watch(proxy, &link->client, interest_in(&link->up, &link->down), EPOLL_CTL_MOD);
        watch(proxy, &link->server, interest_in(&link->down, &link->up), EPOLL_CTL_MOD);
        uint64_t up = next_due(&link->up), down = next_due(&link->down);
        next = up < next ? up : next;
        next = down < next ? down : next;
        slot = &link->next;
    }
    return next;
}

static void wait_for_events(struct proxy *proxy, uint64_t next) {
    struct epoll_event events[EVENTS];
    struct timespec wait = {0};
    uint64_t now = now_ns();
    if (next > now && next != UINT64_MAX) {
        wait.tv_sec = (time_t)((next - now) / 1000000000U);
        wait.tv_nsec = (long)((next - now) % 1000000000U);
    }
    int count = epoll_pwait2(proxy->epoll, events, EVENTS, next == UINT64_MAX ? NULL : &wait, NULL);
    for (int i = 0; i < count; i++) {
        struct end *end = events[i].data.ptr;
        if (!end) {
            accept_one(proxy);
        } else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
            take_in(proxy, end == &end->link->client ? &end->link->up : &end->link->down);
        }
    }
}

static void listen_on_loopback(struct proxy *proxy) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event event = {.events = EPOLLIN};
    proxy->epoll = epoll_create1(EPOLL_CLOEXEC);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (proxy->epoll < 0 || proxy->listener < 0 || bind(proxy->listener, (struct sockaddr *)&address, sizeof address) ||
        listen(proxy->listener, 16) || getsockname(proxy->listener, (struct sockaddr *)&address, &size) ||
        epoll_ctl(proxy->epoll, EPOLL_CTL_ADD, proxy->listener, &event))
        die("listening");
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct proxy proxy = {.server = {.sin_family = AF_INET}};
    if (argc != 4 || inet_pton(AF_INET, argv[1], &proxy.server.sin_addr) != 1) {
        fprintf(stderr, "usage: delay ADDRESS PORT RTT_MS\n");
        return 2;
    }
    proxy.server.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    proxy.half_ns = (uint64_t)(strtod(argv[3], NULL) * 1e6 / 2);
    prctl(PR_SET_TIMERSLACK, 1UL);
    listen_on_loopback(&proxy);
    for (;;)
        wait_for_events(&proxy, serve_links(&proxy));
}
