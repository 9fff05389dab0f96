/* Conditions on etag and time, as the service answers them. */
#include "base/clock.h"
#include "bench/server/request.h"

#include <string.h>

static bool
not_met(struct request *request, unsigned status)
{
    answer_error(request, status, "ConditionNotMet",
                 "The condition specified using HTTP conditional header(s) is not met.");
    return false;
}

static bool
names_etag(const char *value, uint64_t etag)
{
    char text[32];
    etag_format(etag, text);
    if (strcmp(value, "*") == 0 || strcmp(value, text) == 0) {
        return true;
    }
    /* Some clients leave the quotes out. */
    size_t len = strlen(text);
    return strlen(value) == len - 2 && strncmp(value, text + 1, len - 2) == 0;
}

/* modified_ns is compared in whole seconds, which is all that the header can say. */
static bool
time_allows(struct request *request, int64_t modified_ns, bool *ret_is_unchanged)
{
    const char *since = head_find(&request->head, "if-modified-since");
    const char *unless = head_find(&request->head, "if-unmodified-since");
    int64_t limit = 0;
    modified_ns -= modified_ns % NS_PER_S;
    *ret_is_unchanged =
        since != NULL && clock_parse_http(since, &limit) == 0 && modified_ns <= limit;
    return unless == NULL || clock_parse_http(unless, &limit) != 0 || modified_ns <= limit;
}

bool
cond_allows_write(struct request *request, const struct blob *blob)
{
    const char *match = head_find(&request->head, "if-match");
    const char *none = head_find(&request->head, "if-none-match");
    bool is_unchanged = false;
    if (none != NULL && strcmp(none, "*") == 0 && blob != NULL) {
        answer_error(request, 409, "BlobAlreadyExists", "The specified blob already exists.");
        return false;
    }
    if (match != NULL && (blob == NULL || !names_etag(match, blob->etag))) {
        return not_met(request, 412);
    }
    if (none != NULL && blob != NULL && names_etag(none, blob->etag)) {
        return not_met(request, 412);
    }
    if (blob != NULL && (!time_allows(request, blob->modified_ns, &is_unchanged) || is_unchanged)) {
        return not_met(request, 412);
    }
    return true;
}

bool
cond_allows_read(struct request *request, uint64_t etag, int64_t modified_ns)
{
    const char *match = head_find(&request->head, "if-match");
    const char *none = head_find(&request->head, "if-none-match");
    bool is_unchanged = false;
    if (match != NULL && !names_etag(match, etag)) {
        return not_met(request, 412);
    }
    if (!time_allows(request, modified_ns, &is_unchanged)) {
        return not_met(request, 412);
    }
    if (is_unchanged || (none != NULL && names_etag(none, etag))) {
        return not_met(request, 304);
    }
    return true;
}

bool
cond_allows_pages(struct request *request, const struct blob *blob)
{
    uint64_t wanted = 0;
    if (head_find(&request->head, "x-ms-if-sequence-number-eq") == NULL) {
        return true;
    }
    if (!head_number(request, "x-ms-if-sequence-number-eq", &wanted)) {
        return false;
    }
    if (blob->sequence != wanted) {
        answer_error(request, 412, "SequenceNumberConditionNotMet",
                     "The sequence number condition specified was not met.");
    }
    return blob->sequence == wanted;
}
