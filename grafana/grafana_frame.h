/*
 * grafana_frame - data frames, as Grafana's backend writes them:
 * {"schema": {...}, "data": {"values": [...], "entities": [...]}}.
 *
 *   struct grafana_frame *frame = frames_add(frames, refId, SLICE("requests"));
 *   struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);
 *   struct grafana_field *rate = frame_field(frame, "rate", FIELD_NUMBER);
 *
 *   rate->unit = "reqps";
 *   field_label(rate, "component", SLICE("cart"));
 *   for (...) {
 *       frame_row(frame);
 *       field_time(time, ns);
 *       field_number(rate, 1.5);
 *   }
 *
 * A row has a cell in every field, null until it is set, so that all fields are
 * equally long.
 *
 * Purpose:   the answer of /query, built first and written at once.
 * Ownership: all is in the arena of the frames; texts are borrowed until
 *            frames_write(), literals for ever.
 * Threads:   one request, one thread.
 * Errors:    a full arena is told by its status. Frames and fields are NULL
 *            then; all functions take NULL and do nothing.
 */
#ifndef GRAFANA_FRAME_H
#define GRAFANA_FRAME_H

#include "arena.h"
#include "jsonw.h"

enum field_type {             /* of the cells: */
                  FIELD_TIME, /* nanoseconds; written as milliseconds */
                  FIELD_NUMBER,
                  FIELD_STRING,
                  FIELD_BOOL,
                  FIELD_OTHER, /* JSON texts: objects and arrays */
};

/* Cells that were not set: a NaN that no calculation makes; one of truths. */
#define FIELD_NULL_BITS UINT64_C(0x7ff8000000ca11b0)
enum { BOOL_NULL, BOOL_FALSE, BOOL_TRUE };

struct field_label {
    const char *key;
    struct slice value;
    struct field_label *next;
};

struct field_link {
    const char *title;
    struct slice url; /* may have ${__value.raw}, ${__data.fields.x} */
    bool new_tab;
    struct field_link *next;
};

struct grafana_field {
    const char *name;
    enum field_type type;
    /* Of config; empty ones are left out. */
    const char *unit;          /* "s", "reqps", "percentunit", "bytes" ... */
    struct slice display_name; /* displayNameFromDS: the legend */
    const char *description;
    const char *color;          /* a fixed one: "red", "#ff0000" */
    struct slice custom;        /* JSON object: config.custom */
    struct slice raw;           /* further members of config as JSON:
                                   "\"min\":0,\"max\":1" */
    struct field_label *labels; /* by field_label() */
    struct field_link *links;   /* by field_link() */

    struct grafana_frame *frame;
    struct grafana_field *next;
    void *cells;
    uint32_t room;
};

enum notice_severity { NOTICE_INFO, NOTICE_WARNING, NOTICE_ERROR };
struct frame_notice {
    enum notice_severity severity;
    struct slice text;
    struct frame_notice *next;
};

struct grafana_frame {
    struct slice ref_id;
    struct slice name;
    /* Of meta; empty ones are left out. */
    const char *type;    /* "timeseries-wide", "log-lines" ... */
    const char *visual;  /* preferredVisualisationType: "graph", "logs" ... */
    const char *topic;   /* dataTopic: "annotations" */
    struct slice custom; /* JSON object */
    struct frame_notice *notices;

    struct frames *frames;
    struct grafana_frame *next;
    struct grafana_field *fields;
    uint32_t rows;
};

struct frames {
    struct arena *arena;
    struct grafana_frame *first, **last;
};

void frames_init(struct frames *frames, struct arena *arena);
struct grafana_frame *frames_add(struct frames *frames, struct slice ref_id,
                                 struct slice name);
/* All as one array. */
void frames_write(const struct frames *frames, struct jsonw *w);
void frame_write_cell(const struct grafana_field *field, uint32_t row,
                      struct jsonw *w);
/* The name of a member, of any bytes. */
void frame_write_key(struct jsonw *w, const char *key);

/* name: a literal, or a text in the arena. */
struct grafana_field *frame_field(struct grafana_frame *frame, const char *name,
                                  enum field_type type);
void frame_notice(struct grafana_frame *frame, enum notice_severity severity,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void field_label(struct grafana_field *field, const char *key,
                 struct slice value);
void field_link(struct grafana_field *field, const char *title,
                struct slice url, bool new_tab);

/* ---- cells ---- */

/* Appends rows of nulls. */
void frame_rows(struct grafana_frame *frame, uint32_t count);
static inline void frame_row(struct grafana_frame *frame)
{
    frame_rows(frame, 1);
}

/* Of the last row; field_number(): NaN is null, infinities are kept. */
void field_time(struct grafana_field *field, uint64_t ns); /* 0: null */
void field_number(struct grafana_field *field, double value);
void field_text(struct grafana_field *field, struct slice text);
void field_bool(struct grafana_field *field, bool value);
void field_json(struct grafana_field *field, struct slice json);

/* Of any row. */
void field_time_at(struct grafana_field *field, uint32_t row, uint64_t ns);
void field_number_at(struct grafana_field *field, uint32_t row, double value);
/* NaN is kept as one: the value is known to be no number. */
void field_exact_at(struct grafana_field *field, uint32_t row, double value);
void field_text_at(struct grafana_field *field, uint32_t row,
                   struct slice text);

/* A copy with NUL, for names of fields; NULL if the arena is full. */
const char *grafana_cstr(struct arena *arena, struct slice text);

#endif
