/* Writes each state machine's table as Graphviz text to FOLDER/NAME.dot. */
#include "base/fsm.h"
#include "ingest/copy/lane.h"
#include "storage/azure/azure_lane.h"

#include <stdio.h>

static const struct fsm *const machines[] = {&block_fsm, &pageblob_fsm};

static int
write_dot(const char *folder, const struct fsm *fsm)
{
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT dot = TEXT_INIT;
    text_addf(&path, "%s/%s.dot", folder, fsm->name);
    fsm_dot(fsm, &dot);
    FILE *file = fopen(text_str(&path), "we");
    if (file == NULL) {
        perror(text_str(&path));
        return 1;
    }
    int failed = fputs(text_str(&dot), file) < 0;
    return fclose(file) != 0 || failed;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fputs("usage: print_fsm FOLDER\n", stderr);
        return 2;
    }
    int failed = 0;
    for (size_t i = 0; i < COUNT_OF(machines); i++) {
        failed |= write_dot(argv[1], machines[i]);
    }
    return failed;
}
