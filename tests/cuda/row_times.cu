/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How near to the rate of a copy operations on rows come, at the sizes that training has: microseconds of forward and
 * backward of each, the bytes that it has to move, and their rate. The bytes are those of operands and results, each
 * once. To be linked with norm*.cu, modulate.cu, rms_modulate.cu, gate.cu, activation.cu, swiglu.cu, add.cu,
 * qkv_bias.cu, group_norm*.cu and parts.cu.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 5 };

int mdm_cuda_check(struct mdm_cuda *, cudaError_t e, const char *what)
{
    if (e == cudaSuccess)
        return MASKDM_OK;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(e));
    exit(EXIT_FAILURE);
}

struct row {
    const char *name;
    enum mdm_op_id op;
    int ins, outs;
    struct mdm_shape in[MDM_MAX_IN], out[MDM_MAX_OUT];
    int floats, aux; /* bits: inputs whose gradient is float, outputs that are float and have no gradient */
    int64_t attr[2];
    double constant;
    double forward, backward; /* values of bf16 that move for each element of the first input */
};

static struct mdm_shape shape(int64_t a, int64_t b = 0, int64_t c = 0)
{
    struct mdm_shape s = {};

    s.n = c ? 3 : b ? 2 : 1;
    s.d[0] = a;
    s.d[1] = b;
    s.d[2] = c;
    return s;
}

static void *room(const struct mdm_shape *s, size_t size)
{
    const size_t n = (size_t)mdm_cuda_numel(s);
    void *p;

    mdm_cuda_check(NULL, cudaMalloc(&p, n * size), "memory");
    mdm_cuda_check(NULL, cudaMemset(p, 0x3e, n * size), "memory"); /* numbers near 0.18 in both types */
    return p;
}

/* Microseconds of one run, the least of three times. */
template <class F> static double time_of(struct mdm_cuda *d, F run)
{
    cudaEvent_t begin, end;
    float least = 0, ms = 0;

    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    for (int i = 0; i < 4; i++) {
        cudaEventRecord(begin, d->stream);
        for (int k = 0; k < RUNS; k++)
            mdm_cuda_check(d, run() == 0 ? cudaSuccess : cudaErrorUnknown, "an operation");
        cudaEventRecord(end, d->stream);
        mdm_cuda_check(d, cudaEventSynchronize(end), "an operation");
        cudaEventElapsedTime(&ms, begin, end);
        least = i < 2 || ms < least ? ms : least; /* the first time is for nothing */
    }
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
    return 1e3 * least / RUNS;
}

static void measure(struct mdm_cuda *d, const struct row *r, int add)
{
    const struct mdm_kernel *k = &d->kernel[1][r->op];
    struct mdm_call c = {};
    const double mega = 2e-6 * (double)mdm_cuda_numel(&r->in[0]);
    double us[2];
    size_t bytes;
    void *used[2 * (MDM_MAX_IN + MDM_MAX_OUT) + 1];
    int n = 0;

    c.op = r->op;
    c.dtype = MDM_BF16;
    for (int i = 0; i < 2; i++)
        c.attr[i] = r->attr[i];
    c.constant[0] = r->constant;
    for (int i = 0; i < r->ins; i++) {
        if (r->in[i].n == 0)
            continue;
        c.in_shape[i] = &r->in[i];
        c.in[i] = used[n++] = room(&r->in[i], 2);
        c.din[i] = used[n++] = room(&r->in[i], r->floats >> i & 1 ? 4 : 2);
        c.add[i] = i == 0 ? (unsigned char)add : r->floats >> i & 1;
    }
    for (int i = 0; i < r->outs; i++) {
        const size_t size = r->aux >> i & 1 ? 4 : 2;
        c.out_shape[i] = &r->out[i];
        c.out[i] = used[n++] = room(&r->out[i], size);
        if (size == 2)
            c.dout[i] = used[n++] = room(&r->out[i], size);
    }
    bytes = k->scratch ? k->scratch(&d->base, &c, 1) : 0;
    mdm_cuda_check(d, cudaMalloc(&used[n], bytes + 1), "memory");
    c.scratch = used[n++];
    us[0] = time_of(d, [&] { return k->forward(&d->base, &c); });
    us[1] = time_of(d, [&] { return k->backward(&d->base, &c); });
    printf("%-20s %8.1f %8.0f %8.2f %8.1f %8.0f %8.2f%s\n", r->name, us[0], mega * r->forward,
           mega * r->forward / us[0], us[1], mega * (r->backward + add), mega * (r->backward + add) / us[1],
           add ? "  onto dx" : "");
    while (n > 0)
        cudaFree(used[--n]);
}

static void measure_copy(struct mdm_cuda *d)
{
    const struct mdm_shape s = shape(65792, 2048);
    void *a = room(&s, 2), *b = room(&s, 2);
    const size_t bytes = (size_t)mdm_cuda_numel(&s) * 2;
    const double us =
        time_of(d, [&] { return (int)cudaMemcpyAsync(a, b, bytes, cudaMemcpyDeviceToDevice, d->stream); });

    printf("%-20s %8.1f %8.0f %8.2f\n", "copy", us, 2e-6 * (double)bytes, 2e-6 * (double)bytes / us);
    cudaFree(a);
    cudaFree(b);
}

static void measure_width(struct mdm_cuda *d, int64_t images, int64_t tokens, int64_t width)
{
    const int64_t rows = images * tokens;
    const struct mdm_shape x = shape(rows, width), x3 = shape(images, tokens, width), w = shape(width);
    const struct mdm_shape m = shape(images, 6 * width), wide = shape(rows, 4 * width), stats = shape(rows, 2);
    const struct mdm_shape qkv = shape(rows, 3 * width), both = shape(rows, 8 * width);
    const struct mdm_shape groups = shape(images, 32, 2);
    const struct row all[] = {
        {"layernorm", MDM_OP_LAYERNORM, 3, 2, {x, w, w}, {x, stats}, 6, 2, {}, 1e-5, 2, 3},
        {"add_norm", MDM_OP_ADD_NORM, 4, 3, {x, x, w, w}, {x, x, stats}, 12, 4, {}, 1e-5, 4, 5},
        {"modulate", MDM_OP_MODULATE, 2, 2, {x3, m}, {x3, stats}, 0, 2, {width, 0}, 1e-6, 2, 3},
        {"rms_modulate", MDM_OP_RMS_MODULATE, 3, 2, {x3, w, m}, {x3, shape(rows)}, 2, 2, {width, 0}, 1e-6, 2, 3},
        {"gate_add", MDM_OP_GATE_ADD, 3, 1, {x3, x3, m}, {x3}, 0, 0, {2 * width}, 0, 3, 4},
        {"add", MDM_OP_ADD, 2, 1, {x, x}, {x}, 0, 0, {}, 0, 3, 3},
        {"qkv_bias", MDM_OP_QKV_BIAS, 3, 1, {qkv, w, w}, {qkv}, 6, 0, {}, 0, 2, 2},
        {"gelu", MDM_OP_GELU, 1, 1, {wide}, {wide}, 0, 0, {}, 0, 2, 3},
        {"gelu_tanh", MDM_OP_GELU_TANH, 1, 1, {wide}, {wide}, 0, 0, {}, 0, 2, 3},
        {"swiglu", MDM_OP_SWIGLU, 1, 1, {both}, {wide}, 0, 0, {}, 0, 1.5, 2.5},
        {"group_norm_silu", MDM_OP_GROUP_NORM_SILU, 3, 2, {x3, w, w}, {x3, groups}, 6, 2, {32}, 1e-5, 3, 5},
    };

    printf("\n%lld images of %lld rows of %lld: microseconds, MB and TB/s, forward and backward\n", (long long)images,
           (long long)tokens, (long long)width);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (int add = 0; add < 2; add++)
            measure(d, &all[i], add);
}

int main(void)
{
    static struct mdm_cuda d;
    cudaDeviceProp prop;

    mdm_cuda_check(&d, cudaGetDeviceProperties(&prop, 0), "a device");
    d.processors = prop.multiProcessorCount;
    mdm_cuda_check(&d, cudaStreamCreate(&d.stream), "a stream");
    mdm_cuda_add_norm(&d);
    mdm_cuda_add_modulate(&d);
    mdm_cuda_add_rms_modulate(&d);
    mdm_cuda_add_activation(&d);
    mdm_cuda_add_swiglu(&d);
    mdm_cuda_add_add(&d);
    mdm_cuda_add_group_norm(&d);
    printf("%s, %d processors\n", prop.name, d.processors);
    measure_copy(&d);
    measure_width(&d, 256, 257, 512);
    measure_width(&d, 512, 27, 512);
    measure_width(&d, 16, 4097, 768);
    return 0;
}
