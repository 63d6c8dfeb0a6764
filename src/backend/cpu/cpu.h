/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The CPU backend: kernels per operation on a thread pool.
 *
 * Portable kernels are written in a type `real` (backend/cpu/real.h) and compiled twice. The double build serves
 * gradient tests; the float build is the specification that every faster kernel is held to. What an instruction
 * set makes faster are the rows under the kernels (backend/cpu/rows.h), two loops of the optimizer, and whole
 * kernels where rows do not fit (attention); they are float and stand in a folder per instruction set:
 *
 *     maskdm_cpu_table_c_f32()   every op, portable, with the portable product
 *     maskdm_cpu_gemm_blas()     replaces the product
 *     maskdm_cpu_table_avx2()    overwrites what it has
 *
 * Work is cut by shape, and sums over rows go through parts that are cut by shape and met in index order, so that
 * results do not depend on the number of threads.
 */
#ifndef MASKDM_BACKEND_CPU_CPU_H
#define MASKDM_BACKEND_CPU_CPU_H

#include "backend/backend.h"
#include "util/pool.h"

struct maskdm_cpu;
struct maskdm_rows_f32; /* backend/cpu/rows.h */
struct maskdm_rows_f64;

/* c[M,N] (+)= op(a) op(b), row-major with leading dimensions; ta: a is stored [K,M], tb: b is stored [N,K].
 * Elements are of the table's type. Cut into tiles by shape alone (and by row_group rows of the result when that
 * is set); k is never cut. */
struct maskdm_gemm {
    int ta, tb, add;
    int64_t m, n, k;
    const void *a, *b;
    int64_t lda, ldb;
    void *c;
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
    size_t (*gemm_workspace)(int workers); /* bytes of cpu->workspace that gemm wants; NULL: none */
    const struct maskdm_rows_f32 *rows_f32; /* of the float table */
    const struct maskdm_rows_f64 *rows_f64; /* of the double table */
    /* Spans of the jobs beside the program: elements [from, to) of adamw, and one sum. Float table only. */
    void (*adamw)(const struct maskdm_adamw *a, size_t from, size_t to);
    double (*sum_squares)(const float *x, size_t n);
};

struct maskdm_cpu {
    struct maskdm_backend base; /* first: the backend pointer is the cpu pointer */
    struct maskdm_pool *pool;
    int workers;
    int guard;                   /* products are by BLAS: hold it to one thread while computing */
    struct maskdm_cpu_table f32; /* the fastest rows this machine runs */
    struct maskdm_cpu_table f64; /* kernel rows and product only */
    void *workspace;             /* of the float product */
    char text[160];
};

static inline struct maskdm_cpu *maskdm_cpu_of(struct maskdm_backend *b)
{
    return (struct maskdm_cpu *)b;
}

static inline int maskdm_cancelled(const atomic_int *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* Pieces of `step` that cover n. */
static inline int64_t maskdm_pieces(int64_t n, int64_t step)
{
    return (n + step - 1) / step;
}

struct maskdm_cpu_settings {
    int workers; /* at least 1 */
    int guard;
    const char *instruction_set; /* "auto", "c", "avx2" */
    maskdm_parallel_for host;    /* or NULL */
    void *host_user;
};

int maskdm_cpu_open(struct maskdm_backend **out, const struct maskdm_cpu_settings *settings);

void maskdm_cpu_table_c_f32(struct maskdm_cpu_table *t);
void maskdm_cpu_table_c_f64(struct maskdm_cpu_table *t);
void maskdm_cpu_table_avx2(struct maskdm_cpu_table *t); /* x86-64 builds only */

int maskdm_cpu_gemm_blas(struct maskdm_cpu *cpu, const struct maskdm_gemm *g);
int maskdm_cpu_gemm_c_f32(struct maskdm_cpu *cpu, const struct maskdm_gemm *g);
int maskdm_cpu_gemm_c_f64(struct maskdm_cpu *cpu, const struct maskdm_gemm *g);

/* Jobs beside the program (backend.h has their contracts). */
int maskdm_cpu_normal(struct maskdm_backend *b, float *out, int64_t batch, int64_t n,
                      const struct maskdm_rng *stream);
int maskdm_cpu_noising(struct maskdm_backend *b, const struct maskdm_noising *j);
int maskdm_cpu_loss(struct maskdm_backend *b, const struct maskdm_loss *j);
int maskdm_cpu_sum_squares(struct maskdm_backend *b, double *out, const float *x, size_t n);
int maskdm_cpu_adamw(struct maskdm_backend *b, const struct maskdm_adamw *j);
int maskdm_cpu_ema(struct maskdm_backend *b, float *ema, const float *w, size_t n, int mode, double decay);
int maskdm_cpu_unpatchify(struct maskdm_backend *b, float *image, const float *pred, int64_t batch, int64_t height,
                          int64_t width, int64_t channels, int64_t patch);
void maskdm_cpu_adamw_c(const struct maskdm_adamw *a, size_t from, size_t to);
double maskdm_cpu_sum_squares_c(const float *x, size_t n);

#endif
