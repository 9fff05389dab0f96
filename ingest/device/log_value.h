/*
 * ingest/device/log_value.h - texts of a log while they come in, and what they say. For log_read.c
 * alone.
 *
 *   shape    as much as a name of LOG_TEXT_MAX bytes takes in Base64; the rest is dropped
 *   owner    text_done(&value.text) frees
 *   thread   one
 *   errors   words for a person, or NULL
 */
#ifndef INGEST_DEVICE_LOG_VALUE_H
#define INGEST_DEVICE_LOG_VALUE_H

#include "base/text.h"

struct log_value {
    struct text text;
    bool is_there;
    bool is_cut;
};

void log_value_clear(struct log_value *value);
void log_value_add(struct log_value *value, const char *bytes, size_t len);
void log_value_set(struct log_value *value, const char *str);
/* Shortened to LOG_TEXT_MAX bytes; trimmed: without the white space around it. Both for good. */
const char *log_value_words(struct log_value *value);
const char *log_value_trimmed(struct log_value *value);
/* Decimal, or hexadecimal behind "0x" or where letters are allowed and there are some. */
bool log_value_number(const char *text, bool may_have_letters, uint64_t *ret_number);
bool log_value_code(const char *text, uint32_t *ret_code);
/* The path as this program writes it: '/' between, none before. Where it was Base64 and begins with
 * '/', a '\' is part of a name. is_own: it is an element's text, not an attribute. */
const char *log_value_path(const struct log_value *value, bool is_base64, bool is_own,
                           struct text *out);

#endif
