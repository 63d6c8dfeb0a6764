/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The CPU backend: kernels per operation on a thread pool.
 *
 * Portable kernels are written in a type `real` (backend/cpu/real.h) and compiled twice. The double build serves
 * gradient tests; the float build is the specification that every faster kernel is held to. What an instruction
 * set makes faster are the rows under the kernels (backend/cpu/rows.h), two loops of the optimizer, and the product
 * and attention, whose cut into blocks (tile/) is that of all sets and runs on a micro-kernel. All that is float and
 * written once over vectors (vector/), which a set's folder describes:
 *
 *     mdm_cpu_table_c_f32()   every op, portable, with the portable product
 *     mdm_cpu_gemm_blas()     replaces the product
 *     mdm_cpu_table_avx2()    overwrites what vectors have, as do those of other sets
 *
 * Work is cut by shape, and sums over rows go through parts that are cut by shape and met in index order, so that
 * results do not depend on the number of threads.
 */
#ifndef MASKDM_BACKEND_CPU_CPU_H
#define MASKDM_BACKEND_CPU_CPU_H

#include "backend/registry.h"
#include "os/pool.h"

struct mdm_cpu;
struct mdm_window;      /* backend/cpu/window.h */
struct mdm_rows_f32;    /* backend/cpu/rows.h */
struct mdm_rows_f64;
struct mdm_tile;        /* backend/cpu/tile/tile.h */

/* Of n values: *sum grows by what each error costs, and dpred (may be NULL) becomes `scale` times how fast that
 * grows. Both are NaN where an error is. */
typedef void (*mdm_loss_run)(double *sum, float *dpred, const float *pred, const float *target, int64_t n,
                             double delta, double scale);

/* c[M,N] (+)= op(a) op(b), row-major with leading dimensions; ta: a is stored [K,M], tb: b is stored [N,K].
 * Elements are of the table's type. Cut into tiles by shape alone (and by row_group rows of the result when that
 * is set); k is never cut, but where a factor is made of windows, by shape. */
struct mdm_gemm {
    int ta, tb, add;
    int64_t m, n, k;
    const void *a, *b;
    int64_t lda, ldb;
    enum mdm_dtype stored_b; /* MDM_BF16 or MDM_F16: b is of that type, where tb is 1 and the table has a tile */
    const struct mdm_window *windows_a, *windows_b; /* stand for a where ta is 0, for b where tb is 0; mostly NULL */
    void *c;
    int64_t ldc;
    int64_t row_group;
    const atomic_int *cancel;
    /* Called on a finished tile, on the thread that made it, while it is in cache: rows [row, row+rows), columns
     * [column, column+columns) of c. NULL: none. */
    void (*epilogue)(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns);
    void *arg;
};

struct mdm_cpu_table {
    struct mdm_kernel kernel[MDM_OP_COUNT];
    int (*gemm)(struct mdm_cpu *cpu, const struct mdm_gemm *g);
    size_t (*gemm_workspace)(int workers); /* bytes of cpu->workspace that gemm wants; NULL: none */
    const struct mdm_tile *tile;            /* what gemm and attention run on; NULL: neither does */
    const struct mdm_rows_f32 *rows_f32;    /* of the float table */
    const struct mdm_rows_f64 *rows_f64;    /* of the double table */
    /* Spans of the jobs beside the program: elements [from, to) of adamw, and one sum. Float table only. */
    void (*adamw)(const struct mdm_optimizer *a, size_t from, size_t to);
    double (*sum_squares)(const float *x, size_t n);
    const mdm_loss_run *loss; /* of each kind */
};

struct mdm_cpu {
    struct mdm_backend base;    /* first: the backend pointer is the cpu pointer */
    struct mdm_pool *pool;
    int workers;
    int guard;                   /* products are by BLAS: hold it to one thread while computing */
    struct mdm_cpu_table f32;    /* the fastest rows this machine runs */
    struct mdm_cpu_table f64;    /* kernel rows and product only */
    void *workspace;             /* of the float product */
    char text[160], warning[256]; /* of nothing: "" */
};

static inline struct mdm_cpu *mdm_cpu_of(struct mdm_backend *b)
{
    return (struct mdm_cpu *)b;
}

static inline int mdm_cancelled(const atomic_int *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* Pieces of `step` that cover n. */
static inline int64_t mdm_pieces(int64_t n, int64_t step)
{
    return (n + step - 1) / step;
}

extern const struct mdm_backend_vtbl mdm_cpu_vtbl;

int mdm_cpu_open(struct mdm_backend **out, const struct mdm_device_settings *settings);

void mdm_cpu_table_c_f32(struct mdm_cpu_table *t);
void mdm_cpu_table_c_f64(struct mdm_cpu_table *t);
/* x86-64 builds only */
void mdm_cpu_table_avx2(struct mdm_cpu_table *t);
void mdm_cpu_table_avx512(struct mdm_cpu_table *t);
/* aarch64 builds only */
void mdm_cpu_table_neon(struct mdm_cpu_table *t);

/* Instruction sets, the widest last, and one without a name behind them. */
struct mdm_cpu_set {
    const char *name;
    int (*runs_here)(void);
    /* With the float rows of this set, and portable ones where it has none; NULL: not in this build. */
    void (*fill)(struct mdm_cpu_table *t);
    /* Whether a processor of this brand is known to be slower by it than by the one before; NULL: none is. */
    int (*is_slower)(const char *brand);
};
extern const struct mdm_cpu_set mdm_cpu_sets[];

/* The set to take on this machine if its processor is of that brand (brand.h), and a wider one that it would be
 * slower by, or NULL. */
void mdm_cpu_choose(const struct mdm_cpu_set **set, const struct mdm_cpu_set **slower, const char *brand);
/* The set of a name, or "auto"'s, which is the one to take. MASKDM_ENOTSUP where this machine or build has it not. */
int mdm_cpu_find(const struct mdm_cpu_set **set, const struct mdm_cpu_set **slower, const char *name);

int mdm_cpu_gemm_blas(struct mdm_cpu *cpu, const struct mdm_gemm *g);
size_t mdm_cpu_gemm_blas_workspace(int workers);
int mdm_cpu_gemm_c_f32(struct mdm_cpu *cpu, const struct mdm_gemm *g);
int mdm_cpu_gemm_c_f64(struct mdm_cpu *cpu, const struct mdm_gemm *g);

/* Jobs beside the program (job.h has their contracts). */
int mdm_cpu_normal(struct mdm_backend *b, float *out, int64_t batch, int64_t n,
                   const struct mdm_rng *stream);
int mdm_cpu_noising(struct mdm_backend *b, const struct mdm_noising *j);
int mdm_cpu_mix(struct mdm_backend *b, const struct mdm_mix *j);
int mdm_cpu_solve(struct mdm_backend *b, const struct mdm_solve *j);
int mdm_cpu_quantile(struct mdm_backend *b, const struct mdm_quantile *j);
int mdm_cpu_loss(struct mdm_backend *b, const struct mdm_loss *j);
int mdm_cpu_sum_squares(struct mdm_backend *b, double *out, const float *x, size_t n);
int mdm_cpu_adamw(struct mdm_backend *b, const struct mdm_optimizer *j);
int mdm_cpu_ema(struct mdm_backend *b, float *ema, const float *w, size_t n, int mode, double decay);
int mdm_cpu_muon(struct mdm_backend *b, const struct mdm_muon *j);
size_t mdm_cpu_muon_scratch(const struct mdm_backend *b, const struct mdm_muon *j);
int mdm_cpu_unpatchify(struct mdm_backend *b, const struct mdm_unpatchify *job);
void mdm_cpu_adamw_c(const struct mdm_optimizer *a, size_t from, size_t to);
double mdm_cpu_sum_squares_c(const float *x, size_t n);

#endif
