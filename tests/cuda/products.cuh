/* SPDX-License-Identifier: BSD-2-Clause
 *
 * As much of a device as products need, for the programs that look at them alone.
 */
#ifndef MASKDM_TESTS_CUDA_PRODUCTS_CUH
#define MASKDM_TESTS_CUDA_PRODUCTS_CUH

#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product_plan.cuh"
#include "backend/cuda/table.cuh"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mdm_cuda_check(struct mdm_cuda *, cudaError_t e, const char *what)
{
    if (e == cudaSuccess)
        return MASKDM_OK;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(e));
    return MASKDM_EDEVICE;
}

int mdm_cuda_alloc(struct mdm_backend *, void **out, size_t bytes, const char *what)
{
    return mdm_cuda_check(NULL, cudaMalloc(out, bytes), what);
}

void mdm_cuda_release(struct mdm_backend *, void *memory)
{
    cudaFree(memory);
}

static void *need(size_t count, size_t size, const char *)
{
    return calloc(count, size);
}

static int record(int code, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return code;
}

/* What must be fine for anything to follow. */
static void must(int fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(EXIT_FAILURE);
}

static void open_device(struct mdm_cuda *d)
{
    static struct mdm_device_host host;
    struct cudaDeviceProp about;

    *d = {};
    host.need = need;
    host.free = free;
    host.record = record;
    d->host = &host;
    must(cudaGetDeviceProperties(&about, 0) == cudaSuccess, "cudaGetDeviceProperties");
    printf("%s, cuBLASLt %zu\n", about.name, cublasLtGetVersion());
    d->processors = about.multiProcessorCount;
    must(cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking) == cudaSuccess, "cudaStreamCreate");
    must(mdm_cuda_blas_open(d) == MASKDM_OK, "mdm_cuda_blas_open");
}

/* Without a GPU a test is skipped, and says so. */
static void want_device(void)
{
    int n = 0;

    if (cudaGetDeviceCount(&n) == cudaSuccess && n > 0)
        return;
    printf("no GPU: skipped\n");
    exit(77);
}

#endif
