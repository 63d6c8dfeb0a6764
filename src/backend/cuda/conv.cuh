/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of conv share: windows copied side by side, weights by pixel as windows have their
 * values where w has them by channel.
 */
#ifndef MASKDM_BACKEND_CUDA_CONV_CUH
#define MASKDM_BACKEND_CUDA_CONV_CUH

#include "backend/conv.h"
#include "backend/cuda/product.cuh"

/* Row r is window r of all images, those of an image row by row; its elements are what it covers in (row, column,
 * channel) order. What lies outside of an image is zero. */
struct mdm_window {
    const void *x; /* [B,height,width,channels] */
    int64_t images, height, width, channels;
    int64_t down, across;      /* windows below and beside each other in an image */
    int64_t stride, top, left; /* window (i, j) begins at row i stride - top and column j stride - left */
    int64_t tall, wide;        /* pixels of a window */
};

struct mdm_window mdm_conv_windows(const struct mdm_conv *v, const void *x);

static inline int64_t mdm_window_size(const struct mdm_window *w)
{
    return w->tall * w->wide * w->channels;
}

/* Windows are gathered in pieces: of so many images, or of so many windows of one image. Where an image is cut does
 * not depend on how many there are. */
struct mdm_pieces {
    int64_t images, rows;
};

struct mdm_pieces mdm_conv_cut(const struct mdm_window *w, size_t size);

/* Bytes of the largest piece. */
size_t mdm_conv_piece_bytes(const struct mdm_window *w, size_t size);

/* Begin with image = row = 0; *n windows from image, row on are next. 0: there are no more. */
static inline int64_t mdm_conv_piece(const struct mdm_window *w, const struct mdm_pieces *p, int64_t image,
                                     int64_t row)
{
    const int64_t all = w->down * w->across;

    if (image >= w->images)
        return 0;
    if (p->rows < all)
        return all - row < p->rows ? all - row : p->rows;
    return (w->images - image < p->images ? w->images - image : p->images) * all;
}

static inline void mdm_conv_next(const struct mdm_window *w, const struct mdm_pieces *p, int64_t *image, int64_t *row)
{
    *row += p->rows;
    if (*row < w->down * w->across)
        return;
    *row = 0;
    *image += p->images;
}

/* n windows from window `row` of an image on. */
template <class T>
int mdm_conv_gather(struct mdm_cuda *d, T *out, const struct mdm_window *w, int64_t image, int64_t row, int64_t n);

/* Which pixels of w are taken: tall x wide of them, the first at `first`, the others `down` and `right` further. */
struct mdm_taps {
    int64_t tall, wide, first, down, right;
};

/* w[O,I,pixels] and what is made of it: element (o, tap, i) at o * by_out + tap * by_tap + i. */
struct mdm_turn {
    int64_t out, in, pixels, by_out, by_tap;
    struct mdm_taps taps;
};

struct mdm_turn mdm_conv_by_rows(const struct mdm_conv *v);

template <class T> int mdm_conv_turn(struct mdm_cuda *d, const struct mdm_turn *t, T *turned, const T *w);
int mdm_conv_turn_back(struct mdm_cuda *d, const struct mdm_turn *t, float *dw, int add, const float *turned);

template <class T> int mdm_conv_backward(struct mdm_backend *b, const struct mdm_call *c);
template <class T> size_t mdm_conv_backward_scratch(const struct mdm_call *c);

#endif
