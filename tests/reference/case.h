/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One reference case: an open file, the settings in its metadata, and the verdict so far. Public headers only.
 */
#ifndef TESTS_REFERENCE_CASE_H
#define TESTS_REFERENCE_CASE_H

#include <maskdm/maskdm.h>

struct reference_case {
    const char *path; /* of the file */
    maskdm_file *file;
    maskdm_device *device;
    int elsewhere;  /* not on the CPU */
    double coarse;  /* what bounds are at least; 0: as they are */
    double muon;    /* the same of what Muon moved */
    double worst;   /* relative error, over all tensors */
    char where[96]; /* the tensor that has it */
    int failed;
    char skipped[128]; /* why, or "" */
    char line[512];    /* first failure */
};

/* Bounds of ||a-b|| / ||b||; an expected tensor of zeros is compared element by element. */
#define TENSOR_BOUND 1e-5
#define LOSS_BOUND 1e-6
#define ZERO_BOUND 1e-7
/* What bounds other than 0 are at least where a network was run in another type than float: two roundings to 8 bits
 * of mantissa in a row for each of a dozen operations, of which gradients go through twice as many; 11 bits for the
 * products alone. Gradients of a U-Net's norms, queries and times, which cancel in its small cases, were off by up to
 * 5.3e-2 and, with 11 bits, 1.5e-2 on an H100; all others by up to 3.3e-2 and 7.2e-3. */
#define BF16_BOUND 8e-2
#define TF32_BOUND 2e-2
/* The same of weights that Muon moved by such products, of which 6.0e-3 and 8.0e-5 are the most that was seen. */
#define MUON_BF16_BOUND 1e-2
#define MUON_TF32_BOUND 2e-4

enum { BATCH = 0, CHANNELS = 1, HEIGHT = 2, WIDTH = 3 }; /* dimensions of an image tensor in a file */

void case_fail(struct reference_case *c, const char *format, ...);
/* A library call that must succeed: 0, or -1 with its line recorded. */
int case_ok(struct reference_case *c, int status, const char *what);

/* Value of `key` in the metadata's JSON object `section`, without quotes and brackets; the given default when it is
 * absent. Valid until the next call. */
const char *case_value(struct reference_case *c, const char *section, const char *key, const char *absent);
double case_number(struct reference_case *c, const char *section, const char *key, double absent);

int case_has(struct reference_case *c, const char *name);
/* Dimension i of a tensor, counted from its first; -1 when there is none. */
int64_t case_dim(struct reference_case *c, const char *name, int i);
/* A tensor's values in fresh memory (free), or NULL with the failure recorded. */
float *case_f32(struct reference_case *c, const char *name, int64_t *count);
double *case_f64(struct reference_case *c, const char *name, int64_t *count);
/* [..., C, H, W] of a file to [..., H, W, C] of the library, or back. */
void case_channels_last(float *to, const float *from, int64_t images, int64_t channels, int64_t pixels);
void case_channels_first(float *to, const float *from, int64_t images, int64_t channels, int64_t pixels);
/* case_f32 of an image tensor, turned; values = scale * file + shift. */
float *case_images(struct reference_case *c, const char *name, float scale, float shift);

void case_compare(struct reference_case *c, const char *name, const double *got, int64_t count, double bound);
void case_compare_f32(struct reference_case *c, const char *name, const float *got, int64_t count, double bound);
/* The same for images [B,H,W,C] against [B,C,H,W]. */
void case_compare_images(struct reference_case *c, const char *name, const float *got, double bound);

/* ---- the kinds ---- */
void case_schedule(struct reference_case *c);
void case_loss(struct reference_case *c);
void case_train(struct reference_case *c);
void case_sample(struct reference_case *c);
void case_checkpoint(struct reference_case *c);
void case_network(struct reference_case *c);
void case_routing(struct reference_case *c);
void case_objective(struct reference_case *c);
void case_solver(struct reference_case *c);
void case_guidance(struct reference_case *c);
void case_frechet(struct reference_case *c);
void case_metric(struct reference_case *c);
void case_inception(struct reference_case *c);
void case_optimizer(struct reference_case *c);
void case_consistency(struct reference_case *c);

/* ---- shared by what has a discrete process (schedule.c) ---- */
/* The options of the schedule that JSON object `section` tells, by the case's program; -1 where there is none. */
int case_discrete(struct reference_case *c, const char *section, char *out, size_t room);

/* ---- shared by objectives (table.c) ---- */
/* What other programs call a prediction, as the library does. */
const char *case_prediction(const char *theirs);
/* Options of the discrete process of section "objective" with a weight and a prediction; -1 where there is none. */
int case_weighted(struct reference_case *c, const char *weight, const char *prediction, char *out, size_t room);
/* 1 where the case is a table of numbers, which is then judged. */
int case_table(struct reference_case *c);

/* The model that CASE.pth becomes, beside the case, with its weights compared; NULL: there is none, or it failed. */
maskdm_model *case_written(struct reference_case *c);

/* ---- shared by loss, train and sample (network.c) ---- */
maskdm_scheduler *case_scheduler(struct reference_case *c);
maskdm_scheduler *case_scheduler_of(struct reference_case *c, const char *options);
/* Whether the network is that of the authors' first program, on wavelets. */
int case_has_wavelets(struct reference_case *c);
maskdm_model *case_model(struct reference_case *c); /* with the case's weights */
/* Every parameter from `param.NAME`, and no such tensor left over: 0, or -1 with the failure recorded. */
int case_weights(struct reference_case *c, maskdm_model *model);
int32_t *case_labels(struct reference_case *c); /* NULL: none given */

#endif
