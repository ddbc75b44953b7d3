/*
 * human - numbers as a reader wants them: three digits and a unit, in at most
 * six columns as long as they are not negative. The one place that decides it.
 */
#ifndef HUMAN_H
#define HUMAN_H

enum { HUMAN_TEXT = 24 };

/* All of these write a text and return it; "-" if the value is not known. */
const char *human_number(char text[HUMAN_TEXT], double value); /* "12.3k" */
const char *human_count(char text[HUMAN_TEXT], double count);  /* "9999" */
const char *human_share(char text[HUMAN_TEXT], double ratio);  /* "3.92%" */
const char *human_seconds(char text[HUMAN_TEXT], double seconds);
const char *human_bytes(char text[HUMAN_TEXT], double bytes); /* 1024: "1Ki" */
const char *human_cores(char text[HUMAN_TEXT], double cores); /* "250m" */

#endif
