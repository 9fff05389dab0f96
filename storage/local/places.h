/*
 * storage/local/places.h - opening what a relative name means, strictly beneath a folder.
 *
 * Names come from devices and from stores and are hostile: "..", absolute paths, and symbolic links
 * planted in the way must not lead out. The kernel sees to that (openat2); paths longer than it
 * takes are walked in stages. The folder used last stays open, because items come folder by folder.
 *
 *   owner    place_done() closes the cached folder; root is borrowed
 *   thread   one at a time per struct
 *   errors   negative errno; -EINVAL: an empty part, '.' or '..', which would be another name's
 *            file
 */
#ifndef STORAGE_LOCAL_PLACES_H
#define STORAGE_LOCAL_PLACES_H

#include <stdbool.h>
#include <stdint.h>

struct places {
    int root;         /* -1: nothing is there */
    uint64_t resolve; /* RESOLVE_*; 0 where links may be followed */
    int folder;       /* of cached_name; -1: none */
    char *cached_name;
    unsigned cached_len;
};

void places_init(struct places *places, int root, bool follows_links);
void places_done(struct places *places);
/* The folder that holds name, opened (O_PATH); *ret_base is name's last component. With make,
 * folders that are missing are made. Borrowed until the next call. */
int places_parent(struct places *places, const char *name, bool make, const char **ret_base);
/* Any path beneath at, in stages where it is too long for one call. */
int places_open(int at, const char *path, int flags, uint64_t resolve);

#endif
