/*
 * HTTP/1.1 over a few keep-alive connections, one thread each. A body is
 * copied into a bounded queue; 503 is tried again after a pause, as an OTLP
 * exporter does; anything else that is not 200 is counted as failed.
 *
 * Two targets are no servers: "file:PATH" gets the bodies back to back, and
 * "zstd:LEVEL" compresses each one and tells the CPU time that took, which is
 * what the server's is measured against (tests/bench).
 */
#include "shop.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libdeflate.h>
#include <zstd.h>

#include "queue.h"

enum { QUEUE = 64, TRIES = 600, HEAD = 256 };

struct job {
    enum send_path path;
    size_t len;
    char bytes[];
};

struct sender {
    struct queue *queue;
    char host[64], port[16];
    int count, encoding;
    pthread_t threads[64];
    FILE *file;
    struct packer *packer;
    atomic_ullong bytes, failed, started, finished;
};

/* One context and one buffer for all bodies. */
struct packer {
    ZSTD_CCtx *context;
    char *room;
    size_t size;
    int level;
    uint64_t cpu_ns;
};

static int dial(struct sender *s)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int fd = -1, on = 1;

    if (getaddrinfo(s->host, s->port, &hints, &list) != 0)
        return -1;
    fd = socket(list->ai_family, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    freeaddrinfo(list);
    return fd;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static size_t content_length(const char *head)
{
    static const char name[] = "\ncontent-length:";

    for (const char *line = head; (line = strchr(line, '\n')); line++)
        if (strncasecmp(line, name, sizeof(name) - 1) == 0)
            return (size_t)atol(line + sizeof(name) - 1);
    return 0;
}

/* The status of the answer, 0 if the connection broke. Answers are small and
 * carry a Content-Length. */
static int read_status(int fd)
{
    char text[8192];
    size_t have = 0;

    for (;;) {
        ssize_t n = recv(fd, text + have, sizeof(text) - 1 - have, 0);

        if (n <= 0)
            return 0;
        have += (size_t)n;
        text[have] = '\0';
        char *end = strstr(text, "\r\n\r\n");
        if (end) {
            size_t body = content_length(text);

            if (have >= (size_t)(end + 4 - text) + body)
                return atoi(text + 9);
        }
        if (have + 1 == sizeof(text))
            return 0;
    }
}

static int post(struct sender *s, int *fd, const struct job *job)
{
    static const char *const paths[] = {"traces", "logs", "metrics"};
    static const char *const codings[] = {"", "Content-Encoding: gzip\r\n",
                                          "Content-Encoding: zstd\r\n"};
    char head[HEAD];

    if (*fd < 0)
        *fd = dial(s);
    if (*fd < 0)
        return 0;
    int len =
        snprintf(head, sizeof(head),
                 "POST /v1/%s HTTP/1.1\r\nHost: %s\r\n%s"
                 "Content-Type: application/x-protobuf\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 paths[job->path], s->host, codings[s->encoding], job->len);
    int status = write_all(*fd, head, (size_t)len) &&
                         write_all(*fd, job->bytes, job->len)
                     ? read_status(*fd)
                     : 0;
    if (status == 0) {
        close(*fd);
        *fd = -1;
    }
    return status;
}

static void *work(void *arg)
{
    struct sender *s = arg;
    struct job *job;
    int fd = -1;

    while ((job = queue_pop(s->queue, UINT64_MAX))) {
        int status = 0;

        for (int i = 0; i < TRIES && status != 200; i++) {
            status = post(s, &fd, job);
            if (status != 0 && status != 200 && status != 503)
                break;
            if (status != 200)
                usleep(20000);
        }
        if (status == 200)
            atomic_fetch_add(&s->bytes, job->len);
        else
            atomic_fetch_add(&s->failed, 1);
        atomic_fetch_add(&s->finished, 1);
        free(job);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool packer_take(struct packer *p, struct slice body)
{
    size_t size = ZSTD_compressBound(body.len);

    if (size > p->size) {
        free(p->room);
        p->room = malloc(size);
        p->size = size;
    }
    uint64_t begin = thread_cpu_ns();
    size_t len = ZSTD_compressCCtx(p->context, p->room, p->size, body.ptr,
                                   body.len, p->level);
    p->cpu_ns += thread_cpu_ns() - begin;
    return !ZSTD_isError(len);
}

static struct packer *packer_open(int level)
{
    struct packer *p = calloc(1, sizeof(*p));

    p->context = ZSTD_createCCtx();
    p->level = level;
    return p;
}

struct sender *sender_open(const char *host_port, int connections, int encoding)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (s && strncmp(host_port, "file:", 5) == 0) {
        s->file = fopen(host_port + 5, "wb");
        return s->file ? s : NULL;
    }
    if (s && strncmp(host_port, "zstd:", 5) == 0) {
        s->packer = packer_open(atoi(host_port + 5));
        return s;
    }
    const char *colon = strrchr(host_port, ':');

    if (!s || !colon || colon - host_port >= 60)
        return NULL;
    memcpy(s->host, host_port, (size_t)(colon - host_port));
    snprintf(s->port, sizeof(s->port), "%s", colon + 1);
    s->queue = queue_new(QUEUE);
    s->count = connections;
    s->encoding = encoding;
    for (int i = 0; i < connections; i++)
        pthread_create(&s->threads[i], NULL, work, s);
    return s;
}

static struct job *pack_gzip(enum send_path path, struct slice body)
{
    static struct libdeflate_compressor *c;

    if (!c)
        c = libdeflate_alloc_compressor(1);
    size_t room = libdeflate_gzip_compress_bound(c, body.len);
    struct job *job = malloc(sizeof(*job) + room);
    job->path = path;
    job->len =
        libdeflate_gzip_compress(c, body.ptr, body.len, job->bytes, room);
    return job;
}

static struct job *pack_zstd(enum send_path path, struct slice body)
{
    size_t room = ZSTD_compressBound(body.len);
    struct job *job = malloc(sizeof(*job) + room);

    job->path = path;
    job->len = ZSTD_compress(job->bytes, room, body.ptr, body.len, 1);
    return job;
}

void sender_send(struct sender *s, enum send_path path, struct slice body)
{
    struct job *job;

    if (s->file) {
        if (fwrite(body.ptr, 1, body.len, s->file) != body.len)
            atomic_fetch_add(&s->failed, 1);
        atomic_fetch_add(&s->bytes, body.len);
        return;
    }
    if (s->packer) {
        if (!packer_take(s->packer, body))
            atomic_fetch_add(&s->failed, 1);
        atomic_fetch_add(&s->bytes, body.len);
        return;
    }
    if (s->encoding == 1) {
        job = pack_gzip(path, body);
    } else if (s->encoding == 2) {
        job = pack_zstd(path, body);
    } else {
        job = malloc(sizeof(*job) + body.len);
        job->path = path;
        job->len = body.len;
        memcpy(job->bytes, body.ptr, body.len);
    }
    atomic_fetch_add(&s->started, 1);
    queue_push_wait(s->queue, job);
}

void sender_drain(struct sender *s)
{
    while (atomic_load(&s->finished) < atomic_load(&s->started))
        usleep(1000);
}

void sender_close(struct sender *s)
{
    if (s->file) {
        if (fclose(s->file) != 0)
            perror("shopgen");
        free(s);
        return;
    }
    if (s->packer) {
        ZSTD_freeCCtx(s->packer->context);
        free(s->packer->room);
        free(s->packer);
        free(s);
        return;
    }
    queue_close(s->queue);
    for (int i = 0; i < s->count; i++)
        pthread_join(s->threads[i], NULL);
    queue_free(s->queue);
    free(s);
}

uint64_t sender_bytes(const struct sender *s)
{
    return atomic_load(&s->bytes);
}

uint64_t sender_failed(const struct sender *s)
{
    return atomic_load(&s->failed);
}

double sender_zstd_seconds(const struct sender *s)
{
    return s->packer ? (double)s->packer->cpu_ns / 1e9 : 0;
}
