/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The communicator: names and modules, the order of a sum, and what ranks that are not of one mind get to hear.
 */
#include "ranks.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(one_process_is_a_communicator)
{
    maskdm_comm *c = NULL;
    float values[3] = {1, 2, 3};

    ck_assert_int_eq(maskdm_comm_open(&c, "self", NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_comm_rank(c), 0);
    ck_assert_int_eq(maskdm_comm_size(c), 1);
    ck_assert_int_eq(maskdm_comm_lost(c), -1);
    ck_assert_str_eq(maskdm_comm_description(c), "self, rank 0 of 1");
    ck_assert_int_eq(maskdm_comm_sum(c, values, 3), MASKDM_OK);
    ck_assert_float_eq(values[2], 3);
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "here", NULL), MASKDM_OK);
    ck_assert_int_eq(mdm_comm_meet(c, mdm_fail(MASKDM_EIO, "no disk"), "there", NULL), MASKDM_EIO);
    ck_assert_str_eq(maskdm_last_error(), "no disk");
    maskdm_comm_release(&c);
    ck_assert_ptr_null(c);
    maskdm_comm_release(NULL);
}
END_TEST

/* The sentence with which a communicator is refused. */
static const char *refused(const char *name, const char *module, int status)
{
    maskdm_options *o;
    maskdm_comm *c = (maskdm_comm *)&c;

    ck_assert_int_eq(maskdm_options_create(&o, "comm"), MASKDM_OK);
    if (module)
        ck_assert_int_eq(maskdm_options_set(o, "module", module), MASKDM_OK);
    ck_assert_int_eq(maskdm_comm_open(&c, name, o), status);
    ck_assert_ptr_null(c);
    maskdm_options_release(&o);
    return maskdm_last_error();
}

START_TEST(only_known_names_and_right_modules_open)
{
    const char *later = getenv("MASKDM_TEST_COMM_LATER"), *other = getenv("MASKDM_TEST_COMM_OTHER");
    char want[1024];

    ck_assert_str_eq(refused("nccl", NULL, MASKDM_ENOTFOUND), "there is no communicator \"nccl\"; known: self, mpi");
    ck_assert_ptr_nonnull(
        strstr(refused("mpi", "/nowhere/module.so", MASKDM_ENOTFOUND), "cannot load /nowhere/module.so: "));
    ck_assert_ptr_nonnull(later);
    ck_assert_ptr_nonnull(other);
    snprintf(want, sizeof want, "the module of the communicator \"mpi\" has version %d, the library needs %d",
             MDM_COMM_VERSION + 1, MDM_COMM_VERSION);
    ck_assert_str_eq(refused("mpi", later, MASKDM_EVERSION), want);
    snprintf(want, sizeof want, "%s is a module for the communicator \"abacus\", not \"mpi\"", other);
    ck_assert_str_eq(refused("mpi", other, MASKDM_ENOTSUP), want);
    ck_assert_str_eq(refused("mpi", "libz.so.1", MASKDM_ENOTSUP),
                     "libz.so.1 is no module for communicators: it has no mdm_comm_module()");
}
END_TEST

/* ---- sums ---- */

enum { VALUES = 100003 };

/* Value i of a rank, of which no two sums in another order are alike for long. */
static float value_of(int rank, int i)
{
    static const float scale[] = {1, 1e2f, 1e4f, 1e6f};

    return (float)(i * 37 % 1013 - 500) * 1.1f * scale[(i + rank) % 4];
}

/* By halves, as the header says. */
static float want_sum(int from, int count, int i)
{
    return count == 1 ? value_of(from, i)
                      : want_sum(from, count / 2, i) + want_sum(from + count / 2, count - count / 2, i);
}

static void sum(maskdm_comm *c, void *arg)
{
    const int ranks = (int)maskdm_comm_size(c);
    float *values = malloc(VALUES * sizeof *values);

    (void)arg;
    for (int i = 0; i < VALUES; i++)
        values[i] = value_of((int)maskdm_comm_rank(c), i);
    ck_assert_int_eq(maskdm_comm_sum(c, values, VALUES), MASKDM_OK);
    for (int i = 0; i < VALUES; i += 7) {
        const float want = want_sum(0, ranks, i);

        ck_assert_msg(memcmp(&want, &values[i], sizeof want) == 0, "value %d of %d ranks", i, ranks);
    }
    ck_assert_int_eq(maskdm_comm_sum(c, values, 1), MASKDM_OK); /* fewer than there are ranks */
    ck_assert_int_eq(maskdm_comm_sum(c, NULL, 0), MASKDM_OK);
    free(values);
}

START_TEST(a_sum_has_its_order)
{
    for (int ranks = 2; ranks <= 5; ranks++)
        ranks_run(ranks, sum, NULL);
}
END_TEST

/* ---- meetings ---- */

static void meet(maskdm_comm *c, void *arg)
{
    const int rank = (int)maskdm_comm_rank(c);
    unsigned wants = rank == 1 ? 2 : rank == 2 ? 8 : 0;

    (void)arg;
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "step 1", &wants), MASKDM_OK);
    ck_assert_uint_eq(wants, 10);
    /* Two fail, and the lower one is heard. */
    ck_assert_int_eq(
        mdm_comm_meet(c, rank ? mdm_fail(MASKDM_EIO, "disk %d is full", rank) : MASKDM_OK, "step 2", NULL),
        MASKDM_EIO);
    ck_assert_str_eq(maskdm_last_error(), rank == 1 ? "disk 1 is full" : "rank 1 of 3: disk 1 is full");
    /* Of what all know nobody is told again. */
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_EIO, "the end", NULL), MASKDM_EIO);
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, rank == 2 ? "the end" : "step 3", NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "rank 0 is at step 3, rank 2 at the end");
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "step 4", NULL), MASKDM_OK);
}

START_TEST(a_failure_of_one_is_heard_by_all)
{
    ranks_run(3, meet, NULL);
}
END_TEST

static void compare(maskdm_comm *c, void *arg)
{
    const int rank = (int)maskdm_comm_rank(c);
    struct mdm_text lines = {0};

    (void)arg;
    mdm_text_add(&lines, "dim 32\nbatch_size 8\n");
    ck_assert_int_eq(mdm_comm_compare(c, "the option ", &lines), MASKDM_OK);
    mdm_text_addf(&lines, "seed %d\n", rank / 2);
    ck_assert_int_eq(mdm_comm_compare(c, "the option ", &lines), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "rank 0 has the option seed 0, rank 2 has the option seed 1");
    lines.length -= rank ? 0 : strlen("seed 0\n");
    ck_assert_int_eq(mdm_comm_compare(c, "", &lines), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "rank 0 has nothing, rank 1 has seed 0");
    mdm_text_free(&lines);
}

START_TEST(what_ranks_have_is_compared)
{
    ranks_run(3, compare, NULL);
}
END_TEST

/* ---- ends ---- */

static int refuse(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return 1;
}

static void lose(maskdm_comm *c, void *arg)
{
    (void)arg;
    if (maskdm_comm_rank(c) == 1) {
        c->broken.code = MASKDM_EDEVICE; /* as one that fails in the middle of an exchange */
        return;
    }
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "step 1", NULL), MASKDM_EDEVICE);
    ck_assert_str_eq(maskdm_last_error(), "rank 1 of 2 has ended");
    ck_assert_int_eq(maskdm_comm_lost(c), 1);
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "step 2", NULL), MASKDM_EDEVICE);
    ck_assert_str_eq(maskdm_last_error(), "the processes work together no longer: rank 1 of 2 has ended");
}

START_TEST(who_leaves_ends_the_wait_of_the_others)
{
    ranks_run(2, lose, NULL);
}
END_TEST

START_TEST(without_memory_the_others_are_not_kept_waiting)
{
    const struct mdm_alloc_hook none = {refuse, NULL};
    maskdm_comm *c;

    ck_assert_int_eq(maskdm_comm_open(&c, "self", NULL), MASKDM_OK);
    mdm_alloc_hook_set(&none);
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "step 1", NULL), MASKDM_ENOMEM);
    mdm_alloc_hook_set(NULL);
    ck_assert_int_eq(mdm_comm_meet(c, MASKDM_OK, "step 2", NULL), MASKDM_ENOMEM);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "work together no longer: cannot allocate"));
    maskdm_comm_release(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("comm");
    TCase *c = tcase_create("comm");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, one_process_is_a_communicator);
    tcase_add_test(c, only_known_names_and_right_modules_open);
    tcase_add_test(c, a_sum_has_its_order);
    tcase_add_test(c, a_failure_of_one_is_heard_by_all);
    tcase_add_test(c, what_ranks_have_is_compared);
    tcase_add_test(c, who_leaves_ends_the_wait_of_the_others);
    tcase_add_test(c, without_memory_the_others_are_not_kept_waiting);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
