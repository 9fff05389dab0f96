/*
 * bench/server/answer.h - an answer as bytes: its head, and a body from memory or a file.
 *
 *   shape    bodies up to CONN_INLINE_BYTES go out in one piece with the head
 *   thread   the connection's
 */
#ifndef BENCH_SERVER_ANSWER_H
#define BENCH_SERVER_ANSWER_H

#include "bench/server/conn.h"

void answer_prepare(struct conn *conn);
/* The next piece of a body that is not inline; as wire_send(). */
long answer_send_body(struct conn *conn);
bool answer_is_sent(const struct conn *conn);
const char *status_words(unsigned status);

#endif
