/* Containers: make, look, remove. */
#include "bench/server/request.h"

#include <string.h>

/* 3 to 63 lower-case letters, digits and single hyphens, or a $name of the service. */
static bool
is_legal(const char *name)
{
    size_t len = strlen(name);
    if (name[0] == '$') {
        return strcmp(name, "$root") == 0 || strcmp(name, "$web") == 0 ||
               strcmp(name, "$logs") == 0;
    }
    bool was_hyphen = true;
    for (size_t i = 0; i < len; i++) {
        bool is_hyphen = name[i] == '-';
        bool is_plain = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');
        if ((!is_hyphen && !is_plain) || (is_hyphen && was_hyphen)) {
            return false;
        }
        was_hyphen = is_hyphen;
    }
    return len >= 3 && len <= 63 && !was_hyphen;
}

void
put_container(struct request *request)
{
    struct props props = {0};
    bool is_new = false;
    if (!is_legal(request->container)) {
        answer_error(request, 400, "InvalidResourceName",
                     "The specified resource name contains invalid characters.");
        return;
    }
    if (!props_collect_metadata(request, &props)) {
        props_done(&props);
        return;
    }
    struct container *container =
        store_lock(&request->site->store, request->account, request->container, true, &is_new);
    if (is_new) {
        props_done(&container->props);
        container->props = props;
        answer_status(request, 201);
        answer_etag(request, container->etag, container->modified_ns);
    } else {
        props_done(&props);
        answer_error(request, 409, "ContainerAlreadyExists",
                     "The specified container already exists.");
    }
    store_unlock(container);
}

void
head_container(struct request *request)
{
    struct container *container = request_container(request);
    if (container != NULL) {
        answer_status(request, 200);
        answer_etag(request, container->etag, container->modified_ns);
        props_answer(request, &container->props);
        answer_field(request, "x-ms-lease-status", "unlocked");
        answer_field(request, "x-ms-lease-state", "available");
        store_unlock(container);
    }
}

void
delete_container(struct request *request)
{
    struct container *container = request_container(request);
    if (container != NULL) {
        container_clear(container);
        container->is_there = false;
        answer_status(request, 202);
        store_unlock(container);
    }
}
