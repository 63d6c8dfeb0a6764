/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The instruction sets of the CPU. A new one is a folder, its function that overwrites the rows which it has, and a
 * row here, from which the option, maskdm_build_info() and the tests learn of it. Rows are those of every machine, so
 * that a run's options mean the same on all; what this build lacks has no function.
 */
#include "backend/cpu/blas.h"
#include "backend/cpu/brand.h"
#include "backend/cpu/loss.h"

#include "backend/options.h"

static int runs_everywhere(void)
{
    return 1;
}

static int runs_nowhere(void)
{
    return 0;
}

static void fill_c(struct mdm_cpu_table *t)
{
    mdm_cpu_table_c_f32(t);
    if (mdm_blas_is_built()) {
        t->gemm = mdm_cpu_gemm_blas;
        t->gemm_workspace = mdm_cpu_gemm_blas_workspace;
    }
    t->adamw = mdm_cpu_adamw_c;
    t->sum_squares = mdm_cpu_sum_squares_c;
    t->loss = mdm_loss_runs_c;
}

#ifdef __x86_64__
static int runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static void fill_avx2(struct mdm_cpu_table *t)
{
    fill_c(t);
    mdm_cpu_table_avx2(t);
}

static int runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

static void fill_avx512(struct mdm_cpu_table *t)
{
    fill_c(t);
    mdm_cpu_table_avx512(t);
}
#else
#    define runs_avx2 runs_nowhere
#    define runs_avx512 runs_nowhere
static void (*const fill_avx2)(struct mdm_cpu_table *t) = NULL;
static void (*const fill_avx512)(struct mdm_cpu_table *t) = NULL;
#endif

#ifdef __aarch64__
#    define runs_neon runs_everywhere /* no aarch64 is without */
static void fill_neon(struct mdm_cpu_table *t)
{
    fill_c(t);
    mdm_cpu_table_neon(t);
}
#else
#    define runs_neon runs_nowhere
static void (*const fill_neon)(struct mdm_cpu_table *t) = NULL;
#endif

const struct mdm_cpu_set mdm_cpu_sets[] = {
    {"c", runs_everywhere, fill_c, NULL},
    {"avx2", runs_avx2, fill_avx2, NULL},
    {"avx512", runs_avx512, fill_avx512, mdm_halves_512_bits},
    {"neon", runs_neon, fill_neon, NULL},
    {NULL, NULL, NULL, NULL},
};

const char *mdm_instruction_set(int i)
{
    int count = 0;

    while (mdm_cpu_sets[count].name)
        count++;
    return i == 0 ? "auto" : i > 0 && i <= count ? mdm_cpu_sets[i - 1].name : NULL;
}

int mdm_instruction_set_is_built(int i)
{
    return i > 0 && mdm_instruction_set(i) && mdm_cpu_sets[i - 1].fill;
}
