/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The contract between programs and the machine that runs them: one row per operation, and the few jobs beside
 * the program that every step needs (noise, loss, optimizer). A program lives on one backend; a missing kernel is
 * an error when the program is planned, never a silent slow path. The front (ops/) checks shapes once; kernels
 * assume them.
 *
 * Shapes: B images, H x W pixels, C channels, p patch side, P patches, K visible patches, e extra tokens,
 * N = e + K tokens, D width, h heads. Every value is rows x last dimension, the channel innermost.
 */
#ifndef MASKDM_BACKEND_BACKEND_H
#define MASKDM_BACKEND_BACKEND_H

#include "backend/job.h"
#include "backend/optimizer.h"
#include "base/rng.h"
#include "os/pool.h"
#include "tensor/tensor.h"

#ifdef __cplusplus /* modules may be C++ */
#  include <atomic>
using std::atomic_int;
#else
#  include <stdatomic.h>
#endif

enum { MDM_MAX_IN = 6, MDM_MAX_OUT = 3, MDM_MAX_ATTR = 4, MDM_MAX_CONSTANT = 2 };
enum { MDM_MOST_WINDOW = 1 << 18 }; /* elements that a window of a convolution covers */

/* Device memory. What alloc() gives is an address that only the backend can follow: the host may add to it, within
 * the buffer, hold it against NULL and hand it back, and never reads or writes through it; that it may on the CPU is
 * no excuse, and tests/guard/ runs the tests on a CPU where it cannot. Every transfer is a call. Such addresses have
 * the type of their elements (float *), as host memory has; which of the two a pointer is, is said where it stands:
 *
 *     device   weights, gradients, moments, averages, arenas; images: x0, noise, x_t, target, predictions
 *     host     times, labels, patch indices, factors, weights of the loss, random streams, losses and sums
 *
 * The latter are a few numbers per image that the host makes, checks and reads; a job takes them from host memory,
 * takes what it needs of them to the device, and has put its results there when it returns.
 *
 * Order: a backend may return before its work is done, except from download() and from jobs that answer on the host,
 * but later calls see what earlier ones wrote. A host buffer that was given may be reused on return.
 * Threads: one at a time, between mdm_device_enter() and mdm_device_leave(); but alloc(), release() and the transfers
 * (upload, download, copy, fill) come from any thread at any time, bodies of loop() among them, on memory that nobody
 * else works on. In a process forked from the backend's there come release() and close() alone, and wait for nobody:
 * the other threads stayed behind, and whatever they held with them. */

/* Of everything in this file. A backend of another version is refused before any call to it. Grows with each change
 * of what stands here; functions that are added behind the last change the size of the table alone. */
enum { MDM_BACKEND_VERSION = 9 };

/* Types. A program has one, which its values and their gradients have. Where that is MDM_BF16,
 *
 *     - parameters are read from a copy of the weights in that type, which narrow() makes before forward;
 *     - what these operands get is float all the same, as the weights themselves are: w, b, q, k, v and pos of every
 *       operation, those of both layers of mlp, table and null of embed, filler of fill, w, a and b of lowrank (and
 *       so its y);
 *     - aux values but mlp's, and y of angles, are float;
 *     - sums are kept in float or better and rounded once, to the type of what receives them. */

/* Inputs -> outputs, with `aux` for what only backward reads. Whole numbers that belong to an operation are
 * call->attr, others call->constant. y = f(x, w, b); PyTorch's layout w[O,I]. "b?" may be absent. */
enum mdm_op_id {
    MDM_OP_LINEAR,      /* x[R,I] w[O,I] b?[O]            -> y[R,O] = x w' + b */
    MDM_OP_LINEAR_SILU, /* x w b?                         -> y = silu(pre), aux pre[R,O] */
    MDM_OP_LINEAR2,     /* x[R,I] s[R,J] w[O,I+J] b?      -> y[R,O] = [x|s] w' + b, never concatenated */
    MDM_OP_LOWRANK,     /* w[O,..] a[r,..] b[O,r,..]; constant 0: s -> y = w + s b a, matrices of O and r rows */
    MDM_OP_LAYERNORM,   /* x[R,D] w?[D] b?[D]; constant 0: eps -> y, aux stats[R,2] = mean, 1/sqrt(var+eps) */
    MDM_OP_ADD_NORM,    /* x[R,D] r[R,D] w?[D] b?[D]; constant 0: eps -> sum? = x + r, y = norm(sum), aux stats */
    MDM_OP_MODULATE,    /* x[B,N,D] m[B,M]; attr 0, 1: s, t; constant 0: eps -> y = norm(x) (1 + m[s..]) + m[t..], D
                              values of the image's row of m each; aux stats[B*N,2] */
    MDM_OP_RMS_MODULATE, /* x[B,N,D] w[D] m[B,M]; attr 0, 1: s, t; constant 0: eps -> y = x r w (1 + m[s..]) + m[t..],
                              aux r[B*N] = 1/sqrt(avg x^2 + eps) */
    MDM_OP_GATE_ADD,    /* x[B,N,D] r[B,N,D] m[B,M]; attr 0: s -> y = x + m[s..] r */
    MDM_OP_GELU,        /* x                              -> y = gelu(x) (erf form) */
    MDM_OP_GELU_TANH,   /* x                              -> y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
    MDM_OP_SILU,        /* x                              -> y = x/(1 + exp(-x)) */
    MDM_OP_SWIGLU,      /* x[R,2H]                        -> y[R,H] = silu(x[.., 0 .. H-1]) x[.., H ..] */
    MDM_OP_ADD,         /* x r                            -> y = x + r */
    MDM_OP_QKV_BIAS,    /* x[R,3D] q[D] v[D]              -> y = x + [q|0|v] */
    MDM_OP_ANGLES,      /* index[B,K] keep?[B,R]; attr 0, 1: rows, columns -> y[B,K or R,W] = [cos | sin] of the W/2
                              angles of place index, or index[keep], of the grid: its row times 1e4^(-i/(W/4)), i from
                              0 to W/4 - 1, and then its column */
    MDM_OP_QK_ROTATE,   /* qkv[B,e+K,3D] q?[D/h] k?[D/h] angles[B,K,D/h]; attr 0: h; constant 0: eps -> y: each head's
                              q and k as x r w, w its row, or without that as they are, and of all but the first e
                              tokens the pairs 2i, 2i+1 turned by angle i; v as it is; aux r[B,e+K,2h] =
                              1/sqrt(avg x^2 + eps), those of q first */
    MDM_OP_ATTENTION,   /* qkv[B,..,3D], N rows of each image; attr 0: h -> y[B,..,D], aux lse[B,h,N]; scale
                              (D/h)^-1/2 */
    MDM_OP_PATCHIFY,    /* x[B,H,W,C] index[B,K]; attr 0 .. 3: p, c, k, n -> y[B,L,D*p*p] of the patches that L
                              indices from k on tell, n being the first; of D channels from c on; values in
                              (channel, row, column) order as the patch embedding's weight has them */
    MDM_OP_TIMESTEP,    /* t[B] (F64); attr 0: exact; attr 1: sines first; constant 0: s, with exact alone
                              -> y[B,D] = [cos | sin](t exp(-ln 1e4 i/(D/2 - s))); unless exact, frequency and angle
                              are rounded to float */
    MDM_OP_EMBED,       /* label[B] table[L,D] null?[1,D]; attr 0: zeros -> y[B,D], label -1 takes null, or the
                              table's last row, or zeros */
    MDM_OP_TOKENS,      /* x[B,K,D] pos[1,e+P,D] index[B,K] a?[B,e1,D] b?[B,e2,D] c?[B,e3,D], e = e1+e2+e3
                              -> y[B,e+K,D]: [a, b, c, x] plus the position rows 0 .. e-1 and e + index */
    MDM_OP_CONTEXT,     /* x[B,N,D] c[B,D] pos[1,L,D]     -> y[B,L+N,D] = [c + pos, x] */
    MDM_OP_TRIM,        /* x[B,N,D]; attr 0: e            -> y[B,L,D], L tokens from e on */
    MDM_OP_ROUTE,       /* x[B,N,D] keep[B,R], rising; attr 0: e -> y[B,e+R,D]: the first e tokens and those at
                              e + keep */
    MDM_OP_UNROUTE,     /* x[B,N,D] y[B,e+R,D] keep[B,R]; attr 0: e -> x with y in the places that route took */
    MDM_OP_FILL,        /* filler[D] y?[B,e+R,D] keep?[B,R] dropped?[B]; attr 0: e -> x[B,N,D]: y where route took it
                              (N without keep), the filler elsewhere and all over an image whose dropped is not 0 */
    MDM_OP_TRANSPOSE,   /* x[R,a*b]; attr 0: a            -> y[R,b*a], each row as a matrix of a rows, transposed */
    MDM_OP_CONV,        /* x[B,H,W,I] w[O,I,k,l] b?[O] r?[B,O]; attr 0, 1, 2, 3: s, p, q, d
                              -> y[B,(H+p+q-k)/s+1,(W+p+q+2d-l)/s+1,O], each y[i,j] = b + r + the sum of w over the
                              window of x that begins at (s i - p, s j - p - d); zeros lie around x */
    MDM_OP_GROUP_NORM,  /* x[B,..,C] w?[C] b?[C] m?[B,2C]; attr 0: G; constant 0: eps -> y = h w + b, or (h w + b)
                              (1 + m[..C]) + m[C..]; h: x normed over an image's values of C/G channels; aux
                              stats[B,G,2] = mean, 1/sqrt(var+eps) */
    MDM_OP_GROUP_NORM_SILU, /* the same               -> y = silu(that) */
    MDM_OP_UPSAMPLE,    /* x[B,H,W,C]                     -> y[B,2H,2W,C], each pixel four times */
    MDM_OP_DOWNSAMPLE,  /* x[B,2H,2W,C]                   -> y[B,H,W,C], the means of four */
    MDM_OP_CONCAT,      /* x[..,I] s[..,J] t?[..,K]; attr 0: images -> y[..,I+J+K], the rows side by side; with
                              attr 0 a row is all of an image */
    MDM_OP_HIDE,        /* x[B,H,W,C] index[B,K], rising; attr 0: p -> y[B,H,W,C+1]: of the indexed patches x and 0
                              behind it, of the others zeros and 1 */
    MDM_OP_CUT,         /* x[B,H,W,C] index[B,K]; attr 0: p -> y[B,K,p*p*C] the indexed patches, values in (row,
                              column, channel) order, as a prediction has them */
    MDM_OP_PASTE,       /* x[B,K,p*p*C] index[B,K], rising; attr 0: p -> y[B,H,W,C] with those patches, zeros
                              elsewhere */
    MDM_OP_RELU,        /* x                              -> y = max(x, 0) */
    MDM_OP_MAX_POOL,    /* x[B,H,W,C]; attr 0, 1, 2, 3: s, p, q, k -> y[B,(H+p+q-k)/s+1,(W+p+q-k)/s+1,C], each the
                              largest of the pixels of x that lie in the window of k x k from (s i - p, s j - p) on */
    MDM_OP_AVERAGE_POOL, /* the same                  -> the mean of those pixels */
    MDM_OP_MLP,         /* x[R,I] w1[H,I] b1?[H] w2[O,H] b2?[O]; attr 0: tanh -> y[R,O] = f(pre) w2' + b2, pre =
                              x w1' + b1, f gelu or gelu_tanh; pre[R,H] and f(pre) of the program's type. No backend
                              has to have it: ops/mlp.c then has the three that it is made of */
    MDM_OP_NARROW,      /* x of float                     -> y of the program's type, and so its gradient back */
    MDM_OP_WIDEN,       /* x                              -> y of float, and so its gradient back */
    MDM_OP_COUNT
};

/* What a kernel sees. Data pointers are device memory of the value's dtype, indices, labels and times too, which
 * mdm_program_set() has brought there; shapes and the rest are the host's. A NULL out is a result that nobody uses;
 * a NULL dout is a gradient of zero; a NULL din a gradient that nobody wants. `add` tells per input whether its
 * gradient is written (0) or summed onto what is there (1); parameter gradients always have 1. In and out never
 * overlap. Both terms of add and add_norm may have their gradient in one place, if neither is summed onto anything.
 */
struct mdm_call {
    enum mdm_op_id op;
    enum mdm_dtype dtype; /* of everything that is not an index or a time */
    const struct mdm_shape *in_shape[MDM_MAX_IN], *out_shape[MDM_MAX_OUT]; /* NULL: absent */
    const void *in[MDM_MAX_IN], *dout[MDM_MAX_OUT];
    void *out[MDM_MAX_OUT], *din[MDM_MAX_IN];
    unsigned char add[MDM_MAX_IN];
    /* MDM_BF16 or MDM_F16: w of a product or convolution is of that type, on a backend that reads_stored. */
    enum mdm_dtype stored;
    int64_t attr[MDM_MAX_ATTR];
    double constant[MDM_MAX_CONSTANT];
    /* Rows that belong to one image when products must be cut per image (sampling: an image's bytes do not
     * depend on its batch); 0 lets products be cut freely. */
    int64_t row_group;
    void *scratch;            /* as many bytes as kernel->scratch asked for, 64-byte aligned */
    const atomic_int *cancel; /* non-zero asks long kernels to return early with MASKDM_ECANCELED; may be NULL */
};

struct mdm_backend;

struct mdm_kernel {
    int (*forward)(struct mdm_backend *b, const struct mdm_call *c);
    int (*backward)(struct mdm_backend *b, const struct mdm_call *c);
    /* Bytes of scratch for this call's shapes (pointers are not set yet), the larger of forward and, with
     * `train`, backward. NULL: none. */
    size_t (*scratch)(const struct mdm_backend *b, const struct mdm_call *c, int train);
    /* Makes results anew, to the same bits, from what the op says that takes; NULL where it says none. No scratch. */
    int (*remake)(struct mdm_backend *b, const struct mdm_call *c);
};

struct mdm_backend_vtbl {
    int version; /* MDM_BACKEND_VERSION; it and the size stand first in every version */
    size_t size; /* sizeof(struct mdm_backend_vtbl) */
    const char *name;
    /* One line for people: name, what it computes with. Lives as long as the backend. */
    const char *(*describe)(struct mdm_backend *);
    int (*alloc)(struct mdm_backend *, void **out, size_t bytes, const char *what); /* 64-byte aligned */
    void (*release)(struct mdm_backend *, void *memory);
    int (*upload)(struct mdm_backend *, void *device, const void *host, size_t bytes);
    int (*download)(struct mdm_backend *, void *host, const void *device, size_t bytes);
    /* From device memory to device memory; the two do not overlap. */
    int (*copy)(struct mdm_backend *, void *to, const void *from, size_t bytes);
    int (*fill)(struct mdm_backend *, void *device, int byte, size_t bytes);
    int (*wait)(struct mdm_backend *); /* until all work is done */
    /* One image is one stream: out[b*n .. ] = normals of stream[b]; out is device memory. */
    int (*normal)(struct mdm_backend *, float *out, int64_t batch, int64_t n, const struct mdm_rng *stream);
    int (*noising)(struct mdm_backend *, const struct mdm_noising *);
    int (*mix)(struct mdm_backend *, const struct mdm_mix *);
    int (*solve)(struct mdm_backend *, const struct mdm_solve *);
    int (*quantile)(struct mdm_backend *, const struct mdm_quantile *);
    int (*loss)(struct mdm_backend *, const struct mdm_loss *);
    /* Sum of squares of device memory, in double with a fixed tree; not finite when any element is not. */
    int (*sum_squares)(struct mdm_backend *, double *out, const float *x, size_t n);
    int (*adamw)(struct mdm_backend *, const struct mdm_optimizer *);
    /* ema as in struct mdm_optimizer, alone; device memory */
    int (*ema)(struct mdm_backend *, float *ema, const float *w, size_t n, int mode, double decay);
    int (*unpatchify)(struct mdm_backend *, const struct mdm_unpatchify *);
    const struct mdm_kernel *(*kernel)(struct mdm_backend *, enum mdm_op_id op, enum mdm_dtype dtype);
    /* mdm_pool_try() on host threads, for what the host does itself: reading a file into weights. On the CPU they are
     * those that compute. A backend that computes elsewhere may have none: NULL, and the caller does it alone. */
    int (*loop)(struct mdm_backend *, int64_t n, mdm_try_body body, void *arg);
    /* Around work, in mdm_device_enter() and mdm_device_leave(); may be NULL. */
    void (*enter)(struct mdm_backend *);
    void (*leave)(struct mdm_backend *);
    void (*close)(struct mdm_backend *);
    int (*muon)(struct mdm_backend *, const struct mdm_muon *);
    /* Bytes of the job's scratch, of which only the matrices' shapes need to be known. */
    size_t (*muon_scratch)(const struct mdm_backend *, const struct mdm_muon *);
    /* The type of programs on this device: MDM_F32, or MDM_BF16. NULL: MDM_F32. */
    enum mdm_dtype (*compute)(const struct mdm_backend *);
    /* n weights in that type; both device memory. NULL where programs are of float. */
    int (*narrow)(struct mdm_backend *, void *to, const float *from, size_t n);
    /* A list of kernel calls that is run again and again with the same pointers may be noted once and then be played.
     * After record() calls are noted and not carried out, until recorded(), which gives what play() takes, or NULL
     * in *out where it could not be noted: the calls have to be made. NULL: this backend has no such thing. */
    int (*record)(struct mdm_backend *);
    int (*recorded)(struct mdm_backend *, void **out);
    int (*play)(struct mdm_backend *, void *recording);
    void (*forget)(struct mdm_backend *, void *recording); /* NULL is fine */
    /* Work goes on after calls have returned, so that a host does well to do something else before it waits. */
    int asynchronous;
    /* The losses of the last loss() that was `late`, when they are there. NULL: none is ever late. */
    int (*collect)(struct mdm_backend *, double *loss, int64_t batch);
    /* Whether a forward call may find its weight stored in 16 bits (mdm_call.stored). */
    int reads_stored;
    /* Whether training keeps what is cheap to make anew, where nobody says: it has memory, and is short of time. */
    int keeps;
    /* What makes this device slow here and can be mended: a sentence that lives as long as the backend, or NULL. The
     * entry itself may be NULL. */
    const char *(*warning)(struct mdm_backend *);
};

struct mdm_backend {
    const struct mdm_backend_vtbl *v;
};

#endif
