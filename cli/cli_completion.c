/* `callboard completion`: scripts of shells, which ask the program itself what
 * a word may become. */
#include <string.h>

#include "cli_verbs.h"

static const char bash[] =
    "# bash completion of callboard\n"
    "_callboard() {\n"
    "    local word=\"${COMP_LINE:0:COMP_POINT}\" words line begin\n"
    "    read -ra words <<<\"$word\"\n"
    "    [[ $word == *[[:space:]] ]] && words+=('')\n"
    "    begin=${words[-1]}\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r line _; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            COMPREPLY+=($(compgen -f -- \"${begin#*=}\"))\n"
    "        else\n"
    "            COMPREPLY+=(\"$line\")\n"
    "        fi\n"
    "    done < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
    "    if [[ $COMP_WORDBREAKS == *:* && $begin == *:* ]]; then\n"
    "        COMPREPLY=(\"${COMPREPLY[@]#\"${begin%:*}:\"}\")\n"
    "    fi\n"
    "}\n"
    "complete -F _callboard callboard\n";

static const char zsh[] =
    "#compdef callboard\n"
    "# zsh completion of callboard\n"
    "_callboard() {\n"
    "    local line name help\n"
    "    local -a found\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            _files\n"
    "            continue\n"
    "        fi\n"
    "        name=${line%%$'\\t'*}\n"
    "        help=${line#$name}\n"
    "        help=${help#$'\\t'}\n"
    "        found+=(\"${name//:/\\\\:}${help:+:$help}\")\n"
    "    done < <(\"${words[1]}\" __complete \"${(@Q)words[2,CURRENT]}\" "
    "2>/dev/null)\n"
    "    compset -P '--[a-z-]#='\n"
    "    (( $#found )) && _describe callboard found\n"
    "}\n"
    "if [[ ${funcstack[1]} == _callboard ]]; then\n"
    "    _callboard \"$@\"\n"
    "else\n"
    "    compdef _callboard callboard\n"
    "fi\n";

static const char fish[] =
    "# fish completion of callboard\n"
    "function __callboard_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l begin (commandline -ct)\n"
    "    for line in ($words[1] __complete $words[2..-1] \"$begin\" "
    "2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            __fish_complete_path (string replace -r '^--[a-z-]+=' '' -- "
    "\"$begin\")\n"
    "        else if string match -qr '^--[a-z-]+=' -- \"$begin\"\n"
    "            echo (string match -r '^--[a-z-]+=' -- \"$begin\")$line\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c callboard -f -a '(__callboard_complete)'\n";

int cli_completion(struct cli_call *call)
{
    static const struct {
        const char *name, *script;
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(shells[i].name, call->given.words[0]) == 0) {
            fputs(shells[i].script, stdout);
            return CLI_ANSWERED;
        }
    fprintf(stderr, "callboard completion: must be bash, zsh or fish, not %s\n",
            call->given.words[0]);
    return CLI_MISUSED;
}
