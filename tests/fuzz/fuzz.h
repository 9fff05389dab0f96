/*
 * tests/fuzz/fuzz.h - what every fuzz target has: its entry, and the input as a text or a file.
 *
 * A target states what must hold for any bytes whatever with FUZZ_MUST; what it must not do besides
 * (read outside its memory, overflow, leak) the sanitizers of the fuzz preset see.
 *
 *   owner    the input is the caller's; what fuzz_text() returns is given back with mem_give()
 *   thread   one
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/attr.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MUST(fact) ASSERT(fact)

/* The bytes with a NUL behind them; those after a NUL among them are unseen by a parser of texts.
 */
char *fuzz_text(const uint8_t *data, size_t size);
/* A file of this process alone, in memory where /dev/shm is; holds the bytes. The path is static.
 */
const char *fuzz_file(const uint8_t *data, size_t size);
/* Remove the file, and what SQLite puts beside it. */
void fuzz_file_done(void);

#endif
