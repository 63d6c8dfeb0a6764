/* SPDX-License-Identifier: BSD-2-Clause
 *
 * add and qkv_bias against their double build.
 */
#include "twin.h"

START_TEST(sums)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {5, 16}, {300, 65}, {2, 17000}};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = {.op = MDM_OP_ADD, .ins = 2, .outs = 1};
        p.in[0] = p.in[1] = p.out[0] = mdm_shape2(sizes[k][0], sizes[k][1]);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(query_and_value_biases)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {64, 8}, {131, 33}, {37, 256}};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = {.op = MDM_OP_QKV_BIAS, .ins = 3, .outs = 1};
        p.in[0] = p.out[0] = mdm_shape2(sizes[k][0], 3 * sizes[k][1]);
        p.in[1] = p.in[2] = mdm_shape1(sizes[k][1]);
        check_both_ways(&p);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, sums);
    tcase_add_test(c, query_and_value_biases);
}

int main(void)
{
    return run_suite("add", add_tests);
}
