/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What mlp_product is given by the program that looks at it alone, and how it waits: a kernel that never ends is
 * noticed after five seconds, and the program ends with status 3.
 */
#ifndef MASKDM_TESTS_CUDA_MLP_PRODUCT_CUH
#define MASKDM_TESTS_CUDA_MLP_PRODUCT_CUH

#include "products.cuh"

#include "backend/cuda/curve.cuh"
#include "backend/cuda/mlp_product.cuh"

#include <time.h>
#include <unistd.h>

typedef mdm_gelu<mdm_bf16> gelu;

enum { BLOCK = 256, LIMIT = 5, POISON = 0xff };

/* ---- waiting, with a limit ---- */

static void finish(struct mdm_cuda *d, const char *what)
{
    struct timespec begin, now;
    cudaError_t e;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    while ((e = cudaStreamQuery(d->stream)) == cudaErrorNotReady) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - begin.tv_sec > LIMIT) {
            printf("%s does not end\n", what);
            fflush(stdout);
            _exit(3);
        }
    }
    if (e == cudaSuccess)
        return;
    printf("%s: %s\n", what, cudaGetErrorString(e));
    fflush(stdout);
    _exit(4);
}

/* ---- what products are made of ---- */

static __global__ void make_up(mdm_bf16 *x, int64_t n, float size, unsigned seed)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        unsigned h = (unsigned)i * 2654435761u + seed;

        h = (h ^ h >> 15) * 2246822519u;
        h = (h ^ h >> 13) * 3266489917u;
        x[i] = __float2bfloat16_rn(size * ((float)((h ^ h >> 16) >> 8) * 0x1p-23f - 1));
    }
}

struct form {
    int backward;
    int64_t m, n, k, pad;
};

/* One row more than there are, which must stay as it is. */
struct room {
    struct form f;
    struct mdm_mlp_product p;
    size_t bytes;   /* of pre and of y */
    void *other[2]; /* of the same size */
    float *sums, *again;
    unsigned *wrong;
};

static void *take(size_t bytes, int byte)
{
    void *p;

    must(cudaMalloc(&p, bytes) == cudaSuccess && cudaMemset(p, byte, bytes) == cudaSuccess, "memory");
    return p;
}

static void *numbers(struct mdm_cuda *d, int64_t n, float size, unsigned seed)
{
    void *p = take((size_t)n * 2, 0);

    must(mdm_cuda_launch(d, "numbers", make_up, dim3(1024), BLOCK, 0, (mdm_bf16 *)p, n, size, seed) == 0, "numbers");
    return p;
}

static struct room make_room(struct mdm_cuda *d, const struct form *f)
{
    const int64_t ldb = (f->backward ? f->n : f->k) + f->pad;
    struct room r = {};
    struct mdm_mlp_product *p = &r.p;

    r.f = *f;
    r.bytes = (size_t)((f->m + 1) * (f->n + f->pad)) * 2;
    p->backward = f->backward;
    p->m = f->m;
    p->n = f->n;
    p->k = f->k;
    p->lda = f->k + f->pad;
    p->ldb = ldb;
    p->ldc = f->n + f->pad;
    must(cudaDeviceSynchronize() == cudaSuccess, "memory");
    p->a = numbers(d, f->m * p->lda, 1, 1);
    p->b = numbers(d, (f->backward ? f->k : f->n) * ldb, 0.1f, 2);
    p->bias = f->backward ? NULL : numbers(d, f->n, 1, 3);
    p->pre = f->backward ? numbers(d, (f->m + 1) * p->ldc, 4, 4) : take(r.bytes, POISON);
    p->y = take(r.bytes, POISON);
    r.other[0] = take(r.bytes, POISON);
    r.other[1] = take(r.bytes, POISON);
    r.sums = (float *)take((size_t)f->n * 4, 0);
    r.again = (float *)take((size_t)f->n * 4, 0);
    r.wrong = (unsigned *)take(sizeof *r.wrong, 0);
    if (f->backward) {
        p->sums = r.sums;
        p->add_sums = 1;
        p->parts = take(mdm_mlp_product_scratch(f->m, f->n), POISON);
    }
    must(cudaDeviceSynchronize() == cudaSuccess, "memory");
    return r;
}

static void free_room(struct room *r)
{
    void *all[] = {(void *)r->p.a, (void *)r->p.b, (void *)r->p.bias, r->p.pre, r->p.y,  r->p.parts,
                   r->other[0],    r->other[1],    r->sums,           r->again, r->wrong};

    for (void *p : all)
        cudaFree(p);
}

/* Counts. */
static __global__ void differ(const unsigned short *a, const unsigned short *b, int64_t n, unsigned *wrong)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        if (a[i] != b[i])
            atomicAdd(wrong, 1);
}

static void open_all(struct mdm_cuda *d)
{
    int most = 0;

    want_device();
    open_device(d);
    cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
    d->most_shared = (size_t)most;
    must(mdm_mlp_product_allow(d) == MASKDM_OK, "mdm_mlp_product_allow");
}

#endif
