/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The float tables that a kernel's tests run through: the portable one with its own product, and that of every
 * instruction set of the library's list which this machine has. So a new set is tested by being in that list.
 * On x86-64, AVX-512, which few machines have, and NEON run in any case, on SIMDe (avx512/immintrin.h,
 * neon/arm_neon.h), where the build has that.
 */
#ifndef MASKDM_TESTS_KERNEL_SETS_H
#define MASKDM_TESTS_KERNEL_SETS_H

#include "backend/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TABLES = 8 };

struct table {
    const char *name;
    struct mdm_cpu_table rows;
};

#ifdef MDM_EMULATED
void mdm_cpu_table_avx512_emulated(struct mdm_cpu_table *t);
void mdm_cpu_table_neon_emulated(struct mdm_cpu_table *t);

static inline int runs_emulated(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static void fill_avx512_emulated(struct mdm_cpu_table *t)
{
    mdm_cpu_sets[0].fill(t);
    mdm_cpu_table_avx512_emulated(t);
}

static void fill_neon_emulated(struct mdm_cpu_table *t)
{
    mdm_cpu_sets[0].fill(t);
    mdm_cpu_table_neon_emulated(t);
}

static const struct mdm_cpu_set emulated_sets[] = {{"AVX-512 on SIMDe", runs_emulated, fill_avx512_emulated, NULL},
                                                   {"NEON on SIMDe", runs_emulated, fill_neon_emulated, NULL},
                                                   {NULL, NULL, NULL, NULL}};
#else
static const struct mdm_cpu_set emulated_sets[] = {{NULL, NULL, NULL, NULL}};
#endif

/* The library's sets, and behind them those that are emulated; NULL: no more. */
static inline const struct mdm_cpu_set *set_of(int i)
{
    int own = 0;

    while (mdm_cpu_sets[own].name)
        own++;
    if (i < own)
        return &mdm_cpu_sets[i];
    return emulated_sets[i - own].name ? &emulated_sets[i - own] : NULL;
}

/* Returns their number. */
static inline int fill_tables(struct table t[MOST_TABLES])
{
    int n = 1;

    memset(t, 0, MOST_TABLES * sizeof *t);
    t[0].name = "portable";
    mdm_cpu_table_c_f32(&t[0].rows);
    for (int i = 0; set_of(i); i++)
        if (set_of(i)->runs_here()) {
            if (n == MOST_TABLES)
                abort();
            t[n].name = set_of(i)->name;
            set_of(i)->fill(&t[n++].rows);
        }
    return n;
}

static inline void tell_tables(void)
{
    for (int i = 0; set_of(i); i++)
        printf("instruction set %s: %s\n", set_of(i)->name,
               set_of(i)->runs_here() ? "tested" : "skipped, this machine has none");
    if (!emulated_sets[0].name)
        printf("no SIMDe in this build: AVX-512 and NEON are tested where the machine has them, and else skipped\n");
}

#endif
