#include "cmd/state.h"

#include "base/arena.h"

#include <stdlib.h>
#include <unistd.h>

enum err_code
state_folder(const char *named, struct text *out, struct err *err)
{
    const char *xdg = getenv("XDG_STATE_HOME"); // NOLINT(concurrency-mt-unsafe): one thread yet
    const char *home = getenv("HOME");          // NOLINT(concurrency-mt-unsafe)
    if (named != NULL && named[0] == '/') {
        text_add_str(out, named);
    } else if (named != NULL) {
        char *cwd = getcwd(NULL, 0);
        text_addf(out, "%s/%s", cwd == NULL ? "" : cwd, named);
        mem_give(cwd);
    } else if (xdg != NULL && xdg[0] == '/') {
        text_addf(out, "%s/sallyport", xdg);
    } else if (home != NULL && home[0] == '/') {
        text_addf(out, "%s/.local/state/sallyport", home);
    } else {
        return err_set(err, ERR_CONFIG,
                       "no state folder: neither XDG_STATE_HOME nor HOME is set; use --state");
    }
    return ERR_OK;
}
