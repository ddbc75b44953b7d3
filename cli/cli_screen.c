/* The terminal; see cli_screen.h. */
#include "cli_screen.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

void cli_screen_init(struct cli_screen *screen, const char *when)
{
    screen->tty = isatty(STDOUT_FILENO);
    screen->look = term_look_of(stdout);
    if (!screen->tty)
        screen->look = (struct term_look){.columns = 0};
    if (when && strcmp(when, "auto") != 0)
        screen->look.color = strcmp(when, "always") == 0;
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
