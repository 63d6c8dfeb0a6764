/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of group_norm share. An image's pixels are cut into strips, of which a block takes some channels; a
 * thread of it has a few channels of every so manieth pixel. How they are cut depends on pixels and channels alone.
 */
#ifndef MASKDM_BACKEND_CUDA_GROUP_NORM_CUH
#define MASKDM_BACKEND_CUDA_GROUP_NORM_CUH

#include "backend/cuda/columns.cuh"
#include "backend/cuda/curve.cuh"

enum { MDM_GROUP_X, MDM_GROUP_W, MDM_GROUP_B, MDM_GROUP_M }; /* inputs */
enum { MDM_GROUP_ROWS = 8 };                                 /* of a strip to a thread */

struct mdm_group {
    const void *x, *w, *b, *m, *dy;
    void *y, *dx;
    float *stats;
    float *part;         /* [images,strips,2,C] */
    float *coefficients; /* [images,G,2]: stats that nobody keeps, or how dx depends on x and on nothing */
    float *sums;         /* [images,2,C]: of the gradient before silu, and of that times the normed */
    int64_t images, pixels, channels, groups, wide, strips, strip; /* wide: channels of a group */
    float epsilon;
    int silu, add;
    struct mdm_columns columns;
};

static inline struct mdm_group mdm_group_read(const struct mdm_call *c, int silu)
{
    const struct mdm_shape *s = c->in_shape[MDM_GROUP_X];
    struct mdm_group j = {};
    int v = 16 / (int)(c->dtype == MDM_BF16 ? sizeof(mdm_bf16) : sizeof(float));

    j.x = c->in[MDM_GROUP_X];
    j.w = c->in[MDM_GROUP_W];
    j.b = c->in[MDM_GROUP_B];
    j.m = c->in[MDM_GROUP_M];
    j.dy = c->dout[0];
    j.y = c->out[0];
    j.dx = c->din[MDM_GROUP_X];
    j.stats = (float *)c->out[1];
    j.images = s->d[0];
    j.channels = mdm_cuda_last(s);
    j.pixels = mdm_cuda_rows(s) / j.images;
    j.groups = c->attr[0];
    j.wide = j.channels / j.groups;
    j.epsilon = (float)c->constant[0];
    j.silu = silu;
    j.add = c->add[MDM_GROUP_X];
    if (j.channels % v)
        v = 1;
    j.columns = mdm_columns_cut(j.channels, v);
    j.strip = j.columns.walkers * MDM_GROUP_ROWS;
    j.strips = mdm_cuda_pieces(j.pixels, j.strip);
    j.part = (float *)c->scratch;
    if (!j.part)
        return j;
    j.coefficients = j.part + j.images * j.strips * 2 * j.channels;
    j.sums = j.coefficients + j.images * j.groups * 2;
    return j;
}

/* `packs` is the kernel where channels come in packs. */
static inline int mdm_group_launch(struct mdm_cuda *d, const char *what, void (*packs)(const struct mdm_group),
                                   void (*singles)(const struct mdm_group), const struct mdm_group *j, int pack)
{
    const int in_packs = j->channels % pack == 0;

    return mdm_cuda_launch(d, what, in_packs ? packs : singles,
                           mdm_columns_grid(&j->columns, j->images * j->strips, in_packs ? pack : 1),
                           MDM_COLUMNS_BLOCK, 0, *j);
}

/* The strip of a block where all strips have just been read in order: those that came last may be in the cache still,
 * and are the first now. */
static __device__ __forceinline__ int64_t mdm_group_again(void)
{
    return gridDim.x - 1 - blockIdx.x;
}

/* A strip's image, and rows [from, to) of x that are its own. */
static __device__ __forceinline__ int64_t mdm_group_strip(const struct mdm_group &j, int64_t strip, int64_t *from,
                                                          int64_t *to)
{
    const int64_t image = strip / j.strips, pixel = strip % j.strips * j.strip, left = j.pixels - pixel;

    *from = image * j.pixels + pixel;
    *to = *from + (left < j.strip ? left : j.strip);
    return image;
}

template <class T>
static __device__ __forceinline__ float mdm_group_weight(const struct mdm_group &j, int64_t channel)
{
    return j.w ? mdm_float(((const T *)j.w)[channel]) : 1.0f;
}

/* An image's own factor of a channel. */
template <class T>
static __device__ __forceinline__ float mdm_group_factor(const struct mdm_group &j, int64_t image, int64_t channel)
{
    return j.m ? 1.0f + mdm_float(((const T *)j.m)[image * 2 * j.channels + channel]) : 1.0f;
}

/* Of V channels: y = (x - mean) scale + shift. */
template <int V> struct mdm_group_affine {
    float mean[V], scale[V], shift[V];
};

template <class T, int V>
static __device__ __forceinline__ void mdm_group_load(struct mdm_group_affine<V> *a, const struct mdm_group &j,
                                                      int64_t image, int64_t channel)
{
#pragma unroll
    for (int i = 0; i < V; i++) {
        const int64_t c = channel + i;
        const float *stats = j.stats + (image * j.groups + c / j.wide) * 2, factor = mdm_group_factor<T>(j, image, c);

        a->mean[i] = stats[0];
        a->scale[i] = stats[1] * mdm_group_weight<T>(j, c) * factor;
        a->shift[i] = (j.b ? mdm_float(((const T *)j.b)[c]) * factor : 0.0f) +
                      (j.m ? mdm_float(((const T *)j.m)[(image * 2 + 1) * j.channels + c]) : 0.0f);
    }
}

/* The sum of all threads of a block, in each of them; `room` is shared memory of 32 values. */
static __device__ __forceinline__ double mdm_group_sum(double x, double *room)
{
    const int warp = threadIdx.x / MDM_WARP, lane = threadIdx.x % MDM_WARP, warps = blockDim.x / MDM_WARP;

#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, i);
    __syncthreads();
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    x = room[0];
    for (int i = 1; i < warps; i++)
        x += room[i];
    return x;
}

/* dx, and the gradients of what a channel is multiplied with and shifted by. */
int mdm_cuda_group_norm_backward(struct mdm_backend *b, const struct mdm_call *c, int silu);

#endif
