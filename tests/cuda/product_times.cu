/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How fast products are, at the sizes that training has: each of the four linear layers of a block and one half of a
 * skip, forward and both gradients, in bf16. Beside what the library runs stand the heuristic's first algorithm and
 * the fastest of all that cuBLASLt names, whatever its bits. Then sums of columns, and the same by an epilogue of dw.
 *
 *     nvcc -std=c++17 -O3 -arch=sm_90 -I src -I include tests/cuda/product_times.cu src/backend/cuda/product*.cu \
 *         src/backend/cuda/sums.cu -lcublasLt
 */
#include "products.cuh"

enum { RUNS = 5, MOST = 64 };

struct layer {
    const char *name;
    int64_t in, out, apart; /* apart: from one row of w to the next */
    int biased;
};

static void *arena;
static size_t used;

static void *take(size_t bytes)
{
    char *p = (char *)arena + used;

    used += (bytes + 255) / 256 * 256;
    return p;
}

static __global__ void make_up(mdm_bf16 *x, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        x[i] = __float2bfloat16_rn((float)(((uint32_t)i * 2654435761u) >> 8) * 0x1p-23f - 1);
}

static struct cuda_timer {
    cudaEvent_t begin, end;
} timer;

/* Microseconds of one run of what `run` starts, the least of three times. */
template <class F> static double time_of(struct mdm_cuda *d, F run)
{
    float least = 0, ms;

    for (int i = 0; i < 4; i++) {
        cudaEventRecord(timer.begin, d->stream);
        for (int k = 0; k < RUNS; k++)
            if (run() != 0)
                return -1;
        cudaEventRecord(timer.end, d->stream);
        must(cudaEventSynchronize(timer.end) == cudaSuccess, "a product");
        cudaEventElapsedTime(&ms, timer.begin, timer.end);
        least = i < 2 || ms < least ? ms : least; /* the first time is for nothing */
    }
    return 1e3 * least / RUNS;
}

static struct mdm_plan *plan_of(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    for (size_t i = 0; i < d->blas->room; i++) {
        struct mdm_plan *plan = d->blas->plan[i];

        if (plan && plan->key.m == p->m && plan->key.n == p->n && plan->key.k == p->k && plan->key.ldb == p->ldb &&
            plan->key.turn_a == p->turn_a && plan->key.turn_b == p->turn_b)
            return plan;
    }
    must(0, "to find a plan");
    return NULL;
}

static void tell(const cublasLtMatmulAlgo_t *algorithm)
{
    static const struct {
        const char *name;
        cublasLtMatmulAlgoConfigAttributes_t which;
        size_t size;
    } parts[] = {{"id", CUBLASLT_ALGO_CONFIG_ID, 4},
                 {"tile", CUBLASLT_ALGO_CONFIG_TILE_ID, 4},
                 {"stages", CUBLASLT_ALGO_CONFIG_STAGES_ID, 4},
                 {"split", CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 4},
                 {"scheme", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, 4},
                 {"cluster", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2}};

    for (const auto &part : parts) {
        uint32_t value = 0;
        size_t got;

        cublasLtMatmulAlgoConfigGetAttribute(algorithm, part.which, &value, part.size, &got);
        printf(" %s %u", part.name, value);
    }
}

/* The fastest of all algorithms for what the plan describes, in microseconds. */
static double fastest(struct mdm_cuda *d, struct mdm_plan *plan, const struct mdm_cuda_product *p, int *named,
                      cublasLtMatmulAlgo_t *which)
{
    static cublasLtMatmulHeuristicResult_t at[MOST];
    cublasLtMatmulPreferenceOpaque_t want;
    const uint64_t room = MDM_PLAN_WORKSPACE;
    double least = -1;

    *named = 0;
    cublasLtMatmulPreferenceInit(&want);
    cublasLtMatmulPreferenceSetAttribute(&want, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &room, sizeof room);
    cublasLtMatmulAlgoGetHeuristic(d->blas->handle, &plan->how, &plan->a, &plan->b, &plan->c, &plan->c, &want, MOST,
                                   at, named);
    for (int i = 0; i < *named; i++) {
        const double us = time_of(d, [&] { return (int)mdm_plan_run(d, plan, &at[i].algo, p); });

        if (us > 0 && (least < 0 || us < least)) {
            least = us;
            *which = at[i].algo;
        }
    }
    return least;
}

static void time_product(struct mdm_cuda *d, const char *name, const char *what, const struct mdm_cuda_product *p)
{
    const double work = 2e-6 * (double)p->m * (double)p->n * (double)p->k; /* MFLOP, and so TFLOP/s of microseconds */
    cublasLtMatmulHeuristicResult_t at[MDM_PLAN_CANDIDATES];
    cublasLtMatmulAlgo_t best;
    struct mdm_plan *plan;
    double us, first, least;
    int n;

    must(mdm_cuda_product(d, p) == MASKDM_OK, "a product");
    us = time_of(d, [&] { return mdm_cuda_product(d, p); });
    plan = plan_of(d, p);
    must(!plan->plain && mdm_plan_ask(d, plan, at) > 0, "the heuristic");
    first = time_of(d, [&] { return (int)mdm_plan_run(d, plan, &at[0].algo, p); });
    least = fastest(d, plan, p, &n, &best);
    printf("%-5s %-3s %6lld x %4lld x %6lld  %7.1f us %4.0f | first %7.1f us %4.0f | fastest of %2d %7.1f us %4.0f |",
           name, what, (long long)p->m, (long long)p->n, (long long)p->k, us, work / us, first, work / first, n,
           least, work / least);
    tell(&plan->algorithm);
    if (plan->parts)
        printf(" cut by us into %lld", (long long)plan->parts);
    printf(" | fastest");
    tell(&best);
    printf("\n");
}

/* dy summed by our kernel, and by the epilogue of the product that makes dw. */
static void time_sums(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    const size_t bytes = mdm_cuda_sums_scratch(1, p->k, p->m);
    struct mdm_cuda_sums s = {};
    struct mdm_plan plan = *plan_of(d, p);
    cublasLtMatmulAlgo_t which;
    const uint32_t epilogue = CUBLASLT_EPILOGUE_BGRADB;
    double us;
    int n;

    s.images = 1;
    s.rows = p->k;
    s.columns = p->m;
    s.type = MDM_BF16;
    s.x = p->a;
    s.all = (float *)take((size_t)p->m * sizeof(float));
    s.parts = (float *)take(bytes);
    us = time_of(d, [&] { return mdm_cuda_sums(d, &s); });
    printf("sums of columns %lld x %lld: %.1f us, %.0f GB/s;", (long long)p->k, (long long)p->m, us,
           2e-3 * (double)p->k * (double)p->m / us);
    cublasLtMatmulDescSetAttribute(&plan.how, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    cublasLtMatmulDescSetAttribute(&plan.how, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &s.all, sizeof s.all);
    us = fastest(d, &plan, p, &n, &which);
    printf(" dw with them as an epilogue, fastest of %d: %.1f us\n", n, us);
}

static void time_layer(struct mdm_cuda *d, const struct layer *l, int64_t rows)
{
    struct mdm_cuda_product forward = {}, dx = {}, dw = {};
    void *x, *y, *w, *g;

    used = 0;
    x = take((size_t)(rows * l->in) * 2);
    y = take((size_t)(rows * l->out) * 2);
    w = take((size_t)(l->out * l->apart) * 2);
    g = take((size_t)(l->out * l->apart) * 4);
    mdm_cuda_launch(d, "make up", make_up, dim3(1024), dim3(256), 0, (mdm_bf16 *)arena, (int64_t)used / 2);
    forward.m = dx.m = dw.k = rows;
    forward.n = dx.k = dw.m = l->out;
    forward.k = dx.n = dw.n = l->in;
    forward.in = forward.out = dx.in = dx.out = dw.in = MDM_BF16;
    dw.out = MDM_F32;
    forward.turn_b = dw.turn_a = dw.add = 1;
    forward.a = dw.b = x;
    forward.lda = dw.ldb = l->in;
    forward.b = dx.b = w;
    forward.ldb = dx.ldb = l->apart;
    forward.bias = l->biased ? w : NULL;
    forward.c = y;
    forward.ldc = l->out;
    dx.a = dw.a = y;
    dx.lda = dw.lda = l->out;
    dx.c = x;
    dx.ldc = l->in;
    dw.c = g;
    dw.ldc = l->apart;
    time_product(d, l->name, "y", &forward);
    time_product(d, l->name, "dx", &dx);
    time_product(d, l->name, "dw", &dw);
    if (l->biased)
        time_sums(d, &dw);
}

int main(void)
{
    static const int64_t sizes[][2] = {{512, 257 * 256}, {512, 27 * 512}, {768, 4097 * 16}, {768, 411 * 128}};
    struct mdm_cuda d;

    want_device();
    open_device(&d);
    must(cudaMalloc(&arena, (size_t)2 << 30) == cudaSuccess, "cudaMalloc");
    must(cudaEventCreate(&timer.begin) == cudaSuccess && cudaEventCreate(&timer.end) == cudaSuccess, "an event");
    printf("layer, result, m x n x k; microseconds and TFLOP/s\n");
    for (const int64_t *s : sizes) {
        const struct layer layers[] = {{"qkv", s[0], 3 * s[0], s[0], 0},  {"proj", s[0], s[0], s[0], 1},
                                       {"fc1", s[0], 4 * s[0], s[0], 1},  {"fc2", 4 * s[0], s[0], 4 * s[0], 1},
                                       {"skip", s[0], s[0], 2 * s[0], 1}, {"last", s[0], 48, s[0], 1}};

        printf("D = %lld, %lld rows\n", (long long)s[0], (long long)s[1]);
        for (const struct layer &l : layers)
            time_layer(&d, &l, s[1]);
    }
    mdm_cuda_blas_close(&d);
    return 0;
}
