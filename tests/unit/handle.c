/* SPDX-License-Identifier: BSD-2-Clause
 *
 * References and work: who excludes whom, and when a thing goes. Also run under ThreadSanitizer.
 */
#include "base/error.h"
#include "base/handle.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct thing {
    struct mdm_handle handle;
    int *gone, again;
};

static void destroy(void *object)
{
    struct thing *t = object;
    struct mdm_work w = {0};

    t->again = mdm_work_share(&w, &t->handle); /* as a host's `drop` may try */
    *t->gone += t->again == MASKDM_EBUSY ? 1 : 100;
    free(t);
}

static const struct mdm_handle_kind kind = {"thing", destroy};

static struct thing *make(int *gone)
{
    struct thing *t = calloc(1, sizeof *t);

    ck_assert_ptr_nonnull(t);
    mdm_handle_init(&t->handle, &kind);
    t->gone = gone;
    *gone = 0;
    return t;
}

START_TEST(goes_with_the_last_reference)
{
    int gone;
    struct thing *t = make(&gone);

    mdm_handle_hold(&t->handle);
    mdm_handle_drop(&t->handle);
    ck_assert_int_eq(gone, 0);
    mdm_handle_drop(&t->handle);
    ck_assert_int_eq(gone, 1);
}
END_TEST

START_TEST(work_that_succeeds_is_no_failure)
{
    int gone;
    struct thing *t = make(&gone);

    for (int with = 0; with < 2; with++) {
        struct mdm_work w = {0};

        ck_assert_int_eq(mdm_fail(MASKDM_EINVAL, "the last one"), MASKDM_EINVAL);
        ck_assert_int_eq(mdm_work_share(&w, with ? &t->handle : NULL), MASKDM_OK);
        (void)mdm_fail(MASKDM_EIO, "it got over this");
        ck_assert_int_eq(mdm_work_end(&w, 7), 7);
        ck_assert_str_eq(mdm_error_text(), "the last one");
        ck_assert_int_eq(mdm_error_status(), MASKDM_EINVAL);
        w = (struct mdm_work){0};
        ck_assert_int_eq(mdm_work_alone(&w, with ? &t->handle : NULL), MASKDM_OK);
        ck_assert_int_eq(mdm_work_end(&w, mdm_fail(MASKDM_EIO, "but not this")), MASKDM_EIO);
        ck_assert_str_eq(mdm_error_text(), "but not this");
    }
    mdm_handle_drop(&t->handle);
}
END_TEST

START_TEST(released_at_work_goes_when_the_work_ends)
{
    for (int alone = 0; alone < 2; alone++) {
        int gone;
        struct thing *t = make(&gone);
        struct mdm_work w = {0};

        ck_assert_int_eq((alone ? mdm_work_alone : mdm_work_share)(&w, &t->handle), MASKDM_OK);
        mdm_handle_drop(&t->handle);
        ck_assert_int_eq(gone, 0);
        ck_assert_int_eq(mdm_work_end(&w, MASKDM_EIO), MASKDM_EIO);
        ck_assert_int_eq(gone, 1);
    }
}
END_TEST

START_TEST(who_excludes_whom)
{
    int gone;
    struct thing *t = make(&gone);
    struct mdm_work a = {0}, b = {0};

    ck_assert_int_eq(mdm_work_alone(&a, &t->handle), MASKDM_OK);
    ck_assert_int_eq(mdm_work_alone(&b, &t->handle), MASKDM_EBUSY);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "the thing is at work"));
    ck_assert_int_eq(mdm_work_share(&b, &t->handle), MASKDM_EBUSY);
    mdm_work_end(&a, 0);
    ck_assert_int_eq(mdm_work_share(&a, &t->handle), MASKDM_OK);
    ck_assert_int_eq(mdm_work_share(&b, &t->handle), MASKDM_OK);
    mdm_work_end(&b, 0);
    ck_assert_int_eq(mdm_work_alone(&b, &t->handle), MASKDM_EBUSY);
    mdm_work_end(&a, 0);
    ck_assert_int_eq(mdm_work_alone(&b, &t->handle), MASKDM_OK);
    mdm_work_end(&b, 0);
    ck_assert_int_eq(mdm_work_share(&a, NULL), MASKDM_OK);
    ck_assert_int_eq(a.count, 0);
    mdm_handle_drop(&t->handle);
    ck_assert_int_eq(gone, 1);
}
END_TEST

/* The caller of a refused call has nothing to let go of. */
START_TEST(refusal_lets_go_of_all)
{
    int gone[2];
    struct thing *t[2] = {make(&gone[0]), make(&gone[1])};
    struct mdm_work a = {0}, b = {0};

    ck_assert_int_eq(mdm_work_alone(&a, &t[1]->handle), MASKDM_OK);
    ck_assert_int_eq(mdm_work_alone(&b, &t[0]->handle), MASKDM_OK);
    ck_assert_int_eq(mdm_work_share(&b, &t[1]->handle), MASKDM_EBUSY);
    ck_assert_int_eq(b.count, 0);
    ck_assert_int_eq(mdm_work_alone(&b, &t[0]->handle), MASKDM_OK);
    mdm_work_end(&b, 0);
    mdm_work_end(&a, 0);
    for (int i = 0; i < 2; i++) {
        mdm_handle_drop(&t[i]->handle);
        ck_assert_int_eq(gone[i], 1);
    }
}
END_TEST

struct race {
    struct thing *thing;
    long inside; /* what only one may touch at a time */
    long done;
};

static void *compete(void *arg)
{
    struct race *r = arg;

    for (int i = 0; i < 20000; i++) {
        struct mdm_work w = {0};

        if (mdm_work_alone(&w, &r->thing->handle) == MASKDM_OK) {
            r->inside++;
            r->done++;
            r->inside--;
            mdm_work_end(&w, 0);
        }
    }
    return NULL;
}

START_TEST(one_at_a_time)
{
    int gone;
    struct race r = {.thing = make(&gone)};
    pthread_t thread[3];

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, compete, &r), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    ck_assert_int_eq(r.inside, 0);
    ck_assert_int_ge(r.done, 1);
    mdm_handle_drop(&r.thing->handle);
    ck_assert_int_eq(gone, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("handle");
    TCase *c = tcase_create("handle");
    SRunner *r;
    int failed;

    tcase_add_test(c, goes_with_the_last_reference);
    tcase_add_test(c, work_that_succeeds_is_no_failure);
    tcase_add_test(c, released_at_work_goes_when_the_work_ends);
    tcase_add_test(c, who_excludes_whom);
    tcase_add_test(c, refusal_lets_go_of_all);
    tcase_add_test(c, one_at_a_time);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
