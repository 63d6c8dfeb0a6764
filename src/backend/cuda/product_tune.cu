/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The heuristic's first algorithm is seldom its fastest, but timing is not to decide about bits. Most of the others
 * sum over k in the same order, and differ in tiles, stages and clusters; so each is run once on operands made up for
 * it, and of those whose results are the first one's to the bit the fastest is taken. Whichever that turns out to be,
 * the next process gets the same numbers.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product_plan.cuh"

#include <string.h>

enum { BLOCK = 256, RUNS = 3, TIMES = 3 };
static const double least_work = 2e8;         /* FLOP below which it does not pay */
static const int64_t least_results = 1 << 18; /* below which a rounded result may hide another order of sums */
static const float least_gain = 0.97f;

/* Elements that a matrix of so many rows, one after the other or `count` times so many, reaches over. */
static size_t reach(int64_t rows, int64_t columns, int64_t apart, int64_t count, int64_t step)
{
    return (size_t)((count - 1) * step + (rows - 1) * apart + columns);
}

struct trial {
    struct mdm_cuda_product p; /* on memory of the trial */
    void *a, *b, *c, *first;   /* first: what the first algorithm made of it */
    int *differs;
    size_t words; /* of c, of 2 bytes */
    cudaEvent_t begin, end;
};

template <class T> static __global__ void make_up(T *x, int64_t n, uint32_t seed)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        uint32_t h = ((uint32_t)i ^ seed) * 2654435761u;

        h = (h ^ h >> 15) * 2246822519u;
        h ^= h >> 13;
        x[i] = mdm_round<T>((float)(h >> 8) * 0x1p-23f - 1);
    }
}

static __global__ void compare(int *differs, const uint16_t *x, const uint16_t *y, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        if (x[i] != y[i])
            *differs = 1;
}

/* ---- room ---- */

static void end_trial(struct trial *t)
{
    void *const memory[] = {t->a, t->b, t->c, t->first, t->differs};

    for (void *m : memory)
        if (m)
            cudaFree(m);
    if (t->begin)
        cudaEventDestroy(t->begin);
    if (t->end)
        cudaEventDestroy(t->end);
    cudaGetLastError(); /* of memory that there was not; nothing came of it */
}

/* Operands of the plan's shape; whether there was room for them. */
static int begin_trial(struct mdm_cuda *d, struct trial *t, const struct mdm_plan_key *k,
                       const struct mdm_cuda_product *p)
{
    const size_t in = k->in == MDM_BF16 ? 2 : 4, out = k->out == MDM_BF16 ? 2 : 4;
    const size_t a = reach(k->turn_a ? k->k : k->m, k->turn_a ? k->m : k->k, k->lda, k->count, k->step_a);
    const size_t b = reach(k->turn_b ? k->n : k->k, k->turn_b ? k->k : k->n, k->ldb, k->count, k->step_b);
    const size_t c = reach(k->m, k->n, k->ldc, k->count, k->step_c) * out;

    t->p = *p;
    t->words = c / 2;
    if (cudaMalloc(&t->a, a * in) || cudaMalloc(&t->b, b * in) || cudaMalloc(&t->c, c) || cudaMalloc(&t->first, c) ||
        cudaMalloc((void **)&t->differs, sizeof(int)) || cudaEventCreate(&t->begin) || cudaEventCreate(&t->end))
        return 0;
    t->p.a = t->a;
    t->p.b = t->b;
    if (k->in == MDM_BF16) {
        mdm_cuda_launch(d, "products", make_up<mdm_bf16>, mdm_cuda_grid(d, (int64_t)a, BLOCK), BLOCK, 0,
                        (mdm_bf16 *)t->a, (int64_t)a, 1u);
        mdm_cuda_launch(d, "products", make_up<mdm_bf16>, mdm_cuda_grid(d, (int64_t)b, BLOCK), BLOCK, 0,
                        (mdm_bf16 *)t->b, (int64_t)b, 77u);
    } else {
        mdm_cuda_launch(d, "products", make_up<float>, mdm_cuda_grid(d, (int64_t)a, BLOCK), BLOCK, 0, (float *)t->a,
                        (int64_t)a, 1u);
        mdm_cuda_launch(d, "products", make_up<float>, mdm_cuda_grid(d, (int64_t)b, BLOCK), BLOCK, 0, (float *)t->b,
                        (int64_t)b, 77u);
    }
    return cudaMemsetAsync(t->first, 0, c, d->stream) == cudaSuccess;
}

/* ---- candidates ---- */

/* Milliseconds of some runs, the least of some times; below 0 where it does not run or its bits are others. */
static float try_algorithm(struct mdm_cuda *d, struct mdm_plan *plan, struct trial *t,
                           const cublasLtMatmulAlgo_t *algorithm, int is_first)
{
    float least = -1;
    int differs = 0;

    t->p.c = is_first ? t->first : t->c;
    if (cudaMemsetAsync(t->p.c, 0, t->words * 2, d->stream) ||
        cudaMemsetAsync(t->differs, 0, sizeof *t->differs, d->stream) || mdm_plan_run(d, plan, algorithm, &t->p))
        return -1;
    if (!is_first) {
        mdm_cuda_launch(d, "products", compare, mdm_cuda_grid(d, (int64_t)t->words, BLOCK), BLOCK, 0, t->differs,
                        (const uint16_t *)t->c, (const uint16_t *)t->first, (int64_t)t->words);
        if (cudaMemcpyAsync(&differs, t->differs, sizeof differs, cudaMemcpyDeviceToHost, d->stream) ||
            cudaStreamSynchronize(d->stream) || differs)
            return -1;
    }
    t->p.c = t->c;
    for (int i = 0; i < TIMES; i++) {
        float time = 0;

        cudaEventRecord(t->begin, d->stream);
        for (int k = 0; k < RUNS; k++)
            mdm_plan_run(d, plan, algorithm, &t->p);
        cudaEventRecord(t->end, d->stream);
        if (cudaEventSynchronize(t->end) || cudaEventElapsedTime(&time, t->begin, t->end))
            return -1;
        least = i == 0 || time < least ? time : least;
    }
    return least;
}

static void try_all(struct mdm_cuda *d, struct mdm_plan *plan, struct trial *t,
                    const cublasLtMatmulHeuristicResult_t *at, int n)
{
    const cublasLtMatmulAlgo_t first = plan->algorithm;
    float best = try_algorithm(d, plan, t, &first, 1);

    for (int i = 0; i < n && best > 0; i++) {
        float time;

        if (memcmp(&at[i].algo, &first, sizeof first) == 0)
            continue;
        time = try_algorithm(d, plan, t, &at[i].algo, 0);
        if (time > 0 && time < least_gain * best) {
            best = time;
            plan->algorithm = at[i].algo;
        }
    }
}

int mdm_plan_tune(struct mdm_cuda *d, struct mdm_plan *plan, const struct mdm_cuda_product *p)
{
    const struct mdm_plan_key *k = &plan->key;
    cublasLtMatmulHeuristicResult_t at[MDM_PLAN_CANDIDATES];
    cudaStreamCaptureStatus captured = cudaStreamCaptureStatusNone;
    struct trial t = {};
    int n;

    if (2.0 * (double)k->m * (double)k->n * (double)k->k * (double)k->count < least_work ||
        k->m * k->n * k->count < least_results || k->apart)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_cuda_check(d, cudaStreamIsCapturing(d->stream, &captured), "products"));
    if (captured != cudaStreamCaptureStatusNone)
        return MASKDM_OK;
    n = mdm_plan_ask(d, plan, at);
    if (n > 1 && begin_trial(d, &t, k, p))
        try_all(d, plan, &t, at, n);
    end_trial(&t);
    return MASKDM_OK;
}
