#include "base/attr.h"

#include <stdio.h>
#include <stdlib.h>

void
assert_failed(const char *fact, const char *file, int line)
{
    (void)fprintf(stderr, "sallyport: %s:%d: this should be true: %s\n", file, line, fact);
    abort();
}
