#define _XOPEN_SOURCE 700
#include "term_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "term_key.h"

enum { KEYS = 256, ESCAPE_MS = 50 };

/* One per program: a terminal is, too. */
static struct {
    struct termios before;
    volatile sig_atomic_t open;
    volatile sig_atomic_t ended, stopped, resized;
    int wake[2]; /* signal handlers write here */
    uint8_t keys[KEYS];
    size_t key_count;
    struct buf last; /* the frame on the screen */
    bool first;
} screen = {.wake = {-1, -1}};

/* ---- the terminal's state ---- */

static void put(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, len);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
}

/* Only functions that are safe in a signal handler. */
static void restore(void)
{
    static const char leave[] =
        "\033[?2026l\033[0m\033[?7h\033[?25h\033[?1049l";

    if (!screen.open)
        return;
    screen.open = 0;
    put(leave, sizeof(leave) - 1);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.before);
}

static bool enter(void)
{
    static const char enter_screen[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &screen.before) != 0)
        return false;
    raw = screen.before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
        return false;
    screen.open = 1;
    screen.first = true;
    put(enter_screen, sizeof(enter_screen) - 1);
    return true;
}

/* ---- signals ---- */

static void wake(void)
{
    int before = errno;

    if (write(screen.wake[1], "", 1) < 0) {
        /* full: the other side is awake already */
    }
    errno = before;
}

static void on_signal(int number)
{
    if (number == SIGTSTP)
        screen.stopped = 1;
    else if (number == SIGWINCH || number == SIGCONT)
        screen.resized = 1;
    else
        screen.ended = number;
    wake();
}

static void on_crash(int number)
{
    restore();
    (void)raise(number); /* the handler was for once */
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

static bool handle_signals(void)
{
    static const int awaited[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                  SIGTSTP, SIGCONT, SIGWINCH};
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

    if (pipe(screen.wake) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        (void)fcntl(screen.wake[i], F_SETFL, O_NONBLOCK);
        (void)fcntl(screen.wake[i], F_SETFD, FD_CLOEXEC);
    }
    for (size_t i = 0; i < sizeof(awaited) / sizeof(*awaited); i++)
        handle(awaited[i], on_signal, SA_RESTART);
    for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
        handle(crashes[i], on_crash, (int)SA_RESETHAND | SA_NODEFER);
    handle(SIGPIPE, SIG_IGN, 0);
    return true;
}

/* Ctrl-Z: as other programs, until fg. */
static void stop(void)
{
    screen.stopped = 0;
    restore();
    (void)raise(SIGSTOP);
    (void)enter();
    screen.resized = 1;
}

bool term_screen_open(void)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !handle_signals())
        return false;
    buf_init(&screen.last, 16 << 20);
    (void)atexit(restore);
    return enter();
}

void term_screen_close(void)
{
    restore();
    buf_release(&screen.last);
}

int term_screen_signal(void)
{
    return screen.ended;
}

/* ---- events ---- */

static bool next_key(bool last, uint32_t *key)
{
    size_t taken = term_key_read(screen.keys, screen.key_count, last, key);

    if (taken == 0)
        return false;
    screen.key_count -= taken;
    memmove(screen.keys, screen.keys + taken, screen.key_count);
    return true;
}

static enum term_event pending_signal(void)
{
    if (screen.ended)
        return TERM_END;
    if (screen.stopped)
        stop();
    if (!screen.resized)
        return TERM_TIME;
    screen.resized = 0;
    screen.first = true;
    return TERM_RESIZE;
}

/* False at the end of the input. */
static bool read_keys(void)
{
    ssize_t n;

    if (screen.key_count == KEYS) /* a sequence of no key, without an end */
        screen.key_count = 0;
    n = read(STDIN_FILENO, screen.keys + screen.key_count,
             KEYS - screen.key_count);

    if (n > 0)
        screen.key_count += (size_t)n;
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* What poll() has found. */
static enum term_event pending_event(const struct pollfd *fds, uint32_t *key)
{
    enum term_event event;
    char bytes[64];

    while (fds[1].revents && read(screen.wake[0], bytes, sizeof(bytes)) > 0)
        ;
    event = pending_signal();
    if (event != TERM_TIME)
        return event;
    if (fds[0].revents) {
        if (!read_keys())
            return TERM_END;
        if (next_key(false, key))
            return TERM_KEY;
    }
    return fds[2].revents ? TERM_OTHER : TERM_TIME;
}

enum term_event term_screen_wait(int other, int timeout_ms, uint32_t *key)
{
    struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0},
                           {screen.wake[0], POLLIN, 0},
                           {other, POLLIN, 0}};
    enum term_event event = pending_signal();
    bool partial;
    int n;

    if (event != TERM_TIME)
        return event;
    if (next_key(false, key))
        return TERM_KEY;
    partial = screen.key_count > 0; /* an Escape alone, or more to come */
    if (partial && timeout_ms > ESCAPE_MS)
        timeout_ms = ESCAPE_MS;
    n = poll(fds, 3, timeout_ms);
    if (n == 0 && partial && next_key(true, key))
        return TERM_KEY;
    return n > 0 ? pending_event(fds, key) : pending_signal();
}

/* ---- frames ---- */

void term_screen_show(struct slice frame, uint32_t rows)
{
    struct slice old = buf_slice(&screen.last), whole = frame;
    struct buf out;

    if (screen.first)
        old.len = 0;
    buf_init(&out, 16 << 20);
    buf_add(&out, SLICE("\033[?2026h"));
    if (screen.first)
        buf_add(&out, SLICE("\033[2J"));
    for (uint32_t row = 1; row <= rows; row++) {
        struct slice line = slice_split(&frame, '\n'),
                     was = slice_split(&old, '\n');

        if (slice_equal(line, was) && !screen.first)
            continue;
        buf_format(&out, "\033[%u;1H\033[2K", row);
        buf_add(&out, line);
    }
    buf_add(&out, SLICE("\033[?2026l"));
    put(out.ptr, out.len);
    buf_release(&out);
    buf_reset(&screen.last);
    buf_add(&screen.last, whole);
    screen.first = false;
}
