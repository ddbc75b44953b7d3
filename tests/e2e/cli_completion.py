"""Completion in bash, zsh and fish: the shells load the script and are asked
what a line may become. Shells that are not installed are skipped."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

from cli_kit import HOME, environment, run
from running import Running, Tap

FOLDER = os.path.dirname(os.path.abspath(os.environ["CALLBOARD"]))

# What is typed, words that must be offered, words that must not be.
CASES = (
    ("callboard comp", {"component", "components", "completion"}, {"cause"}),
    ("callboard logs --le", {"--level"}, {"--limit"}),
    ("callboard logs --level ", {"ERROR", "WARN"}, {"--level"}),
    ("callboard config use-context ", {"here", "away"}, {"logs"}),
    ("callboard logs shop/in", {"shop/inventory"}, {"shop/cart"}),
    ("callboard logs -n ", {"acme"}, {"shop"}),
    ("callboard logs -n acme -p ", {"shop"}, {"acme"}),
    ("callboard endpoints shop/cart --environment ", {"production"}, {"acme"}),
    ("callboard logs --context ", {"here", "away"}, set()),
    ("callboard blast-radius shop/inventory --endpoint ", {"grpc"}, {"acme"}),
    ("callboard completion ", {"bash", "zsh", "fish"}, set()),
)


def shell_environment(address):
    return environment(PATH=f"{FOLDER}:{os.environ['PATH']}",
                       CALLBOARD_SERVER=address)


def bash(line, address):
    script = ("source <(callboard completion bash); COMP_LINE=$1; "
              "COMP_POINT=${#1}; _callboard; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", line],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=30, env=shell_environment(address))
    return done.stdout


def fish(line, address):
    script = "callboard completion fish | source; complete -C \"$argv[1]\""
    done = subprocess.run(["fish", "--no-config", "-c", script, "--", line],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=30, env=shell_environment(address))
    return done.stdout


def zsh(line, address):
    """An interactive shell, as completion needs its line editor."""
    child, ours = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], shell_environment(address))
    setup = ("PS1='> '; autoload -Uz compinit; compinit -u -d $HOME/dump; "
             "source <(callboard completion zsh); LISTMAX=1000; stty cols 400; "
             "zstyle ':completion:*' list-prompt ''; echo rea''dy\n")
    os.write(ours, setup.encode())

    def read(until, seconds):
        got, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    got += os.read(ours, 65536).decode(errors="replace")
                except OSError:
                    break
            if until(got):
                break
        return got

    read(lambda got: "ready\r\n" in got, 15)
    os.write(ours, line.encode() + b"\t")
    quiet = [time.monotonic(), 0]

    def settled(got):
        if len(got) != quiet[1]:
            quiet[:] = [time.monotonic(), len(got)]
        return len(got) > len(line) + 2 and time.monotonic() - quiet[0] > 2

    got = read(settled, 15)
    os.write(ours, b"\x03exit\n")
    read(lambda _: False, 0.3)
    os.close(ours)
    os.waitpid(child, 0)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", got)


def offers(text, word):
    return re.search(rf"(?<![\w/-]){re.escape(word)}(?![\w/-])", text) is not None


def check_shell(tap, name, complete, address, dead):
    if not shutil.which(name):
        tap.check(True, f"{name} # SKIP it is not installed")
        return
    for line, wanted, others in CASES:
        text = complete(line, address)
        shown = text.replace(line.rstrip(), "")  # its echo
        tap.check(all(offers(shown if len(wanted) > 1 else text, word)
                      for word in wanted) and
                  not any(offers(shown, word) for word in others),
                  f"{name}: {line}", text)
    began = time.monotonic()
    text = complete("callboard logs -n ", dead)
    tap.check("acme" not in text and "allboard:" not in text and
              "no answer" not in text and time.monotonic() - began < 20,
              f"{name}: no server, no names and no message", text)


def main():
    tap = Tap()
    with Running("--catalog", "../shop/catalog.json") as server:
        server.play()
        address = f"127.0.0.1:{server.port}"
        run("config", "set-context", "here", "--server", address)
        run("config", "set-context", "away", "--server", "127.0.0.1:1")
        for name, complete in (("bash", bash), ("zsh", zsh), ("fish", fish)):
            check_shell(tap, name, complete, address, "127.0.0.1:1")
    shutil.rmtree(HOME)
    tap.exit()


if __name__ == "__main__":
    main()
