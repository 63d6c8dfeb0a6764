/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mlp_product on a GPU: against sums in double, at sizes that are odd and one that is large, with and without what
 * may be left out; then bits, of a second run, of fewer rows and of a graph.
 *
 *     nvcc -std=c++17 -O3 -gencode=arch=compute_90a,code=sm_90a -DMDM_CUDA_GROUPS -I src -I include \
 *         tests/cuda/mlp_product.cu src/backend/cuda/mlp_product*.cu src/backend/cuda/product*.cu \
 *         src/backend/cuda/sums.cu src/backend/cuda/attention_group.cu -lcublasLt
 */
#include "mlp_product.cuh"

static int failures, checks;

/* ---- what must come out ---- */

static __device__ float number(const void *p, int64_t i)
{
    return __bfloat162float(((const mdm_bf16 *)p)[i]);
}

static __device__ unsigned bits(const void *p, int64_t i)
{
    return ((const unsigned short *)p)[i];
}

/* Counts what is further off than roundings make it: sums in float, one rounding, two backward; all of y has the bits
 * that the values in between have; what is no element is as it was. Of
 * many rows it looks at every so many, and at the last ones. */
static __global__ void examine(struct mdm_mlp_product p, int64_t every, unsigned *wrong)
{
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, i = at / p.ldc, j = at % p.ldc;
    const float pre = p.pre ? number(p.pre, at) : 0;
    double sum = 0, size = 0, off;

    if (i > p.m || (i % every != 0 && i + 300 < p.m))
        return;
    if (i == p.m || j >= p.n) {
        if (bits(p.y, at) != 0xffff || (!p.backward && bits(p.pre, at) != 0xffff))
            atomicAdd(wrong, 1);
        return;
    }
    for (int64_t l = 0; l < p.k; l++) {
        const double x =
            (double)number(p.a, i * p.lda + l) * (double)number(p.b, p.backward ? l * p.ldb + j : j * p.ldb + l);

        sum += x;
        size += fabs(x);
    }
    if (p.backward) {
        const double slope = gelu::slope(pre);

        off = fabs(number(p.y, at) - sum * slope) - fabs(sum * slope) * 0x1.02p-7 - 1e-6 * size * fabs(slope);
    } else {
        sum += p.bias ? (double)number(p.bias, j) : 0;
        off = fabs(pre - sum) - fabs(sum) * 0x1.02p-8 - 1e-6 * (size + 1);
        if (__float2bfloat16_rn(gelu::value(pre)) != ((const mdm_bf16 *)p.y)[at])
            off = 1;
    }
    if (!(off <= 1e-30))
        atomicAdd(wrong, 1);
}

/* The sums of two runs: 2 * that of one's y. */
static __global__ void examine_sums(struct mdm_mlp_product p, unsigned *wrong)
{
    const int64_t j = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    double sum = 0, size = 0;

    if (j >= p.n)
        return;
    for (int64_t i = 0; i < p.m; i++) {
        sum += (double)number(p.y, i * p.ldc + j);
        size += fabs((double)number(p.y, i * p.ldc + j));
    }
    if (!(fabs(p.sums[j] - 2 * sum) <= 4e-6 * size + 1e-30))
        atomicAdd(wrong, 1);
}

static void tell(struct mdm_cuda *d, const struct room *r, const char *what)
{
    unsigned wrong = 0;

    finish(d, what);
    must(cudaMemcpy(&wrong, r->wrong, sizeof wrong, cudaMemcpyDeviceToHost) == cudaSuccess &&
             cudaMemset(r->wrong, 0, sizeof wrong) == cudaSuccess && cudaDeviceSynchronize() == cudaSuccess,
         what);
    checks++;
    failures += wrong != 0;
    if (wrong)
        printf("%s %lld x %lld x %lld, pad %lld: %s: %u wrong\n", r->f.backward ? "backward" : "forward",
               (long long)r->f.m, (long long)r->f.n, (long long)r->f.k, (long long)r->f.pad, what, wrong);
}

static void run(struct mdm_cuda *d, const struct mdm_mlp_product *p, const char *what)
{
    must(mdm_mlp_product_takes(d, p) == 1, "to be taken");
    must(mdm_mlp_product(d, p) == MASKDM_OK, what);
    finish(d, what);
}

static void expect_same(struct mdm_cuda *d, const struct room *r, const void *a, const void *b, int64_t n,
                        const char *what)
{
    must(mdm_cuda_launch(d, "bits", differ, dim3(1024), BLOCK, 0, (const unsigned short *)a,
                         (const unsigned short *)b, n, r->wrong) == 0,
         "bits");
    tell(d, r, what);
}

/* Again, of all rows and of half of them, without what may be left out, and from a graph. */
static void check_bits(struct mdm_cuda *d, const struct room *r)
{
    struct mdm_mlp_product p = r->p;
    cudaGraph_t graph;
    cudaGraphExec_t exec;

    p.y = r->other[0];
    if (!p.backward)
        p.pre = r->other[1];
    if (p.backward)
        p.sums = r->again;
    run(d, &p, "a second run");
    expect_same(d, r, p.y, r->p.y, (int64_t)r->bytes / 2, "a second run's y");
    if (!p.backward)
        expect_same(d, r, p.pre, r->p.pre, (int64_t)r->bytes / 2, "a second run's pre");
    run(d, &p, "a third run");
    if (p.backward)
        expect_same(d, r, p.sums, r->sums, 2 * p.n, "a second run's sums");
    p.m = (p.m + 1) / 2;
    p.sums = NULL;
    if (!p.backward)
        p.pre = NULL;
    must(cudaMemset(p.y, POISON, r->bytes) == cudaSuccess && cudaDeviceSynchronize() == cudaSuccess, "memory");
    run(d, &p, "fewer rows");
    expect_same(d, r, p.y, r->p.y, (p.m - 1) * p.ldc + p.n, "the bits of fewer rows");
    must(cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess, "a graph");
    p.m = r->p.m;
    must(mdm_mlp_product(d, &p) == MASKDM_OK, "a product in a graph");
    must(cudaStreamEndCapture(d->stream, &graph) == cudaSuccess &&
             cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess && cudaGraphLaunch(exec, d->stream) == cudaSuccess,
         "a graph");
    finish(d, "a graph");
    expect_same(d, r, p.y, r->p.y, (int64_t)r->bytes / 2, "a graph");
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);
}

static void check(struct mdm_cuda *d, const struct form *f)
{
    struct room r = make_room(d, f);

    printf("checking %s %lld x %lld x %lld\n", f->backward ? "backward" : "forward", (long long)f->m, (long long)f->n,
           (long long)f->k);
    fflush(stdout);
    run(d, &r.p, "a product");
    must(mdm_cuda_launch(d, "examine", examine, dim3((unsigned)mdm_cuda_pieces((f->m + 1) * r.p.ldc, BLOCK)), BLOCK,
                         0, r.p, f->m > 4096 ? 16 : 1, r.wrong) == 0,
         "examine");
    tell(d, &r, "elements");
    run(d, &r.p, "a product");
    if (f->backward) {
        must(mdm_cuda_launch(d, "examine", examine_sums, dim3((unsigned)mdm_cuda_pieces(f->n, BLOCK)), BLOCK, 0, r.p,
                             r.wrong) == 0,
             "examine");
        tell(d, &r, "sums");
    }
    check_bits(d, &r);
    free_room(&r);
}

int main(void)
{
    static const int64_t rows[] = {1, 127, 129, 300, 1000}, columns[] = {64, 192, 2048}, depths[] = {64, 512};
    struct mdm_cuda d;

    open_all(&d);
    for (int64_t m : rows)
        for (int64_t n : columns)
            for (int64_t k : depths)
                for (int backward = 0; backward < 2; backward++) {
                    const struct form f = {backward, m, n, k, m % 2 ? 8 : 0};

                    check(&d, &f);
                }
    for (int backward = 0; backward < 2; backward++) {
        const struct form f = {backward, 65552, 3072, 768, 0};

        check(&d, &f);
    }
    printf("%d of %d checks failed\n", failures, checks);
    fflush(stdout);
    mdm_cuda_blas_close(&d);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
