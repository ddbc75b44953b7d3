/* The terminal; see cli_screen.h. */
#include "cli_screen.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, MAX_COLUMNS = 10000 };

static size_t width_of_terminal(void)
{
    const char *given = getenv("COLUMNS");
    long columns = given ? strtol(given, NULL, 10) : 0;
    struct winsize size;

    if (columns > 0 && columns <= MAX_COLUMNS)
        return (size_t)columns;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return USUAL_COLUMNS;
}

static bool wants_color(bool tty, const char *when)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (when && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return tty && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

void cli_screen_init(struct cli_screen *screen, const char *when)
{
    screen->tty = isatty(STDOUT_FILENO);
    screen->columns = screen->tty ? width_of_terminal() : 0;
    screen->color = wants_color(screen->tty, when);
}

void cli_tone(const struct cli_screen *screen, struct buf *out,
              enum cli_tone tone)
{
    static const char *const codes[CLI_TONES] = {
        [TONE_PLAIN] = "\x1b[0m", [TONE_HEAD] = "\x1b[1m",
        [TONE_FAINT] = "\x1b[2m", [TONE_GOOD] = "\x1b[32m",
        [TONE_WARN] = "\x1b[33m", [TONE_BAD] = "\x1b[31m"};

    if (screen->color)
        buf_add(out, slice_of(codes[tone]));
}

/* ---- signals ---- */

static void (*volatile restore_first)(void);

static void leave(int number)
{
    static const char reset[] = "\x1b[0m\x1b[?25h";

    if (restore_first)
        restore_first();
    if (isatty(STDOUT_FILENO) &&
        write(STDOUT_FILENO, reset, sizeof(reset) - 1) < 0) {
        /* the terminal is gone: nothing to restore */
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void cli_signals_restore(void (*restore)(void))
{
    restore_first = restore;
}

void cli_signals_init(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = leave};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;

        /* nohup ignores SIGHUP: so be it */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
}
