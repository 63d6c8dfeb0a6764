/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module around the kernels that there are, until the real one's opening is.
 */
#include "emulator.h"

#include "backend/cuda/product.cuh"
#include "backend/cuda/table.cuh"

#include <new>

#define KERNELS(F)                                                                                                   \
    F(activation)                                                                                                    \
    F(add)                                                                                                           \
    F(attention) F(cast) F(concat) F(context) F(conv) F(cut) F(embed) F(fill) F(group_norm) F(linear) F(lowrank)     \
        F(modulate) F(norm) F(patchify) F(pool) F(resample) F(rms_modulate) F(rotate) F(route) F(swiglu) F(timestep) \
            F(tokens) F(transpose)
#define DECLARE(name) __attribute__((weak)) int mdm_cuda_add_##name(struct mdm_cuda *d);
KERNELS(DECLARE)
#define WEAK __attribute__((weak))
WEAK decltype(mdm_cuda_normal) mdm_cuda_normal;
WEAK decltype(mdm_cuda_noising) mdm_cuda_noising;
WEAK decltype(mdm_cuda_mix) mdm_cuda_mix;
WEAK decltype(mdm_cuda_solve) mdm_cuda_solve;
WEAK decltype(mdm_cuda_quantile) mdm_cuda_quantile;
WEAK decltype(mdm_cuda_loss) mdm_cuda_loss;
WEAK decltype(mdm_cuda_sum_squares) mdm_cuda_sum_squares;
WEAK decltype(mdm_cuda_adamw) mdm_cuda_adamw;
WEAK decltype(mdm_cuda_ema) mdm_cuda_ema;
WEAK decltype(mdm_cuda_muon) mdm_cuda_muon;
WEAK decltype(mdm_cuda_muon_scratch) mdm_cuda_muon_scratch;
WEAK decltype(mdm_cuda_unpatchify) mdm_cuda_unpatchify;
WEAK decltype(mdm_cuda_narrow) mdm_cuda_narrow;

int mdm_cuda_check(struct mdm_cuda *d, cudaError_t e, const char *what)
{
    return e == cudaSuccess ? MASKDM_OK : d->host->record(MASKDM_EDEVICE, "%s: %s", what, cudaGetErrorString(e));
}

static cudaStream_t stream_of(struct mdm_backend *b)
{
    return mdm_cuda_of(b)->stream;
}

static int take(struct mdm_backend *b, void **out, size_t bytes, const char *what)
{
    return mdm_cuda_check(mdm_cuda_of(b), cudaMalloc(out, bytes), what);
}

static void give(struct mdm_backend *, void *memory)
{
    cudaFree(memory);
}

static int upload(struct mdm_backend *b, void *device, const void *host, size_t bytes)
{
    return mdm_cuda_check(mdm_cuda_of(b), cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_of(b)),
                          "upload");
}

static int download(struct mdm_backend *b, void *host, const void *device, size_t bytes)
{
    return mdm_cuda_check(mdm_cuda_of(b), cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_of(b)),
                          "download");
}

static int fill(struct mdm_backend *b, void *device, int byte, size_t bytes)
{
    return mdm_cuda_check(mdm_cuda_of(b), cudaMemsetAsync(device, byte, bytes, stream_of(b)), "fill");
}

static int wait_for_all(struct mdm_backend *b)
{
    return mdm_cuda_check(mdm_cuda_of(b), cudaStreamSynchronize(stream_of(b)), "wait");
}

enum { SLOT = 1 << 24 };
static void *slot[MDM_CUDA_SLOTS];

int mdm_cuda_scratch(struct mdm_cuda *d, int i, size_t bytes, void **out)
{
    if (slot[i])
        cudaFree(slot[i]);
    slot[i] = nullptr;
    const int status = mdm_cuda_check(d, cudaMalloc(&slot[i], bytes), "scratch");
    *out = slot[i];
    return status;
}

int mdm_cuda_give(struct mdm_cuda *d, int i, const void *host, size_t bytes, void **out)
{
    MDM_CUDA_TRY(mdm_cuda_scratch(d, i, bytes, out));
    return upload(&d->base, *out, host, bytes);
}

int mdm_cuda_fetch(struct mdm_cuda *d, void *host, const void *device, size_t bytes)
{
    return download(&d->base, host, device, bytes);
}

static const struct mdm_kernel *find_kernel(struct mdm_backend *b, enum mdm_op_id op, enum mdm_dtype type)
{
    struct mdm_kernel *k = &mdm_cuda_of(b)->kernel[type == MDM_BF16][op];

    return k->forward ? k : nullptr;
}

static void close_it(struct mdm_backend *b)
{
    struct mdm_cuda *d = mdm_cuda_of(b);

    cudaStreamDestroy(d->stream);
    delete d;
}

static const char *describe(struct mdm_backend *)
{
    return "cuda: emulated";
}

static struct mdm_backend_vtbl vtbl;

static int open_it(struct mdm_backend **out, const struct mdm_device_host *host, const struct mdm_device_settings *)
{
    struct mdm_cuda *d = new mdm_cuda();

    d->base.v = &vtbl;
    d->host = host;
    d->processors = MDM_EMULATED_PROCESSORS;
    d->most_shared = MDM_EMULATED_SHARED;
    cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking);
#define CALL(name)                                                                                                   \
    if (mdm_cuda_add_##name)                                                                                         \
        MDM_CUDA_TRY(mdm_cuda_add_##name(d));
    KERNELS(CALL)
    *out = &d->base;
    return MASKDM_OK;
}

extern "C" __attribute__((visibility("default"))) const struct mdm_device_module *mdm_device_module(void)
{
    static struct mdm_device_module m;

    vtbl.version = MDM_BACKEND_VERSION;
    vtbl.size = sizeof vtbl;
    vtbl.name = "cuda";
    vtbl.describe = describe;
    vtbl.alloc = take;
    vtbl.release = give;
    vtbl.upload = upload;
    vtbl.download = download;
    vtbl.fill = fill;
    vtbl.wait = wait_for_all;
    vtbl.kernel = find_kernel;
    vtbl.close = close_it;
    vtbl.normal = mdm_cuda_normal;
    vtbl.noising = mdm_cuda_noising;
    vtbl.mix = mdm_cuda_mix;
    vtbl.solve = mdm_cuda_solve;
    vtbl.quantile = mdm_cuda_quantile;
    vtbl.loss = mdm_cuda_loss;
    vtbl.sum_squares = mdm_cuda_sum_squares;
    vtbl.adamw = mdm_cuda_adamw;
    vtbl.ema = mdm_cuda_ema;
    vtbl.muon = mdm_cuda_muon;
    vtbl.muon_scratch = mdm_cuda_muon_scratch;
    vtbl.unpatchify = mdm_cuda_unpatchify;
    vtbl.narrow = mdm_cuda_narrow;
    m.name = "cuda";
    m.v = &vtbl;
    m.open = open_it;
    return &m;
}
