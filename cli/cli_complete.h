/*
 * cli_complete - words that a shell may complete.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

/* What the scripts of `callboard completion` call. */
#define CLI_COMPLETE_VERB "__complete"

/* words: those after "callboard", the last one the beginning of what is to be
 * completed. Prints a candidate per line, with a tab and a description where
 * there is one; ":files" asks the shell for names of files. 0. */
int cli_complete(int count, char **words);

#endif
