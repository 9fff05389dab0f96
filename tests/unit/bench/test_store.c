/* bench/server: block lists, names in XML, and what the store remembers. */
#include "bench/server/block_list.h"
#include "bench/server/store.h"
#include "bench/server/xml.h"
#include "tests/support/check.h"

/* The order of the list is the order of the bytes. */
static void
a_block_list_keeps_its_order(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?>\n<BlockList>\n <Latest>QQ==</Latest>"
        "<Uncommitted>Qg==</Uncommitted><Committed>QQ==</Committed></BlockList>";
    struct block_list list = {0};
    (void)state;
    CHECK(block_list_parse(xml, sizeof xml - 1, &list));
    CHECK_U64(list.count, 3);
    CHECK_TEXT(list.entries[0].id, "QQ==");
    CHECK_TEXT(list.entries[1].id, "Qg==");
    CHECK_U64(list.entries[1].from, BLOCK_UNCOMMITTED);
    CHECK_U64(list.entries[2].from, BLOCK_COMMITTED);
    block_list_done(&list);
}

/* Half a list would publish half a blob; an entity could grow without end. */
static void
what_is_not_a_block_list_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "<BlockList>",
        "<Blocks><Latest>QQ==</Latest></Blocks>",
        "<BlockList><Newest>QQ==</Newest></BlockList>",
        "<BlockList><Latest><Latest>QQ==</Latest></Latest></BlockList>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><BlockList><Latest>&a;</Latest></BlockList>",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct block_list list = {0};
        print_message("%s\n", bad[i]);
        CHECK(!block_list_parse(bad[i], strlen(bad[i]), &list));
        block_list_done(&list);
    }
}

/* XML has no way to write a control byte, and names are any bytes. */
static void
names_xml_cannot_hold_are_marked(void **state)
{
    AUTO_TEXT out = TEXT_INIT;
    (void)state;
    xml_add_name(&out, "Name", "a&b/\xc3\xa9");
    CHECK_TEXT(text_str(&out), "<Name>a&amp;b/\xc3\xa9</Name>");
    text_clear(&out);
    xml_add_name(&out, "Name", "a b\x01\xff");
    CHECK_TEXT(text_str(&out), "<Name Encoded=\"true\">a%20b%01%FF</Name>");
}

/* Listing pages rely on one order, whatever the order of arrival and removal was. */
static void
blobs_are_listed_by_name(void **state)
{
    struct store store;
    bool is_new = false;
    char name[16];
    (void)state;
    store_init(&store, STORE_DISCARD);
    CHECK(store_lock(&store, "a", "c", false, NULL) == NULL);
    struct container *container = store_lock(&store, "a", "c", true, &is_new);
    CHECK(is_new);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "%03u", i * 7 % 1000);
        (void)container_add(container, name);
    }
    container_sort(container);
    container_remove(container, "500");
    container_remove(container, "nothing");
    container_sort(container);
    CHECK_U64(container->sorted_count, 999);
    CHECK_TEXT(container->sorted[499]->node.key, "499");
    CHECK_TEXT(container->sorted[500]->node.key, "501");
    CHECK(container_find(container, "500") == NULL);
    CHECK(container_find(container, "999") != NULL);
    store_unlock(container);
    container = store_lock(&store, "a", "c", true, &is_new);
    CHECK(!is_new);
    store_unlock(container);
    store_done(&store);
}

/* A download that is under way goes on with the bytes it began with. */
static void
data_outlives_its_blob_while_it_is_sent(void **state)
{
    struct store store;
    struct props props = {0};
    (void)state;
    store_init(&store, STORE_KEEP);
    struct container *container = store_lock(&store, "a", "c", true, NULL);
    struct blob *blob = container_add(container, "b");
    blob_add_block(blob, "QQ==", piece_new(4, true));
    CHECK_U64(blob->blocks.count, 1);
    struct blob_data *data = data_new(1);
    data->parts[0].piece = piece_new(4, true);
    data->len = 4;
    (void)memcpy(data->parts[0].piece->bytes, "abcd", 4);
    props_add(&props, "Content-Type", "x/y");
    blob_commit(&store, blob, data, &props);
    CHECK_U64(blob->blocks.count, 0);
    CHECK_TEXT(props_find(&blob->props, "content-type"), "x/y");
    struct blob_data *held = data_take(blob->data);
    container_remove(container, "b");
    CHECK_BYTES(held->parts[0].piece->bytes, "abcd", 4);
    data_give(held);
    store_unlock(container);
    store_done(&store);
}

/* Which pages were written is what Get Page Ranges tells; clearing forgets. */
static void
written_pages_are_told_until_they_are_cleared(void **state)
{
    struct store store;
    struct props props = {0};
    static char page[1024];
    uint64_t begin = 0;
    uint64_t end = 0;
    (void)state;
    memset(page, 'x', sizeof page);
    store_init(&store, STORE_KEEP);
    struct container *container = store_lock(&store, "a", "c", true, NULL);
    struct blob *blob = container_add(container, "b");
    blob_commit_pages(&store, blob, 8192, &props);
    CHECK(!blob_next_pages(blob, 0, 8192, &begin, &end));
    blob_write_pages(blob, 1024, page, 1024);
    blob_write_pages(blob, 7680, page, 512);
    struct blob_data *held = data_take(blob->data);
    CHECK(blob_next_pages(blob, 0, 8192, &begin, &end));
    CHECK_U64(begin, 1024);
    CHECK_U64(end, 2048);
    blob_write_pages(blob, 1024, NULL, 512);
    CHECK(blob_next_pages(blob, 0, 8192, &begin, &end));
    CHECK_U64(begin, 1536);
    CHECK(blob_next_pages(blob, end, 8192, &begin, &end));
    CHECK_U64(begin, 7680);
    CHECK_U64(end, 8192);
    /* An answer under way keeps what it began with. */
    CHECK_U64(held->parts[0].piece->bytes[1024], 'x');
    CHECK_U64(blob->data->parts[0].piece->bytes[1024], 0);
    CHECK_U64(blob->data->parts[0].piece->bytes[1536], 'x');
    data_give(held);
    /* Put Blob of another kind: nothing of the pages is left. */
    blob_commit(&store, blob, data_new(0), &props);
    CHECK(!blob->is_page);
    store_unlock(container);
    store_done(&store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_list_keeps_its_order),
        cmocka_unit_test(what_is_not_a_block_list_is_refused),
        cmocka_unit_test(names_xml_cannot_hold_are_marked),
        cmocka_unit_test(blobs_are_listed_by_name),
        cmocka_unit_test(written_pages_are_told_until_they_are_cleared),
        cmocka_unit_test(data_outlives_its_blob_while_it_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
