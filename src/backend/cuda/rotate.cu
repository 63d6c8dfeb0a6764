/* SPDX-License-Identifier: BSD-2-Clause
 *
 * angles: cosines and sines of the angles of places in a grid; qk_rotate forward.
 */
#include "backend/cuda/rotate.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = MDM_ROTATE_BLOCK };

struct grid {
    const int32_t *index, *keep;
    float *y, *line;                               /* line[rows or columns,W/2]: [cos | sin] of a number's angles */
    int64_t images, places, taken, columns, width; /* of an image: places told, and those taken of them */
};

static __global__ void fill_lines(grid g, int64_t count)
{
    const int64_t n = g.width / 4, at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, number = at / n, i = at % n;

    if (at < count * n) {
        const double angle = (double)number * pow(1e4, -(double)i / (double)n);

        g.line[number * 2 * n + i] = (float)cos(angle);
        g.line[number * 2 * n + n + i] = (float)sin(angle);
    }
}

static __global__ void fill_places(grid g)
{
    const int64_t n = g.width / 4, count = g.images * g.taken * g.width;

    for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < count;
         at += (int64_t)gridDim.x * blockDim.x) {
        const int64_t k = at / g.width, b = k / g.taken, i = at % n, quarter = at % g.width / n;
        const int64_t place = g.index[b * g.places + (g.keep ? g.keep[k] : k % g.taken)];
        const int64_t number = quarter % 2 ? place % g.columns : place / g.columns;

        g.y[at] = g.line[number * 2 * n + quarter / 2 * n + i];
    }
}

static int64_t count_lines(const struct mdm_call *c)
{
    return c->attr[0] > c->attr[1] ? c->attr[0] : c->attr[1];
}

static int angles_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t lines = count_lines(c);
    grid g = {};

    g.index = (const int32_t *)c->in[0];
    g.keep = (const int32_t *)c->in[1];
    g.y = (float *)c->out[0];
    g.line = (float *)c->scratch;
    g.images = c->in_shape[0]->d[0];
    g.places = c->in_shape[0]->d[1];
    g.taken = c->out_shape[0]->d[1];
    g.width = c->out_shape[0]->d[2];
    g.columns = c->attr[1];
    MDM_CUDA_TRY(mdm_cuda_launch(d, "angles", fill_lines,
                                 dim3((unsigned)mdm_cuda_pieces(lines * (g.width / 4), BLOCK)), BLOCK, 0, g, lines));
    return mdm_cuda_launch(d, "angles", fill_places, mdm_cuda_grid(d, g.images * g.taken * g.width, BLOCK), BLOCK, 0,
                           g);
}

static size_t angles_scratch(const struct mdm_backend *, const struct mdm_call *c, int)
{
    return (size_t)(count_lines(c) * (c->out_shape[0]->d[2] / 2)) * sizeof(float);
}

/* Places have no gradient. */
static int angles_backward(struct mdm_backend *, const struct mdm_call *)
{
    return MASKDM_OK;
}

template <class T, int P> static __global__ void __launch_bounds__(BLOCK) rotate(mdm_rotate_job<T> j)
{
    const int lane = threadIdx.x % j.lanes, group = threadIdx.x / j.lanes, groups = BLOCK / j.lanes;
    const int64_t items = j.rows * j.heads * 3, at = (int64_t)lane * P, next = (int64_t)j.lanes * P;

    for (int64_t first = (int64_t)blockIdx.x * groups; first < items; first += (int64_t)gridDim.x * groups) {
        const int64_t item = first + group, row = item / (3 * j.heads), head = item % (3 * j.heads);
        const int kind = item < items ? (int)(head / j.heads) : MDM_VALUE;
        const T *x = j.qkv + item * j.width, *w = kind < MDM_VALUE ? j.w[kind] : NULL;
        const float *angles = kind < MDM_VALUE ? mdm_rotate_angles(j, row) : NULL;
        float r = 0;

        if (w)
            for (int64_t c = at; c < j.width; c += next) {
                float v[P];

                mdm_rotate_load<T, P>(v, x + c);
#pragma unroll
                for (int i = 0; i < P; i++)
                    r = fmaf(v[i], v[i], r);
            }
        r = mdm_rotate_sum(r, j.lanes);
        r = w ? 1.0f / sqrtf(r / (float)j.width + j.epsilon) : 1.0f;
        if (item >= items)
            continue;
        if (j.r && kind < MDM_VALUE && lane == 0)
            j.r[row * 2 * j.heads + head] = r;
        for (int64_t c = at; c < j.width; c += next) {
            float v[P], f[P];

            mdm_rotate_load<T, P>(v, x + c);
            if (w) {
                mdm_rotate_load<T, P>(f, w + c);
#pragma unroll
                for (int i = 0; i < P; i++)
                    v[i] = v[i] * r * f[i];
            }
            if (angles)
                mdm_rotate_turn<P>(v, angles, c, j.width, 1);
            mdm_rotate_store<T, P>(j.y + item * j.width + c, v, 0);
        }
    }
}

template <class T, int P> static int rotate_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const mdm_rotate_job<T> j = mdm_rotate_read<T>(c, P);

    return mdm_cuda_launch(d, "qk_rotate", rotate<T, P>, mdm_cuda_grid(d, j.rows * j.heads * 3 * j.lanes, BLOCK),
                           BLOCK, 0, j);
}

/* The widest packs that a head's width is a multiple of. */
template <class T> static int forward_by_width(struct mdm_backend *b, const struct mdm_call *c)
{
    const int64_t width = c->in_shape[3]->d[2];

    if (width % mdm_pack<T>::N == 0)
        return rotate_forward<T, mdm_pack<T>::N>(b, c);
    return width % 4 ? rotate_forward<T, 2>(b, c) : rotate_forward<T, 4>(b, c);
}

template <class T> static struct mdm_kernel rotate_row(void)
{
    struct mdm_kernel k = {};

    k.forward = k.remake = forward_by_width<T>;
    k.backward = mdm_rotate_backward;
    k.scratch = mdm_rotate_scratch;
    return k;
}

int mdm_cuda_add_rotate(struct mdm_cuda *d)
{
    struct mdm_kernel k = {};

    k.forward = angles_forward;
    k.backward = angles_backward;
    k.scratch = angles_scratch;
    d->kernel[0][MDM_OP_ANGLES] = d->kernel[1][MDM_OP_ANGLES] = k;
    d->kernel[0][MDM_OP_QK_ROTATE] = rotate_row<float>();
    d->kernel[1][MDM_OP_QK_ROTATE] = rotate_row<mdm_bf16>();
    return MASKDM_OK;
}
