/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a GPU.
 */
#include "backend/cuda/memory.cuh"
#include "backend/cuda/product.cuh"
#include "backend/cuda/table.cuh"

#include <stdio.h>
#include <string.h>

/* Compute capability, of which the machine code in this module is the oldest. */
enum { LEAST_MAJOR = 8 };

extern "C" __attribute__((visibility("default"))) const struct mdm_device_module *mdm_device_module(void);

/* A failed kernel shows at some later call, and at every one from then on. */
static int is_lasting(cudaError_t e)
{
    return e == cudaErrorIllegalAddress || e == cudaErrorLaunchFailure || e == cudaErrorMisalignedAddress ||
           e == cudaErrorIllegalInstruction || e == cudaErrorInvalidPc || e == cudaErrorHardwareStackError ||
           e == cudaErrorLaunchTimeout || e == cudaErrorECCUncorrectable || e == cudaErrorAssert;
}

int mdm_cuda_check(struct mdm_cuda *d, cudaError_t e, const char *what)
{
    if (e == cudaSuccess)
        return MASKDM_OK;
    (void)cudaGetLastError();
    return d->host->record(e == cudaErrorMemoryAllocation ? MASKDM_ENOMEM : MASKDM_EDEVICE, "cuda:%d: %s: %s%s",
                           d->unit, what, cudaGetErrorString(e),
                           is_lasting(e) ? " (there, or in work queued before it); the device is of no use any more"
                                         : "");
}

/* ---- the table ---- */

static const char *describe(struct mdm_backend *b)
{
    return mdm_cuda_of(b)->text;
}

static const struct mdm_kernel *find_kernel(struct mdm_backend *b, enum mdm_op_id op, enum mdm_dtype dtype)
{
    const struct mdm_kernel *k = &mdm_cuda_of(b)->kernel[dtype == MDM_BF16][op];

    return (dtype == MDM_F32 || dtype == MDM_BF16) && k->forward ? k : NULL;
}

static enum mdm_dtype compute(const struct mdm_backend *b)
{
    return ((const struct mdm_cuda *)b)->compute;
}

static void close_parts(struct mdm_cuda *d)
{
    mdm_cuda_here here(d);

    if (d->stream)
        (void)cudaStreamSynchronize(d->stream);
    if (d->blas)
        mdm_cuda_blas_close(d);
    if (d->memory)
        mdm_cuda_memory_close(d);
    if (d->stream)
        (void)cudaStreamDestroy(d->stream);
    (void)cudaGetLastError();
}

static void close_cuda(struct mdm_backend *b)
{
    struct mdm_cuda *d = mdm_cuda_of(b);

    if (!d->memory || mdm_cuda_is_here(d)) {
        close_parts(d);
        mdm_cuda_context_close(d);
    } else {
        d->host->free(d->memory);
        d->host->free(d->context);
    }
    d->host->free(d);
}

static constexpr struct mdm_backend_vtbl make_table(void)
{
    struct mdm_backend_vtbl v = {};

    v.version = MDM_BACKEND_VERSION;
    v.size = sizeof v;
    v.name = "cuda";
    v.describe = describe;
    v.alloc = mdm_cuda_alloc;
    v.release = mdm_cuda_release;
    v.upload = mdm_cuda_upload;
    v.download = mdm_cuda_download;
    v.copy = mdm_cuda_copy;
    v.fill = mdm_cuda_fill;
    v.wait = mdm_cuda_wait;
    v.normal = mdm_cuda_normal;
    v.noising = mdm_cuda_noising;
    v.mix = mdm_cuda_mix;
    v.solve = mdm_cuda_solve;
    v.quantile = mdm_cuda_quantile;
    v.loss = mdm_cuda_loss;
    v.sum_squares = mdm_cuda_sum_squares;
    v.adamw = mdm_cuda_adamw;
    v.ema = mdm_cuda_ema;
    v.unpatchify = mdm_cuda_unpatchify;
    v.kernel = find_kernel;
    v.enter = mdm_cuda_enter;
    v.leave = mdm_cuda_leave;
    v.close = close_cuda;
    v.muon = mdm_cuda_muon;
    v.muon_scratch = mdm_cuda_muon_scratch;
    v.compute = compute;
    v.narrow = mdm_cuda_narrow;
    v.record = mdm_cuda_record;
    v.recorded = mdm_cuda_recorded;
    v.play = mdm_cuda_play;
    v.forget = mdm_cuda_forget;
    v.asynchronous = 1;
    v.keeps = 1;
    v.collect = mdm_cuda_collect;
    return v;
}

static constexpr struct mdm_backend_vtbl table = make_table();

/* ---- opening ---- */

/* CUDA tells no driver from one that is too old. */
static int fail_driver(const struct mdm_device_host *host, cudaError_t e)
{
    int driver = 0, runtime = 0;

    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    (void)cudaGetLastError();
    if (e == cudaErrorNoDevice)
        return host->record(MASKDM_ENOTFOUND, "the CUDA driver finds no GPU");
    if (driver == 0)
        return host->record(MASKDM_ENOTSUP, "this machine has no CUDA driver");
    if (e == cudaErrorInsufficientDriver)
        return host->record(MASKDM_ENOTSUP, "the CUDA driver is of version %d.%d, the module needs %d.%d",
                            driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    return host->record(MASKDM_EDEVICE, "CUDA cannot be started: %s", cudaGetErrorString(e));
}

static int read_unit(int *out, const struct mdm_device_host *host, const char *unit)
{
    const size_t digits = strspn(unit, "0123456789");
    int there = 0;
    cudaError_t e;

    *out = 0;
    if (unit[digits] || digits > 4)
        return host->record(MASKDM_ENOTFOUND, "there is no device \"cuda:%s\": a number stands behind the colon",
                            unit);
    for (size_t i = 0; i < digits; i++)
        *out = *out * 10 + unit[i] - '0';
    e = cudaGetDeviceCount(&there);
    if (e != cudaSuccess)
        return fail_driver(host, e);
    if (*out >= there)
        return host->record(MASKDM_ENOTFOUND, "there is no device \"cuda:%d\": CUDA has %d, from 0 on", *out, there);
    return MASKDM_OK;
}

static int read_properties(struct mdm_cuda *d, enum mdm_device_compute chosen)
{
    static const char *const said[] = {"", "float32", "TF32 (float32 sums)", "bfloat16 (float32 sums)"};
    cudaDeviceProp p = {};

    MDM_CUDA_TRY(mdm_cuda_check(d, cudaGetDeviceProperties(&p, d->unit), "asking what the device is"));
    if (p.major < LEAST_MAJOR)
        return d->host->record(MASKDM_ENOTSUP, "cuda:%d is a %s of compute capability %d.%d, the module needs %d.0",
                               d->unit, p.name, p.major, p.minor, (int)LEAST_MAJOR);
    d->processors = p.multiProcessorCount;
    d->most_shared = p.sharedMemPerBlockOptin;
    if (chosen == MDM_COMPUTE_AUTO)
        chosen = MDM_COMPUTE_BFLOAT16;
    d->compute = chosen == MDM_COMPUTE_BFLOAT16 ? MDM_BF16 : MDM_F32;
    d->tf32 = chosen == MDM_COMPUTE_TF32;
    (void)snprintf(d->text, sizeof d->text, "cuda:%d, %.99s, %d GiB, %s", d->unit, p.name,
                   (int)((p.totalGlobalMem + (1 << 29)) >> 30), said[chosen]);
    return MASKDM_OK;
}

static int open_parts(struct mdm_cuda *d)
{
    mdm_cuda_here here(d);

    MDM_CUDA_TRY(mdm_cuda_check(d, cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking), "making a stream"));
    MDM_CUDA_TRY(mdm_cuda_memory_open(d));
    MDM_CUDA_TRY(mdm_cuda_blas_open(d));
    return mdm_cuda_fill_table(d);
}

static int open_cuda(struct mdm_backend **out, const struct mdm_device_host *host,
                     const struct mdm_device_settings *s)
{
    struct mdm_cuda *d;
    int unit, status;

    *out = NULL;
    if (host->version != MDM_BACKEND_VERSION || host->size < sizeof *host)
        return MASKDM_EVERSION;
    MDM_CUDA_TRY(read_unit(&unit, host, s->unit));
    d = (struct mdm_cuda *)host->need(1, sizeof *d, "the device");
    if (!d)
        return MASKDM_ENOMEM;
    d->base.v = &table;
    d->host = host;
    d->unit = unit;
    status = read_properties(d, s->compute);
    if (!status)
        status = mdm_cuda_context_open(d);
    if (!status)
        status = open_parts(d);
    if (status) {
        close_cuda(&d->base);
        return status;
    }
    *out = &d->base;
    return MASKDM_OK;
}

const struct mdm_device_module *mdm_device_module(void)
{
    static const struct mdm_device_module module = {"cuda", &table, open_cuda};

    return &module;
}
