/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked loss and its gradient. An image is cut into parts by its shape alone; a block sums one in double, a
 * thread meets those of an image in order. Each difference costs what it costs on the CPU, to the bit.
 */
#include "backend/cuda/table.cuh"
#include "backend/cuda/values.cuh"

#include <limits.h>

enum { BLOCK = 256, TURNS = 4 };
enum { SLOT_SUMS, SLOT_INDEX, SLOT_WEIGHT, SLOT_DELTAS };

struct task {
    struct mdm_loss job;   /* with device pointers for all but `loss`, and nothing left to be counted */
    int64_t values, parts; /* of an image's prediction */
    double count;          /* of the values that are compared */
    double *loss, *slope;  /* [B]; what the gradient is multiplied by where only the sum tells it */
    double *sum;           /* [B,parts] */
};

/* ---- what an error costs, and how fast that grows; NaN in both where the error is NaN ---- */

static __device__ __forceinline__ double sign(double d)
{
    return (d > 0) - (d < 0) + 0 * d;
}

static __device__ __forceinline__ double huber(double d, double delta, double *slope)
{
    const double a = fabs(d);

    *slope = a <= delta ? d : __dmul_rn(sign(d), delta);
    return a <= delta ? __dmul_rn(d, d) / 2 : __dmul_rn(delta, __dadd_rn(a, -delta / 2));
}

static __device__ __forceinline__ double pseudo_huber(double d, double delta, double *slope)
{
    const double d2 = __dmul_rn(d, d), root = __dsqrt_rn(__dadd_rn(d2, __dmul_rn(delta, delta)));

    *slope = __ddiv_rn(d, root);
    return __ddiv_rn(d2, __dadd_rn(root, delta));
}

static __device__ __forceinline__ double cost(enum mdm_loss_kind kind, double d, double delta, double *slope)
{
    double sum;

    switch (kind) {
    case MDM_LOSS_L1:
        *slope = sign(d);
        return fabs(d);
    case MDM_LOSS_HUBER:
        return huber(d, delta, slope);
    case MDM_LOSS_SMOOTH_L1:
        sum = huber(d, delta, slope);
        *slope = __ddiv_rn(*slope, delta);
        return __ddiv_rn(sum, delta);
    case MDM_LOSS_PSEUDO_HUBER:
        return pseudo_huber(d, delta, slope);
    default:
        *slope = 2 * d;
        return __dmul_rn(d, d);
    }
}

/* ---- values ---- */

/* Where value i of image b's prediction has its like in the target; -1: it has none. */
template <class I> static __device__ __forceinline__ int64_t target_of(const struct mdm_loss &j, int64_t b, I i)
{
    const I outputs = (I)j.outputs, p = (I)j.patch, across = (I)j.width / p;
    const I pixel = i / outputs, channel = i % outputs, row = pixel / p, column = pixel % p;
    const I patch = (I)(j.index[b * j.beside.index + (int64_t)(row / p)] - j.beside.first);
    const int64_t y = b * j.height + (int64_t)(patch / across * p + row % p);

    if (channel >= (I)j.channels)
        return -1;
    return (y * j.width + (int64_t)(patch % across * p + column)) * j.beside.channels + (int64_t)channel;
}

/* The sum over N values from i on, which lie in a row of a patch; and what they add to the gradient. */
template <int N, class I>
static __device__ __forceinline__ double compare(const struct mdm_loss &j, int64_t b, I i, double slope)
{
    const int64_t from = target_of<I>(j, b, i), at = b * j.beside.pred + (int64_t)i;
    float pred[N] = {}, target[N] = {}, dpred[N];
    double sum = 0;

    if (from >= 0) {
        mdm_take<N>(pred, j.pred + at);
        mdm_take<N>(target, j.target + from);
    }
#pragma unroll
    for (int k = 0; k < N; k++) {
        double grows;

        sum += cost(j.kind, (double)pred[k] - (double)target[k], j.delta, &grows);
        dpred[k] = from >= 0 ? (float)__dmul_rn(slope, grows) : 0;
    }
    if (j.dpred)
        mdm_leave<N>(j.dpred + at, dpred);
    return from >= 0 ? sum : 0;
}

/* A block compares TURNS packs with every thread: a part of an image. */
template <int N, class I> static __global__ void compare_parts(const struct task t)
{
    __shared__ double room[BLOCK / MDM_WARP];
    const int warp = threadIdx.x / MDM_WARP, lane = threadIdx.x % MDM_WARP;
    const int64_t b = blockIdx.x / t.parts, from = blockIdx.x % t.parts * BLOCK * TURNS * N;
    const double slope = !t.job.dpred ? 0
                         : t.slope    ? t.slope[b]
                                      : __ddiv_rn(__dmul_rn(t.job.scale, t.job.weight[b]), t.count);
    double sum = 0;

#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
        const int64_t i = from + ((int64_t)turn * BLOCK + threadIdx.x) * N;

        if (i < t.values)
            sum += compare<N, I>(t.job, b, (I)i, slope);
    }
#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, i);
    if (lane == 0)
        room[warp] = sum;
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    for (int i = 1; i < BLOCK / MDM_WARP; i++)
        sum += room[i];
    t.sum[blockIdx.x] = sum;
}

/* ---- images ---- */

static __global__ void finish(const struct task t)
{
    const int64_t b = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const struct mdm_loss &j = t.job;
    double sum = 0, delta, root;

    if (b >= j.batch)
        return;
    for (int64_t i = 0; i < t.parts; i++)
        sum += t.sum[b * t.parts + i];
    if (!t.slope) {
        t.loss[b] = __dmul_rn(j.weight[b], __ddiv_rn(sum, t.count));
        return;
    }
    delta = j.deltas ? j.deltas[b] : j.delta;
    root = __dsqrt_rn(__dadd_rn(sum, __dmul_rn(delta, delta)));
    t.loss[b] = root == 0 ? 0 : __dmul_rn(j.weight[b], __ddiv_rn(sum, __dadd_rn(root, delta)));
    t.slope[b] = root == 0 ? 0 : __ddiv_rn(__dmul_rn(j.scale, j.weight[b]), 2 * root);
}

/* 16 bytes of a patch's row at once, where rows are made of them and pixels have nothing beside. */
static int is_wide(const struct mdm_loss *j)
{
    return j->outputs == j->channels && j->channels == j->beside.channels && j->patch * j->channels % 4 == 0 &&
           j->beside.pred % 4 == 0 && mdm_cuda_aligned(j->pred, j->target, j->dpred);
}

/* Places in an image are told in 32 bits. */
static int is_small(const struct mdm_loss *j)
{
    return j->height * j->width * (j->outputs > j->beside.channels ? j->outputs : j->beside.channels) <= INT32_MAX;
}

static int compare_all(struct mdm_cuda *d, const struct task *t, int wide)
{
    void (*const kernel)(const struct task) = wide                ? compare_parts<4, uint32_t>
                                              : is_small(&t->job) ? compare_parts<1, uint32_t>
                                                                  : compare_parts<1, uint64_t>;

    return mdm_cuda_launch(d, "the loss", kernel, dim3((unsigned)(t->job.batch * t->parts)), BLOCK, 0, *t);
}

static int finish_all(struct mdm_cuda *d, const struct task *t)
{
    return mdm_cuda_launch(d, "the loss", finish, dim3((unsigned)mdm_cuda_pieces(t->job.batch, BLOCK)), BLOCK, 0, *t);
}

/* The gradient of an image whose differences count as one takes the sum, so there are two passes. */
static int compare_whole(struct mdm_cuda *d, const struct task *task, int wide)
{
    struct task t = *task;

    t.job.dpred = NULL;
    MDM_CUDA_TRY(compare_all(d, &t, wide));
    MDM_CUDA_TRY(finish_all(d, &t));
    t.job.dpred = task->job.dpred;
    return t.job.dpred ? compare_all(d, &t, wide) : MASKDM_OK;
}

/* The host's numbers in device memory. */
static int bring(struct mdm_cuda *d, struct task *t)
{
    struct mdm_loss *j = &t->job;
    const size_t indices = (size_t)((j->batch - 1) * j->beside.index + j->visible), each = sizeof(double);
    const size_t batch = (size_t)j->batch;
    void *p;

    MDM_CUDA_TRY(mdm_cuda_give(d, SLOT_INDEX, j->index, indices * sizeof *j->index, &p));
    j->index = (const int32_t *)p;
    MDM_CUDA_TRY(mdm_cuda_give(d, SLOT_WEIGHT, j->weight, batch * each, &p));
    j->weight = (const double *)p;
    if (j->deltas) {
        MDM_CUDA_TRY(mdm_cuda_give(d, SLOT_DELTAS, j->deltas, batch * each, &p));
        j->deltas = (const double *)p;
    }
    MDM_CUDA_TRY(mdm_cuda_scratch(d, SLOT_SUMS, batch * (size_t)(t->parts + 2) * each, &p));
    t->loss = (double *)p;
    t->slope = j->kind == MDM_LOSS_PSEUDO_HUBER_IMAGE ? t->loss + batch : NULL;
    t->sum = t->loss + 2 * batch;
    return MASKDM_OK;
}

int mdm_cuda_loss(struct mdm_backend *b, const struct mdm_loss *job)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct task t = {};
    struct mdm_loss *j = &t.job;
    size_t bytes;
    int wide;

    *j = *job;
    if (!j->batch)
        return MASKDM_OK;
    j->outputs = j->outputs ? j->outputs : j->channels;
    j->beside.channels = j->beside.channels ? j->beside.channels : j->channels;
    j->beside.index = j->beside.index ? j->beside.index : j->visible;
    t.values = j->visible * j->patch * j->patch * j->outputs;
    t.count = (double)(j->visible * j->patch * j->patch * j->channels);
    j->beside.pred = j->beside.pred ? j->beside.pred : t.values;
    wide = is_small(j) && is_wide(j);
    t.parts = mdm_cuda_pieces(t.values, (int64_t)BLOCK * TURNS * (wide ? 4 : 1));
    MDM_CUDA_TRY(bring(d, &t));
    if (t.slope) {
        MDM_CUDA_TRY(compare_whole(d, &t, wide));
    } else {
        MDM_CUDA_TRY(compare_all(d, &t, wide));
        MDM_CUDA_TRY(finish_all(d, &t));
    }
    bytes = (size_t)j->batch * sizeof *job->loss;
    return job->late ? mdm_cuda_later(d, t.loss, bytes) : mdm_cuda_fetch(d, job->loss, t.loss, bytes);
}
