#include "tests/support/scripted_transport.h"

#include <string.h>

static bool
is_noted(const char *name)
{
    static const char *const hidden[] = {"x-ms-version", "x-ms-date", "Authorization",
                                         "x-ms-content-crc64", "x-ms-blob-content-type"};
    for (unsigned i = 0; i < COUNT_OF(hidden); i++) {
        if (strcmp(hidden[i], name) == 0) {
            return false;
        }
    }
    return true;
}

static enum err_code
scripted_submit(struct transport *t, struct http_request *request)
{
    struct scripted_transport *s = CONTAINER_OF(t, struct scripted_transport, transport);
    ASSERT(s->asked < SCRIPTED_ASKS_MAX);
    ASSERT(s->pending == NULL);
    struct text *line = &s->lines[s->asked++];
    const char *path = strstr(request->url, s->after);
    text_clear(line);
    text_addf(line, "%s %s", http_method_names[request->method],
              path == NULL ? request->url : path + strlen(s->after));
    for (unsigned i = 0; i < request->header_count; i++) {
        if (is_noted(request->headers[i].name)) {
            text_addf(line, " %s:%s", request->headers[i].name, request->headers[i].value);
        }
    }
    text_addf(line, " +%zu", request->body_len);
    s->pending = request;
    return ERR_OK;
}

static void
scripted_cancel(struct transport *t, struct http_request *request)
{
    (void)t;
    (void)request;
}

static void
say_headers(struct http_request *request, const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        const char *colon = strstr(lines, ": ");
        size_t name_len = (size_t)(colon - lines);
        request->on_header(request, lines, name_len, colon + 2, len - name_len - 2);
        lines += len + (lines[len] == '\n');
    }
}

static unsigned
scripted_poll(struct transport *t)
{
    static const struct http_answer plain = {.status = 201, .headers = "ETag: \"last\""};
    struct scripted_transport *s = CONTAINER_OF(t, struct scripted_transport, transport);
    struct http_request *request = s->pending;
    if (request == NULL) {
        return 0;
    }
    const struct http_answer *answer =
        s->asked <= s->answer_count ? &s->answers[s->asked - 1] : &plain;
    s->pending = NULL;
    request->status = answer->status;
    request->err = ERR_NONE;
    say_headers(request, answer->headers == NULL ? "" : answer->headers);
    if (answer->body != NULL &&
        !http_request_take_body(request, answer->body, strlen(answer->body))) {
        (void)err_set(&request->err, ERR_FORMAT, "the body was not taken");
    }
    request->done(request);
    return 1;
}

static const struct transport_ops scripted_ops = {.name = "scripted",
                                                  .submit = scripted_submit,
                                                  .cancel = scripted_cancel,
                                                  .poll = scripted_poll};

void
scripted_transport_init(struct scripted_transport *scripted, const char *after)
{
    *scripted = (struct scripted_transport){.transport = {.ops = &scripted_ops}, .after = after};
}

void
scripted_transport_done(struct scripted_transport *scripted)
{
    for (unsigned i = 0; i < SCRIPTED_ASKS_MAX; i++) {
        text_done(&scripted->lines[i]);
    }
}
