/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gelu, gelu_tanh, silu and relu against their double build, written and added, and made anew.
 */
#include "twin.h"

static const enum mdm_op_id ops[] = {MDM_OP_GELU, MDM_OP_GELU_TANH, MDM_OP_SILU, MDM_OP_RELU};

START_TEST(all_shapes)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {64, 8}, {65, 17}, {7, 513}, {130, 31}, {500, 40}, {40, 1030}};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = {.op = ops[_i], .ins = 1, .outs = 1, .bound = 4e-6};

        p.in[0] = p.out[0] = mdm_shape2(sizes[k][0], sizes[k][1]);
        p.remade_out = p.remake_in = ops[_i] != MDM_OP_RELU;
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(no_gradient)
{
    struct problem p = {.op = ops[_i], .ins = 1, .outs = 1, .no_dout = 1u << 0};

    p.in[0] = p.out[0] = mdm_shape2(9, 11);
    check_both_ways(&p);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_loop_test(c, all_shapes, 0, MDM_LENGTH(ops));
    tcase_add_loop_test(c, no_gradient, 0, MDM_LENGTH(ops));
}

int main(void)
{
    return run_suite("activation", add_tests);
}
