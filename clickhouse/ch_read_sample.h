/* ch_read_sample - samples of traces (store.h). */
#ifndef CH_READ_SAMPLE_H
#define CH_READ_SAMPLE_H

#include "ch_reader.h"
#include "store.h"

MUST_CHECK enum status ch_sample_spans(struct ch_reader *reader,
                                       const struct sample_query *query,
                                       span_visit *visit, void *arg);
MUST_CHECK enum status ch_sample_logs(struct ch_reader *reader,
                                      const struct sample_query *query,
                                      log_visit *visit, void *arg);

#endif
