/*
 * similar - how far apart two names are, for "did you mean".
 */
#ifndef SIMILAR_H
#define SIMILAR_H

enum { SIMILAR_MAX = 1 << 20 };

/* Edit distance; SIMILAR_MAX if b has 64 bytes or more. */
int similar_distance(const char *a, const char *b);

#endif
