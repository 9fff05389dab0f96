/*
 * tests/support/scripted_transport.h - a transport that notes what is asked and answers what it was
 * told to, one request at a time.
 *
 * A request is noted as one line: "METHOD PATH?QUERY name:value ... +LENGTH", the path from behind
 * a beginning that the test names, without the headers that change with the time or are told of by
 * what the answer does to them (date, version, signature, CRC, type of content).
 *
 *   shape    SCRIPTED_ASKS_MAX requests and answers; what has no answer succeeds with ETag "last"
 *   owner    the test; scripted_transport_done() frees the lines
 */
#ifndef TESTS_SUPPORT_SCRIPTED_TRANSPORT_H
#define TESTS_SUPPORT_SCRIPTED_TRANSPORT_H

#include "base/text.h"
#include "storage/http/transport.h"

#define SCRIPTED_ASKS_MAX 16U

struct http_answer {
    int status;
    const char *headers; /* "Name: value" lines; NULL: none */
    const char *body;    /* NULL: none */
};

struct scripted_transport {
    struct transport transport;
    const char *after; /* where the part of an address begins that is noted */
    struct http_answer answers[SCRIPTED_ASKS_MAX];
    unsigned answer_count;
    unsigned asked;
    struct text lines[SCRIPTED_ASKS_MAX];
    struct http_request *pending;
};

void scripted_transport_init(struct scripted_transport *scripted, const char *after);
void scripted_transport_done(struct scripted_transport *scripted);

#endif
