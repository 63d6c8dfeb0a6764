/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conv backward. dw = dy' times the windows of x, piece after piece. dx takes windows of dy: with stride s the pixels
 * of x fall into s x s phases, of which each meets its own pixels of w, s apart, and those alone.
 */
#include "backend/cuda/conv.cuh"
#include "backend/cuda/kernel.cuh"

enum { BLOCK = 256 };

/* ---- dw ---- */

template <class T>
static int multiply_weights(struct mdm_cuda *d, const struct mdm_conv *v, float *dw, int add, const T *dy,
                            const void *windows, int64_t n)
{
    struct mdm_cuda_product p = {};

    p.m = v->out;
    p.n = v->taps * v->in;
    p.k = n;
    p.turn_a = 1;
    p.add = add;
    p.in = mdm_type_of<T>();
    p.out = MDM_F32;
    p.a = dy;
    p.lda = v->out;
    p.b = windows;
    p.ldb = p.ldc = p.n;
    p.c = dw;
    return mdm_cuda_product(d, &p);
}

static size_t weights_bytes(const struct mdm_conv *v)
{
    return v->taps > 1 ? mdm_cuda_align((size_t)(v->out * v->taps * v->in) * sizeof(float)) : 0;
}

template <class T> static int weight_gradient(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v)
{
    const struct mdm_window x = mdm_conv_windows(v, c->in[MDM_CONV_X]);
    const struct mdm_pieces cut = mdm_conv_cut(&x, sizeof(T));
    const struct mdm_turn t = mdm_conv_by_rows(v);
    const T *dy = (const T *)c->dout[0];
    float *dw = (float *)(v->taps > 1 ? c->scratch : c->din[MDM_CONV_W]);
    T *windows = (T *)((unsigned char *)c->scratch + weights_bytes(v));
    int64_t image = 0, row = 0, n;
    int add = v->taps == 1 && c->add[MDM_CONV_W];

    if (!c->din[MDM_CONV_W])
        return MASKDM_OK;
    if (v->plain)
        return multiply_weights(d, v, dw, add, dy, x.x, v->images * v->down * v->across);
    for (; (n = mdm_conv_piece(&x, &cut, image, row)) > 0; mdm_conv_next(&x, &cut, &image, &row)) {
        MDM_CUDA_TRY(mdm_conv_gather(d, windows, &x, image, row, n));
        MDM_CUDA_TRY(multiply_weights(d, v, dw, add, dy + (image * v->down * v->across + row) * v->out, windows, n));
        add = 1;
    }
    if (v->taps == 1)
        return MASKDM_OK;
    return mdm_conv_turn_back(d, &t, (float *)c->din[MDM_CONV_W], c->add[MDM_CONV_W], dw);
}

/* ---- dx ---- */

/* Every s-th pixel of every s-th row of x, from (y, x) on; windows over dy, and the pixels of w that they meet. */
struct phase {
    int64_t y, x;
    struct mdm_window dy;
    struct mdm_turn turn;
};

/* How many pixels of `most`, the stride apart, a phase meets; *first is the first of them, and *reach how far back
 * the window over dy begins. */
static int64_t meet(int64_t most, int64_t stride, int64_t from, int64_t *first, int64_t *reach)
{
    const int64_t n = most > from % stride ? mdm_cuda_pieces(most - from % stride, stride) : 0;

    *first = from % stride;
    *reach = n - 1 - from / stride;
    return n;
}

/* Whether there is something to do. Windows over dy go forward where those over x go back. */
static int read_phase(struct phase *p, const struct mdm_conv *v, const void *dy, int64_t y, int64_t x)
{
    const int64_t s = v->stride;
    int64_t row, column;

    *p = {};
    p->y = y;
    p->x = x;
    p->dy.x = dy;
    p->dy.images = v->images;
    p->dy.height = v->down;
    p->dy.width = v->across;
    p->dy.channels = v->out;
    p->dy.stride = 1;
    p->dy.down = v->height > y ? mdm_cuda_pieces(v->height - y, s) : 0;
    p->dy.across = v->width > x ? mdm_cuda_pieces(v->width - x, s) : 0;
    p->dy.tall = meet(v->tall, s, y + v->before, &row, &p->dy.top);
    p->dy.wide = meet(v->wide, s, x + v->left, &column, &p->dy.left);
    p->turn.out = v->out;
    p->turn.in = v->in;
    p->turn.pixels = v->taps;
    p->turn.by_out = v->in;
    p->turn.by_tap = v->out * v->in;
    p->turn.taps.tall = p->dy.tall;
    p->turn.taps.wide = p->dy.wide;
    p->turn.taps.first = (row + s * (p->dy.tall - 1)) * v->wide + column + s * (p->dy.wide - 1);
    p->turn.taps.down = -s * v->wide;
    p->turn.taps.right = -s;
    return p->dy.down > 0 && p->dy.across > 0 && p->dy.tall > 0 && p->dy.wide > 0;
}

struct spread {
    int64_t first, n, in, height, width, stride, y, x, down, across;
    int add;
};

template <class T> static __global__ void spread_rows(T *dx, const T *from, struct spread s)
{
    for (int64_t e = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; e < s.n; e += (int64_t)gridDim.x * blockDim.x) {
        const int64_t i = s.first + e / s.in, b = i / (s.down * s.across);
        const int64_t y = i / s.across % s.down * s.stride + s.y, x = i % s.across * s.stride + s.x;

        mdm_put(dx + ((b * s.height + y) * s.width + x) * s.in + e % s.in, mdm_float(from[e]), s.add);
    }
}

template <class T>
static int spread(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v, const struct phase *p,
                  const T *from, int64_t first, int64_t n)
{
    const struct spread s = {first, n * v->in, v->in,      v->height,    v->width,          v->stride,
                             p->y,  p->x,      p->dy.down, p->dy.across, c->add[MDM_CONV_X]};

    return mdm_cuda_launch(d, "conv", spread_rows<T>, mdm_cuda_grid(d, s.n, BLOCK), BLOCK, 0, (T *)c->din[MDM_CONV_X],
                           from, s);
}

/* Scratch: w's pixels, windows, and with a stride what a piece gives before it is spread. */
template <class T> static size_t turned_bytes(const struct mdm_conv *v)
{
    return v->taps > 1 ? mdm_cuda_align((size_t)(v->out * v->taps * v->in) * sizeof(T)) : 0;
}

template <class T>
static int multiply_phase(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v,
                          const struct phase *p, const void *windows, T *spare, int64_t first, int64_t n)
{
    struct mdm_cuda_product g = {};

    g.m = n;
    g.n = v->in;
    g.k = mdm_window_size(&p->dy);
    g.in = g.out = mdm_type_of<T>();
    g.a = windows;
    g.lda = g.k;
    g.b = v->taps > 1 ? c->scratch : c->in[MDM_CONV_W];
    g.ldb = g.ldc = v->in;
    g.c = v->stride > 1 ? spare : (T *)c->din[MDM_CONV_X] + first * v->in;
    g.add = v->stride == 1 && c->add[MDM_CONV_X];
    MDM_CUDA_TRY(mdm_cuda_product(d, &g));
    return v->stride > 1 ? spread(d, c, v, p, spare, first, n) : MASKDM_OK;
}

template <class T>
static int phase_gradient(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v, int64_t y,
                          int64_t x)
{
    struct phase p;
    struct mdm_pieces cut;
    int64_t image = 0, row = 0, n;
    T *windows = (T *)((unsigned char *)c->scratch + turned_bytes<T>(v)), *spare;

    if (!read_phase(&p, v, c->dout[0], y, x))
        return MASKDM_OK;
    if (v->taps > 1)
        MDM_CUDA_TRY(mdm_conv_turn(d, &p.turn, (T *)c->scratch, (const T *)c->in[MDM_CONV_W]));
    if (v->plain)
        return multiply_phase<T>(d, c, v, &p, c->dout[0], NULL, 0, v->images * v->down * v->across);
    cut = mdm_conv_cut(&p.dy, sizeof(T));
    spare = (T *)((unsigned char *)windows + mdm_cuda_align(mdm_conv_piece_bytes(&p.dy, sizeof(T))));
    for (; (n = mdm_conv_piece(&p.dy, &cut, image, row)) > 0; mdm_conv_next(&p.dy, &cut, &image, &row)) {
        MDM_CUDA_TRY(mdm_conv_gather(d, windows, &p.dy, image, row, n));
        MDM_CUDA_TRY(multiply_phase(d, c, v, &p, windows, spare, image * p.dy.down * p.dy.across + row, n));
    }
    return MASKDM_OK;
}

static int clear(struct mdm_cuda *d, const struct mdm_call *c, int input, size_t size)
{
    if (!c->din[input] || c->add[input])
        return MASKDM_OK;
    return mdm_cuda_check(
        d, cudaMemsetAsync(c->din[input], 0, (size_t)mdm_cuda_numel(c->in_shape[input]) * size, d->stream),
        "gradients of zero");
}

template <class T> static int image_gradient(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v)
{
    if (!c->din[MDM_CONV_X])
        return MASKDM_OK;
    if (v->tall < v->stride || v->wide < v->stride) /* some pixels are in no window */
        MDM_CUDA_TRY(clear(d, c, MDM_CONV_X, sizeof(T)));
    for (int64_t y = 0; y < v->stride; y++)
        for (int64_t x = 0; x < v->stride; x++)
            MDM_CUDA_TRY(phase_gradient<T>(d, c, v, y, x));
    return MASKDM_OK;
}

/* ---- all ---- */

template <class T> static int sum_gradients(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v)
{
    struct mdm_cuda_sums s = {};

    if (!c->din[MDM_CONV_B] && !c->din[MDM_CONV_R])
        return MASKDM_OK;
    s.images = v->images;
    s.rows = v->down * v->across;
    s.columns = v->out;
    s.type = mdm_type_of<T>();
    s.x = c->dout[0];
    s.all = (float *)c->din[MDM_CONV_B];
    s.add_all = c->add[MDM_CONV_B];
    s.each = c->din[MDM_CONV_R];
    s.add_each = c->add[MDM_CONV_R];
    s.parts = (float *)c->scratch;
    return mdm_cuda_sums(d, &s);
}

template <class T> size_t mdm_conv_backward_scratch(const struct mdm_call *c)
{
    const struct mdm_conv v = mdm_conv_read(c);
    const struct mdm_window w = mdm_conv_windows(&v, NULL);
    size_t most = mdm_cuda_sums_scratch(v.images, v.down * v.across, v.out), bytes;
    struct phase p;

    bytes = weights_bytes(&v) + (v.plain ? 0 : mdm_conv_piece_bytes(&w, sizeof(T)));
    most = bytes > most ? bytes : most;
    for (int64_t y = 0; y < v.stride; y++)
        for (int64_t x = 0; x < v.stride; x++) {
            if (!read_phase(&p, &v, NULL, y, x))
                continue;
            const struct mdm_pieces cut = mdm_conv_cut(&p.dy, sizeof(T));

            bytes = turned_bytes<T>(&v);
            bytes += v.plain ? 0 : mdm_cuda_align(mdm_conv_piece_bytes(&p.dy, sizeof(T)));
            bytes += v.stride > 1 ? (size_t)(cut.images * cut.rows * v.in) * sizeof(T) : 0;
            most = bytes > most ? bytes : most;
        }
    return most;
}

template <class T> int mdm_conv_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct mdm_conv v = mdm_conv_read(c);

    if (!c->dout[0]) {
        MDM_CUDA_TRY(clear(d, c, MDM_CONV_X, sizeof(T)));
        MDM_CUDA_TRY(clear(d, c, MDM_CONV_W, sizeof(float)));
        MDM_CUDA_TRY(clear(d, c, MDM_CONV_B, sizeof(float)));
        return clear(d, c, MDM_CONV_R, sizeof(T));
    }
    MDM_CUDA_TRY(sum_gradients<T>(d, c, &v));
    MDM_CUDA_TRY(image_gradient<T>(d, c, &v));
    return weight_gradient<T>(d, c, &v);
}

template int mdm_conv_backward<float>(struct mdm_backend *, const struct mdm_call *);
template int mdm_conv_backward<mdm_bf16>(struct mdm_backend *, const struct mdm_call *);
template size_t mdm_conv_backward_scratch<float>(const struct mdm_call *);
template size_t mdm_conv_backward_scratch<mdm_bf16>(const struct mdm_call *);
