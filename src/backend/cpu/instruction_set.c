/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The instruction sets of the CPU. A new one is a folder, its function that overwrites the rows which it has, and a
 * row here, from which the tests learn of it too.
 */
#include "backend/cpu/cpu.h"

static int runs_everywhere(void)
{
    return 1;
}

static void fill_c(struct mdm_cpu_table *t)
{
    mdm_cpu_table_c_f32(t);
    t->gemm = mdm_cpu_gemm_blas;
    t->gemm_workspace = mdm_cpu_gemm_blas_workspace;
    t->adamw = mdm_cpu_adamw_c;
    t->sum_squares = mdm_cpu_sum_squares_c;
}

#if defined(__x86_64__)
static int runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static void fill_avx2(struct mdm_cpu_table *t)
{
    fill_c(t);
    mdm_cpu_table_avx2(t);
}
#endif

const struct mdm_cpu_set mdm_cpu_sets[] = {
    {"c", runs_everywhere, fill_c},
#if defined(__x86_64__)
    {"avx2", runs_avx2, fill_avx2},
#endif
    {NULL, NULL, NULL},
};
