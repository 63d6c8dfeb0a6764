/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How fast mlp_product is at the sizes that training has, beside cuBLASLt's product and a kernel of GELU. The bits of
 * the two differ where sums over k in another order are rounded to another value: a few in a thousand.
 *
 * Compiled as mlp_product.cu is.
 */
#include "mlp_product.cuh"

#include "backend/cuda/each.cuh"

enum { RUNS = 5 };

static cudaEvent_t begin, end;

/* Microseconds of one run of what `start` starts, the least of three times. */
template <class F> static double time_of(struct mdm_cuda *d, F start)
{
    float least = 0, ms = 0;

    for (int i = 0; i < 4; i++) {
        cudaEventRecord(begin, d->stream);
        for (int k = 0; k < RUNS; k++)
            must(start() == 0, "what is timed");
        cudaEventRecord(end, d->stream);
        finish(d, "what is timed");
        cudaEventElapsedTime(&ms, begin, end);
        least = i < 2 || ms < least ? ms : least; /* the first time is for nothing */
    }
    return 1e3 * least / RUNS;
}

struct bent {
    static __device__ __forceinline__ float f(const float *in)
    {
        return gelu::value(in[0]);
    }
};
struct unbent {
    static __device__ __forceinline__ float f(const float *in)
    {
        return in[1] * gelu::slope(in[0]);
    }
};

/* The same by cuBLASLt and a kernel: pre or dy w to other[0], the rest to other[1]. */
static int by_two(struct mdm_cuda *d, const struct room *r)
{
    const mdm_bf16 *const first = (const mdm_bf16 *)r->other[0];
    struct mdm_cuda_product p = {};

    p.m = r->p.m;
    p.n = r->p.n;
    p.k = r->p.k;
    p.turn_b = !r->p.backward;
    p.in = p.out = MDM_BF16;
    p.a = r->p.a;
    p.lda = r->p.lda;
    p.b = r->p.b;
    p.ldb = r->p.ldb;
    p.bias = r->p.bias;
    p.c = r->other[0];
    p.ldc = r->p.ldc;
    MDM_CUDA_TRY(mdm_cuda_product(d, &p));
    if (r->p.backward)
        return mdm_each<mdm_bf16, unbent, 2>(d, "gelu", (mdm_bf16 *)r->other[1],
                                             {{(const mdm_bf16 *)r->p.pre, first}}, p.m * p.n);
    return mdm_each<mdm_bf16, bent, 1>(d, "gelu", (mdm_bf16 *)r->other[1], {{first}}, p.m * p.n);
}

static int sum_after(struct mdm_cuda *d, const struct room *r, float *parts)
{
    struct mdm_cuda_sums s = {};

    s.images = 1;
    s.rows = r->p.m;
    s.columns = r->p.n;
    s.type = MDM_BF16;
    s.x = r->other[1];
    s.all = r->again;
    s.add_all = 1;
    s.parts = parts;
    return mdm_cuda_sums(d, &s);
}

static void measure(struct mdm_cuda *d, const struct form *f)
{
    const double work = 2e-6 * (double)f->m * (double)f->n * (double)f->k;
    struct room r = make_room(d, f);
    float *const parts = (float *)take(mdm_cuda_sums_scratch(1, f->m, f->n), 0);
    struct mdm_mlp_product less = r.p;
    unsigned wrong = 0;
    double us, part, two, sums = 0;

    less.sums = NULL;
    less.pre = f->backward ? less.pre : NULL;
    us = time_of(d, [&] { return mdm_mlp_product(d, &r.p); });
    part = time_of(d, [&] { return mdm_mlp_product(d, &less); });
    two = time_of(d, [&] { return by_two(d, &r); });
    if (f->backward)
        sums = time_of(d, [&] { return sum_after(d, &r, parts); });
    must(mdm_cuda_launch(d, "bits", differ, dim3(1024), BLOCK, 0, (const unsigned short *)r.p.y,
                         (const unsigned short *)r.other[1], f->m * f->n, r.wrong) == 0,
         "bits");
    finish(d, "bits");
    cudaMemcpy(&wrong, r.wrong, sizeof wrong, cudaMemcpyDeviceToHost);
    printf("%s %6lld x %4lld x %4lld %7.1f us %4.0f TFLOP/s | without %s %7.1f us %4.0f | cuBLASLt and GELU %7.1f us",
           f->backward ? "backward" : "forward ", (long long)f->m, (long long)f->n, (long long)f->k, us, work / us,
           f->backward ? "sums" : "pre ", part, work / part, two);
    if (f->backward)
        printf(", sums %5.1f us", sums);
    printf("; %.4f %% have other bits\n", 100.0 * wrong / (double)(f->m * f->n));
    fflush(stdout);
    cudaFree(parts);
    free_room(&r);
}

int main(void)
{
    static const int64_t large[] = {65792, 13824, 65552, 52608};
    struct mdm_cuda d;

    open_all(&d);
    must(cudaEventCreate(&begin) == cudaSuccess && cudaEventCreate(&end) == cudaSuccess, "an event");
    for (int64_t m : large)
        for (int form = 0; form < 4; form++) {
            const struct form f = {form % 2, m, form / 2 ? 3072 : 2048, form / 2 ? 768 : 512, 0};

            measure(&d, &f);
        }
    mdm_cuda_blas_close(&d);
    return 0;
}
