/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Allocation: counting, refusing, alignment, overflow.
 */
#include "base/alloc.h"
#include "base/error.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int refuse_at(void *user, size_t bytes)
{
    int *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(every_kind_is_counted_and_freed)
{
    long before = mdm_alloc_live();
    void *p[6];

    p[0] = mdm_malloc(0);
    p[1] = mdm_calloc(3, 5);
    p[2] = mdm_realloc(NULL, 10);
    p[2] = mdm_realloc(p[2], 1000);
    p[3] = mdm_malloc_aligned(100);
    p[4] = mdm_malloc_aligned((size_t)5 << 20);
    p[5] = mdm_strndup("abcdef", 3);
    for (int i = 0; i < 6; i++)
        ck_assert_ptr_nonnull(p[i]);
    ck_assert_int_eq(mdm_alloc_live() - before, 6);
    for (int i = 0; i < 15; i++)
        ck_assert_int_eq(((char *)p[1])[i], 0);
    ck_assert_str_eq(p[5], "abc");
    ck_assert_uint_eq((uintptr_t)p[3] % 64, 0);
    ck_assert_uint_eq((uintptr_t)p[4] % ((uintptr_t)2 << 20), 0);
    memset(p[4], 1, (size_t)5 << 20);
    for (int i = 0; i < 6; i++)
        mdm_free(p[i]);
    mdm_free(NULL);
    ck_assert_int_eq(mdm_alloc_live(), before);
}
END_TEST

START_TEST(product_is_checked)
{
    ck_assert_ptr_null(mdm_calloc(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(mdm_need(SIZE_MAX / 2, 3, "nothing"));
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "nothing"));
}
END_TEST

START_TEST(hook_refuses_the_nth)
{
    int left = 1;
    struct mdm_alloc_hook hook = { refuse_at, &left };
    void *a, *b, *c;

    mdm_alloc_hook_set(&hook);
    a = mdm_malloc(1);
    b = mdm_need(7, 11, "weights");
    c = mdm_malloc_aligned(1);
    mdm_alloc_hook_set(NULL);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(b);
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(mdm_error_text(), "cannot allocate 77 bytes for weights");
    mdm_free(a);
    mdm_free(c);
}
END_TEST

START_TEST(refused_realloc_keeps_the_block)
{
    int left = 0;
    struct mdm_alloc_hook hook = { refuse_at, &left };
    char *p = mdm_strdup("kept");

    mdm_alloc_hook_set(&hook);
    ck_assert_ptr_null(mdm_realloc(p, 100));
    mdm_alloc_hook_set(NULL);
    ck_assert_str_eq(p, "kept");
    mdm_free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("alloc");
    TCase *t = tcase_create("alloc");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, every_kind_is_counted_and_freed);
    tcase_add_test(t, product_is_checked);
    tcase_add_test(t, hook_refuses_the_nth);
    tcase_add_test(t, refused_realloc_keeps_the_block);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
