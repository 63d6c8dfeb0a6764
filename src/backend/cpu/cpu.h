/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The CPU backend: kernels per operation on a thread pool.
 *
 * Portable kernels are written in a type `real` (backend/cpu/real.h) and compiled twice. The double build serves
 * gradient tests; the float build is the specification that every faster kernel is held to. A faster kernel is
 * float, stands in a folder per instruction set under the same stem, and replaces rows of the table:
 *
 *     maskdm_cpu_table_c_f32()   every op, portable
 *     maskdm_cpu_table_avx2()    overwrites what it has
 */
#ifndef MASKDM_BACKEND_CPU_CPU_H
#define MASKDM_BACKEND_CPU_CPU_H

#include "backend/backend.h"
#include "util/pool.h"

struct maskdm_cpu;

/* y[M,N] (+)= op(a) op(b), row-major with leading dimensions; ta: a is stored [K,M], tb: b is stored [N,K].
 * Cut into tiles by shape alone (and by row_group rows of the result when that is set). */
struct maskdm_gemm {
    int ta, tb, add;
    int64_t m, n, k;
    const float *a, *b;
    int64_t lda, ldb;
    float *c;
    int64_t ldc;
    int64_t row_group;
    const atomic_int *cancel;
    /* Called on a finished tile, on the thread that made it, while it is in cache: rows [row, row+rows), columns
     * [column, column+columns) of c. NULL: none. */
    void (*epilogue)(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns);
    void *arg;
};

struct maskdm_cpu_table {
    struct maskdm_kernel kernel[MASKDM_OP_COUNT];
    int (*gemm)(struct maskdm_cpu *cpu, const struct maskdm_gemm *g);
    int (*loss)(struct maskdm_backend *, const struct maskdm_loss *);
    int (*adamw)(struct maskdm_backend *, const struct maskdm_adamw *);
    int (*sum_squares)(struct maskdm_backend *, double *out, const float *x, size_t n);
};

struct maskdm_cpu {
    struct maskdm_backend base; /* first: the backend pointer is the cpu pointer */
    struct maskdm_pool *pool;
    int workers;
    struct maskdm_cpu_table f32; /* the fastest rows this machine runs */
    struct maskdm_cpu_table f64; /* kernel rows only */
    char text[160];
};

static inline struct maskdm_cpu *maskdm_cpu_of(struct maskdm_backend *b)
{
    return (struct maskdm_cpu *)b;
}

void maskdm_cpu_table_c_f32(struct maskdm_cpu_table *t);
void maskdm_cpu_table_c_f64(struct maskdm_cpu_table *t);
void maskdm_cpu_table_avx2(struct maskdm_cpu_table *t); /* x86-64 builds only */

#endif
