/*
 * human - numbers as a reader of a table wants them: three digits and a unit.
 */
#ifndef HUMAN_H
#define HUMAN_H

enum { HUMAN_TEXT = 24 };

/* All of these write a text and return it; "-" if the value is not known. */
const char *human_rate(char text[HUMAN_TEXT], double per_second);
const char *human_count(char text[HUMAN_TEXT], double count);
const char *human_share(char text[HUMAN_TEXT], double ratio); /* "3.9%" */
const char *human_seconds(char text[HUMAN_TEXT], double seconds);
const char *human_bytes(char text[HUMAN_TEXT], double bytes); /* 1024: "1Ki" */
const char *human_cores(char text[HUMAN_TEXT], double cores); /* "250m" */

#endif
