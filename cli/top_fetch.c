/* Requests of `callboard top`; see top_fetch.h. */
#include "top_fetch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curl_api.h"
#include "mem.h"

enum { MAX_ANSWER = 64 << 20 };

enum fetch_state {
    FETCH_IDLE,
    FETCH_ASKED,
    FETCH_BUSY,
    FETCH_DONE,
    FETCH_STOP
};

struct top_fetch {
    const struct cli_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum fetch_state state; /* under the lock, as all that follows */
    struct buf path, text;
    json_t *pages[TOP_PAGES_MAX];
    uint32_t count;
    char error[CLI_ERROR];
    int pipe[2];
};

/* The message of an answer that is no 200. */
static void explain(long status, const struct buf *body, char error[CLI_ERROR])
{
    json_t *answer = json_loadb(body->ptr ? body->ptr : "", body->len, 0, NULL);
    const char *message = json_string_value(json_object_get(answer, "message"));

    if (status == 401)
        message = "the server asks for a token, or does not accept this one";
    if (status != 0)
        (void)snprintf(error, CLI_ERROR, "%ld: %.200s", status,
                       message ? message : "no JSON");
    json_decref(answer);
}

static json_t *ask_page(const struct cli_server *server, struct slice path,
                        struct slice text, char error[CLI_ERROR])
{
    json_t *answer = NULL;
    struct buf body;
    long status;

    buf_init(&body, MAX_ANSWER);
    status =
        cli_send(server, text.len ? "POST" : "GET", path, text, &body, error);
    if (status == 200)
        answer = json_loadb(body.ptr, body.len, 0, NULL);
    if (status != 200)
        explain(status, &body, error);
    else if (!answer)
        (void)snprintf(error, CLI_ERROR, "the answer is not JSON");
    buf_release(&body);
    return answer;
}

uint32_t top_fetch_pages(const struct cli_server *server, struct slice path,
                         struct slice text, json_t *pages[TOP_PAGES_MAX],
                         char error[CLI_ERROR])
{
    const char *cursor = NULL;
    uint32_t count = 0;
    struct buf next;

    error[0] = '\0';
    buf_init(&next, CLI_MAX_URL);
    do {
        buf_reset(&next);
        buf_add(&next, path);
        if (cursor)
            buf_format(&next, "&cursor=%s", cursor); /* hexadecimal */
        pages[count] = ask_page(server, buf_slice(&next), text, error);
        if (!pages[count])
            break;
        cursor =
            json_string_value(json_object_get(pages[count++], "nextCursor"));
    } while (cursor && text.len == 0 && count < TOP_PAGES_MAX);
    if (error[0])
        while (count > 0)
            json_decref(pages[--count]);
    buf_release(&next);
    return count;
}

static void *work(void *arg)
{
    struct top_fetch *f = arg;

    (void)pthread_mutex_lock(&f->lock);
    while (f->state != FETCH_STOP) {
        if (f->state != FETCH_ASKED) {
            (void)pthread_cond_wait(&f->changed, &f->lock);
            continue;
        }
        f->state = FETCH_BUSY;
        (void)pthread_mutex_unlock(&f->lock);
        f->count = top_fetch_pages(f->server, buf_slice(&f->path),
                                   buf_slice(&f->text), f->pages, f->error);
        (void)pthread_mutex_lock(&f->lock);
        if (f->state == FETCH_BUSY)
            f->state = FETCH_DONE;
        if (write(f->pipe[1], "", 1) < 0) {
            /* full: the other side is awake already */
        }
    }
    (void)pthread_mutex_unlock(&f->lock);
    return NULL;
}

struct top_fetch *top_fetch_start(const struct cli_server *server)
{
    struct top_fetch *f = mem_zero(1, sizeof(*f));
    sigset_t all, before;
    int failed;

    (void)curl_api(); /* loaded before there are threads */
    f->server = server;
    buf_init(&f->path, CLI_MAX_URL);
    buf_init(&f->text, CLI_MAX_URL);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->changed, NULL);
    failed = pipe(f->pipe);
    sigfillset(&all); /* signals are the main thread's */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!failed)
        failed = pthread_create(&f->thread, NULL, work, f);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        fputs("callboard: no thread can be started\n", stderr);
        free(f);
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        (void)fcntl(f->pipe[i], F_SETFL, O_NONBLOCK);
    return f;
}

void top_fetch_stop(struct top_fetch *f)
{
    bool busy;

    (void)pthread_mutex_lock(&f->lock);
    busy = f->state == FETCH_BUSY;
    f->state = FETCH_STOP;
    (void)pthread_cond_signal(&f->changed);
    (void)pthread_mutex_unlock(&f->lock);
    if (busy) { /* it ends with the program */
        (void)pthread_detach(f->thread);
        return;
    }
    (void)pthread_join(f->thread, NULL);
    for (uint32_t i = 0; i < f->count; i++)
        json_decref(f->pages[i]);
    buf_release(&f->path);
    buf_release(&f->text);
    (void)close(f->pipe[0]);
    (void)close(f->pipe[1]);
    free(f);
}

int top_fetch_descriptor(const struct top_fetch *f)
{
    return f->pipe[0];
}

bool top_fetch_is_busy(struct top_fetch *f)
{
    bool busy;

    (void)pthread_mutex_lock(&f->lock);
    busy = f->state != FETCH_IDLE;
    (void)pthread_mutex_unlock(&f->lock);
    return busy;
}

void top_fetch_ask(struct top_fetch *f, struct slice path, struct slice text)
{
    (void)pthread_mutex_lock(&f->lock);
    buf_reset(&f->path);
    buf_add(&f->path, path);
    buf_reset(&f->text);
    buf_add(&f->text, text);
    f->state = FETCH_ASKED;
    (void)pthread_cond_signal(&f->changed);
    (void)pthread_mutex_unlock(&f->lock);
}

bool top_fetch_take(struct top_fetch *f, json_t *pages[TOP_PAGES_MAX],
                    uint32_t *count, char error[CLI_ERROR])
{
    char bytes[16];
    bool done;

    while (read(f->pipe[0], bytes, sizeof(bytes)) > 0)
        ;
    (void)pthread_mutex_lock(&f->lock);
    done = f->state == FETCH_DONE;
    if (done) {
        f->state = FETCH_IDLE;
        memcpy(pages, f->pages, f->count * sizeof(*pages));
        *count = f->count;
        f->count = 0;
        memcpy(error, f->error, CLI_ERROR);
    }
    (void)pthread_mutex_unlock(&f->lock);
    return done;
}
