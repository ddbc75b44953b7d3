/*
 * local_verbs - the verbs that ask no running server, and have the options of
 * serve. Their help is with that of the others, in cli/cli_verbs.c.
 */
#ifndef LOCAL_VERBS_H
#define LOCAL_VERBS_H

/* argv[1] is the verb; the exit status, -1: it is no such verb, or only asks
 * for its help. */
int local_verb_run(int argc, char **argv);

#endif
