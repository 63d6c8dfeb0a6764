/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The CUDA backend: a module that the library opens at run time (backend/registry.h). It links nothing of the library
 * and calls nothing of it but what struct mdm_device_host hands over.
 *
 * The operation `norm` is backend/cuda/norm.cu as it is backend/cpu/norm.c: kernels, and the forward and backward
 * that launch them, templates over the program's type (float or bf16), and at the end of the file one function that
 * puts them into the table. Sums are float or better.
 *
 * Everything goes through one stream, in order. Results do not depend on how blocks are scheduled: nothing is summed
 * by atomic operations; sums over rows go through parts that are cut by shape and met in index order.
 */
#ifndef MASKDM_BACKEND_CUDA_CUDA_CUH
#define MASKDM_BACKEND_CUDA_CUDA_CUH

#include "backend/registry.h"

#include <cuda_bf16.h>
#include <cuda_runtime.h>

typedef __nv_bfloat16 mdm_bf16;

struct mdm_cuda_context; /* current.cuh */
struct mdm_cuda_memory;  /* memory.cuh */
struct mdm_cuda_blas;    /* product.cuh */

struct mdm_cuda {
    struct mdm_backend base; /* first: the backend pointer is the cuda pointer */
    const struct mdm_device_host *host;
    int unit;               /* CUDA's number of the device */
    int processors;         /* multiprocessors */
    size_t most_shared;     /* bytes of shared memory that a block may have */
    enum mdm_dtype compute; /* of programs */
    int tf32;               /* products of float may be of 10 bits of mantissa */
    cudaStream_t stream;
    struct mdm_cuda_context *context;
    struct mdm_cuda_memory *memory;
    struct mdm_cuda_blas *blas;
    struct mdm_kernel kernel[2][MDM_OP_COUNT]; /* of float, of bf16 */
    char text[256];
};

static inline struct mdm_cuda *mdm_cuda_of(struct mdm_backend *b)
{
    return (struct mdm_cuda *)b;
}

/* Record `what` and CUDA's reason: MASKDM_EDEVICE; MASKDM_OK where there is none to record. */
int mdm_cuda_check(struct mdm_cuda *d, cudaError_t e, const char *what);

#define MDM_CUDA_TRY(expr)                                                                                           \
    do {                                                                                                             \
        int try_status_ = (expr);                                                                                    \
        if (try_status_ < 0)                                                                                         \
            return try_status_;                                                                                      \
    } while (0)

/* ---- memory.cu, transfer.cu: what jobs need beside the buffers of alloc() ---- */

/* Device memory that a job may use until it returns to the host; the next job has the same. Not for kernels of
 * programs, whose scratch is the call's. Two of them do not overlap where `slot` differs. */
enum { MDM_CUDA_SLOTS = 4 };
int mdm_cuda_scratch(struct mdm_cuda *d, int slot, size_t bytes, void **out);
/* A few numbers of the host in device memory, in the same slot. `host` may be reused on return. */
int mdm_cuda_give(struct mdm_cuda *d, int slot, const void *host, size_t bytes, void **out);
/* And back, with all that went before; waits. */
int mdm_cuda_fetch(struct mdm_cuda *d, void *host, const void *device, size_t bytes);
/* Without waiting: for collect(), until the next of these. */
int mdm_cuda_later(struct mdm_cuda *d, const void *device, size_t bytes);

/* ---- shapes (tensor/tensor.h is not linked) ---- */

static inline int64_t mdm_cuda_numel(const struct mdm_shape *s)
{
    int64_t n = 1;

    for (int i = 0; s && i < s->n; i++)
        n *= s->d[i];
    return n;
}

static inline int64_t mdm_cuda_last(const struct mdm_shape *s)
{
    return s->n ? s->d[s->n - 1] : 1;
}

static inline int64_t mdm_cuda_rows(const struct mdm_shape *s)
{
    return mdm_cuda_numel(s) / mdm_cuda_last(s);
}

/* Parts of one scratch begin at multiples of so many bytes. */
static inline size_t mdm_cuda_align(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static inline int64_t mdm_cuda_pieces(int64_t n, int64_t step)
{
    return (n + step - 1) / step;
}

/* ---- launching: never <<<>>>, so that the tests can run kernels without a GPU ---- */

/* Kernel arguments are converted to the kernel's own parameter types. `shared`: bytes of MDM_CUDA_SHARED. */
template <class... P, class... A>
static int mdm_cuda_launch(struct mdm_cuda *d, const char *what, void (*kernel)(P...), dim3 grid, dim3 block,
                           size_t shared, A... argument)
{
    cudaLaunchConfig_t config = {};

    if (grid.x == 0 || grid.y == 0 || grid.z == 0)
        return MASKDM_OK;
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared;
    config.stream = d->stream;
    return mdm_cuda_check(d, cudaLaunchKernelEx(&config, kernel, static_cast<P>(argument)...), what);
}

/* More than 48 KiB of `shared` has to be asked for first, once per kernel and device. Where a block cannot have as
 * much it gets what there is, and who launches looks at d->most_shared. */
template <class... P>
static int mdm_cuda_allow_shared(struct mdm_cuda *d, const char *what, void (*kernel)(P...), size_t shared)
{
    const int bytes = (int)(shared < d->most_shared ? shared : d->most_shared);

    return mdm_cuda_check(
        d, cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes), what);
}

/* A grid for n items that are taken in strides of the whole grid: enough blocks to fill the device, no more than are
 * needed. */
static inline dim3 mdm_cuda_grid(const struct mdm_cuda *d, int64_t n, int block)
{
    int64_t blocks = mdm_cuda_pieces(n, block), most = (int64_t)d->processors * (2048 / block) * 2;

    return dim3((unsigned)(blocks < most ? blocks : most));
}

#endif
