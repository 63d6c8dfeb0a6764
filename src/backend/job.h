/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The jobs beside a program that steps of training and sampling need: noise, sums of images, a solver's step, the
 * loss, patches put back. Each says what is device memory and what the host's; struct
 * mdm_backend_vtbl has the functions that do them.
 */
#ifndef MASKDM_BACKEND_JOB_H
#define MASKDM_BACKEND_JOB_H

#include <stddef.h>
#include <stdint.h>

/* x_t = signal[b] x0 + noise[b] eps over B images of n values; the target by its own two factors:
 * target = target_x0[b] x0 + target_eps[b] eps. In single precision, term by term. Images are device memory, factors
 * host memory. */
struct mdm_noising {
    int64_t batch, n;
    const float *x0, *eps;
    const double *signal, *noise, *target_x0, *target_eps; /* [B] */
    float *x_t, *target;                                   /* target may be NULL */
};

/* y = sum a[k] x[k] over n values, in double and rounded once. Device memory; y may be one of x. Where `channels` is
 * not 0 they are the innermost of y, and only the first `mixed` of them are written. */
enum { MDM_MIX = 3 };
struct mdm_mix {
    int64_t n;
    int count; /* of terms, up to MDM_MIX */
    const float *x[MDM_MIX];
    double a[MDM_MIX];
    float *y;
    int64_t channels, mixed;
};

/* One step of a solver over n values, each in double and rounded once: at the noisy end the factors reach 2e4 and
 * cancel.
 *
 *     x0 = clean_x x + clean_f F, within -clip .. clip where that is not 0; or within the range of its channel; or,
 *          with limits, within those of its image and divided by it
 *     eps = F, or (x - signal x0) / noise of x0 as it is now or was before clipping
 *     next x, and where `keeps` is set the next start = sums of x, start, x0, eps, before, z with the terms' factors
 *
 * Where the network says how much noise each value gets, z counts exp(spread_a + spread_b spread) times.
 *
 * Device memory. What has the factor 0 is not read and may be NULL. */
enum { MDM_BEFORE = 3 }; /* how many evaluations a solver may look back */
struct mdm_terms {
    double x, start, x0, eps;  /* the present x; what was kept for this one; this evaluation's */
    double before[MDM_BEFORE]; /* the x0 of earlier evaluations, the last one first */
    double z;                  /* fresh normals */
};
enum mdm_eps { MDM_EPS_CLIPPED, MDM_EPS_UNCLIPPED, MDM_EPS_F };
struct mdm_range {
    double low, high;
};
struct mdm_solve {
    int64_t n;
    double clean_x, clean_f, signal, noise, clip;
    enum mdm_eps eps;
    const double *limit; /* host memory: one for every `image` values; NULL: none */
    int64_t image;
    const struct mdm_range *within; /* host memory: one for each of the innermost `channels`; NULL: none */
    int64_t channels;
    int keeps;
    struct mdm_terms next, kept;
    float *x, *start;
    const float *f, *before[MDM_BEFORE], *z;
    const float *spread; /* NULL: nothing is said */
    double spread_a, spread_b;
    float *x0; /* receives this evaluation's; may be NULL; none of `before` */
};
/* Of each of B images of n values: the value that the share of |x0| lies below, x0 as in a solver's step, linear
 * between neighbours. Images are device memory, what is found is host memory. */
struct mdm_quantile {
    int64_t batch, n;
    double clean_x, clean_f, share;
    const float *x, *f;
    double *out; /* [B] */
};
/* The same on memory of the host, on this thread. */
void mdm_mix_on_host(const struct mdm_mix *job);
void mdm_solve_on_host(const struct mdm_solve *job);
void mdm_quantile_on_host(const struct mdm_quantile *job);

/* What a difference d of two values costs; delta is above 0, of the last kind 0 too, which makes it the norm. */
enum mdm_loss_kind {
    MDM_LOSS_L2,                 /* d^2 */
    MDM_LOSS_L1,                 /* |d| */
    MDM_LOSS_HUBER,              /* d^2 / 2 up to delta, then delta (|d| - delta / 2) */
    MDM_LOSS_SMOOTH_L1,          /* the same over delta */
    MDM_LOSS_PSEUDO_HUBER,       /* sqrt(d^2 + delta^2) - delta */
    MDM_LOSS_PSEUDO_HUBER_IMAGE, /* of an image, whose differences count as one: sqrt(sum d^2 + delta^2) - delta */
    MDM_LOSSES
};

/* Where patches are of several kinds and a job is of one, what its arrays step over. They begin at its own. */
struct mdm_beside {
    int64_t channels; /* of a pixel of the image; 0: as many as the job's */
    int64_t pred;     /* values of an image's prediction; 0: as many as the job's */
    int64_t index;    /* of an image's patches; 0: as many as the job's */
    int64_t first;    /* index of the kind's first patch */
};

/* Mean of that over each image's visible values (of the last kind the image's as it is). pred[B,K,p*p*C] has a
 * patch's values in (row, column, channel) order; target[B,H,W,C] is gathered by index[B,K]. loss[b] is image b's
 * mean (double, fixed summation order), times weight[b]; dpred (may be NULL) is the gradient of scale * sum_b
 * loss[b]. pred, target and dpred are device memory, all else is host memory. The norm's gradient is 0 where it is 0.
 */
struct mdm_loss {
    int64_t batch, height, width, channels, patch, visible;
    int64_t outputs; /* channels of pred and dpred, the first of which are compared; 0: as many as the image's */
    enum mdm_loss_kind kind;
    double delta;         /* of all but the first two kinds */
    const double *deltas; /* [B], in its place: each image's own, of the last kind; NULL: none */
    const float *pred, *target;
    const int32_t *index;
    const double *weight;
    double scale;
    double *loss;
    float *dpred;
    struct mdm_beside beside;
    int late; /* `loss` is not written here but by collect(), where the backend has that: nobody waits meanwhile */
};
/* The same where all memory is the host's, on the calling thread. */
void mdm_loss_on_host(const struct mdm_loss *job);

/* image[B,H,W,C] from the first C channels of pred[B,P,p*p*outputs], every patch in row-major order; both device
 * memory. */
struct mdm_unpatchify {
    int64_t batch, height, width, channels, outputs, patch;
    const float *pred;
    float *image;
    struct mdm_beside beside;
};

#endif
