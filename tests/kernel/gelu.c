/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gelu against its double build, written and added, and made anew.
 */
#include "twin.h"

START_TEST(all_shapes)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {64, 8}, {65, 17}, {7, 513}, {130, 31}, {500, 40}, {40, 1030}};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = {.op = MDM_OP_GELU, .ins = 1, .outs = 1, .bound = 4e-6};

        p.in[0] = p.out[0] = mdm_shape2(sizes[k][0], sizes[k][1]);
        p.remade_out = p.remake_in = 1u << 0;
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(no_gradient)
{
    struct problem p = {.op = MDM_OP_GELU, .ins = 1, .outs = 1, .no_dout = 1u << 0};

    p.in[0] = p.out[0] = mdm_shape2(9, 11);
    check_both_ways(&p);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, no_gradient);
}

int main(void)
{
    return run_suite("gelu", add_tests);
}
