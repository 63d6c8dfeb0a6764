/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lowrank against its double build, written and added, and made anew; a matrix alone and with gradients of its own.
 */
#include "twin.h"

static const int64_t sizes[][3] = {{1, 1, 1}, {3, 7, 2}, {64, 8, 4}, {65, 33, 8}, {7, 513, 3}, {300, 130, 16}};

static struct problem make(size_t k)
{
    struct problem p = {.op = MDM_OP_LOWRANK, .ins = 3, .outs = 1, .constant = {0.75}, .bound = 4e-6};

    p.in[0] = p.out[0] = mdm_shape2(sizes[k][0], sizes[k][1]);
    p.in[1] = mdm_shape2(sizes[k][2], sizes[k][1]);
    p.in[2] = mdm_shape2(sizes[k][0], sizes[k][2]);
    p.remade_out = 1u << 0;
    p.remake_in = 7;
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = make(k);

        check_both_ways(&p);
        p.still = 1u << 0; /* as it is used */
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(windows)
{
    struct problem p = make(0);

    p.in[0] = p.out[0] = mdm_shape4(6, 5, 3, 3);
    p.in[1] = mdm_shape4(2, 5, 3, 3);
    p.in[2] = mdm_shape4(6, 2, 1, 1);
    check_both_ways(&p);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, windows);
}

int main(void)
{
    return run_suite("lowrank", add_tests);
}
