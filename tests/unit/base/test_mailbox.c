#include "base/list.h"
#include "base/mailbox.h"
#include "tests/support/check.h"

#include <pthread.h>

#define POSTERS 3U
#define MAILS   20000U

struct letter {
    struct mail mail;
    unsigned poster;
    unsigned number;
};

static struct mailbox box;
static struct letter letters[POSTERS][MAILS];

static void *
post_all(void *user)
{
    unsigned poster = (unsigned)(uintptr_t)user;
    for (unsigned i = 0; i < MAILS; i++) {
        letters[poster][i].poster = poster;
        letters[poster][i].number = i;
        mailbox_post(&box, &letters[poster][i].mail);
    }
    return NULL;
}

/* Nothing is lost, each poster's order is kept, and a sleeping reader is always woken. */
static void
every_letter_arrives_in_its_posters_order(void **state)
{
    pthread_t threads[POSTERS];
    unsigned next_number[POSTERS] = {0};
    unsigned taken = 0;
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(mailbox_init(&box, &err), &err);
    for (uintptr_t i = 0; i < POSTERS; i++) {
        CHECK_I64(pthread_create(&threads[i], NULL, post_all, (void *)i), 0);
    }
    while (taken < POSTERS * MAILS) {
        struct mail *mail = mailbox_take(&box);
        if (mail == NULL) {
            mailbox_wait(&box, 10000);
        }
        for (; mail != NULL; mail = mail->next, taken++) {
            const struct letter *letter = CONTAINER_OF(mail, struct letter, mail);
            CHECK_U64(letter->number, next_number[letter->poster]++);
        }
    }
    for (unsigned i = 0; i < POSTERS; i++) {
        CHECK_I64(pthread_join(threads[i], NULL), 0);
    }
    CHECK(mailbox_take(&box) == NULL);
    mailbox_done(&box);
}

static void
a_reader_with_mail_does_not_go_to_sleep(void **state)
{
    struct mail mail = {0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(mailbox_init(&box, &err), &err);
    CHECK(mailbox_arm(&box));
    mailbox_disarm(&box);
    mailbox_post(&box, &mail);
    CHECK(!mailbox_arm(&box));
    mailbox_done(&box);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_letter_arrives_in_its_posters_order),
        cmocka_unit_test(a_reader_with_mail_does_not_go_to_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
