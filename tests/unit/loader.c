/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loader: foretold or not, on any number of threads, what is taken is the same.
 */
#include "base/alloc.h"
#include "data/loader.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ELEMENTS = 5, WRONG = 13 };

static atomic_int loaded;

static int load(void *user, int64_t index, uint16_t *samples, int *bits)
{
    (void)user;
    atomic_fetch_add(&loaded, 1);
    for (int i = 0; i < ELEMENTS; i++)
        samples[i] = (uint16_t)(index * 7 + i);
    *bits = index % 2 ? 8 : 16;
    return index == WRONG ? mdm_fail(MASKDM_EFORMAT, "image 13") : MASKDM_OK;
}

static void take(struct mdm_loader *l, int64_t index)
{
    uint16_t samples[ELEMENTS];
    int bits = 0, r = mdm_loader_take(l, index, samples, &bits);

    if (index == WRONG) {
        ck_assert_int_eq(r, MASKDM_EFORMAT);
        ck_assert_str_eq(mdm_error_text(), "image 13");
        return;
    }
    ck_assert_int_eq(r, MASKDM_OK);
    ck_assert_int_eq(bits, index % 2 ? 8 : 16);
    for (int i = 0; i < ELEMENTS; i++)
        ck_assert_int_eq(samples[i], index * 7 + i);
}

static struct mdm_loader *create(int threads, int slots)
{
    struct mdm_loader *l;

    ck_assert_int_eq(mdm_loader_create(&l, threads, slots, ELEMENTS, load, NULL), MASKDM_OK);
    return l;
}

START_TEST(in_the_foretold_order)
{
    struct mdm_loader *l = create(1 + _i % 3, 1 + _i);
    int64_t want[64];

    for (int64_t step = 0; step < 50; step++) { /* batches of 8, with the next one foretold */
        for (int64_t i = 0; i < 16; i++)
            want[i] = (step * 8 + i) * 31 % 40;
        ck_assert_int_eq(mdm_loader_expect(l, want, 16), MASKDM_OK);
        for (int i = 0; i < 8; i++)
            take(l, want[i]);
    }
    mdm_loader_release(&l);
    ck_assert_ptr_null(l);
    mdm_loader_release(&l);
}
END_TEST

START_TEST(nothing_is_loaded_twice)
{
    struct mdm_loader *l = create(2, 4);
    int64_t want[100];

    atomic_store(&loaded, 0);
    for (int i = 0; i < 100; i++)
        want[i] = i;
    for (int i = 0; i < 100; i += 10) {
        ck_assert_int_eq(mdm_loader_expect(l, want + i, i < 90 ? 20 : 10), MASKDM_OK);
        for (int k = i; k < i + 10; k++)
            take(l, k);
    }
    /* save what failed ahead of its time */
    ck_assert_int_eq(atomic_load(&loaded), 101);
    mdm_loader_release(&l);
}
END_TEST

START_TEST(against_the_foretold_order)
{
    struct mdm_loader *l = create(2, 1 + _i);
    int64_t want[30];
    unsigned random = 1;

    take(l, 5);
    for (int step = 0; step < 200; step++) {
        int n = 1 + step % 30;

        for (int i = 0; i < n; i++)
            want[i] = (random = random * 1103515245u + 12345u) >> 16 & 31;
        ck_assert_int_eq(mdm_loader_expect(l, want, n), MASKDM_OK);
        for (int i = 0; i < n; i += 1 + (step & 1))
            take(l, want[i]);
        take(l, step % 40);
    }
    mdm_loader_release(&l);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    int *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

/* Image 0 takes long, and writes at its end. */
static int load_slowly(void *user, int64_t index, uint16_t *samples, int *bits)
{
    if (index == 0)
        usleep(50000);
    return load(user, index, samples, bits);
}

/* What is foretold anew waits for a load that is under way, whose slot it takes. */
START_TEST(a_late_load_spoils_no_other)
{
    const int64_t slow = 0, other = 7;
    struct mdm_loader *l;

    ck_assert_int_eq(mdm_loader_create(&l, 2, 1, ELEMENTS, load_slowly, NULL), MASKDM_OK);
    ck_assert_int_eq(mdm_loader_expect(l, &slow, 1), MASKDM_OK);
    usleep(10000);
    ck_assert_int_eq(mdm_loader_expect(l, &other, 1), MASKDM_OK);
    usleep(100000);
    take(l, other);
    mdm_loader_release(&l);
}
END_TEST

START_TEST(every_refused_allocation_is_reported)
{
    long before = mdm_alloc_live();
    struct mdm_loader *l = NULL;
    int64_t want[2] = {1, 2};
    int r = -1;

    for (int i = 0; r < 0; i++) {
        int left = i;
        struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 20);
        mdm_alloc_hook_set(&hook);
        r = mdm_loader_create(&l, 1, 2, ELEMENTS, load, NULL);
        if (r >= 0)
            r = mdm_loader_expect(l, want, 2);
        mdm_alloc_hook_set(NULL);
        if (r < 0) {
            ck_assert_int_eq(r, MASKDM_ENOMEM);
            if (l)
                take(l, 2); /* still of use */
            mdm_loader_release(&l);
            ck_assert_int_eq(mdm_alloc_live(), before);
        }
    }
    mdm_loader_release(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loader");
    TCase *t = tcase_create("loader");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, in_the_foretold_order, 0, 20);
    tcase_add_test(t, nothing_is_loaded_twice);
    tcase_add_loop_test(t, against_the_foretold_order, 0, 6);
    tcase_add_test(t, a_late_load_spoils_no_other);
    tcase_add_test(t, every_refused_allocation_is_reported);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
