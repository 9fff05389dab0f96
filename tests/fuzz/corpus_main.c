/* Runs every known input once, where libFuzzer is not linked: FOLDER... of the corpora. */
#include "base/arena.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

static int
run_file(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &st) != 0) {
        perror(path);
        return -1;
    }
    uint8_t *bytes = mem_take((size_t)st.st_size + 1);
    size_t len = fread(bytes, 1, (size_t)st.st_size, file);
    (void)fclose(file);
    /* An allocation of its own size, so that the address sanitizer sees one byte too many. */
    uint8_t *exact = mem_take(len > 0 ? len : 1);
    for (size_t i = 0; i < len; i++) {
        exact[i] = bytes[i];
    }
    mem_give(bytes);
    (void)LLVMFuzzerTestOneInput(exact, len);
    mem_give(exact);
    return 0;
}

static int
run_folder(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    int ran = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && run_file(path) == 0) {
            ran++;
        }
        mem_give(names[i]);
    }
    mem_give(names);
    return ran;
}

int
main(int argc, char **argv)
{
    int ran = 0;
    for (int i = 1; i < argc; i++) {
        ran += run_folder(argv[i]);
    }
    (void)printf("%d inputs\n", ran);
    return ran > 0 ? 0 : 1;
}
