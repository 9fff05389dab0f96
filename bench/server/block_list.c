#include "bench/server/block_list.h"

#include "base/arena.h"
#include "base/text.h"

#include <expat.h>

#include <string.h>

struct reader {
    XML_Parser parser;
    struct block_list *list;
    struct text id;
    unsigned depth;
    enum block_from from;
    bool is_bad;
};

static void XMLCALL
on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    static const char *const words[] = {"Latest", "Uncommitted", "Committed"};
    struct reader *reader = user;
    (void)attributes;
    reader->depth++;
    if (reader->depth == 1) {
        reader->is_bad = reader->is_bad || strcmp(name, "BlockList") != 0;
        return;
    }
    bool is_known = false;
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(name, words[i]) == 0) {
            reader->from = (enum block_from)i;
            is_known = true;
        }
    }
    reader->is_bad = reader->is_bad || !is_known || reader->depth > 2;
    text_clear(&reader->id);
}

static void XMLCALL
on_text(void *user, const XML_Char *bytes, int len)
{
    struct reader *reader = user;
    if (reader->depth == 2 && reader->id.len + (size_t)len <= 128) {
        text_add(&reader->id, bytes, (size_t)len);
    }
}

static void XMLCALL
on_end(void *user, const XML_Char *name)
{
    struct reader *reader = user;
    struct block_list *list = reader->list;
    (void)name;
    reader->depth--;
    if (reader->depth != 1 || reader->is_bad) {
        return;
    }
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        list->entries = mem_resize(list->entries, list->room * sizeof *list->entries,
                                   room * sizeof *list->entries);
        list->room = room;
    }
    list->entries[list->count++] =
        (struct block_entry){.from = reader->from, .id = mem_text(text_str(&reader->id))};
}

/* A document type declaration could make entities grow without end; the verb has no use for one. */
static void XMLCALL
on_doctype(void *user, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
           int has_subset)
{
    struct reader *reader = user;
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    reader->is_bad = true;
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

bool
block_list_parse(const char *xml, size_t len, struct block_list *list)
{
    struct reader reader = {.list = list};
    reader.parser = XML_ParserCreate(NULL);
    ASSERT(reader.parser != NULL);
    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
    bool is_good = XML_Parse(reader.parser, xml, (int)len, 1) == XML_STATUS_OK && !reader.is_bad;
    XML_ParserFree(reader.parser);
    text_done(&reader.id);
    return is_good;
}

void
block_list_done(struct block_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        mem_give(list->entries[i].id);
    }
    mem_give(list->entries);
    *list = (struct block_list){0};
}
